/*
 * One seed: a world, its faults, its checker. Storms of faults alternate with calm, in which all
 * that must happen in the end has to happen.
 */
#pragma once

#include "checker.h"
#include "faults.h"

/* What to break on purpose, to see that the checker notices. */
enum mutant {
	MUTANT_NONE = 0,
	MUTANT_LEASE,		/* S1: addresses answer half a term longer than their lease */
	MUTANT_LEASE_SEEN,	/* S2: the same */
	MUTANT_NO_SILENCE,	/* S6: a restarted node does not wait */
	MUTANT_NO_EPOCH_FILE,	/* S3: a restarted node uses its numbers again */
	MUTANT_FORGER,		/* S4: genuine packets are said to be forged */
	MUTANT_NO_FENCE,	/* S5: renewed leases do not reach the kernel */
	MUTANT_BOLD,		/* S7: the nodes are not told of the gateway */
	MUTANT_DISOBEDIENT,	/* S8: engines are not told of maintenance */
	MUTANT_HASTY_GUARDIAN,	/* S9: plugins are said to have ended before they did */
	MUTANT_SLOW,		/* L1: the standby waits for three times as long */
	MUTANT_NO_REANNOUNCE,	/* L2: the winner does not announce again when the loser let go */
	MUTANT_MODEST,		/* L5: each prefers the other, and is patient */
	MUTANT_NERVOUS,		/* F1: leases shorter than T */
	MUTANT_HASTY,		/* F2: leases that a hiccup or a lost packet ends */
	MUTANT_COUNT
};

/* Sanitizers slow a simulation down: tests do less of it then unless they are told how much. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RUN_IS_SLOW true
#else
#define RUN_IS_SLOW false
#endif

struct run_plan {
	uint64_t seed;
	enum hbd_profile_name profile;
	enum mutant mutant;
	int64_t length_ns;	/* 0 = one storm and one calm */
	int64_t storm_ns;	/* a storm lasts so long; 0 = 60 s */
	bool no_calm;		/* what must happen in the end is not waited for */
	const uint32_t *kept;	/* numbers of the faults that happen; NULL = all */
	size_t kept_count;
	const struct fault *given;	/* these happen, instead of drawn ones; or NULL */
	size_t given_count;
	bool trace;		/* print the faults, changes of role and alerts */
	struct flight_recorder *recorders[HBD_NODES];	/* as in struct world */
	uint64_t recorded_steps;	/* of each; the one after them is not survived; 0 = all are */
	bool rows;		/* print the faults as rows for named.c */
	void (*look)(const struct world *world);	/* called after every advance; or NULL */
};

struct run_result {
	enum check violated;		/* UNSET = none */
	const char *violation;
	int64_t violated_ns;
	uint8_t group;
	int64_t simulated_ns;
	uint64_t steps;
	uint64_t changes;
	uint64_t hash;			/* of all that happened */
	uint32_t faults;		/* drawn */
};

struct run_result run_seed(const struct run_plan *plan);

/* The profile that a seed draws for itself. */
enum hbd_profile_name run_profile(uint64_t seed);
