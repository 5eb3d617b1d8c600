/* L1, L2, L5, F1, F2: that groups are served, and are not moved without need. */
#include "checker.h"

#define TAKEOVER_NS (60 * HBD_MS_NS)	/* a plugin, the kernel, the questions on the LAN */
#define REACHED_NS (2 * HBD_S_NS)	/* by clients that hear announcements */
#define ASKED_NS (60 * HBD_S_NS)	/* by others: 45 s trust, 5 s doubt, questions */
#define STRANGER_NS (5 * HBD_S_NS)	/* so long it may be believed to be there when it is gone */
#define CLAIMS_FREE 3

static enum hbd_role role(const struct world *world, uint8_t machine, uint8_t group)
{
	return world->machines[machine].node.groups[group].role;
}

/* So long a witness may hold to a vote that nobody uses. */
static int64_t vote_ns(const struct checker *checker, const struct world *world)
{
	return world->witness.present ? 2 * checker->profile.long_ns : 0;
}

/* So long it takes two that hear each other to agree, whatever was before. */
static int64_t settling_ns(const struct checker *checker, const struct world *world)
{
	const struct hbd_profile *profile = &checker->profile;

	return 2 * HBD_S_NS + 2 * (profile->quiet_ns + profile->grant_ns +
				   10 * profile->interval_ns) + vote_ns(checker, world);
}

/* A refused address or a plugin that failed is tried again later; then it counts from there. */
static bool is_calm(struct checker *checker, const struct world *world, uint8_t group)
{
	for (uint8_t i = 0; i < HBD_NODES; i++)
		if (role(world, i, group) == HBD_ROLE_FAULT)
			checker->calm_ns = HBD_NEVER_NS;
	return checker->calm_ns != HBD_NEVER_NS &&
	       world->now_ns >= hbd_time_add(checker->calm_ns, settling_ns(checker, world));
}

/* ---- L1 ---------------------------------------------------------------------------------------- */

static bool is_steady(const struct world *world, uint8_t owner, uint8_t group)
{
	return role(world, owner, group) == HBD_ROLE_PRIMARY &&
	       role(world, (uint8_t)(1 - owner), group) == HBD_ROLE_SECONDARY &&
	       world->machines[1 - owner].life == WORLD_RUNNING;
}

/* A vote that the owner had asked for, as it does when heartbeats are lost, outlives the owner. */
static int64_t voted_ns(const struct checker *checker, const struct world *world, uint8_t machine,
			uint8_t group)
{
	return world->witness.records[group].record.holder == machine ? vote_ns(checker, world) : 0;
}

/* The engine that owned is gone, and it did not say good-bye. */
static void note_crash(struct checker *checker, const struct world *world, uint8_t machine,
		       bool was_calm)
{
	int64_t grant_ns = checker->profile.grant_ns;

	for (uint8_t i = 0; i < world->group_count && was_calm; i++) {
		if (!is_steady(world, machine, i) || world->machines[machine].stopped)
			continue;
		checker->groups[i].crash = world->faults_begun;
		checker->groups[i].crashed = machine;
		checker->groups[i].served_by_ns = world->now_ns + grant_ns +
						  2 * grant_ns / HBD_RHO_INVERSE + TAKEOVER_NS +
						  voted_ns(checker, world, machine, i);
	}
}

static void check_crash(struct checker *checker, const struct world *world, uint8_t index)
{
	struct checker_group *group = &checker->groups[index];
	int64_t talk_ns = 0;

	if (group->served_by_ns == HBD_NEVER_NS)
		return;
	if (world->machines[group->crashed].life != WORLD_DEAD)
		talk_ns = 2 * checker->profile.interval_ns;
	/* what is seen now may be the next fault's doing */
	if (world->faults_begun != group->crash) {
		group->served_by_ns = HBD_NEVER_NS;
	} else if (world->now_ns >= group->served_by_ns + talk_ns) {
		if (group->owner < 0)
			check_violated(checker, world, CHECK_L1, index, "nobody took over in time");
		group->served_by_ns = HBD_NEVER_NS;
	}
}

/* ---- L2, L5 ------------------------------------------------------------------------------------ */

static void check_clients(struct checker *checker, const struct world *world, uint8_t index)
{
	struct checker_group *group = &checker->groups[index];
	bool told = checker->lan_ns <= group->owned_ns && !group->unknowing;
	int64_t limit_ns = told ? REACHED_NS : ASKED_NS;

	/* a rival that is no longer heard may have let go, or not, until it is silent */
	if (told && checker->joined_ns == HBD_NEVER_NS)
		limit_ns += checker->profile.grant_ns + checker->profile.interval_ns;

	for (uint8_t client = 0; client < WORLD_CLIENTS; client++) {
		int64_t *wrong_ns = &group->wrong_ns[client];

		/* an engine that does not run cannot announce, and will have no lease soon */
		if (group->owner < 0 || checker->lan_ns == HBD_NEVER_NS ||
		    world->machines[group->owner].life != WORLD_RUNNING ||
		    world_reaches(world, client, index))
			*wrong_ns = world->now_ns;
		else if (world->now_ns - hbd_time_max(*wrong_ns, group->owned_ns) > limit_ns)
			check_violated(checker, world, CHECK_L2, index,
				       "a client does not reach the owner");
	}
}

static void check_standing(struct checker *checker, const struct world *world, uint8_t index)
{
	const struct hbd_profile *profile = &checker->profile;
	int64_t *since_ns = &checker->groups[index].standing_ns;
	bool standing = checker->joined_ns != HBD_NEVER_NS;

	for (uint8_t i = 0; i < HBD_NODES; i++)
		standing = standing && role(world, i, index) == HBD_ROLE_SECONDARY;
	/* two that abstain stand by without end; one leaves it to the other */
	standing = standing && !(world->machines[0].abstains && world->machines[1].abstains);
	/* what the pair did not use yet is left to a stranger, and is asked for once a second */
	if (world->lan.stranger[index])
		checker->groups[index].stranger_ns = world->now_ns;
	if (!standing || world->now_ns < checker->groups[index].stranger_ns + STRANGER_NS)
		*since_ns = HBD_NEVER_NS;
	else if (*since_ns == HBD_NEVER_NS)
		*since_ns = world->now_ns;
	else if (world->now_ns - *since_ns > profile->quiet_ns + 3 * profile->grant_ns +
						      14 * profile->interval_ns + HBD_S_NS +
						      vote_ns(checker, world))
		check_violated(checker, world, CHECK_L5, index, "both stand by");
}

/* A planned move of the pair's own accord: for some packets' time nobody announces, but clients are
 * answered. */
static bool is_moving(const struct checker *checker, const struct world *world, uint8_t index)
{
	int64_t since_ns = checker->groups[index].unanswered_ns;

	return since_ns != HBD_NEVER_NS &&
	       world->now_ns - since_ns < checker->profile.grant_ns + TAKEOVER_NS &&
	       (world_takes(world, 0, index) || world_takes(world, 1, index));
}

static void check_group(struct checker *checker, const struct world *world, uint8_t index)
{
	const struct checker_group *group = &checker->groups[index];

	check_crash(checker, world, index);
	check_clients(checker, world, index);
	check_standing(checker, world, index);
	if (!is_calm(checker, world, index) || group->owner >= 0 ||
	    is_moving(checker, world, index))
		return;
	check_violated(checker, world, CHECK_L2, index,
		       group->unanswered_ns == HBD_NEVER_NS ? "two owners in calm"
							     : "no owner in calm");
}

void check_progress(struct checker *checker, const struct world *world)
{
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		bool lives = world->machines[i].life != WORLD_DEAD;

		/* what another process goes on from is no crash */
		if (checker->lives[i] && !lives && !world->machines[i].state)
			note_crash(checker, world, i, checker->was_calm);
		checker->lives[i] = lives;
	}
	for (uint8_t i = 0; i < world->group_count; i++)
		check_group(checker, world, i);
	checker->was_calm = is_calm(checker, world, 0);
}

/* ---- F1, F2 ------------------------------------------------------------------------------------ */

void check_progress_claim(struct checker *checker, const struct world *world, uint8_t index)
{
	struct checker_group *group = &checker->groups[index];
	uint64_t reasons = world->faults_begun + world->faults_over + world->stalls +
			   checker->nodes[0].lives + checker->nodes[1].lives;

	group->claims++;
	if (checker->harmless && group->claims > 1)
		check_violated(checker, world, CHECK_F2, index, "noise moved a group");
	if (group->claims > CLAIMS_FREE + 2 * reasons)
		check_violated(checker, world, CHECK_F1, index, "it moves by itself");
}

void check_progress_end(struct checker *checker, const struct world *world)
{
	for (uint8_t i = 0; i < world->group_count; i++)
		if (checker->groups[i].owner < 0)
			check_violated(checker, world, CHECK_L2, i, "not one owner in the end");
}
