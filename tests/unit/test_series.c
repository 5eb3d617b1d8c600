/* How the test bed computes outages, two owners and stalls: a measuring instrument is tested too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../lib/series.h"
#include "../lib/stalls.h"

#define MS 1000000LL

/* One character per request, a millisecond apart: who answers it, and when. 'a' and 'b' are nodes
 * that answer at once, 'A' answers 5 ms late, '2' is both, '.' nobody; '_' is a client that sleeps for
 * 10 ms. */
struct row {
	const char *name;
	const char *requests;
	int64_t gap_ms;
	int64_t by_send_ms;
	int64_t by_arrival_ms;
	int64_t began_ms;
	int64_t unanswered_ms;
	size_t answered;
	size_t changes;
	size_t two_owners;
	char last;	/* who gave the last answer; 0 = nobody */
};

static const struct row rows[] = {
	{"no loss is no gap", "aaaa", 0, 0, 0, 2, 0, 4, 0, 0, 'a'},
	{"one lost request is a gap of one period", "aa.aa", 1, 1, 1, 1, 0, 4, 0, 0, 'a'},
	{"the longest of two gaps counts", "a.aa...ba", 3, 3, 3, 3, 0, 5, 2, 0, 'a'},
	{"the same gap again: the later one", "a.a.a", 1, 1, 1, 2, 0, 3, 0, 0, 'a'},
	{"late answers are a gap by arrival", "aaAa", 5, 0, 5, 1, 0, 4, 0, 0, 'a'},
	{"an outage that ends in late answers", "a...Ab", 8, 3, 8, 0, 0, 3, 1, 0, 'b'},
	{"a service that stays out has no gap but an end", "aa...", 0, 0, 0, 0, 3, 2, 0, 0, 'a'},
	{"nothing answered at all", "....", 0, 0, 0, 0, 0, 0, 0, 0, 0},
	{"two owners are counted by request", "aa22bb", 0, 0, 0, 4, 0, 6, 1, 2, 'b'},
	{"a client that sleeps sees no outage", "aa_aa", 0, 0, 0, 12, 0, 4, 0, 0, 'a'},
	{"but one that it slept through the end of", "aa._aa", 11, 11, 11, 1, 0, 4, 0, 0, 'a'},
	{"requests before the first answer are no outage", "...aa", 0, 0, 0, 3, 0, 2, 0, 0, 'a'},
};

static struct series play(const char *requests)
{
	struct series series = {.period_ns = MS};
	int64_t now_ns = 999 * MS;

	for (size_t i = 0; requests[i]; i++) {
		uint64_t number;

		now_ns += requests[i] == '_' ? 10 * MS : MS;
		if (requests[i] == '_')
			continue;
		number = series_send(&series, now_ns);
		if (requests[i] == 'a' || requests[i] == '2')
			series_answer(&series, number, 0, now_ns);
		if (requests[i] == 'A')
			series_answer(&series, number, 0, now_ns + 5 * MS);
		if (requests[i] == 'b' || requests[i] == '2')
			series_answer(&series, number, 1, now_ns);
	}
	return series;
}

static void test_row(void **state)
{
	const struct row *row = *state;
	struct series series = play(row->requests);
	struct series_summary summary = series_summarize(&series, 0);

	assert_int_equal(summary.longest.gap_ns, row->gap_ms * MS);
	assert_int_equal(summary.longest.by_send_ns, row->by_send_ms * MS);
	assert_int_equal(summary.longest.by_arrival_ns, row->by_arrival_ms * MS);
	if (summary.longest.began_ns)
		assert_int_equal(summary.longest.began_ns, (1000 + row->began_ms) * MS);
	assert_int_equal(summary.unanswered_ns, row->unanswered_ms * MS);
	assert_int_equal(summary.answered, row->answered);
	assert_int_equal(summary.changes, row->changes);
	assert_int_equal(summary.two_owners, row->two_owners);
	assert_int_equal(summary.last_node, row->last ? row->last - 'a' : SERIES_NODE_NONE);
	series_free(&series);
}

static void test_two_owner_intervals(void **state)
{
	struct series series = play("a22.2bb2");
	json_t *list = series_two_owners(&series, 1000 * MS);
	char *text = json_dumps(list, JSON_COMPACT);

	(void)state;
	/* a request that nobody answered does not end it: they still are two */
	assert_string_equal(text, "[[1.0,5.0],[7.0,8.0]]");
	free(text);
	json_decref(list);
	series_free(&series);
}

static void test_last_of_a_node(void **state)
{
	struct series series = play("aab.ab");

	(void)state;
	assert_int_equal(series_last_of(&series, 0, INT64_MAX), 1004 * MS);
	assert_int_equal(series_last_of(&series, 0, 1004 * MS), 1001 * MS);
	assert_int_equal(series_last_of(&series, 1, 1002 * MS), 0);
	series_free(&series);
}

static void test_gaps_that_ended_earlier_do_not_count(void **state)
{
	struct series series = play("a...a.a");

	(void)state;
	assert_int_equal(series_summarize(&series, 1004 * MS).longest.gap_ns, 3 * MS);
	assert_int_equal(series_summarize(&series, 1005 * MS).longest.gap_ns, 1 * MS);
	series_free(&series);
}

static void test_answers_to_nothing_are_ignored(void **state)
{
	struct series series = play("a");

	(void)state;
	series_answer(&series, 1, 0, 1001 * MS);
	series_answer(&series, UINT64_MAX, 0, 1001 * MS);
	assert_int_equal(series_summarize(&series, 0).answered, 1);
	series_free(&series);
}

static void test_machine_stalls_where_all_processors_do(void **state)
{
	struct stalls stalls = {.processors = 2};
	struct stalls_span machine = {0, 0};

	(void)state;
	assert_false(stalls_add(&stalls, 0, (struct stalls_span){10, 20}, &machine));
	assert_false(stalls_add(&stalls, 1, (struct stalls_span){20, 25}, &machine));
	assert_true(stalls_add(&stalls, 0, (struct stalls_span){22, 40}, &machine));
	assert_int_equal(machine.begin_ns, 22);
	assert_int_equal(machine.end_ns, 25);
	assert_int_equal(stalls.count, 3);
	assert_int_equal(stalls.longest_ns, 18);
	assert_int_equal(stalls.machine_count, 1);
	assert_int_equal(stalls.machine_longest_ns, 3);
}

int main(void)
{
	struct CMUnitTest tests[sizeof(rows) / sizeof(rows[0]) + 5];
	size_t count = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tests[count++] = (struct CMUnitTest){rows[i].name, test_row, NULL, NULL,
						     (void *)(uintptr_t)&rows[i]};
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(test_two_owner_intervals);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(test_last_of_a_node);
	tests[count++] =
		(struct CMUnitTest)cmocka_unit_test(test_gaps_that_ended_earlier_do_not_count);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(test_answers_to_nothing_are_ignored);
	tests[count++] =
		(struct CMUnitTest)cmocka_unit_test(test_machine_stalls_where_all_processors_do);
	return _cmocka_run_group_tests("series", tests, count, NULL, NULL);
}
