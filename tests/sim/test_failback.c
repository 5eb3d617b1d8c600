/* Moves of the pair's own accord: back to the preferred node, to who is less bad, and not too often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "world.h"

#define S HBD_S_NS
#define FAILBACK_NS (30 * S)

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

static void serves(struct story *story, int64_t duration_ns)
{
	int64_t until_ns = story->world->now_ns + duration_ns;

	while (world_advance(story->world, until_ns))
		for (uint8_t client = 0; client < WORLD_CLIENTS; client++)
			assert_true(world_reaches(story->world, client, 0));
}

/* Node 0 is preferred and serves, and gets the group back after failback_ns. */
static void begin(struct story *story, int64_t failback_ns)
{
	*story = (struct story){
		.world = world_new(1, HBD_PROFILE_LAN, 1),
		.profile = hbd_profile_get(HBD_PROFILE_LAN),
	};
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		story->world->machines[i].config.groups[0].step_count = 0;
		story->world->machines[i].config.groups[0].failback_ns = failback_ns;
	}
	world_start(story->world, 0);
	world_start(story->world, 1);
	let(story, 3 * story->profile.quiet_ns + 20 * S);
	assert_int_equal(role_of(story, 0), HBD_ROLE_PRIMARY);
	story->world->watch = note;
	story->world->watch_context = story;
}

/* Node 0 lost its power, and is back; node 1 serves. */
static void lose_and_regain(struct story *story)
{
	world_power_off(story->world, 0);
	let(story, 5 * S);
	world_start(story->world, 0);
	let(story, 5 * S);
	assert_int_equal(role_of(story, 1), HBD_ROLE_PRIMARY);
}

static void it_goes_back_when_the_preferred_node_was_well_for_so_long(void **state)
{
	struct story story;

	(void)state;
	begin(&story, FAILBACK_NS);
	lose_and_regain(&story);
	serves(&story, FAILBACK_NS - 6 * S);
	assert_int_equal(role_of(&story, 1), HBD_ROLE_PRIMARY);
	serves(&story, 12 * S);
	assert_int_equal(role_of(&story, 0), HBD_ROLE_PRIMARY);
	world_free(story.world);
}

static void nobody_is_moved_who_is_not_told_to(void **state)
{
	struct story story;

	(void)state;
	begin(&story, 0);
	lose_and_regain(&story);
	serves(&story, 600 * S);
	assert_int_equal(role_of(&story, 1), HBD_ROLE_PRIMARY);
	world_free(story.world);
}

/* What the preferred node must not be meanwhile; each begins before its time is over. */
static void the_time_counts_anew_when_it_was_not_well(void **state)
{
	static const char *const rows[] = { "check", "carrier", "silence", "configuration",
					    "maintenance" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct story story;
		struct world_machine *machines;

		begin(&story, FAILBACK_NS);
		machines = story.world->machines;
		lose_and_regain(&story);
		let(&story, FAILBACK_NS - 8 * S);
		for (int on = 1; on >= 0; on--) {
			if (i == 0)
				world_set_fault(story.world, 0, 0, HBD_FAULT_CHECK, on);
			else if (i == 1)
				world_set_fault(story.world, 0, 0, HBD_FAULT_INTERFACE, on);
			else if (i == 2)
				for (uint8_t link = 0; link < WORLD_LINKS; link++)
					story.world->paths[0][link].cut = on;
			else if (i == 3)
				machines[0].config.config_digest ^= 1;
			else
				world_maintain(story.world, 0, on);
			let(&story, on ? 2 * S : 1);
		}
		serves(&story, FAILBACK_NS - 2 * S);
		if (role_of(&story, 1) != HBD_ROLE_PRIMARY)
			fail_msg("%s: it went back too soon", rows[i]);
		let(&story, 15 * S);
		if (role_of(&story, 0) != HBD_ROLE_PRIMARY)
			fail_msg("%s: it did not go back", rows[i]);
		world_free(story.world);
	}
}

/* A check that comes and goes: the group follows it, but not without end. */
static void what_moves_too_often_stays_until_it_has_calmed_down(void **state)
{
	struct story story;
	unsigned moves = 0;

	(void)state;
	begin(&story, 0);
	for (int i = 0; i < 20; i++) {
		uint8_t owner = role_of(&story, 0) == HBD_ROLE_PRIMARY ? 0 : 1;

		world_set_fault(story.world, owner, 0, HBD_FAULT_CHECK, true);
		let(&story, 5 * S);
		moves += role_of(&story, owner) != HBD_ROLE_PRIMARY;
		world_set_fault(story.world, owner, 0, HBD_FAULT_CHECK, false);
		let(&story, 5 * S);
	}
	assert_in_range(moves, 1, 3);
	assert_int_equal(story.alerts[HBD_ALERT_DAMPED], 1);
	/* what is needed is not held back */
	for (int i = 0; i < 6; i++) {
		uint8_t owner = role_of(&story, 0) == HBD_ROLE_PRIMARY ? 0 : 1;

		world_set_fault(story.world, owner, 0, HBD_FAULT_INTERFACE, true);
		let(&story, S);
		assert_int_equal(role_of(&story, (uint8_t)(1 - owner)), HBD_ROLE_PRIMARY);
		world_set_fault(story.world, owner, 0, HBD_FAULT_INTERFACE, false);
		let(&story, 5 * S);
	}
	world_free(story.world);
}

static void damping_ends(void **state)
{
	struct story story;
	uint8_t owner;

	(void)state;
	begin(&story, 0);
	for (int i = 0; i < 4; i++) {
		owner = role_of(&story, 0) == HBD_ROLE_PRIMARY ? 0 : 1;
		world_event(story.world, owner, (struct hbd_event){ .type = HBD_EVENT_SWITCHOVER });
		let(&story, 5 * S);
		assert_int_not_equal(role_of(&story, owner), HBD_ROLE_PRIMARY);
	}
	owner = role_of(&story, 0) == HBD_ROLE_PRIMARY ? 0 : 1;
	world_set_fault(story.world, owner, 0, HBD_FAULT_CHECK, true);
	let(&story, 60 * S);
	assert_int_equal(role_of(&story, owner), HBD_ROLE_PRIMARY);
	let(&story, 900 * S);
	assert_int_not_equal(role_of(&story, owner), HBD_ROLE_PRIMARY);
	world_free(story.world);
}

/* How bad each is: 0 well, 1 low health, 2 a check fails, 3 low health too, 4 no carrier. */
static void make_bad(struct story *story, uint8_t machine, int bad)
{
	const struct hbd_event health = {
		.type = HBD_EVENT_HEALTH,
		.health = { (uint16_t)(bad == 1 || bad == 3 ? 500 : 1000) },
	};

	world_event(story->world, machine, health);
	if (bad == 2 || bad == 3)
		world_set_fault(story->world, machine, 0, HBD_FAULT_CHECK, true);
	if (bad == 4)
		world_set_fault(story->world, machine, 0, HBD_FAULT_INTERFACE, true);
}

static void of_two_that_are_not_well_the_least_bad_serves(void **state)
{
	(void)state;
	for (int owner = 0; owner <= 4; owner++) {
		for (int other = 0; other <= 4; other++) {
			bool moves = other < owner;
			struct story story;

			begin(&story, 0);
			make_bad(&story, 1, other);
			let(&story, S);
			make_bad(&story, 0, owner);
			let(&story, 5 * S);
			if ((role_of(&story, 1) == HBD_ROLE_PRIMARY) != moves ||
			    (owner < 4 && (role_of(&story, 0) == HBD_ROLE_PRIMARY) == moves))
				fail_msg("bad %d here, %d there: it %s", owner, other,
					 moves ? "stays" : "moves");
			/* and it is no matter of who looks last */
			let(&story, 60 * S);
			assert_int_equal(role_of(&story, 1) == HBD_ROLE_PRIMARY, moves);
			world_free(story.world);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_goes_back_when_the_preferred_node_was_well_for_so_long),
		cmocka_unit_test(nobody_is_moved_who_is_not_told_to),
		cmocka_unit_test(the_time_counts_anew_when_it_was_not_well),
		cmocka_unit_test(what_moves_too_often_stays_until_it_has_calmed_down),
		cmocka_unit_test(damping_ends),
		cmocka_unit_test(of_two_that_are_not_well_the_least_bad_serves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
