#include "process_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../base/log.h"
#include "clock.h"
#include "procfs.h"

/* A program that writes more than fits into a period waits for us, not we for it. */
#define READ_PERIOD_US 10000
#define READS_PER_PERIOD 4
#define TIMER_ACCURACY_US 1000

static int on_child(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	(void)source;
	(void)info;
	process_orphans(context);
	return 0;
}

int process_runner_new(sd_event *loop, int64_t priority, struct process_runner **ret_runner)
{
	struct process_runner *runner = calloc(1, sizeof(*runner));
	sigset_t mask;
	int result;

	if (!runner)
		return -ENOMEM;
	runner->loop = sd_event_ref(loop);
	runner->priority = priority;
	runner->owner_start = procfs_start(getpid());
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || access("/proc/thread-self/children", R_OK) < 0)
		log_warning("process: processes that plugins leave behind cannot be found: %s",
			    log_strerror(errno));
	result = sd_event_add_signal(loop, &runner->child_source, SIGCHLD, on_child, runner);
	if (result < 0) {
		process_runner_free(runner);
		return result;
	}
	/* After the ends of runs, which have a say in what is an orphan. */
	sd_event_source_set_priority(runner->child_source, priority + 1);
	*ret_runner = runner;
	return 0;
}

void process_runner_free(struct process_runner *runner)
{
	if (!runner)
		return;
	while (runner->runs) {
		struct process *run = runner->runs;

		run->over = true;
		process_orphans(runner);
		process_signal_group(run, SIGKILL);
		runner->runs = run->next;
		process_free(run);
	}
	sd_event_source_disable_unref(runner->child_source);
	sd_event_unref(runner->loop);
	free(runner);
}

void process_runner_keep(struct process_runner *runner, pid_t pid)
{
	size_t i = 0;

	while (i < PROCESS_KEPT_MAX && runner->kept[i] != 0)
		i++;
	assert(i < PROCESS_KEPT_MAX);
	runner->kept[i] = pid;
}

void process_runner_drop(struct process_runner *runner, pid_t pid)
{
	for (size_t i = 0; i < PROCESS_KEPT_MAX; i++) {
		if (runner->kept[i] == pid)
			runner->kept[i] = 0;
	}
}

size_t process_runner_count(const struct process_runner *runner)
{
	size_t count = 0;

	for (const struct process *run = runner->runs; run; run = run->next)
		count += run->phase != PROCESS_LOST;
	return count;
}

const char *process_id(struct process_runner *runner, const char *label,
		       char ret_id[PROCESS_ID_BYTES])
{
	snprintf(ret_id, PROCESS_ID_BYTES, "%.40s" PROCESS_ID_OWNER_FORMAT "%llu", label,
		 (int)getpid(), (unsigned long long)runner->owner_start,
		 (unsigned long long)++runner->number);
	return ret_id;
}

/* A program reads its input from memory: it never waits for us, nor we for it. */
static int make_input(const char *input, size_t bytes, int *ret_fd)
{
	int fd = memfd_create("hbd-plugin-input", MFD_CLOEXEC), error;
	size_t written = 0;

	if (fd < 0)
		return -errno;
	while (written < bytes) {
		ssize_t count = write(fd, input + written, bytes - written);

		if (count <= 0)
			goto fail;
		written += (size_t)count;
	}
	if (lseek(fd, 0, SEEK_SET) < 0)
		goto fail;
	*ret_fd = fd;
	return 0;

fail:
	error = errno;
	close(fd);
	return -error;
}

/* Only our end of the pipe is non-blocking; the program's is an ordinary one. */
static int make_pipe(int ret_fds[2])
{
	int fds[2], error;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		error = errno;
		close(fds[0]);
		close(fds[1]);
		return -error;
	}
	ret_fds[0] = fds[0];
	ret_fds[1] = fds[1];
	return 0;
}

static void close_all(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

/* Files and child. On failure nothing is left but what process_free() frees. */
static int spawn(struct process *run, const struct process_request *request)
{
	int input = -1, output[2] = { -1, -1 }, report[2] = { -1, -1 }, result;
	pid_t parent = getpid();

	result = make_input(request->input, request->input_bytes, &input);
	if (result == 0)
		result = make_pipe(output);
	if (result == 0)
		result = make_pipe(report);
	run->output_fd = output[0];
	run->report_fd = report[0];
	if (result < 0)
		goto out;
	run->pid = fork();
	if (run->pid == 0)
		process_child_run(&(struct process_child){ request, input, output[1], report[1],
							   parent });
	if (run->pid < 0) {
		result = -errno;
		goto out;
	}
	/* The child does the same; whoever comes first. */
	setpgid(run->pid, run->pid);
	run->pid_fd = pidfd_open(run->pid, 0);
	result = run->pid_fd < 0 ? -errno : 0;

out:
	close_all((int[]){ input, output[1], report[1] }, 3);
	return result;
}

static int watch(struct process *run)
{
	sd_event *loop = run->runner->loop;
	int result;

	result = sd_event_add_io(loop, &run->pid_source, run->pid_fd, EPOLLIN, process_on_end, run);
	if (result < 0)
		return result;
	result = sd_event_add_io(loop, &run->output_source, run->output_fd, EPOLLIN,
				 process_on_output, run);
	if (result < 0)
		return result;
	result = sd_event_add_time_relative(loop, &run->timer, CLOCK_MONOTONIC,
					    run->timeout_ns == HBD_NEVER_NS ? 0 :
					    (uint64_t)(run->timeout_ns / HBD_US_NS),
					    TIMER_ACCURACY_US, process_on_timer, run);
	if (result < 0)
		return result;
	if (run->timeout_ns == HBD_NEVER_NS)
		sd_event_source_set_enabled(run->timer, SD_EVENT_OFF);
	sd_event_source_set_priority(run->pid_source, run->runner->priority);
	sd_event_source_set_priority(run->output_source, run->runner->priority);
	sd_event_source_set_priority(run->timer, run->runner->priority);
	return sd_event_source_set_ratelimit(run->output_source, READ_PERIOD_US, READS_PER_PERIOD);
}

static struct process *new_run(struct process_runner *runner, const struct process_request *request)
{
	struct process *run = calloc(1, sizeof(*run));

	if (!run)
		return NULL;
	run->runner = runner;
	run->phase = PROCESS_RUNNING;
	run->pid_fd = run->output_fd = run->report_fd = -1;
	run->started_ns = clock_now_ns();
	run->timeout_ns = request->timeout_ns;
	run->output.lasting = request->channel_fd > 0;
	run->output_priority = request->output_priority;
	run->handler = request->handler;
	run->context = request->context;
	snprintf(run->label, sizeof(run->label), "%s", request->label);
	snprintf(run->group, sizeof(run->group), "%s", request->group ? request->group : "");
	snprintf(run->id, sizeof(run->id), "%s", request->id);
	return run;
}

int process_start(struct process_runner *runner, const struct process_request *request,
		  struct process **ret_process)
{
	struct process *run = new_run(runner, request);
	int result;

	assert(request->timeout_ns > 0);
	if (!run)
		return -ENOMEM;
	result = spawn(run, request);
	if (result == 0)
		result = watch(run);
	if (result < 0) {
		/* Its remains are an orphan's: process_orphans() reaps them. */
		if (run->pid > 0)
			process_signal_group(run, SIGKILL);
		process_free(run);
		return result;
	}
	run->next = runner->runs;
	runner->runs = run;
	if (ret_process)
		*ret_process = run;
	return 0;
}
