/*
 * Recordings on a disk: what the flight recorder holds is written when a role changed, or the engine
 * died, into STATE_DIR/flight, and the newest FLIGHT_KEPT are kept. For the scribe.
 *
 * Changes that follow soon belong to one incident, which is one file: written at once, so that it is
 * there if the machine fails, and again when it was quiet for a while, with what followed. Its name is
 * that of the first of the weightiest changes: that a standby claimed outweighs that it had started.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../conf/conf.h"
#include "../flight/ring.h"
#include "message.h"

#define FLIGHT_KEPT 16
#define FLIGHT_NAME_BYTES 160

struct flight_keep_config {
	const char *state_dir;
	const struct hbd_conf *conf;
	uint8_t self;
	const struct flight_ring *ring;	/* NULL = nothing is recorded */
};

struct flight_keep {
	struct flight_keep_config config;
	bool open;			/* an incident is */
	struct record_flight cause;	/* the first of the weightiest changes */
	char name[FLIGHT_NAME_BYTES];	/* of its file */
	char written[FLIGHT_NAME_BYTES];	/* under which it is there; "" = it is not yet */
	int64_t began_ns;
	int64_t first_due_ns;		/* HBD_NEVER_NS = it was written at once */
	int64_t last_due_ns;
	bool failure_told;
};

void flight_keep_init(struct flight_keep *keep, const struct flight_keep_config *config);

/* Something happened that is worth a recording. */
void flight_keep_want(struct flight_keep *keep, const struct record_flight *cause, int64_t now_ns);

/* Writes what is due; when to call again, HBD_NEVER_NS: not by itself. A failure is logged. */
int64_t flight_keep_run(struct flight_keep *keep, int64_t now_ns);

/* Writes what is to be written yet. */
void flight_keep_finish(struct flight_keep *keep);
