/* What a node makes of addresses that its kernel refuses: of some of a group's, of all. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sodium.h>

#include "../../hbd/core/node.h"
#include "node_bench.h"

static void tell_fault(struct bench *bench, enum hbd_fault fault, bool present)
{
	bench_event(bench, (struct hbd_event){
		.type = HBD_EVENT_FAULT,
		.fault = { .fault = fault, .present = present },
	});
}

static void who_owns_and_is_refused_hands_over_to_who_is_not(void **state)
{
	static const struct {
		const char *what;
		enum hbd_fault fault;
		uint8_t peer_flags;	/* what it says of itself */
		enum hbd_role role;	/* of this node, at once */
		uint8_t says;
	} rows[] = {
		{ "some, the peer has all", HBD_FAULT_PARTLY, 0, HBD_ROLE_SECONDARY,
		  HBD_GROUP_FAULT_SOFT },
		{ "some, the peer lacks some", HBD_FAULT_PARTLY, HBD_GROUP_FAULT_SOFT,
		  HBD_ROLE_PRIMARY, HBD_GROUP_FAULT_SOFT },
		{ "some, the peer cannot serve", HBD_FAULT_PARTLY, HBD_GROUP_FAULT_HARD,
		  HBD_ROLE_PRIMARY, HBD_GROUP_FAULT_SOFT },
		{ "all, the peer has all", HBD_FAULT_REFUSED, 0, HBD_ROLE_FAULT,
		  HBD_GROUP_FAULT_HARD },
		{ "all, the peer lacks some", HBD_FAULT_REFUSED, HBD_GROUP_FAULT_SOFT,
		  HBD_ROLE_FAULT, HBD_GROUP_FAULT_HARD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(0);
		unsigned both = HBD_GROUP_FAULT_SOFT | HBD_GROUP_FAULT_HARD;

		bench_entry(bench)->flags |= rows[i].peer_flags;
		bench_serve(bench);
		tell_fault(bench, rows[i].fault, true);
		if (bench_group(bench)->role != rows[i].role)
			fail_msg("%s: %s", rows[i].what, hbd_role_text(bench_group(bench)->role));
		bench_let(bench, HBD_S_NS);
		if ((bench->said.groups[0].flags & both) != rows[i].says)
			fail_msg("%s: said %x", rows[i].what, bench->said.groups[0].flags & both);
		bench_free(bench);
	}
}

/* The peer is no better, so that the group stays here. */
static void an_address_is_not_said_to_be_back_before_it_is(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_entry(bench)->flags |= HBD_GROUP_FAULT_SOFT;
	bench_serve(bench);
	bench->results[HBD_ACTION_RESTORE] = -EACCES;
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_MISSING });
	tell_fault(bench, HBD_FAULT_PARTLY, true);
	assert_int_equal(bench->counts[HBD_ACTION_RESTORE], 1);
	assert_int_equal(bench->counts[HBD_ACTION_ANNOUNCE], 0);
	assert_int_equal(bench->alerts[HBD_ALERT_FAULT], 1);
	/* then it is announced, and told as the end of the fault */
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_RESTORED });
	tell_fault(bench, HBD_FAULT_PARTLY, false);
	assert_int_equal(bench->counts[HBD_ACTION_ANNOUNCE], 1);
	assert_int_equal(bench->alerts[HBD_ALERT_HEALED], 1);
	assert_int_equal(bench->alerts[HBD_ALERT_ADDRESS_RESTORED], 0);
	bench_free(bench);
}

/* What became of one that was let go meanwhile is no news. */
static void who_owns_nothing_has_nothing_back(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_meet(bench);
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_RESTORED });
	assert_int_equal(bench->counts[HBD_ACTION_ANNOUNCE], 0);
	assert_int_equal(bench->alerts[HBD_ALERT_ADDRESS_RESTORED], 0);
	bench_free(bench);
}

/* No fault that comes in place of another is the end of trouble. */
static void some_more_or_less_is_not_healed(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_meet(bench);
	tell_fault(bench, HBD_FAULT_PARTLY, true);
	tell_fault(bench, HBD_FAULT_REFUSED, true);
	tell_fault(bench, HBD_FAULT_PARTLY, false);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_FAULT);
	assert_int_equal(bench->alerts[HBD_ALERT_HEALED], 0);
	/* not by time alone, as a takeover that failed */
	bench_let(bench, 600 * HBD_S_NS);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_FAULT);
	tell_fault(bench, HBD_FAULT_REFUSED, false);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	assert_int_equal(bench->alerts[HBD_ALERT_HEALED], 1);
	bench_free(bench);
}

static void a_claim_that_was_refused_is_forgiven_as_soon_as_it_no_longer_would_be(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench->results[HBD_ACTION_ACQUIRE] = -EACCES;
	bench_meet(bench);
	while (bench_group(bench)->role != HBD_ROLE_FAULT)
		bench_let(bench, 10 * HBD_MS_NS);
	assert_true(bench_group(bench)->faults & HBD_FAULT_ADDRESS);
	/* that none is refused now is no news, and no reason */
	tell_fault(bench, HBD_FAULT_REFUSED, false);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_FAULT);
	tell_fault(bench, HBD_FAULT_REFUSED, true);
	tell_fault(bench, HBD_FAULT_REFUSED, false);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	assert_int_equal(bench->alerts[HBD_ALERT_HEALED], 1);
	bench_free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_owns_and_is_refused_hands_over_to_who_is_not),
		cmocka_unit_test(an_address_is_not_said_to_be_back_before_it_is),
		cmocka_unit_test(who_owns_nothing_has_nothing_back),
		cmocka_unit_test(some_more_or_less_is_not_healed),
		cmocka_unit_test(a_claim_that_was_refused_is_forgiven_as_soon_as_it_no_longer_would_be),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
