#include "procfs.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 64
#define STAT_BYTES 1024
#define ENVIRONMENT_BYTES 8192

size_t procfs_read(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t count = 0;

	if (fd < 0)
		return 0;
	do {
		length += (size_t)count;
		count = read(fd, buffer + length, size - 1 - length);
	} while (count > 0);
	close(fd);
	buffer[length] = '\0';
	return length;
}

uint64_t procfs_start(pid_t pid)
{
	char path[PATH_BYTES], stat[STAT_BYTES], state;
	const char *after_command;
	uint64_t start;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (procfs_read(path, stat, sizeof(stat)) == 0)
		return 0;
	/* The command may hold blanks and brackets of its own. */
	after_command = strrchr(stat, ')');
	if (!after_command ||
	    sscanf(after_command + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
		   "%*d %*d %*d %*d %" SCNu64, &state, &start) != 2)
		return 0;
	return state == 'Z' || state == 'X' ? 0 : start + 1;
}

void procfs_command(pid_t pid, char ret_command[PROCFS_COMMAND_BYTES])
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	if (procfs_read(path, ret_command, PROCFS_COMMAND_BYTES) == 0)
		strcpy(ret_command, "?");
	ret_command[strcspn(ret_command, "\n")] = '\0';
}

void procfs_variable(pid_t pid, const char *name, char *ret_value, size_t size)
{
	char path[PATH_BYTES], environment[ENVIRONMENT_BYTES];
	size_t length, name_length = strlen(name);

	ret_value[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	length = procfs_read(path, environment, sizeof(environment));
	for (size_t at = 0; at < length; at += strlen(environment + at) + 1) {
		if (strncmp(environment + at, name, name_length) == 0) {
			snprintf(ret_value, size, "%s", environment + at + name_length);
			return;
		}
	}
}
