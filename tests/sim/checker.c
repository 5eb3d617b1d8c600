#include "checker.h"

#include <stddef.h>

static void violate(struct checker *checker, const struct world *world, uint8_t group,
		    const char *what)
{
	if (checker->violation != NULL)
		return;
	checker->violation = what;
	checker->violated_ns = world->now_ns;
	checker->group = group;
}

/* No link carries what the machine sends. */
static bool is_mute(const struct world *world, uint8_t machine)
{
	for (uint8_t link = 0; link < WORLD_LINKS; link++)
		if (!world->paths[machine][link].cut)
			return false;
	return true;
}

/* P6: so long after a cut has healed there is one owner. */
static int64_t healing_ns(const struct world *world)
{
	return 2 * hbd_profile_get(world->profile).interval_ns + 10 * HBD_MS_NS;
}

/*
 * Two owners are to be expected without a witness: from a total cut until it has healed, and then
 * until an engine that was frozen or killed meanwhile can learn of it, or its lease ends.
 */
static bool may_be_two(const struct checker *checker, const struct world *world, uint8_t group)
{
	int64_t healed_ns = checker->parted_ns;

	for (uint8_t i = 0; i < HBD_NODES; i++) {
		if (world->machines[i].life == WORLD_RUNNING)
			continue;
		/* or it can neither be heard nor asked, and died with a long lease */
		if (checker->lease_apart[i][group] || (is_mute(world, i) && world->lan_cut))
			return true;
	}
	if (checker->excused[group])
		healed_ns = hbd_time_max(checker->together_ns, checker->frozen_ns);
	return checker->apart_since_ns != HBD_NEVER_NS || checker->deaf ||
	       world->now_ns < hbd_time_add(healed_ns, healing_ns(world));
}

/* S3: a new owner's epoch is higher than any before. Two that part may both count on. */
static void check_epoch(struct checker *checker, const struct world *world, uint8_t machine,
			const struct hbd_action *action)
{
	bool apart = is_mute(world, 0) || is_mute(world, 1);
	uint64_t *highest = &checker->epoch[action->group];

	(void)machine;
	if (action->changed.to != HBD_ROLE_CLAIMING)
		return;
	/* who starts alone cannot know what was used while it was away */
	if (action->reason == HBD_REASON_ALONE)
		apart = true;
	if (action->epoch <= *highest && !apart && !checker->claimed_apart[action->group])
		violate(checker, world, action->group, "S3: an epoch was used before");
	checker->claimed_apart[action->group] = apart;
	if (action->epoch > *highest)
		*highest = action->epoch;
}

/* S5: nobody announces what it does not hold. */
static void check_announcement(struct checker *checker, const struct world *world,
			       uint8_t machine, const struct hbd_action *action)
{
	if (!world_answers(world, machine, action->group))
		violate(checker, world, action->group, "S5: announced without a lease");
}

/*
 * A process that starts or wakes and hears nobody takes the pair for itself in the end, even if it
 * is merely deaf, unless somebody answers for it on the LAN.
 */
static void note_deaf(struct checker *checker, const struct world *world)
{
	bool broken = is_mute(world, 0) || is_mute(world, 1);

	for (uint8_t i = 0; i < HBD_NODES; i++) {
		if (broken && (world->lives[i] != checker->lives[i] ||
			       world->machines[i].life == WORLD_FROZEN))
			checker->starts_deaf = true;
		checker->lives[i] = world->lives[i];
	}
	if (!broken && world->machines[0].life == WORLD_RUNNING &&
	    world->machines[1].life == WORLD_RUNNING)
		checker->starts_deaf = checker->deaf = false;
	checker->deaf = checker->deaf || (checker->starts_deaf && world->lan_cut);
}

static void watch(void *context, const struct world *world, uint8_t machine,
		  const struct hbd_action *action)
{
	struct checker *checker = context;

	if (action->type == HBD_ACTION_CHANGED)
		check_epoch(checker, world, machine, action);
	else if (action->type == HBD_ACTION_LEASE)
		checker->lease_apart[machine][action->group] =
			world->now_ns < hbd_time_add(checker->parted_ns, healing_ns(world));
	else if (action->type == HBD_ACTION_ANNOUNCE)
		check_announcement(checker, world, machine, action);
}

void checker_init(struct checker *checker, struct world *world)
{
	*checker = (struct checker){ .apart_since_ns = HBD_NEVER_NS };
	checker->together_ns = -HBD_S_NS;
	checker->parted_ns = -HBD_S_NS;
	checker->frozen_ns = -HBD_S_NS;
	world->watch = watch;
	world->watch_context = checker;
}

void checker_look(struct checker *checker, const struct world *world)
{
	/* parted by a cut in both directions, together again when both are open */
	bool apart = is_mute(world, 0) && is_mute(world, 1);
	bool together = !is_mute(world, 0) && !is_mute(world, 1);

	/* while they see each other on the LAN neither claims */
	if (apart && world->lan_cut && checker->apart_since_ns == HBD_NEVER_NS)
		checker->apart_since_ns = world->now_ns;
	if (checker->apart_since_ns != HBD_NEVER_NS || checker->deaf)
		checker->parted_ns = world->now_ns;
	if (together)
		checker->apart_since_ns = HBD_NEVER_NS;
	else
		checker->together_ns = world->now_ns;
	note_deaf(checker, world);
	for (uint8_t i = 0; i < HBD_NODES; i++)
		if (world->machines[i].life != WORLD_RUNNING)
			checker->frozen_ns = world->now_ns;
	for (uint8_t group = 0; group < world->group_count; group++) {
		bool answers[HBD_NODES];

		for (uint8_t i = 0; i < HBD_NODES; i++) {
			answers[i] = world_answers(world, i, group);
			if (answers[i])
				checker->last_answer_ns[group][i] = world->now_ns;
		}
		checker->excused[group] = answers[0] && answers[1] &&
					  may_be_two(checker, world, group);
		if (answers[0] && answers[1] && !checker->excused[group])
			violate(checker, world, group, "S1: two owners");
	}
}

void checker_finish(struct checker *checker, const struct world *world)
{
	for (uint8_t group = 0; group < world->group_count; group++) {
		bool first = world_answers(world, 0, group);
		bool second = world_answers(world, 1, group);
		uint8_t owner = second ? 1 : 0;

		if (first == second) {
			violate(checker, world, group, first ? "L2: two owners in the end"
							     : "L2: no owner in the end");
			continue;
		}
		/* what neighbours have cached is right: the owner spoke after the other let go */
		if (world->machines[owner].kernel[group].announced_ns <
		    checker->last_answer_ns[group][1 - owner])
			violate(checker, world, group,
				"L2: the owner did not announce after the other let go");
	}
}
