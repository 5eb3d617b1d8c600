#include "run.h"

#include <errno.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin.h"

extern char **environ;

/* A file in memory: no pipe that a program which does not read would fill. */
static int make_input(const char *input, size_t bytes)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0)
		plugin_end(PLUGIN_AGAIN, "memfd_create: %s", strerror(errno));
	while (bytes > 0) {
		ssize_t written = write(fd, input, bytes);

		if (written < 0)
			plugin_end(PLUGIN_AGAIN, "write its input: %s", strerror(errno));
		input += written;
		bytes -= (size_t)written;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

int run_program(const char *const *argv, const char *input, size_t bytes)
{
	int fd = make_input(input, bytes);
	posix_spawn_file_actions_t actions;
	int error, status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
	error = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fd);
	if (error != 0)
		plugin_end(PLUGIN_FAILED, "%s cannot be started: %s", argv[0], strerror(error));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			plugin_end(PLUGIN_FAILED, "wait for %s: %s", argv[0], strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
