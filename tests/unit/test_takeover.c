/* The plan of a takeover and a release: order, failures, tries, and answers that come too late. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../hbd/core/takeover.h"
#include "../../hbd/core/time.h"

#define S HBD_S_NS

static const struct hbd_step_config steps[] = {
	{ HBD_ORDER_AFTER, HBD_ON_FAILURE_CONTINUE, 10 * S, false },
	{ HBD_ORDER_BEFORE, HBD_ON_FAILURE_ABORT, 10 * S, false },
	{ HBD_ORDER_BEFORE, HBD_ON_FAILURE_CONTINUE, 10 * S, false },
	{ HBD_ORDER_AFTER, HBD_ON_FAILURE_ABORT, 10 * S, false },
};

/*
 * Runs a plan to its end and writes down what it did: "2" is takeover of step 2, "r2" its release,
 * "@" the addresses, "!" a failure it went on after, "X" the end by failure, "." completion.
 * failing: the step that fails, -1 none.
 */
static void play(struct hbd_takeover *plan, int failing, char *story)
{
	uint64_t id = 0;

	*story = 0;
	for (;;) {
		struct hbd_plan_next next = hbd_takeover_next(plan, 0);
		enum hbd_plan_outcome outcome;
		uint8_t step;

		if (next.want == HBD_WANT_FINISH)
			strcat(story, ".");
		if (next.want == HBD_WANT_FINISH || next.want == HBD_WANT_NOTHING)
			return;
		if (next.want == HBD_WANT_ACQUIRE)
			strcat(story, "@");
		else
			sprintf(story + strlen(story), "%s%d",
				next.call == HBD_CALL_RELEASE ? "r" : "", next.step);
		hbd_takeover_asked(plan, &next, ++id);
		outcome = hbd_takeover_done(plan, id,
					    next.want == HBD_WANT_RUN && next.step == failing ?
					    -EIO : 0, 0, &step);
		if (outcome == HBD_OUTCOME_FAILED_ON)
			strcat(story, "!");
		if (outcome == HBD_OUTCOME_FAILED)
			strcat(story, "X");
	}
}

static void a_plan_goes_in_order(void **state)
{
	static const struct {
		const char *what;
		int failing_takeover, failing_release;
		const char *takeover, *release;
	} rows[] = {
		{ "all well", -1, -1, "12@03.", "r3r2r1r0." },
		{ "a step that must not fail does", 1, -1, "1X", "r1." },
		{ "one that may fail does", 2, -1, "12!@03.", "r3r2r1r0." },
		{ "one after the addresses fails", 3, -1, "12@03X", "r3r2r1r0." },
		{ "a release goes on with the rest", -1, 2, "12@03.", "r3r2!r1r0." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hbd_takeover plan;
		char story[80];

		hbd_takeover_init(&plan, steps, 4);
		hbd_takeover_begin(&plan);
		play(&plan, rows[i].failing_takeover, story);
		if (strcmp(story, rows[i].takeover) != 0)
			fail_msg("%s: takeover was %s", rows[i].what, story);
		hbd_takeover_begin_release(&plan);
		play(&plan, rows[i].failing_release, story);
		if (strcmp(story, rows[i].release) != 0)
			fail_msg("%s: release was %s", rows[i].what, story);
		hbd_takeover_begin_release(&plan);
		play(&plan, -1, story);
		assert_string_equal(story, ".");	/* nothing is owed twice */
	}
}

/* Begins a takeover and asks for its first step, step 1, at instant 0. */
static struct hbd_takeover asked_plan(uint64_t id)
{
	struct hbd_takeover plan;
	struct hbd_plan_next next;

	hbd_takeover_init(&plan, steps, 4);
	hbd_takeover_begin(&plan);
	next = hbd_takeover_next(&plan, 0);
	assert_int_equal(next.step, 1);
	assert_int_equal(next.deadline_ns, 10 * S);
	hbd_takeover_asked(&plan, &next, id);
	return plan;
}

static void an_answer_nobody_waits_for_is_ignored(void **state)
{
	struct hbd_takeover plan = asked_plan(7);
	uint8_t step = 99;

	(void)state;
	assert_int_equal(hbd_takeover_done(&plan, 6, 0, 0, &step), HBD_OUTCOME_IGNORED);
	assert_int_equal(hbd_takeover_done(&plan, 0, 0, 0, &step), HBD_OUTCOME_IGNORED);
	hbd_takeover_abandon(&plan);
	assert_int_equal(hbd_takeover_done(&plan, 7, 0, 0, &step), HBD_OUTCOME_IGNORED);
	assert_int_equal(step, 99);
}

static void try_again_is_tried_again_until_the_deadline_of_the_first_try(void **state)
{
	struct hbd_takeover plan = asked_plan(1);
	struct hbd_plan_next next;
	uint8_t step;

	(void)state;
	assert_int_equal(hbd_takeover_done(&plan, 1, -EAGAIN, 0, &step), HBD_OUTCOME_RETRY);
	assert_int_equal(hbd_takeover_deadline_ns(&plan), S);
	assert_int_equal(hbd_takeover_next(&plan, S - 1).want, HBD_WANT_NOTHING);
	next = hbd_takeover_next(&plan, S);
	assert_int_equal(next.want, HBD_WANT_RUN);
	assert_int_equal(next.deadline_ns, 10 * S);
	hbd_takeover_asked(&plan, &next, 2);
	/* one more try would end after the deadline */
	assert_int_equal(hbd_takeover_done(&plan, 2, -EAGAIN, 9 * S, &step), HBD_OUTCOME_FAILED);
	assert_int_equal(step, 1);
}

/* Adding addresses is no plugin's business: "try again" is an error like any other. */
static void addresses_are_not_tried_again(void **state)
{
	struct hbd_takeover plan = asked_plan(1);
	struct hbd_plan_next next;
	uint8_t step;

	(void)state;
	hbd_takeover_done(&plan, 1, 0, 0, &step);
	next = hbd_takeover_next(&plan, 0);
	hbd_takeover_asked(&plan, &next, 2);
	assert_int_equal(hbd_takeover_done(&plan, 2, 0, 0, &step), HBD_OUTCOME_OK);
	next = hbd_takeover_next(&plan, 0);
	assert_int_equal(next.want, HBD_WANT_ACQUIRE);
	hbd_takeover_asked(&plan, &next, 3);
	assert_int_equal(hbd_takeover_done(&plan, 3, -EAGAIN, 0, &step), HBD_OUTCOME_FAILED);
	assert_int_equal(step, HBD_STEPS_MAX);
}

static void the_step_under_way_is_told(void **state)
{
	struct hbd_takeover plan = asked_plan(1);
	struct hbd_plan_next next;
	uint8_t step;

	(void)state;
	assert_int_equal(hbd_takeover_step(&plan), 1);
	hbd_takeover_done(&plan, 1, 0, 0, &step);
	next = hbd_takeover_next(&plan, 0);
	assert_int_equal(hbd_takeover_step(&plan), 2);
	hbd_takeover_asked(&plan, &next, 2);
	hbd_takeover_done(&plan, 2, 0, 0, &step);
	next = hbd_takeover_next(&plan, 0);
	assert_int_equal(next.want, HBD_WANT_ACQUIRE);
	assert_int_equal(hbd_takeover_step(&plan), HBD_STEPS_MAX);
	hbd_takeover_abandon(&plan);
	assert_int_equal(hbd_takeover_step(&plan), HBD_STEPS_MAX);
}

static void a_step_nobody_reports_about_is_overdue_in_the_end(void **state)
{
	struct hbd_takeover plan = asked_plan(1);

	(void)state;
	assert_false(hbd_takeover_is_overdue(&plan, 12 * S - 1));
	assert_true(hbd_takeover_is_overdue(&plan, 12 * S));
	assert_int_equal(hbd_takeover_deadline_ns(&plan), 12 * S);
}

static void what_was_begun_and_cut_short_is_released(void **state)
{
	struct hbd_takeover plan = asked_plan(1);
	char story[80];

	(void)state;
	hbd_takeover_abandon(&plan);
	hbd_takeover_begin_release(&plan);
	play(&plan, -1, story);
	assert_string_equal(story, "r1.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_goes_in_order),
		cmocka_unit_test(an_answer_nobody_waits_for_is_ignored),
		cmocka_unit_test(try_again_is_tried_again_until_the_deadline_of_the_first_try),
		cmocka_unit_test(addresses_are_not_tried_again),
		cmocka_unit_test(the_step_under_way_is_told),
		cmocka_unit_test(a_step_nobody_reports_about_is_overdue_in_the_end),
		cmocka_unit_test(what_was_begun_and_cut_short_is_released),
	};

	return cmocka_run_group_tests_name("takeover", tests, NULL, NULL);
}
