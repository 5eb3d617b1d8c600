/*
 * The timeline of a recording: what hbd-replay prints, and what tests compare.
 *
 * A step is worth telling if its event is none of the everyday ones, if it asked for more than
 * packets, leases and questions, if the replay differs there, or if the peer seems another since:
 * alive, suspicious, silent, or in another role. Of steps that differ humans are told the first of
 * each segment: the others follow from it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "player.h"

struct flight_timeline {
	bool json;		/* one object a line */
	bool all;		/* every step */
	bool changes;		/* only changes of role, without instants: for tests */
	int64_t from_ns, to_ns;	/* only steps between, relative to the last step */
};

struct flight_summary {
	uint64_t steps;
	uint64_t segments;
	uint64_t differences;
	uint64_t first_difference;	/* number of its step */
	int64_t begin_ns, end_ns;	/* of the first and the last step */
	int64_t differs_ns;
	char difference[FLIGHT_DIFFERENCE_BYTES];
	char why[FLIGHT_WHY_BYTES];	/* the replay ended early; empty = it did not */
};

/* Replays without a word. player has just been made. */
void flight_timeline_measure(struct flight_player *player, struct flight_summary *ret_summary);

/* Replays and prints what is asked for, the summary at the end. player has just been made, for file. */
void flight_timeline_print(const struct flight_file *file, struct flight_player *player,
			   const struct flight_timeline *timeline,
			   const struct flight_summary *summary, FILE *stream);
