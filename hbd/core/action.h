/*
 * What a node wants done: the only output of the core. Plain data; the executor carries the
 * actions out in their order, and reports those that have an id with HBD_EVENT_DONE.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "limits.h"
#include "role.h"

enum hbd_action_type {
	HBD_ACTION_UNSET = 0,
	HBD_ACTION_SEND,	/* a packet on a link */
	HBD_ACTION_WILL,	/* keep a packet for a link, to be sent if this engine dies */
	HBD_ACTION_LEASE,	/* the group's addresses may answer until then, and no longer */
	HBD_ACTION_ACQUIRE,	/* add all addresses of a group; has an id */
	HBD_ACTION_RELEASE,	/* remove all addresses of a group; has an id */
	HBD_ACTION_RESTORE,	/* add again what is missing of a group's addresses */
	HBD_ACTION_ANNOUNCE,	/* (re)start a group's announcement schedule */
	HBD_ACTION_ASK,		/* ask the LAN who answers for a group; ANSWER tells */
	HBD_ACTION_RUN,		/* run a takeover plugin; has an id */
	HBD_ACTION_CANCEL,	/* kill the plugin run with this id; its DONE is not awaited */
	HBD_ACTION_CHANGED,	/* a role changed: log it, record it */
	HBD_ACTION_ALERT,	/* tell the humans */
	HBD_ACTION_STOPPED,	/* everything is released; the process may end */
	HBD_ACTION_TYPE_COUNT
};

/* What a plugin is asked to do; its first argument. */
enum hbd_plugin_call {
	HBD_CALL_UNSET = 0,
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
	HBD_ALERT_ADDRESS_RESTORED,	/* someone deleted an address */
	HBD_ALERT_UNHEARD,		/* the peer is not heard, but its address answers */
	HBD_ALERT_CONFLICT,		/* a stranger on the LAN answers for the group's address */
	HBD_ALERT_NOT_TAKEN,		/* a switchover failed, this node serves again */
	HBD_ALERT_ENGINE_DIED,		/* by the guardian: the engine died or hung; its groups move */
	HBD_ALERT_UNFENCED,		/* by the guardian: no fence in the kernel */
	HBD_ALERT_FENCED,		/* it is in force again */
	HBD_ALERT_COUNT
};

struct hbd_action {
	enum hbd_action_type type;
	uint8_t group;			/* index; HBD_GROUPS_MAX = no group */
	uint8_t link;
	uint64_t id;			/* ACQUIRE, RELEASE, RUN, CANCEL: never 0, never reused */
	uint64_t epoch;
	enum hbd_reason reason;
	union {
		uint16_t packet;	/* SEND, WILL: index into struct hbd_actions.packets */
		int64_t until_ns;	/* LEASE */
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
			uint8_t step;			/* PLUGIN_FAILED */
			int error;			/* PLUGIN_FAILED: negative errno */
			uint8_t station[HBD_STATION_BYTES];	/* CONFLICT */
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
	struct hbd_action items[HBD_ACTIONS_MAX];
	struct hbd_packet packets[HBD_PACKETS_MAX];
};

/* "takeover", "release"; never NULL. */
const char *hbd_call_text(enum hbd_plugin_call call);
const char *hbd_severity_text(enum hbd_severity severity);

/* A stable token for the kind, "peer-lost"; never NULL. */
const char *hbd_alert_text(enum hbd_alert kind);
