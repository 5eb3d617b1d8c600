/* The gateway's veto: who hears neither its peer nor its gateway claims nothing. */
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

static const uint8_t own_station[HBD_STATION_BYTES] = { 2, 1 };
static const uint8_t peer_station[HBD_STATION_BYTES] = { 2, 0 };

/* Node 1 stands by; its peer is primary, and its gateway answers if it has one. */
static struct bench *standing_by_with(bool configured, uint8_t plugins)
{
	struct bench *bench = bench_new(1);
	struct hbd_event station = { .type = HBD_EVENT_STATION };

	bench->config.groups[0].gateway = configured;
	bench->config.groups[0].step_count = plugins;
	bench->config.groups[0].steps[0] = (struct hbd_step_config){
		.order = HBD_ORDER_BEFORE,
		.on_failure = HBD_ON_FAILURE_ABORT,
		.timeout_ns = 30 * S,
	};
	bench->gateway = true;
	bench_entry(bench)->role = HBD_ROLE_PRIMARY;
	bench_entry(bench)->epoch = 2;
	memcpy(bench_entry(bench)->station, peer_station, sizeof(peer_station));
	bench_meet(bench);
	memcpy(station.station, own_station, sizeof(own_station));
	bench_event(bench, station);
	bench_let(bench, 3 * S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	memset(bench->counts, 0, sizeof(bench->counts));
	memset(bench->alerts, 0, sizeof(bench->alerts));
	return bench;
}

static struct bench *standing_by(bool configured)
{
	return standing_by_with(configured, 0);
}

static void stop_hearing(struct bench *bench)
{
	bench->talks = false;
}

/* How long until the node serves; 20 s if it does not. */
static int64_t served_after_ns(struct bench *bench)
{
	int64_t from_ns = bench->now_ns;

	while (bench_group(bench)->role != HBD_ROLE_PRIMARY && bench->now_ns - from_ns < 20 * S)
		bench_let(bench, MS / 10);
	return bench->now_ns - from_ns;
}

static void a_gateway_that_answers_costs_no_time(void **state)
{
	struct bench *with = standing_by(true), *without = standing_by(false);

	(void)state;
	stop_hearing(with);
	stop_hearing(without);
	without->gateway = false;
	assert_int_equal(served_after_ns(with), served_after_ns(without));
	assert_int_equal(bench_group(with)->claim_reason, HBD_REASON_PEER_SILENT);
	assert_int_equal(with->alerts[HBD_ALERT_ISOLATED], 0);
	bench_free(with);
	bench_free(without);
}

static void who_is_cut_off_claims_nothing_and_says_so_after_a_second(void **state)
{
	struct bench *bench = standing_by(true);

	(void)state;
	stop_hearing(bench);
	bench->gateway = false;
	bench_let(bench, 900 * MS);
	assert_true(hbd_node_is_isolated(&bench->node, 0));
	bench_let(bench, 500 * MS);
	assert_int_equal(bench->alerts[HBD_ALERT_ISOLATED], 0);
	bench_let(bench, 300 * MS);
	assert_int_equal(bench->alerts[HBD_ALERT_ISOLATED], 1);
	bench_let(bench, 60 * S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	assert_int_equal(bench->counts[HBD_ACTION_ACQUIRE], 0);
	/* once, and no other alert for the same loss */
	assert_int_equal(bench->alerts[HBD_ALERT_ISOLATED], 1);
	assert_int_equal(bench->alerts[HBD_ALERT_PEER_LOST], 0);
	bench_free(bench);
}

static void it_asks_once_an_interval_while_it_waits(void **state)
{
	struct bench *bench = standing_by(true);

	(void)state;
	stop_hearing(bench);
	bench->gateway = false;
	bench_let(bench, 2 * S);
	bench->counts[HBD_ACTION_ASK] = 0;
	bench_let(bench, 10 * S);
	assert_in_range(bench->counts[HBD_ACTION_ASK], 99, 101);
	bench_free(bench);
}

/* What was silent while nothing could be heard may speak within Lg. */
static void it_serves_when_it_has_listened_after_the_gateway_answers(void **state)
{
	struct bench *bench = standing_by(true);

	(void)state;
	stop_hearing(bench);
	bench->gateway = false;
	bench_let(bench, 30 * S);
	bench->gateway = true;
	assert_in_range(served_after_ns(bench), bench->config.profile.grant_ns,
			bench->config.profile.grant_ns + 2 * bench->config.profile.interval_ns);
	assert_int_equal(bench->alerts[HBD_ALERT_TAKEOVER], 1);
	assert_false(hbd_node_is_isolated(&bench->node, 0));
	bench_free(bench);
}

static void the_return_of_the_peer_ends_it(void **state)
{
	struct bench *bench = standing_by(true);

	(void)state;
	stop_hearing(bench);
	bench->gateway = false;
	bench_let(bench, 10 * S);
	/* the gateway is quicker than its next heartbeat */
	bench->gateway = true;
	bench_let(bench, 300 * MS);
	bench->talks = true;
	bench_let(bench, 5 * S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	assert_int_equal(bench->counts[HBD_ACTION_ACQUIRE], 0);
	assert_false(hbd_node_is_isolated(&bench->node, 0));
	assert_int_equal(bench->alerts[HBD_ALERT_PEER_BACK], 1);
	bench->gateway = false;
	stop_hearing(bench);
	bench_let(bench, 10 * S);
	assert_int_equal(bench->alerts[HBD_ALERT_ISOLATED], 2);
	bench_free(bench);
}

/* The whole LAN breaks, long after the heartbeats did. */
static void an_old_answer_counts_for_nothing(void **state)
{
	struct bench *bench = standing_by(true);
	struct hbd_event answer = { .type = HBD_EVENT_ANSWER };

	(void)state;
	memcpy(answer.station, peer_station, sizeof(peer_station));
	stop_hearing(bench);
	/* the peer's heartbeats are broken, but it serves and the gateway is reached */
	for (int i = 0; i < 10000; i++) {
		bench_let(bench, MS);
		bench_event(bench, answer);
	}
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	assert_false(hbd_node_is_isolated(&bench->node, 0));
	bench->gateway = false;
	bench_let(bench, 10 * S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	assert_true(hbd_node_is_isolated(&bench->node, 0));
	bench_free(bench);
}

static void who_never_heard_a_peer_needs_the_gateway_too(void **state)
{
	struct bench *bench = bench_new(1);

	(void)state;
	bench->config.groups[0].gateway = true;
	bench_start(bench);
	bench_let(bench, 30 * S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	assert_int_equal(bench->alerts[HBD_ALERT_ISOLATED], 1);
	bench->gateway = true;
	bench_let(bench, 2 * S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	assert_int_equal(bench_group(bench)->claim_reason, HBD_REASON_ALONE);
	bench_free(bench);
}

/* ---- what it has no say in ---------------------------------------------------------------------- */

static void it_stops(struct bench *bench)
{
	bench_goodbye(bench, false);
}

static void it_dies(struct bench *bench)
{
	bench_goodbye(bench, true);
}

static void it_hands_over(struct bench *bench)
{
	bench_entry(bench)->role = HBD_ROLE_SECONDARY;
	bench_entry(bench)->flags |= HBD_GROUP_RESIGNED;
}

static void it_has_a_fault(struct bench *bench)
{
	bench_entry(bench)->role = HBD_ROLE_FAULT;
	bench_entry(bench)->flags |= HBD_GROUP_FAULT_HARD;
}

static void a_claim_by_agreement_needs_no_gateway(void **state)
{
	static const struct {
		const char *what;
		void (*what_the_peer_does)(struct bench *bench);
		enum hbd_reason reason;
	} rows[] = {
		{ "the peer stops", it_stops, HBD_REASON_PEER_STOPPED },
		{ "the peer dies and leaves a will", it_dies, HBD_REASON_PEER_DIED },
		{ "the peer hands over", it_hands_over, HBD_REASON_PEER_RESIGNED },
		{ "the peer has a fault", it_has_a_fault, HBD_REASON_PEER_FAULT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = standing_by(true);

		bench->gateway = false;
		rows[i].what_the_peer_does(bench);
		if (served_after_ns(bench) >= S ||
		    bench_group(bench)->claim_reason != rows[i].reason)
			fail_msg("%s: %s, %s", rows[i].what,
				 hbd_role_text(bench_group(bench)->role),
				 hbd_reason_text(bench_group(bench)->claim_reason));
		assert_int_equal(bench->alerts[HBD_ALERT_ISOLATED], 0);
		bench_free(bench);
	}
}

static void a_primary_goes_on_without_one(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench->config.groups[0].gateway = true;
	bench_serve(bench);
	stop_hearing(bench);
	bench_let(bench, 60 * S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	assert_int_equal(bench->alerts[HBD_ALERT_ISOLATED], 0);
	assert_int_equal(bench->alerts[HBD_ALERT_PEER_LOST], 1);
	bench_free(bench);
}

/* ---- plugins before the addresses --------------------------------------------------------------- */

static void a_claim_whose_plugin_outlasts_the_gateway_is_given_up(void **state)
{
	static const struct {
		const char *what;
		bool answers;
		enum hbd_role role;
	} rows[] = {
		{ "the gateway answers all the time", true, HBD_ROLE_PRIMARY },
		{ "the gateway falls silent while the plugin runs", false, HBD_ROLE_SECONDARY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = standing_by_with(true, 1);
		struct hbd_takeover *plan = &bench_group(bench)->plan;

		bench->hangs = true;
		stop_hearing(bench);
		bench_let(bench, S);
		assert_int_equal(bench_group(bench)->role, HBD_ROLE_CLAIMING);
		bench->gateway = rows[i].answers;
		bench_let(bench, 2 * S);
		bench->hangs = false;
		bench_event(bench, (struct hbd_event){
			.type = HBD_EVENT_DONE,
			.done = { .id = plan->pending_id },
		});
		bench_let(bench, 2 * S);
		if (bench_group(bench)->role != rows[i].role)
			fail_msg("%s: %s", rows[i].what, hbd_role_text(bench_group(bench)->role));
		assert_int_equal(bench->counts[HBD_ACTION_ACQUIRE], rows[i].answers);
		assert_int_equal(bench->counts[HBD_ACTION_RELEASE], !rows[i].answers);
		bench_free(bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gateway_that_answers_costs_no_time),
		cmocka_unit_test(who_is_cut_off_claims_nothing_and_says_so_after_a_second),
		cmocka_unit_test(it_asks_once_an_interval_while_it_waits),
		cmocka_unit_test(it_serves_when_it_has_listened_after_the_gateway_answers),
		cmocka_unit_test(the_return_of_the_peer_ends_it),
		cmocka_unit_test(an_old_answer_counts_for_nothing),
		cmocka_unit_test(who_never_heard_a_peer_needs_the_gateway_too),
		cmocka_unit_test(a_claim_by_agreement_needs_no_gateway),
		cmocka_unit_test(a_primary_goes_on_without_one),
		cmocka_unit_test(a_claim_whose_plugin_outlasts_the_gateway_is_given_up),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("node_gateway", tests, NULL, NULL);
}
