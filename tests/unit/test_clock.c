/* The daemon's clock, and receive times that come on another one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "../../hbd/core/time.h"
#include "../../hbd/io/clock.h"

static const struct clock_pair noon = { .boot_ns = 5000, .real_ns = 90000 };

/* Stamps on the real-time clock, and what they are on ours if nothing can be older than 4000. */
static const struct conversion {
	const char *name;
	int64_t real_ns, want_ns;
} conversions[] = {
	/* clang-format off */
	{ "a stamp of this moment is now", 90000, 5000 },
	{ "a stamp of a moment ago is as long ago", 89400, 4400 },
	{ "the oldest possible one stays", 89000, 4000 },
	{ "one that seems older is not: the clock was stepped forward", 88999, 4000 },
	{ "one hours older is not either", 90000 - 7200 * HBD_S_NS, 4000 },
	{ "one of the future is of now: the clock was stepped back", 90001, 5000 },
	{ "one far in the future as well", INT64_MAX, 5000 },
	{ "the smallest number is the oldest possible", INT64_MIN, 4000 },
	/* clang-format on */
};

static void receive_times_are_converted_and_clamped(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(conversions) / sizeof(conversions[0]); i++) {
		const struct conversion *row = &conversions[i];
		int64_t got_ns = clock_from_real(&noon, row->real_ns, 4000);

		if (got_ns != row->want_ns)
			fail_msg("%s: %lld, not %lld", row->name, (long long)got_ns,
				 (long long)row->want_ns);
	}
}

static void nothing_is_received_after_now(void **state)
{
	(void)state;
	assert_int_equal(clock_from_real(&noon, 89000, 6000), 5000);
}

/* A second passes by our clock; the other one says this before and after it. */
static const struct setting {
	const char *name;
	int64_t began_ns, ended_ns;
	bool want;
} settings[] = {
	/* clang-format off */
	{ "both pass alike", 0, HBD_S_NS, false },
	{ "an adjusted clock runs faster", 0, HBD_S_NS + HBD_MS_NS, false },
	{ "or slower", 0, HBD_S_NS - HBD_MS_NS, false },
	{ "a clock is set forward by little", 0, HBD_S_NS + 2 * HBD_MS_NS, true },
	{ "and back", 0, HBD_S_NS - 2 * HBD_MS_NS, true },
	{ "by a year", 0, 365 * 86400 * HBD_S_NS, true },
	{ "and back", 365 * 86400 * HBD_S_NS, 0, true },
	{ "by more than can be counted", INT64_MAX, INT64_MIN, true },
	/* clang-format on */
};

static void a_clock_that_is_set_is_noticed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		const struct setting *row = &settings[i];
		struct clock_pair before = { .boot_ns = 5000, .real_ns = row->began_ns };
		struct clock_pair now = { .boot_ns = 5000 + HBD_S_NS,
					  .real_ns = row->ended_ns };

		if (clock_was_set(&before, &now) != row->want)
			fail_msg("%s", row->name);
	}
}

static void what_was_stamped_meanwhile_is_of_now(void **state)
{
	struct clock_pair pair = { .boot_ns = 5000, .real_ns = CLOCK_REAL_UNKNOWN };

	(void)state;
	assert_int_equal(clock_from_real(&pair, 89000, 4000), 5000);
	assert_int_equal(clock_from_real(&pair, INT64_MAX, 4000), 5000);
	assert_int_equal(clock_from_real(&pair, INT64_MIN, 4000), 5000);
}

static void the_clock_does_not_go_back(void **state)
{
	int64_t before_ns = clock_now_ns();

	(void)state;
	for (int i = 0; i < 10000; i++) {
		int64_t now_ns = clock_now_ns();

		assert_true(now_ns >= before_ns);
		before_ns = now_ns;
	}
}

static void the_pair_is_of_one_moment(void **state)
{
	struct clock_pair first = clock_read_pair();
	struct clock_pair second = clock_read_pair();
	struct timespec real;

	(void)state;
	clock_gettime(CLOCK_REALTIME, &real);
	assert_true(second.boot_ns >= first.boot_ns);
	/* both clocks passed the same time, but for what lies between two readings */
	assert_true(llabs((second.boot_ns - first.boot_ns) - (second.real_ns - first.real_ns)) <
		    HBD_MS_NS);
	assert_true(llabs(real.tv_sec * HBD_S_NS + real.tv_nsec - second.real_ns) < HBD_S_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receive_times_are_converted_and_clamped),
		cmocka_unit_test(nothing_is_received_after_now),
		cmocka_unit_test(a_clock_that_is_set_is_noticed),
		cmocka_unit_test(what_was_stamped_meanwhile_is_of_now),
		cmocka_unit_test(the_clock_does_not_go_back),
		cmocka_unit_test(the_pair_is_of_one_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
