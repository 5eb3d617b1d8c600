/*
 * The promises as stories in simulated time: what a client sees, in which order, and what the
 * humans are told. Times are exact here; how fast a real machine is, tests/bench measures.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

#include "world.h"

#define MS HBD_MS_NS
#define S HBD_S_NS

struct story {
	struct world *world;
	struct hbd_profile profile;
	unsigned alerts[HBD_ALERT_COUNT];
	enum hbd_severity worst;
	unsigned restores, announcements[HBD_NODES], sent[HBD_NODES];
};

static void note(void *context, const struct world *world, uint8_t machine,
		 const struct hbd_action *action)
{
	struct story *story = context;

	(void)world;
	if (action->type == HBD_ACTION_ALERT) {
		story->alerts[action->alert.kind]++;
		if (action->alert.severity > story->worst)
			story->worst = action->alert.severity;
	}
	story->sent[machine] += action->type == HBD_ACTION_SEND;
	story->restores += action->type == HBD_ACTION_RESTORE;
	story->announcements[machine] += action->type == HBD_ACTION_ANNOUNCE;
}

static void let(struct story *story, int64_t duration_ns)
{
	world_run(story->world, story->world->now_ns + duration_ns);
}

/* A pair with one group in which node 0, the preferred one, serves. */
static struct story starting_pair(enum hbd_profile_name name)
{
	struct story story = { .world = world_new(1, name, 1), .profile = hbd_profile_get(name) };

	for (uint8_t i = 0; i < HBD_NODES; i++)
		story.world->machines[i].config.groups[0].step_count = 0;
	world_start(story.world, 0);
	world_start(story.world, 1);
	return story;
}

static struct story running_pair(enum hbd_profile_name name)
{
	struct story story = starting_pair(name);

	let(&story, 3 * story.profile.quiet_ns + 3 * S);
	assert_true(world_answers(story.world, 0, 0));
	assert_false(world_answers(story.world, 1, 0));
	return story;
}

/* From here on alerts are counted; the story must not be moved any more. */
static void watch(struct story *story)
{
	story->world->watch = note;
	story->world->watch_context = story;
}

static void cut(struct story *story, uint8_t from, bool cut)
{
	for (uint8_t link = 0; link < WORLD_LINKS; link++)
		story->world->paths[from][link].cut = cut;
}

static void tell(struct story *story, uint8_t machine, enum hbd_event_type type)
{
	world_event(story->world, machine, (struct hbd_event){ .type = type });
}

static void set_fault(struct story *story, uint8_t machine, enum hbd_fault fault, bool present)
{
	world_event(story->world, machine,
		    (struct hbd_event){ .type = HBD_EVENT_FAULT,
					.fault = { .fault = fault, .present = present } });
}

static enum hbd_role role(const struct story *story, uint8_t machine)
{
	return story->world->machines[machine].node.groups[0].role;
}

/* Runs until the machine answers for the group; how long that took. Both must not answer. */
static int64_t until_answered(struct story *story, uint8_t machine, int64_t limit_ns)
{
	int64_t from_ns = story->world->now_ns;

	while (!world_answers(story->world, machine, 0)) {
		assert_true(world_advance(story->world, from_ns + limit_ns));
		assert_false(world_answers(story->world, 0, 0) &&
			     world_answers(story->world, 1, 0));
	}
	return story->world->now_ns - from_ns;
}

static void P1_power_loss_is_taken_over_within_Lg(void **state)
{
	(void)state;
	for (int name = HBD_PROFILE_WAN; name <= HBD_PROFILE_TURBO; name++) {
		struct story story = running_pair((enum hbd_profile_name)name);
		int64_t gap_ns;

		watch(&story);
		world_power_off(story.world, 0);
		gap_ns = until_answered(&story, 1, 2 * story.profile.grant_ns);
		/* a clock may be slow by 500 ppm here, and netlink takes its time */
		assert_in_range(gap_ns, story.profile.grant_ns - story.profile.interval_ns * 11 / 10,
				story.profile.grant_ns + 3 * MS + story.profile.grant_ns / 1000);
		let(&story, S);
		assert_int_equal(story.alerts[HBD_ALERT_TAKEOVER], 1);
		assert_int_equal(story.alerts[HBD_ALERT_PEER_LOST], 0);
		assert_int_equal(story.worst, HBD_SEVERITY_CRITICAL);
		world_free(story.world);
	}
}

static void P2_a_killed_engine_is_replaced_at_once_by_its_last_will(void **state)
{
	struct story story = running_pair(HBD_PROFILE_WAN);

	(void)state;
	world_kill(story.world, 0, false);
	assert_true(until_answered(&story, 1, S) < MS);
	world_free(story.world);
}

static void P3_a_frozen_primary_is_mute_before_its_peer_answers(void **state)
{
	(void)state;
	for (int name = HBD_PROFILE_WAN; name <= HBD_PROFILE_TURBO; name++) {
		struct story story = running_pair((enum hbd_profile_name)name);

		world_freeze(story.world, 0, 5 * story.profile.grant_ns);
		world_freeze_guardian(story.world, 0, 5 * story.profile.grant_ns);
		/* its kernel answers the LAN until the fence closes, which must not delay anything */
		until_answered(&story, 1, story.profile.grant_ns + 3 * MS +
					  story.profile.grant_ns / 1000);
		/* it wakes up, finds its lease over and stays what it is now */
		for (int64_t end_ns = story.world->now_ns + 9 * story.profile.grant_ns;
		     world_advance(story.world, end_ns);)
			assert_false(world_answers(story.world, 0, 0));
		assert_int_equal(role(&story, 0), HBD_ROLE_SECONDARY);
		world_free(story.world);
	}
}

static void who_hears_the_peer_but_gets_no_grants_lets_go_before_it_claims(void **state)
{
	struct story story = running_pair(HBD_PROFILE_FAST);

	(void)state;
	story.world->lan.apart = true;
	cut(&story, 0, true);
	until_answered(&story, 1, 2 * story.profile.grant_ns);
	let(&story, 5 * S);
	assert_false(world_answers(story.world, 0, 0));
	world_free(story.world);
}

static void a_standby_that_is_not_heard_moves_nothing(void **state)
{
	struct story story = running_pair(HBD_PROFILE_FAST);

	(void)state;
	watch(&story);
	cut(&story, 1, true);
	let(&story, 60 * S);
	assert_true(world_answers(story.world, 0, 0));
	assert_false(world_answers(story.world, 1, 0));
	assert_int_equal(story.alerts[HBD_ALERT_PEER_LOST], 1);
	world_free(story.world);
}

/* What must hold at every instant while nothing may move. */
static void let_node_0_serve(struct story *story, int64_t duration_ns)
{
	int64_t end_ns = story->world->now_ns + duration_ns;

	while (world_advance(story->world, end_ns)) {
		assert_true(world_answers(story->world, 0, 0));
		assert_false(world_answers(story->world, 1, 0));
	}
}

static void P4_lost_heartbeats_move_nothing_while_the_LAN_is_intact(void **state)
{
	(void)state;
	for (int name = HBD_PROFILE_WAN; name <= HBD_PROFILE_TURBO; name++) {
		struct story story = running_pair((enum hbd_profile_name)name);

		watch(&story);
		cut(&story, 0, true);
		cut(&story, 1, true);
		let_node_0_serve(&story, 60 * S);
		assert_int_equal(story.alerts[HBD_ALERT_UNHEARD], 1);
		/* of the primary, which cannot know better */
		assert_int_equal(story.alerts[HBD_ALERT_PEER_LOST], 1);
		cut(&story, 0, false);
		cut(&story, 1, false);
		let_node_0_serve(&story, 10 * S);
		assert_int_equal(story.alerts[HBD_ALERT_PEER_BACK], 2);
		world_free(story.world);
	}
}

static void P4_heartbeats_lost_in_one_direction_move_nothing_and_name_it(void **state)
{
	(void)state;
	for (int name = HBD_PROFILE_WAN; name <= HBD_PROFILE_TURBO; name++) {
		struct story story = running_pair((enum hbd_profile_name)name);

		watch(&story);
		cut(&story, 0, true);
		let_node_0_serve(&story, 60 * S);
		assert_int_equal(story.alerts[HBD_ALERT_UNHEARD], 1);
		assert_int_equal(story.alerts[HBD_ALERT_PEER_LOST], 0);
		/* the primary learns that it is its sending that fails, on each link */
		assert_int_equal(story.alerts[HBD_ALERT_LINK_LOST], WORLD_LINKS);
		for (uint8_t link = 0; link < WORLD_LINKS; link++)
			assert_int_equal(hbd_detector_link(&story.world->machines[0].node.detector,
							   link, true,
							   world_clock(story.world, 0)),
					 HBD_LINK_TX_DEAD);
		world_free(story.world);
	}
}

static void a_primary_that_dies_unheard_is_replaced_when_it_answers_no_more(void **state)
{
	(void)state;
	for (int name = HBD_PROFILE_WAN; name <= HBD_PROFILE_TURBO; name++) {
		struct story story = running_pair((enum hbd_profile_name)name);

		cut(&story, 0, true);
		cut(&story, 1, true);
		let_node_0_serve(&story, 20 * S);
		world_power_off(story.world, 0);
		until_answered(&story, 1, 2 * story.profile.grant_ns + 5 * MS);
		world_free(story.world);
	}
}

static void who_claims_lets_go_when_somebody_answers_meanwhile(void **state)
{
	struct story story = running_pair(HBD_PROFILE_FAST);

	(void)state;
	/* a plugin runs before the addresses come */
	story.world->machines[1].config.groups[0].step_count = 2;
	world_power_off(story.world, 0);
	while (role(&story, 1) != HBD_ROLE_CLAIMING)
		assert_true(world_advance(story.world, story.world->now_ns + S));
	world_event(story.world, 1,
		    (struct hbd_event){ .type = HBD_EVENT_ANSWER, .station = { 2, 0, 0, 0, 0, 0 } });
	assert_int_equal(role(&story, 1), HBD_ROLE_RELEASING);
	until_answered(&story, 1, S);
	world_free(story.world);
}

static void a_stranger_that_answers_is_a_conflict_and_holds_a_claim_back(void **state)
{
	struct story story = running_pair(HBD_PROFILE_FAST);
	const struct hbd_event answer = { .type = HBD_EVENT_ANSWER, .station = { 2, 9 } };

	(void)state;
	watch(&story);
	world_power_off(story.world, 0);
	let(&story, 20 * MS);
	for (int64_t end_ns = story.world->now_ns + 5 * S; story.world->now_ns < end_ns;) {
		world_event(story.world, 1, answer);
		let(&story, S);
		assert_false(world_answers(story.world, 1, 0));
	}
	assert_int_equal(story.alerts[HBD_ALERT_CONFLICT], 1);
	until_answered(&story, 1, 5 * S);
	let(&story, 40 * S);
	assert_int_equal(story.alerts[HBD_ALERT_UNCONTESTED], 1);
	world_free(story.world);
}

static void what_a_stranger_has_at_the_start_is_left_to_it_until_it_goes(void **state)
{
	(void)state;
	for (int name = HBD_PROFILE_WAN; name <= HBD_PROFILE_TURBO; name++) {
		struct story story = starting_pair((enum hbd_profile_name)name);

		watch(&story);
		lan_intrude(story.world, 0);
		for (int64_t end_ns = story.world->now_ns + 60 * S; world_advance(story.world, end_ns);)
			for (uint8_t i = 0; i < HBD_NODES; i++)
				assert_false(world_answers(story.world, i, 0));
		/* each node says so */
		assert_int_equal(story.alerts[HBD_ALERT_CONFLICT], HBD_NODES);
		story.world->lan.stranger[0] = false;
		until_answered(&story, 0, 5 * S);
		let_node_0_serve(&story, 60 * S);
		assert_int_equal(story.alerts[HBD_ALERT_UNCONTESTED], 1);
		world_free(story.world);
	}
}

static void a_stranger_beside_a_primary_moves_nothing(void **state)
{
	(void)state;
	for (int name = HBD_PROFILE_WAN; name <= HBD_PROFILE_TURBO; name++) {
		struct story story = running_pair((enum hbd_profile_name)name);

		watch(&story);
		lan_intrude(story.world, 0);
		let_node_0_serve(&story, 300 * S);
		assert_int_equal(story.alerts[HBD_ALERT_CONTESTED], 1);
		story.world->lan.stranger[0] = false;
		let_node_0_serve(&story, 60 * S);
		assert_int_equal(story.alerts[HBD_ALERT_UNCONTESTED], 1);
		assert_int_equal(story.alerts[HBD_ALERT_CONFLICT], 0);
		world_free(story.world);
	}
}

static void an_answer_without_a_fence_proves_nothing(void **state)
{
	struct story story = running_pair(HBD_PROFILE_FAST);

	(void)state;
	world_event(story.world, 0,
		    (struct hbd_event){ .type = HBD_EVENT_FENCE, .fence = HBD_FENCE_NONE });
	let(&story, S);
	cut(&story, 0, true);
	cut(&story, 1, true);
	let(&story, S);
	assert_true(world_answers(story.world, 1, 0));
	world_free(story.world);
}

static void of_two_that_start_without_hearing_each_other_one_serves(void **state)
{
	struct story story = { .world = world_new(1, HBD_PROFILE_FAST, 1),
			       .profile = hbd_profile_get(HBD_PROFILE_FAST) };

	(void)state;
	cut(&story, 0, true);
	cut(&story, 1, true);
	world_start(story.world, 0);
	world_start(story.world, 1);
	let(&story, 6 * S);
	let_node_0_serve(&story, 60 * S);
	world_free(story.world);
}

static void a_goodbye_of_long_ago_is_no_evidence_of_now(void **state)
{
	struct story story = running_pair(HBD_PROFILE_LAN);

	(void)state;
	set_fault(&story, 1, HBD_FAULT_INTERFACE, true);
	tell(&story, 0, HBD_EVENT_STOP);
	let(&story, S);
	/* it starts again, unheard, and serves alone */
	cut(&story, 0, true);
	cut(&story, 1, true);
	world_start(story.world, 0);
	let(&story, 7 * S);
	assert_true(world_answers(story.world, 0, 0));
	set_fault(&story, 1, HBD_FAULT_INTERFACE, false);
	let_node_0_serve(&story, 20 * S);
	world_free(story.world);
}

/* How long until all clients reach who answers. */
static int64_t until_reached(struct story *story, int64_t limit_ns)
{
	int64_t from_ns = story->world->now_ns;

	for (uint8_t client = 0; client < WORLD_CLIENTS; client++)
		while (!world_reaches(story->world, client, 0))
			assert_true(world_advance(story->world, from_ns + limit_ns));
	return story->world->now_ns - from_ns;
}

static void P6_after_a_total_cut_one_owner_within_two_intervals(void **state)
{
	(void)state;
	for (int name = HBD_PROFILE_WAN; name <= HBD_PROFILE_TURBO; name++) {
		struct story story = running_pair((enum hbd_profile_name)name);
		int64_t limit_ns = 2 * story.profile.interval_ns + 10 * MS;
		int64_t healed_ns, loser_quiet_ns;

		story.world->lan.apart = true;
		cut(&story, 0, true);
		cut(&story, 1, true);
		let(&story, 10 * S);
		assert_true(world_answers(story.world, 0, 0) && world_answers(story.world, 1, 0));
		watch(&story);
		story.world->lan.apart = false;
		cut(&story, 0, false);
		cut(&story, 1, false);
		healed_ns = story.world->now_ns;
		loser_quiet_ns = healed_ns + limit_ns;
		while (world_answers(story.world, 0, 0))
			assert_true(world_advance(story.world, loser_quiet_ns));
		assert_true(world_answers(story.world, 1, 0));
		loser_quiet_ns = story.world->now_ns;
		let(&story, limit_ns);
		/* the winner announces after the loser let go */
		assert_true(story.world->machines[1].kernel[0].announced_ns > loser_quiet_ns);
		assert_true(story.alerts[HBD_ALERT_TWO_OWNERS] >= 1);
		until_reached(&story, healed_ns + 2 * S - story.world->now_ns);
		/* and they stay right: nobody else answers any more */
		for (int i = 0; i < 600; i++) {
			let(&story, 100 * MS);
			assert_false(world_answers(story.world, 0, 0));
			assert_int_equal(until_reached(&story, 1), 0);
		}
		world_free(story.world);
	}
}

static void a_standby_that_answers_every_renewal_sends_nothing_besides(void **state)
{
	struct story story = running_pair(HBD_PROFILE_FAST);

	(void)state;
	watch(&story);
	let(&story, 10 * S);
	assert_in_range(story.sent[0], 10 * 100 * WORLD_LINKS, 10 * 112 * WORLD_LINKS);
	assert_in_range(story.sent[1], story.sent[0] - WORLD_LINKS, story.sent[0] + WORLD_LINKS);
	world_free(story.world);
}

static void P9_loss_causes_no_move(void **state)
{
	static const int loss[][WORLD_LINKS] = { { 300, 0 }, { 0, 300 }, { 100, 100 } };

	(void)state;
	for (size_t i = 0; i < sizeof(loss) / sizeof(loss[0]); i++) {
		struct story story = running_pair(HBD_PROFILE_FAST);
		uint64_t changes = story.world->changes;

		for (uint8_t node = 0; node < HBD_NODES; node++)
			for (uint8_t link = 0; link < WORLD_LINKS; link++)
				story.world->paths[node][link].loss_permille = loss[i][link];
		let(&story, 600 * S);
		assert_int_equal(story.world->changes, changes);
		world_free(story.world);
	}
}

static void P10_a_deleted_address_is_restored_and_announced_without_a_move(void **state)
{
	struct story story = running_pair(HBD_PROFILE_LAN);
	uint64_t changes = story.world->changes;

	(void)state;
	watch(&story);
	for (int i = 0; i < 3; i++) {
		tell(&story, 0, HBD_EVENT_MISSING);
		/* nothing is announced, nor said to be back, before it is */
		assert_int_equal(story.announcements[0], i);
		let(&story, MS);
	}
	assert_int_equal(story.restores, 3);
	assert_int_equal(story.announcements[0], 3);
	assert_int_equal(story.alerts[HBD_ALERT_ADDRESS_RESTORED], 1);
	assert_int_equal(story.world->changes, changes);
	/* the secondary holds nothing that could be missing */
	tell(&story, 1, HBD_EVENT_MISSING);
	assert_int_equal(story.restores, 3);
	world_free(story.world);
}

static void a_clean_stop_hands_over_at_once(void **state)
{
	struct story story = running_pair(HBD_PROFILE_WAN);

	(void)state;
	tell(&story, 0, HBD_EVENT_STOP);
	assert_true(until_answered(&story, 1, S) < 2 * MS);
	let(&story, S);
	assert_true(story.world->machines[0].stopped);
	world_free(story.world);
}

static void a_restart_of_the_secondary_moves_nothing_and_is_told(void **state)
{
	struct story story = running_pair(HBD_PROFILE_LAN);

	(void)state;
	watch(&story);
	tell(&story, 1, HBD_EVENT_STOP);
	let(&story, 2 * S);
	assert_int_equal(story.alerts[HBD_ALERT_PEER_LOST], 1);
	assert_int_equal(story.worst, HBD_SEVERITY_WARNING);
	world_start(story.world, 1);
	let(&story, 2 * S);
	assert_int_equal(story.alerts[HBD_ALERT_PEER_BACK], 1);
	assert_true(world_answers(story.world, 0, 0));
	world_free(story.world);
}

static void an_owner_keeps_its_number_when_a_peer_with_a_higher_one_leaves(void **state)
{
	struct story story = running_pair(HBD_PROFILE_LAN);
	const struct hbd_node *owner = &story.world->machines[0].node;
	uint64_t epoch = owner->groups[0].epoch;

	(void)state;
	/* every start of a node reserves numbers above all that it used */
	world_kill(story.world, 1, false);
	let(&story, 5 * S);
	tell(&story, 1, HBD_EVENT_STOP);
	let(&story, S);
	assert_true(story.world->machines[1].node.groups[0].epoch > epoch);
	assert_int_equal(owner->groups[0].epoch, epoch);
	world_free(story.world);
}

static void a_switchover_moves_the_group_and_it_stays_there(void **state)
{
	struct story story = running_pair(HBD_PROFILE_LAN);

	(void)state;
	watch(&story);
	assert_int_equal(hbd_node_may_switch(&story.world->machines[0].node, 0), 0);
	assert_int_equal(hbd_node_may_switch(&story.world->machines[1].node, 0), -EPERM);
	tell(&story, 0, HBD_EVENT_SWITCHOVER);
	assert_true(until_answered(&story, 1, S) < 2 * MS + 30 * MS);
	let(&story, 60 * S);
	assert_true(world_answers(story.world, 1, 0));
	assert_int_equal(story.worst, HBD_SEVERITY_INFO);
	world_free(story.world);
}

static void what_is_handed_over_and_not_taken_comes_back(void **state)
{
	struct story story = running_pair(HBD_PROFILE_LAN);

	(void)state;
	watch(&story);
	/* the peer's netlink refuses: it lets go again, and says so */
	tell(&story, 0, HBD_EVENT_SWITCHOVER);
	set_fault(&story, 1, HBD_FAULT_INTERFACE, true);
	let(&story, 5 * S);
	assert_true(world_answers(story.world, 0, 0));
	assert_false(world_answers(story.world, 1, 0));
	world_free(story.world);
}

static void a_switchover_is_refused_with_the_reason(void **state)
{
	struct story story = running_pair(HBD_PROFILE_LAN);
	const struct hbd_node *node = &story.world->machines[0].node;

	(void)state;
	set_fault(&story, 1, HBD_FAULT_CHECK, true);
	let(&story, S);
	assert_int_equal(hbd_node_may_switch(node, 0), -ENODEV);
	set_fault(&story, 1, HBD_FAULT_CHECK, false);
	let(&story, S);
	assert_int_equal(hbd_node_may_switch(node, 0), 0);
	world_power_off(story.world, 1);
	let(&story, S);
	assert_int_equal(hbd_node_may_switch(node, 0), -EHOSTDOWN);
	world_free(story.world);
}

static void a_lost_carrier_hands_over_and_its_return_moves_nothing(void **state)
{
	struct story story = running_pair(HBD_PROFILE_LAN);

	(void)state;
	set_fault(&story, 0, HBD_FAULT_INTERFACE, true);
	assert_true(until_answered(&story, 1, S) < 2 * MS);
	set_fault(&story, 0, HBD_FAULT_INTERFACE, false);
	let(&story, 10 * S);
	assert_true(world_answers(story.world, 1, 0));
	assert_int_equal(role(&story, 0), HBD_ROLE_SECONDARY);
	world_free(story.world);
}

static void a_failed_check_hands_over_only_to_a_better_peer(void **state)
{
	struct story story = running_pair(HBD_PROFILE_LAN);

	(void)state;
	set_fault(&story, 1, HBD_FAULT_CHECK, true);
	let(&story, S);
	set_fault(&story, 0, HBD_FAULT_CHECK, true);
	let(&story, 5 * S);
	assert_true(world_answers(story.world, 0, 0));
	set_fault(&story, 1, HBD_FAULT_CHECK, false);
	let(&story, S);
	assert_true(world_answers(story.world, 1, 0));
	world_free(story.world);
}

/* "partly": the kernel refuses some of the group's addresses; "refused": all of them. */
static void an_address_that_cannot_be_kept_moves_the_group_to_who_can_keep_it(void **state)
{
	static const enum hbd_fault faults[] = { HBD_FAULT_PARTLY, HBD_FAULT_REFUSED };

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct story story = running_pair(HBD_PROFILE_LAN);

		watch(&story);
		set_fault(&story, 0, faults[i], true);
		assert_true(until_answered(&story, 1, S) < 2 * MS);
		assert_int_equal(story.alerts[HBD_ALERT_FAULT], 1);
		set_fault(&story, 0, faults[i], false);
		let(&story, 60 * S);
		assert_int_equal(story.alerts[HBD_ALERT_HEALED], 1);
		assert_true(world_answers(story.world, 1, 0));
		assert_int_equal(role(&story, 0), HBD_ROLE_SECONDARY);
		world_free(story.world);
	}
}

static void where_both_lack_the_same_nothing_moves(void **state)
{
	struct story story = running_pair(HBD_PROFILE_LAN);
	uint64_t changes = story.world->changes;

	(void)state;
	set_fault(&story, 1, HBD_FAULT_PARTLY, true);
	let(&story, S);
	set_fault(&story, 0, HBD_FAULT_PARTLY, true);
	let(&story, 600 * S);
	assert_true(world_answers(story.world, 0, 0));
	assert_int_equal(story.world->changes, changes);
	/* nor to and fro if the standby finds out later than it was handed the group */
	set_fault(&story, 1, HBD_FAULT_PARTLY, false);
	assert_true(until_answered(&story, 1, S) < 2 * MS);
	set_fault(&story, 1, HBD_FAULT_PARTLY, true);
	changes = story.world->changes;
	let(&story, 600 * S);
	assert_true(world_answers(story.world, 1, 0));
	assert_int_equal(story.world->changes, changes);
	world_free(story.world);
}

static void who_lacks_some_takes_over_when_the_peer_dies(void **state)
{
	struct story story = running_pair(HBD_PROFILE_LAN);

	(void)state;
	set_fault(&story, 1, HBD_FAULT_PARTLY, true);
	let(&story, S);
	world_power_off(story.world, 0);
	until_answered(&story, 1, S);
	world_free(story.world);
}

static void a_node_alone_claims_after_a_while_and_keeps_what_it_has(void **state)
{
	struct story story = { .world = world_new(1, HBD_PROFILE_LAN, 1),
			       .profile = hbd_profile_get(HBD_PROFILE_LAN) };

	(void)state;
	world_start(story.world, 1);
	let(&story, story.profile.alone_ns - 50 * MS);
	assert_false(world_answers(story.world, 1, 0));
	/* node 0 would be the first choice, and has a head start */
	let(&story, 100 * MS + story.profile.grant_ns);
	assert_true(world_answers(story.world, 1, 0));
	/* the preferred node comes later: there is no preemption */
	world_start(story.world, 0);
	let(&story, 30 * S);
	assert_true(world_answers(story.world, 1, 0));
	world_free(story.world);
}

static void differing_configurations_are_told_and_move_nothing(void **state)
{
	struct story story = running_pair(HBD_PROFILE_LAN);
	uint64_t changes = story.world->changes;

	(void)state;
	watch(&story);
	story.world->machines[1].config.config_digest = 43;
	/* long enough to change the file on the other one, too */
	let(&story, 59 * S);
	assert_int_equal(story.alerts[HBD_ALERT_CONFIG_DIFFERS], 0);
	let(&story, 2 * S);
	assert_int_equal(story.alerts[HBD_ALERT_CONFIG_DIFFERS], 2);
	assert_int_equal(story.world->changes, changes);
	assert_int_equal(hbd_node_may_switch(&story.world->machines[0].node, 0), -EINVAL);
	story.world->machines[1].config.config_digest = 42;
	let(&story, S);
	assert_int_equal(story.alerts[HBD_ALERT_CONFIG_AGREES], 2);
	world_free(story.world);
}

static void a_peer_with_another_key_is_a_state_of_its_own(void **state)
{
	struct story story = { .world = world_new(1, HBD_PROFILE_LAN, 1),
			       .profile = hbd_profile_get(HBD_PROFILE_LAN) };

	(void)state;
	watch(&story);
	story.world->machines[1].config.keys[0].bytes[0] ^= 1;
	world_start(story.world, 0);
	world_start(story.world, 1);
	let(&story, 4 * S);
	for (int i = 0; i < HBD_NODES; i++)
		assert_int_equal(story.world->machines[i].node.mismatch, HBD_MISMATCH_KEY);
	assert_int_equal(story.alerts[HBD_ALERT_KEY_MISMATCH], 2);
	assert_true(story.world->machines[0].node.detector.links[0].dropped[HBD_DROP_SEAL] > 0);
	world_free(story.world);
}

static void the_stop_of_a_primary_that_nobody_can_replace_is_critical(void **state)
{
	struct story story = running_pair(HBD_PROFILE_LAN);

	(void)state;
	tell(&story, 1, HBD_EVENT_STOP);
	let(&story, 5 * S);
	watch(&story);
	tell(&story, 0, HBD_EVENT_STOP);
	let(&story, S);
	assert_int_equal(story.alerts[HBD_ALERT_RELEASED], 1);
	assert_int_equal(story.worst, HBD_SEVERITY_CRITICAL);
	world_free(story.world);
}

static void one_link_of_two_down_is_told_and_moves_nothing(void **state)
{
	struct story story = running_pair(HBD_PROFILE_LAN);
	uint64_t changes = story.world->changes;

	(void)state;
	watch(&story);
	story.world->paths[0][1].cut = true;
	story.world->paths[1][1].cut = true;
	let(&story, 10 * S);
	assert_int_equal(story.alerts[HBD_ALERT_LINK_LOST], 2);
	story.world->paths[0][1].cut = false;
	story.world->paths[1][1].cut = false;
	let(&story, 10 * S);
	assert_int_equal(story.alerts[HBD_ALERT_LINK_BACK], 2);
	assert_int_equal(story.world->changes, changes);
	world_free(story.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(P1_power_loss_is_taken_over_within_Lg),
		cmocka_unit_test(P2_a_killed_engine_is_replaced_at_once_by_its_last_will),
		cmocka_unit_test(P3_a_frozen_primary_is_mute_before_its_peer_answers),
		cmocka_unit_test(who_hears_the_peer_but_gets_no_grants_lets_go_before_it_claims),
		cmocka_unit_test(a_standby_that_is_not_heard_moves_nothing),
		cmocka_unit_test(a_standby_that_answers_every_renewal_sends_nothing_besides),
		cmocka_unit_test(P4_lost_heartbeats_move_nothing_while_the_LAN_is_intact),
		cmocka_unit_test(P4_heartbeats_lost_in_one_direction_move_nothing_and_name_it),
		cmocka_unit_test(a_primary_that_dies_unheard_is_replaced_when_it_answers_no_more),
		cmocka_unit_test(who_claims_lets_go_when_somebody_answers_meanwhile),
		cmocka_unit_test(a_stranger_that_answers_is_a_conflict_and_holds_a_claim_back),
		cmocka_unit_test(what_a_stranger_has_at_the_start_is_left_to_it_until_it_goes),
		cmocka_unit_test(a_stranger_beside_a_primary_moves_nothing),
		cmocka_unit_test(an_answer_without_a_fence_proves_nothing),
		cmocka_unit_test(of_two_that_start_without_hearing_each_other_one_serves),
		cmocka_unit_test(a_goodbye_of_long_ago_is_no_evidence_of_now),
		cmocka_unit_test(P6_after_a_total_cut_one_owner_within_two_intervals),
		cmocka_unit_test(P9_loss_causes_no_move),
		cmocka_unit_test(P10_a_deleted_address_is_restored_and_announced_without_a_move),
		cmocka_unit_test(a_clean_stop_hands_over_at_once),
		cmocka_unit_test(a_restart_of_the_secondary_moves_nothing_and_is_told),
		cmocka_unit_test(an_owner_keeps_its_number_when_a_peer_with_a_higher_one_leaves),
		cmocka_unit_test(a_switchover_moves_the_group_and_it_stays_there),
		cmocka_unit_test(what_is_handed_over_and_not_taken_comes_back),
		cmocka_unit_test(a_switchover_is_refused_with_the_reason),
		cmocka_unit_test(a_lost_carrier_hands_over_and_its_return_moves_nothing),
		cmocka_unit_test(a_failed_check_hands_over_only_to_a_better_peer),
		cmocka_unit_test(an_address_that_cannot_be_kept_moves_the_group_to_who_can_keep_it),
		cmocka_unit_test(where_both_lack_the_same_nothing_moves),
		cmocka_unit_test(who_lacks_some_takes_over_when_the_peer_dies),
		cmocka_unit_test(a_node_alone_claims_after_a_while_and_keeps_what_it_has),
		cmocka_unit_test(differing_configurations_are_told_and_move_nothing),
		cmocka_unit_test(a_peer_with_another_key_is_a_state_of_its_own),
		cmocka_unit_test(the_stop_of_a_primary_that_nobody_can_replace_is_critical),
		cmocka_unit_test(one_link_of_two_down_is_told_and_moves_nothing),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("scenarios", tests, NULL, NULL);
}
