/* Shared by the files of the scribe; nobody else's. */
#pragma once

#include <systemd/sd-event.h>

#include "deliver.h"
#include "flight_keep.h"
#include "process.h"
#include "record.h"
#include "scribe.h"
#include "scribe_targets.h"
#include "spool.h"

struct scribe;

/* What a run's end is reported with. */
struct scribe_run {
	struct scribe *scribe;
	size_t target;
};

/* One of the two sockets that records come from. */
struct scribe_inbox {
	struct scribe *scribe;
	int fd;
	const char *name;		/* whose records these are */
	uint32_t unsound;		/* records that were dropped, not yet told */
	sd_event_source *source;	/* NULL: at its end */
};

struct scribe {
	const struct scribe_setup *setup;
	const char *node;
	sd_event *loop;
	sd_event_source *timer;
	struct process_runner *runner;
	struct spool *spool;
	struct deliver *deliver;
	struct scribe_targets targets;
	struct deliver_config deliver_config;
	struct flight_keep flight;
	struct scribe_run runs[SPOOL_TARGETS_MAX];
	struct scribe_inbox guardian, engine;
	uint64_t taken;			/* alerts since the start */
	struct message told;		/* the last state that the guardian was told */
	int64_t told_ns;		/* when; 0 = not yet, or not that */
	struct message maintenance;	/* to be told to the guardian; its type is UNSET if nothing is */
	bool stopping;
};

/*
 * Before anything else: signals, scheduling and descriptors as an ordinary process has them, root
 * given up for good. 0 or a negative errno, which it said.
 */
int scribe_settle(const struct scribe_setup *setup);

/* Takes up to limit records that wait: to the log, to the spool. False at the end of file. */
bool scribe_inbox_read(struct scribe_inbox *inbox, unsigned limit);
