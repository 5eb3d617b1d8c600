/* Planned moves, make before break: what clients see of them, and what becomes of those that fail. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "world.h"

#define MS HBD_MS_NS
#define S HBD_S_NS

struct story {
	struct world *world;
	struct hbd_profile profile;
	unsigned not_taken, two_owners, takeovers;
	unsigned calls[HBD_NODES][HBD_CALL_RELEASE + 1];
};

static void note(void *context, const struct world *world, uint8_t machine,
		 const struct hbd_action *action)
{
	struct story *story = context;

	(void)world;
	if (action->type == HBD_ACTION_RUN)
		story->calls[machine][action->run.call]++;
	if (action->type != HBD_ACTION_ALERT)
		return;
	story->not_taken += action->alert.kind == HBD_ALERT_NOT_TAKEN;
	story->two_owners += action->alert.kind == HBD_ALERT_TWO_OWNERS;
	story->takeovers += action->alert.kind == HBD_ALERT_TAKEOVER;
}

static const struct hbd_group *group_of(const struct story *story, uint8_t machine)
{
	return &story->world->machines[machine].node.groups[0];
}

/* Until then both clients reach somebody at every instant, and never do two nodes answer questions. */
static void serves(struct story *story, int64_t duration_ns)
{
	int64_t until_ns = story->world->now_ns + duration_ns;

	while (world_advance(story->world, until_ns)) {
		assert_false(world_answers(story->world, 0, 0) &&
			     world_answers(story->world, 1, 0));
		for (uint8_t client = 0; client < WORLD_CLIENTS; client++)
			assert_true(world_reaches(story->world, client, 0));
	}
}

/* Until the group's role on the machine is this one, and no longer than limit_ns. */
static void until_role(struct story *story, uint8_t machine, enum hbd_role role, int64_t limit_ns)
{
	int64_t until_ns = story->world->now_ns + limit_ns;

	while (group_of(story, machine)->role != role)
		assert_true(world_advance(story->world, until_ns));
}

static void let(struct story *story, int64_t duration_ns)
{
	world_run(story->world, story->world->now_ns + duration_ns);
}

/* Node 0 serves and every client knows it. steps: plugins; the first one prepares. */
static void begin(struct story *story, enum hbd_profile_name name, uint8_t steps)
{
	*story = (struct story){
		.world = world_new(1, name, 1),
		.profile = hbd_profile_get(name),
	};
	for (uint8_t i = 0; i < HBD_NODES; i++)
		story->world->machines[i].config.groups[0].step_count = steps;
	world_start(story->world, 0);
	world_start(story->world, 1);
	let(story, 3 * story->profile.quiet_ns + 20 * S);
	assert_int_equal(group_of(story, 0)->role, HBD_ROLE_PRIMARY);
	story->world->watch = note;
	story->world->watch_context = story;
}

static void switch_over(struct story *story, uint8_t from)
{
	assert_int_equal(hbd_node_may_switch(&story->world->machines[from].node, 0), 0);
	world_event(story->world, from, (struct hbd_event){ .type = HBD_EVENT_SWITCHOVER });
}

static void ends(struct story *story, uint8_t owner)
{
	assert_int_equal(group_of(story, owner)->role, HBD_ROLE_PRIMARY);
	assert_int_equal(group_of(story, 1 - owner)->role, HBD_ROLE_SECONDARY);
	assert_false(story->world->machines[1 - owner].kernel[0].present);
	assert_int_equal(story->two_owners, 0);
	world_free(story->world);
}

static void P7_clients_reach_somebody_at_every_instant(void **state)
{
	(void)state;
	for (int name = HBD_PROFILE_WAN; name <= HBD_PROFILE_TURBO; name++) {
		struct story story;

		begin(&story, (enum hbd_profile_name)name, 0);
		switch_over(&story, 0);
		serves(&story, 30 * S);
		assert_int_equal(story.takeovers, 1);
		ends(&story, 1);
	}
}

static void also_when_half_of_all_packets_are_lost(void **state)
{
	(void)state;
	for (int name = HBD_PROFILE_LAN; name <= HBD_PROFILE_FAST; name++) {
		struct story story;

		begin(&story, (enum hbd_profile_name)name, 0);
		for (uint8_t i = 0; i < HBD_NODES; i++)
			story.world->paths[i][0].loss_permille = 500;
		switch_over(&story, 0);
		serves(&story, 30 * S);
		ends(&story, 1);
	}
}

static void what_can_prepare_does_so_while_the_other_serves(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_FAST, 2);
	switch_over(&story, 0);
	until_role(&story, 0, HBD_ROLE_DRAINING, 2 * S);
	assert_int_equal(story.calls[1][HBD_CALL_PREPARE], 1);
	assert_int_equal(story.calls[1][HBD_CALL_TAKEOVER], 0);
	serves(&story, 30 * S);
	assert_int_equal(story.calls[1][HBD_CALL_TAKEOVER], 2);
	assert_int_equal(story.calls[0][HBD_CALL_RELEASE], 2);
	ends(&story, 1);
}

static void who_cannot_get_ready_moves_nothing(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN, 1);
	story.world->machines[1].config.groups[0].steps[0].on_failure = HBD_ON_FAILURE_ABORT;
	story.world->plugin_failure_permille = 1000;
	switch_over(&story, 0);
	serves(&story, 30 * S);
	assert_int_equal(story.not_taken, 1);
	assert_int_equal(story.takeovers, 0);
	assert_int_equal(story.calls[1][HBD_CALL_RELEASE], 1);
	ends(&story, 0);
}

static void who_does_not_get_ready_in_time_moves_nothing(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN, 1);
	/* its program prepares for longer than it may */
	story.world->machines[1].config.groups[0].steps[0].on_failure = HBD_ON_FAILURE_ABORT;
	story.world->plugin_hang_permille = 1000;
	switch_over(&story, 0);
	serves(&story, 30 * S);
	assert_int_equal(story.not_taken, 1);
	ends(&story, 0);
}

static void who_dies_before_it_is_ready_takes_nothing_along(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_FAST, 2);
	switch_over(&story, 0);
	world_power_off(story.world, 1);
	serves(&story, 20 * S);
	assert_int_equal(group_of(&story, 0)->role, HBD_ROLE_PRIMARY);
	assert_int_equal(story.not_taken, 1);
	world_free(story.world);
}

static void who_dies_after_it_took_is_replaced_by_who_drains(void **state)
{
	struct story story;
	int64_t from_ns;

	(void)state;
	begin(&story, HBD_PROFILE_FAST, 0);
	switch_over(&story, 0);
	until_role(&story, 1, HBD_ROLE_PRIMARY, S);
	let(&story, 100 * MS);
	assert_int_equal(group_of(&story, 0)->role, HBD_ROLE_DRAINING);
	world_power_off(story.world, 1);
	from_ns = story.world->now_ns;
	until_role(&story, 0, HBD_ROLE_PRIMARY, S);
	assert_true(story.world->now_ns - from_ns < 2 * story.profile.grant_ns);
	world_free(story.world);
}

static void who_dies_while_it_drains_is_not_missed(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_FAST, 0);
	switch_over(&story, 0);
	until_role(&story, 1, HBD_ROLE_PRIMARY, S);
	let(&story, 20 * MS);
	world_power_off(story.world, 0);
	serves(&story, 20 * S);
	assert_int_equal(group_of(&story, 1)->role, HBD_ROLE_PRIMARY);
	world_free(story.world);
}

static void back_at_once_is_another_move(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_FAST, 0);
	for (int i = 0; i < 10; i++) {
		switch_over(&story, (uint8_t)(i % 2));
		until_role(&story, (uint8_t)(1 - i % 2), HBD_ROLE_PRIMARY, S);
		let(&story, 50 * MS);
	}
	serves(&story, 30 * S);
	ends(&story, 0);
}

static void the_drain_ends_when_nothing_is_left(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_FAST, 0);
	for (uint8_t i = 0; i < HBD_NODES; i++)
		story.world->machines[i].config.groups[0].drain_ns = 3600 * S;
	switch_over(&story, 0);
	serves(&story, 60 * S);
	assert_int_equal(group_of(&story, 0)->role, HBD_ROLE_DRAINING);
	assert_true(story.world->machines[0].kernel[0].present);
	world_event(story.world, 0, (struct hbd_event){ .type = HBD_EVENT_DRAINED });
	serves(&story, S);
	ends(&story, 1);
}

/* Its ARP would say who has the address. */
static void without_a_fence_nothing_drains(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_FAST, 0);
	world_event(story.world, 0,
		    (struct hbd_event){ .type = HBD_EVENT_FENCE, .fence = HBD_FENCE_LIFETIME });
	switch_over(&story, 0);
	until_role(&story, 0, HBD_ROLE_RELEASING, S);
	until_role(&story, 1, HBD_ROLE_PRIMARY, S);
	let(&story, 10 * S);
	ends(&story, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(P7_clients_reach_somebody_at_every_instant),
		cmocka_unit_test(also_when_half_of_all_packets_are_lost),
		cmocka_unit_test(what_can_prepare_does_so_while_the_other_serves),
		cmocka_unit_test(who_cannot_get_ready_moves_nothing),
		cmocka_unit_test(who_does_not_get_ready_in_time_moves_nothing),
		cmocka_unit_test(who_dies_before_it_is_ready_takes_nothing_along),
		cmocka_unit_test(who_dies_after_it_took_is_replaced_by_who_drains),
		cmocka_unit_test(who_dies_while_it_drains_is_not_missed),
		cmocka_unit_test(back_at_once_is_another_move),
		cmocka_unit_test(the_drain_ends_when_nothing_is_left),
		cmocka_unit_test(without_a_fence_nothing_drains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
