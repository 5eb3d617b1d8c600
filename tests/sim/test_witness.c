/*
 * P5 as stories: every cut among two nodes and a witness. Never two owners, checked at every step; one
 * owner in time whenever two of three can talk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sodium.h>

#include "world.h"

#define MS HBD_MS_NS
#define S HBD_S_NS
#define VOTE (4 * S)	/* Lw of the profiles used here */

static const enum hbd_profile_name names[] = { HBD_PROFILE_LAN, HBD_PROFILE_FAST };

struct story {
	struct world *world;
	struct hbd_profile profile;
	unsigned alerts[HBD_ALERT_COUNT];
	unsigned requests;
	uint64_t changes;	/* of role until the story began */
	int64_t unowned_ns;	/* the longest time that nobody answered */
	int64_t unowned_since_ns;
};

static void note(void *context, const struct world *world, uint8_t machine,
		 const struct hbd_action *action)
{
	struct story *story = context;

	(void)world;
	(void)machine;
	if (action->type == HBD_ACTION_ALERT)
		story->alerts[action->alert.kind]++;
	story->requests += action->type == HBD_ACTION_WITNESS;
}

/* Time passes; two owners at any instant are a failure, and none is measured. */
static void let(struct story *story, int64_t duration_ns)
{
	int64_t until_ns = story->world->now_ns + duration_ns;
	bool more = true;

	while (more) {
		bool first, second;

		more = world_advance(story->world, until_ns);
		first = world_answers(story->world, 0, 0);
		second = world_answers(story->world, 1, 0);
		assert_false(first && second);
		if (first || second)
			story->unowned_since_ns = story->world->now_ns;
		story->unowned_ns = hbd_time_max(story->unowned_ns, story->world->now_ns -
								    story->unowned_since_ns);
	}
}

static void begin(struct story *story, enum hbd_profile_name name)
{
	*story = (struct story){ .world = world_new(3, name, 1), .profile = hbd_profile_get(name) };
	story->world->witness.present = true;
	for (uint8_t i = 0; i < HBD_NODES; i++)
		story->world->machines[i].config.groups[0].step_count = 0;
	world_start(story->world, 0);
	world_start(story->world, 1);
	let(story, 10 * S);
	assert_true(world_answers(story->world, 0, 0));
	story->world->watch = note;
	story->world->watch_context = story;
	story->unowned_ns = 0;
	story->changes = story->world->changes;
}

static void cut_links(struct story *story, bool cut)
{
	story->world->lan.apart = cut;
	for (uint8_t i = 0; i < HBD_NODES; i++)
		for (uint8_t link = 0; link < WORLD_LINKS; link++)
			story->world->paths[i][link].cut = cut;
}

static uint8_t owner(const struct story *story)
{
	if (world_answers(story->world, 0, 0))
		return 0;
	return world_answers(story->world, 1, 0) ? 1 : HBD_NO_HOLDER;
}

static void end(struct story *story)
{
	world_free(story->world);
}

#define FOR_ALL_PROFILES(story) \
	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++, end(story))

static void while_all_is_well_the_witness_is_read_once_a_second(void **state)
{
	struct story story;

	(void)state;
	FOR_ALL_PROFILES(&story) {
		begin(&story, names[n]);
		let(&story, 60 * S);
		assert_in_range(story.requests, 100, 121);
		assert_int_equal(story.world->witness.revision, 0);
	}
}

/* By agreement, cut off from then on: neither the peer nor the witness ever hears of it. */
static void an_epoch_that_nobody_heard_of_is_not_used_again(void **state)
{
	struct story story;

	(void)state;
	FOR_ALL_PROFILES(&story) {
		struct hbd_event fault = {
			.type = HBD_EVENT_FAULT,
			.fault = { .fault = HBD_FAULT_INTERFACE, .present = true },
		};
		uint64_t unheard;

		begin(&story, names[n]);
		/* an owner that died has the next epochs as another process, which stands by */
		world_event(story.world, 0, (struct hbd_event){ .type = HBD_EVENT_SWITCHOVER });
		let(&story, 10 * S);
		world_kill(story.world, 1, true);
		let(&story, 10 * S);
		assert_int_equal(owner(&story), 0);
		story.world->witness.cut[1] = true;
		for (uint8_t link = 0; link < WORLD_LINKS; link++)
			story.world->paths[1][link].cut = true;
		world_event(story.world, 0, fault);
		while (owner(&story) != 1)
			let(&story, 100 * HBD_US_NS);
		unheard = story.world->machines[1].node.groups[0].epoch;
		fault.fault.present = false;
		world_event(story.world, 0, fault);
		let(&story, 30 * S);
		assert_int_equal(owner(&story), 0);
		assert_true(story.world->machines[0].node.groups[0].epoch > unheard);
	}
}

static void when_the_nodes_are_cut_from_each_other_the_owner_stays(void **state)
{
	struct story story;

	(void)state;
	FOR_ALL_PROFILES(&story) {
		begin(&story, names[n]);
		cut_links(&story, true);
		let(&story, 60 * S);
		assert_int_equal(owner(&story), 0);
		assert_int_equal(story.alerts[HBD_ALERT_REFUSED], 1);
		assert_int_equal(story.alerts[HBD_ALERT_PEER_LOST], 1);
		cut_links(&story, false);
		let(&story, 10 * S);
		assert_int_equal(owner(&story), 0);
		assert_int_equal(story.world->changes, story.changes);
		assert_int_equal(story.unowned_ns, 0);
		/* and the vote was given back */
		assert_int_equal(story.world->witness.records[0].record.holder, HBD_NO_HOLDER);
	}
}

static void an_owner_that_is_cut_off_falls_mute_and_the_other_serves(void **state)
{
	struct story story;

	(void)state;
	FOR_ALL_PROFILES(&story) {
		begin(&story, names[n]);
		cut_links(&story, true);
		story.world->witness.cut[0] = true;
		let(&story, story.profile.grant_ns + 50 * MS);
		assert_int_equal(owner(&story), 1);
		let(&story, 60 * S);
		assert_int_equal(owner(&story), 1);
		cut_links(&story, false);
		story.world->witness.cut[0] = false;
		let(&story, 10 * S);
		assert_int_equal(owner(&story), 1);
	}
}

static void a_standby_that_is_cut_off_moves_nothing(void **state)
{
	struct story story;

	(void)state;
	FOR_ALL_PROFILES(&story) {
		begin(&story, names[n]);
		cut_links(&story, true);
		story.world->witness.cut[1] = true;
		let(&story, 60 * S);
		assert_int_equal(owner(&story), 0);
		assert_int_equal(story.unowned_ns, 0);
		assert_int_equal(story.alerts[HBD_ALERT_NO_VOTE], 1);
		cut_links(&story, false);
		story.world->witness.cut[1] = false;
		let(&story, 10 * S);
		assert_int_equal(owner(&story), 0);
	}
}

static void a_dead_owner_is_replaced_in_time(void **state)
{
	struct story story;

	(void)state;
	FOR_ALL_PROFILES(&story) {
		begin(&story, names[n]);
		world_power_off(story.world, 0);
		let(&story, story.profile.grant_ns + 50 * MS);
		assert_int_equal(owner(&story), 1);
		let(&story, 60 * S);
		assert_int_equal(owner(&story), 1);
	}
}

static void a_killed_engine_is_replaced_without_asking_the_witness_first(void **state)
{
	struct story story;

	(void)state;
	FOR_ALL_PROFILES(&story) {
		begin(&story, names[n]);
		world_kill(story.world, 0, false);
		let(&story, 2 * MS);
		assert_int_equal(owner(&story), 1);
		story.unowned_ns = 0;
		let(&story, 60 * S);
		assert_int_equal(owner(&story), 1);
		assert_int_equal(story.unowned_ns, 0);
	}
}

/* It needed the witness a moment ago, and could not give its vote up any more. */
static void nor_is_the_vote_of_a_killed_engine_waited_for(void **state)
{
	struct story story;

	(void)state;
	FOR_ALL_PROFILES(&story) {
		begin(&story, names[n]);
		cut_links(&story, true);
		while (story.world->witness.revision == 0)
			let(&story, MS);
		cut_links(&story, false);
		let(&story, 300 * MS);
		assert_int_equal(story.world->witness.records[0].record.holder, 0);
		world_kill(story.world, 0, false);
		let(&story, 2 * MS);
		assert_int_equal(owner(&story), 1);
		story.unowned_ns = 0;
		let(&story, 60 * S);
		assert_int_equal(owner(&story), 1);
		assert_int_equal(story.unowned_ns, 0);
	}
}

/* Nobody asked it meanwhile. */
static void a_machine_that_slept_has_not_lost_the_witness(void **state)
{
	struct story story;

	(void)state;
	FOR_ALL_PROFILES(&story) {
		begin(&story, names[n]);
		for (uint8_t i = 0; i < HBD_NODES; i++)
			story.world->machines[i].config.serve_without = true;
		world_sleep(story.world, 1, 10 * S, false, false);
		let(&story, 60 * S);
		assert_int_equal(owner(&story), 0);
		assert_int_equal(story.alerts[HBD_ALERT_WITNESS_LOST], 0);
	}
}

static void the_loss_of_the_witness_alone_moves_nothing(void **state)
{
	struct story story;

	(void)state;
	FOR_ALL_PROFILES(&story) {
		begin(&story, names[n]);
		story.world->witness.down = true;
		let(&story, 60 * S);
		assert_int_equal(owner(&story), 0);
		assert_int_equal(story.unowned_ns, 0);
		assert_int_equal(story.alerts[HBD_ALERT_WITNESS_LOST], 2);
		/* nor does the standby's restart, meanwhile, where it is back before its vote is over */
		world_kill(story.world, 1, false);
		let(&story, 20 * S);
		assert_int_equal(owner(&story), 0);
		if (names[n] == HBD_PROFILE_LAN)
			assert_int_equal(story.unowned_ns, 0);
		story.world->witness.down = false;
		let(&story, 10 * S);
		/* the process that was started anew has told nothing that it could take back */
		assert_int_equal(story.alerts[HBD_ALERT_WITNESS_BACK], 2);
	}
}

static void switchovers_need_no_witness(void **state)
{
	struct story story;

	(void)state;
	FOR_ALL_PROFILES(&story) {
		begin(&story, names[n]);
		story.world->witness.down = true;
		for (uint8_t i = 0; i < 6; i++) {
			world_event(story.world, i % 2,
				    (struct hbd_event){ .type = HBD_EVENT_SWITCHOVER });
			let(&story, 10 * S);
			assert_int_equal(owner(&story), 1 - i % 2);
		}
		/* they are agreed on: nobody waits for the next heartbeat's grant */
		assert_true(story.unowned_ns < 3 * MS);
	}
}

/* What etcd may do: errors while it elects a leader, seconds for a write, answers that get lost. */
static void an_owner_that_lives_by_the_witness_survives_its_moods(void **state)
{
	struct story story;

	(void)state;
	FOR_ALL_PROFILES(&story) {
		begin(&story, names[n]);
		cut_links(&story, true);
		let(&story, 10 * S);
		story.world->witness.down = true;
		let(&story, 2500 * MS);
		story.world->witness.down = false;
		let(&story, 2 * S);
		story.world->witness.lost_permille = 100;
		let(&story, 60 * S);
		assert_int_equal(owner(&story), 0);
		assert_int_equal(story.unowned_ns, 0);
	}
}

static void who_lives_by_the_witness_and_dies_is_replaced_when_its_vote_is_over(void **state)
{
	struct story story;

	(void)state;
	FOR_ALL_PROFILES(&story) {
		begin(&story, names[n]);
		cut_links(&story, true);
		let(&story, 20 * S);
		world_power_off(story.world, 0);
		let(&story, VOTE + VOTE / 4 + 500 * MS);
		assert_int_equal(owner(&story), 1);
	}
}

static void with_serve_a_lone_node_goes_on(void **state)
{
	struct story story;

	(void)state;
	FOR_ALL_PROFILES(&story) {
		begin(&story, names[n]);
		for (uint8_t i = 0; i < HBD_NODES; i++)
			story.world->machines[i].config.serve_without = true;
		story.world->witness.down = true;
		let(&story, 10 * S);
		world_power_off(story.world, 0);
		let(&story, story.profile.grant_ns + 50 * MS);
		assert_int_equal(owner(&story), 1);
		let(&story, 20 * S);
		assert_int_equal(owner(&story), 1);
		/* and when the witness is back it has its vote, without a pause */
		story.unowned_ns = 0;
		story.world->witness.down = false;
		let(&story, 20 * S);
		assert_int_equal(owner(&story), 1);
		assert_int_equal(story.unowned_ns, 0);
	}
}

static int begin_all(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(while_all_is_well_the_witness_is_read_once_a_second),
		cmocka_unit_test(when_the_nodes_are_cut_from_each_other_the_owner_stays),
		cmocka_unit_test(an_epoch_that_nobody_heard_of_is_not_used_again),
		cmocka_unit_test(an_owner_that_is_cut_off_falls_mute_and_the_other_serves),
		cmocka_unit_test(a_standby_that_is_cut_off_moves_nothing),
		cmocka_unit_test(a_dead_owner_is_replaced_in_time),
		cmocka_unit_test(a_killed_engine_is_replaced_without_asking_the_witness_first),
		cmocka_unit_test(nor_is_the_vote_of_a_killed_engine_waited_for),
		cmocka_unit_test(a_machine_that_slept_has_not_lost_the_witness),
		cmocka_unit_test(the_loss_of_the_witness_alone_moves_nothing),
		cmocka_unit_test(switchovers_need_no_witness),
		cmocka_unit_test(an_owner_that_lives_by_the_witness_survives_its_moods),
		cmocka_unit_test(who_lives_by_the_witness_and_dies_is_replaced_when_its_vote_is_over),
		cmocka_unit_test(with_serve_a_lone_node_goes_on),
	};

	return cmocka_run_group_tests(tests, begin_all, NULL);
}
