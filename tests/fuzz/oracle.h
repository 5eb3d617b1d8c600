/*
 * What a node may ask for, judged from outside: by the packets that it sent and got, by what the
 * witness wrote for it, and by the order of its actions.
 *
 *	it announces what it has: with the addresses on, and with a lease
 *	a lease ends: no later than its newest word says, and what that word says is less than what
 *	binds the peer; while the peer could claim, and where votes are counted, no later than a
 *	renewal that the peer took in, counted from when that was sent, or than the witness's vote
 *	it grants, or says that it let go, when its own lease is over, and grants neither in restart
 *	silence nor as an owner
 *	a claim has a number above all it heard of, and this node's; it breaks no promise; one on
 *	silence comes with a TICK after silence, three questions, no stranger's answer (or many for long
 *	enough) and the gateway's, and not soon after a long sleep; one on a resignation after that
 *	it hands over to who is ready, and what it takes in while it drains ends with the peer's voice
 *	one plugin at a time in a group, each that began is told to release; no id twice; after a
 *	TICK it waits for something
 */
#pragma once

#include "insider.h"

#define ORACLE_SENT_MAX 256		/* heartbeats; the node remembers fewer */

struct oracle_group {
	bool present;			/* addresses are on, or may be */
	int64_t until_ns;		/* of the lease, as the fence was told */
	uint64_t epoch;			/* of the last claim */
	uint64_t epoch_seen;		/* highest that anybody told */
	uint64_t running_id;		/* of the plugin that runs; 0 = none */
	uint8_t running_step;
	bool running_release;
	int64_t running_until_ns;	/* it is killed then */
	uint32_t owed;			/* bit per plugin that began and was not told to release */
	int64_t promised_until_ns;	/* what it took in of the peer binds it so long */
	int64_t written_until_ns;	/* a lease by the witness's vote ends by then */
	uint8_t role;			/* enum hbd_role */
	uint8_t station[HBD_STATION_BYTES], peer_station[HBD_STATION_BYTES];
	uint32_t questions;		/* asked since the peer's last lease is over */
	bool asked;			/* any, since it was heard */
	int64_t stranger_ns;		/* an answer of another since then; 0 = none */
	int64_t first_stranger_ns;	/* the first sign of one ever; 0 = none */
	int64_t gateway_ns;		/* the gateway's last answer; 0 = none */
	uint8_t peer_role;		/* the peer's newest word; 0 = it is void */
	uint8_t peer_flags;
};

struct oracle {
	const struct hbd_node_config *config;
	int64_t started_ns;
	uint64_t last_id;
	uint64_t heard;			/* number of the peer's newest word */
	int64_t word_ns;		/* when that came; 0 = never */
	bool peer_running;		/* it says so */
	int64_t sign_ns;		/* the last authentic packet; 0 = never */
	bool left;			/* ... was its GOODBYE */
	int64_t told_until_ns;		/* the newest heartbeat says that leases end by then */
	int64_t renews_until_ns[ORACLE_SENT_MAX];	/* so far may a grant of it; by number */
	int64_t granted_until_ns;	/* a lease by the peer's vote ends by then */
	int64_t listens_until_ns;	/* it slept for long: no claim on silence before this */
	uint64_t ended_id;		/* of what this step is told about; 0 = none */
	uint8_t fence;
	bool ticking;
	bool stopped;
	bool reborn;
	struct oracle_group groups[INSIDER_GROUPS];
};

void oracle_start(struct oracle *oracle, const struct hbd_node_config *config, int64_t now_ns);

/* Before a step: what the node is told. */
void oracle_told(struct oracle *oracle, const struct hbd_event *event, int64_t now_ns);

/* After a PACKET. */
void oracle_heard(struct oracle *oracle, const struct hbd_verdict *verdict,
		  const struct hbd_event *event);

/* After any step. */
void oracle_look(struct oracle *oracle, const struct hbd_node *node, const struct hbd_event *event,
		 const struct hbd_actions *actions, int64_t now_ns);

/* The witness wrote what was asked for at sent_ns. */
void oracle_written(struct oracle *oracle, const struct hbd_action *request, int64_t sent_ns);

/* It stopped. */
void oracle_stopped(const struct oracle *oracle);

/* oracle_told.c: the peer is heard, or it does not matter any more what anybody answered. */
void oracle_forget_answers(struct oracle_group *group);

static inline bool oracle_occupies(unsigned role)
{
	return role == HBD_ROLE_CLAIMING || role == HBD_ROLE_PRIMARY || role == HBD_ROLE_RELEASING;
}

static inline bool oracle_stands_by(unsigned role)
{
	return role == HBD_ROLE_SECONDARY || role == HBD_ROLE_DRAINING;
}
