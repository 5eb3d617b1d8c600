/*
 * What can happen to a node: the only input of the core besides the instant.
 *
 * The loop's contract (PROTOCOL.md 9): after a wait it first reports STALLED if it ran late, then
 * every PACKET that waited, then everything else, and a TICK last; results that the TICK's own
 * actions brought about (DONE) are followed by another TICK. Nobody is judged silent before the
 * sockets were drained, because only a TICK lets deadlines and claims take effect.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limits.h"
#include "packet.h"
#include "role.h"
#include "session.h"
#include "witness.h"

enum hbd_event_type {
	HBD_EVENT_UNSET = 0,
	HBD_EVENT_TICK,		/* time passed */
	HBD_EVENT_STALLED,	/* the loop ran late */
	HBD_EVENT_PACKET,	/* a datagram arrived on a link */
	HBD_EVENT_LINK,		/* a link became usable or unusable on this side */
	HBD_EVENT_UNREACHABLE,	/* the peer's kernel says that nobody listens (ICMP) */
	HBD_EVENT_FAULT,	/* a fault of a group appeared or went */
	HBD_EVENT_HEALTH,	/* a group's health changed */
	HBD_EVENT_MISSING,	/* an address of a group vanished from the kernel */
	HBD_EVENT_RESTORED,	/* what was missing of a group's addresses is back, as RESTORE asked */
	HBD_EVENT_STATION,	/* the Ethernet address that would answer for a group here */
	HBD_EVENT_ANSWER,	/* somebody on the LAN answered for an address of a group, or used it */
	HBD_EVENT_GATEWAY,	/* the group's gateway answered to one of this node's questions */
	HBD_EVENT_FENCE,	/* what fences this node's addresses now */
	HBD_EVENT_WITNESS,	/* the answer to a request to the witness */
	HBD_EVENT_DONE,		/* an action finished */
	HBD_EVENT_DRAINED,	/* no connection of a group that was handed over is left here */
	HBD_EVENT_SWITCHOVER,	/* the operator asks to hand a group over */
	HBD_EVENT_MAINTENANCE,	/* the operator takes this node out of service, or puts it back */
	HBD_EVENT_LEAVE,	/* a stop is near: hand over what is served, take nothing; LEFT tells */
	HBD_EVENT_HOLD,		/* another process of this node is to go on: HELD tells */
	HBD_EVENT_STOP,		/* the operator stops this node, or its guardian died */
	HBD_EVENT_TYPE_COUNT
};

struct hbd_event {
	enum hbd_event_type type;
	uint8_t link;			/* PACKET, LINK, UNREACHABLE: link index */
	uint8_t group;	/* FAULT HEALTH MISSING RESTORED STATION ANSWER GATEWAY WITNESS DRAINED
			 * SWITCHOVER */
	uint16_t address;	/* ANSWER: which of the group's */
	union {
		struct {
			int64_t late_ns;	/* how late, > 0 */
		} stalled;
		struct {
			const uint8_t *bytes;	/* valid during the step only */
			size_t length;
			int64_t received_ns;	/* kernel's receive time, <= now */
		} packet;
		struct {
			bool usable;		/* socket open and interface has carrier */
			bool closed;		/* there is no socket: nothing can be heard on it */
		} link_state;
		struct {
			enum hbd_fault fault;	/* one bit of HBD_FAULTS_TOLD */
			bool present;
		} fault;
		struct {
			uint16_t health;	/* 0..1000 */
		} health;
		uint8_t station[HBD_STATION_BYTES];	/* STATION: 0 = none; ANSWER: whose */
		uint8_t fence;			/* FENCE: HBD_FENCE_... of packet.h */
		bool maintenance;		/* MAINTENANCE: it begins */
		bool orphaned;			/* STOP: nobody asked for it, the guardian died */
		struct {
			bool on;		/* false: the stop was called off */
			int64_t patience_ns;	/* for old connections: 0 .. HBD_LEAVE_NS_MAX */
		} leave;
		struct {
			int64_t term_ns;	/* so long may the pause be: <= HBD_PAUSE_NS_MAX;
						 * 0 = none: there is no other process after all */
		} hold;
		struct {
			uint64_t id;		/* struct hbd_action.id */
			enum hbd_witness_result result;
			uint64_t revision;	/* SWAPPED: the new one; SHOWN: the present one */
			struct hbd_record record;	/* SHOWN, revision not 0 */
		} witness;
		struct {
			uint64_t id;		/* struct hbd_action.id */
			int result;		/* 0 or negative errno; -EAGAIN: try again */
		} done;
	};
	const struct hbd_received *opened;	/* PACKET, in a replay: instead of bytes; else NULL */
};
