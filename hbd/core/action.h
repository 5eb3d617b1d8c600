/*
 * What a node wants done: the only output of the core. Plain data; the executor carries the
 * actions out in their order, and reports those that have an id with HBD_EVENT_DONE.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "limits.h"
#include "role.h"
#include "session.h"
#include "witness.h"

enum hbd_action_type {
	HBD_ACTION_UNSET = 0,
	HBD_ACTION_SEND,	/* a packet on a link */
	HBD_ACTION_WILL,	/* keep a packet for a link, to be sent if this engine dies */
	HBD_ACTION_LEASE,	/* the group's addresses may answer until then, and no longer */
	HBD_ACTION_ACQUIRE,	/* add all addresses of a group; has an id */
	HBD_ACTION_RELEASE,	/* remove all addresses of a group; has an id */
	HBD_ACTION_RESTORE,	/* add again what is missing of a group's addresses; RESTORED tells, or
				 * a FAULT, REFUSED or PARTLY */
	HBD_ACTION_ANNOUNCE,	/* (re)start a group's announcement schedule */
	HBD_ACTION_ASK,		/* ask the LAN who answers for a group, and its gateway, if it has
				 * one; ANSWER and GATEWAY tell */
	HBD_ACTION_DEFEND,	/* announce one address once, and ask who else uses it; ANSWER tells */
	HBD_ACTION_FORWARD,	/* from now on hand to the peer what belongs to connections that are open
				 * there, until that has no more of them; has an id */
	HBD_ACTION_WITNESS,	/* ask the witness; has an id; WITNESS tells, not DONE */
	HBD_ACTION_RUN,		/* run a takeover plugin; has an id */
	HBD_ACTION_CANCEL,	/* kill the plugin run with this id; its DONE is not awaited */
	HBD_ACTION_CHANGED,	/* a role changed: log it, record it */
	HBD_ACTION_ALERT,	/* tell the humans */
	HBD_ACTION_HELD,	/* what HOLD came to: from now on a pause is covered, or there is none */
	HBD_ACTION_LEFT,	/* after LEAVE: nothing is left to be waited for */
	HBD_ACTION_REBORN,	/* this process lives a second time: end, without a word, start anew */
	HBD_ACTION_STOPPED,	/* everything is released; the process may end */
	HBD_ACTION_TYPE_COUNT
};

/* What a plugin is asked to do; its first argument. */
enum hbd_plugin_call {
	HBD_CALL_UNSET = 0,
	HBD_CALL_PREPARE,	/* a takeover may be near: warm up; RELEASE undoes it */
	HBD_CALL_TAKEOVER,
	HBD_CALL_RELEASE,
};

enum hbd_severity {
	HBD_SEVERITY_UNSET = 0,
	HBD_SEVERITY_INFO,
	HBD_SEVERITY_WARNING,
	HBD_SEVERITY_CRITICAL,
};

/* What humans are told about. Each kind has one text in io/alert_text. */
enum hbd_alert {
	HBD_ALERT_UNSET = 0,
	HBD_ALERT_TAKEOVER,		/* this node is primary now; reason says why */
	HBD_ALERT_RELEASED,		/* this node let a group go; reason says why */
	HBD_ALERT_PEER_LOST,		/* the standby is gone: no redundancy */
	HBD_ALERT_PEER_BACK,		/* redundancy is restored */
	HBD_ALERT_FAULT,		/* a fault appeared here */
	HBD_ALERT_HEALED,		/* the last fault of a group went */
	HBD_ALERT_TWO_OWNERS,		/* both owned; resolved by rank */
	HBD_ALERT_CONFIG_DIFFERS,
	HBD_ALERT_CONFIG_AGREES,
	HBD_ALERT_KEY_MISMATCH,
	HBD_ALERT_VERSION_MISMATCH,
	HBD_ALERT_LINK_LOST,		/* a heartbeat path is dead, another still works */
	HBD_ALERT_LINK_BACK,
	HBD_ALERT_PLUGIN_FAILED,
	HBD_ALERT_ADDRESS_RESTORED,	/* someone deleted an address, and it is back */
	HBD_ALERT_UNHEARD,		/* the peer is not heard, but its address answers */
	HBD_ALERT_CONFLICT,		/* a stranger on the LAN uses an address: no claim */
	HBD_ALERT_CONTESTED,		/* it does, and this node serves all the same */
	HBD_ALERT_UNCONTESTED,		/* it no longer does */
	HBD_ALERT_ISOLATED,		/* neither the peer nor the gateway is heard: nothing moves */
	HBD_ALERT_REFUSED,		/* the peer is not heard, but has the witness's vote */
	HBD_ALERT_NO_VOTE,		/* nor does the witness answer: nobody takes over */
	HBD_ALERT_WITNESS_LOST,		/* the witness does not answer */
	HBD_ALERT_WITNESS_BACK,
	HBD_ALERT_STOOD_STILL,		/* this machine and its clock stood still */
	HBD_ALERT_NOT_TAKEN,		/* a switchover failed, this node serves again */
	HBD_ALERT_MAINTENANCE,		/* this node is in maintenance from now on */
	HBD_ALERT_MAINTAINED,		/* it still is */
	HBD_ALERT_MAINTENANCE_OVER,
	HBD_ALERT_UNSERVED,		/* nobody serves what it does not claim because of that */
	HBD_ALERT_DAMPED,		/* a move that nobody needs is held back: there were too many */
	HBD_ALERT_ENGINE_DIED,		/* by the guardian: the engine died or hung; its groups move */
	HBD_ALERT_UNFENCED,		/* by the guardian: no fence in the kernel */
	HBD_ALERT_FENCED,		/* it is in force again */
	HBD_ALERT_STRAY,		/* by the executor: somebody added an address; removed */
	HBD_ALERT_ELSEWHERE,		/* likewise, to another interface: it was left there */
	HBD_ALERT_COUNT
};

struct hbd_action {
	enum hbd_action_type type;
	uint8_t group;			/* index; HBD_GROUPS_MAX = no group */
	uint8_t link;
	uint16_t address;		/* DEFEND; ALERT of a conflict: which of the group's */
	uint64_t id;			/* ACQUIRE RELEASE WITNESS RUN CANCEL: never 0, never reused */
	uint64_t epoch;
	enum hbd_reason reason;
	union {
		uint16_t packet;	/* SEND, WILL: index into struct hbd_actions.packets */
		int result;		/* HELD: 0 or a negative errno */
		struct {
			int64_t until_ns;	/* the addresses answer */
			int64_t accept_ns;	/* and take in what is sent to them; >= until_ns */
		} lease;
		struct {
			enum hbd_witness_call call;
			uint64_t revision;		/* SWAP: only if it is still this one */
			struct hbd_record record;	/* SWAP: what to write */
		} witness;
		struct {
			uint8_t step;			/* index of the group's plugin */
			enum hbd_plugin_call call;
			int64_t deadline_ns;		/* instant; killed then */
		} run;
		struct {
			enum hbd_role from, to;
		} changed;
		struct {
			enum hbd_alert kind;
			enum hbd_severity severity;
			uint8_t faults;			/* FAULT: bits of enum hbd_fault */
			enum hbd_role role;		/* FAULT: the group's when it appeared */
			uint8_t step;			/* PLUGIN_FAILED */
			int error;			/* PLUGIN_FAILED: negative errno */
			int64_t duration_ns;		/* STOOD_STILL, DAMPED */
			uint8_t station[HBD_STATION_BYTES];	/* of a conflict: whose */
		} alert;
	};
};

struct hbd_packet {
	uint16_t length;
	uint8_t bytes[HBD_PACKET_BYTES_MAX];
};

/* Filled by one step; the caller owns it and reuses it. */
struct hbd_actions {
	size_t count;
	size_t packet_count;
	struct hbd_verdict verdict;	/* on a PACKET; else its receipt is UNSET */
	struct hbd_action items[HBD_ACTIONS_MAX];
	struct hbd_packet packets[HBD_PACKETS_MAX];
};

/* "prepare", "takeover", "release"; never NULL. */
const char *hbd_call_text(enum hbd_plugin_call call);
const char *hbd_severity_text(enum hbd_severity severity);

/* A stable token for the kind, "peer-lost"; never NULL. */
const char *hbd_alert_text(enum hbd_alert kind);
