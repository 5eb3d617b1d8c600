/*
 * What virtual machines do and real ones do not: they stand still and do not know it, and they are
 * set back to what they were. And what clocks do. The time of day is not among them: the core has no
 * way to it (make pure).
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
#define PAUSE (7 * S)
#define YEAR (365 * 86400 * S)

static const enum hbd_profile_name names[] = { HBD_PROFILE_LAN, HBD_PROFILE_FAST };

static unsigned alerts[HBD_NODES][HBD_ALERT_COUNT];

static void note(void *context, const struct world *world, uint8_t machine,
		 const struct hbd_action *action)
{
	(void)context;
	(void)world;
	if (action->type == HBD_ACTION_ALERT)
		alerts[machine][action->alert.kind]++;
}

static void let(struct world *world, int64_t duration_ns)
{
	world_run(world, world->now_ns + duration_ns);
}

static struct world *running_pair(enum hbd_profile_name name)
{
	struct world *world = world_new(5, name, 1);

	for (uint8_t i = 0; i < HBD_NODES; i++) {
		world->machines[i].config.groups[0].step_count = 0;
		world_start(world, i);
		for (int kind = 0; kind < HBD_ALERT_COUNT; kind++)
			alerts[i][kind] = 0;
	}
	let(world, 10 * S);
	assert_true(world_answers(world, 0, 0));
	world->watch = note;
	return world;
}

/* The machine and its clock stand still; what came meanwhile is lost. */
static void pause(struct world *world, uint8_t machine)
{
	world_sleep(world, machine, PAUSE, true, false);
	let(world, PAUSE + MS);
}

static void a_primary_that_stood_still_is_told_by_its_peers_clock(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
		struct world *world = running_pair(names[n]);

		pause(world, 0);
		/* one exchange of heartbeats is all that it may answer for */
		let(world, world->machines[0].config.profile.interval_ns + MS);
		assert_false(world_answers(world, 0, 0));
		assert_true(world_answers(world, 1, 0));
		assert_int_equal(alerts[0][HBD_ALERT_STOOD_STILL], 1);
		let(world, 20 * S);
		assert_false(world_answers(world, 0, 0));
		assert_true(world_answers(world, 1, 0));
		assert_int_equal(alerts[0][HBD_ALERT_STOOD_STILL], 1);
		assert_int_equal(alerts[1][HBD_ALERT_STOOD_STILL], 0);
		world_free(world);
	}
}

/* Each packet that waited shows a part of it; it is one standstill. */
static void mail_that_waited_tells_of_one_standstill(void **state)
{
	struct world *world = running_pair(HBD_PROFILE_FAST);

	(void)state;
	world_sleep(world, 1, 500 * MS, true, true);
	let(world, 5 * S);
	/* and one more for a packet that was under way when it woke up */
	assert_in_range(alerts[1][HBD_ALERT_STOOD_STILL], 1, 2);
	world_free(world);
}

static void a_standby_that_stood_still_moves_nothing(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
		struct world *world = running_pair(names[n]);

		pause(world, 1);
		let(world, 20 * S);
		assert_true(world_answers(world, 0, 0));
		assert_false(world_answers(world, 1, 0));
		assert_int_equal(alerts[1][HBD_ALERT_STOOD_STILL], 1);
		world_free(world);
	}
}

/* The vote of the witness is as old as the machine's pause, whatever its own clock says. */
static void a_vote_that_was_slept_through_is_over(void **state)
{
	struct world *world = running_pair(HBD_PROFILE_FAST);
	struct hbd_group *group = &world->machines[0].node.groups[0];

	(void)state;
	hbd_lease_vote(&group->lease, world_clock(world, 0) + 4 * S);
	pause(world, 0);
	let(world, 20 * MS);
	assert_false(world_answers(world, 0, 0));
	world_free(world);
}

static void a_machine_set_back_to_a_snapshot_starts_anew(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
		struct world *world = running_pair(names[n]);
		struct hbd_node snapshot = world->machines[0].node;

		let(world, 60 * S);
		world->machines[0].node = snapshot;
		let(world, 2 * world->machines[0].config.profile.interval_ns);
		assert_true(world->machines[0].reborn);
		/* its guardian does what it does after every death */
		let(world, 20 * S);
		assert_false(world_answers(world, 0, 0));
		assert_true(world_answers(world, 1, 0));
		assert_int_equal(hbd_node_peer_state(&world->machines[1].node), HBD_PEER_ALIVE);
		world_free(world);
	}
}

/* One machine is just up, the other one has been for a year. */
static void clocks_a_year_apart_move_nothing(void **state)
{
	(void)state;
	for (uint8_t old = 0; old < HBD_NODES; old++) {
		struct world *world = world_new(5, HBD_PROFILE_LAN, 1);
		uint64_t changes;

		world_start(world, 0);
		world_start(world, 1);
		world_stop(world, old);
		let(world, 5 * S);
		world_leap(world, old, YEAR);
		world_start(world, old);
		let(world, 10 * S);
		assert_int_equal(world_answers(world, 0, 0) + world_answers(world, 1, 0), 1);
		world->watch = note;
		alerts[0][HBD_ALERT_STOOD_STILL] = alerts[1][HBD_ALERT_STOOD_STILL] = 0;
		changes = world->changes;
		let(world, 100 * S);
		assert_int_equal(world->changes, changes);
		assert_int_equal(alerts[0][HBD_ALERT_STOOD_STILL], 0);
		assert_int_equal(alerts[1][HBD_ALERT_STOOD_STILL], 0);
		world_free(world);
	}
}

/*
 * The clock that counts suspend cannot be set. Where it leaps all the same, as a hypervisor can make
 * it, the machine seems to have slept for so long; of two owners there is never a sign.
 */
static void after_a_leap_of_a_year_one_serves_again(void **state)
{
	(void)state;
	for (uint8_t leaper = 0; leaper < HBD_NODES; leaper++) {
		struct world *world = running_pair(HBD_PROFILE_LAN);
		int64_t until_ns = world->now_ns + 20 * S;

		world_leap(world, leaper, YEAR);
		while (world_advance(world, until_ns))
			assert_false(world_answers(world, 0, 0) && world_answers(world, 1, 0));
		assert_int_equal(world_answers(world, 0, 0) + world_answers(world, 1, 0), 1);
		assert_int_equal(hbd_node_peer_state(&world->machines[0].node), HBD_PEER_ALIVE);
		world_free(world);
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
		cmocka_unit_test(a_primary_that_stood_still_is_told_by_its_peers_clock),
		cmocka_unit_test(a_standby_that_stood_still_moves_nothing),
		cmocka_unit_test(mail_that_waited_tells_of_one_standstill),
		cmocka_unit_test(a_vote_that_was_slept_through_is_over),
		cmocka_unit_test(a_machine_set_back_to_a_snapshot_starts_anew),
		cmocka_unit_test(clocks_a_year_apart_move_nothing),
		cmocka_unit_test(after_a_leap_of_a_year_one_serves_again),
	};

	return cmocka_run_group_tests(tests, begin_all, NULL);
}
