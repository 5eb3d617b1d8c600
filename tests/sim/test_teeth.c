/*
 * The simulator bites: each way to break the protocol is found within a few seeds. What is broken
 * is the configuration or the world, so the object files are those of the daemon.
 */
#include <sodium.h>
#include <stdio.h>

#include "run.h"

#define SEEDS 3000

static const char *const texts[MUTANT_COUNT] = {
	[MUTANT_LEASE] = "a lease that outlasts the promise",
	[MUTANT_NO_SILENCE] = "no restart silence",
	[MUTANT_NO_REANNOUNCE] = "no announcement after the loser let go",
};

static unsigned long seeds_until_found(enum mutant mutant, const char **ret_violation)
{
	for (unsigned long seed = 1; seed <= SEEDS; seed++) {
		struct run_result result = run_seed(seed, HBD_PROFILE_LAN, mutant, false);

		if (result.violation != NULL) {
			*ret_violation = result.violation;
			return seed;
		}
	}
	return 0;
}

int main(void)
{
	int missed = 0;

	if (sodium_init() < 0)
		return 1;
	for (int mutant = MUTANT_NONE + 1; mutant < MUTANT_COUNT; mutant++) {
		const char *violation = "";
		unsigned long seed = seeds_until_found((enum mutant)mutant, &violation);

		if (seed == 0) {
			printf("not ok %s was not noticed in %d seeds\n", texts[mutant], SEEDS);
			missed++;
		} else {
			printf("ok %s is noticed at seed %lu: %s\n", texts[mutant], seed,
			       violation);
		}
	}
	return missed;
}
