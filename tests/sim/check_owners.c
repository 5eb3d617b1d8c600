/* S1, S1', S2: who answers, and with what right. */
#include "checker.h"

#include <stdio.h>

/* P6: so long after they hear each other again there is one owner. */
static int64_t healing_ns(const struct checker *checker)
{
	return 2 * checker->profile.interval_ns + 10 * HBD_MS_NS;
}

/* The other has no lease, or would have answered a question on the LAN. */
static bool lan_tells(const struct checker *checker, const struct world *world, uint8_t other,
		      uint8_t group)
{
	const struct world_machine *m = &world->machines[other];
	int64_t asked_ns = checker->profile.interval_ns + 3 * HBD_MS_NS;

	if (m->power == WORLD_OFF || world_clock(world, other) >= m->kernel[group].until_ns)
		return true;
	return checker->lan_ns != HBD_NEVER_NS && world->now_ns - checker->lan_ns >= asked_ns &&
	       m->power == WORLD_ON && m->kernel[group].present;
}

void check_owners_claim(struct checker *checker, const struct world *world, uint8_t machine,
			uint8_t group)
{
	const struct checker_node *node = &checker->nodes[machine];
	const struct checker_node *other = &checker->nodes[1 - machine];
	int64_t silence_ns = checker->profile.grant_ns - checker->profile.grant_ns / 100;
	bool unheard = world->now_ns - node->heard_ns >= silence_ns ||
		       world->now_ns - other->heard_ns >= silence_ns;

	if (check_is_strict(world) || !unheard ||
	    lan_tells(checker, world, (uint8_t)(1 - machine), group))
		return;
	checker->groups[group].excused = true;
	checker->groups[group].excused_ns = hbd_time_max(checker->groups[group].excused_ns,
							 world->now_ns);
}

static void check_lease(struct checker *checker, const struct world *world, uint8_t machine,
			uint8_t index)
{
	const struct world_machine *m = &world->machines[machine];
	const struct hbd_group *group = &m->node.groups[index];

	if (m->life != WORLD_RUNNING)
		return;
	if (!group->lease.held || m->kernel[index].until_ns > group->lease.held_until_ns)
		check_violated(checker, world, CHECK_S2, index, "answers without a lease");
}

/* Whoever was an owner already, and then is the only one, may have heard nothing of the other. */
static void note_owner(struct checker *checker, const struct world *world,
		       struct checker_group *group, int owner)
{
	bool woke = owner >= 0 && checker->nodes[owner].power == WORLD_ASLEEP;
	bool owned = owner >= 0 && group->answers[owner];

	if (world->trace)
		printf("%11.3f ms  group %u  answered by %s\n", (double)world->now_ns / 1e6,
		       (unsigned)(group - checker->groups), owner < 0 ? "nobody, or both" :
		       owner == 0 ? "node 0" : "node 1");
	group->unknowing = woke || (owned && checker->nodes[owner].told_ns < group->both_ns);
	group->owned_ns = world->now_ns;
	group->owner = owner;
}

/* During a drain a node takes in what others send to it only while it hears the one that serves. */
static void check_drain(struct checker *checker, const struct world *world, uint8_t machine,
			uint8_t group)
{
	int64_t limit_ns = checker->profile.grant_ns + checker->profile.grant_ns / 100;

	if (world_takes(world, machine, group) && !world_answers(world, machine, group) &&
	    checker->nodes[machine].power == WORLD_ON && !checker->groups[group].excused &&
	    world->now_ns - checker->nodes[machine].heard_ns > limit_ns)
		check_violated(checker, world, CHECK_S2, group,
			       "drains beside an owner it does not hear");
}

void check_owners(struct checker *checker, const struct world *world, uint8_t index)
{
	struct checker_group *group = &checker->groups[index];
	bool first = world_answers(world, 0, index);
	bool second = world_answers(world, 1, index);
	int owner = first == second ? -1 : second;

	if (group->excused && checker->joined_ns != HBD_NEVER_NS &&
	    world->now_ns >= hbd_time_max(checker->joined_ns, group->excused_ns) +
				     healing_ns(checker))
		group->excused = false;
	if (first && second && !group->excused)
		check_violated(checker, world, CHECK_S1, index, "two owners");
	if (first)
		check_lease(checker, world, 0, index);
	if (second)
		check_lease(checker, world, 1, index);
	for (uint8_t i = 0; i < HBD_NODES; i++)
		check_drain(checker, world, i, index);
	if (first && second && !(group->answers[0] && group->answers[1]))
		group->both_ns = world->now_ns;
	if (owner != group->owner)
		note_owner(checker, world, group, owner);
	group->answers[0] = first;
	group->answers[1] = second;
	if (first || second)
		group->unanswered_ns = HBD_NEVER_NS;
	else if (group->unanswered_ns == HBD_NEVER_NS)
		group->unanswered_ns = world->now_ns;
}
