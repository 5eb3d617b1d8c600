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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_is_judged_to_the_nanosecond),
		cmocka_unit_test(any_link_is_a_sign_of_life),
		cmocka_unit_test(a_peer_never_heard_is_unknown_not_silent),
		cmocka_unit_test(who_said_good_bye_is_gone_until_heard_again),
		cmocka_unit_test(a_long_stall_starts_the_silence_anew),
		cmocka_unit_test(a_short_stall_hides_what_it_lasted_and_half_a_tick),
		cmocka_unit_test(a_stall_never_hides_more_than_all),
		cmocka_unit_test(loss_is_seen_in_each_direction),
		cmocka_unit_test(the_round_trip_is_without_the_time_the_peer_held_it),
		cmocka_unit_test(a_link_is_judged),
		cmocka_unit_test(a_link_the_peer_no_longer_hears_us_on_is_transmit_dead),
	};

	return cmocka_run_group_tests_name("detector", tests, NULL, NULL);
}
