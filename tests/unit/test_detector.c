/* Alive, suspicious or silent; what a stall hides; and how good a link is in each direction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../hbd/core/detector.h"
#include "../../hbd/core/time.h"

#define MS HBD_MS_NS
#define BEGIN (1000 * HBD_S_NS)

static struct hbd_profile profile;

static void hear(struct hbd_detector *detector, uint8_t link, uint64_t hb_seq, int64_t at_ns)
{
	struct hbd_heartbeat heartbeat = {
		.hb_seq = hb_seq,
		.rx_newest = hb_seq,
		.rx_bitmap = UINT32_MAX,
		.echo_hold_us = UINT32_MAX,
	};

	hbd_detector_heard(detector, link, &heartbeat, hb_seq, at_ns);
}

static struct hbd_detector heard_at(int64_t at_ns)
{
	struct hbd_detector detector;

	profile = hbd_profile_get(HBD_PROFILE_FAST);
	hbd_detector_init(&detector, &profile, BEGIN);
	hear(&detector, 0, 1, at_ns);
	return detector;
}

static void silence_is_judged_to_the_nanosecond(void **state)
{
	struct hbd_detector detector = heard_at(BEGIN + MS);
	const struct {
		int64_t silence_ns;
		enum hbd_peer_state state;
	} rows[] = {
		{ 0, HBD_PEER_ALIVE },
		{ profile.suspect_ns - 1, HBD_PEER_ALIVE },
		{ profile.suspect_ns, HBD_PEER_SUSPICIOUS },
		{ profile.grant_ns - 1, HBD_PEER_SUSPICIOUS },
		{ profile.grant_ns, HBD_PEER_SILENT },
		{ 1000 * HBD_S_NS, HBD_PEER_SILENT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(hbd_detector_state(&detector, BEGIN + MS + rows[i].silence_ns),
				 rows[i].state);
	assert_int_equal(hbd_detector_suspect_at_ns(&detector), BEGIN + MS + profile.suspect_ns);
	assert_int_equal(hbd_detector_silent_at_ns(&detector), BEGIN + MS + profile.grant_ns);
}

static void any_link_is_a_sign_of_life(void **state)
{
	struct hbd_detector detector = heard_at(BEGIN);

	(void)state;
	hear(&detector, 1, 2, BEGIN + 20 * MS);
	assert_int_equal(hbd_detector_state(&detector, BEGIN + 30 * MS), HBD_PEER_ALIVE);
	/* what was received earlier and read later does not count back */
	hear(&detector, 0, 1, BEGIN + 5 * MS);
	assert_int_equal(hbd_detector_silent_at_ns(&detector),
			 BEGIN + 20 * MS + profile.grant_ns);
}

static void a_peer_never_heard_is_unknown_not_silent(void **state)
{
	struct hbd_detector detector;

	(void)state;
	profile = hbd_profile_get(HBD_PROFILE_FAST);
	hbd_detector_init(&detector, &profile, BEGIN);
	assert_int_equal(hbd_detector_state(&detector, BEGIN + 100 * HBD_S_NS), HBD_PEER_UNKNOWN);
}

static void who_said_good_bye_is_gone_until_heard_again(void **state)
{
	struct hbd_detector detector = heard_at(BEGIN);

	(void)state;
	hbd_detector_gone(&detector, false, MS);
	assert_int_equal(hbd_detector_state(&detector, BEGIN + 1), HBD_PEER_STOPPED);
	hbd_detector_gone(&detector, true, MS);
	assert_int_equal(hbd_detector_state(&detector, BEGIN + 1), HBD_PEER_DIED);
	hear(&detector, 0, 2, BEGIN + 2);
	assert_int_equal(hbd_detector_state(&detector, BEGIN + 2), HBD_PEER_ALIVE);
}

static void a_long_stall_starts_the_silence_anew(void **state)
{
	struct hbd_detector detector = heard_at(BEGIN);
	int64_t woke_ns = BEGIN + 500 * MS;

	(void)state;
	hbd_detector_stalled(&detector, 490 * MS, woke_ns);
	assert_int_equal(hbd_detector_state(&detector, woke_ns), HBD_PEER_ALIVE);
	assert_int_equal(hbd_detector_silent_at_ns(&detector), woke_ns + profile.grant_ns);
	assert_int_equal(detector.stalls, 1);
	assert_int_equal(detector.longest_stall_ns, 490 * MS);
}

static void a_short_stall_hides_what_it_lasted_and_half_a_tick(void **state)
{
	struct hbd_detector detector = heard_at(BEGIN);
	int64_t hidden_ns = 3 * MS + profile.interval_ns / 2;

	(void)state;
	hbd_detector_stalled(&detector, 3 * MS, BEGIN + 20 * MS);
	assert_int_equal(hbd_detector_silent_at_ns(&detector),
			 BEGIN + hidden_ns + profile.grant_ns);
}

static void a_stall_never_hides_more_than_all(void **state)
{
	struct hbd_detector detector = heard_at(BEGIN);

	(void)state;
	hbd_detector_stalled(&detector, 12 * MS, BEGIN + 12 * MS);
	assert_int_equal(hbd_detector_silent_at_ns(&detector),
			 BEGIN + 12 * MS + profile.grant_ns);
}

static void loss_is_seen_in_each_direction(void **state)
{
	struct hbd_detector detector = heard_at(BEGIN);
	struct hbd_heartbeat heartbeat = { .echo_hold_us = UINT32_MAX };

	(void)state;
	/* of 64 every second one arrives; of ours the peer saw three of four */
	for (uint64_t seq = 2; seq <= 64; seq += 2) {
		heartbeat.hb_seq = seq;
		heartbeat.rx_newest = seq;
		heartbeat.rx_bitmap = 0x77777777;
		hbd_detector_heard(&detector, 0, &heartbeat, seq, BEGIN + (int64_t)seq * MS);
	}
	assert_int_equal(detector.links[0].rx_loss_permille, 500);
	assert_int_equal(detector.links[0].tx_loss_permille, 250);
}

/* count of them arrive, from hb_seq on; the peer has ours up to the same number, less what it misses. */
static void hear_row(struct hbd_detector *detector, uint64_t hb_seq, unsigned count, uint64_t own,
		     uint32_t peer_bitmap)
{
	for (unsigned i = 0; i < count; i++) {
		struct hbd_heartbeat heartbeat = {
			.hb_seq = hb_seq + i,
			.rx_newest = own + i,
			.rx_bitmap = peer_bitmap,
			.echo_hold_us = UINT32_MAX,
		};

		hbd_detector_heard(detector, 0, &heartbeat, own + i, BEGIN + i * MS);
	}
}

static void what_was_sent_before_anybody_listened_is_no_loss(void **state)
{
	static const struct {
		const char *what;
		bool new_session, resumed;
		uint64_t first;		/* of the peer's, after 500 that arrived */
		unsigned lost, count;
		uint16_t permille;
	} rows[] = {
		{ "a gap in a session is loss", false, false, 521, 0, 9, 625 },
		{ "the peer counts on, this session begins", true, false, 521, 0, 9, 0 },
		{ "the peer's first ones did not arrive", true, false, 4, 0, 1, 0 },
		{ "the peer begins at one", true, false, 1, 0, 1, 0 },
		{ "loss after the first is loss", true, false, 2, 4, 4, 444 },
		{ "a process of this node goes on", false, true, 524, 0, 1, 0 },
		{ "it goes on, and then there is loss", false, true, 524, 8, 8, 250 },
		{ "a process of the peer goes on", false, false, 501 + (1 << 20), 0, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hbd_detector detector = heard_at(BEGIN);

		hear_row(&detector, 2, 499, 2, UINT32_MAX);
		if (rows[i].new_session)
			hbd_detector_new_session(&detector, 520);
		if (rows[i].resumed)
			hbd_detector_resumed(&detector, 520);
		hear_row(&detector, rows[i].first, 1, 521, UINT32_MAX);
		if (rows[i].count > 1)
			hear_row(&detector, rows[i].first + 1 + rows[i].lost, rows[i].count - 1, 522,
				 UINT32_MAX);
		if (detector.links[0].rx_loss_permille != rows[i].permille)
			fail_msg("%s: %d", rows[i].what, detector.links[0].rx_loss_permille);
	}
}

static void what_the_peer_could_not_hear_is_no_loss(void **state)
{
	static const struct {
		const char *what;
		bool new_session, peer_goes_on;
		uint64_t seen, own;	/* the peer's newest of ours, and our newest */
		uint32_t bitmap;
		uint16_t permille;
	} rows[] = {
		{ "the peer misses our last twenty", false, false, 500, 520, 0xffffffff, 500 },
		{ "a new process has none yet", true, false, 0, 521, 0, 0 },
		{ "of its sixteen first ones it had none", true, false, 0, 536, 0, 375 },
		{ "of its many first ones it had none", true, false, 0, 560, 0, 1000 },
		{ "it goes on and tells what the one before had", false, true, 500, 521, 0xffffffff, 0 },
		{ "it goes on and had none for long", false, true, 500, 600, 0xffffffff, 1000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hbd_detector detector = heard_at(BEGIN);
		uint64_t from = rows[i].peer_goes_on ? 501 + (1 << 20) : 501;
		struct hbd_heartbeat heartbeat = { .hb_seq = from + 1, .rx_newest = rows[i].seen,
						   .rx_bitmap = rows[i].bitmap,
						   .echo_hold_us = UINT32_MAX };

		hear_row(&detector, 2, 499, 2, UINT32_MAX);
		if (rows[i].new_session)
			hbd_detector_new_session(&detector, 520);
		hear_row(&detector, from, 1, rows[i].new_session ? 521 : 520, UINT32_MAX);
		hbd_detector_heard(&detector, 0, &heartbeat, rows[i].own, BEGIN + HBD_S_NS);
		if (detector.links[0].tx_loss_permille != rows[i].permille)
			fail_msg("%s: %d", rows[i].what, detector.links[0].tx_loss_permille);
	}
}

static void the_round_trip_is_without_the_time_the_peer_held_it(void **state)
{
	struct hbd_detector detector = heard_at(BEGIN);
	struct hbd_heartbeat heartbeat = {
		.hb_seq = 2,
		.echo_tx_time_us = (uint64_t)((BEGIN + 10 * MS) / HBD_US_NS),
		.echo_hold_us = 7000,
	};

	(void)state;
	hbd_detector_heard(&detector, 0, &heartbeat, 2, BEGIN + 18 * MS);
	assert_int_equal(detector.links[0].rtt_ns, MS);
	/* an echo from the future is a liar's or another clock's */
	heartbeat.hb_seq = 3;
	heartbeat.echo_tx_time_us = UINT64_MAX;
	hbd_detector_heard(&detector, 0, &heartbeat, 3, BEGIN + 19 * MS);
	assert_int_equal(detector.links[0].rtt_ns, MS);
}

static void a_link_is_judged(void **state)
{
	int64_t now_ns = BEGIN + 200 * MS;
	const struct {
		const char *what;
		bool usable;
		int64_t last_rx_ns;
		uint16_t rx_loss, tx_loss;
		enum hbd_link_verdict verdict;
	} rows[] = {
		{ "all well", true, now_ns - 10 * MS, 0, 0, HBD_LINK_UP },
		{ "no carrier", false, now_ns, 0, 0, HBD_LINK_UNUSABLE },
		{ "never heard", true, 0, 0, 0, HBD_LINK_RX_DEAD },
		{ "heard ten ticks ago", true, now_ns - 100 * MS, 0, 0, HBD_LINK_RX_DEAD },
		{ "heard not quite ten ticks ago", true, now_ns - 99 * MS, 0, 0, HBD_LINK_UP },
		{ "the peer hears nothing", true, now_ns, 0, 1000, HBD_LINK_TX_DEAD },
		{ "lossy here", true, now_ns, 94, 0, HBD_LINK_LOSSY },
		{ "lossy there", true, now_ns, 0, 94, HBD_LINK_LOSSY },
		{ "one lost of the last 32", true, now_ns, 31, 31, HBD_LINK_UP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hbd_detector detector = heard_at(BEGIN);

		detector.links[1].last_rx_ns = rows[i].last_rx_ns;
		detector.links[1].rx_loss_permille = rows[i].rx_loss;
		detector.links[1].tx_loss_permille = rows[i].tx_loss;
		if (hbd_detector_link(&detector, 1, rows[i].usable, now_ns) != rows[i].verdict)
			fail_msg("%s", rows[i].what);
	}
}

static void a_link_the_peer_no_longer_hears_us_on_is_transmit_dead(void **state)
{
	struct hbd_detector detector = heard_at(BEGIN);
	struct hbd_heartbeat heartbeat = { .rx_newest = 100, .rx_bitmap = UINT32_MAX,
					   .echo_hold_us = UINT32_MAX };

	(void)state;
	for (uint64_t seq = 100; seq < 140; seq++) {
		heartbeat.hb_seq = seq;
		hbd_detector_heard(&detector, 0, &heartbeat, seq, BEGIN + (int64_t)seq * MS);
	}
	assert_int_equal(hbd_detector_link(&detector, 0, true, BEGIN + 140 * MS),
			 HBD_LINK_TX_DEAD);
}

/* A peer that has been running for long; and then one is lost. */
static void what_was_sent_before_anybody_listened_is_not_lost(void **state)
{
	struct hbd_detector detector;

	(void)state;
	profile = hbd_profile_get(HBD_PROFILE_FAST);
	hbd_detector_init(&detector, &profile, BEGIN);
	hear(&detector, 0, 100, BEGIN);
	assert_int_equal(detector.links[0].rx_loss_permille, 0);
	hear(&detector, 0, 102, BEGIN + 2 * MS);
	assert_int_equal(detector.links[0].rx_loss_permille, 1000 / 32);
}

/* Links reorder: what was sent first may come last, and says nothing about now. */
static void what_comes_late_does_not_turn_back_the_link(void **state)
{
	struct hbd_detector detector = heard_at(BEGIN);
	struct hbd_heartbeat newer = { .hb_seq = 8, .tx_time_us = 800,
				       .echo_hold_us = UINT32_MAX };
	struct hbd_heartbeat older = { .hb_seq = 7, .tx_time_us = 700,
				       .echo_hold_us = UINT32_MAX };

	(void)state;
	hbd_detector_heard(&detector, 0, &newer, 0, BEGIN + 20 * MS);
	hbd_detector_heard(&detector, 0, &older, 0, BEGIN + 19 * MS);
	assert_int_equal(detector.links[0].last_rx_ns, BEGIN + 20 * MS);
	assert_int_equal(detector.links[0].peer_tx_time_us, 800);
	assert_int_equal(detector.links[0].rx_newest, 8);
	assert_int_equal(detector.links[0].rx_bitmap & 3, 3);
	assert_int_equal(detector.last_rx_ns, BEGIN + 20 * MS);
}

/* An authentic peer that is wrong about us makes no arithmetic go wrong. */
static void who_heard_more_than_was_sent_lost_nothing(void **state)
{
	struct hbd_detector detector = heard_at(BEGIN);
	struct hbd_heartbeat heartbeat = { .hb_seq = 1, .rx_newest = 11, .rx_bitmap = 1,
					   .echo_hold_us = UINT32_MAX };

	(void)state;
	hbd_detector_heard(&detector, 0, &heartbeat, 10, BEGIN);
	assert_int_equal(detector.links[0].tx_loss_permille, 0);
	heartbeat.rx_newest = 10;
	hbd_detector_heard(&detector, 0, &heartbeat, 10, BEGIN);
	assert_int_equal(detector.links[0].tx_loss_permille, 900);
}

static void a_verdict_has_a_text(void **state)
{
	static const struct {
		enum hbd_link_verdict verdict;
		const char *text;
	} rows[] = {
		{ HBD_LINK_UNSET, "unknown" }, { HBD_LINK_UP, "up" }, { HBD_LINK_LOSSY, "lossy" },
		{ HBD_LINK_RX_DEAD, "receive-dead" }, { HBD_LINK_TX_DEAD, "transmit-dead" },
		{ HBD_LINK_UNUSABLE, "unusable" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(hbd_link_verdict_text(rows[i].verdict), rows[i].text);
}

/* A copy that a slow link brings late tells of the instant at which it was sent. */
static void what_was_heard_on_another_link_is_no_sign_of_life(void **state)
{
	struct hbd_detector detector = heard_at(BEGIN + MS);

	(void)state;
	hear(&detector, 0, 3, BEGIN + 2 * MS);
	hear(&detector, 1, 3, BEGIN + 9 * MS);
	hear(&detector, 1, 2, BEGIN + 10 * MS);
	assert_int_equal(hbd_detector_silent_at_ns(&detector),
			 BEGIN + 2 * MS + profile.grant_ns);
	/* of the link it is one */
	assert_int_equal(detector.links[1].last_rx_ns, BEGIN + 10 * MS);
	hear(&detector, 1, 4, BEGIN + 11 * MS);
	assert_int_equal(hbd_detector_silent_at_ns(&detector),
			 BEGIN + 11 * MS + profile.grant_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_heard_on_another_link_is_no_sign_of_life),
		cmocka_unit_test(silence_is_judged_to_the_nanosecond),
		cmocka_unit_test(any_link_is_a_sign_of_life),
		cmocka_unit_test(a_peer_never_heard_is_unknown_not_silent),
		cmocka_unit_test(who_said_good_bye_is_gone_until_heard_again),
		cmocka_unit_test(a_long_stall_starts_the_silence_anew),
		cmocka_unit_test(a_short_stall_hides_what_it_lasted_and_half_a_tick),
		cmocka_unit_test(a_stall_never_hides_more_than_all),
		cmocka_unit_test(loss_is_seen_in_each_direction),
		cmocka_unit_test(what_was_sent_before_anybody_listened_is_no_loss),
		cmocka_unit_test(what_the_peer_could_not_hear_is_no_loss),
		cmocka_unit_test(the_round_trip_is_without_the_time_the_peer_held_it),
		cmocka_unit_test(a_link_is_judged),
		cmocka_unit_test(a_link_the_peer_no_longer_hears_us_on_is_transmit_dead),
		cmocka_unit_test(what_was_sent_before_anybody_listened_is_not_lost),
		cmocka_unit_test(what_comes_late_does_not_turn_back_the_link),
		cmocka_unit_test(who_heard_more_than_was_sent_lost_nothing),
		cmocka_unit_test(a_verdict_has_a_text),
	};

	return cmocka_run_group_tests_name("detector", tests, NULL, NULL);
}
