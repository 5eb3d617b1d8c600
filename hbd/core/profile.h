/*
 * Detection and lease times: the four profiles and the arithmetic that ties them together.
 *
 * The rule that makes a lease safe without a bound on network delay (DESIGN.md 5; Gray and
 * Cheriton, SOSP 1989; PaxosLease, arXiv 1209.4187):
 *
 *	the holder counts Lh from the moment it SENT the renewal,
 *	the granter counts Lg from the moment it GRANTED, and
 *	Lg >= Lh (1 + rho) / (1 - rho),
 *
 * with rho the largest relative error of either node's clock, 1e-3 here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* rho = 1 / HBD_RHO_INVERSE */
#define HBD_RHO_INVERSE 1000

enum hbd_profile_name {
	HBD_PROFILE_UNSET = 0,
	HBD_PROFILE_WAN,
	HBD_PROFILE_LAN,
	HBD_PROFILE_FAST,
	HBD_PROFILE_TURBO,
};

struct hbd_profile {
	int64_t interval_ns;	/* T: between heartbeats */
	int64_t hold_ns;	/* Lh: the primary may answer until sent + Lh */
	int64_t grant_ns;	/* Lg: the peer supports nobody else until granted + Lg */
	int64_t suspect_ns;	/* silence after which probes start; >= 1.5 T, about Lg / 2 */
	int64_t probe_gap_ns;	/* between probes; four fit between suspicion and Lg */
	int64_t quiet_ns;	/* restart silence: >= Lg, a forgotten promise is over by then */
	int64_t alone_ns;	/* a node that never heard its peer waits this long before a claim */
	int64_t long_ns;	/* term of a lease while nobody could take over; < alone_ns */
	bool grant_at_once;	/* Lh < 4 T: a renewal is answered at once, not with the next tick */
};

/* The times of a named profile. name must be one of the four. */
struct hbd_profile hbd_profile_get(enum hbd_profile_name name);

/* The name's enum for "wan", "lan", "fast", "turbo"; HBD_PROFILE_UNSET for anything else. */
enum hbd_profile_name hbd_profile_parse(const char *text);

/* "wan" ... ; name must be one of the four. */
const char *hbd_profile_text(enum hbd_profile_name name);

/*
 * How long a granter must keep its promise so that a holder whose clock runs at any rate within
 * rho has let go of a lease of term_ns: term (1 + rho) / (1 - rho), rounded up. term_ns >= 0.
 */
int64_t hbd_profile_promise_ns(int64_t term_ns);

/* True when the times obey the inequalities above; every profile does, a test mutates them. */
bool hbd_profile_is_safe(const struct hbd_profile *profile);
