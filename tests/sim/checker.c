#include "checker.h"

static const char *const texts[CHECK_COUNT] = {
	[CHECK_UNSET] = "none",
	[CHECK_S1] = "S1", [CHECK_S2] = "S2", [CHECK_S3] = "S3", [CHECK_S4] = "S4", [CHECK_S5] = "S5",
	[CHECK_S6] = "S6", [CHECK_S7] = "S7", [CHECK_S8] = "S8", [CHECK_S9] = "S9", [CHECK_L1] = "L1",
	[CHECK_L2] = "L2", [CHECK_L5] = "L5", [CHECK_F1] = "F1", [CHECK_F2] = "F2",
};

const char *check_text(enum check check)
{
	return texts[check];
}

void check_violated(struct checker *checker, const struct world *world, enum check check,
		    uint8_t group, const char *what)
{
	if (checker->violation != NULL || (checker->disarmed & UINT64_C(1) << check))
		return;
	checker->violated = check;
	checker->violation = what;
	checker->violated_ns = world->now_ns;
	checker->group = group;
}

/* Its last answer may have waited for an engine that was late by Lg, and counts for Lg. */
static void check_gateway_claim(struct checker *checker, const struct world *world, uint8_t machine,
				const struct hbd_action *action)
{
	int64_t strayed_ns = checker->nodes[machine].strayed_ns;

	if (!world->lan.gateway || strayed_ns == HBD_NEVER_NS ||
	    (action->reason != HBD_REASON_PEER_SILENT && action->reason != HBD_REASON_ALONE))
		return;
	if (world->now_ns - strayed_ns > 3 * checker->profile.grant_ns)
		check_violated(checker, world, CHECK_S7, action->group,
			       "a claim on silence of who is cut off");
}

static void watch_action(void *context, const struct world *world, uint8_t machine,
			 const struct hbd_action *action)
{
	struct checker *checker = context;

	switch (action->type) {
	case HBD_ACTION_CHANGED:
		check_words_changed(checker, machine, action);
		if (action->changed.to != HBD_ROLE_CLAIMING)
			break;
		check_words_claim(checker, world, machine, action);
		check_owners_claim(checker, world, machine, action->group);
		check_gateway_claim(checker, world, machine, action);
		check_progress_claim(checker, world, action->group);
		break;
	case HBD_ACTION_SEND:
		check_words_sent(checker, world, machine,
				 &world->actions.packets[action->packet]);
		break;
	case HBD_ACTION_ANNOUNCE:
	case HBD_ACTION_RUN:
		check_deeds(checker, world, machine, action);
		break;
	case HBD_ACTION_LEASE:
		check_words_lease(checker, world, machine, action);
		break;
	case HBD_ACTION_WILL:
	case HBD_ACTION_WITNESS:
	case HBD_ACTION_FORWARD:
	case HBD_ACTION_ACQUIRE:
	case HBD_ACTION_RELEASE:
	case HBD_ACTION_RESTORE:
	case HBD_ACTION_ASK:
	case HBD_ACTION_DEFEND:
	case HBD_ACTION_CANCEL:
	case HBD_ACTION_ALERT:
	case HBD_ACTION_HELD:
	case HBD_ACTION_LEFT:
	case HBD_ACTION_REBORN:
	case HBD_ACTION_STOPPED:
	case HBD_ACTION_UNSET:
	case HBD_ACTION_TYPE_COUNT:
		break;
	}
}

static void watch_packet(void *context, const struct world *world,
			 const struct world_flight *flight, int64_t received_ns, bool taken)
{
	/* with mail that waited comes what the time brought about meanwhile */
	bool waited = world->machines[flight->to].inbox_count > 0;

	if (flight->forged && !waited)
		check_forged(context, world, flight, taken);
	else if (!flight->forged && !taken)
		check_words_taken(context, world, flight, received_ns);
}

void checker_init(struct checker *checker, struct world *world)
{
	*checker = (struct checker){
		.joined_ns = HBD_NEVER_NS,
		.calm_ns = HBD_NEVER_NS,
		.profile = hbd_profile_get(world->profile),
	};
	for (uint8_t i = 0; i < WORLD_GROUPS_MAX; i++) {
		checker->groups[i].owner = -1;
		checker->groups[i].unanswered_ns = 0;
		checker->groups[i].standing_ns = HBD_NEVER_NS;
		checker->groups[i].served_by_ns = HBD_NEVER_NS;
	}
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		checker->nodes[i].heard_ns = -3600 * HBD_S_NS;
		checker->nodes[i].told_ns = -3600 * HBD_S_NS;
		checker->nodes[i].strayed_ns = HBD_NEVER_NS;
	}
	world->watch = watch_action;
	world->packet_watch = watch_packet;
	world->watch_context = checker;
}

static bool is_clean(const struct world_path *path)
{
	return !path->cut && path->loss_permille == 0 && path->burst_begin_permille == 0 &&
	       path->corrupt_permille == 0 && path->reorder_permille == 0 &&
	       path->delay_ns + path->jitter_ns < HBD_MS_NS;
}

/* What the machine sends arrives soon, on one link at least. */
static bool is_heard(const struct world *world, uint8_t machine)
{
	for (uint8_t link = 0; link < WORLD_LINKS; link++)
		if (is_clean(&world->paths[machine][link]))
			return true;
	return false;
}

static bool runs(const struct world *world, uint8_t machine)
{
	const struct world_machine *m = &world->machines[machine];

	return m->power == WORLD_ON && m->life == WORLD_RUNNING;
}

static void look_at_node(struct checker *checker, const struct world *world, uint8_t machine)
{
	const struct world_machine *m = &world->machines[machine];
	struct checker_node *node = &checker->nodes[machine];
	bool paused = m->power == WORLD_ASLEEP && m->clock.stopped;

	if (m->lives != node->lives)
		checker->joined_ns = HBD_NEVER_NS;
	node->lives = m->lives;
	/* one that goes on where another one ended is the same process, for whoever listens */
	if (m->node.session.own_session != node->own_session) {
		node->own_session = m->node.session.own_session;
		node->heard_ns = -3600 * HBD_S_NS;
		node->told_ns = -3600 * HBD_S_NS;
		node->heard_seq = 0;
		for (uint8_t i = 0; i < world->group_count; i++)
			checker->groups[i].shares[machine].promised_until_ns = 0;
		for (uint8_t i = 0; i < world->group_count; i++)
			checker->groups[i].shares[machine].resigned = false;
	}
	/* S1': what it had when its clock stopped it has again */
	for (uint8_t i = 0; i < world->group_count && node->was_paused && !paused; i++) {
		checker->groups[i].excused = true;
		checker->groups[i].was_paused = true;
		checker->groups[i].excused_ns = world->now_ns + checker->profile.hold_ns +
						checker->profile.interval_ns;
	}
	node->was_paused = paused;
	if (lan_reaches_gateway(world, machine) || !runs(world, machine))
		node->strayed_ns = HBD_NEVER_NS;
	else if (node->strayed_ns == HBD_NEVER_NS)
		node->strayed_ns = world->now_ns;
}

static void look_at_pair(struct checker *checker, const struct world *world)
{
	const struct world_lan *lan = &world->lan;
	bool running = runs(world, 0) && runs(world, 1);
	bool intact = !lan->apart && !lan->cut[0] && !lan->cut[1] && lan->loss_permille == 0;

	if (!running || !is_heard(world, 0) || !is_heard(world, 1))
		checker->joined_ns = HBD_NEVER_NS;
	else if (checker->joined_ns == HBD_NEVER_NS)
		checker->joined_ns = world->now_ns;
	if (!running || world->faults_begun != world->faults_over)
		checker->calm_ns = HBD_NEVER_NS;
	else if (checker->calm_ns == HBD_NEVER_NS)
		checker->calm_ns = world->now_ns;
	for (uint8_t i = 0; i < world->group_count; i++)
		intact = intact && !lan->stranger[i];
	if (!intact)
		checker->lan_ns = HBD_NEVER_NS;
	else if (checker->lan_ns == HBD_NEVER_NS)
		checker->lan_ns = world->now_ns;
}

void checker_look(struct checker *checker, const struct world *world)
{
	for (uint8_t i = 0; i < HBD_NODES; i++)
		look_at_node(checker, world, i);
	look_at_pair(checker, world);
	for (uint8_t i = 0; i < world->group_count; i++)
		check_owners(checker, world, i);
	for (uint8_t i = 0; i < HBD_NODES; i++)
		checker->nodes[i].power = world->machines[i].power;
	check_progress(checker, world);
}

void checker_finish(struct checker *checker, const struct world *world)
{
	check_progress_end(checker, world);
}
