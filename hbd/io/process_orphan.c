/*
 * Children of ours that we did not start: processes that a program left behind.
 *
 * As a child subreaper we become the parent of what loses its own parent. A living orphan belongs
 * to the run in whose process group it is, or whose HBD_RUN_ID it has in its environment. While
 * that run goes on it may live; after that, or when it has neither, it is killed. Its own children
 * become ours by that and are found the same way: SIGCHLD calls process_orphans() again.
 */
#include "process_internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/log.h"
#include "clock.h"
#include "procfs.h"

#define TOLD_MAX 10			/* orphans named in the log ... */
#define TOLD_PERIOD_NS (10 * HBD_S_NS)	/* ... in that time */
#define CHILDREN_BYTES 4096

static bool is_claimed(const struct process_runner *runner, pid_t pid)
{
	for (size_t i = 0; i < PROCESS_KEPT_MAX; i++) {
		if (runner->kept[i] == pid)
			return true;
	}
	for (const struct process *run = runner->runs; run; run = run->next) {
		if (run->pid == pid)
			return true;
	}
	return false;
}

static bool is_condemned(struct process_runner *runner, pid_t pid, bool forget)
{
	for (size_t i = 0; i < PROCESS_CONDEMNED_MAX; i++) {
		if (runner->condemned[i] == pid) {
			if (forget)
				runner->condemned[i] = 0;
			return true;
		}
	}
	return false;
}

static const struct process *run_by(const struct process_runner *runner, pid_t group,
				    const char *id)
{
	for (const struct process *run = runner->runs; run; run = run->next) {
		if (run->pid == group || (id[0] && strcmp(run->id, id) == 0))
			return run;
	}
	return NULL;
}

static bool may_be_told(struct process_runner *runner)
{
	int64_t now_ns = clock_now_ns();

	if (now_ns - runner->told_since_ns >= TOLD_PERIOD_NS) {
		runner->told_since_ns = now_ns;
		runner->told = 0;
	}
	return runner->told++ < TOLD_MAX;
}

static void condemn(struct process_runner *runner, pid_t pid, const char *whose)
{
	char command[PROCFS_COMMAND_BYTES];

	procfs_command(pid, command);
	kill(pid, SIGKILL);
	runner->condemned[runner->condemned_at++ % PROCESS_CONDEMNED_MAX] = pid;
	if (may_be_told(runner))
		log_warning("%s left process %d (%s) behind: killed", whose, (int)pid, command);
}

static void judge(struct process_runner *runner, pid_t pid)
{
	const struct process *run;
	char id[PROCESS_ID_BYTES];

	if (is_claimed(runner, pid))
		return;
	if (waitpid(pid, NULL, WNOHANG) != 0) {
		is_condemned(runner, pid, true);
		return;
	}
	if (is_condemned(runner, pid, false))
		return;
	procfs_variable(pid, "HBD_RUN_ID=", id, sizeof(id));
	run = run_by(runner, getpgid(pid), id);
	if (run && !run->over)
		return;
	condemn(runner, pid, run ? run->label : id[0] ? id : "a plugin");
}

void process_orphans(struct process_runner *runner)
{
	char children[CHILDREN_BYTES], *at = children, *end;

	/* What does not fit is found after these have died. */
	if (procfs_read("/proc/thread-self/children", children, sizeof(children)) == 0)
		return;
	for (;;) {
		long pid = strtol(at, &end, 10);

		if (end == at || (*end != ' ' && *end != '\0'))
			return;
		judge(runner, (pid_t)pid);
		at = end;
	}
}
