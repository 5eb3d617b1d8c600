/*
 * A peer that holds the key and says whatever it is told to: it speaks the handshake as a node does,
 * reads what the node sends, and its heartbeats are those of a real one up to the words in them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../../hbd/core/node.h"

#define INSIDER_GROUPS 2

/* What it says in its heartbeats until it is told to say something else. */
struct insider_word {
	uint8_t roles[INSIDER_GROUPS];	/* enum hbd_role */
	uint8_t flags;			/* HBD_GROUP_..., of all groups */
	uint8_t state;			/* HBD_NODE_... */
	uint8_t fence;
	uint64_t epochs[INSIDER_GROUPS];
	uint32_t lease_us;
	bool differs;			/* its configuration does */
	int64_t ahead_ns;		/* its clock is, so the node's seems to have stood still */
	uint64_t behind;		/* it grants the newest renewal but so many */
};

struct insider {
	const struct hbd_node_config *config;	/* of the node that it talks to */
	uint8_t self;
	uint8_t seed[HBD_SEED_BYTES];
	struct hbd_session session;
	struct insider_word word;
	uint64_t hb_seq;
	uint64_t heard;			/* newest number of the node's */
};

/* Another process: the former's session is over, and it knows nothing. */
void insider_start(struct insider *insider, const struct hbd_node_config *config);

/* Takes what it says from so many bytes; how far above the node's it says that epochs are, too. */
#define INSIDER_CHOICE_BYTES 6
void insider_choose(struct insider *insider, const struct hbd_node *node, const uint8_t *choice);

/* Reads what the node sent. The length of what it answers, in bytes; 0 = nothing. */
size_t insider_hear(struct insider *insider, uint8_t link, const struct hbd_packet *packet,
		    uint8_t *bytes);

/* The length of its heartbeat, or of its GOODBYE; 0 = it has no session. */
size_t insider_say(struct insider *insider, uint8_t link, uint8_t flags, int64_t now_ns,
		   uint8_t *bytes);
size_t insider_leave(struct insider *insider, uint8_t link, bool will, uint8_t *bytes);
size_t insider_offer(struct insider *insider, uint8_t link, uint8_t *bytes);
