/* A node goes on in another process: what of it does, and when it must not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

#include "../../hbd/core/resume.h"
#include "../../hbd/flight/state.h"
#include "node_bench.h"

#define ORIGIN "boot 1, cluster c, node a"
#define AHEAD 1048576	/* as PROTOCOL.md 6.6 has it */
#define PAUSE_NS (10 * HBD_MS_NS)

/* The state of the bench's node as the next process reads it. */
static struct flight_state *carry(const struct bench *bench)
{
	struct flight_state *state = calloc(1, sizeof(*state));
	char why[FLIGHT_WHY_BYTES] = "";
	uint8_t *bytes = NULL;
	size_t length = 0;

	assert_int_equal(flight_state_write(ORIGIN, &bench->node, &bytes, &length), 0);
	if (flight_state_read(bytes, length, ORIGIN, state, why) < 0)
		fail_msg("%s", why);
	free(bytes);
	return state;
}

/* The bench's node goes on in another process, after a pause. */
static int resume(struct bench *bench, int64_t pause_ns)
{
	struct flight_state *state = carry(bench);
	int result;

	bench->now_ns += pause_ns;
	bench->config.seed[0]++;
	result = hbd_node_resume(&bench->node, &bench->config, &state->node, bench->now_ns);
	free(state);
	if (result == 0)
		for (uint8_t link = 0; link < bench->config.link_count; link++)
			bench_event(bench, (struct hbd_event){
				.type = HBD_EVENT_LINK,
				.link = link,
				.link_state = { .usable = true },
			});
	return result;
}

static unsigned count_alerts(const struct bench *bench)
{
	unsigned count = 0;

	for (int i = 0; i < HBD_ALERT_COUNT; i++)
		count += bench->alerts[i];
	return count;
}

static void a_node_goes_on_where_it_was(void **state)
{
	static const struct {
		const char *what;
		uint8_t self;
		bool serves;
		int64_t pause_ns;
	} rows[] = {
		{ "node 0 serves", 0, true, PAUSE_NS },
		{ "node 1 serves", 1, true, PAUSE_NS },
		{ "node 0 stands by", 0, false, PAUSE_NS },
		{ "node 1 stands by", 1, false, PAUSE_NS },
		{ "node 0 serves, at once", 0, true, 0 },
		{ "node 1 stands by, for long", 1, false, 300 * HBD_MS_NS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(rows[i].self);
		enum hbd_role role = rows[i].serves ? HBD_ROLE_PRIMARY : HBD_ROLE_SECONDARY;
		uint64_t life, hb_seq, epoch, established;

		if (rows[i].serves) {
			bench_serve(bench);
		} else {
			bench_entry(bench)->role = HBD_ROLE_PRIMARY;
			bench_entry(bench)->epoch = 8;
			bench->word.lease_us = 100000;
			bench_meet(bench);
		}
		memset(bench->counts, 0, sizeof(bench->counts));
		memset(bench->alerts, 0, sizeof(bench->alerts));
		life = bench->node.session.own_session;
		established = bench->peer.established;
		hb_seq = bench->node.hb_seq;
		epoch = bench_group(bench)->epoch;
		if (resume(bench, rows[i].pause_ns) != 0)
			fail_msg("%s: not resumed", rows[i].what);
		bench_let(bench, 2 * HBD_S_NS);
		if (bench_group(bench)->role != role || bench_group(bench)->epoch != epoch)
			fail_msg("%s: now %s", rows[i].what, hbd_role_text(bench_group(bench)->role));
		assert_int_equal(bench->node.session.own_session, life);
		/* the peer took in what it said since, under the session that they had */
		assert_int_equal(bench->peer.established, established);
		assert_true(bench->heard_hb_seq > hb_seq + HBD_RESUME_AHEAD);
		assert_int_equal(bench->said.groups[0].role, role);
		assert_int_equal(bench->counts[HBD_ACTION_ACQUIRE], 0);
		assert_int_equal(bench->counts[HBD_ACTION_RELEASE], 0);
		assert_int_equal(bench->counts[HBD_ACTION_ANNOUNCE], 0);
		assert_int_equal(bench->counts[HBD_ACTION_CHANGED], 0);
		assert_int_equal(count_alerts(bench), 0);
		bench_free(bench);
	}
}

/* It was not there to hear its peer, which may have gone over to long leases meanwhile. */
static void what_it_did_not_hear_while_it_paused_is_no_evidence(void **state)
{
	static const int64_t pauses_ns[] = { 50 * HBD_MS_NS, 3 * HBD_S_NS };

	(void)state;
	for (size_t i = 0; i < sizeof(pauses_ns) / sizeof(pauses_ns[0]); i++) {
		struct bench *bench = bench_new(0);

		bench_entry(bench)->role = HBD_ROLE_PRIMARY;
		bench_entry(bench)->epoch = 8;
		bench->word.lease_us = 450000;
		bench_meet(bench);
		bench->talks = false;
		assert_int_equal(resume(bench, pauses_ns[i]), 0);
		bench_let(bench, bench->config.profile.alone_ns - HBD_S_NS);
		assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
		bench_let(bench, 2 * HBD_S_NS);
		assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
		bench_free(bench);
	}
}

static void what_was_sent_to_it_while_it_paused_is_no_loss(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_meet(bench);
	assert_int_equal(resume(bench, HBD_S_NS), 0);
	bench->peer_hb_seq += 20;
	bench->talk_ns = bench->now_ns;
	for (int i = 0; i < 20; i++) {
		bench_let(bench, bench->config.profile.interval_ns / 2);
		assert_int_equal(bench->node.detector.links[0].rx_loss_permille, 0);
		assert_int_equal(bench->node.detector.links[0].tx_loss_permille, 0);
	}
	bench_free(bench);
}

static void no_number_is_used_again(void **state)
{
	struct bench *bench = bench_new(0);
	struct hbd_node before;

	(void)state;
	bench_serve(bench);
	before = bench->node;
	assert_int_equal(resume(bench, PAUSE_NS), 0);
	assert_true(bench->node.hb_seq >= before.hb_seq + AHEAD);
	assert_true(bench->node.next_id >= before.next_id + AHEAD);
	assert_true(bench->node.session.running.tx_seq[0] >=
		    before.session.running.tx_seq[0] + AHEAD);
	assert_true(bench->node.groups[0].witness.count >=
		    before.groups[0].witness.count + AHEAD);
	/* nor is a nonce: the seed is another one */
	assert_memory_not_equal(bench->node.session.nonce, before.session.nonce, HBD_NONCE_BYTES);
	bench_free(bench);
}

static void what_is_over_is_not_taken_up_again(void **state)
{
	static const struct {
		const char *what;
		int64_t pause_ns;	/* from the end of the lease */
		uint8_t self;
		uint32_t cluster_id;
		bool stopping, busy;
		int expected;
	} rows[] = {
		{ "a lease with a nanosecond left", -1, 0, 0xc1, false, false, 0 },
		{ "a lease that ends now", 0, 0, 0xc1, false, false, -ETIME },
		{ "a lease that ended long ago", HBD_S_NS, 0, 0xc1, false, false, -ETIME },
		{ "the other node's", -1, 1, 0xc1, false, false, -EINVAL },
		{ "another cluster's", -1, 0, 0xc2, false, false, -EINVAL },
		{ "from the future", -HBD_S_NS, 0, 0xc1, false, false, -EINVAL },
		{ "of one that stops", -1, 0, 0xc1, true, false, -ESHUTDOWN },
		{ "in the middle of a plan", -1, 0, 0xc1, false, true, -EBUSY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(0);
		struct hbd_node former, untouched;
		int64_t now_ns;
		int result;

		bench_serve(bench);
		former = bench->node;
		former.config = &bench->config;
		former.stopping = rows[i].stopping;
		if (rows[i].busy)
			former.groups[0].plan.kind = HBD_PLAN_TAKEOVER;
		struct hbd_node_config config = bench->config;

		config.self = rows[i].self;
		config.cluster_id = rows[i].cluster_id;
		now_ns = former.groups[0].lease.held_until_ns + rows[i].pause_ns;
		untouched = bench->node;
		result = hbd_node_resume(&bench->node, &config, &former, now_ns);
		if (result != rows[i].expected)
			fail_msg("%s: %d", rows[i].what, result);
		if (result < 0)
			assert_memory_equal(&bench->node, &untouched, sizeof(untouched));
		bench_free(bench);
	}
}

static void groups_go_by_their_id(void **state)
{
	struct bench *bench = bench_new(0);
	struct hbd_node_config config;
	struct hbd_node former;
	int64_t until_ns;

	(void)state;
	bench_serve(bench);
	former = bench->node;
	until_ns = former.groups[0].lease.held_until_ns;
	config = bench->config;
	/* a new one comes first */
	config.group_count = 2;
	config.groups[1].id = bench->config.groups[0].id;
	config.groups[0].id = 0x77;
	assert_int_equal(hbd_node_resume(&bench->node, &config, &former, bench->now_ns), 0);
	assert_int_equal(bench->node.groups[0].role, HBD_ROLE_QUIET);
	assert_false(bench->node.groups[0].lease.held);
	assert_true(bench->node.groups[0].hold_until_ns >=
		    bench->now_ns + config.profile.alone_ns);
	assert_int_equal(bench->node.groups[1].role, HBD_ROLE_PRIMARY);
	assert_int_equal(bench->node.groups[1].lease.held_until_ns, until_ns);
	/* and of one that is gone nothing is left */
	config.group_count = 1;
	assert_int_equal(hbd_node_resume(&bench->node, &config, &former, bench->now_ns), 0);
	assert_int_equal(bench->node.groups[0].role, HBD_ROLE_QUIET);
	bench_free(bench);
}

static void what_is_in_use_is_not_dropped(void **state)
{
	static const struct {
		const char *what;
		uint32_t groups;
		uint8_t keys;
		bool serves, peer_is_heard, peer_has_it, has_plugins;
		int expected;
	} rows[] = {
		{ "nothing", 0, 0, true, true, true, true, 0 },
		{ "a group it serves, which the peer would take", 1, 0, true, true, true, false,
		  -EADDRINUSE },
		{ "one that only it has", 1, 0, true, true, false, false, 0 },
		{ "one that only it has, and that has plugins", 1, 0, true, true, false, true,
		  -EADDRINUSE },
		{ "one that it serves alone", 1, 0, true, false, true, false, 0 },
		{ "one that the peer serves", 1, 0, false, true, true, true, 0 },
		{ "another one", 2, 0, true, true, true, true, 0 },
		{ "the session's key", 0, 1, true, true, true, false, -ENOKEY },
		{ "the key of a peer that is away", 0, 1, true, false, true, false, 0 },
		{ "another key", 0, 2, true, true, true, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(0);
		uint8_t group = HBD_GROUPS_MAX;
		int result;

		bench->talks = true;
		bench_serve(bench);
		if (!rows[i].serves)
			bench_group(bench)->role = HBD_ROLE_SECONDARY;
		bench->talks = rows[i].peer_is_heard;
		bench_let(bench, rows[i].peer_is_heard ? 0 : HBD_S_NS);
		bench_group(bench)->peer.known = rows[i].peer_has_it;
		bench->config.groups[0].step_count = rows[i].has_plugins;
		result = hbd_node_can_drop(&bench->node, rows[i].groups, rows[i].keys, &group);
		if (result != rows[i].expected)
			fail_msg("%s: %d", rows[i].what, result);
		assert_int_equal(group, result == -EADDRINUSE ? 0 : HBD_GROUPS_MAX);
		bench_free(bench);
	}
}

static void a_key_that_is_gone_ends_the_session_and_nothing_else(void **state)
{
	struct bench *bench = bench_new(0);
	struct hbd_node former;

	(void)state;
	bench_serve(bench);
	former = bench->node;
	bench->config.keys[0].id = 9;
	struct hbd_node_config config = bench->config;

	config.keys[0].id = 9;
	assert_int_equal(hbd_node_resume(&bench->node, &config, &former, bench->now_ns), 0);
	assert_false(hbd_session_is_open(&bench->node.session));
	assert_int_equal(bench->node.groups[0].role, HBD_ROLE_PRIMARY);
	bench_free(bench);
}

static void a_version_that_is_gone_ends_the_session_and_nothing_else(void **state)
{
	struct bench *bench = bench_new(0);
	struct hbd_node former;

	(void)state;
	bench_serve(bench);
	former = bench->node;
	former.session.running.version = HBD_VERSION_MAX + 1;
	assert_int_equal(hbd_node_resume(&bench->node, &bench->config, &former, bench->now_ns), 0);
	assert_false(hbd_session_is_open(&bench->node.session));
	assert_int_equal(bench->node.groups[0].role, HBD_ROLE_PRIMARY);

	struct hbd_node_config config = bench->config;

	config.version_max = HBD_VERSION_MAX + 1;
	assert_int_equal(hbd_node_resume(&bench->node, &config, &former, bench->now_ns), 0);
	assert_true(hbd_session_is_open(&bench->node.session));
	bench_free(bench);
}

/* ---- bytes --------------------------------------------------------------------------------------- */

struct carried {
	struct bench *bench;
	uint8_t *bytes;
	size_t length;
	struct flight_state state;
	char why[FLIGHT_WHY_BYTES];
};

static struct carried *carried_new(void)
{
	struct carried *carried = calloc(1, sizeof(*carried));

	carried->bench = bench_new(0);
	bench_serve(carried->bench);
	assert_int_equal(flight_state_write(ORIGIN, &carried->bench->node, &carried->bytes,
					    &carried->length), 0);
	return carried;
}

static void carried_free(struct carried *carried)
{
	bench_free(carried->bench);
	free(carried->bytes);
	free(carried);
}

static int read_back(struct carried *carried, const char *origin)
{
	return flight_state_read(carried->bytes, carried->length, origin, &carried->state,
				 carried->why);
}

static void what_is_damaged_is_refused_as_a_whole(void **state)
{
	struct carried *carried = carried_new();

	(void)state;
	for (size_t at = 0; at < carried->length; at += at < 64 ? 1 : 97) {
		carried->bytes[at] ^= 0x20;
		if (read_back(carried, ORIGIN) != -EBADMSG || carried->why[0] == '\0')
			fail_msg("byte %zu", at);
		carried->bytes[at] ^= 0x20;
	}
	for (size_t length = 0; length < carried->length; length += 53) {
		int result = flight_state_read(carried->bytes, length, ORIGIN, &carried->state,
					       carried->why);

		if (result != -EBADMSG)
			fail_msg("cut off at %zu", length);
	}
	assert_int_equal(carried->state.node.now_ns, 0);
	assert_int_equal(read_back(carried, "boot 2, cluster c, node a"), -EBADMSG);
	assert_int_equal(read_back(carried, ORIGIN), 0);
	carried_free(carried);
}

/* Behind the two lines of text. */
static size_t body_at(const struct carried *carried)
{
	const uint8_t *end = memchr(carried->bytes, '\n', carried->length);

	end = memchr(end + 1, '\n', carried->length - (size_t)(end + 1 - carried->bytes));
	return (size_t)(end + 1 - carried->bytes);
}

/* Replaces count bytes at by text, and sets the checksum right. */
static void replace(struct carried *carried, size_t at, size_t count, const char *text)
{
	size_t length = strlen(text), rest = carried->length - at - count;
	uint8_t *bytes = malloc(carried->length + length);

	memcpy(bytes, carried->bytes, at);
	memcpy(bytes + at, text, length);
	memcpy(bytes + at + length, carried->bytes + at + count, rest);
	free(carried->bytes);
	carried->bytes = bytes;
	carried->length = at + length + rest;
	flight_state_seal(carried->bytes, carried->length);
}

static size_t find(const struct carried *carried, const char *text)
{
	const uint8_t *at = memmem(carried->bytes, carried->length, text, strlen(text));

	assert_non_null(at);
	return (size_t)(at - carried->bytes);
}

/* Where the configuration begins: behind the instant. */
static size_t config_at(const struct carried *carried)
{
	size_t at = body_at(carried);

	while (carried->bytes[at] & 0x80)
		at++;
	return at + 1;
}

static void another_version_may_know_more_or_less(void **state)
{
	static const char first[] = "\"config\":\"self:u ";
	struct carried *carried = carried_new();

	(void)state;
	/* a newer one with a member more, which is 5 */
	replace(carried, config_at(carried), 0, "\x05");
	replace(carried, find(carried, first) + 10, 0, "novelty:u ");
	assert_int_equal(read_back(carried, ORIGIN), 0);
	assert_int_equal(carried->state.node.groups[0].role, HBD_ROLE_PRIMARY);
	carried_free(carried);

	/* an older one with a member less: it is as at a start */
	carried = carried_new();
	replace(carried, config_at(carried), 1, "");
	replace(carried, find(carried, first) + 10, 7, "");
	assert_int_equal(read_back(carried, ORIGIN), 0);
	assert_int_equal(carried->state.node.groups[0].role, HBD_ROLE_PRIMARY);
	carried_free(carried);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_goes_on_where_it_was),
		cmocka_unit_test(what_it_did_not_hear_while_it_paused_is_no_evidence),
		cmocka_unit_test(what_was_sent_to_it_while_it_paused_is_no_loss),
		cmocka_unit_test(no_number_is_used_again),
		cmocka_unit_test(what_is_over_is_not_taken_up_again),
		cmocka_unit_test(groups_go_by_their_id),
		cmocka_unit_test(what_is_in_use_is_not_dropped),
		cmocka_unit_test(a_key_that_is_gone_ends_the_session_and_nothing_else),
		cmocka_unit_test(a_version_that_is_gone_ends_the_session_and_nothing_else),
		cmocka_unit_test(what_is_damaged_is_refused_as_a_whole),
		cmocka_unit_test(another_version_may_know_more_or_less),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
