#include "run.h"

#include <stddef.h>
#include <string.h>

#define STORM_NS (60 * HBD_S_NS)	/* faults happen that long */
#define CALM_NS (25 * HBD_S_NS)		/* then all is well again by then; > the time "alone" */

static void apply_mutant(struct world *world, enum mutant mutant)
{
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		struct hbd_profile *profile = &world->machines[i].config.profile;

		switch (mutant) {
		case MUTANT_NONE:
		case MUTANT_COUNT:
			break;
		case MUTANT_LEASE:
			world->overtime_ns = profile->hold_ns / 2;
			break;
		case MUTANT_NO_SILENCE:
			profile->quiet_ns = 0;
			profile->alone_ns = 0;
			break;
		case MUTANT_NO_REANNOUNCE:
			world->deaf_to_announcements_after_first = true;
			break;
		}
	}
}

static void run_until(struct world *world, struct faults *faults, struct checker *checker,
		      int64_t until_ns)
{
	while (world->now_ns < until_ns) {
		int64_t next_ns = hbd_time_min(until_ns, faults_apply(faults, world));

		checker_look(checker, world);
		while (world_advance(world, next_ns))
			checker_look(checker, world);
	}
}

struct run_result run_seed(uint64_t seed, enum hbd_profile_name profile, enum mutant mutant,
			   bool trace)
{
	uint8_t group_count = (uint8_t)(1 + seed % 2);
	struct world *world = world_new(seed, profile, group_count);
	struct run_result result = { 0 };
	struct checker checker;
	struct faults faults;

	world->trace = trace;
	world->refusal_permille = 10;
	world->plugin_failure_permille = 10;
	world->plugin_again_permille = 100;
	apply_mutant(world, mutant);
	checker_init(&checker, world);
	faults_draw(&faults, seed, HBD_S_NS, STORM_NS, group_count);
	if (trace)
		faults_print(&faults);
	world_start(world, 0);
	world_run(world, world_between(&world->random, 1, HBD_S_NS));
	world_start(world, 1);
	run_until(world, &faults, &checker, STORM_NS);
	faults_heal(&faults, world);
	run_until(world, &faults, &checker, STORM_NS + CALM_NS);
	checker_finish(&checker, world);

	result.violation = checker.violation;
	result.violated_ns = checker.violated_ns;
	result.group = checker.group;
	result.simulated_ns = world->now_ns;
	result.steps = world->steps;
	result.changes = world->changes;
	faults_free(&faults);
	world_free(world);
	return result;
}
