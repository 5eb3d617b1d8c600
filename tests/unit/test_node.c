/* What a node makes of what its peer says and of what happens to it: one node, one word, one rule. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

#include "../../hbd/core/node.h"
#include "node_bench.h"

#define MS HBD_MS_NS
#define S HBD_S_NS
#define HARD HBD_GROUP_FAULT_HARD
#define SOFT HBD_GROUP_FAULT_SOFT
#define NOBODY HBD_NO_PREFERENCE

/* What the peer says of itself and of group 0. */
struct word {
	uint8_t state;		/* HBD_NODE_..., 0 = running */
	enum hbd_role role;	/* 0 = it does not know the group */
	uint8_t flags;		/* beside its grants */
	bool withholds;		/* them */
};

static void say(struct bench *bench, const struct word *word)
{
	struct hbd_group_entry *entry = bench_entry(bench);

	bench->word.node_state = word->state ? word->state : HBD_NODE_RUNNING;
	bench->word.lease_us = word->role == HBD_ROLE_PRIMARY ? 450000 : 0;
	entry->id = word->role ? BENCH_GROUP : BENCH_GROUP + 99;
	entry->role = (uint8_t)(word->role ? word->role : HBD_ROLE_SECONDARY);
	entry->flags = (uint8_t)(word->flags | (word->withholds ? 0 : HBD_GROUP_GRANTS));
}

/* Both live, nobody owns: who claims, and why. */
static void a_claim_has_its_reason(void **state)
{
	static const struct {
		const char *what;
		uint8_t self, prefer;
		struct word word;
		enum hbd_reason reason;		/* 0 = it does not claim */
	} rows[] = {
		{ "first of equals", 0, NOBODY, { .role = HBD_ROLE_SECONDARY },
		  HBD_REASON_ELECTED },
		{ "second, and preferred", 1, 1, { .role = HBD_ROLE_SECONDARY },
		  HBD_REASON_ELECTED },
		{ "second, and the first does nothing", 1, NOBODY, { .role = HBD_ROLE_SECONDARY },
		  HBD_REASON_UNCLAIMED },
		{ "first, and the preferred does nothing", 0, 1, { .role = HBD_ROLE_SECONDARY },
		  HBD_REASON_UNCLAIMED },
		{ "second, and the first has a bad check", 1, NOBODY,
		  { .role = HBD_ROLE_SECONDARY, .flags = SOFT }, HBD_REASON_ELECTED },
		{ "the peer has a fault", 1, NOBODY, { .role = HBD_ROLE_FAULT, .flags = HARD },
		  HBD_REASON_PEER_FAULT },
		{ "the peer has just got a fault", 1, NOBODY,
		  { .role = HBD_ROLE_SECONDARY, .flags = HARD }, HBD_REASON_PEER_FAULT },
		{ "the peer has stopped", 1, NOBODY,
		  { .state = HBD_NODE_STOPPING, .role = HBD_ROLE_STOPPED },
		  HBD_REASON_PEER_STOPPED },
		{ "the peer handed over", 1, NOBODY,
		  { .role = HBD_ROLE_SECONDARY, .flags = HBD_GROUP_RESIGNED },
		  HBD_REASON_PEER_RESIGNED },
		{ "the peer listens for ever", 0, NOBODY,
		  { .state = HBD_NODE_QUIET, .role = HBD_ROLE_QUIET }, HBD_REASON_UNCLAIMED },
		{ "the peer has no such group", 1, NOBODY, { 0 }, HBD_REASON_ELECTED },
		{ "the peer serves", 0, 0, { .role = HBD_ROLE_PRIMARY }, HBD_REASON_UNSET },
		{ "the peer claims", 0, 0, { .role = HBD_ROLE_CLAIMING }, HBD_REASON_UNSET },
		{ "the peer lets go", 0, 0, { .role = HBD_ROLE_RELEASING }, HBD_REASON_UNSET },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(rows[i].self);

		bench->config.groups[0].prefer = rows[i].prefer;
		say(bench, &rows[i].word);
		bench_meet(bench);
		bench_let(bench, 5 * S);
		if (bench_group(bench)->claim_reason != rows[i].reason)
			fail_msg("%s: %s", rows[i].what,
				 hbd_reason_text(bench_group(bench)->claim_reason));
		assert_int_equal(bench_group(bench)->role, rows[i].reason ? HBD_ROLE_PRIMARY
									   : HBD_ROLE_SECONDARY);
		bench_free(bench);
	}
}

/* What the peer could do decides whether its owner needs its grants. */
/* The first choice may claim at the same instant: it has the lease, or grants this one. */
static void who_claims_in_place_of_the_first_choice_has_no_lease_before_it_agrees(void **state)
{
	struct bench *bench = bench_new(1);

	(void)state;
	bench_entry(bench)->role = HBD_ROLE_SECONDARY;
	bench_entry(bench)->priority = 200;
	bench_meet(bench);
	for (int i = 0; i < 500 && bench_group(bench)->role != HBD_ROLE_CLAIMING; i++)
		bench_let(bench, 10 * MS);
	assert_int_equal(bench_group(bench)->claim_reason, HBD_REASON_UNCLAIMED);
	assert_false(bench_group(bench)->lease.held);
	bench_entry(bench)->flags |= HBD_GROUP_GRANTS;
	bench_let(bench, S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	assert_true(bench_group(bench)->lease.held);
	bench_free(bench);
}

static void only_a_peer_that_could_claim_ends_a_lease_by_not_granting(void **state)
{
	static const struct {
		const char *what;
		struct word word;
		bool serves;
	} rows[] = {
		{ "could claim", { .role = HBD_ROLE_SECONDARY }, false },
		{ "answers on the LAN hold it back",
		  { .role = HBD_ROLE_SECONDARY, .flags = HBD_GROUP_HELD_BACK }, true },
		{ "has a fault", { .role = HBD_ROLE_FAULT, .flags = HARD }, true },
		{ "has stopped the group", { .role = HBD_ROLE_STOPPED }, true },
		{ "listens first", { .state = HBD_NODE_QUIET, .role = HBD_ROLE_QUIET }, true },
		{ "runs, with a group that listens first", { .role = HBD_ROLE_QUIET }, true },
		{ "stops", { .state = HBD_NODE_STOPPING, .role = HBD_ROLE_SECONDARY }, true },
		{ "has no such group", { 0 }, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(0);
		struct word word = rows[i].word;

		bench_serve(bench);
		word.withholds = true;
		say(bench, &word);
		bench_let(bench, 2 * S);
		if ((bench->alerts[HBD_ALERT_RELEASED] == 0) != rows[i].serves)
			fail_msg("a peer that %s: the lease ends, or not", rows[i].what);
		bench_free(bench);
	}
}

static void a_failed_check_hands_over_only_to_who_is_better_off(void **state)
{
	static const struct {
		const char *what;
		struct word word;
		bool hands_over;
	} rows[] = {
		{ "stands by", { .role = HBD_ROLE_SECONDARY }, true },
		{ "has a bad check too", { .role = HBD_ROLE_SECONDARY, .flags = SOFT }, false },
		{ "has a fault", { .role = HBD_ROLE_SECONDARY, .flags = HARD }, false },
		{ "is in fault", { .role = HBD_ROLE_FAULT }, false },
		{ "listens first", { .state = HBD_NODE_QUIET, .role = HBD_ROLE_SECONDARY }, false },
		{ "has no such group", { 0 }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(0);

		bench_serve(bench);
		say(bench, &rows[i].word);
		bench_let(bench, 200 * MS);
		bench_event(bench, (struct hbd_event){
			.type = HBD_EVENT_FAULT,
			.fault = { .fault = HBD_FAULT_CHECK, .present = true },
		});
		if (bench->alerts[HBD_ALERT_RELEASED] != rows[i].hands_over)
			fail_msg("a peer that %s: it hands over, or not", rows[i].what);
		bench_free(bench);
	}
}

/* A peer that was heard a moment ago may be dead: nothing is handed to it. */
static void nothing_is_handed_to_who_is_late(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_serve(bench);
	bench->talks = false;
	bench_let(bench, bench->config.profile.suspect_ns);
	assert_int_equal(hbd_node_peer_state(&bench->node), HBD_PEER_SUSPICIOUS);
	assert_int_equal(hbd_node_may_switch(&bench->node, 0), -EHOSTDOWN);
	bench_event(bench, (struct hbd_event){
		.type = HBD_EVENT_FAULT,
		.fault = { .fault = HBD_FAULT_CHECK, .present = true },
	});
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	bench_free(bench);
}

static void a_switchover_is_refused_with_its_reason(void **state)
{
	static const struct {
		const char *what;
		struct word word;
		uint64_t digest;
		int result;
	} rows[] = {
		{ "stands by", { .role = HBD_ROLE_SECONDARY }, 0xd1, 0 },
		{ "listens first", { .state = HBD_NODE_QUIET, .role = HBD_ROLE_QUIET }, 0xd1,
		  -EHOSTDOWN },
		{ "is configured otherwise", { .role = HBD_ROLE_SECONDARY }, 0xd2, -EINVAL },
		{ "has no such group", { 0 }, 0xd1, -ENODEV },
		{ "is in fault", { .role = HBD_ROLE_FAULT }, 0xd1, -ENODEV },
		{ "has a fault", { .role = HBD_ROLE_SECONDARY, .flags = HARD }, 0xd1, -ENODEV },
		{ "has a bad check", { .role = HBD_ROLE_SECONDARY, .flags = SOFT }, 0xd1,
		  -ENODEV },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(0);

		bench_serve(bench);
		say(bench, &rows[i].word);
		bench->word.config_digest = rows[i].digest;
		bench_let(bench, 200 * MS);
		if (hbd_node_may_switch(&bench->node, 0) != rows[i].result)
			fail_msg("a peer that %s: %d", rows[i].what,
				 hbd_node_may_switch(&bench->node, 0));
		bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_SWITCHOVER });
		bench_entry(bench)->flags |= HBD_GROUP_READY;
		bench_say(bench);
		assert_int_equal(bench->alerts[HBD_ALERT_RELEASED], rows[i].result == 0);
		bench_free(bench);
	}
}

static void a_switchover_waits_for_what_is_under_way(void **state)
{
	static const struct {
		const char *what;
		enum hbd_step_order order;
		enum hbd_role role;
	} rows[] = {
		{ "a program that comes first", HBD_ORDER_BEFORE, HBD_ROLE_CLAIMING },
		{ "a program that comes after", HBD_ORDER_AFTER, HBD_ROLE_PRIMARY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(0);

		bench->config.groups[0].step_count = 1;
		bench->config.groups[0].steps[0] = (struct hbd_step_config){
			rows[i].order, HBD_ON_FAILURE_CONTINUE, 10 * S, false,
		};
		bench->results[HBD_ACTION_RUN] = -EAGAIN;
		bench_meet(bench);
		bench_let(bench, 3 * S);
		if (bench_group(bench)->role != rows[i].role)
			fail_msg("%s: %s", rows[i].what, hbd_role_text(bench_group(bench)->role));
		assert_int_equal(hbd_node_may_switch(&bench->node, 0), -EBUSY);
		bench->results[HBD_ACTION_RUN] = 0;
		bench_let(bench, 2 * S);
		assert_int_equal(hbd_node_may_switch(&bench->node, 0), 0);
		bench_free(bench);
	}
}

/* Of the group that both have, when the configurations differ. */
static void that_the_guardian_died_is_told_and_understood(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_serve(bench);
	assert_int_equal(bench->said.capabilities & HBD_CAPABILITY_ORPHANED, 0);
	bench->hangs = true;
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_STOP, .orphaned = true });
	assert_int_equal(bench_group(bench)->reason, HBD_REASON_ORPHANED);
	assert_int_equal(bench->said.capabilities & HBD_CAPABILITY_ORPHANED,
			 HBD_CAPABILITY_ORPHANED);
	bench_free(bench);

	bench = bench_new(1);
	bench_entry(bench)->role = HBD_ROLE_PRIMARY;
	bench->word.lease_us = 450000;
	bench_meet(bench);
	bench->word.capabilities |= HBD_CAPABILITY_ORPHANED;
	bench_goodbye(bench, false);
	bench_let(bench, 5 * S);
	assert_int_equal(bench_group(bench)->claim_reason, HBD_REASON_PEER_ORPHANED);
	bench_free(bench);
}

static void a_group_that_only_the_peer_has_is_passed_over(void **state)
{
	struct bench *bench = bench_new(1);

	(void)state;
	bench->word.groups[1] = bench->word.groups[0];
	bench->word.groups[0].id = BENCH_GROUP + 99;
	bench->word.groups[0].epoch = 7000;
	bench->word.groups[1].role = HBD_ROLE_PRIMARY;
	bench->word.groups[1].epoch = 40;
	bench->word.group_count = 2;
	bench->word.lease_us = 450000;
	bench_meet(bench);
	bench_let(bench, 2 * S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	assert_true(bench_group(bench)->peer.known);
	assert_int_equal(bench_group(bench)->epoch, 40);
	/* its goodbye tells of epochs, too */
	bench->word.groups[1].epoch = 60;
	bench_goodbye(bench, false);
	assert_int_equal(bench_group(bench)->epoch, 60);
	bench_let(bench, 5 * S);
	assert_int_equal(bench_group(bench)->claim_reason, HBD_REASON_PEER_STOPPED);
	assert_int_equal(bench_group(bench)->epoch, 63);
	bench_free(bench);
}

/* It goes on under the number of its claim, and its next one is above all. */
static void claim_again(struct bench *bench)
{
	for (int present = 1; present >= 0; present--) {
		bench_event(bench, (struct hbd_event){
			.type = HBD_EVENT_FAULT,
			.fault = { .fault = HBD_FAULT_INTERFACE, .present = present },
		});
		bench_let(bench, 5 * S);
	}
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
}

static void an_owner_heeds_every_epoch_that_was_told_when_it_claims_again(void **state)
{
	static const struct {
		const char *what;
		bool said, parted;
		uint64_t next;
	} rows[] = {
		{ "in a heartbeat", true, false, 82 },
		{ "in a GOODBYE", false, true, 84 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(0);
		uint64_t epoch;

		bench_serve(bench);
		epoch = bench_group(bench)->epoch;
		bench_entry(bench)->epoch = 80;
		if (rows[i].said)
			bench_say(bench);
		if (rows[i].parted)
			bench_goodbye(bench, false);
		bench_entry(bench)->epoch = 0;	/* it lost its memory */
		bench_let(bench, S);
		assert_int_equal(bench_group(bench)->epoch, epoch);
		claim_again(bench);
		if (bench_group(bench)->epoch != rows[i].next)
			fail_msg("%s: claimed with %d", rows[i].what,
				 (int)bench_group(bench)->epoch);
		bench_free(bench);
	}
}

/* Who holds the key can say anything: the numbers must not run out, nor begin again. */
static void an_epoch_that_no_node_counts_up_to_is_not_taken_over(void **state)
{
	static const struct {
		uint64_t told;
		uint64_t next;
	} rows[] = {
		{ HBD_EPOCH_MAX, HBD_EPOCH_MAX + 2 },
		{ HBD_EPOCH_MAX + 1, 0 },
		{ INT64_MAX, 0 },
		{ UINT64_MAX - 1, 0 },
		{ UINT64_MAX, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(0);
		uint64_t epoch, next;

		bench_serve(bench);
		epoch = bench_group(bench)->epoch;
		bench_entry(bench)->epoch = rows[i].told;
		bench_say(bench);
		bench_entry(bench)->epoch = 0;
		bench_let(bench, S);
		claim_again(bench);
		next = rows[i].next != 0 ? rows[i].next : epoch + 2;
		if (bench_group(bench)->epoch != next)
			fail_msg("told %" PRIu64 ": claimed with %" PRIu64 ", not %" PRIu64,
				 rows[i].told, bench_group(bench)->epoch, next);
		bench_free(bench);
	}
}

/* Two that do not hear each other: the second choice lets the first one answer first. */
static void who_is_alone_claims_in_its_turn(void **state)
{
	static const struct {
		const char *what;
		uint8_t self, prefer;
		int64_t after_grants;
	} rows[] = {
		{ "node 0", 0, NOBODY, 0 },
		{ "node 1", 1, NOBODY, 1 },
		{ "node 0 beside a preferred one", 0, 1, 1 },
		{ "node 1, preferred", 1, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(rows[i].self);
		const struct hbd_profile *profile = &bench->config.profile;

		bench->config.groups[0].prefer = rows[i].prefer;
		bench_start(bench);
		bench_let(bench, profile->alone_ns + rows[i].after_grants * profile->grant_ns - 1);
		if (bench_group(bench)->role != HBD_ROLE_SECONDARY)
			fail_msg("%s claims too early", rows[i].what);
		bench_let(bench, MS);
		if (bench_group(bench)->claim_reason != HBD_REASON_ALONE)
			fail_msg("%s: %s", rows[i].what,
				 hbd_reason_text(bench_group(bench)->claim_reason));
		bench_free(bench);
	}
}

/* In the profiles with short leases; so that one lost packet costs an owner no lease. */
static void a_renewal_is_answered_at_once(void **state)
{
	static const struct {
		const char *what;
		enum hbd_profile_name profile;
		struct word word;
		unsigned answers;
	} rows[] = {
		{ "serves, in fast", HBD_PROFILE_FAST, { .role = HBD_ROLE_PRIMARY }, 1 },
		{ "claims, in fast", HBD_PROFILE_FAST, { .role = HBD_ROLE_CLAIMING }, 1 },
		{ "serves, in lan", HBD_PROFILE_LAN, { .role = HBD_ROLE_PRIMARY }, 0 },
		{ "has just handed over", HBD_PROFILE_FAST, { .role = HBD_ROLE_SECONDARY }, 0 },
		{ "has no such group", HBD_PROFILE_FAST, { 0 }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(1);
		unsigned sent;

		bench->config.profile = hbd_profile_get(rows[i].profile);
		say(bench, &(struct word){ .role = HBD_ROLE_PRIMARY });
		bench_meet(bench);
		bench_let(bench, S);
		say(bench, &rows[i].word);
		sent = bench->counts[HBD_ACTION_SEND];
		bench_say(bench);
		if (bench->counts[HBD_ACTION_SEND] - sent != rows[i].answers)
			fail_msg("a peer that %s: %u answers", rows[i].what,
				 bench->counts[HBD_ACTION_SEND] - sent);
		bench_free(bench);
	}
}

static int begin_all(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_claim_has_its_reason),
		cmocka_unit_test(
			who_claims_in_place_of_the_first_choice_has_no_lease_before_it_agrees),
		cmocka_unit_test(only_a_peer_that_could_claim_ends_a_lease_by_not_granting),
		cmocka_unit_test(a_failed_check_hands_over_only_to_who_is_better_off),
		cmocka_unit_test(nothing_is_handed_to_who_is_late),
		cmocka_unit_test(a_switchover_is_refused_with_its_reason),
		cmocka_unit_test(a_switchover_waits_for_what_is_under_way),
		cmocka_unit_test(that_the_guardian_died_is_told_and_understood),
		cmocka_unit_test(a_group_that_only_the_peer_has_is_passed_over),
		cmocka_unit_test(an_owner_heeds_every_epoch_that_was_told_when_it_claims_again),
		cmocka_unit_test(an_epoch_that_no_node_counts_up_to_is_not_taken_over),
		cmocka_unit_test(who_is_alone_claims_in_its_turn),
		cmocka_unit_test(a_renewal_is_answered_at_once),
	};

	return cmocka_run_group_tests_name("node", tests, begin_all, NULL);
}
