/*
 * A node: everything this program decides.
 *
 *	hbd_node_step(&node, &event, now_ns, &actions);
 *	next = hbd_node_deadline_ns(&node);
 *
 * The node makes no system call, reads no clock, draws no random number (a seed comes in),
 * allocates nothing, logs nothing and has no global. The same object runs in the daemon, in the
 * simulator and in the fuzzers. It is composed of session (who is the peer), detector (is it
 * alive), and for every group a lease, an arbiter (role) and a takeover plan.
 *
 * What it is not: it knows no address, interface, file or plugin name, only their indices. Who
 * translates is io/executor.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "action.h"
#include "damping.h"
#include "detector.h"
#include "event.h"
#include "hold.h"
#include "failback.h"
#include "lease.h"
#include "leave.h"
#include "limits.h"
#include "maintenance.h"
#include "pace.h"
#include "packet.h"
#include "profile.h"
#include "role.h"
#include "seal.h"
#include "session.h"
#include "takeover.h"
#include "witness.h"

#define HBD_NO_PREFERENCE HBD_NODES

struct hbd_group_config {
	uint32_t id;			/* hbd_group_id(name), unique in the configuration */
	uint8_t prefer;			/* node index that ranks first, or HBD_NO_PREFERENCE */
	bool gateway;			/* a router must answer before a claim on silence */
	uint8_t step_count;
	struct hbd_step_config steps[HBD_STEPS_MAX];	/* takeover plugins, in order */
	int64_t retry_ns;		/* after a failed takeover, before the next claim; > 0 */
	int64_t drain_ns;		/* old connections may last that long after a move; 0 = not */
	int64_t failback_ns;		/* who is preferred gets it back after so long; 0 = never */
};

struct hbd_node_config {
	uint8_t self;			/* 0 or 1 */
	uint32_t cluster_id;
	uint64_t config_digest;
	struct hbd_profile profile;
	uint8_t link_count;		/* 1..HBD_LINKS_MAX */
	uint8_t group_count;		/* 1..HBD_GROUPS_MAX */
	uint8_t key_count;		/* 1..HBD_KEYS_MAX */
	uint8_t fence;			/* at the start: HBD_FENCE_...; later by HBD_EVENT_FENCE */
	uint8_t version_max;		/* highest major protocol version spoken; 0 = HBD_VERSION_MAX */
	struct hbd_key keys[HBD_KEYS_MAX];
	struct hbd_group_config groups[HBD_GROUPS_MAX];
	uint8_t seed[HBD_SEED_BYTES];	/* fresh and secret for every process */
	uint64_t epoch_floor;		/* epochs of this life are larger; survives restarts */
	bool witness;			/* there is one: an owner needs two of three votes */
	bool serve_without;		/* while it does not answer, go on as without one */
	bool maintenance;		/* the node begins in maintenance */
};

/* The peer's view of one group, from its newest heartbeat. */
struct hbd_peer_group {
	bool known;
	enum hbd_role role;
	uint8_t flags;			/* HBD_GROUP_... */
	uint16_t priority;
	uint16_t health;
	uint64_t epoch;
};

/* Asking the LAN before a claim (PROTOCOL.md 6.1). */
struct hbd_asking {
	uint8_t station[HBD_STATION_BYTES];	/* of this node; 0 = none */
	uint8_t peer_station[HBD_STATION_BYTES];	/* as the peer last told; 0 = none */
	int64_t next_ns;		/* when to ask again */
	int64_t last_ns;		/* of the last question; 0 = none */
	int64_t asked_ns;		/* first question after the peer's last lease; 0 = none */
	uint8_t questions;		/* so many since then, each in a turn of its own */
	int64_t answered_ns;		/* last answer of the peer's station; 0 = none */
	int64_t proven_ns;		/* last one that proves a newer lease; 0 = none */
	bool before_use;		/* the questions are those before a first use */
	int64_t gateway_ns;		/* last answer of the gateway; 0 = none */
	int64_t gateway_since_ns;	/* the first one of those that came within Lg each */
	int64_t isolated_since_ns;	/* a claim waits for nothing but that; 0 = it does not */
	bool isolated_told;		/* an alert for that was raised */
};

/* A stranger on the LAN, neither node of the pair, that uses an address of the group (6.1.1). */
struct hbd_conflict {
	int64_t since_ns;		/* first sign of it; 0 = there is no conflict */
	int64_t seen_ns;		/* the last one */
	int64_t defend_ns;		/* a primary speaks up again then */
	int64_t told_ns;		/* of the last alert about it; 0 = none */
	bool defence_told;		/* it said that this node serves in spite of it */
	uint8_t station[HBD_STATION_BYTES];	/* whose the last sign was */
	uint16_t address;		/* and for which of the group's addresses */
};

/* A planned move, make before break (PROTOCOL.md 6.4). */
enum hbd_handover_state {
	HBD_HANDOVER_NONE = 0,
	HBD_HANDOVER_OFFERED,	/* by this owner, which waits until the peer is ready */
	HBD_HANDOVER_PREPARING,	/* the peer offered it: this node gets ready */
	HBD_HANDOVER_READY,
	HBD_HANDOVER_REFUSED,	/* it could not get ready; while the peer offers */
};

struct hbd_handover {
	enum hbd_handover_state state;
	enum hbd_reason reason;		/* OFFERED: why */
	uint64_t offer_hb_seq;		/* OFFERED: first heartbeat that told it */
	int64_t deadline_ns;		/* OFFERED: it is given up then */
	int64_t accept_ns;		/* role DRAINING: the addresses take in what comes until then */
	int64_t drain_until_ns;		/* role DRAINING: the end; HBD_NEVER_NS = nobody serves yet */
	int64_t told_ns;		/* when the peer's newest word about the group came; 0 = none */
	int64_t again_ns;		/* nothing is offered before, unless an operator asks for it */
	uint64_t forward_id;		/* PREPARING: of the FORWARD under way; 0 = none */
	bool drained;			/* role DRAINING: no connection is left */
};

struct hbd_group {
	enum hbd_role role;
	enum hbd_reason reason;		/* of the last change of role */
	enum hbd_reason claim_reason;	/* of the last claim: why this node became primary */
	int64_t since_ns;		/* of the last change of role */
	uint8_t faults;			/* bits of enum hbd_fault */
	uint16_t health;		/* 0..1000 */
	uint64_t epoch;			/* of an owner its claim's; else the highest seen or used */
	uint64_t epoch_seen;		/* highest that anybody told; the next claim's is above it */
	bool resigned;			/* handed over, waiting for the peer to claim */
	int64_t resigned_until_ns;	/* then it counts as not taken */
	bool takes_back;		/* not taken: claims once the peer knows it is not resigned */
	int64_t unowned_since_ns;	/* both live and nobody owned; HBD_NEVER_NS = somebody does */
	int64_t hold_until_ns;		/* no claim on the evidence of silence before this */
	uint64_t role_hb_seq;		/* first that tells the present role, faults and health */
	bool peer_owned;		/* the peer owned since this node last did */
	int64_t retry_ns;		/* HBD_FAULT_TAKEOVER is forgiven then; HBD_NEVER_NS = none */
	int64_t restored_alert_ns;	/* of the last alert about a deleted address; 0 = none */
	bool rival;			/* the peer owned while this node did */
	uint64_t release_id;		/* of the RELEASE under way; 0 = none */
	struct hbd_lease lease;
	struct hbd_takeover plan;
	struct hbd_handover handover;
	struct hbd_damping damping;
	struct hbd_failback failback;
	struct hbd_peer_group peer;
	struct hbd_asking asking;
	struct hbd_conflict conflict;
	struct hbd_witness witness;
	bool awaits_vote;		/* claiming, but without a lease until the peer grants it */
	bool wants_vote;		/* all that a claim lacks is the witness's vote */
	int64_t witness_retry_ns;	/* the witness is not asked about it before this */
};

struct hbd_node {
	const struct hbd_node_config *config;	/* outlives the node */
	int64_t started_ns;
	int64_t now_ns;			/* of the last step */
	int64_t ticked_ns;		/* of the last TICK */
	int64_t stood_ns;		/* so long it stood still, as far as it is not told yet */
	uint64_t next_id;
	uint64_t resumed;		/* so often another process went on (resume.h) */
	uint64_t jitter;		/* state of the generator that spreads the send times */
	bool stopping;
	bool orphaned;			/* stopping, because the guardian died */
	bool stopped;
	bool heard;			/* the peer was heard in this life */
	int64_t alone_since_ns;		/* start, or the last sign of a peer that does not hear us */
	bool peer_absent;		/* not heard at the last TICK, or another process since */
	uint8_t fence;			/* of this node: HBD_FENCE_... */
	uint8_t peer_fence;		/* of the peer, as it last told */
	bool peer_holds;		/* its newest heartbeat renews a lease */
	bool peer_running;		/* its newest heartbeat says so: it may claim */
	bool peer_maintained;		/* its newest heartbeat says that it is in maintenance */
	bool peer_orphaned;		/* its last word said that it stops as its guardian died */
	bool peer_loss_told;		/* an alert for the present loss was raised */
	int64_t differs_since_ns;	/* the configurations do; 0 = not */
	bool config_differs;		/* an alert for that was raised and not taken back */
	bool news;			/* something changed: send a heartbeat in this step */
	bool reply_due;			/* answer a probe or renewal in this step */
	bool wills_due;			/* the session or an epoch is new: write the wills anew */
	uint8_t mismatch;		/* bits of enum hbd_mismatch */
	uint8_t links_usable;		/* bit per link */
	uint8_t links_closed;		/* bit per link: no socket to listen on */
	uint8_t links_lost;		/* bit per link: an alert for its loss was raised */
	int64_t links_bad_since_ns[HBD_LINKS_MAX];	/* HBD_NEVER_NS = not bad */
	int64_t next_send_ns;
	int64_t next_offer_ns;
	int64_t next_attempt_ns;	/* of a handshake */
	int64_t next_renewal_ns;	/* of one for a newer key or version */
	int64_t next_probe_ns;
	uint32_t seal_failures;		/* of handshakes since the last authentic packet */
	uint64_t unreachable;		/* ICMP port unreachable seen */
	uint64_t hb_seq;		/* of the last heartbeat sent */
	uint64_t peer_hb_seq;		/* newest of the peer's whose state was taken in */
	int64_t peer_word_ns;		/* ... when it came in */
	int64_t woke_ns;		/* the end of its last long stall; 0 = none */
	uint64_t peer_acked;		/* newest of ours that the peer has taken in */
	uint64_t parting_acked;		/* likewise of the process that said GOODBYE last */
	uint64_t peer_life;		/* session of the peer's process that was heard last; 0 = none */
	uint64_t gone_life;		/* of the last one that is over: it said GOODBYE, or another
					 * came; what it held is free; 0 = none */
	int64_t witness_answered_ns;	/* last answer of the witness, or the start */
	int64_t witness_poll_ns;	/* when it is asked next while all is well */
	uint8_t witness_poll_group;	/* ... and about which group */
	bool witness_lost;		/* an alert for its loss was raised */
	struct hbd_maintenance maintenance;
	struct hbd_leave leave;
	struct hbd_hold hold;
	struct hbd_session session;
	struct hbd_detector detector;
	struct hbd_pace pace;
	struct hbd_sent sent;
	struct hbd_group groups[HBD_GROUPS_MAX];
};

/* The wire id of a group: the first 32 bits of the BLAKE2b hash of its name. */
uint32_t hbd_group_id(const char *name);

/* The wire id of a cluster, likewise. */
uint32_t hbd_cluster_id(const char *name);

/* Starts a node at now_ns. config must be valid (asserted) and outlive the node. */
void hbd_node_init(struct hbd_node *node, const struct hbd_node_config *config, int64_t now_ns);

/*
 * Takes one event at now_ns (never earlier than the step before) and sets ret_actions to what is
 * to be done, in order. Input that comes from outside, packets above all, is checked; an event
 * that a programmer got wrong (a group that does not exist) is asserted.
 */
void hbd_node_step(struct hbd_node *node, const struct hbd_event *event, int64_t now_ns,
		   struct hbd_actions *ret_actions);

/* The instant at which the node wants a TICK; HBD_NEVER_NS once stopped. */
int64_t hbd_node_deadline_ns(const struct hbd_node *node);

/* True while the group's addresses should be in the kernel: the executor puts them back. */
bool hbd_node_holds(const struct hbd_node *node, uint8_t group);

/* True while an answer from the LAN keeps this node from claiming the group. */
bool hbd_node_is_held_back(const struct hbd_node *node, uint8_t group);

/* It has no socket on any link, so that what it hears, nothing, says nothing of the peer: it claims
 * nothing on silence. A link without carrier has one. */
bool hbd_node_is_deaf(const struct hbd_node *node);

/* True while nothing but a gateway that does not answer keeps this node from claiming the group. */
bool hbd_node_is_isolated(const struct hbd_node *node, uint8_t group);

/* True while the peer, which is not heard, answers for the group: told to it, it may renew on that. */
bool hbd_node_is_answered(const struct hbd_node *node, uint8_t group);

/* 0 if the group could be handed to the peer now, or what forbids it, as a negative errno:
 * -EPERM not primary here, -EHOSTDOWN peer not alive, -EINVAL configurations differ,
 * -EHOSTUNREACH the peer is in maintenance, -ENODEV it has a fault, -EBUSY a takeover or release is
 * under way, -EALREADY it is under way. */
int hbd_node_may_switch(const struct hbd_node *node, uint8_t group);

/* True while a move that was begun can go on: still primary, and the peer could take it. */
bool hbd_node_can_switch(const struct hbd_node *node, uint8_t group);

/*
 * 0 if this node can go into maintenance now, and the peer then serves alone, or what forbids it:
 * -EHOSTDOWN, -EHOSTUNREACH, -EINVAL and -ENODEV as above, for the node as a whole; -EBUSY: it is about
 * to take a group; -ESHUTDOWN: it is stopping. An operator may overrule all but the last two.
 */
int hbd_node_may_maintain(const struct hbd_node *node);

/* True while this node, in maintenance, would not claim the group. */
bool hbd_node_abstains(const struct hbd_node *node, uint8_t group);

/* True while this node, which is about to stop, offers the group, or its old connections end here. */
bool hbd_node_hands_over(const struct hbd_node *node, uint8_t group);

/* True while the peer pauses, as it said: its silence means nothing yet. */
bool hbd_node_peer_pauses(const struct hbd_node *node);

/* True while nobody is known to serve the group, and this node, in maintenance, does not claim it. */
bool hbd_node_leaves_unserved(const struct hbd_node *node, uint8_t group);

/* True while there is a witness and it has not answered for long. */
bool hbd_node_witness_is_lost(const struct hbd_node *node);

/* True while the witness, which knows the peer as the owner, keeps this node from claiming. */
bool hbd_node_is_refused(const struct hbd_node *node, uint8_t group);

enum hbd_peer_state hbd_node_peer_state(const struct hbd_node *node);
