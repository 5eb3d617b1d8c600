/*
 * A node in bytes, from one process to the next one on the same machine (core/resume.h).
 *
 *	"hbdstate 1\n"
 *	a line of JSON: "origin", and schema.h's description
 *	the instant, the configuration, the node as in a recording
 *	what a recording leaves out: the session's keys, its windows against replays, its nonces
 *	the BLAKE2b hash of all before, 32 bytes
 *
 * By the description a program whose structs have grown, shrunk or changed their order reads it: what it
 * does not know is skipped, what is missing is as at a start. The version is raised when
 * the order here changes, or the part without a description.
 *
 * It holds secrets: whoever has the bytes wipes them, and lets nobody else see them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../core/node.h"
#include "schema.h"

#define FLIGHT_STATE_VERSION 1
#define FLIGHT_STATE_BYTES_MAX (1024 * 1024)

struct flight_state {
	struct hbd_node_config config;	/* without the pre-shared keys and the seed */
	struct hbd_node node;		/* config is the one above */
};

/*
 * Writes a node that is between two steps into new memory. origin: who may take it, in words of the
 * caller's. 0 or a negative errno.
 */
int flight_state_write(const char *origin, const struct hbd_node *node, uint8_t **ret_bytes,
		       size_t *ret_length);

/*
 * Reads it: all of it or nothing. 0, -ENOMEM, or -EBADMSG with a sentence in why: no state at all,
 * one of another version or origin, cut off, damaged, or one that cannot be.
 */
int flight_state_read(const uint8_t *bytes, size_t length, const char *origin,
		      struct flight_state *ret_state, char why[FLIGHT_WHY_BYTES]);

/* Sets the hash at the end of a state that was changed on purpose, by a test. */
void flight_state_seal(uint8_t *bytes, size_t length);
