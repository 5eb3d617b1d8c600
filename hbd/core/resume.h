/*
 * A node goes on in another process, or under another configuration (PROTOCOL.md 6.6).
 *
 * The peer sees one process that was silent for a moment: the session, its sequence numbers, roles,
 * epochs, leases and promises go on. All instants are of CLOCK_BOOTTIME, which knows no processes; the
 * time between is a stall of this node, so that nothing which seemed to happen in it is evidence.
 *
 * A state must not be resumed twice, or the same numbers would be used for different words: the
 * caller sees to that. Should it be a little older than the former process's last word all the same,
 * counters begin so far ahead that none is used again.
 */
#pragma once

#include "node.h"

#define HBD_RESUME_AHEAD (1u << 20)

/*
 * Starts node at now_ns as what former was when it took its last step. config is the new one and
 * outlives node; groups go by their id. A group that is new begins in silence; of one that
 * is gone nothing is kept: its addresses are the caller's to remove, before.
 *
 * 0, or why it must start as any other process, with node untouched:
 * -EINVAL former is another node's or cluster's, or from the future; -ESHUTDOWN it had stopped, or
 * was about to;
 * -EBUSY it was in the middle of something that another process cannot finish (hbd_node_can_pause());
 * -ETIME a lease that it held is over: the peer may own since.
 */
int hbd_node_resume(struct hbd_node *node, const struct hbd_node_config *config,
		    const struct hbd_node *former, int64_t now_ns);

/* True while nothing is under way that needs this very process: no plugin runs, no move, no claim. */
bool hbd_node_can_pause(const struct hbd_node *node);

/*
 * May this node go on without some of its groups and keys (a bit for each, by index)? 0;
 * -EADDRINUSE with *ret_group: it serves that group, which the peer has too and would take over, or
 * whose plugins nobody would release; -ENOKEY: the peer is heard under that key, and is deaf to the
 * others.
 */
int hbd_node_can_drop(const struct hbd_node *node, uint32_t groups, uint8_t keys,
		      uint8_t *ret_group);

/* The index in config of a group that former had; -1: it is gone. */
int hbd_node_find_group(const struct hbd_node_config *config, uint32_t id);
