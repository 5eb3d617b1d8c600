/* Flap damping: the figure of merit over time, and how long it holds back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../hbd/core/damping.h"
#include "../../hbd/core/time.h"

#define S HBD_S_NS
#define CHANGES_MAX 40

static void it_holds_back_who_changes_too_often_and_for_no_longer_than_that(void **state)
{
	static const struct {
		const char *what;
		unsigned changes;
		int64_t gap_ns;		/* between them */
		int64_t from_s, to_s;	/* held back so long from the last one on; 0 = not */
	} rows[] = {
		{ "once", 1, 0, 0, 0 },
		{ "to and fro", 2, S, 0, 0 },
		{ "three times at once", 3, 0, 500, 501 },
		{ "three times within two minutes", 3, 60 * S, 450, 460 },
		{ "once in ten minutes, for hours", 40, 600 * S, 0, 0 },
		{ "once in five minutes, for hours", 40, 300 * S, 0, 0 },
		{ "once in three minutes, for hours", 40, 180 * S, 530, 545 },
		{ "without end", 40, S, 900, 901 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hbd_damping damping = { 0 };
		int64_t now_ns = 1000 * S, left_ns;

		for (unsigned n = 0; n < rows[i].changes; n++) {
			now_ns += rows[i].gap_ns;
			hbd_damping_count(&damping, now_ns);
		}
		left_ns = hbd_time_max(damping.until_ns - now_ns, 0);
		if (left_ns < rows[i].from_s * S || left_ns > rows[i].to_s * S)
			fail_msg("%s: held back for %lld ms", rows[i].what,
				 (long long)(left_ns / HBD_MS_NS));
		assert_int_equal(hbd_damping_holds(&damping, now_ns), left_ns > 0);
		assert_false(hbd_damping_holds(&damping, now_ns + left_ns));
	}
}

static void half_of_the_figure_is_gone_every_five_minutes(void **state)
{
	static const struct {
		int64_t after_s;
		uint32_t merit;
	} rows[] = {
		{ 0, 4000 }, { 150, 3000 }, { 300, 2000 }, { 450, 1500 }, { 600, 1000 },
		{ 3000, 3 }, { 86400, 0 }, { -1, 4000 },
	};
	struct hbd_damping damping = { 0 };

	(void)state;
	for (int n = 0; n < 4; n++)
		hbd_damping_count(&damping, 1000 * S);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(hbd_damping_merit(&damping, (1000 + rows[i].after_s) * S),
				 rows[i].merit);
	/* it holds back until the figure is down */
	assert_int_equal(hbd_damping_merit(&damping, damping.until_ns), HBD_DAMPING_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_holds_back_who_changes_too_often_and_for_no_longer_than_that),
		cmocka_unit_test(half_of_the_figure_is_gone_every_five_minutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
