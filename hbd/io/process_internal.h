/* What the files of process.h share: runner, run, and what the child is given. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "process.h"
#include "process_output.h"

/* How far a run is on its way out. */
enum process_phase {
	PROCESS_UNSET = 0,
	PROCESS_RUNNING,
	PROCESS_TERMINATING,	/* got SIGTERM */
	PROCESS_KILLED,		/* got SIGKILL */
	PROCESS_LOST,		/* did not even die of that: reported, not waited for any more */
};

struct process {
	struct process_runner *runner;
	struct process *next;
	enum process_phase phase;
	int verdict;			/* -ETIMEDOUT or -ECANCELED once we ended it; else 0 */
	bool over;			/* its main process ended */
	pid_t pid;			/* also its process group */
	int pid_fd;
	int output_fd;
	int report_fd;			/* struct process_report, if it could not be started */
	sd_event_source *pid_source;
	sd_event_source *output_source;
	sd_event_source *timer;
	int64_t started_ns;
	int64_t timeout_ns;
	int output_priority;
	struct process_output output;
	process_handler handler;
	void *context;
	char label[PROCESS_ID_BYTES];
	char group[32];
	char id[PROCESS_ID_BYTES];
};

#define PROCESS_CONDEMNED_MAX 64

struct process_runner {
	sd_event *loop;
	int64_t priority;
	sd_event_source *child_source;
	struct process *runs;
	uint64_t owner_start;		/* our own procfs_start() */
	uint64_t number;
	pid_t kept[PROCESS_KEPT_MAX];
	pid_t condemned[PROCESS_CONDEMNED_MAX];	/* orphans already told about and killed */
	size_t condemned_at;
	int64_t told_since_ns;		/* when the count of orphans told began */
	unsigned told;
};

/* What a child says that did not get as far as its program. */
struct process_report {
	int error;			/* negative */
	char why[PROCESS_TEXT_BYTES];
};

struct process_child {
	const struct process_request *request;
	int input_fd;
	int output_fd;
	int report_fd;
	pid_t parent;
};

/* The life of a run (process_run.c): handlers of its event sources, context is the run. */
int process_on_output(sd_event_source *source, int fd, uint32_t events, void *context);
int process_on_timer(sd_event_source *source, uint64_t when_us, void *context);
int process_on_end(sd_event_source *source, int fd, uint32_t events, void *context);

void process_signal_group(const struct process *run, int number);
void process_set_timer(struct process *run, int64_t duration_ns);

/* Frees what the run has; it is in no list any more. */
void process_free(struct process *run);

/* Becomes the program, or reports why not and exits. */
void process_child_run(const struct process_child *child) __attribute__((noreturn));

/* Looks at all children that nobody claims: reaps the dead, kills and tells of the living whose run
 * is over. */
void process_orphans(struct process_runner *runner);
