/*
 * The simulator bites: for each invariant something is broken, and the checker finds it within some
 * seeds. What is broken is the configuration or the world, so the object files are those of the
 * daemon. Looked at first is the seed that found it last time.
 */
#include <sodium.h>
#include <stdio.h>

#include "run.h"

#define SEEDS 3000

static const struct {
	const char *text;
	unsigned long seed;	/* where it was found; a change of the simulator may move that */
} rows[MUTANT_COUNT] = {
	[MUTANT_LEASE] = { "a lease that outlasts the promise", 3 },
	[MUTANT_LEASE_SEEN] = { "an address that answers after its lease", 1 },
	[MUTANT_NO_SILENCE] = { "no restart silence", 1 },
	[MUTANT_NO_EPOCH_FILE] = { "an epoch that is used again", 7 },
	[MUTANT_FORGER] = { "a forged packet that changes something", 1 },
	[MUTANT_NO_FENCE] = { "an announcement without a lease", 1 },
	[MUTANT_BOLD] = { "a claim of who is cut off", 68 },
	[MUTANT_DISOBEDIENT] = { "a claim in maintenance", 39 },
	[MUTANT_HASTY_GUARDIAN] = { "a plugin that is started while another runs", 1 },
	[MUTANT_SLOW] = { "a takeover that comes late", 3 },
	[MUTANT_NO_REANNOUNCE] = { "no announcement after the loser let go", 359 },
	[MUTANT_MODEST] = { "two that leave it to each other", 3 },
	[MUTANT_NERVOUS] = { "a group that moves to and fro", 31 },
	[MUTANT_HASTY] = { "a group that noise moves", 2 },
};

static bool is_found(enum mutant mutant, unsigned long seed, struct run_result *ret_result)
{
	*ret_result = run_seed(&(struct run_plan){
		.seed = seed, .profile = HBD_PROFILE_LAN, .mutant = mutant });
	return ret_result->violation != NULL;
}

/* The seed, or 0. */
static unsigned long find(enum mutant mutant, struct run_result *ret_result)
{
	if (is_found(mutant, rows[mutant].seed, ret_result))
		return rows[mutant].seed;
	printf("# %s: no longer noticed at seed %lu; looking for another\n", rows[mutant].text,
	       rows[mutant].seed);
	for (unsigned long seed = 1; seed <= SEEDS; seed++)
		if (is_found(mutant, seed, ret_result))
			return seed;
	return 0;
}

int main(void)
{
	int missed = 0;

	if (sodium_init() < 0)
		return 1;
	for (int mutant = MUTANT_NONE + 1; mutant < MUTANT_COUNT; mutant++) {
		struct run_result result;
		unsigned long seed = find((enum mutant)mutant, &result);

		if (seed == 0) {
			printf("not ok %s was not noticed in %d seeds\n", rows[mutant].text, SEEDS);
			missed++;
		} else {
			printf("ok %s is noticed at seed %lu: %s: %s\n", rows[mutant].text, seed,
			       check_text(result.violated), result.violation);
		}
	}
	return missed > 0;
}
