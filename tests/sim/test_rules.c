/*
 * Rules of the protocol that no storm of random faults shows quickly, each as the story in which
 * breaking it does harm.
 */
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
#define ORDER_MAX 64

struct story {
	struct world *world;
	struct hbd_profile profile;
	unsigned alerts[HBD_ALERT_COUNT];
	unsigned announcements[HBD_NODES];
	unsigned questions[HBD_NODES];
	uint64_t changes;
	size_t order_count;	/* actions of node 1 since it claimed */
	enum hbd_action_type order[ORDER_MAX];
};

static void note(void *context, const struct world *world, uint8_t machine,
		 const struct hbd_action *action)
{
	struct story *story = context;

	(void)world;
	if (action->type == HBD_ACTION_ALERT)
		story->alerts[action->alert.kind]++;
	story->announcements[machine] += action->type == HBD_ACTION_ANNOUNCE;
	story->questions[machine] += action->type == HBD_ACTION_ASK;
	if (machine == 1 && action->type == HBD_ACTION_CHANGED &&
	    action->changed.to == HBD_ROLE_CLAIMING)
		story->order_count = 0;
	if (machine == 1 && story->order_count < ORDER_MAX)
		story->order[story->order_count++] = action->type;
}

static bool two_owners(const struct story *story)
{
	return world_answers(story->world, 0, 0) && world_answers(story->world, 1, 0);
}

static void let(struct story *story, int64_t duration_ns)
{
	world_run(story->world, story->world->now_ns + duration_ns);
}

/* Time passes, and at no instant are there two owners. */
static void let_one_own(struct story *story, int64_t duration_ns)
{
	int64_t until_ns = story->world->now_ns + duration_ns;

	while (world_advance(story->world, until_ns))
		assert_false(two_owners(story));
}

/* Node 0 serves. plugins: so many run before the addresses of a takeover, for 200 ms at most. */
static void begin_with(struct story *story, enum hbd_profile_name name, bool witness,
		       uint8_t plugins)
{
	*story = (struct story){ .world = world_new(7, name, 1), .profile = hbd_profile_get(name) };
	story->world->witness.present = witness;
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		struct hbd_group_config *group = &story->world->machines[i].config.groups[0];

		group->step_count = plugins;
		for (uint8_t step = 0; step < plugins; step++)
			group->steps[step] = (struct hbd_step_config){
				.order = HBD_ORDER_BEFORE,
				.on_failure = HBD_ON_FAILURE_CONTINUE,
				.timeout_ns = 200 * MS,
			};
		world_start(story->world, i);
	}
	let(story, 10 * S);
	assert_true(world_answers(story->world, 0, 0));
	story->changes = story->world->changes;
	story->world->watch = note;
	story->world->watch_context = story;
}

static void begin(struct story *story, enum hbd_profile_name name)
{
	begin_with(story, name, false, 0);
}

/* Node 1 serves. */
static void begin_at_node_1(struct story *story, enum hbd_profile_name name)
{
	begin(story, name);
	world_event(story->world, 0, (struct hbd_event){ .type = HBD_EVENT_SWITCHOVER });
	let(story, 10 * S);
	assert_true(world_answers(story->world, 1, 0));
	story->announcements[1] = 0;
}

/* The process that runs there now has proven itself here. */
static bool hears_process_of(const struct story *story, uint8_t machine, uint8_t other)
{
	const struct world_machine *machines = story->world->machines;

	return machines[machine].node.session.running.peer_session ==
	       machines[other].node.session.own_session && machines[other].life != WORLD_DEAD;
}

static void mute(struct story *story, uint8_t from, bool cut)
{
	for (uint8_t link = 0; link < WORLD_LINKS; link++)
		story->world->paths[from][link].cut = cut;
}

static void cut_all(struct story *story, bool cut)
{
	story->world->lan.apart = cut;
	mute(story, 0, cut);
	mute(story, 1, cut);
}

static struct hbd_group *group_of(struct story *story, uint8_t machine)
{
	return &story->world->machines[machine].node.groups[0];
}

static void give_gateway(struct story *story)
{
	story->world->lan.gateway = true;
	for (uint8_t i = 0; i < HBD_NODES; i++)
		story->world->machines[i].config.groups[0].gateway = true;
}

/* As where there is no Ethernet, so that only the rule in question holds a claim up. */
static void ask_nobody(struct story *story, uint8_t machine)
{
	memset(group_of(story, machine)->asking.station, 0, HBD_STATION_BYTES);
}

/* SIGSTOP to all of hbd there; its kernel goes on. */
static void stop_all(struct story *story, uint8_t machine, int64_t duration_ns)
{
	world_freeze_guardian(story->world, machine, duration_ns);
	world_freeze(story->world, machine, duration_ns);
}

/* Until this very instant the machine has heard its peer. */
static void let_until_heard(struct story *story, uint8_t machine)
{
	struct hbd_detector *detector = &story->world->machines[machine].node.detector;

	do
		assert_true(world_advance(story->world, HBD_NEVER_NS));
	while (detector->last_rx_ns != world_clock(story->world, machine));
}

/* What waits in a socket may be the peer's word: only a TICK, which comes after it, judges. */
static void nobody_is_judged_before_the_sockets_are_drained(void **state)
{
	static const uint8_t junk[8];
	struct hbd_actions actions;
	struct story story;
	struct hbd_node *node;
	int64_t now_ns;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	ask_nobody(&story, 1);
	node = &story.world->machines[1].node;
	now_ns = node->detector.last_rx_ns + 2 * story.profile.grant_ns;
	hbd_node_step(node, &(struct hbd_event){ .type = HBD_EVENT_PACKET,
						 .packet = { junk, sizeof(junk), now_ns } },
		      now_ns, &actions);
	assert_int_equal(group_of(&story, 1)->role, HBD_ROLE_SECONDARY);
	hbd_node_step(node, &(struct hbd_event){ .type = HBD_EVENT_TICK }, now_ns, &actions);
	assert_int_equal(group_of(&story, 1)->role, HBD_ROLE_CLAIMING);
	world_free(story.world);
}

/* An owner that does not hear its peer holds leases of seconds, and its peer, which hears it, knows. */
static void a_long_lease_is_waited_for(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	mute(&story, 1, true);
	let(&story, 6 * S);
	ask_nobody(&story, 1);
	cut_all(&story, true);
	stop_all(&story, 0, 60 * S);
	let_one_own(&story, 20 * S);
	assert_true(world_answers(story.world, 1, 0));
	world_free(story.world);
}

/* ... also by who forgot in a restart what it had promised. */
static void a_long_lease_is_waited_for_after_a_restart(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	mute(&story, 1, true);
	let(&story, 6 * S);
	cut_all(&story, true);
	stop_all(&story, 0, 60 * S);
	world_kill(story.world, 1, true);
	let_one_own(&story, 20 * S);
	assert_true(world_answers(story.world, 1, 0));
	world_free(story.world);
}

/* Who slept for longer than a lease, and hears nobody, does not know how long the present one is. */
static void after_a_long_stall_silence_is_no_evidence(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	stop_all(&story, 0, 3 * S);
	/* no mail for it that would tell of the new owner */
	mute(&story, 1, true);
	let(&story, 2 * S);
	assert_true(world_answers(story.world, 1, 0));
	ask_nobody(&story, 0);
	cut_all(&story, true);
	stop_all(&story, 1, 60 * S);
	let_one_own(&story, 20 * S);
	assert_true(world_answers(story.world, 0, 0));
	world_free(story.world);
}

/* At `lan` the next heartbeat would come too late: who asks, and is answered at once, knows in time. */
static void a_probe_finds_an_owner_that_lost_heartbeats(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	let_until_heard(&story, 1);
	cut_all(&story, true);
	let(&story, 401 * MS);
	mute(&story, 0, false);
	mute(&story, 1, false);
	let(&story, 5 * S);
	assert_int_equal(story.world->changes, story.changes);
	world_free(story.world);
}

/* While it was away it may have served unseen, and neighbors may still send to it. */
static void an_owner_announces_when_its_peer_comes_back(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	world_power_off(story.world, 1);
	let(&story, 10 * S);
	assert_int_equal(story.announcements[0], 0);
	world_start(story.world, 1);
	let(&story, 5 * S);
	assert_in_range(story.announcements[0], 1, 2);
	world_free(story.world);
}

/* ... or was replaced by another process so soon that it was not missed. */
static void an_owner_announces_when_its_peer_is_another_process(void **state)
{
	struct story story;

	(void)state;
	begin_at_node_1(&story, HBD_PROFILE_WAN);
	let_until_heard(&story, 1);
	world_kill(story.world, 0, true);
	let(&story, 3 * S);
	assert_int_equal(story.alerts[HBD_ALERT_PEER_LOST], 0);
	assert_in_range(story.announcements[1], 1, 2);
	world_free(story.world);
}

/* It gives its peer's old process time to be heard, but the new one knocks. */
static void who_slept_offers_a_session_to_who_began_meanwhile(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	world_sleep(story.world, 0, 3 * S, false, false);
	world_kill(story.world, 1, true);
	let(&story, 3 * S + 2 * story.profile.interval_ns + 10 * MS);
	assert_true(hears_process_of(&story, 0, 1));
	world_free(story.world);
}

/* The peer's good-bye comes while a plugin runs before the addresses: nobody waits for an answer. */
static void answers_are_no_reason_to_ask_again(void **state)
{
	struct story story;

	(void)state;
	begin_with(&story, HBD_PROFILE_LAN, false, 1);
	cut_all(&story, true);
	story.world->plugin_hang_permille = 1000;
	while (group_of(&story, 1)->role != HBD_ROLE_CLAIMING)
		assert_true(world_advance(story.world, HBD_NEVER_NS));
	let(&story, MS);
	story.world->plugin_hang_permille = 0;
	mute(&story, 0, false);
	world_stop(story.world, 0);
	story.world->lan.stranger[0] = true;
	let(&story, 150 * MS);
	assert_true(story.world->machines[1].node.detector.gone);
	story.questions[1] = 0;
	let(&story, 100 * MS);
	assert_int_equal(group_of(&story, 1)->role, HBD_ROLE_PRIMARY);
	assert_in_range(story.questions[1], 0, 10);
	world_free(story.world);
}

static void two_that_cannot_hear_each_other_never_use_the_same_epoch(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	cut_all(&story, true);
	/* each starts anew, alone, from the same numbers */
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		world_power_off(story.world, i);
		story.world->machines[i].config.epoch_floor = 5000;
		memset(&story.world->machines[i].node, 0, sizeof(story.world->machines[i].node));
		world_start(story.world, i);
	}
	let(&story, 20 * S);
	assert_true(two_owners(&story));
	assert_int_not_equal(group_of(&story, 0)->epoch, group_of(&story, 1)->epoch);
	world_free(story.world);
}

/* The slow link brings what was true before the switchover, after what is. */
static void an_older_word_does_not_replace_a_newer_one(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	story.world->paths[0][1].delay_ns = 150 * MS;
	let(&story, 2 * S);
	world_event(story.world, 0, (struct hbd_event){ .type = HBD_EVENT_SWITCHOVER });
	let(&story, 5 * S);
	assert_true(world_answers(story.world, 1, 0));
	assert_int_equal(story.alerts[HBD_ALERT_TWO_OWNERS], 0);
	assert_int_equal(group_of(&story, 1)->reason, HBD_REASON_ADDRESSES_ON);
	/* handed over, letting go, gone; claiming, there */
	assert_int_equal(story.world->changes, story.changes + 5);
	world_free(story.world);
}

static size_t place_of(const struct story *story, enum hbd_action_type type)
{
	for (size_t i = 0; i < story->order_count; i++)
		if (story->order[i] == type)
			return i;
	return ORDER_MAX;
}

/* A rival lets go before there are two. */
static void a_claim_is_told_before_addresses_are_touched(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	world_event(story.world, 0, (struct hbd_event){ .type = HBD_EVENT_SWITCHOVER });
	let(&story, 200 * MS);
	assert_true(place_of(&story, HBD_ACTION_ACQUIRE) < ORDER_MAX);
	assert_true(place_of(&story, HBD_ACTION_SEND) < place_of(&story, HBD_ACTION_ACQUIRE));
	world_free(story.world);
}

static void set_health(struct story *story, uint8_t machine, uint16_t health)
{
	world_event(story->world, machine,
		    (struct hbd_event){ .type = HBD_EVENT_HEALTH, .health = { .health = health } });
}

/* Each ranks itself first by what it knows: with a witness both wait for the other's vote. */
static void two_that_are_elected_at_once_do_not_both_own(void **state)
{
	struct story story;

	(void)state;
	begin_with(&story, HBD_PROFILE_LAN, true, 0);
	/* an owner that is worse off than its peer would hand over */
	set_health(&story, 1, 500);
	let(&story, S);
	set_health(&story, 0, 500);
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		for (uint8_t link = 0; link < WORLD_LINKS; link++)
			story.world->paths[i][link].delay_ns = 80 * MS;
		world_set_fault(story.world, i, 0, HBD_FAULT_INTERFACE, true);
	}
	let(&story, 2 * S);
	for (uint8_t i = 0; i < HBD_NODES; i++)
		world_set_fault(story.world, i, 0, HBD_FAULT_INTERFACE, false);
	while (group_of(&story, 0)->role != HBD_ROLE_CLAIMING)
		assert_true(world_advance(story.world, HBD_NEVER_NS));
	/* as if it had been given another preference; before it can know of the other's claim */
	story.world->machines[1].config.groups[0].prefer = 1;
	let_one_own(&story, 75 * MS);
	assert_int_equal(group_of(&story, 1)->role, HBD_ROLE_CLAIMING);
	let_one_own(&story, 10 * S);
	assert_true(world_answers(story.world, 0, 0) || world_answers(story.world, 1, 0));
	world_free(story.world);
}

/*
 * Who did not run from its first question until after its claim was due has an answer in a socket
 * that it does not know of yet: it asks three times, however late that gets. An address that somebody
 * added there would answer at once.
 */
static void who_did_not_run_while_it_asked_hears_the_answer_first(void **state)
{
	for (int64_t late_ns = MS; late_ns <= 24 * MS; late_ns += MS) {
		struct story story;

		(void)state;
		begin(&story, HBD_PROFILE_LAN);
		world_add(story.world, 1, 0);
		mute(&story, 0, true);
		mute(&story, 1, true);
		while (group_of(&story, 1)->asking.questions == 0)
			assert_true(world_advance(story.world, HBD_NEVER_NS));
		world_freeze(story.world, 1, late_ns);
		let_one_own(&story, S);
		assert_true(world_answers(story.world, 0, 0));
		assert_int_equal(story.world->changes, story.changes);
		world_free(story.world);
	}
}

/* An owner that answered and then slept is awake again when the claim that it held back is due. */
static void who_was_held_back_asks_again(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	/* with a lease of seconds */
	mute(&story, 1, true);
	let(&story, 6 * S);
	mute(&story, 0, true);
	while (group_of(&story, 1)->asking.proven_ns == 0)
		assert_true(world_advance(story.world, HBD_NEVER_NS));
	world_sleep(story.world, 0, 2 * story.profile.grant_ns - 5 * MS, false, false);
	let_one_own(&story, 5 * S);
	assert_true(world_answers(story.world, 0, 0));
	assert_int_equal(story.world->changes, story.changes);
	world_free(story.world);
}

/* One that slept while it was asked is awake again, with a lease, when the claim is due. */
static void who_is_to_claim_asks_until_then(void **state)
{
	(void)state;
	for (int name = HBD_PROFILE_WAN; name <= HBD_PROFILE_LAN; name++) {
		struct story story;
		int64_t spare_ns, due_ns;

		begin(&story, (enum hbd_profile_name)name);
		spare_ns = story.profile.grant_ns - story.profile.hold_ns;
		let_until_heard(&story, 1);
		due_ns = story.world->now_ns + story.profile.grant_ns;
		mute(&story, 0, true);
		mute(&story, 1, true);
		let(&story, due_ns - spare_ns - story.world->now_ns);
		world_sleep(story.world, 0, spare_ns - 4 * MS, false, false);
		let_one_own(&story, 5 * S);
		assert_true(world_answers(story.world, 0, 0));
		assert_int_equal(story.world->changes, story.changes);
		world_free(story.world);
	}
}

/* Links of which each carries in one direction only. */
static void two_halves_of_links_are_a_way_to_shake_hands(void **state)
{
	for (uint8_t killed = 0; killed < HBD_NODES; killed++) {
		struct story story;

		(void)state;
		begin(&story, HBD_PROFILE_LAN);
		story.world->paths[0][0].cut = true;
		story.world->paths[1][1].cut = true;
		let(&story, 5 * S);
		assert_int_equal(story.world->changes, story.changes);
		world_kill(story.world, killed, false);
		let(&story, 5 * S);
		assert_true(hears_process_of(&story, 0, 1));
		assert_true(hears_process_of(&story, 1, 0));
		world_free(story.world);
	}
}

static int begin_all(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

/* Its own cable is what broke: the rule of asking the LAN cannot tell. */
static void who_is_cut_off_from_everything_claims_nothing(void **state)
{
	(void)state;
	for (int name = HBD_PROFILE_WAN; name <= HBD_PROFILE_TURBO; name++) {
		struct story story;

		begin(&story, (enum hbd_profile_name)name);
		give_gateway(&story);
		mute(&story, 0, true);
		mute(&story, 1, true);
		story.world->lan.cut[1] = true;
		let_one_own(&story, 60 * S);
		assert_true(world_answers(story.world, 0, 0));
		assert_int_equal(story.changes, story.world->changes);
		assert_int_equal(story.alerts[HBD_ALERT_ISOLATED], 1);
		mute(&story, 0, false);
		mute(&story, 1, false);
		story.world->lan.cut[1] = false;
		let_one_own(&story, 20 * S);
		assert_int_equal(story.changes, story.world->changes);
		/* and now the other one really dies */
		world_power_off(story.world, 0);
		let(&story, story.profile.grant_ns + 60 * MS);
		assert_true(world_answers(story.world, 1, 0));
		assert_int_equal(story.alerts[HBD_ALERT_ISOLATED], 1);
		world_free(story.world);
	}
}

static void a_gateway_that_died_with_the_primary_is_waited_for(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	give_gateway(&story);
	story.world->lan.gateway_dead = true;
	world_power_off(story.world, 0);
	let(&story, 60 * S);
	assert_false(world_answers(story.world, 1, 0));
	assert_int_equal(story.alerts[HBD_ALERT_ISOLATED], 1);
	assert_int_equal(story.alerts[HBD_ALERT_PEER_LOST], 0);
	story.world->lan.gateway_dead = false;
	let(&story, story.profile.grant_ns + 2 * story.profile.interval_ns);
	assert_true(world_answers(story.world, 1, 0));
	assert_int_equal(story.alerts[HBD_ALERT_TAKEOVER], 1);
	world_free(story.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_cut_off_from_everything_claims_nothing),
		cmocka_unit_test(a_gateway_that_died_with_the_primary_is_waited_for),
		cmocka_unit_test(nobody_is_judged_before_the_sockets_are_drained),
		cmocka_unit_test(a_long_lease_is_waited_for),
		cmocka_unit_test(a_long_lease_is_waited_for_after_a_restart),
		cmocka_unit_test(after_a_long_stall_silence_is_no_evidence),
		cmocka_unit_test(a_probe_finds_an_owner_that_lost_heartbeats),
		cmocka_unit_test(an_owner_announces_when_its_peer_comes_back),
		cmocka_unit_test(an_owner_announces_when_its_peer_is_another_process),
		cmocka_unit_test(who_slept_offers_a_session_to_who_began_meanwhile),
		cmocka_unit_test(answers_are_no_reason_to_ask_again),
		cmocka_unit_test(two_that_cannot_hear_each_other_never_use_the_same_epoch),
		cmocka_unit_test(an_older_word_does_not_replace_a_newer_one),
		cmocka_unit_test(a_claim_is_told_before_addresses_are_touched),
		cmocka_unit_test(two_that_are_elected_at_once_do_not_both_own),
		cmocka_unit_test(who_did_not_run_while_it_asked_hears_the_answer_first),
		cmocka_unit_test(who_was_held_back_asks_again),
		cmocka_unit_test(who_is_to_claim_asks_until_then),
		cmocka_unit_test(two_halves_of_links_are_a_way_to_shake_hands),
	};

	return cmocka_run_group_tests(tests, begin_all, NULL);
}
