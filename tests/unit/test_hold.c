/* A node about to pause for another process of it, and one whose peer does. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

#include "../../hbd/core/resume.h"
#include "node_bench.h"

#define TERM_NS (2 * HBD_S_NS)
#define NONE 1	/* no result: HELD was not said */

/* What HELD came to; NONE: it was not said. */
static int held(const struct bench *bench)
{
	if (bench->counts[HBD_ACTION_HELD] == 0)
		return NONE;
	return bench->node.hold.over ? 0 : -ETIMEDOUT;
}

static void ask(struct bench *bench)
{
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_HOLD, .hold.term_ns = TERM_NS });
}

/* Time passes until HELD is said, at most duration_ns; what it said. */
static int let_until_held(struct bench *bench, int64_t duration_ns)
{
	int64_t until_ns = bench->now_ns + duration_ns;
	int result = held(bench);

	while (result == NONE && bench->now_ns < until_ns) {
		bench_let(bench, HBD_MS_NS);
		result = held(bench);
	}
	return result;
}

static void stand_by(struct bench *bench)
{
	bench_entry(bench)->role = HBD_ROLE_PRIMARY;
	bench_entry(bench)->epoch = 8;
	bench->word.lease_us = 450000;
	bench_meet(bench);
	memset(bench->counts, 0, sizeof(bench->counts));
	memset(bench->alerts, 0, sizeof(bench->alerts));
}

static void it_may_pause_once_the_peer_has_taken_that_in(void **state)
{
	static const struct {
		const char *what;
		bool serves;
		bool knows;	/* the peer is of a version that knows of pauses */
		uint8_t says;
	} rows[] = {
		{ "it serves", true, true, HBD_NODE_HOLDING },
		{ "it serves, the peer is an older one", true, false, HBD_NODE_RUNNING },
		{ "it stands by", false, true, HBD_NODE_HOLDING },
		{ "it stands by, the peer is an older one", false, false, HBD_NODE_RUNNING },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(0);
		int64_t asked_ns;

		bench->word.capabilities = rows[i].knows ? HBD_CAPABILITY_HOLD : 0;
		if (rows[i].serves)
			bench_serve(bench);
		else
			stand_by(bench);
		asked_ns = bench->now_ns;
		ask(bench);
		if (held(bench) != NONE)
			fail_msg("%s: before anybody heard of it", rows[i].what);
		if (let_until_held(bench, HBD_S_NS) != 0)
			fail_msg("%s: not held", rows[i].what);
		if (bench->said.node_state != rows[i].says)
			fail_msg("%s: said %u", rows[i].what, bench->said.node_state);
		assert_true(bench->now_ns <= asked_ns + 100 * HBD_MS_NS);
		if (rows[i].serves || rows[i].knows)
			assert_int_equal(bench->said.lease_us, TERM_NS / HBD_US_NS);
		if (rows[i].serves)
			assert_true(bench_group(bench)->lease.held_until_ns >= asked_ns + TERM_NS);
		bench_free(bench);
	}
}

/* What it knows could not be written down. */
static void a_pause_that_was_granted_can_be_called_off(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench->word.capabilities = HBD_CAPABILITY_HOLD;
	bench_serve(bench);
	ask(bench);
	assert_int_equal(let_until_held(bench, HBD_S_NS), 0);
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_HOLD, .hold.term_ns = 0 });
	bench_let(bench, HBD_S_NS);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	assert_int_equal(bench->said.node_state, HBD_NODE_RUNNING);
	assert_int_equal(bench->said.lease_us, bench->config.profile.hold_ns / HBD_US_NS);
	/* and another one granted */
	memset(bench->counts, 0, sizeof(bench->counts));
	ask(bench);
	assert_int_equal(let_until_held(bench, HBD_S_NS), 0);
	bench_free(bench);
}

/* It hears nobody for a moment, and says it again and again: the peer may have heard it once. */
static void a_pause_lasts_from_when_it_was_told_of_first(void **state)
{
	struct bench *bench = bench_new(0);
	int64_t asked_ns;

	(void)state;
	bench->word.capabilities = HBD_CAPABILITY_HOLD;
	bench_serve(bench);
	bench->talks = false;
	bench_let(bench, bench->config.profile.suspect_ns + 20 * HBD_MS_NS);
	bench->talks = true;
	bench->talk_ns = bench->now_ns + HBD_S_NS;
	asked_ns = bench->now_ns;
	ask(bench);
	bench_let(bench, HBD_MS_NS);
	bench->deaf = true;
	bench_let(bench, 90 * HBD_MS_NS);
	assert_int_equal(held(bench), NONE);
	assert_int_equal(bench->said.node_state, HBD_NODE_HOLDING);
	assert_true(bench_group(bench)->lease.held_until_ns <= asked_ns + HBD_MS_NS + TERM_NS);
	bench_say(bench);
	assert_int_equal(held(bench), 0);
	assert_true(bench_group(bench)->lease.held_until_ns <= asked_ns + HBD_MS_NS + TERM_NS);
	bench_free(bench);
}

/* The peer may be in the session that follows, of which another process would not know. */
static void while_a_handshake_waits_for_its_proof_it_does_not_pause(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_serve(bench);
	assert_true(hbd_node_can_pause(&bench->node));
	bench->node.session.next.open = true;
	assert_false(hbd_node_can_pause(&bench->node));
	/* nobody will prove it */
	bench->talks = false;
	bench_let(bench, HBD_S_NS);
	assert_true(hbd_node_can_pause(&bench->node));
	bench_free(bench);
}

static void without_the_peers_word_it_goes_on_as_before(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench->word.capabilities = HBD_CAPABILITY_HOLD;
	bench_serve(bench);
	bench->word.granted_hb_seq = bench->heard_hb_seq;	/* that, and nothing newer */
	ask(bench);
	assert_int_equal(let_until_held(bench, HBD_S_NS), -ETIMEDOUT);
	bench->word.granted_hb_seq = 0;
	bench_let(bench, HBD_S_NS);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	assert_int_equal(bench->said.node_state, HBD_NODE_RUNNING);
	assert_int_equal(bench->said.lease_us, bench->config.profile.hold_ns / HBD_US_NS);
	bench_free(bench);
}

/* It has heard of the pause, and still does not let it be. */
static void without_the_peers_grant_it_goes_on_as_before(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench->word.capabilities = HBD_CAPABILITY_HOLD;
	bench_serve(bench);
	bench_entry(bench)->flags = 0;
	ask(bench);
	assert_int_equal(let_until_held(bench, 300 * HBD_MS_NS), -ETIMEDOUT);
	bench_entry(bench)->flags = HBD_GROUP_GRANTS;
	bench_let(bench, HBD_S_NS);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	bench_free(bench);
}

static void who_serves_alone_pauses_within_its_long_lease(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_serve(bench);
	bench_goodbye(bench, false);
	bench_let(bench, 2 * HBD_S_NS);
	ask(bench);
	assert_int_equal(let_until_held(bench, HBD_S_NS), 0);
	assert_true(bench_group(bench)->lease.held_until_ns >= bench->now_ns + TERM_NS / 2);
	bench_free(bench);
}

static void in_restart_silence_there_is_nothing_to_hand_over(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_start(bench);
	ask(bench);
	assert_int_equal(bench->actions.items[0].type, HBD_ACTION_HELD);
	assert_int_equal(bench->actions.items[0].result, -ESHUTDOWN);
	bench_free(bench);
}

static void while_it_holds_it_begins_nothing(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench->word.capabilities = HBD_CAPABILITY_HOLD;
	stand_by(bench);
	ask(bench);
	assert_int_equal(let_until_held(bench, HBD_S_NS), 0);
	bench_entry(bench)->flags |= HBD_GROUP_OFFERED;
	bench_let(bench, HBD_S_NS);
	assert_true(bench->said.groups[0].flags & HBD_GROUP_REFUSED);
	bench_entry(bench)->role = HBD_ROLE_SECONDARY;
	bench_entry(bench)->flags = HBD_GROUP_RESIGNED;
	bench_let(bench, HBD_S_NS);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	bench_free(bench);
}

/* The peer pauses, and is not heard again. */
static void a_pause_of_the_peer_alarms_nobody_until_it_is_over(void **state)
{
	static const struct {
		const char *what;
		bool peer_serves;
	} rows[] = { { "the peer serves", true }, { "the peer stands by", false } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(0);
		enum hbd_role role = rows[i].peer_serves ? HBD_ROLE_SECONDARY : HBD_ROLE_PRIMARY;

		if (rows[i].peer_serves)
			stand_by(bench);
		else
			bench_serve(bench);
		bench->word.node_state = HBD_NODE_HOLDING;
		bench->word.lease_us = TERM_NS / HBD_US_NS;
		bench_say(bench);
		bench->talks = false;
		memset(bench->alerts, 0, sizeof(bench->alerts));
		bench_let(bench, TERM_NS - HBD_MS_NS);
		assert_true(hbd_node_peer_pauses(&bench->node));
		assert_int_equal(bench->alerts[HBD_ALERT_PEER_LOST], 0);
		assert_int_equal(bench->alerts[HBD_ALERT_TAKEOVER], 0);
		if (bench_group(bench)->role != role)
			fail_msg("%s: %s", rows[i].what, hbd_role_text(bench_group(bench)->role));
		bench_let(bench, HBD_S_NS);
		assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
		assert_int_equal(bench->alerts[HBD_ALERT_PEER_LOST] +
				 bench->alerts[HBD_ALERT_TAKEOVER], 1);
		bench_free(bench);
	}
}

static void a_peer_that_is_back_is_not_told_of(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_serve(bench);
	bench->word.node_state = HBD_NODE_HOLDING;
	bench->word.lease_us = TERM_NS / HBD_US_NS;
	bench_say(bench);
	bench->talks = false;
	bench_let(bench, HBD_S_NS);
	bench->peer_hb_seq += HBD_RESUME_AHEAD;
	for (uint8_t i = 0; i < HBD_LINKS_MAX; i++)
		bench->peer.running.tx_seq[i] += HBD_RESUME_AHEAD;
	bench->word.node_state = HBD_NODE_RUNNING;
	bench->word.lease_us = 0;
	bench->talks = true;
	bench->talk_ns = bench->now_ns;
	bench_let(bench, HBD_S_NS);
	assert_false(hbd_node_peer_pauses(&bench->node));
	assert_int_equal(hbd_node_peer_state(&bench->node), HBD_PEER_ALIVE);
	assert_int_equal(bench->node.detector.links[0].rx_loss_permille, 0);
	for (int i = 0; i < HBD_ALERT_COUNT; i++)
		assert_int_equal(bench->alerts[i], 0);
	bench_free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_may_pause_once_the_peer_has_taken_that_in),
		cmocka_unit_test(a_pause_that_was_granted_can_be_called_off),
		cmocka_unit_test(a_pause_lasts_from_when_it_was_told_of_first),
		cmocka_unit_test(while_a_handshake_waits_for_its_proof_it_does_not_pause),
		cmocka_unit_test(without_the_peers_word_it_goes_on_as_before),
		cmocka_unit_test(without_the_peers_grant_it_goes_on_as_before),
		cmocka_unit_test(who_serves_alone_pauses_within_its_long_lease),
		cmocka_unit_test(in_restart_silence_there_is_nothing_to_hand_over),
		cmocka_unit_test(while_it_holds_it_begins_nothing),
		cmocka_unit_test(a_pause_of_the_peer_alarms_nobody_until_it_is_over),
		cmocka_unit_test(a_peer_that_is_back_is_not_told_of),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
