/* profile, lease and replay window: the arithmetic, just before, exactly at and just after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../hbd/core/lease.h"
#include "../../hbd/core/profile.h"
#include "../../hbd/core/replay.h"
#include "../../hbd/core/time.h"

static void every_profile_obeys_the_inequalities(void **state)
{
	(void)state;
	for (int name = HBD_PROFILE_WAN; name <= HBD_PROFILE_TURBO; name++) {
		struct hbd_profile profile = hbd_profile_get((enum hbd_profile_name)name);

		assert_true(hbd_profile_is_safe(&profile));
		assert_int_equal(hbd_profile_parse(hbd_profile_text((enum hbd_profile_name)name)),
				 name);
	}
}

static void a_profile_with_one_time_off_is_unsafe(void **state)
{
	struct hbd_profile base = hbd_profile_get(HBD_PROFILE_FAST);
	struct {
		const char *what;
		size_t offset;
		int64_t value_ns;
	} rows[] = {
		{ "grant not longer than hold", offsetof(struct hbd_profile, grant_ns),
		  base.hold_ns },
		{ "grant short by one ns", offsetof(struct hbd_profile, grant_ns),
		  hbd_profile_promise_ns(base.hold_ns) - 1 },
		{ "quiet shorter than grant", offsetof(struct hbd_profile, quiet_ns),
		  base.grant_ns - 1 },
		{ "alone as short as the long term", offsetof(struct hbd_profile, alone_ns),
		  base.long_ns },
		{ "long shorter than hold", offsetof(struct hbd_profile, long_ns),
		  base.hold_ns - 1 },
		{ "suspicious before 1.5 T", offsetof(struct hbd_profile, suspect_ns),
		  base.interval_ns * 3 / 2 - 1 },
		{ "no room for four probes", offsetof(struct hbd_profile, probe_gap_ns),
		  (base.grant_ns - base.suspect_ns) / 4 },
		{ "probes all at once", offsetof(struct hbd_profile, probe_gap_ns), 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hbd_profile profile = base;

		memcpy((char *)&profile + rows[i].offset, &rows[i].value_ns, sizeof(int64_t));
		if (hbd_profile_is_safe(&profile))
			fail_msg("%s passes for safe", rows[i].what);
	}
}

static void an_unknown_profile_is_not_one(void **state)
{
	(void)state;
	assert_int_equal(hbd_profile_parse("Fast"), HBD_PROFILE_UNSET);
	assert_int_equal(hbd_profile_parse(""), HBD_PROFILE_UNSET);
}

static void a_promise_covers_both_clocks_at_their_worst(void **state)
{
	(void)state;
	/* 999 000 by a holder whose clock is slow by rho last 1 000 000 of true time, and a granter
	 * whose clock is fast by rho measures 1 001 000 meanwhile */
	assert_int_equal(hbd_profile_promise_ns(999000), 1001000);
	assert_int_equal(hbd_profile_promise_ns(999001), 1001002);
	assert_int_equal(hbd_profile_promise_ns(0), 0);
}

static void additions_saturate(void **state)
{
	(void)state;
	assert_int_equal(hbd_time_add(HBD_NEVER_NS, 1), HBD_NEVER_NS);
	assert_int_equal(hbd_time_add(HBD_NEVER_NS - 1, 2), HBD_NEVER_NS);
	assert_int_equal(hbd_time_add(5, 7), 12);
}

static void a_held_lease_is_over_at_its_very_end(void **state)
{
	struct hbd_lease lease = { 0 };

	(void)state;
	assert_false(hbd_lease_is_over(&lease, 1000));
	hbd_lease_take(&lease, 1000);
	assert_false(hbd_lease_is_over(&lease, 999));
	assert_true(hbd_lease_is_over(&lease, 1000));
	assert_true(hbd_lease_is_over(&lease, 1001));
	hbd_lease_drop(&lease);
	assert_false(hbd_lease_is_over(&lease, 1001));
}

static void a_promise_binds_until_its_very_end(void **state)
{
	struct hbd_profile profile = hbd_profile_get(HBD_PROFILE_LAN);
	struct hbd_lease lease = { 0 };

	(void)state;
	assert_false(hbd_lease_is_promised(&lease, 0));
	hbd_lease_promise(&lease, &profile, 1000, profile.hold_ns);
	assert_true(hbd_lease_is_promised(&lease, 1000 + profile.grant_ns - 1));
	assert_false(hbd_lease_is_promised(&lease, 1000 + profile.grant_ns));
	hbd_lease_forget_promise(&lease);
	assert_false(hbd_lease_is_promised(&lease, 1001));
}

static void a_promise_for_a_long_term_is_longer_than_the_term(void **state)
{
	struct hbd_profile profile = hbd_profile_get(HBD_PROFILE_LAN);
	struct hbd_lease lease = { 0 };

	(void)state;
	hbd_lease_promise(&lease, &profile, 0, profile.long_ns);
	assert_true(hbd_lease_is_promised(&lease, profile.long_ns * 1001 / 1000));
	/* the newest renewal told a shorter term: that is what counts */
	hbd_lease_promise(&lease, &profile, 10, profile.hold_ns);
	assert_false(hbd_lease_is_promised(&lease, 10 + profile.grant_ns));
}

static void taking_a_lease_ends_the_promise_to_the_peer(void **state)
{
	struct hbd_profile profile = hbd_profile_get(HBD_PROFILE_LAN);
	struct hbd_lease lease = { 0 };

	(void)state;
	hbd_lease_promise(&lease, &profile, 0, profile.hold_ns);
	hbd_lease_take(&lease, 500);
	assert_false(hbd_lease_is_promised(&lease, 1));
}

/* Which of the renewals since then the granter has taken in is not known: it may be any. */
static void a_late_grant_of_a_long_term_is_bound_by_every_shorter_one_told_since(void **state)
{
	struct hbd_sent sent = { 0 };

	(void)state;
	hbd_sent_record(&sent, 1, 1000, 500);
	hbd_sent_record(&sent, 2, 1010, 50);
	hbd_sent_record(&sent, 3, 1020, 50);
	hbd_sent_record(&sent, 4, 1030, 500);
	assert_int_equal(hbd_sent_lease_end(&sent, 1), 1060);
	assert_int_equal(hbd_sent_lease_end(&sent, 3), 1070);
	assert_int_equal(hbd_sent_lease_end(&sent, 4), 1530);
}

static void a_grant_counts_from_when_the_renewal_was_sent(void **state)
{
	struct hbd_sent sent = { 0 };

	(void)state;
	hbd_sent_record(&sent, 1, 1000, 50);
	hbd_sent_record(&sent, 2, 1010, 50);
	assert_int_equal(hbd_sent_lease_end(&sent, 1), 1050);
	assert_int_equal(hbd_sent_lease_end(&sent, 2), 1060);
	assert_int_equal(hbd_sent_lease_end(&sent, 3), 0);
	assert_int_equal(hbd_sent_lease_end(&sent, 0), 0);
}

static void a_late_grant_of_a_long_term_does_not_outlive_a_short_one(void **state)
{
	struct hbd_sent sent = { 0 };

	(void)state;
	hbd_sent_record(&sent, 1, 1000, 4000);
	assert_int_equal(hbd_sent_lease_end(&sent, 1), 5000);
	hbd_sent_record(&sent, 2, 1010, 50);
	assert_int_equal(hbd_sent_lease_end(&sent, 1), 1060);
}

static void a_grant_of_what_was_sent_too_long_ago_is_worth_nothing(void **state)
{
	struct hbd_sent sent = { 0 };

	(void)state;
	for (uint64_t seq = 1; seq <= HBD_SENT_MAX + 1; seq++)
		hbd_sent_record(&sent, seq, (int64_t)seq * 10, 50);
	assert_int_equal(hbd_sent_lease_end(&sent, 1), 0);
	assert_int_equal(hbd_sent_lease_end(&sent, 2), 70);
}

static void the_window_accepts_each_number_once(void **state)
{
	const struct {
		uint64_t seq;
		bool accepted;
	} rows[] = {
		{ 0, false }, { 1, true }, { 1, false }, { 9, true }, { 8, true }, { 7, true },
		{ 7, false }, { 6, true }, { 5, true }, { 3, true }, { 2, true }, { 2, false },
		{ 16, true }, { 10, true }, { 16, false }, { 64, true }, { 65, true },
		{ 4, true },			/* 61 behind: the last but two */
		{ 1, false }, { 66, true }, { 4, false },
		{ 130, true }, { 66, false },	/* 64 behind: out of the window, seen or not */
		{ 67, true },			/* 63 behind: the last that can be told */
		{ 1000, true }, { 999, true }, { 936, false }, { 937, true },
		{ UINT64_MAX - 1, true }, { UINT64_MAX, true }, { UINT64_MAX, false },
		{ UINT64_MAX - 2, false },	/* the last number ends the session */
	};
	struct hbd_replay replay = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (hbd_replay_accept(&replay, rows[i].seq) != rows[i].accepted)
			fail_msg("row %zu: %llu is %s", i, (unsigned long long)rows[i].seq,
				 rows[i].accepted ? "refused" : "accepted");
}

static void a_refused_number_changes_nothing(void **state)
{
	struct hbd_replay replay = { 0 };
	struct hbd_replay before;

	(void)state;
	assert_true(hbd_replay_accept(&replay, 500));
	before = replay;
	assert_false(hbd_replay_accept(&replay, 500));
	assert_false(hbd_replay_accept(&replay, 3));
	assert_false(hbd_replay_accept(&replay, 0));
	assert_memory_equal(&replay, &before, sizeof(before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_profile_obeys_the_inequalities),
		cmocka_unit_test(a_profile_with_one_time_off_is_unsafe),
		cmocka_unit_test(an_unknown_profile_is_not_one),
		cmocka_unit_test(a_promise_covers_both_clocks_at_their_worst),
		cmocka_unit_test(additions_saturate),
		cmocka_unit_test(a_held_lease_is_over_at_its_very_end),
		cmocka_unit_test(a_promise_binds_until_its_very_end),
		cmocka_unit_test(a_promise_for_a_long_term_is_longer_than_the_term),
		cmocka_unit_test(taking_a_lease_ends_the_promise_to_the_peer),
		cmocka_unit_test(a_late_grant_of_a_long_term_is_bound_by_every_shorter_one_told_since),
		cmocka_unit_test(a_grant_counts_from_when_the_renewal_was_sent),
		cmocka_unit_test(a_late_grant_of_a_long_term_does_not_outlive_a_short_one),
		cmocka_unit_test(a_grant_of_what_was_sent_too_long_ago_is_worth_nothing),
		cmocka_unit_test(the_window_accepts_each_number_once),
		cmocka_unit_test(a_refused_number_changes_nothing),
	};

	return cmocka_run_group_tests_name("core times", tests, NULL, NULL);
}
