/* The witness's vote: what an answer is worth, and when a swap is allowed (core/witness.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../hbd/core/profile.h"
#include "../../hbd/core/witness.h"

#define S HBD_S_NS
#define TERM (4 * S)
#define SELF 0
#define PEER 1
#define LIFE 77

static const struct hbd_record own = { .holder = SELF, .epoch = 4, .life = LIFE };
static const struct hbd_record nobody = { .holder = HBD_NO_HOLDER, .epoch = 4, .life = LIFE };
static const struct hbd_record peers = { .holder = PEER, .epoch = 5, .count = 9, .life = 88 };
static const struct hbd_record free_record = { .holder = HBD_NO_HOLDER, .epoch = 5, .life = 88 };

static bool answer(struct hbd_witness *witness, uint64_t id, enum hbd_witness_result result,
		   uint64_t revision, const struct hbd_record *record, int64_t now_ns)
{
	return hbd_witness_answered(witness, id, result, revision, record, SELF, TERM, now_ns);
}

/* One that was shown record at revision 10 after 1 s. */
static struct hbd_witness shown(const struct hbd_record *record)
{
	struct hbd_witness witness;

	hbd_witness_init(&witness);
	hbd_witness_asked(&witness, 1, NULL, S);
	assert_true(answer(&witness, 1, HBD_WITNESS_SHOWN, 10, record, S));
	return witness;
}

static int64_t free_at_ns(const struct hbd_witness *witness)
{
	return hbd_witness_free_at_ns(witness, SELF, 0, TERM);
}

static void a_vote_counts_from_when_its_swap_was_sent(void **state)
{
	struct hbd_witness witness = shown(&free_record);

	(void)state;
	hbd_witness_asked(&witness, 2, &own, 2 * S);
	assert_int_equal(witness.held_until_ns, 0);
	assert_true(answer(&witness, 2, HBD_WITNESS_SWAPPED, 11, NULL, 3 * S));
	assert_int_equal(witness.held_until_ns, 2 * S + TERM);
	assert_true(hbd_witness_names(&witness, SELF));
}

static void a_record_without_a_holder_is_no_vote(void **state)
{
	struct hbd_witness witness = shown(&own);

	(void)state;
	hbd_witness_asked(&witness, 2, &nobody, 2 * S);
	assert_true(answer(&witness, 2, HBD_WITNESS_SWAPPED, 11, NULL, 2 * S));
	assert_int_equal(witness.held_until_ns, 0);
	assert_false(hbd_witness_names(&witness, SELF));
}

static void when_a_swap_is_allowed(void **state)
{
	static const struct {
		const char *name;
		const struct hbd_record *record;
		uint64_t revision;
		int64_t free_ns;
	} rows[] = {
		{ "nobody holds it", &free_record, 10, 0 },
		{ "it is ours", &own, 10, 0 },
		{ "the peer holds it", &peers, 10, S },
		{ "there is no record", NULL, 0, S },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hbd_witness witness;
		int64_t wait_ns = rows[i].free_ns ? hbd_profile_promise_ns(TERM) : 0;

		hbd_witness_init(&witness);
		assert_int_equal(free_at_ns(&witness), HBD_NEVER_NS);
		hbd_witness_asked(&witness, 1, NULL, S);
		assert_true(answer(&witness, 1, HBD_WITNESS_SHOWN, rows[i].revision,
				   rows[i].record, S));
		if (free_at_ns(&witness) != rows[i].free_ns + wait_ns)
			fail_msg("%s", rows[i].name);
	}
}

/* It said GOODBYE, or another process came in its place. */
static void what_a_process_that_is_over_held_is_free(void **state)
{
	struct hbd_witness witness = shown(&peers);

	(void)state;
	assert_int_equal(hbd_witness_free_at_ns(&witness, SELF, peers.life, TERM), 0);
	assert_int_equal(hbd_witness_free_at_ns(&witness, SELF, peers.life + 1, TERM),
			 S + hbd_profile_promise_ns(TERM));
}

static void a_record_that_changes_is_waited_for_anew(void **state)
{
	struct hbd_witness witness = shown(&peers);

	(void)state;
	hbd_witness_asked(&witness, 2, NULL, 3 * S);
	assert_true(answer(&witness, 2, HBD_WITNESS_SHOWN, 10, &peers, 3 * S));
	assert_int_equal(free_at_ns(&witness), S + hbd_profile_promise_ns(TERM));
	hbd_witness_asked(&witness, 3, NULL, 4 * S);
	assert_true(answer(&witness, 3, HBD_WITNESS_SHOWN, 12, &peers, 4 * S));
	assert_int_equal(free_at_ns(&witness), 4 * S + hbd_profile_promise_ns(TERM));
}

/* A clock that skips ahead has seen nothing. */
static void what_was_slept_through_was_not_seen(void **state)
{
	struct hbd_witness witness = shown(&peers);

	(void)state;
	hbd_witness_stalled(&witness, 3 * S, 5 * S);
	assert_int_equal(free_at_ns(&witness), 4 * S + hbd_profile_promise_ns(TERM));
	/* but no more than all of it */
	hbd_witness_stalled(&witness, 100 * S, 101 * S);
	assert_int_equal(free_at_ns(&witness), 101 * S + hbd_profile_promise_ns(TERM));
}

/* It counts anew, and has come to the same revision by another record. */
static void a_revision_that_is_used_again_is_another_record(void **state)
{
	struct hbd_witness witness = shown(&peers);
	struct hbd_record another = peers;

	(void)state;
	another.count++;
	hbd_witness_asked(&witness, 2, NULL, 3 * S);
	assert_true(answer(&witness, 2, HBD_WITNESS_SHOWN, 10, &another, 3 * S));
	assert_int_equal(free_at_ns(&witness), 3 * S + hbd_profile_promise_ns(TERM));
}

/* It was restored from a copy, or emptied: a vote that was given meanwhile is forgotten there. */
static void a_register_that_lost_its_memory_is_waited_for(void **state)
{
	static const uint64_t revisions[] = { 9, 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct hbd_witness witness = shown(&free_record);

		hbd_witness_asked(&witness, 2, NULL, 2 * S);
		assert_true(answer(&witness, 2, HBD_WITNESS_SHOWN, revisions[i], &free_record,
				   2 * S));
		assert_int_equal(free_at_ns(&witness), 2 * S + hbd_profile_promise_ns(TERM));
		/* once more the same is not lost once more */
		hbd_witness_asked(&witness, 3, NULL, 3 * S);
		assert_true(answer(&witness, 3, HBD_WITNESS_SHOWN, revisions[i], &free_record,
				   3 * S));
		assert_int_equal(free_at_ns(&witness), 2 * S + hbd_profile_promise_ns(TERM));
	}
}

static void an_unknown_outcome_is_no_vote_until_the_record_is_seen(void **state)
{
	struct hbd_witness witness = shown(&free_record);
	struct hbd_record written;

	(void)state;
	hbd_witness_asked(&witness, 2, &own, 2 * S);
	written = witness.wanted;
	assert_true(answer(&witness, 2, HBD_WITNESS_UNKNOWN, 0, NULL, 3 * S));
	assert_int_equal(witness.held_until_ns, 0);
	assert_int_equal(free_at_ns(&witness), HBD_NEVER_NS);
	hbd_witness_asked(&witness, 3, NULL, 3 * S);
	assert_true(answer(&witness, 3, HBD_WITNESS_SHOWN, 11, &written, 3 * S));
	assert_int_equal(witness.held_until_ns, 2 * S + TERM);
}

static void only_what_was_tried_itself_is_a_vote(void **state)
{
	static const struct {
		const char *what;
		const struct hbd_record *tried;
		struct hbd_record more;		/* than was tried is shown */
		bool voted;
	} rows[] = {
		{ "it", &own, { 0 }, true },
		{ "that of another process", &own, { .life = 1 }, false },
		{ "another swap's", &own, { .count = 1 }, false },
		{ "one that names another holder", &nobody,
		  { .holder = (uint8_t)(SELF - HBD_NO_HOLDER) }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hbd_witness witness = shown(&free_record);
		struct hbd_record record;

		hbd_witness_asked(&witness, 2, rows[i].tried, 2 * S);
		record = witness.wanted;
		record.life += rows[i].more.life;
		record.count += rows[i].more.count;
		record.holder = (uint8_t)(record.holder + rows[i].more.holder);
		assert_true(answer(&witness, 2, HBD_WITNESS_UNKNOWN, 0, NULL, 3 * S));
		hbd_witness_asked(&witness, 3, NULL, 3 * S);
		assert_true(answer(&witness, 3, HBD_WITNESS_SHOWN, 11, &record, 3 * S));
		assert_int_equal(record.holder, SELF);
		if ((witness.held_until_ns == 2 * S + TERM) != rows[i].voted)
			fail_msg("%s: a vote, or not", rows[i].what);
	}
}

static void a_swap_that_was_applied_late_counts_from_when_it_was_sent(void **state)
{
	struct hbd_witness witness = shown(&free_record);
	struct hbd_record first;

	(void)state;
	hbd_witness_asked(&witness, 2, &own, 2 * S);
	first = witness.wanted;
	assert_true(answer(&witness, 2, HBD_WITNESS_UNKNOWN, 0, NULL, 2 * S));
	hbd_witness_asked(&witness, 3, NULL, 2 * S);
	assert_true(answer(&witness, 3, HBD_WITNESS_SHOWN, 10, &free_record, 2 * S));
	hbd_witness_asked(&witness, 4, &own, 3 * S);
	/* the first one was applied after all, and so the second was refused */
	assert_true(answer(&witness, 4, HBD_WITNESS_SHOWN, 11, &first, 3 * S));
	assert_int_equal(witness.held_until_ns, 2 * S + TERM);
	assert_int_equal(free_at_ns(&witness), 0);
}

static void an_answer_that_is_not_waited_for_changes_nothing(void **state)
{
	struct hbd_witness witness = shown(&free_record);

	(void)state;
	hbd_witness_asked(&witness, 2, &own, 2 * S);
	assert_false(answer(&witness, 7, HBD_WITNESS_SWAPPED, 11, NULL, 2 * S));
	assert_false(answer(&witness, 0, HBD_WITNESS_SWAPPED, 11, NULL, 2 * S));
	/* given up, asked anew: the first answer is nobody's any more */
	hbd_witness_asked(&witness, 3, NULL, 3 * S);
	assert_false(answer(&witness, 2, HBD_WITNESS_SWAPPED, 11, NULL, 3 * S));
	assert_int_equal(witness.held_until_ns, 0);
	assert_false(witness.known);
}

static void a_read_cannot_be_answered_as_swapped(void **state)
{
	struct hbd_witness witness = shown(&free_record);

	(void)state;
	hbd_witness_asked(&witness, 2, NULL, 2 * S);
	assert_true(answer(&witness, 2, HBD_WITNESS_SWAPPED, 11, NULL, 2 * S));
	assert_int_equal(witness.revision, 10);
}

static void a_vote_given_up_does_not_come_back(void **state)
{
	struct hbd_witness witness = shown(&free_record);
	struct hbd_record written;

	(void)state;
	hbd_witness_asked(&witness, 2, &own, 2 * S);
	written = witness.wanted;
	hbd_witness_give_up(&witness);
	assert_false(answer(&witness, 2, HBD_WITNESS_SWAPPED, 11, NULL, 2 * S));
	hbd_witness_asked(&witness, 3, NULL, 3 * S);
	assert_true(answer(&witness, 3, HBD_WITNESS_SHOWN, 11, &written, 3 * S));
	assert_int_equal(witness.held_until_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vote_counts_from_when_its_swap_was_sent),
		cmocka_unit_test(a_record_without_a_holder_is_no_vote),
		cmocka_unit_test(when_a_swap_is_allowed),
		cmocka_unit_test(what_a_process_that_is_over_held_is_free),
		cmocka_unit_test(what_was_slept_through_was_not_seen),
		cmocka_unit_test(a_record_that_changes_is_waited_for_anew),
		cmocka_unit_test(a_revision_that_is_used_again_is_another_record),
		cmocka_unit_test(a_register_that_lost_its_memory_is_waited_for),
		cmocka_unit_test(an_unknown_outcome_is_no_vote_until_the_record_is_seen),
		cmocka_unit_test(only_what_was_tried_itself_is_a_vote),
		cmocka_unit_test(a_swap_that_was_applied_late_counts_from_when_it_was_sent),
		cmocka_unit_test(an_answer_that_is_not_waited_for_changes_nothing),
		cmocka_unit_test(a_read_cannot_be_answered_as_swapped),
		cmocka_unit_test(a_vote_given_up_does_not_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
