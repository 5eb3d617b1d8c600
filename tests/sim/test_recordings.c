/*
 * Recordings. Of every simulated storm the replay comes to the same actions and the same state, also
 * if the recording lacks a member that an older program did not have; and
 * what was recorded in the field is decided as it was reviewed: for each recordings/NAME.hbdflight the
 * changes of role of its replay are those in NAME.expected.
 *
 * With UPDATE=1 the latter are written anew.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

#include "../../hbd/flight/timeline.h"
#include "recording.h"
#include "run.h"

#define SEEDS 24
#define RECORDINGS "tests/sim/recordings/"
#define LINE_BYTES 512

struct totals {
	uint64_t steps, begun;
};

/* Renames a member in the description of the tables: the recording does not hold that of ours. */
static void forget(struct recording *recording, const char *member)
{
	char *found = memmem(recording->bytes, recording->length, member, strlen(member));

	assert_non_null(found);
	*found = 'X';
	flight_file_seal(recording->bytes, recording->length);
}

/* forgotten: a member that an older program did not record, or NULL. */
static void replay_one(uint64_t seed, unsigned node, const struct flight_ring *ring,
		       const char *forgotten, struct totals *totals)
{
	struct recording recording = recording_take(ring);
	struct replay replay;

	if (forgotten)
		forget(&recording, forgotten);
	replay = recording_replay(&recording);
	if (replay.why[0] || replay.differences > 0)
		fail_msg("seed %llu node %u without %s: %s, %llu differences, first at step %llu: %s",
			 (unsigned long long)seed, node, forgotten ? forgotten : "nothing", replay.why,
			 (unsigned long long)replay.differences, (unsigned long long)replay.first,
			 replay.difference);
	totals->steps += replay.steps;
	totals->begun += replay.begun;
	free(recording.bytes);
}

static void run_one(uint64_t seed, const char *forgotten, struct totals *totals)
{
	struct run_plan plan = { .seed = seed, .profile = run_profile(seed) };

	for (uint8_t i = 0; i < HBD_NODES; i++) {
		plan.recorders[i] = calloc(1, sizeof(*plan.recorders[i]));
		assert_non_null(plan.recorders[i]);
		plan.recorders[i]->ring = flight_ring_new();
		/* short segments: much is begun anew from the state in the recording */
		plan.recorders[i]->segment_bytes = seed % 4 == 0 ? 0 : FLIGHT_RECORD_BYTES_MAX + 6000;
	}
	run_seed(&plan);
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		replay_one(seed, i, plan.recorders[i]->ring, forgotten, totals);
		flight_ring_free(plan.recorders[i]->ring);
		free(plan.recorders[i]);
	}
}

static void a_replay_is_the_same_as_what_was_recorded(void **state)
{
	struct totals totals = { 0 };

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		run_one(seed, NULL, &totals);
	printf("replayed %llu steps in %llu segments\n", (unsigned long long)totals.steps,
	       (unsigned long long)totals.begun);
	assert_true(totals.steps > 50000 && totals.begun > 150);
}

/* What is left of a process after so many steps; buried: it died in the next. */
static struct replay replay_life(uint64_t seed, uint64_t steps, bool buried)
{
	struct flight_recorder *recorder = calloc(1, sizeof(*recorder));
	struct run_plan plan = {
		.seed = seed, .profile = run_profile(seed),
		.recorders = { recorder }, .recorded_steps = steps,
	};
	struct recording recording;
	struct replay replay;

	assert_non_null(recorder);
	recorder->ring = flight_ring_new();
	run_seed(&plan);
	if (buried)
		flight_ring_bury(recorder->ring);
	recording = recording_take(recorder->ring);
	replay = recording_replay(&recording);
	if (replay.why[0] || replay.differences > 0)
		fail_msg("seed %llu, %llu steps: %s, %llu differences", (unsigned long long)seed,
			 (unsigned long long)steps, replay.why,
			 (unsigned long long)replay.differences);
	free(recording.bytes);
	flight_ring_free(recorder->ring);
	free(recorder);
	return replay;
}

static void assert_same_actions(const struct flight_actions *a, const struct flight_actions *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		assert_int_equal(a->items[i].action.type, b->items[i].action.type);
		assert_int_equal(a->items[i].check, b->items[i].check);
	}
}

/* The same step, once with the process that took it dead in it, once with it alive to record it. */
static void a_step_that_a_process_died_in_is_replayed_as_it_was_taken(void **state)
{
	bool seen[HBD_EVENT_TYPE_COUNT] = { 0 };
	size_t wanted = 0;

	(void)state;
	for (uint64_t steps = 1; steps < 600; steps += steps < 40 ? 1 : 37) {
		struct replay died = replay_life(3, steps, true);
		struct replay lived = replay_life(3, steps + 1, false);

		assert_true(died.died && !lived.died);
		assert_int_equal(died.steps + 1, lived.steps);
		assert_int_equal(died.last, lived.last);
		if (lived.last == HBD_EVENT_PACKET && !flight_verdict_is_usual(&lived.verdict))
			continue;	/* how it was judged nobody lived to tell */
		assert_int_equal(died.heard_ns, lived.heard_ns);
		assert_same_actions(&died.wanted, &lived.wanted);
		seen[died.last] = true;
		wanted += died.wanted.count;
	}
	assert_true(seen[HBD_EVENT_PACKET] && seen[HBD_EVENT_TICK] && wanted > 0);
}

static void what_an_older_program_did_not_record_is_no_difference(void **state)
{
	static const char *const members[] = {
		"lease.until_ns:t",	/* of an action */
		"changed.from:w",	/* of another */
		"packets:u",		/* of the state that a segment begins with */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		struct totals totals = { 0 };

		for (uint64_t seed = 1; seed <= 4; seed++)
			run_one(seed, members[i], &totals);
		assert_true(totals.steps > 5000 && totals.begun > 8);
	}
}

/* ---- of the field -------------------------------------------------------------------------------- */

/* free() it */
static char *replayed_changes(const char *path)
{
	const struct flight_timeline changes = { .changes = true };
	struct recording recording = recording_load(path);
	struct flight_player *players[2];
	struct flight_summary summary;
	struct flight_file *file = NULL;
	char why[FLIGHT_WHY_BYTES] = "", *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	if (flight_file_parse(recording.bytes, recording.length, why, &file) < 0)
		fail_msg("%s: %s", path, why);
	for (int i = 0; i < 2; i++)
		assert_int_equal(flight_player_new(file, &players[i]), 0);
	flight_timeline_measure(players[0], &summary);
	if (summary.why[0])
		fail_msg("%s: %s", path, summary.why);
	flight_timeline_print(file, players[1], &changes, &summary, stream);
	for (int i = 0; i < 2; i++)
		flight_player_free(players[i]);
	flight_file_free(file);
	fclose(stream);
	free(recording.bytes);
	return text;
}

static void compare(const char *name, const char *text)
{
	struct recording expected;

	if (getenv("UPDATE")) {
		FILE *stream = fopen(name, "w");

		assert_non_null(stream);
		fputs(text, stream);
		fclose(stream);
	}
	expected = recording_load(name);
	if (!expected.bytes)
		fail_msg("there is no %s: review what the replay decides, with UPDATE=1", name);
	expected.bytes[expected.length] = '\0';
	if (strcmp((char *)expected.bytes, text) != 0)
		fail_msg("%s has\n%sbut the replay decides\n%s", name, (char *)expected.bytes, text);
	free(expected.bytes);
}

static void what_happened_in_the_field_is_decided_as_reviewed(void **state)
{
	glob_t found;

	(void)state;
	assert_int_equal(glob(RECORDINGS "*.hbdflight", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];
		char *text = replayed_changes(path), name[LINE_BYTES];

		assert_true(strlen(text) > 0);
		snprintf(name, sizeof(name), "%.*s.expected",
			 (int)(strlen(path) - strlen(FLIGHT_SUFFIX)), path);
		compare(name, text);
		free(text);
	}
	globfree(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_replay_is_the_same_as_what_was_recorded),
		cmocka_unit_test(a_step_that_a_process_died_in_is_replayed_as_it_was_taken),
		cmocka_unit_test(what_an_older_program_did_not_record_is_no_difference),
		cmocka_unit_test(what_happened_in_the_field_is_decided_as_reviewed),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
