/* What the scribe does once, before it listens: it becomes an ordinary process. */
#include "scribe_internal.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/log.h"

/* libsystemd keeps its way to the journal in a variable of its own. */
static bool is_journal(int fd)
{
	int domain, type;
	socklen_t length = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_UNIX &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_DGRAM;
}

/* The guardian's sockets and locks must not outlive it in here. */
static void close_others(const struct scribe_setup *setup)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;

	if (!directory) {
		log_warning("scribe: /proc/self/fd: %s; descriptors stay open",
			    log_strerror(errno));
		return;
	}
	while ((entry = readdir(directory))) {
		int fd = atoi(entry->d_name);

		if (fd > STDERR_FILENO && fd != dirfd(directory) && fd != setup->guardian_fd &&
		    fd != setup->engine_fd && !is_journal(fd))
			close(fd);
	}
	closedir(directory);
}

/* The guardian decides when this ends, not the terminal's ^C. */
static void reset_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		sigaction(number, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGPIPE, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void reset_scheduling(void)
{
	struct sched_param param = { .sched_priority = 0 };

	if (sched_setscheduler(0, SCHED_OTHER, &param) < 0 || setpriority(PRIO_PROCESS, 0, 0) < 0)
		log_warning("scribe: ordinary scheduling: %s", log_strerror(errno));
}

int scribe_settle(const struct scribe_setup *setup)
{
	const char *name = setup->conf->user;
	struct process_user user;
	int result;

	log_set_sink(NULL, NULL);
	prctl(PR_SET_NAME, "hbd-scribe");
	reset_signals();
	reset_scheduling();
	close_others(setup);
	umask(0027);
	if (geteuid() != 0)
		return 0;
	result = process_user_find(name, &user);
	if (result == 0)
		result = process_user_become(&user);
	if (result < 0)
		log_error("scribe: become user %s: %s; no alerts until it exists", name,
			  log_strerror(result));
	return result;
}
