#include "plugin_describe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "../core/time.h"

#define ACTION "describe"
#define OUTPUT_BYTES_MAX 65536

static bool knows_action(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool found = false;
	struct stat info;
	void *bytes;

	if (fd < 0)
		return false;
	if (fstat(fd, &info) == 0 && info.st_size > 0) {
		bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (bytes != MAP_FAILED) {
			found = memmem(bytes, (size_t)info.st_size, ACTION, strlen(ACTION)) != NULL;
			munmap(bytes, (size_t)info.st_size);
		}
	}
	close(fd);
	return found;
}

static void become_plugin(const char *path, const struct process_user *user, int output)
{
	char action[] = ACTION, variable[] = "HBD_ACTION=" ACTION;
	char search[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *argv[] = { strdup(path), action, NULL }, *environment[] = { search, variable, NULL };
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	setpgid(0, 0);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!argv[0] || null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
	    dup2(output, STDOUT_FILENO) < 0 || chdir("/") < 0)
		_exit(127);
	close_range(STDERR_FILENO + 1, ~0u, 0);
	if (user && process_user_become(user) < 0)
		_exit(127);
	execve(path, argv, environment);
	_exit(127);
}

/* 0 at the end of what it says, which is then text. */
static int read_all(int fd, int64_t until_ns, char text[OUTPUT_BYTES_MAX])
{
	struct pollfd output = { .fd = fd, .events = POLLIN };
	size_t length = 0;

	for (;;) {
		int64_t left_ns = until_ns - clock_now_ns();
		ssize_t count;

		if (left_ns <= 0)
			return -ETIMEDOUT;
		if (poll(&output, 1, (int)(left_ns / HBD_MS_NS) + 1) <= 0)
			continue;
		count = read(fd, text + length, OUTPUT_BYTES_MAX - 1 - length);
		if (count < 0)
			return -errno;
		text[length += (size_t)count] = '\0';
		if (count == 0)
			return length < OUTPUT_BYTES_MAX - 1 ? 0 : -EPROTO;
	}
}

/* The program's whole group ends here in any case. */
static bool ended_well(pid_t pid)
{
	siginfo_t info = { 0 };

	/* it closed its output: the rest is its end */
	for (int i = 0; i < 100 && info.si_pid == 0; i++) {
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
			break;
		if (info.si_pid == 0)
			usleep(1000);
	}
	kill(-pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return info.si_code == CLD_EXITED && info.si_status == 0;
}

int plugin_describe(const char *path, const struct process_user *user, int64_t timeout_ns,
		    json_t **ret_description)
{
	char *text = knows_action(path) ? calloc(1, OUTPUT_BYTES_MAX) : NULL;
	int output[2], result = -ENOTSUP;
	json_t *description = NULL;
	pid_t pid;

	if (!text)
		return result;
	if (pipe2(output, O_CLOEXEC) < 0) {
		result = -errno;
		goto out;
	}
	pid = fork();
	if (pid == 0)
		become_plugin(path, user, output[1]);
	close(output[1]);
	result = pid < 0 ? -errno : read_all(output[0], clock_now_ns() + timeout_ns, text);
	close(output[0]);
	if (pid > 0 && !ended_well(pid) && result == 0)
		result = -EPROTO;
	if (result == 0)
		description = json_loads(text, 0, NULL);
	if (result == 0 && !json_is_object(description))
		result = -EPROTO;
	if (result == 0)
		*ret_description = description;
	else
		json_decref(description);

out:
	free(text);
	return result;
}
