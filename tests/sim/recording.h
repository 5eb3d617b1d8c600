/* Recordings of the simulation and of the field, as files in memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../hbd/flight/player.h"

struct recording {
	uint8_t *bytes;		/* free() it */
	size_t length;
};

/* What a recorder has kept, as the scribe would write it. */
struct recording recording_take(const struct flight_ring *ring);

/* A file; length 0 if it cannot be read. */
struct recording recording_load(const char *path);

/* What became of a replay. */
struct replay {
	uint64_t steps, begun, differences;
	uint64_t first;				/* number of the first step that differs */
	char difference[FLIGHT_DIFFERENCE_BYTES];
	enum hbd_event_type last;		/* of the last step */
	bool died;				/* the process did, in that */
	struct hbd_verdict verdict;		/* on its packet, as recorded */
	struct flight_actions wanted;		/* by the replay of it */
	int64_t heard_ns;			/* the peer, after it */
	char why[FLIGHT_WHY_BYTES];		/* it was refused; empty = it was not */
};
struct replay recording_replay(const struct recording *recording);
