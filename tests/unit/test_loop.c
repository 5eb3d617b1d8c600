/* The engine's clockwork: one turn per wake-up, and what counts as late. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../hbd/core/time.h"
#include "../../hbd/io/loop.h"

#define TOLERANCE_NS (20 * HBD_MS_NS)

struct bed {
	struct loop *loop;
	int pipes[2][2];
	size_t turns;
	size_t turns_wanted;
	struct loop_turn last;
	int64_t plan_after_ns; /* each turn plans the next that much after itself */
	int64_t busy_ns;       /* a turn takes so long */
};

static void on_turn(void *context, const struct loop_turn *turn)
{
	struct bed *bed = context;
	char bytes[16];

	bed->turns++;
	bed->last = *turn;
	for (int i = 0; i < 2; i++)
		while (read(bed->pipes[i][0], bytes, sizeof(bytes)) > 0)
			;
	while (clock_now_ns() < turn->clock.boot_ns + bed->busy_ns)
		;
	loop_plan(bed->loop, turn->clock.boot_ns + bed->plan_after_ns);
	if (bed->turns == bed->turns_wanted)
		loop_stop(bed->loop);
}

static int setup(void **state)
{
	static struct bed bed;

	bed = (struct bed){ .turns_wanted = 1, .plan_after_ns = HBD_S_NS };
	assert_int_equal(loop_open(TOLERANCE_NS, on_turn, &bed, &bed.loop), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe2(bed.pipes[i], O_NONBLOCK | O_CLOEXEC), 0);
		assert_int_equal(loop_watch(bed.loop, (uint8_t)i, bed.pipes[i][0]), 0);
	}
	*state = &bed;
	return 0;
}

static int teardown(void **state)
{
	struct bed *bed = *state;

	loop_close(bed->loop);
	for (int i = 0; i < 4; i++)
		close(bed->pipes[i / 2][i % 2]);
	return 0;
}

static void a_planned_turn_comes_when_it_is_due(void **state)
{
	struct bed *bed = *state;
	int64_t due_ns = clock_now_ns() + 5 * HBD_MS_NS;

	loop_plan(bed->loop, due_ns);
	assert_int_equal(loop_run(bed->loop), 0);
	assert_true(bed->last.clock.boot_ns >= due_ns);
	assert_int_equal(bed->turns, 1);
}

static void a_turn_that_came_late_says_how_late(void **state)
{
	struct bed *bed = *state;
	int64_t due_ns = clock_now_ns() + HBD_MS_NS;

	loop_plan(bed->loop, due_ns);
	poll(NULL, 0, 60);
	assert_int_equal(loop_run(bed->loop), 0);
	assert_int_equal(bed->last.late_ns, bed->last.clock.boot_ns - due_ns);
	assert_true(bed->last.late_ns >= 50 * HBD_MS_NS);
	assert_int_equal(loop_statistics(bed->loop)->late_turns, 1);
	assert_int_equal(loop_statistics(bed->loop)->longest_late_ns, bed->last.late_ns);
}

static void what_is_ready_does_not_hide_that_the_turn_is_late(void **state)
{
	struct bed *bed = *state;

	loop_plan(bed->loop, clock_now_ns() + HBD_MS_NS);
	assert_int_equal(write(bed->pipes[0][1], "x", 1), 1);
	poll(NULL, 0, 60);
	assert_int_equal(loop_run(bed->loop), 0);
	assert_true(bed->last.late_ns >= 50 * HBD_MS_NS);
}

static void before_its_plan_nothing_is_late(void **state)
{
	struct bed *bed = *state;

	loop_plan(bed->loop, clock_now_ns() + HBD_S_NS);
	assert_int_equal(write(bed->pipes[0][1], "x", 1), 1);
	poll(NULL, 0, 60);
	assert_int_equal(loop_run(bed->loop), 0);
	assert_int_equal(bed->last.late_ns, 0);
	assert_int_equal(loop_statistics(bed->loop)->late_turns, 0);
}

static void a_turn_that_takes_too_long_makes_the_next_one_late(void **state)
{
	struct bed *bed = *state;

	bed->turns_wanted = 2;
	bed->busy_ns = 60 * HBD_MS_NS;
	bed->plan_after_ns = 10 * HBD_MS_NS;
	loop_plan(bed->loop, clock_now_ns());
	assert_int_equal(loop_run(bed->loop), 0);
	assert_true(bed->last.late_ns >= 50 * HBD_MS_NS);
}

static void what_was_due_long_ago_is_due_now_and_not_late(void **state)
{
	struct bed *bed = *state;

	bed->turns_wanted = 2;
	bed->plan_after_ns = -HBD_S_NS;
	loop_plan(bed->loop, 1);
	assert_int_equal(loop_run(bed->loop), 0);
	assert_true(bed->last.late_ns < HBD_S_NS / 2);
	assert_true(bed->last.clock.boot_ns > bed->last.previous_ns);
}

static void several_that_are_ready_make_one_turn(void **state)
{
	struct bed *bed = *state;

	bed->turns_wanted = 2;
	bed->plan_after_ns = 30 * HBD_MS_NS;
	assert_int_equal(write(bed->pipes[0][1], "x", 1), 1);
	assert_int_equal(write(bed->pipes[1][1], "x", 1), 1);
	loop_plan(bed->loop, clock_now_ns());
	assert_int_equal(loop_run(bed->loop), 0);
	/* the second turn is the planned one */
	assert_true(bed->last.clock.boot_ns - bed->last.previous_ns >= 30 * HBD_MS_NS);
}

static void what_rests_wakes_nobody(void **state)
{
	struct bed *bed = *state;
	int64_t due_ns = clock_now_ns() + 30 * HBD_MS_NS;

	loop_rest(bed->loop, 0, bed->pipes[0][0], true);
	assert_int_equal(write(bed->pipes[0][1], "x", 1), 1);
	loop_plan(bed->loop, due_ns);
	assert_int_equal(loop_run(bed->loop), 0);
	assert_true(bed->last.clock.boot_ns >= due_ns);
}

static void what_has_rested_wakes_again(void **state)
{
	struct bed *bed = *state;
	int64_t due_ns = clock_now_ns() + HBD_S_NS;

	loop_rest(bed->loop, 0, bed->pipes[0][0], true);
	assert_int_equal(write(bed->pipes[0][1], "x", 1), 1);
	loop_rest(bed->loop, 0, bed->pipes[0][0], false);
	loop_plan(bed->loop, due_ns);
	assert_int_equal(loop_run(bed->loop), 0);
	assert_true(bed->last.clock.boot_ns < due_ns);
}

static void what_is_no_longer_watched_wakes_nobody(void **state)
{
	struct bed *bed = *state;
	int64_t due_ns = clock_now_ns() + 30 * HBD_MS_NS;

	loop_unwatch(bed->loop, bed->pipes[0][0]);
	assert_int_equal(write(bed->pipes[0][1], "x", 1), 1);
	loop_plan(bed->loop, due_ns);
	assert_int_equal(loop_run(bed->loop), 0);
	assert_true(bed->last.clock.boot_ns >= due_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_planned_turn_comes_when_it_is_due),
		TEST(a_turn_that_came_late_says_how_late),
		TEST(what_is_ready_does_not_hide_that_the_turn_is_late),
		TEST(before_its_plan_nothing_is_late),
		TEST(a_turn_that_takes_too_long_makes_the_next_one_late),
		TEST(what_was_due_long_ago_is_due_now_and_not_late),
		TEST(several_that_are_ready_make_one_turn),
		TEST(what_rests_wakes_nobody),
		TEST(what_has_rested_wakes_again),
		TEST(what_is_no_longer_watched_wakes_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
