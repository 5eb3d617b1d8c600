/*
 * What is due later besides packets and the engines' own deadlines. A job belongs to one process of
 * one machine in one life: it waits while the machine sleeps or the process does not run, and is
 * dropped when that process is gone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../hbd/core/action.h"
#include "../../hbd/core/event.h"

#define WORLD_JOBS_MAX 256

struct world;

enum world_job_kind {
	JOB_UNSET = 0,
	JOB_EVENT,	/* engine: an event comes in */
	JOB_HANDS,	/* engine: the hands finished a piece of work */
	JOB_ANNOUNCE,	/* engine: the next round of a group's announcements */
	JOB_LOOK,	/* guardian: does the engine make progress? */
	JOB_BURY,	/* guardian: the engine is dead */
	JOB_WILL,	/* guardian: the last will once more */
	JOB_ENGINE,	/* guardian: start an engine */
	JOB_UNIT,	/* service manager: start the guardian */
	JOB_REQUEST,	/* nobody: a request arrives at the witness */
	JOB_CLIENT,	/* a client's entry is due; machine: index of the client */
};

struct world_job {
	enum world_job_kind kind;
	int64_t ends_ns;
	uint8_t machine;
	uint8_t group;
	uint32_t round;		/* ANNOUNCE, WILL, ENGINE: which one */
	uint64_t life;		/* of the process, when it began */
	struct hbd_event event;
	struct hbd_action request;	/* REQUEST */
};

struct world_jobs {
	size_t count;
	int64_t next_ns;	/* the earliest end; HBD_NEVER_NS if there is none */
	struct world_job items[WORLD_JOBS_MAX];
};

/* Adds a job; its life is filled in, unless it was said for an answer to a former one. */
void job_add(struct world *world, struct world_job job);

/* Does the job that ends first. */
void job_finish(struct world *world);

/* Drops the jobs of one kind of a machine, for one group. */
void job_drop(struct world *world, uint8_t machine, enum world_job_kind kind, uint8_t group);
