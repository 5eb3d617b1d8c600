/* What a node does that is about to stop. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../hbd/core/node.h"
#include "node_bench.h"

#define MS HBD_MS_NS
#define S HBD_S_NS
#define PATIENCE_NS (2 * S)

static void leave(struct bench *bench, bool on)
{
	bench_event(bench, (struct hbd_event){
		.type = HBD_EVENT_LEAVE,
		.leave = { .on = on, .patience_ns = PATIENCE_NS },
	});
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_TICK });
}

static bool has_left(const struct bench *bench)
{
	return bench->counts[HBD_ACTION_LEFT] > 0;
}

static struct bench *serving(int64_t drain_ns)
{
	struct bench *bench = bench_new(0);

	bench->config.groups[0].drain_ns = drain_ns;
	bench_serve(bench);
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_FENCE, .fence = HBD_FENCE_KERNEL });
	return bench;
}

static void peer_serves(struct bench *bench)
{
	bench_entry(bench)->flags = 0;
	bench_entry(bench)->role = HBD_ROLE_PRIMARY;
	bench_entry(bench)->epoch = 1001;
	bench->word.lease_us = 450000;
}

static void who_serves_nothing_has_left_at_once(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	peer_serves(bench);
	bench_meet(bench);
	leave(bench, true);
	assert_true(has_left(bench));
	assert_int_equal(bench->said.node_state, HBD_NODE_RUNNING);
	bench_free(bench);
}

static void a_group_goes_over_and_its_old_connections_are_waited_for(void **state)
{
	struct bench *bench = serving(60 * S);

	(void)state;
	leave(bench, true);
	assert_true(bench->said.groups[0].flags & HBD_GROUP_OFFERED);
	bench_entry(bench)->flags |= HBD_GROUP_READY;
	bench_let(bench, 200 * MS);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_DRAINING);
	peer_serves(bench);
	bench_let(bench, S);
	assert_false(has_left(bench));
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_DRAINED });
	bench_let(bench, 100 * MS);
	assert_true(has_left(bench));
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	bench_free(bench);
}

static void they_are_not_waited_for_without_end(void **state)
{
	struct bench *bench = serving(60 * S);

	(void)state;
	leave(bench, true);
	bench_entry(bench)->flags |= HBD_GROUP_READY;
	bench_let(bench, 200 * MS);
	peer_serves(bench);
	bench_let(bench, PATIENCE_NS - 200 * MS);
	assert_false(has_left(bench));
	bench_let(bench, 3 * S);
	assert_true(has_left(bench));
	assert_int_equal(bench->counts[HBD_ACTION_LEFT], 1);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_DRAINING);
	bench_free(bench);
}

static void a_peer_that_cannot_take_it_is_not_waited_for(void **state)
{
	static const struct {
		const char *what;
		uint8_t flags;
		bool talks, refuses;
	} rows[] = {
		{ "is at fault", HBD_GROUP_FAULT_SOFT, true, false },
		{ "is away", 0, false, false },
		{ "refuses", 0, true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = serving(0);

		bench_entry(bench)->flags = rows[i].flags;
		bench->talks = rows[i].talks;
		bench_let(bench, rows[i].talks ? 200 * MS : 2 * S);
		leave(bench, true);
		if (rows[i].refuses)
			bench_entry(bench)->flags |= HBD_GROUP_REFUSED;
		bench_let(bench, 200 * MS);
		if (!has_left(bench))
			fail_msg("who %s", rows[i].what);
		/* and it is served until the stop */
		assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
		bench_free(bench);
	}
}

static void a_peer_that_will_be_able_to_soon_is_waited_for(void **state)
{
	static const struct {
		const char *what;
		uint8_t state;
		enum hbd_role role;
	} rows[] = {
		{ "is in restart silence", HBD_NODE_QUIET, HBD_ROLE_QUIET },
		{ "still lets go of it", HBD_NODE_RUNNING, HBD_ROLE_RELEASING },
		{ "is about to restart", HBD_NODE_HOLDING, HBD_ROLE_SECONDARY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = serving(0);

		bench->word.node_state = rows[i].state;
		bench->word.lease_us = 2000000;
		bench_entry(bench)->role = (uint8_t)rows[i].role;
		bench_let(bench, 200 * MS);
		leave(bench, true);
		bench_let(bench, S);
		if (has_left(bench) || (bench->said.groups[0].flags & HBD_GROUP_OFFERED))
			fail_msg("who %s", rows[i].what);
		bench->word.node_state = HBD_NODE_RUNNING;
		bench->word.lease_us = 0;
		bench_entry(bench)->role = HBD_ROLE_SECONDARY;
		bench_let(bench, 100 * MS);
		if (!(bench->said.groups[0].flags & HBD_GROUP_OFFERED))
			fail_msg("who no longer %s is offered it", rows[i].what);
		assert_true(hbd_node_hands_over(&bench->node, 0));
		bench_free(bench);
	}
}

static void what_the_peer_does_not_take_is_offered_once(void **state)
{
	struct bench *bench = serving(0);

	(void)state;
	leave(bench, true);
	bench_let(bench, 60 * S);
	assert_true(has_left(bench));
	assert_int_equal(bench->alerts[HBD_ALERT_NOT_TAKEN], 1);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	bench_free(bench);
}

static void who_leaves_takes_nothing(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	peer_serves(bench);
	bench_meet(bench);
	leave(bench, true);
	/* neither what it is offered */
	bench_entry(bench)->flags |= HBD_GROUP_OFFERED;
	bench_let(bench, 200 * MS);
	assert_true(bench->said.groups[0].flags & HBD_GROUP_REFUSED);
	/* nor what nobody serves */
	bench->talks = false;
	bench_let(bench, 10 * S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	/* but when the stop was called off */
	leave(bench, false);
	bench_let(bench, 10 * S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	bench_free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_serves_nothing_has_left_at_once),
		cmocka_unit_test(a_group_goes_over_and_its_old_connections_are_waited_for),
		cmocka_unit_test(they_are_not_waited_for_without_end),
		cmocka_unit_test(a_peer_that_cannot_take_it_is_not_waited_for),
		cmocka_unit_test(a_peer_that_will_be_able_to_soon_is_waited_for),
		cmocka_unit_test(what_the_peer_does_not_take_is_offered_once),
		cmocka_unit_test(who_leaves_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
