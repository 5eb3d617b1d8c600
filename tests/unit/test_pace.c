/* Does the own clock stand still? (core/pace.h) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../hbd/core/pace.h"
#include "../../hbd/core/time.h"

#define MS HBD_MS_NS
#define S HBD_S_NS
#define TOLERANCE (5 * MS)

/* The peer's clock is 1000 s ahead, and a packet takes 1 ms unless the row says otherwise. */
static int64_t take(struct hbd_pace *pace, int64_t sent_ns, int64_t way_ns, int64_t lost_ns)
{
	return hbd_pace_take(pace, 1000 * S + sent_ns, sent_ns + way_ns - lost_ns, TOLERANCE);
}

static struct hbd_pace regular(int64_t until_ns)
{
	struct hbd_pace pace;

	hbd_pace_init(&pace);
	for (int64_t at_ns = S; at_ns <= until_ns; at_ns += 10 * MS)
		assert_int_equal(take(&pace, at_ns, MS, 0), 0);
	return pace;
}

static void the_first_packet_tells_nothing(void **state)
{
	struct hbd_pace pace;

	(void)state;
	hbd_pace_init(&pace);
	assert_int_equal(take(&pace, S, MS, 0), 0);
}

static void a_clock_that_stood_still_is_found(void **state)
{
	struct hbd_pace pace = regular(30 * S);
	int64_t stood_ns;

	(void)state;
	stood_ns = take(&pace, 37 * S, MS, 7 * S - 10 * MS);
	assert_in_range(stood_ns, 7 * S - 40 * MS, 7 * S);
	/* and only once */
	assert_int_equal(take(&pace, 37 * S + 10 * MS, MS, 7 * S - 10 * MS), 0);
}

static void a_second_time_too(void **state)
{
	struct hbd_pace pace = regular(30 * S);

	(void)state;
	assert_true(take(&pace, 31 * S, MS, S - 10 * MS) > 0);
	assert_true(take(&pace, 32 * S, MS, 2 * S - 20 * MS) > 0);
}

static void what_is_no_standstill(void **state)
{
	static const struct {
		const char *name;
		int64_t sent_ns, way_ns;
	} rows[] = {
		{ "a packet that took long", 31 * S, 800 * MS },
		{ "silence for a minute, and clocks that drift", 90 * S, 0 },
		{ "a way that is quicker by less than the tolerance", 30 * S + 10 * MS, -3 * MS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hbd_pace pace = regular(30 * S);

		if (take(&pace, rows[i].sent_ns, rows[i].way_ns, 0) != 0)
			fail_msg("%s", rows[i].name);
	}
}

static void clocks_that_drift_apart_for_days_are_no_standstill(void **state)
{
	struct hbd_pace pace;

	(void)state;
	hbd_pace_init(&pace);
	for (int64_t at_ns = S; at_ns < 3000 * S; at_ns += 100 * MS)
		assert_int_equal(hbd_pace_take(&pace, at_ns + at_ns / 1000, at_ns, TOLERANCE), 0);
}

static void a_peer_that_stood_still_hides_nothing_for_long(void **state)
{
	struct hbd_pace pace = regular(30 * S);

	(void)state;
	/* the peer lost 5 s: it is behind what it was */
	for (int64_t at_ns = 30 * S; at_ns < 55 * S; at_ns += 10 * MS)
		assert_int_equal(take(&pace, at_ns, 5 * S, 0), 0);
	assert_true(take(&pace, 56 * S, 5 * S, S) > 0);
}

static void late_mail_of_another_link_is_not_compared(void **state)
{
	struct hbd_pace pace = regular(30 * S);

	(void)state;
	assert_int_equal(take(&pace, 29 * S, MS - 500 * MS, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_packet_tells_nothing),
		cmocka_unit_test(a_clock_that_stood_still_is_found),
		cmocka_unit_test(a_second_time_too),
		cmocka_unit_test(what_is_no_standstill),
		cmocka_unit_test(clocks_that_drift_apart_for_days_are_no_standstill),
		cmocka_unit_test(a_peer_that_stood_still_hides_nothing_for_long),
		cmocka_unit_test(late_mail_of_another_link_is_not_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
