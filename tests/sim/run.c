#include "run.h"

#include <stddef.h>
#include <string.h>

#define STORM_NS (60 * HBD_S_NS)	/* faults happen that long */
#define CALM_NS (25 * HBD_S_NS)		/* then all is well again, some T later */
#define CALM_INTERVALS 50
#define START_NS HBD_S_NS		/* the second machine starts within that */

static void break_profile(struct hbd_node_config *config, enum mutant mutant)
{
	struct hbd_profile *profile = &config->profile;

	switch (mutant) {
	case MUTANT_NO_SILENCE:
		profile->quiet_ns = 0;
		profile->alone_ns = 0;
		break;
	case MUTANT_SLOW:
		profile->grant_ns *= 3;
		break;
	case MUTANT_MODEST:
		for (uint8_t i = 0; i < config->group_count; i++)
			config->groups[i].prefer = (uint8_t)(1 - config->self);
		profile->quiet_ns *= 20;
		break;
	case MUTANT_NERVOUS:
		profile->hold_ns = profile->interval_ns / 2;
		break;
	case MUTANT_HASTY:
		profile->hold_ns = profile->interval_ns / 4;
		break;
	case MUTANT_NONE:
	case MUTANT_LEASE:
	case MUTANT_LEASE_SEEN:
	case MUTANT_NO_EPOCH_FILE:
	case MUTANT_FORGER:
	case MUTANT_NO_FENCE:
	case MUTANT_BOLD:
	case MUTANT_DISOBEDIENT:
	case MUTANT_HASTY_GUARDIAN:
	case MUTANT_NO_REANNOUNCE:
	case MUTANT_COUNT:
		break;
	}
}

/* What is looked for is named in run.h; what else the same fault breaks is not looked at. */
static uint64_t disarmed(enum mutant mutant)
{
	static const enum check looked_for[MUTANT_COUNT] = {
		[MUTANT_LEASE] = CHECK_S1, [MUTANT_LEASE_SEEN] = CHECK_S2,
		[MUTANT_NO_SILENCE] = CHECK_S6,
		[MUTANT_NO_EPOCH_FILE] = CHECK_S3, [MUTANT_FORGER] = CHECK_S4,
		[MUTANT_NO_FENCE] = CHECK_S5,
		[MUTANT_BOLD] = CHECK_S7,
		[MUTANT_DISOBEDIENT] = CHECK_S8,
		[MUTANT_HASTY_GUARDIAN] = CHECK_S9, [MUTANT_SLOW] = CHECK_L1,
		[MUTANT_NO_REANNOUNCE] = CHECK_L2, [MUTANT_MODEST] = CHECK_L5,
		[MUTANT_NERVOUS] = CHECK_F1, [MUTANT_HASTY] = CHECK_F2,
	};

	return mutant == MUTANT_NONE ? 0 : ~(UINT64_C(1) << looked_for[mutant]);
}

static void apply_mutant(struct world *world, enum mutant mutant)
{
	const struct hbd_profile *profile = &world->machines[0].config.profile;

	if (mutant == MUTANT_LEASE || mutant == MUTANT_LEASE_SEEN)
		world->mutant.overtime_ns = profile->hold_ns / 2;
	world->mutant.deaf_to_announcements_after_first = mutant == MUTANT_NO_REANNOUNCE;
	world->mutant.deaf_fence = mutant == MUTANT_NO_FENCE;
	world->mutant.forger = mutant == MUTANT_FORGER;
	world->mutant.disobedient = mutant == MUTANT_DISOBEDIENT;
	world->mutant.hasty_guardian = mutant == MUTANT_HASTY_GUARDIAN;
	world->mutant.no_epoch_file = mutant == MUTANT_NO_EPOCH_FILE;
	for (uint8_t i = 0; i < HBD_NODES; i++)
		break_profile(&world->machines[i].config, mutant);
}

static void look(const struct run_plan *plan, const struct world *world, struct checker *checker)
{
	checker_look(checker, world);
	if (plan->look)
		plan->look(world);
}

static void run_until(const struct run_plan *plan, struct world *world, struct faults *faults,
		      struct checker *checker, int64_t until_ns)
{
	while (world->now_ns < until_ns && checker->violation == NULL) {
		int64_t next_ns = hbd_time_min(until_ns, faults_apply(faults, world));

		look(plan, world, checker);
		while (checker->violation == NULL && world_advance(world, next_ns))
			look(plan, world, checker);
	}
}

/* Faults, and then the time to get over them. */
static void run_storm(const struct run_plan *plan, struct world *world, struct faults *faults,
		      struct checker *checker)
{
	int64_t from_ns = world->now_ns + START_NS;
	int64_t until_ns = from_ns + (plan->storm_ns ? plan->storm_ns : STORM_NS);
	int64_t calm_ns = CALM_NS + CALM_INTERVALS * checker->profile.interval_ns;

	if (plan->given)
		faults_give(faults, plan->given, plan->given_count);
	else
		faults_draw(faults, from_ns, until_ns, world->group_count);
	if (plan->kept)
		faults_keep(faults, plan->kept, plan->kept_count);
	if (plan->trace)
		faults_print(faults);
	if (plan->rows)
		faults_print_rows(faults);
	run_until(plan, world, faults, checker, until_ns);
	if (plan->no_calm)
		return;
	faults_heal(faults, world);
	run_until(plan, world, faults, checker, until_ns + calm_ns);
}

/* Two of five have a witness; one of these serves without it when it is lost. */
static void set_witness(struct world *world, uint64_t seed)
{
	world->witness.present = seed % 5 < 2;
	for (uint8_t i = 0; i < HBD_NODES; i++)
		world->machines[i].config.serve_without = seed % 5 == 1;
}

/* In one of three the nodes' programs are of different versions, or are replaced by such. */
static void set_versions(struct world *world, uint64_t seed)
{
	world->versions = seed % 3 == 0 ? seed + 1 : 0;
}

/* Two of seven have a gateway. */
static void set_gateway(struct world *world, const struct run_plan *plan)
{
	world->lan.gateway = plan->seed % 7 == 3 || plan->seed % 7 == 5;
	for (uint8_t i = 0; i < HBD_NODES; i++)
		for (uint8_t group = 0; group < world->group_count; group++)
			world->machines[i].config.groups[group].gateway =
				world->lan.gateway && plan->mutant != MUTANT_BOLD;
}

struct run_result run_seed(const struct run_plan *plan)
{
	uint8_t group_count = (uint8_t)(1 + plan->seed % 2);
	struct world *world = world_new(plan->seed, plan->profile, group_count);
	struct checker checker;
	struct faults faults;

	world->trace = plan->trace;
	memcpy(world->recorders, plan->recorders, sizeof(world->recorders));
	world->recorded_steps_max = plan->recorded_steps ? plan->recorded_steps : UINT64_MAX;
	set_witness(world, plan->seed);
	set_gateway(world, plan);
	set_versions(world, plan->seed);
	apply_mutant(world, plan->mutant);
	checker_init(&checker, world);
	checker.disarmed = disarmed(plan->mutant);
	flights_record(&world->flights);
	faults_init(&faults, plan->seed);
	checker.harmless = faults.harmless && !plan->given;
	world_start(world, 0);
	world_run(world, world_between(&world->random, 1, START_NS));
	world_start(world, 1);
	do {
		run_storm(plan, world, &faults, &checker);
	} while (checker.violation == NULL && world->now_ns < plan->length_ns);
	if (checker.violation == NULL && !plan->no_calm)
		checker_finish(&checker, world);

	struct run_result result = {
		.violated = checker.violated,
		.violation = checker.violation,
		.violated_ns = checker.violated_ns,
		.group = checker.group,
		.simulated_ns = world->now_ns,
		.steps = world->steps,
		.changes = world->changes,
		.hash = world->hash,
		.faults = faults.drawn,
	};

	world_free(world);
	return result;
}

enum hbd_profile_name run_profile(uint64_t seed)
{
	static const enum hbd_profile_name names[] = {
		HBD_PROFILE_LAN, HBD_PROFILE_LAN, HBD_PROFILE_LAN, HBD_PROFILE_LAN,
		HBD_PROFILE_LAN, HBD_PROFILE_WAN, HBD_PROFILE_WAN, HBD_PROFILE_FAST,
	};

	return names[seed / 7 % (sizeof(names) / sizeof(names[0]))];
}
