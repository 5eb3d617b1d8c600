/*
 * Ownership is a lease: both sides of it, for one group (DESIGN.md 5, profile.h for the rule).
 *
 * Holder: may answer until held_until_ns, which counts from the moment the renewal was SENT.
 * Granter: supports nobody but the peer until promised_until_ns, which counts from the moment of
 * the grant. Without a witness the holder renews by itself while the peer could not claim anyway
 * (availability mode); it never does so while it hears the peer but gets no grant, because then
 * the peer is about to claim. With a witness it never does so: the peer's vote or the witness's
 * extends the lease.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "limits.h"
#include "profile.h"

struct hbd_lease {
	bool held;
	int64_t held_until_ns;		/* the later of the next two; 0 = not held */
	int64_t granted_until_ns;	/* by the peer's vote, or by itself without a witness */
	int64_t voted_until_ns;		/* by the witness's vote; 0 = without it */
	int64_t promised_until_ns;	/* 0 = no promise */
};

/* When the last renewals were sent, and for which term. */
struct hbd_sent {
	uint64_t newest;		/* newest hb_seq recorded; 0 = none */
	int64_t sent_ns[HBD_SENT_MAX];	/* slot hb_seq % HBD_SENT_MAX */
	int64_t term_ns[HBD_SENT_MAX];
};

/* Records that renewal hb_seq (one more than the one before) was sent at sent_ns for term_ns. */
void hbd_sent_record(struct hbd_sent *sent, uint64_t hb_seq, int64_t sent_ns, int64_t term_ns);

/*
 * The end of the lease that renewal hb_seq asked for, or 0 if it is unknown or too old. Never later
 * than what any renewal since asked for: once a shorter term was announced, the granter may count on
 * it, and a late grant of a long one must not outlive it.
 */
int64_t hbd_sent_lease_end(const struct hbd_sent *sent, uint64_t hb_seq);

/* True if heartbeat hb_seq was sent after since_ns, and is not too old to be known. */
bool hbd_sent_after(const struct hbd_sent *sent, uint64_t hb_seq, int64_t since_ns);

/* The own clock stood still for stood_ns before now: all that was sent was sent so much earlier. */
void hbd_sent_shift(struct hbd_sent *sent, int64_t stood_ns);
void hbd_lease_shift(struct hbd_lease *lease, int64_t stood_ns);

/* Take the lease at a claim, and let go of it. */
void hbd_lease_take(struct hbd_lease *lease, int64_t until_ns);
void hbd_lease_drop(struct hbd_lease *lease);

/*
 * The holder's renewal: granted_until_ns is until_ns. The end may come nearer too: when a short term
 * follows a long one.
 */
void hbd_lease_renew(struct hbd_lease *lease, int64_t until_ns);

/* Likewise the witness's vote. */
void hbd_lease_vote(struct hbd_lease *lease, int64_t until_ns);

/* True once a held lease has run out: at held_until_ns exactly it is over. */
bool hbd_lease_is_over(const struct hbd_lease *lease, int64_t now_ns);

/*
 * The granter's promise for a renewal of term_ns received at received_ns. It replaces the promise
 * before, because the holder's newest word on when it will be silent is the one that counts: it
 * lowers its deadline before it announces a shorter term. Only for the newest renewal.
 */
void hbd_lease_promise(struct hbd_lease *lease, const struct hbd_profile *profile,
		       int64_t received_ns, int64_t term_ns);

/* The peer let go of it. */
void hbd_lease_forget_promise(struct hbd_lease *lease);

/* True while a promise binds: at promised_until_ns exactly it no longer does. */
bool hbd_lease_is_promised(const struct hbd_lease *lease, int64_t now_ns);
