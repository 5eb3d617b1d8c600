/* Maintenance: what is handed over, what is not claimed, and who is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "world.h"

#define S HBD_S_NS

struct story {
	struct world *world;
	struct hbd_profile profile;
	unsigned alerts[HBD_ALERT_COUNT];
};

static void note(void *context, const struct world *world, uint8_t machine,
		 const struct hbd_action *action)
{
	struct story *story = context;

	(void)world;
	(void)machine;
	if (action->type == HBD_ACTION_ALERT)
		story->alerts[action->alert.kind]++;
}

static enum hbd_role role_of(const struct story *story, uint8_t machine)
{
	return story->world->machines[machine].node.groups[0].role;
}

static void let(struct story *story, int64_t duration_ns)
{
	world_run(story->world, story->world->now_ns + duration_ns);
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

/* Node 0 serves and every client knows it. */
static void begin(struct story *story, enum hbd_profile_name name)
{
	*story = (struct story){
		.world = world_new(1, name, 1),
		.profile = hbd_profile_get(name),
	};
	for (uint8_t i = 0; i < HBD_NODES; i++)
		story->world->machines[i].config.groups[0].step_count = 0;
	world_start(story->world, 0);
	world_start(story->world, 1);
	let(story, 3 * story->profile.quiet_ns + 20 * S);
	assert_int_equal(role_of(story, 0), HBD_ROLE_PRIMARY);
	story->world->watch = note;
	story->world->watch_context = story;
}

static void what_it_serves_goes_to_the_other_without_a_break(void **state)
{
	(void)state;
	for (int name = HBD_PROFILE_WAN; name <= HBD_PROFILE_TURBO; name++) {
		struct story story;

		begin(&story, (enum hbd_profile_name)name);
		assert_int_equal(hbd_node_may_maintain(&story.world->machines[0].node), 0);
		world_maintain(story.world, 0, true);
		serves(&story, 60 * S);
		assert_int_equal(role_of(&story, 1), HBD_ROLE_PRIMARY);
		assert_int_equal(role_of(&story, 0), HBD_ROLE_SECONDARY);
		assert_true(story.world->machines[1].node.peer_maintained);
		assert_int_equal(story.alerts[HBD_ALERT_MAINTENANCE], 1);
		/* it is over, and nothing moves for that */
		world_maintain(story.world, 0, false);
		serves(&story, 30 * S);
		assert_int_equal(role_of(&story, 1), HBD_ROLE_PRIMARY);
		assert_false(story.world->machines[1].node.peer_maintained);
		assert_int_equal(story.alerts[HBD_ALERT_MAINTENANCE_OVER], 1);
		world_free(story.world);
	}
}

/* Whoever works on the machine is not to find the service there all of a sudden. */
static void what_the_other_lets_fall_it_does_not_take(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	world_maintain(story.world, 0, true);
	let(&story, 60 * S);
	world_power_off(story.world, 1);
	let(&story, 60 * S);
	assert_int_equal(role_of(&story, 0), HBD_ROLE_SECONDARY);
	/* one alert that says it all */
	assert_int_equal(story.alerts[HBD_ALERT_UNSERVED], 1);
	assert_int_equal(story.alerts[HBD_ALERT_PEER_LOST], 0);
	/* the operator ends it, and need not do more */
	world_maintain(story.world, 0, false);
	let(&story, 2 * story.profile.alone_ns);
	assert_int_equal(role_of(&story, 0), HBD_ROLE_PRIMARY);
	world_free(story.world);
}

static void a_fault_of_the_other_is_told_as_what_it_is(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	world_maintain(story.world, 0, true);
	let(&story, 60 * S);
	world_set_fault(story.world, 1, 0, HBD_FAULT_INTERFACE, true);
	let(&story, 10 * S);
	assert_int_equal(role_of(&story, 0), HBD_ROLE_SECONDARY);
	assert_int_equal(story.alerts[HBD_ALERT_UNSERVED], 1);
	/* it heals, and is told anew if it comes again */
	world_set_fault(story.world, 1, 0, HBD_FAULT_INTERFACE, false);
	let(&story, 10 * S);
	assert_int_equal(role_of(&story, 1), HBD_ROLE_PRIMARY);
	world_set_fault(story.world, 1, 0, HBD_FAULT_INTERFACE, true);
	let(&story, 10 * S);
	assert_int_equal(story.alerts[HBD_ALERT_UNSERVED], 2);
	world_free(story.world);
}

/* Maintenance of the only node must not stop the service. */
static void who_is_alone_serves_until_somebody_can_take_it(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	world_power_off(story.world, 1);
	let(&story, 10 * S);
	assert_int_not_equal(hbd_node_may_maintain(&story.world->machines[0].node), 0);
	world_maintain(story.world, 0, true);
	serves(&story, 60 * S);
	assert_int_equal(role_of(&story, 0), HBD_ROLE_PRIMARY);
	assert_int_equal(story.alerts[HBD_ALERT_UNSERVED], 0);
	world_start(story.world, 1);
	serves(&story, 60 * S);
	assert_int_equal(role_of(&story, 1), HBD_ROLE_PRIMARY);
	world_free(story.world);
}

static void with_both_in_it_nothing_moves(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	world_maintain(story.world, 1, true);
	let(&story, S);
	assert_int_not_equal(hbd_node_may_maintain(&story.world->machines[0].node), 0);
	world_maintain(story.world, 0, true);
	serves(&story, 60 * S);
	assert_int_equal(role_of(&story, 0), HBD_ROLE_PRIMARY);
	assert_int_equal(role_of(&story, 1), HBD_ROLE_SECONDARY);
	/* the other is back in service: now it is handed over */
	world_maintain(story.world, 1, false);
	serves(&story, 90 * S);
	assert_int_equal(role_of(&story, 1), HBD_ROLE_PRIMARY);
	world_free(story.world);
}

static void a_reboot_does_not_end_it(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	world_maintain(story.world, 0, true);
	let(&story, 60 * S);
	world_power_off(story.world, 0);
	let(&story, 10 * S);
	world_start(story.world, 0);
	serves(&story, 10 * S);
	assert_int_equal(story.alerts[HBD_ALERT_MAINTAINED], 1);
	world_power_off(story.world, 1);
	let(&story, 60 * S);
	assert_int_equal(role_of(&story, 0), HBD_ROLE_SECONDARY);
	world_free(story.world);
}

/* Both boot; the first choice is in maintenance: the other does not wait for it. */
static void a_pair_that_boots_is_served_by_the_other(void **state)
{
	struct story story = {
		.world = world_new(1, HBD_PROFILE_LAN, 1),
		.profile = hbd_profile_get(HBD_PROFILE_LAN),
	};

	(void)state;
	story.world->machines[0].maintained = true;
	story.world->machines[0].config.groups[0].prefer = 0;
	story.world->machines[1].config.groups[0].prefer = 0;
	world_start(story.world, 0);
	world_start(story.world, 1);
	let(&story, 3 * story.profile.quiet_ns + S);
	assert_int_equal(role_of(&story, 1), HBD_ROLE_PRIMARY);
	assert_int_equal(story.world->machines[1].node.groups[0].claim_reason,
			 HBD_REASON_PEER_MAINTAINED);
	world_free(story.world);
}

/* The move is not over before somebody serves. */
static void what_nobody_took_it_takes_back(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN);
	world_maintain(story.world, 0, true);
	while (role_of(&story, 0) == HBD_ROLE_PRIMARY)
		assert_true(world_advance(story.world, story.world->now_ns + S));
	world_power_off(story.world, 1);
	let(&story, 10 * S);
	assert_int_equal(role_of(&story, 0), HBD_ROLE_PRIMARY);
	/* and hands it over when the other is back */
	world_start(story.world, 1);
	serves(&story, 90 * S);
	assert_int_equal(role_of(&story, 1), HBD_ROLE_PRIMARY);
	world_free(story.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_serves_goes_to_the_other_without_a_break),
		cmocka_unit_test(what_the_other_lets_fall_it_does_not_take),
		cmocka_unit_test(a_fault_of_the_other_is_told_as_what_it_is),
		cmocka_unit_test(who_is_alone_serves_until_somebody_can_take_it),
		cmocka_unit_test(with_both_in_it_nothing_moves),
		cmocka_unit_test(a_reboot_does_not_end_it),
		cmocka_unit_test(a_pair_that_boots_is_served_by_the_other),
		cmocka_unit_test(what_nobody_took_it_takes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
