/* What a node in maintenance says and does, and when an operator may ask for it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../hbd/core/node.h"
#include "../../hbd/core/resume.h"
#include "node_bench.h"

#define MS HBD_MS_NS
#define S HBD_S_NS
#define HOUR_NS (3600 * S)

static void maintain(struct bench *bench, bool on)
{
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_MAINTENANCE, .maintenance = on });
}

static void serve(struct bench *bench, enum hbd_role peer)
{
	bench_entry(bench)->role = (uint8_t)peer;
	bench->word.lease_us = peer == HBD_ROLE_PRIMARY ? 450000 : 0;
	bench_entry(bench)->epoch = peer == HBD_ROLE_PRIMARY ? 1001 : 0;
}

static void it_is_told_only_while_its_sender_claims_nothing_at_all(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_serve(bench);
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_FENCE, .fence = HBD_FENCE_NONE });
	assert_int_equal(bench->said.node_state, HBD_NODE_RUNNING);
	maintain(bench, true);
	/* an owner that is offered to nobody yet; it claims nothing */
	assert_int_equal(bench->said.node_state, HBD_NODE_MAINTENANCE);
	bench_entry(bench)->flags |= HBD_GROUP_READY;
	bench_let(bench, 200 * MS);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	assert_true(bench->said.groups[0].flags & HBD_GROUP_RESIGNED);
	/* what was handed over it may still take back */
	assert_int_equal(bench->said.node_state, HBD_NODE_RUNNING);
	bench_entry(bench)->flags = 0;
	serve(bench, HBD_ROLE_PRIMARY);
	bench_let(bench, 200 * MS);
	assert_int_equal(bench->said.node_state, HBD_NODE_MAINTENANCE);
	assert_true(bench->said.groups[0].flags & HBD_GROUP_GRANTS);
	bench_free(bench);
}

static void it_refuses_what_it_is_offered(void **state)
{
	struct bench *bench = bench_new(1);

	(void)state;
	serve(bench, HBD_ROLE_PRIMARY);
	bench_meet(bench);
	maintain(bench, true);
	bench_entry(bench)->flags |= HBD_GROUP_OFFERED;
	bench_let(bench, S);
	assert_true(bench->said.groups[0].flags & HBD_GROUP_REFUSED);
	assert_false(bench->said.groups[0].flags & HBD_GROUP_READY);
	bench_free(bench);
}

static void what_it_was_about_to_take_it_refuses(void **state)
{
	struct bench *bench = bench_new(1);

	(void)state;
	serve(bench, HBD_ROLE_PRIMARY);
	bench_meet(bench);
	bench_entry(bench)->flags |= HBD_GROUP_OFFERED;
	bench_let(bench, S);
	assert_true(bench->said.groups[0].flags & HBD_GROUP_READY);
	assert_int_equal(hbd_node_may_maintain(&bench->node), -EBUSY);
	maintain(bench, true);
	assert_true(bench->said.groups[0].flags & HBD_GROUP_REFUSED);
	bench_free(bench);
}

/* The peer may have long leases that this node did not hear of. */
static void who_comes_out_of_it_first_listens(void **state)
{
	struct bench *bench = bench_new(1);

	(void)state;
	serve(bench, HBD_ROLE_PRIMARY);
	bench_meet(bench);
	maintain(bench, true);
	bench->talks = false;
	bench_let(bench, 60 * S);
	assert_int_equal(bench->counts[HBD_ACTION_ASK], 0);
	maintain(bench, false);
	bench_let(bench, bench->config.profile.alone_ns - 100 * MS);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	bench_let(bench, S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	bench_free(bench);
}

static void humans_are_reminded_once_a_day(void **state)
{
	struct bench *bench = bench_new(1);

	(void)state;
	bench->config.profile = hbd_profile_get(HBD_PROFILE_WAN);
	serve(bench, HBD_ROLE_PRIMARY);
	bench_meet(bench);
	maintain(bench, true);
	maintain(bench, true);
	assert_int_equal(bench->alerts[HBD_ALERT_MAINTENANCE], 1);
	bench_let(bench, 23 * HOUR_NS);
	assert_int_equal(bench->alerts[HBD_ALERT_MAINTAINED], 0);
	bench_let(bench, 26 * HOUR_NS);
	assert_int_equal(bench->alerts[HBD_ALERT_MAINTAINED], 2);
	maintain(bench, false);
	assert_int_equal(bench->alerts[HBD_ALERT_MAINTENANCE_OVER], 1);
	bench_free(bench);
}

/* It said that another process of it goes on: nobody is to be called for that. */
static void a_peer_that_pauses_is_no_outage(void **state)
{
	struct bench *bench = bench_new(1);

	(void)state;
	serve(bench, HBD_ROLE_PRIMARY);
	bench_meet(bench);
	maintain(bench, true);
	bench->word.node_state = HBD_NODE_HOLDING;
	bench->word.capabilities = HBD_CAPABILITY_HOLD;
	bench->word.lease_us = 3000000;
	bench_let(bench, 200 * MS);
	bench->talks = false;
	bench_let(bench, 2800 * MS);
	assert_int_equal(bench->alerts[HBD_ALERT_UNSERVED], 0);
	bench_let(bench, 5 * S);
	assert_int_equal(bench->alerts[HBD_ALERT_UNSERVED], 1);
	bench_free(bench);
}

static void another_process_goes_on_by_the_operators_last_word(void **state)
{
	(void)state;
	for (int before = 0; before <= 1; before++)
		for (int after = 0; after <= 1; after++) {
			struct bench *bench = bench_new(1);
			struct hbd_node *node = malloc(sizeof(*node));

			serve(bench, HBD_ROLE_PRIMARY);
			bench_meet(bench);
			maintain(bench, before);
			bench_let(bench, S);
			bench->config.maintenance = after;
			assert_int_equal(hbd_node_resume(node, &bench->config, &bench->node,
							 bench->now_ns), 0);
			assert_int_equal(node->maintenance.on, after);
			assert_int_equal(hbd_node_abstains(node, 0), after);
			assert_true(node->groups[0].hold_until_ns > node->now_ns);
			free(node);
			bench_free(bench);
		}
}

static void it_is_refused_where_nobody_else_could_serve(void **state)
{
	static const struct {
		const char *what;
		uint8_t state;		/* 0 = it does not talk */
		enum hbd_role role;
		uint8_t flags;
		uint64_t digest;
		int refusal;
	} rows[] = {
		{ "stands by", HBD_NODE_RUNNING, HBD_ROLE_SECONDARY, 0, 0, 0 },
		{ "is silent", 0, HBD_ROLE_SECONDARY, 0, 0, -EHOSTDOWN },
		{ "has just started", HBD_NODE_QUIET, HBD_ROLE_QUIET, 0, 0, -EHOSTDOWN },
		{ "stops", HBD_NODE_STOPPING, HBD_ROLE_SECONDARY, 0, 0, -EHOSTDOWN },
		{ "is in maintenance", HBD_NODE_MAINTENANCE, HBD_ROLE_SECONDARY, 0, 0,
		  -EHOSTUNREACH },
		{ "has another configuration", HBD_NODE_RUNNING, HBD_ROLE_SECONDARY, 0, 1, -EINVAL },
		{ "has a check that fails", HBD_NODE_RUNNING, HBD_ROLE_SECONDARY,
		  HBD_GROUP_FAULT_SOFT, 0, -ENODEV },
		{ "has a fault", HBD_NODE_RUNNING, HBD_ROLE_FAULT, HBD_GROUP_FAULT_HARD, 0, -ENODEV },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(0);
		int refusal;

		bench_serve(bench);
		bench->talks = rows[i].state != 0;
		bench->word.node_state = rows[i].state ? rows[i].state : HBD_NODE_RUNNING;
		bench->word.config_digest ^= rows[i].digest;
		bench_entry(bench)->role = (uint8_t)rows[i].role;
		bench_entry(bench)->flags |= rows[i].flags;
		bench_let(bench, 2 * S);
		refusal = hbd_node_may_maintain(&bench->node);
		if (refusal != rows[i].refusal)
			fail_msg("a peer that %s: %d", rows[i].what, refusal);
		/* forced, it goes on serving who has nobody else */
		maintain(bench, true);
		bench_let(bench, S);
		if (refusal != 0 && bench_group(bench)->role != HBD_ROLE_PRIMARY)
			fail_msg("a peer that %s: nobody serves", rows[i].what);
		bench_free(bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_told_only_while_its_sender_claims_nothing_at_all),
		cmocka_unit_test(it_refuses_what_it_is_offered),
		cmocka_unit_test(what_it_was_about_to_take_it_refuses),
		cmocka_unit_test(who_comes_out_of_it_first_listens),
		cmocka_unit_test(humans_are_reminded_once_a_day),
		cmocka_unit_test(a_peer_that_pauses_is_no_outage),
		cmocka_unit_test(another_process_goes_on_by_the_operators_last_word),
		cmocka_unit_test(it_is_refused_where_nobody_else_could_serve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
