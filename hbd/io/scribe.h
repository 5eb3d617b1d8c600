/*
 * The scribe process: writes the log, keeps alerts in a durable spool and delivers them, and writes
 * recordings (flight_keep.h).
 *
 * It is forked by the guardian and does what may block, as an ordinary user at ordinary priority,
 * so that a slow disk or a dead mail server delays no heartbeat and no last will. It receives
 * records from guardian and engine and tells the guardian the spool's state (MESSAGE_SPOOL) at
 * start and when it changes; the guardian hands that on to the engine.
 *
 * A record is taken from its socket only after it was written to the spool: what a killed scribe
 * had not yet written its successor finds there, if the guardian gives it the same sockets.
 */
#pragma once

#include <stdint.h>

#include "../conf/conf.h"
#include "../flight/ring.h"

#define SCRIBE_STOP_S 3

/*
 * What the guardian hands over. Both descriptors become the scribe's; all others above standard
 * error are closed by scribe_run(). When all writers of both are gone, the scribe ends.
 */
struct scribe_setup {
	const struct hbd_conf *conf;
	uint8_t self;			/* node index */
	const char *state_dir;		/* the spool is state_dir/spool, which conf->user owns */
	const char *plugin_dir;		/* --plugin-dir; NULL = the usual places */
	const struct flight_ring *flight;	/* what the engine records; NULL = nothing */
	int guardian_fd;		/* SOCK_SEQPACKET: struct record in, struct message out */
	int engine_fd;			/* SOCK_SEQPACKET: struct record in */
};

/*
 * Runs the scribe in this process: gives up root for conf->user, logs directly, and returns after
 * SIGTERM or when both sockets are at their end: then it has written all records, and tried once
 * more, for SCRIBE_STOP_S seconds at most, to deliver what is pending; the rest stays in the spool.
 * Returns the exit status for _exit().
 */
int scribe_run(const struct scribe_setup *setup);
