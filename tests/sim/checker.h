/*
 * What may never happen, and what must happen in the end: judged from outside, on what a client on
 * the LAN could see, on packets and on the order of actions; never on the core's own opinion.
 *
 * Safety
 *	S1	of two machines one answers for a group; two do only where no vote could tell: from a
 *		claim that was blind until both hear each other again, and 2 T + 10 ms; a witness
 *		without which nobody serves always can
 *	S1'	... or from the end of a pause with stopped clocks, likewise, and Lh + T
 *	S2	who answers has a lease now
 *	S3	an epoch is higher than all that its user has heard of or used, and has one user
 *	S4	what is forged, mangled or sent again changes nothing
 *	S5	nobody announces without a lease
 *	S6	no grant in restart silence or by an owner; a promise is kept
 *	S7	who reaches no gateway for 3 Lg, though there is one, claims nothing on silence
 *	S8	who is in maintenance claims nothing, but what it resigned and has not heard of as taken
 *	S9	one plugin at a time in a group, started with its claim's epoch
 * Liveness
 *	L1	an owner's crash in calm: somebody answers after Lg and what a takeover takes, and 2 T
 *		if the crashed one is back by then and they talk first
 *	L2	in calm exactly one answers; at any time clients reach who alone answers within
 *		2 s, and Lg and T more while the two do not hear each other, or within 60 s if they
 *		did not hear its announcement or it could not know of a rival
 *	L5	two that stand by and hear each other do not do so for long
 * Stability
 *	F1	a group moves no more often than something happens
 *	F2	noise alone moves nothing
 *
 * A claim is blind if for Lg nothing of the peer's session came in, and the LAN could not tell
 * either: it is cut, or the owner's machine sleeps with a lease. Calm is when no fault is at work
 * and both engines run.
 */
#pragma once

#include "world.h"

enum check {
	CHECK_UNSET = 0,
	CHECK_S1, CHECK_S2, CHECK_S3, CHECK_S4, CHECK_S5, CHECK_S6, CHECK_S7, CHECK_S8, CHECK_S9,
	CHECK_L1, CHECK_L2, CHECK_L5,
	CHECK_F1, CHECK_F2,
	CHECK_COUNT
};

/* What is known of one node. */
struct checker_node {
	uint64_t lives;
	uint64_t own_session;
	int64_t heard_ns;		/* its session's newest packet came in, world time */
	int64_t told_ns;		/* the newest of those was sent then, world time */
	uint64_t heard_session;		/* of the peer */
	uint64_t heard_seq;		/* newest heartbeat number in it */
	int64_t strayed_ns;		/* since when it runs and does not reach the gateway; or never */
	enum world_power power;		/* when last looked at */
	bool was_paused;
};

/* What is known of one group, at one node. */
struct checker_share {
	int64_t promised_until_ns;	/* what it took in of the peer binds it so long, own clock */
	uint64_t epoch;			/* highest claimed */
	uint64_t heard_epoch;		/* highest that the peer told it */
	bool resigned;			/* handed over, and has not heard of an owner since */
};

struct checker_group {
	struct checker_share shares[HBD_NODES];
	bool excused;			/* two owners may be, until they have joined */
	bool was_paused;		/* S3: an owner did not see a claim; until the next one */
	int64_t excused_ns;		/* since when; of a pause: when its lease is over */
	int owner;			/* who alone answers; -1 = none or two */
	int64_t owned_ns;		/* since when that is so */
	bool unknowing;			/* a rival came and went without a word to the owner */
	int64_t both_ns;		/* since when two answer, or did last */
	bool answers[HBD_NODES];	/* when last looked at */
	int64_t unanswered_ns;		/* since when nobody answers; HBD_NEVER_NS = somebody does */
	int64_t stranger_ns;		/* when a third machine answered last */
	int64_t standing_ns;		/* since when both stand by; HBD_NEVER_NS = not */
	int64_t wrong_ns[WORLD_CLIENTS];	/* since when a client does not reach it */
	unsigned claims;
	uint64_t epoch;			/* with a witness: highest with a lease, and who has it */
	uint8_t holder;
	int64_t served_by_ns;		/* L1: somebody must answer then; HBD_NEVER_NS = no crash */
	uint64_t crash;			/* the number of the fault that was it */
	uint8_t crashed;		/* who */
};

struct checker {
	uint64_t disarmed;		/* bits of enum check: not looked at */
	enum check violated;		/* UNSET = none so far */
	const char *violation;
	int64_t violated_ns;
	uint8_t group;
	bool harmless;			/* only faults that move nothing are at work */
	struct hbd_profile profile;	/* as it should be, whatever the nodes were told */
	int64_t joined_ns;		/* since when both run and hear each other; HBD_NEVER_NS = not */
	int64_t calm_ns;		/* since when nothing is wrong */
	int64_t lan_ns;			/* since when the LAN carries everything */
	bool was_calm;			/* for long enough to be settled, when last looked at */
	uint64_t before_forged;		/* the state that a forged packet met */
	bool lives[HBD_NODES];		/* the engine ran when last looked at */
	struct checker_node nodes[HBD_NODES];
	struct checker_group groups[WORLD_GROUPS_MAX];
};

/* Watches the world from now on. */
void checker_init(struct checker *checker, struct world *world);

/* After every advance of the world. */
void checker_look(struct checker *checker, const struct world *world);

/* After the last fault healed and some time passed. */
void checker_finish(struct checker *checker, const struct world *world);

/* "S1" ... */
const char *check_text(enum check check);

/* Notes the first violation. */
void check_violated(struct checker *checker, const struct world *world, enum check check,
		    uint8_t group, const char *what);

/* check_owners.c: S1, S2 */
void check_owners(struct checker *checker, const struct world *world, uint8_t group);
void check_owners_claim(struct checker *checker, const struct world *world, uint8_t machine,
			uint8_t group);

/* check_words.c: S3, S6, and who heard whom */
void check_words_taken(struct checker *checker, const struct world *world,
		       const struct world_flight *flight, int64_t received_ns);
void check_words_sent(struct checker *checker, const struct world *world, uint8_t machine,
		      const struct hbd_packet *packet);
void check_words_changed(struct checker *checker, uint8_t machine, const struct hbd_action *action);
void check_words_claim(struct checker *checker, const struct world *world, uint8_t machine,
		       const struct hbd_action *action);

void check_words_lease(struct checker *checker, const struct world *world, uint8_t machine,
		       const struct hbd_action *action);

/* The witness always decides: with "serve" it does not while it is lost. */
static inline bool check_is_strict(const struct world *world)
{
	return world->witness.present && !world->machines[0].config.serve_without;
}

/* check_forged.c: S4; before and after such a packet was taken in */
void check_forged(struct checker *checker, const struct world *world,
		  const struct world_flight *flight, bool taken);

/* check_deeds.c: S5, S9 */
void check_deeds(struct checker *checker, const struct world *world, uint8_t machine,
		 const struct hbd_action *action);

/* check_progress.c: L1, L2, L5, F1, F2 */
void check_progress(struct checker *checker, const struct world *world);
void check_progress_claim(struct checker *checker, const struct world *world, uint8_t group);
void check_progress_end(struct checker *checker, const struct world *world);
