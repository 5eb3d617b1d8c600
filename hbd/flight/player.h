/*
 * Replays a recording: the real core, the recorded events at their recorded instants.
 *
 * Each segment is begun from the state it holds. At its end the replay must have arrived at the state
 * that the next one begins with; where it has not, or where a step wants other actions than were
 * recorded, it differs: the program is another one, or the recorder has a gap. The recorded
 * events are then answers to actions that were not taken, so what follows up to the next segment tells
 * little.
 *
 * The recording is checked as far as the core's assertions would not catch it; one that was made by
 * hand can make the core assert.
 */
#pragma once

#include <stdbool.h>

#include "../core/node.h"
#include "file.h"
#include "recorder.h"

#define FLIGHT_DIFFERENCE_BYTES 200

enum flight_step_kind {
	FLIGHT_STEP_UNSET = 0,
	FLIGHT_STEP_BEGIN,	/* a segment: the state was taken from the recording */
	FLIGHT_STEP_EVENT,
	FLIGHT_STEP_DIGEST,	/* the configuration's digest changed */
	FLIGHT_STEP_LAST,	/* an event that the recorded process died in: to be taken next */
	FLIGHT_STEP_SURVIVED,	/* it was taken: replayed is what it wants, with nothing to compare */
};

struct flight_action {
	struct hbd_action action;
	uint32_t check;		/* of the packet, SEND and WILL */
};

struct flight_actions {
	size_t count;
	struct flight_action items[HBD_ACTIONS_MAX];
};

/* What the player came to; valid until it goes on. */
struct flight_step {
	enum flight_step_kind kind;
	uint64_t number;		/* of the step, from 1, over all segments */
	size_t segment;			/* from 0 */
	bool new_life;			/* BEGIN: of another process than the segment before */
	int64_t now_ns;
	uint64_t times;			/* EVENT: as often in that instant; usually 1 */
	struct hbd_event event;
	struct hbd_received received;	/* PACKET: verdict, and what is in it as far as that says */
	struct flight_actions recorded;
	struct flight_actions replayed;
	bool differs;
	char difference[FLIGHT_DIFFERENCE_BYTES];	/* where: "action 3", "groups.0.role" */
};

struct flight_player;

/* file outlives the player. 0 or -ENOMEM. */
int flight_player_new(const struct flight_file *file, struct flight_player **ret_player);
void flight_player_free(struct flight_player *player);

/* What the recorded process died in is told, but not taken. */
void flight_player_spare(struct flight_player *player);

/* The next step: 1, 0 at the end, or -EBADMSG with a sentence in why. */
int flight_player_next(struct flight_player *player, char why[FLIGHT_WHY_BYTES]);

const struct flight_step *flight_player_step(const struct flight_player *player);

/* As the replay has it after the step. */
const struct hbd_node *flight_player_node(const struct flight_player *player);
