/*
 * The words for what a node is to a group, why that changed, and what is wrong; with their texts.
 *
 * Value 0 of each enum is UNSET and never legal where a value is required, so that a forgotten
 * table cell is recognised. Switches over these enums have no default.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A node's part in one group. Only CLAIMING and PRIMARY own the group's addresses. */
enum hbd_role {
	HBD_ROLE_UNSET = 0,
	HBD_ROLE_QUIET,		/* restart silence: watches, claims nothing, grants nothing */
	HBD_ROLE_SECONDARY,	/* stands by */
	HBD_ROLE_CLAIMING,	/* owns; takeover plugins of order "before" or addresses under way */
	HBD_ROLE_PRIMARY,	/* owns; addresses are on and announced */
	HBD_ROLE_RELEASING,	/* lets go: addresses are being removed */
	HBD_ROLE_FAULT,		/* cannot serve; does not claim */
	HBD_ROLE_STOPPED,	/* stopping for good; does not claim */
	HBD_ROLE_DRAINING,	/* handed over: old connections still end here, nothing is announced */
	HBD_ROLE_COUNT
};

/* Why a role changed; reaches the log, status, alerts and the plugins' environment. */
enum hbd_reason {
	HBD_REASON_UNSET = 0,
	HBD_REASON_START,		/* the process started */
	HBD_REASON_QUIET_OVER,		/* restart silence ended */
	HBD_REASON_ALONE,		/* no peer was heard since the start */
	HBD_REASON_ELECTED,		/* both live, nobody owned, this node ranks first */
	HBD_REASON_UNCLAIMED,		/* both live, nobody claimed for too long */
	HBD_REASON_PEER_SILENT,		/* the promise to the peer lapsed without a sign of it */
	HBD_REASON_PEER_STOPPED,	/* the peer's clean good-bye */
	HBD_REASON_PEER_DIED,		/* the peer's last will: its daemon died, its machine lives */
	HBD_REASON_PEER_RESTARTED,	/* the peer came back as a new process that owns nothing */
	HBD_REASON_PEER_RESIGNED,	/* the peer handed the group over */
	HBD_REASON_PEER_FAULT,		/* the peer let go because it cannot serve */
	HBD_REASON_PEER_MAINTAINED,	/* nobody serves, and the peer is in maintenance */
	HBD_REASON_ANSWERED,		/* somebody on the LAN answers for it */
	HBD_REASON_ISOLATED,		/* the gateway does not answer */
	HBD_REASON_PEER_OUTRANKS,	/* two owners met; the peer's claim ranks higher */
	HBD_REASON_LEASE_LOST,		/* the own lease ran out */
	HBD_REASON_NO_VOTE,		/* it claimed, and the peer did not agree */
	HBD_REASON_SWITCHOVER,		/* the operator asked */
	HBD_REASON_MAINTENANCE,		/* this node is in maintenance */
	HBD_REASON_FAILBACK,		/* back to the node that is preferred */
	HBD_REASON_NOT_READY,		/* a move was offered, but the peer did not get ready for it */
	HBD_REASON_DRAINED,		/* no old connection ends here any more, or time is up */
	HBD_REASON_NOT_TAKEN,		/* handed over, but the peer did not take it */
	HBD_REASON_FAULT,		/* an own fault, see enum hbd_fault */
	HBD_REASON_HEALED,		/* the own fault is gone */
	HBD_REASON_TAKEOVER_FAILED,	/* an address could not be added or a plugin failed */
	HBD_REASON_ADDRESSES_ON,	/* the claim is complete */
	HBD_REASON_ADDRESSES_OFF,	/* the release is complete */
	HBD_REASON_STOP,		/* this process is stopping */
	HBD_REASON_ORPHANED,		/* so it is, because its guardian died */
	HBD_REASON_PEER_ORPHANED,	/* the peer said good-bye because its guardian died */
	HBD_REASON_COUNT
};

/* Faults of a group on this node; a set of bits. Hard ones forbid serving altogether. */
enum hbd_fault {
	HBD_FAULT_NONE = 0,
	HBD_FAULT_INTERFACE = 1 << 0,	/* hard: interface missing, down or without carrier */
	HBD_FAULT_ADDRESS = 1 << 1,	/* hard until retry: none could be added, or one not removed */
	HBD_FAULT_TAKEOVER = 1 << 2,	/* hard until retry: a takeover plugin failed */
	HBD_FAULT_CHECK = 1 << 3,	/* soft: a check failed; still better than nobody */
	HBD_FAULT_REFUSED = 1 << 4,	/* hard: the kernel refuses every address, while it does */
	HBD_FAULT_PARTLY = 1 << 5,	/* soft: it refuses some; the others are served */
};
#define HBD_FAULTS_HARD \
	(HBD_FAULT_INTERFACE | HBD_FAULT_ADDRESS | HBD_FAULT_TAKEOVER | HBD_FAULT_REFUSED)
#define HBD_FAULTS_SOFT (HBD_FAULT_CHECK | HBD_FAULT_PARTLY)
/* Those that the core is told of: it finds the others itself. */
#define HBD_FAULTS_TOLD \
	(HBD_FAULT_INTERFACE | HBD_FAULT_CHECK | HBD_FAULT_REFUSED | HBD_FAULT_PARTLY)

/* What this node knows of its peer. */
enum hbd_peer_state {
	HBD_PEER_UNSET = 0,
	HBD_PEER_UNKNOWN,		/* never heard in this life */
	HBD_PEER_ALIVE,			/* authentic packets arrive in time */
	HBD_PEER_SUSPICIOUS,		/* silent for suspect_ns: probes are out */
	HBD_PEER_SILENT,		/* silent for grant_ns or longer */
	HBD_PEER_STOPPED,		/* said good-bye */
	HBD_PEER_DIED,			/* its guardian sent its last will */
	HBD_PEER_COUNT
};

/* A peer that is there but does not fit; shown and alerted, each a state of its own. */
enum hbd_mismatch {
	HBD_MISMATCH_NONE = 0,
	HBD_MISMATCH_CONFIG = 1 << 0,	/* authentic, but its configuration digest differs */
	HBD_MISMATCH_KEY = 1 << 1,	/* handshakes from its address fail the seal */
	HBD_MISMATCH_VERSION = 1 << 2,	/* authentic, but no common protocol version */
};

static inline bool hbd_role_owns(enum hbd_role role)
{
	return role == HBD_ROLE_CLAIMING || role == HBD_ROLE_PRIMARY;
}

/* Short lower-case words for logs, status and HBD_ROLE, "primary"; never NULL. */
const char *hbd_role_text(enum hbd_role role);

/* Short tokens for logs, status and HBD_REASON, "peer-silent"; never NULL. */
const char *hbd_reason_text(enum hbd_reason reason);

/* One clause for humans, "the peer fell silent"; never NULL. */
const char *hbd_reason_sentence(enum hbd_reason reason);

const char *hbd_peer_state_text(enum hbd_peer_state state);

/* The word for one bit, "interface"; never NULL. */
const char *hbd_fault_text(enum hbd_fault fault);
