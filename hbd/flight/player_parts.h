/* What the files of the player share; nobody else's. */
#pragma once

#include "player.h"

struct flight_player {
	const struct flight_file *file;
	/* as the file describes them */
	const struct flight_file_type *verdict;
	const struct flight_file_type *events[HBD_EVENT_TYPE_COUNT];
	const struct flight_file_type *action_types[HBD_ACTION_TYPE_COUNT];
	size_t segment;				/* the next one to begin */
	struct flight_reader reader;		/* in the present one */
	uint64_t life;
	struct hbd_node_config config;
	struct hbd_node node;
	struct hbd_node_config next_config;	/* of the segment that is being begun */
	struct hbd_node next_node;
	struct hbd_actions actions;
	struct flight_packet packets[HBD_LINKS_MAX];
	struct flight_step step;
	bool spared;				/* flight_player_spare() */
	bool dying;				/* step is to be taken next: LAST */
	uint8_t recorded[FLIGHT_RECORD_BYTES_MAX];	/* actions as bytes, to compare */
	uint8_t replayed[FLIGHT_RECORD_BYTES_MAX];
};

/* player_state.c: reads the state that a segment begins with into next_config and next_node. */
bool flight_player_load(struct flight_player *player, char *why);

/* player_event.c: reads an event of a type at step.now_ns into step. */
bool flight_player_read_event(struct flight_player *player, enum hbd_event_type type, char *why);

/*
 * The same for a step that the process died in. How a packet was judged was not known yet: it is
 * taken as what it says that it is, which is right of heartbeats; one that proves a session does not.
 */
bool flight_player_read_last(struct flight_player *player, enum hbd_event_type type, char *why);

/* player_actions.c: reads the recorded actions; compares them with player->actions. */
bool flight_player_read_actions(struct flight_player *player, char *why);
void flight_player_compare(struct flight_player *player);
void flight_player_take_replayed(struct flight_player *player);

/* Writes the sentence into why; false. */
bool flight_player_refuse(char *why, const char *sentence);
