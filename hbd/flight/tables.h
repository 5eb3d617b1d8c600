/*
 * What a recording holds of the core's structs: a row for each member, kept by who changes them.
 *
 * Secrets have no row: keys, seed, seals. Nor has what a replay is told otherwise (pointers, what
 * follows from the configuration) or does not need, because packets are recorded with the verdict on
 * them: the nonces of handshakes, the windows against replays.
 */
#pragma once

#include "../core/node.h"
#include "field.h"

extern const struct flight_type flight_config_type;	/* struct hbd_node_config */
extern const struct flight_type flight_node_type;	/* struct hbd_node */
extern const struct flight_type flight_verdict_type;	/* struct hbd_verdict */

/* By enum hbd_event_type, enum hbd_action_type: what matters of an event or action of that type.
 * A packet's bytes, and a check of the sent ones, are written beside them (recorder.h). */
extern const struct flight_type flight_event_types[HBD_EVENT_TYPE_COUNT];
extern const struct flight_type flight_action_types[HBD_ACTION_TYPE_COUNT];

/* What a record begins with: a type of event; besides these. */
#define FLIGHT_RECORD_AGAIN 0				/* the same once more, so many times */
#define FLIGHT_RECORD_DIGEST HBD_EVENT_TYPE_COUNT	/* the configuration's digest changed */
#define FLIGHT_RECORD_LAST (HBD_EVENT_TYPE_COUNT + 1)	/* a step that the process died in */

/* What an action may be instead of UNSET: as the one before, for so many groups that follow. */
#define FLIGHT_ACTION_NEXT 0

/* Every enum whose words are written, those of records and actions among them; ends with NULL. */
extern const struct flight_words flight_record_words;
extern const struct flight_words flight_action_words;
extern const struct flight_words *const flight_all_words[];

/* Every type, each before it is used by another; ends with NULL. */
extern const struct flight_type *const flight_all_types[];
