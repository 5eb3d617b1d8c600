/* Two of three votes: what a claim waits for, and what it does not. The witness answers nobody here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

#include "../../hbd/core/node.h"
#include "node_bench.h"

#define MS HBD_MS_NS
#define S HBD_S_NS

/* Node 0 has just claimed; its peer has heard of it and not answered yet. */
static struct bench *claiming(void)
{
	struct bench *bench = bench_new(0);

	bench->config.witness = true;
	bench_meet(bench);
	while (bench_group(bench)->role != HBD_ROLE_CLAIMING)
		bench_let(bench, MS);
	assert_true(bench_group(bench)->awaits_vote);
	assert_false(bench_group(bench)->lease.held);
	bench->deaf = true;
	return bench;
}

static void a_claim_waits_for_the_vote_of_a_peer_that_is_heard(void **state)
{
	static const struct {
		const char *what;
		int granted;		/* from the heartbeat that told of the claim */
		int64_t silent_ns;	/* so long nothing is heard of the peer */
		bool owns;
		bool quiet;		/* the peer is in restart silence, and grants by that */
		int ahead;		/* of the claim's epoch is the peer's */
	} rows[] = {
		{ "grants it", 0, 0, true, false, 0 },
		{ "has taken in nothing later than the state before", -1, 0, false, false, 0 },
		{ "grants it when the lease that was asked for is over", 0, 500 * MS, false, false,
		  0 },
		{ "is another process, and the one before may have owned", 0, 0, false, true, 0 },
		{ "owned since, and grants it now", 0, 0, false, false, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = claiming();

		bench->heard_hb_seq = bench_group(bench)->role_hb_seq + (uint64_t)rows[i].granted;
		bench->talks = rows[i].silent_ns == 0;
		if (rows[i].quiet) {
			bench_entry(bench)->role = HBD_ROLE_QUIET;
			bench_entry(bench)->flags = 0;
		}
		bench_entry(bench)->epoch = bench_group(bench)->epoch + (uint64_t)rows[i].ahead;
		bench_let(bench, rows[i].silent_ns);
		bench->talks = true;
		bench_let(bench, 200 * MS);
		if ((bench_group(bench)->role == HBD_ROLE_PRIMARY) != rows[i].owns)
			fail_msg("a peer that %s: %s", rows[i].what,
				 hbd_role_text(bench_group(bench)->role));
		assert_int_equal(bench->counts[HBD_ACTION_ACQUIRE], rows[i].owns);
		bench_let(bench, 600 * MS);
		/* nothing was served, so nobody is told that it was let go */
		assert_int_equal(bench->alerts[HBD_ALERT_RELEASED], rows[i].owns);
		assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
		bench_free(bench);
	}
}

/* A peer that owns nothing and takes nothing in could not hear of a claim, and claim too. */
static void a_peer_with_a_fault_that_hears_nothing_is_not_waited_for_without_end(void **state)
{
	static const struct {
		const char *what;
		bool witness, owns;
	} rows[] = {
		{ "without a witness it is claimed from", false, true },
		{ "with one its vote is wanted, and it gives none", true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(0);

		bench->config.witness = rows[i].witness;
		bench->deaf = true;
		bench_entry(bench)->role = HBD_ROLE_FAULT;
		bench_meet(bench);
		bench_let(bench, 600 * MS);
		assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
		bench_let(bench, S);
		assert_int_equal(bench_group(bench)->claim_reason, HBD_REASON_PEER_FAULT);
		if ((bench->counts[HBD_ACTION_ACQUIRE] > 0) != rows[i].owns)
			fail_msg("%s: it is not so", rows[i].what);
		bench_free(bench);
	}
}

/* The peer could have it, and claim, before this node's word that it counts on it no more is sent. */
static void a_vote_is_counted_on_no_more_when_it_is_given_back(void **state)
{
	struct bench *bench = bench_new(0);
	struct hbd_group *group = bench_group(bench);

	(void)state;
	bench->config.witness = true;
	bench_meet(bench);
	/* the vote of a time in which the peer was not heard */
	group->role = HBD_ROLE_PRIMARY;
	group->epoch = 8;
	hbd_lease_take(&group->lease, bench->now_ns + 450 * MS);
	group->witness.known = true;
	group->witness.revision = 10;
	group->witness.record = (struct hbd_record){
		.holder = 0, .epoch = 8, .count = 1, .life = bench->node.session.own_session };
	group->witness.held_until_ns = bench->now_ns + S;
	hbd_lease_vote(&group->lease, group->witness.held_until_ns);
	bench_entry(bench)->flags |= HBD_GROUP_GRANTS;
	for (int i = 0; i < 1000 && group->witness.pending != HBD_WITNESS_SWAP; i++)
		bench_let(bench, MS);
	assert_int_equal(group->witness.wanted.holder, HBD_NO_HOLDER);
	assert_true(group->lease.held);
	assert_int_equal(group->lease.voted_until_ns, 0);
	assert_int_equal(group->lease.held_until_ns, group->lease.granted_until_ns);
	bench_free(bench);
}

/* It cannot vote on a group that it does not have: the witness must. */
static void where_the_peer_has_no_such_group_the_witness_is_asked(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench->config.witness = true;
	bench_entry(bench)->id = BENCH_GROUP + 99;
	bench_meet(bench);
	bench_let(bench, 2 * S);
	assert_true(bench->counts[HBD_ACTION_WITNESS] > 0);
	assert_true(bench_group(bench)->wants_vote);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	/* it waits, but nobody has refused */
	assert_false(hbd_node_is_refused(&bench->node, 0));
	assert_false(hbd_node_witness_is_lost(&bench->node));
	bench_let(bench, 2 * S);
	assert_true(hbd_node_witness_is_lost(&bench->node));
	bench_free(bench);
}

static void without_a_witness_none_is_lost_and_none_refuses(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_serve(bench);
	bench_let(bench, 10 * S);
	assert_false(hbd_node_witness_is_lost(&bench->node));
	assert_false(hbd_node_is_refused(&bench->node, 0));
	assert_int_equal(bench->counts[HBD_ACTION_WITNESS], 0);
	bench_free(bench);
}

static int begin_all(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vote_is_counted_on_no_more_when_it_is_given_back),
		cmocka_unit_test(a_claim_waits_for_the_vote_of_a_peer_that_is_heard),
		cmocka_unit_test(
			a_peer_with_a_fault_that_hears_nothing_is_not_waited_for_without_end),
		cmocka_unit_test(where_the_peer_has_no_such_group_the_witness_is_asked),
		cmocka_unit_test(without_a_witness_none_is_lost_and_none_refuses),
	};

	return cmocka_run_group_tests_name("node votes", tests, begin_all, NULL);
}
