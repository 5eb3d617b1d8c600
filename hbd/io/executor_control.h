/*
 * What the control socket is told and may ask for: the executor's side of control/server.h.
 * Reading costs the engine a rendered document; a command becomes an event for the next turn.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "executor.h"
#include "loop.h"

/* State of the alert spool, as the guardian last told. */
struct executor_spool {
	uint64_t taken;
	uint8_t configured;
	uint32_t pending;
	int64_t oldest_age_ns;
	char detail[MESSAGE_TROUBLE_BYTES];
};

struct server;

struct executor_control {
	struct executor *executor; /* these four: set before executor_control_open() */
	struct loop *loop;
	bool realtime;
	bool memory_locked;
	struct executor_spool spool;
	uint64_t tests; /* test alerts raised */
	bool maintenance_changing; /* asked for, and not noted yet */
	int maintenance_error; /* of the last time that it was to be noted; 0 = none */
	struct server *server;
};

/* Serves listen_fd. owner may command. 0 or a negative errno; then listen_fd is still the caller's. */
int executor_control_open(struct executor_control *control, int listen_fd, uid_t owner);
void executor_control_close(struct executor_control *control);
