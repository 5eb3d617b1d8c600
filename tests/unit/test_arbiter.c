/* The table of roles and causes, and the order that ranks two owners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../hbd/core/arbiter.h"

static void only_the_roles_that_own_can_lose_and_only_they_release(void **state)
{
	(void)state;
	for (int role = HBD_ROLE_UNSET + 1; role < HBD_ROLE_COUNT; role++)
		for (int cause = HBD_CAUSE_UNSET + 1; cause < HBD_CAUSE_COUNT; cause++) {
			struct hbd_transition transition =
				hbd_arbiter_next((enum hbd_role)role, (enum hbd_cause)cause);
			bool owned = hbd_role_owns((enum hbd_role)role);
			bool owns = hbd_role_owns(transition.next);
			bool has, keeps;

			if (transition.next == HBD_ROLE_UNSET) {
				assert_int_equal(transition.deeds, 0);
				continue;
			}
			/* ceasing to own includes the release of addresses, at once or drained */
			has = owned || role == HBD_ROLE_DRAINING;
			keeps = owns || transition.next == HBD_ROLE_DRAINING;
			assert_int_equal(has && !keeps, !!(transition.deeds & HBD_DEED_RELEASE));
			assert_int_equal(transition.next == HBD_ROLE_DRAINING,
					 !!(transition.deeds & HBD_DEED_DRAIN));
			/* and nobody comes to own but by a takeover, standing by */
			assert_int_equal(!owned && owns, !!(transition.deeds & HBD_DEED_TAKEOVER));
			if (!owned && owns)
				assert_true(role == HBD_ROLE_SECONDARY || role == HBD_ROLE_DRAINING);
		}
}

static void the_table_says(void **state)
{
	static const struct {
		const char *what;
		enum hbd_role from;
		enum hbd_cause cause;
		enum hbd_role next;
		unsigned deeds;
	} rows[] = {
		{ "a quiet node claims nothing", HBD_ROLE_QUIET, HBD_CAUSE_CLAIM, HBD_ROLE_UNSET,
		  0 },
		{ "a secondary claims", HBD_ROLE_SECONDARY, HBD_CAUSE_CLAIM, HBD_ROLE_CLAIMING,
		  HBD_DEED_TAKEOVER },
		{ "a faulty node claims nothing", HBD_ROLE_FAULT, HBD_CAUSE_CLAIM, HBD_ROLE_UNSET,
		  0 },
		{ "who is releasing claims nothing", HBD_ROLE_RELEASING, HBD_CAUSE_CLAIM,
		  HBD_ROLE_UNSET, 0 },
		{ "a complete claim is announced", HBD_ROLE_CLAIMING, HBD_CAUSE_ACQUIRED,
		  HBD_ROLE_PRIMARY, HBD_DEED_ANNOUNCE },
		{ "a primary that is outranked lets go", HBD_ROLE_PRIMARY, HBD_CAUSE_OUTRANKED,
		  HBD_ROLE_RELEASING, HBD_DEED_RELEASE },
		{ "a lost lease ends a claim too", HBD_ROLE_CLAIMING, HBD_CAUSE_LEASE_LOST,
		  HBD_ROLE_RELEASING, HBD_DEED_RELEASE },
		{ "who is cut off ends its claim", HBD_ROLE_CLAIMING, HBD_CAUSE_ISOLATED,
		  HBD_ROLE_RELEASING, HBD_DEED_RELEASE },
		{ "a primary that is cut off stays one", HBD_ROLE_PRIMARY, HBD_CAUSE_ISOLATED,
		  HBD_ROLE_UNSET, 0 },
		{ "a switchover tells the peer to claim", HBD_ROLE_PRIMARY, HBD_CAUSE_SWITCHOVER,
		  HBD_ROLE_RELEASING, HBD_DEED_RELEASE | HBD_DEED_RESIGN },
		{ "a release ends as secondary", HBD_ROLE_RELEASING, HBD_CAUSE_RELEASED,
		  HBD_ROLE_SECONDARY, 0 },
		{ "who stopped stays so", HBD_ROLE_STOPPED, HBD_CAUSE_CLAIM, HBD_ROLE_UNSET, 0 },
		{ "a release is not stopped half way", HBD_ROLE_RELEASING, HBD_CAUSE_STOP,
		  HBD_ROLE_UNSET, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hbd_transition transition = hbd_arbiter_next(rows[i].from, rows[i].cause);

		if (transition.next != rows[i].next || transition.deeds != rows[i].deeds)
			fail_msg("%s: %s, deeds %u", rows[i].what, hbd_role_text(transition.next),
				 transition.deeds);
	}
}

/* Every combination of small values, to show that the order is one. */
static struct hbd_rank rank_of(unsigned bits, uint8_t node)
{
	return (struct hbd_rank){
		.epoch = bits & 1,
		.fault_hard = bits >> 1 & 1,
		.fault_soft = bits >> 2 & 1,
		.health = bits >> 3 & 1 ? 1000 : 940,
		.priority = bits >> 4 & 1,
		.node = node,
	};
}

static void one_of_two_always_wins_and_both_agree(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 32; i++)
		for (unsigned k = 0; k < 32; k++) {
			struct hbd_rank a = rank_of(i, 0), b = rank_of(k, 1);
			int there = hbd_arbiter_compare_owners(&a, &b);
			int back = hbd_arbiter_compare_owners(&b, &a);

			assert_int_not_equal(there, 0);
			assert_int_equal(there > 0, back < 0);
			there = hbd_arbiter_compare_candidates(&a, &b);
			back = hbd_arbiter_compare_candidates(&b, &a);
			assert_int_not_equal(there, 0);
			assert_int_equal(there > 0, back < 0);
		}
}

static void each_key_decides_before_the_next(void **state)
{
	static const struct {
		const char *what;
		struct hbd_rank winner, loser;
	} rows[] = {
		{ "the higher epoch, whatever else", { .epoch = 2, .fault_hard = true, .node = 1 },
		  { .epoch = 1, .health = 1000, .priority = 200, .node = 0 } },
		{ "no hard fault before no soft one", { .fault_soft = true, .node = 1 },
		  { .fault_hard = true, .node = 0 } },
		{ "no soft fault before health", { .health = 0, .node = 1 },
		  { .fault_soft = true, .health = 1000, .node = 0 } },
		{ "health before preference", { .health = 1000, .node = 1 },
		  { .health = 899, .priority = 200, .node = 0 } },
		{ "a little less health does not count", { .health = 910, .priority = 1, .node = 1 },
		  { .health = 999, .node = 0 } },
		{ "the lower node at last", { .health = 5, .node = 0 }, { .health = 5, .node = 1 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (hbd_arbiter_compare_owners(&rows[i].winner, &rows[i].loser) <= 0)
			fail_msg("%s", rows[i].what);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_roles_that_own_can_lose_and_only_they_release),
		cmocka_unit_test(the_table_says),
		cmocka_unit_test(one_of_two_always_wins_and_both_agree),
		cmocka_unit_test(each_key_decides_before_the_next),
	};

	return cmocka_run_group_tests_name("arbiter", tests, NULL, NULL);
}
