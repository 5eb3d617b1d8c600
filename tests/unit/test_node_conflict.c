/* Another machine has the address: left to it before the first use, taken and defended after. */
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

static const uint8_t own[HBD_STATION_BYTES] = { 2, 1 };
static const uint8_t peers[HBD_STATION_BYTES] = { 2, 2 };
static const uint8_t stranger[HBD_STATION_BYTES] = { 2, 3 };

static void tell_station(struct bench *bench)
{
	struct hbd_event station = { .type = HBD_EVENT_STATION };

	memcpy(station.station, own, sizeof(own));
	bench_event(bench, station);
}

static void intrude(struct bench *bench)
{
	memcpy(bench->stranger, stranger, sizeof(stranger));
}

static void leave(struct bench *bench)
{
	memset(bench->stranger, 0, sizeof(bench->stranger));
}

static void see(struct bench *bench, const uint8_t *station)
{
	struct hbd_event sight = { .type = HBD_EVENT_ANSWER, .address = 2 };

	memcpy(sight.station, station, HBD_STATION_BYTES);
	bench_event(bench, sight);
}

static void forget_counts(struct bench *bench)
{
	memset(bench->counts, 0, sizeof(bench->counts));
	memset(bench->alerts, 0, sizeof(bench->alerts));
}

/* Both have just booted; node 0 is the first choice. */
static struct bench *booted(uint8_t self, bool asks)
{
	struct bench *bench = bench_new(self);

	memcpy(bench_entry(bench)->station, peers, sizeof(peers));
	bench_start(bench);
	if (asks)
		tell_station(bench);
	bench->talks = true;
	return bench;
}

/* Node 1 stands by; its peer is primary and told its station, or none. */
static struct bench *standing_by(bool peer_told)
{
	struct bench *bench = bench_new(1);

	bench_entry(bench)->role = HBD_ROLE_PRIMARY;
	bench_entry(bench)->epoch = 2;
	if (peer_told)
		memcpy(bench_entry(bench)->station, peers, sizeof(peers));
	bench_meet(bench);
	tell_station(bench);
	bench_let(bench, 3 * S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	forget_counts(bench);
	return bench;
}

static struct bench *serving(void)
{
	struct bench *bench = booted(0, true);

	bench_let(bench, 3 * S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	forget_counts(bench);
	return bench;
}

/* How long until the node serves; 100 s if it does not. */
static int64_t served_after_ns(struct bench *bench)
{
	int64_t from_ns = bench->now_ns;

	while (bench_group(bench)->role != HBD_ROLE_PRIMARY && bench->now_ns - from_ns < 100 * S)
		bench_let(bench, MS / 4);
	return bench->now_ns - from_ns;
}

static void a_first_use_is_asked_about_in_the_time_that_there_is(void **state)
{
	struct bench *asking = booted(0, true), *not_asking = booted(0, false);

	(void)state;
	assert_int_equal(served_after_ns(asking), served_after_ns(not_asking));
	assert_true(asking->counts[HBD_ACTION_ASK] >= 3);
	assert_int_equal(asking->alerts[HBD_ALERT_CONFLICT], 0);
	bench_free(asking);
	bench_free(not_asking);
}

static void an_interface_that_comes_later_is_asked_on_at_once(void **state)
{
	struct bench *late = booted(0, false), *not_asking = booted(0, false);

	(void)state;
	bench_let(late, 200 * MS);
	bench_let(not_asking, 200 * MS);
	tell_station(late);
	late->counts[HBD_ACTION_ASK] = 0;
	assert_int_equal(served_after_ns(late), served_after_ns(not_asking));
	assert_true(late->counts[HBD_ACTION_ASK] >= 3);
	bench_free(late);
	bench_free(not_asking);
}

static void what_another_has_before_the_first_use_is_left_to_it(void **state)
{
	struct bench *bench = booted(0, true);
	unsigned asked;

	(void)state;
	intrude(bench);
	bench_let(bench, 10 * S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	assert_true(hbd_node_is_held_back(&bench->node, 0));
	assert_int_equal(bench->alerts[HBD_ALERT_CONFLICT], 1);
	assert_int_equal(bench_group(bench)->conflict.address, 2);
	asked = bench->counts[HBD_ACTION_ASK];
	bench_let(bench, 600 * S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	assert_int_equal(bench->alerts[HBD_ALERT_CONFLICT], 1);
	/* that may go on for long */
	assert_in_range(bench->counts[HBD_ACTION_ASK] - asked, 500, 601);

	leave(bench);
	assert_in_range(served_after_ns(bench), S, 4 * S);
	assert_int_equal(bench_group(bench)->claim_reason, HBD_REASON_ELECTED);
	bench_let(bench, 40 * S);
	assert_int_equal(bench->alerts[HBD_ALERT_UNCONTESTED], 1);
	assert_int_equal(bench_group(bench)->conflict.since_ns, 0);
	bench_free(bench);
}

/* Whoever answers a node that never heard its peer may be that. */
static void a_lone_node_leaves_it_too(void **state)
{
	struct bench *bench = booted(0, true);

	(void)state;
	bench->talks = false;
	intrude(bench);
	assert_int_equal(served_after_ns(bench), 100 * S);
	assert_int_equal(bench->alerts[HBD_ALERT_CONFLICT], 1);
	leave(bench);
	assert_in_range(served_after_ns(bench), S, 4 * S);
	bench_free(bench);
}

/* Of a peer that fell silent just then nothing is known. */
static void questions_before_a_first_use_prove_nothing_about_a_silent_peer(void **state)
{
	struct bench *bench = booted(1, true);
	unsigned asked[40] = { 0 };	/* in turns of 0.25 ms: 10 ms ago, and since */

	(void)state;
	bench_let(bench, 600 * MS);
	assert_true(bench_group(bench)->asking.before_use);
	bench->talks = false;
	for (size_t i = 0; bench_group(bench)->role != HBD_ROLE_PRIMARY; i++) {
		bench_let(bench, MS / 4);
		if (bench_group(bench)->role == HBD_ROLE_PRIMARY)
			assert_true(bench->counts[HBD_ACTION_ASK] >= asked[i % 40] + 3);
		asked[i % 40] = bench->counts[HBD_ACTION_ASK];
	}
	bench_free(bench);
}

static void what_the_pair_uses_is_taken_after_a_while(void **state)
{
	static const struct {
		const char *what;
		bool peer_told;
		int64_t min_ns, max_ns;
	} rows[] = {
		{ "it is not the peer", true, 10 * S, 11 * S },
		{ "it may be the peer", false, 100 * S, 100 * S },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = standing_by(rows[i].peer_told);
		int64_t after_ns;

		bench->talks = false;
		intrude(bench);
		after_ns = served_after_ns(bench);
		if (after_ns < rows[i].min_ns || after_ns > rows[i].max_ns)
			fail_msg("%s: served after %lld ms", rows[i].what,
				 (long long)(after_ns / MS));
		assert_int_equal(bench->alerts[HBD_ALERT_CONFLICT], 1);
		bench_let(bench, 20 * S);
		assert_int_equal(bench->alerts[HBD_ALERT_CONTESTED], rows[i].peer_told);
		bench_free(bench);
	}
}

static void an_agreement_about_what_the_pair_uses_waits_for_nobody(void **state)
{
	struct bench *bench = standing_by(true);

	(void)state;
	intrude(bench);
	bench_entry(bench)->role = HBD_ROLE_FAULT;
	bench_entry(bench)->flags |= HBD_GROUP_FAULT_HARD;
	assert_true(served_after_ns(bench) < 200 * MS);
	bench_free(bench);
}

static void a_primary_tells_of_a_stranger_and_defends_itself(void **state)
{
	struct bench *bench = serving();
	uint64_t epoch = bench_group(bench)->epoch;

	(void)state;
	for (int i = 0; i < 600; i++) {
		see(bench, stranger);
		bench_let(bench, 100 * MS);
	}
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	assert_int_equal(bench_group(bench)->epoch, epoch);
	assert_int_equal(bench->alerts[HBD_ALERT_CONTESTED], 1);
	assert_int_equal(bench->counts[HBD_ACTION_DEFEND], 6);
	assert_int_equal(bench->counts[HBD_ACTION_CHANGED], 0);
	bench_let(bench, 29 * S);
	assert_int_equal(bench->alerts[HBD_ALERT_UNCONTESTED], 0);
	bench_let(bench, 2 * S);
	assert_int_equal(bench->alerts[HBD_ALERT_UNCONTESTED], 1);
	bench_let(bench, 60 * S);
	assert_in_range(bench->counts[HBD_ACTION_DEFEND], 8, 9);
	/* the next one is news again, one that answers a question too */
	intrude(bench);
	see(bench, stranger);
	bench_let(bench, 300 * S);
	assert_int_equal(bench->alerts[HBD_ALERT_CONTESTED], 2);
	assert_int_equal(bench->alerts[HBD_ALERT_UNCONTESTED], 1);
	bench_free(bench);
}

static void who_takes_turns_is_told_once_a_minute(void **state)
{
	struct bench *bench = serving();

	(void)state;
	for (int i = 0; i < 179; i++) {
		see(bench, (const uint8_t[HBD_STATION_BYTES]){ 2, 3, 0, 0, 0, (uint8_t)(i % 2) });
		bench_let(bench, S);
	}
	assert_int_equal(bench->alerts[HBD_ALERT_CONTESTED], 3);
	bench_free(bench);
}

static void neither_this_node_nor_its_peer_is_a_stranger(void **state)
{
	struct bench *bench = serving();

	(void)state;
	see(bench, own);
	see(bench, peers);
	bench_let(bench, S);
	assert_int_equal(bench->alerts[HBD_ALERT_CONTESTED], 0);
	assert_int_equal(bench->counts[HBD_ACTION_DEFEND], 0);
	bench_free(bench);
}

static void what_the_peer_serves_is_its_business(void **state)
{
	struct bench *bench = standing_by(true);

	(void)state;
	see(bench, stranger);
	bench_let(bench, 60 * S);
	assert_int_equal(bench->alerts[HBD_ALERT_CONFLICT], 0);
	assert_int_equal(bench->counts[HBD_ACTION_ASK], 0);
	bench_free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_use_is_asked_about_in_the_time_that_there_is),
		cmocka_unit_test(an_interface_that_comes_later_is_asked_on_at_once),
		cmocka_unit_test(what_another_has_before_the_first_use_is_left_to_it),
		cmocka_unit_test(a_lone_node_leaves_it_too),
		cmocka_unit_test(questions_before_a_first_use_prove_nothing_about_a_silent_peer),
		cmocka_unit_test(what_the_pair_uses_is_taken_after_a_while),
		cmocka_unit_test(an_agreement_about_what_the_pair_uses_waits_for_nobody),
		cmocka_unit_test(a_primary_tells_of_a_stranger_and_defends_itself),
		cmocka_unit_test(who_takes_turns_is_told_once_a_minute),
		cmocka_unit_test(neither_this_node_nor_its_peer_is_a_stranger),
		cmocka_unit_test(what_the_peer_serves_is_its_business),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("node_conflict", tests, NULL, NULL);
}
