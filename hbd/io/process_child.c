/* Between fork and execve: what a program inherits, and what it does not. */
#include "process_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/log.h"

#define CHILD_FAILED 127
#define CHILD_UMASK 022

static void fail(const struct process_child *child, int error, const char *what)
	__attribute__((noreturn));

static void fail(const struct process_child *child, int error, const char *what)
{
	struct process_report report = { .error = -abs(error) };

	snprintf(report.why, sizeof(report.why), "%s", what);
	if (write(child->report_fd, &report, sizeof(report)) < 0)
		_exit(CHILD_FAILED - 1);
	_exit(CHILD_FAILED);
}

static void fail_at(const struct process_child *child, const char *step)
	__attribute__((noreturn));

static void fail_at(const struct process_child *child, const char *step)
{
	char why[PROCESS_TEXT_BYTES];
	int error = errno;

	snprintf(why, sizeof(why), "%s: %s", step, log_strerror(error));
	fail(child, error, why);
}

static void reset_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		sigaction(number, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The daemon is the last to be killed when memory runs out; its plugins are not. */
static void reset_oom_score(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "0", 1) < 0)
		log_debug("process: oom_score_adj stays: %s", log_strerror(errno));
	close(fd);
}

/* Best effort where failing means to keep what the daemon had, which is no danger. */
static void reset_scheduling(void)
{
	struct sched_param param = { .sched_priority = 0 };

	sched_setscheduler(0, SCHED_OTHER, &param);
	setpriority(PRIO_PROCESS, 0, 0);
	reset_oom_score();
}

static void connect_descriptors(const struct process_child *child)
{
	int channel = child->request->channel_fd;
	int input = channel > 0 ? channel : child->input_fd;
	int output = channel > 0 ? channel : child->output_fd;

	if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(child->output_fd, STDERR_FILENO) < 0)
		fail_at(child, "descriptors");
	/* Ours are close-on-exec each; this is for what a library may have forgotten. */
	if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		log_debug("process: close_range: %s", log_strerror(errno));
}

static void become_user(const struct process_child *child)
{
	const struct process_user *user = child->request->user;
	int r = user ? process_user_become(user) : 0;

	if (r < 0) {
		errno = -r;
		fail_at(child, "change of user");
	}
}

/* After the change of user, which would clear it. */
static void die_with_parent(const struct process_child *child)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		fail_at(child, "PR_SET_PDEATHSIG");
	if (getppid() != child->parent)
		_exit(CHILD_FAILED);
}

void process_child_run(const struct process_child *child)
{
	const struct process_request *request = child->request;
	char path[PATH_MAX], why[PROCESS_TEXT_BYTES];
	int error;

	log_set_sink(NULL, NULL);
	if (setpgid(0, 0) < 0)
		fail_at(child, "process group");
	reset_signals();
	reset_scheduling();
	error = request->resolve(request->resolve_context, path, why);
	if (error < 0)
		fail(child, error, why);
	connect_descriptors(child);
	if (chdir("/") < 0)
		fail_at(child, "chdir to /");
	umask(CHILD_UMASK);
	become_user(child);
	die_with_parent(child);
	execve(path, request->argv, request->environment);
	fail_at(child, path);
}
