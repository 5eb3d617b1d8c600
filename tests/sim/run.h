/* One seed: a world, its faults, its checker. */
#pragma once

#include "checker.h"
#include "faults.h"

/* What to break on purpose, to see that the checker notices. */
enum mutant {
	MUTANT_NONE = 0,
	MUTANT_LEASE,		/* the holder counts on half a term more than it was granted */
	MUTANT_NO_SILENCE,	/* a restarted node does not wait */
	MUTANT_NO_REANNOUNCE,	/* the winner does not announce again when the loser let go */
	MUTANT_COUNT
};

struct run_result {
	const char *violation;		/* NULL = none */
	int64_t violated_ns;
	uint8_t group;
	int64_t simulated_ns;
	uint64_t steps;
	uint64_t changes;
};

/* Runs a seed; trace prints the faults, changes of role and alerts. */
struct run_result run_seed(uint64_t seed, enum hbd_profile_name profile, enum mutant mutant,
			   bool trace);
