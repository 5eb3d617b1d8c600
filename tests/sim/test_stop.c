/* A stop, which hands over first: what clients see of it, and what if something goes wrong meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "world.h"

#define MS HBD_MS_NS
#define S HBD_S_NS
#define MOST_NS (3 * S)	/* at fast: to move, and for connections that do not end */

struct story {
	struct world *world;
	struct hbd_profile profile;
	unsigned alerts[HBD_ALERT_COUNT];
	enum hbd_severity worst;
	unsigned releases;
};

static void note(void *context, const struct world *world, uint8_t machine,
		 const struct hbd_action *action)
{
	struct story *story = context;

	(void)world;
	(void)machine;
	if (action->type != HBD_ACTION_ALERT)
		return;
	story->alerts[action->alert.kind]++;
	if (action->alert.kind == HBD_ALERT_RELEASED && action->reason == HBD_REASON_STOP)
		story->releases++;
	if (action->alert.severity > story->worst)
		story->worst = action->alert.severity;
}

static enum hbd_role role_of(const struct story *story, uint8_t machine)
{
	return story->world->machines[machine].node.groups[0].role;
}

static void let(struct story *story, int64_t duration_ns)
{
	world_run(story->world, story->world->now_ns + duration_ns);
}

/* Node 0 serves and every client knows it. */
static void begin(struct story *story, enum hbd_profile_name name, uint8_t fence, uint8_t steps)
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
	assert_int_equal(role_of(story, 0), HBD_ROLE_PRIMARY);
	for (uint8_t i = 0; i < HBD_NODES && fence != HBD_FENCE_KERNEL; i++)
		world_event(story->world, i,
			    (struct hbd_event){ .type = HBD_EVENT_FENCE, .fence = fence });
	let(story, S);
	story->world->watch = note;
	story->world->watch_context = story;
}

static bool is_stopped(const struct story *story, uint8_t machine)
{
	return story->world->machines[machine].stopped;
}

/* Until the node has ended, and no longer than limit_ns; then how long that was. */
static int64_t until_stopped(struct story *story, uint8_t machine, int64_t limit_ns)
{
	int64_t from_ns = story->world->now_ns;

	while (!is_stopped(story, machine))
		assert_true(world_advance(story->world, from_ns + limit_ns));
	return story->world->now_ns - from_ns;
}

/* Likewise; clients reach somebody at every instant, and never do two nodes answer questions. */
static void serves_until_stopped(struct story *story, uint8_t machine, int64_t limit_ns)
{
	int64_t until_ns = story->world->now_ns + limit_ns;

	while (!is_stopped(story, machine)) {
		assert_true(world_advance(story->world, until_ns));
		assert_false(world_answers(story->world, 0, 0) &&
			     world_answers(story->world, 1, 0));
		for (uint8_t client = 0; client < WORLD_CLIENTS; client++)
			assert_true(world_reaches(story->world, client, 0));
	}
}

static void clients_of_a_stopping_primary_reach_somebody_at_every_instant(void **state)
{
	(void)state;
	for (int name = HBD_PROFILE_WAN; name <= HBD_PROFILE_TURBO; name++) {
		for (uint8_t steps = 0; steps < 2; steps++) {
			struct story story;

			begin(&story, (enum hbd_profile_name)name, HBD_FENCE_KERNEL, steps);
			world_stop(story.world, 0);
			serves_until_stopped(&story, 0, 40 * S);
			assert_int_equal(role_of(&story, 1), HBD_ROLE_PRIMARY);
			assert_false(story.world->machines[0].kernel[0].present);
			/* told once, as a planned move */
			assert_int_equal(story.alerts[HBD_ALERT_RELEASED], 1);
			assert_int_equal(story.releases, 1);
			assert_int_equal(story.alerts[HBD_ALERT_NOT_TAKEN], 0);
			assert_in_range(story.worst, 0, HBD_SEVERITY_INFO);
			world_free(story.world);
		}
	}
}

static void it_is_over_in_time_whatever_happens(void **state)
{
	static const struct {
		const char *what;
		bool cut;		/* nobody hears anybody */
		bool dead;		/* the peer loses power */
		bool stopped;		/* the peer was stopped before */
		bool both;		/* both are stopped at once */
		uint8_t fence;
		int64_t after_ns;	/* the stop began */
	} rows[] = {
		{ .what = "no peer", .stopped = true, .fence = HBD_FENCE_KERNEL },
		{ .what = "both at once", .both = true, .fence = HBD_FENCE_KERNEL },
		{ .what = "the peer dies", .dead = true, .fence = HBD_FENCE_KERNEL },
		{ .what = "the peer dies soon", .dead = true, .after_ns = MS,
		  .fence = HBD_FENCE_KERNEL },
		{ .what = "the peer dies while connections drain", .dead = true,
		  .after_ns = 500 * MS, .fence = HBD_FENCE_KERNEL },
		{ .what = "cables out", .cut = true, .fence = HBD_FENCE_KERNEL },
		{ .what = "cables out soon", .cut = true, .after_ns = MS, .fence = HBD_FENCE_KERNEL },
		{ .what = "cables out while connections drain", .cut = true, .after_ns = 500 * MS,
		  .fence = HBD_FENCE_KERNEL },
		{ .what = "all is well, without a fence", .fence = HBD_FENCE_LIFETIME },
		{ .what = "the peer dies, without a fence", .dead = true, .after_ns = MS,
		  .fence = HBD_FENCE_LIFETIME },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct story story;
		int64_t lasted_ns;

		begin(&story, HBD_PROFILE_FAST, rows[i].fence, 0);
		if (rows[i].stopped)
			world_stop(story.world, 1);
		let(&story, S);
		world_stop(story.world, 0);
		let(&story, rows[i].after_ns);
		if (rows[i].both)
			world_stop(story.world, 1);
		if (rows[i].dead)
			world_power_off(story.world, 1);
		for (uint8_t link = 0; link < WORLD_LINKS && rows[i].cut; link++)
			for (uint8_t node = 0; node < HBD_NODES; node++)
				story.world->paths[node][link].cut = true;
		lasted_ns = until_stopped(&story, 0, 60 * S);
		if (lasted_ns > MOST_NS)
			fail_msg("%s: it took %lld ms", rows[i].what, (long long)(lasted_ns / MS));
		let(&story, 5 * S);
		if (!rows[i].dead && !rows[i].both && !rows[i].stopped)
			assert_true(world_answers(story.world, 1, 0));
		world_free(story.world);
	}
}

static void asked_again_it_waits_for_nobody(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN, HBD_FENCE_KERNEL, 0);
	world_stop(story.world, 0);
	while (role_of(&story, 0) != HBD_ROLE_DRAINING)
		assert_true(world_advance(story.world, story.world->now_ns + S));
	world_event(story.world, 0, (struct hbd_event){ .type = HBD_EVENT_STOP });
	assert_true(until_stopped(&story, 0, S) < 100 * MS);
	/* told once, when it was handed over */
	assert_int_equal(story.alerts[HBD_ALERT_RELEASED], 1);
	let(&story, S);
	assert_true(world_answers(story.world, 1, 0));
	world_free(story.world);
}

static void with_a_peer_that_just_started_it_waits_for_that(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HBD_PROFILE_LAN, HBD_FENCE_KERNEL, 0);
	world_stop(story.world, 1);
	let(&story, 5 * S);
	world_start(story.world, 1);
	while (role_of(&story, 1) != HBD_ROLE_QUIET ||
	       hbd_node_peer_state(&story.world->machines[0].node) != HBD_PEER_ALIVE)
		assert_true(world_advance(story.world, story.world->now_ns + S));
	world_stop(story.world, 0);
	serves_until_stopped(&story, 0, 40 * S);
	assert_int_equal(role_of(&story, 1), HBD_ROLE_PRIMARY);
	world_free(story.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients_of_a_stopping_primary_reach_somebody_at_every_instant),
		cmocka_unit_test(it_is_over_in_time_whatever_happens),
		cmocka_unit_test(asked_again_it_waits_for_nobody),
		cmocka_unit_test(with_a_peer_that_just_started_it_waits_for_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
