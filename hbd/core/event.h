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
	HBD_EVENT_STATION,	/* the Ethernet address that would answer for a group here */
	HBD_EVENT_ANSWER,	/* somebody on the LAN answered for a group that was asked for */
	HBD_EVENT_FENCE,	/* what fences this node's addresses now */
	HBD_EVENT_DONE,		/* an action finished */
	HBD_EVENT_SWITCHOVER,	/* the operator asks to hand a group over */
	HBD_EVENT_STOP,		/* the operator stops this node */
	HBD_EVENT_TYPE_COUNT
};

struct hbd_event {
	enum hbd_event_type type;
	uint8_t link;			/* PACKET, LINK, UNREACHABLE: link index */
	uint8_t group;			/* FAULT, HEALTH, MISSING, STATION, ANSWER, SWITCHOVER */
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
		} link_state;
		struct {
			enum hbd_fault fault;	/* one bit: INTERFACE or CHECK */
			bool present;
		} fault;
		struct {
			uint16_t health;	/* 0..1000 */
		} health;
		uint8_t station[HBD_STATION_BYTES];	/* STATION: 0 = none; ANSWER: whose */
		uint8_t fence;			/* FENCE: HBD_FENCE_... of packet.h */
		struct {
			uint64_t id;		/* struct hbd_action.id */
			int result;		/* 0 or negative errno; -EAGAIN: try again */
		} done;
	};
};
