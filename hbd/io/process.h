/*
 * Run programs: takeover plugins and checks for the guardian, alert programs for the scribe.
 *
 * A run never makes its caller wait: the program gets its input in a memory file, its output is
 * read as it comes and no faster than a plugin has any reason to write, its end arrives as an
 * event. What a program can do wrong is bounded here: it may hang (deadline, SIGTERM, SIGKILL to
 * its whole process group), flood (lines per second and per run), leave children behind (killed
 * with their group when the program ends; those that left the group are found as orphans and
 * killed too), or not be startable (the reason comes back as a result).
 *
 * A program is started without a shell, in a process group of its own, in "/", with no descriptor
 * but 0, 1 and 2, with exactly the environment given, umask 022, default signals, SCHED_OTHER,
 * nice 0, OOM score 0, as the given user, and dies with its caller. What to run and what to tell it
 * is plugin.h's affair.
 *
 * One runner serves one process and its loop: it makes the process a child subreaper and takes
 * every child of it that nobody claims (process_runner_keep) for an orphan of one of its runs.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "../core/time.h"

#define PROCESS_GRACE_NS (500 * HBD_MS_NS)	/* from SIGTERM to SIGKILL */
#define PROCESS_GIVE_UP_NS (1 * HBD_S_NS)	/* from SIGKILL until it is no longer waited for */
#define PROCESS_LINE_BYTES 480			/* longer output lines are cut */
#define PROCESS_LINES_PER_S 50			/* more are not logged but counted */
#define PROCESS_LINES_MAX 300			/* of one run; then one a second of one that lasts */
#define PROCESS_LAST_LINE_BYTES 120
#define PROCESS_TEXT_BYTES 200
#define PROCESS_ID_BYTES 96
#define PROCESS_GROUPS_MAX 64

/* Whom to run as; looked up once, because that may touch a disk. */
struct process_user {
	uid_t uid;
	gid_t gid;
	size_t group_count;
	gid_t groups[PROCESS_GROUPS_MAX];	/* supplementary */
};

/* 0, -ENOENT: no such user, -E2BIG: in too many groups, or a negative errno. Blocks. */
int process_user_find(const char *name, struct process_user *ret_user);

/*
 * Gives up being whoever this process is, for good: groups, then gid, then uid. 0 or a negative errno.
 * Who is that user already, where groups may not be set (user namespaces), keeps those he has.
 */
int process_user_become(const struct process_user *user);

struct process_result {
	/*
	 * 0		exit status 0
	 * -EAGAIN	exit status 75 (EX_TEMPFAIL): try again
	 * -EREMOTEIO	any other exit status
	 * -EINTR	a signal that was not ours ended it
	 * -ETIMEDOUT	it did not end by its deadline, whatever it did after that
	 * -ECANCELED	process_cancel() ended it
	 * other	it could not be started: -ENOENT missing, -EACCES not executable, -EPERM
	 *		unsafe owner or mode, or what fork or execve said
	 */
	int result;
	int64_t duration_ns;
	const char *text;	/* "exit status 3", "no end within 5 s: killed": for a log line */
	const char *last_line;	/* of its output, printable; "" if there was none */
};

/* Called once for every process_start() that returned 0; *result is valid during the call only. */
typedef void (*process_handler)(void *context, const struct process_result *result);

/* Runs in the child before the program: finds out what to execute, where blocking hurts nobody. 0
 * with ret_path (PATH_MAX), or a negative errno with ret_why (PROCESS_TEXT_BYTES). */
typedef int (*process_resolver)(const void *context, char *ret_path, char *ret_why);

struct process_request {
	const char *label;		/* "takeover/conntrackd": its name in the log */
	const char *group;		/* field of its log lines; NULL = none */
	const char *id;			/* HBD_RUN_ID of its environment, see process_id() */
	process_resolver resolve;
	const void *resolve_context;	/* used until process_start() returns */
	char *const *argv;		/* ends with NULL, as does environment */
	char *const *environment;
	const char *input;		/* its standard input */
	size_t input_bytes;
	int channel_fd;			/* > 0: its standard input and output, in place of the above and
					 * of the log; such a program lasts */
	const struct process_user *user;	/* NULL = whoever we are */
	int64_t timeout_ns;		/* > 0; HBD_NEVER_NS: none */
	int output_priority;		/* of its output's log lines */
	process_handler handler;
	void *context;
};

struct process_runner;
struct process;

/* priority: of all its event sources. Blocks SIGCHLD. 0 or a negative errno. */
int process_runner_new(sd_event *loop, int64_t priority, struct process_runner **ret_runner);

/* Kills all that runs, calls no handler. Accepts NULL. */
void process_runner_free(struct process_runner *runner);

/* A child that is not the runner's: never taken for an orphan until it is dropped (and reaped). */
#define PROCESS_KEPT_MAX 4
void process_runner_keep(struct process_runner *runner, pid_t pid);
void process_runner_drop(struct process_runner *runner, pid_t pid);

/* How many runs have not ended. */
size_t process_runner_count(const struct process_runner *runner);

/* A new id, unique on this machine: the label, whose run it is (pid and start time of the caller), and
 * a number. Returns ret_id. */
#define PROCESS_ID_OWNER_FORMAT "#%d.%llu."
const char *process_id(struct process_runner *runner, const char *label,
		       char ret_id[PROCESS_ID_BYTES]);

/*
 * Starts a run; the strings of the request are copied or no longer needed when it returns. 0 with
 * *ret_process (valid until the handler was called; may be NULL), or a negative errno if there is
 * no process to wait for; then the handler is not called.
 */
int process_start(struct process_runner *runner, const struct process_request *request,
		  struct process **ret_process);

/* SIGTERM now, SIGKILL PROCESS_GRACE_NS later; the handler is called when it ended. */
void process_cancel(struct process *process);

/* SIGKILL now; the handler is not called any more. */
void process_abandon(struct process *process);

/* SIGKILL to all runs now; their handlers are called as they end. */
void process_runner_kill_all(struct process_runner *runner);
