/* The life of a run: its output, its deadline, its end. */
#include "process_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/log.h"
#include "clock.h"

#define READ_BYTES 16384
/* What a pipe holds: what may still be in it when the program has ended. */
#define PIPE_READS 4
#define EXIT_TEMPORARY 75

static void log_output(void *context, const char *line)
{
	const struct process *run = context;
	struct log_fields fields = {
		.plugin = run->label,
		.group = run->group[0] ? run->group : NULL,
	};

	log_line(run->output_priority, &fields, "%s", line);
}

/* One read; false when there is nothing more for now. */
static bool read_output(struct process *run)
{
	char bytes[READ_BYTES];
	ssize_t count = read(run->output_fd, bytes, sizeof(bytes));

	if (count <= 0)
		return false;
	process_output_take(&run->output, bytes, (size_t)count, clock_now_ns(), log_output, run);
	return true;
}

int process_on_output(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct process *run = context;

	(void)fd;
	/* At the end of the file there is nothing to wait for but the process. */
	if (!read_output(run) && (events & EPOLLHUP))
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

void process_signal_group(const struct process *run, int number)
{
	/* The group's id cannot be another's: its leader is our child and not yet reaped. */
	if (kill(-run->pid, number) < 0 && errno == ESRCH)
		kill(run->pid, number);
}

void process_set_timer(struct process *run, int64_t duration_ns)
{
	sd_event_source_set_time_relative(run->timer, (uint64_t)(duration_ns / HBD_US_NS));
	sd_event_source_set_enabled(run->timer, SD_EVENT_ONESHOT);
}

/* The run's end, told once. */
static void tell(struct process *run, int result, const char *text)
{
	struct process_result told = {
		.result = result,
		.duration_ns = clock_now_ns() - run->started_ns,
		.text = text,
		.last_line = run->output.last,
	};

	if (run->handler)
		run->handler(run->context, &told);
	run->handler = NULL;
}

static void lose(struct process *run)
{
	char text[PROCESS_TEXT_BYTES];

	run->phase = PROCESS_LOST;
	snprintf(text, sizeof(text), "killed, but the kernel does not let process %d end",
		 (int)run->pid);
	tell(run, run->verdict, text);
}

int process_on_timer(sd_event_source *source, uint64_t when_us, void *context)
{
	struct process *run = context;

	(void)source;
	(void)when_us;
	switch (run->phase) {
	case PROCESS_RUNNING:
		run->verdict = -ETIMEDOUT;
		run->phase = PROCESS_TERMINATING;
		process_signal_group(run, SIGTERM);
		process_signal_group(run, SIGCONT);
		process_set_timer(run, PROCESS_GRACE_NS);
		break;
	case PROCESS_TERMINATING:
		run->phase = PROCESS_KILLED;
		process_signal_group(run, SIGKILL);
		process_set_timer(run, PROCESS_GIVE_UP_NS);
		break;
	case PROCESS_KILLED:
		lose(run);
		break;
	case PROCESS_UNSET:
	case PROCESS_LOST:
		break;
	}
	return 0;
}

void process_cancel(struct process *run)
{
	if (run->phase != PROCESS_RUNNING)
		return;
	run->verdict = -ECANCELED;
	run->phase = PROCESS_TERMINATING;
	process_signal_group(run, SIGTERM);
	process_signal_group(run, SIGCONT);
	process_set_timer(run, PROCESS_GRACE_NS);
}

static void kill_now(struct process *run)
{
	if (run->phase == PROCESS_KILLED || run->phase == PROCESS_LOST)
		return;
	if (run->phase == PROCESS_RUNNING)
		run->verdict = -ECANCELED;
	run->phase = PROCESS_KILLED;
	process_signal_group(run, SIGKILL);
	process_set_timer(run, PROCESS_GIVE_UP_NS);
}

void process_abandon(struct process *run)
{
	run->handler = NULL;
	kill_now(run);
}

void process_runner_kill_all(struct process_runner *runner)
{
	for (struct process *run = runner->runs; run; run = run->next)
		kill_now(run);
}

static void unlink_run(struct process *run)
{
	struct process **at = &run->runner->runs;

	while (*at && *at != run)
		at = &(*at)->next;
	if (*at)
		*at = run->next;
}

void process_free(struct process *run)
{
	sd_event_source_disable_unref(run->pid_source);
	sd_event_source_disable_unref(run->output_source);
	sd_event_source_disable_unref(run->timer);
	if (run->pid_fd >= 0)
		close(run->pid_fd);
	if (run->output_fd >= 0)
		close(run->output_fd);
	if (run->report_fd >= 0)
		close(run->report_fd);
	free(run);
}

static int judge_status(const siginfo_t *info, char text[PROCESS_TEXT_BYTES])
{
	if (info->si_code != CLD_EXITED) {
		snprintf(text, PROCESS_TEXT_BYTES, "killed by signal %d (%s)", info->si_status,
			 strsignal(info->si_status));
		return -EINTR;
	}
	snprintf(text, PROCESS_TEXT_BYTES, "exit status %d", info->si_status);
	switch (info->si_status) {
	case 0:
		return 0;
	case EXIT_TEMPORARY:
		return -EAGAIN;
	default:
		return -EREMOTEIO;
	}
}

static int judge_end(const struct process *run, const siginfo_t *info,
		     char text[PROCESS_TEXT_BYTES])
{
	struct process_report report;
	char status[PROCESS_TEXT_BYTES];
	int result = judge_status(info, status);

	if (read(run->report_fd, &report, sizeof(report)) == sizeof(report)) {
		report.why[sizeof(report.why) - 1] = '\0';
		snprintf(text, PROCESS_TEXT_BYTES, "cannot be started: %.170s", report.why);
		return report.error;
	}
	if (run->verdict == -ETIMEDOUT)
		snprintf(text, PROCESS_TEXT_BYTES, "no end within %lld ms: %.140s",
			 (long long)(run->timeout_ns / HBD_MS_NS), status);
	else if (run->verdict == -ECANCELED)
		snprintf(text, PROCESS_TEXT_BYTES, "canceled: %.170s", status);
	else
		snprintf(text, PROCESS_TEXT_BYTES, "%s", status);
	return run->verdict ? run->verdict : result;
}

int process_on_end(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct process *run = context;
	struct process_runner *runner = run->runner;
	char text[PROCESS_TEXT_BYTES];
	siginfo_t info = { 0 };
	int result;

	(void)source;
	(void)fd;
	(void)events;
	run->over = true;
	process_orphans(runner);
	process_signal_group(run, SIGKILL);
	for (int i = 0; i < PIPE_READS && read_output(run); i++)
		;
	process_output_end(&run->output, clock_now_ns(), log_output, run);
	if (waitid(P_PIDFD, (id_t)run->pid_fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
		log_warning("process: no status of %s: %s", run->label, log_strerror(errno));
	result = judge_end(run, &info, text);
	unlink_run(run);
	tell(run, result, text);
	process_free(run);
	return 0;
}
