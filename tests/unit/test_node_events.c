/* What a node does about each thing that happens to it: one node, one event, what follows. */
#include <errno.h>
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

static void tell_link(struct bench *bench, bool usable)
{
	bench_event(bench, (struct hbd_event){
		.type = HBD_EVENT_LINK,
		.link_state = { .usable = usable },
	});
}

static void a_link_that_stays_down_is_told_and_so_is_its_return(void **state)
{
	struct bench *bench = bench_new(0);
	unsigned sent;

	(void)state;
	bench_serve(bench);
	tell_link(bench, false);
	bench_let(bench, 900 * MS);
	assert_int_equal(bench->alerts[HBD_ALERT_LINK_LOST], 0);
	bench_let(bench, 200 * MS);
	assert_int_equal(bench->alerts[HBD_ALERT_LINK_LOST], 1);
	/* the peer hears of it at once, and only of what is new */
	sent = bench->counts[HBD_ACTION_SEND];
	tell_link(bench, true);
	assert_int_equal(bench->counts[HBD_ACTION_SEND], sent + 1);
	tell_link(bench, true);
	assert_int_equal(bench->counts[HBD_ACTION_SEND], sent + 1);
	bench_let(bench, 200 * MS);
	assert_int_equal(bench->alerts[HBD_ALERT_LINK_BACK], 1);
	bench_free(bench);
}

static void close_link(struct bench *bench, bool closed)
{
	bench_event(bench, (struct hbd_event){
		.type = HBD_EVENT_LINK,
		.link_state = { .usable = !closed, .closed = closed },
	});
}

/* Nobody heard the peer, since nobody listened. */
static void who_has_no_socket_takes_nothing_over_for_silence(void **state)
{
	struct bench *bench = bench_new(1);

	(void)state;
	bench_entry(bench)->role = HBD_ROLE_PRIMARY;
	bench_entry(bench)->epoch = 2;
	bench_meet(bench);
	bench_let(bench, 3 * S);
	close_link(bench, true);
	bench->talks = false;
	bench_let(bench, 20 * S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	/* it listens for a whole Lg first: the peer may be there all the time */
	close_link(bench, false);
	bench_let(bench, bench->config.profile.grant_ns - MS);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	bench_let(bench, S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	bench_free(bench);
}

/* A pulled cable leaves the socket: then the LAN is asked, as after any silence. */
static void who_has_sockets_without_carrier_takes_over(void **state)
{
	struct bench *bench = bench_new(1);

	(void)state;
	bench_entry(bench)->role = HBD_ROLE_PRIMARY;
	bench_entry(bench)->epoch = 2;
	bench_meet(bench);
	bench_let(bench, 3 * S);
	tell_link(bench, false);
	bench->talks = false;
	bench_let(bench, 20 * S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	bench_free(bench);
}

static void who_deletes_an_address_again_and_again_is_told_about_once_a_minute(void **state)
{
	static const struct {
		int64_t after_ns;
		unsigned restored, told;
	} rows[] = {
		{ 0, 1, 1 }, { S, 2, 1 }, { 58 * S, 3, 1 }, { S, 4, 2 }, { S, 5, 2 },
	};
	struct bench *bench = bench_new(0);

	(void)state;
	bench_serve(bench);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bench_let(bench, rows[i].after_ns);
		bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_MISSING });
		assert_int_equal(bench->counts[HBD_ACTION_RESTORE], rows[i].restored);
		assert_int_equal(bench->alerts[HBD_ALERT_ADDRESS_RESTORED], rows[i].told);
	}
	bench_free(bench);
}

/* Without a fence there is no drain. */
static void hand_over(struct bench *bench)
{
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_FENCE, .fence = HBD_FENCE_NONE });
	bench_entry(bench)->flags |= HBD_GROUP_READY;
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_SWITCHOVER });
	bench_say(bench);
}

/* Hands group 0 over to a peer that never takes it; its addresses go when told, if ever. */
static struct bench *resigned(bool release_hangs)
{
	struct bench *bench = bench_new(0);

	bench_serve(bench);
	bench->hangs = release_hangs;
	hand_over(bench);
	assert_int_equal(bench_group(bench)->role,
			 release_hangs ? HBD_ROLE_RELEASING : HBD_ROLE_SECONDARY);
	return bench;
}

static void stall(struct bench *bench, int64_t late_ns)
{
	bench_event(bench, (struct hbd_event){
		.type = HBD_EVENT_STALLED,
		.stalled = { .late_ns = late_ns },
	});
}

/* Lg and ten intervals, 1.46 s, and until the peer has said that it knows. */
static void who_does_not_take_what_it_was_handed_gets_its_time(void **state)
{
	struct bench *bench = resigned(false);

	(void)state;
	bench_let(bench, 1400 * MS);
	assert_int_equal(bench->alerts[HBD_ALERT_NOT_TAKEN], 0);
	bench_let(bench, 150 * MS);
	assert_int_equal(bench->alerts[HBD_ALERT_NOT_TAKEN], 1);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	bench_free(bench);
}

static void a_stall_is_no_part_of_that_time(void **state)
{
	struct bench *bench = resigned(false);

	(void)state;
	bench_let(bench, S);
	stall(bench, 50 * MS);
	bench_let(bench, 1400 * MS);
	assert_int_equal(bench->alerts[HBD_ALERT_NOT_TAKEN], 0);
	bench_let(bench, 150 * MS);
	assert_int_equal(bench->alerts[HBD_ALERT_NOT_TAKEN], 1);
	bench_free(bench);
}

static void nor_is_the_time_until_the_addresses_are_gone(void **state)
{
	struct bench *bench = resigned(true);
	uint64_t id = bench_group(bench)->release_id;

	(void)state;
	bench_let(bench, S);
	stall(bench, 50 * MS);
	bench_let(bench, 5 * S);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_RELEASING);
	bench->hangs = false;
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_DONE, .done = { .id = id } });
	bench_let(bench, 1400 * MS);
	assert_int_equal(bench->alerts[HBD_ALERT_NOT_TAKEN], 0);
	bench_let(bench, 150 * MS);
	assert_int_equal(bench->alerts[HBD_ALERT_NOT_TAKEN], 1);
	bench_free(bench);
}

/* It may be about to claim on what it was told last. */
static void nothing_is_taken_back_until_the_peer_knows_that_it_may_not_take_it(void **state)
{
	struct bench *bench = resigned(false);

	(void)state;
	bench_let(bench, 1400 * MS);
	assert_int_equal(bench->said.groups[0].flags & HBD_GROUP_RESIGNED, HBD_GROUP_RESIGNED);
	bench->deaf = true;
	bench_let(bench, S);
	assert_int_equal(bench->said.groups[0].flags & HBD_GROUP_RESIGNED, 0);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_SECONDARY);
	bench->deaf = false;
	bench_let(bench, 150 * MS);
	assert_int_equal(bench_group(bench)->claim_reason, HBD_REASON_NOT_TAKEN);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	bench_free(bench);
}

/* One that comes before the addresses may fail, or must not. */
static void a_program_nobody_reports_about_has_failed(void **state)
{
	static const struct {
		enum hbd_on_failure on_failure;
		enum hbd_role role;
	} rows[] = {
		{ HBD_ON_FAILURE_CONTINUE, HBD_ROLE_PRIMARY },
		{ HBD_ON_FAILURE_ABORT, HBD_ROLE_FAULT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(0);

		bench->config.groups[0].step_count = 1;
		bench->config.groups[0].steps[0] = (struct hbd_step_config){
			HBD_ORDER_BEFORE, rows[i].on_failure, 10 * S, false,
		};
		bench_meet(bench);
		bench->hangs = true;
		while (bench_group(bench)->role != HBD_ROLE_CLAIMING)
			bench_let(bench, 10 * MS);
		bench_let(bench, 11900 * MS);
		assert_int_equal(bench_group(bench)->role, HBD_ROLE_CLAIMING);
		bench->hangs = false;
		bench_let(bench, 200 * MS);
		assert_int_equal(bench->alerts[HBD_ALERT_PLUGIN_FAILED], 1);
		assert_int_equal(bench_group(bench)->role, rows[i].role);
		bench_free(bench);
	}
}

/* What the kernel refuses makes a fault, until it is tried again. */
static void a_refusal_of_the_kernel_is_forgiven_when_it_is_time_to_try_again(void **state)
{
	static const struct {
		const char *what;
		enum hbd_action_type refused;
	} rows[] = {
		{ "to add addresses", HBD_ACTION_ACQUIRE },
		{ "to remove addresses", HBD_ACTION_RELEASE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(0);

		bench->results[rows[i].refused] = -EPERM;
		bench_meet(bench);
		bench_let(bench, 2 * S);
		if (rows[i].refused == HBD_ACTION_RELEASE)
			hand_over(bench);
		bench_let(bench, S);
		if (!(bench_group(bench)->faults & HBD_FAULT_ADDRESS))
			fail_msg("a refusal %s is no fault", rows[i].what);
		assert_int_equal(bench_group(bench)->role, HBD_ROLE_FAULT);
		assert_int_equal(bench->alerts[HBD_ALERT_FAULT], 1);
		bench->results[rows[i].refused] = 0;
		bench_let(bench, 25 * S);
		assert_int_equal(bench_group(bench)->role, HBD_ROLE_FAULT);
		bench_let(bench, 8 * S);
		assert_int_equal(bench_group(bench)->faults, 0);
		assert_int_equal(bench->alerts[HBD_ALERT_HEALED], 1);
		assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
		bench_free(bench);
	}
}

/* Nothing is under way under the id 0, nor under one that was never given out. */
static void a_report_that_nobody_waits_for_changes_nothing(void **state)
{
	static const uint64_t ids[] = { 0, 1000 };
	struct bench *bench = bench_new(0);

	(void)state;
	bench->config.groups[0].step_count = 1;
	bench->config.groups[0].steps[0] = (struct hbd_step_config){
		HBD_ORDER_AFTER, HBD_ON_FAILURE_CONTINUE, 10 * S, false,
	};
	bench_serve(bench);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		bench_event(bench, (struct hbd_event){
			.type = HBD_EVENT_DONE, .done = { .id = ids[i] },
		});
		assert_int_equal(bench->counts[HBD_ACTION_RUN], 0);
		assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	}
	bench_free(bench);
}

/* A knock of a program that speaks only later versions, sealed with the right key. */
static void knock_of_a_later_version(struct bench *bench)
{
	uint8_t bytes[HBD_PACKET_BYTES_MAX];
	size_t length = hbd_session_offer(&bench->peer, 0, 0xd1, bytes);
	struct hbd_seal seal;

	memset(bytes + HBD_HEADER_BYTES, HBD_VERSION_MAX + 1, 2);
	hbd_seal_handshake(&bench->config.keys[0], bench->config.cluster_id, 1, &seal);
	hbd_seal_close(&seal, bytes, length - HBD_TAG_BYTES);
	bench_packet(bench, bytes, length);
}

static void another_protocol_is_told_once(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_start(bench);
	for (int i = 0; i < 3; i++)
		knock_of_a_later_version(bench);
	assert_int_equal(bench->alerts[HBD_ALERT_VERSION_MISMATCH], 1);
	assert_int_equal(bench->node.mismatch, HBD_MISMATCH_VERSION);
	/* it was replaced by a program of this version */
	bench->talks = true;
	bench_let(bench, S);
	assert_int_equal(bench->node.mismatch, 0);
	bench_free(bench);
}

/* A recording that does not fit the state it begins with. */
static void an_opened_packet_that_cannot_have_come_is_dropped(void **state)
{
	struct bench *bench = bench_new(0);
	struct hbd_received received = {
		.verdict = { .receipt = HBD_RECEIPT_HEARTBEAT },
		.header = { .type = HBD_PACKET_HEARTBEAT },
		.heartbeat = { .hb_seq = 1 },
	};

	(void)state;
	bench_start(bench);
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_PACKET, .opened = &received });
	assert_int_equal(bench->actions.verdict.receipt, HBD_RECEIPT_DROPPED);
	assert_int_equal(bench->node.detector.links[0].dropped[HBD_DROP_STALE], 1);
	assert_int_equal(bench->node.peer_hb_seq, 0);
	bench_free(bench);
}

/* Authentic all the same: whatever its clock shows, it lives. */
static void an_absurd_clock_of_the_peer_is_no_standstill(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_serve(bench);
	/* in nanoseconds, were it not for the bits that do not fit, its clock leapt by 10 s */
	bench->word.tx_time_us = ((uint64_t)1 << 61) + (uint64_t)((bench->now_ns + 10 * S) / HBD_US_NS);
	bench_say(bench);
	assert_int_equal(bench->alerts[HBD_ALERT_STOOD_STILL], 0);
	bench->word.tx_time_us = UINT64_MAX;
	bench_let(bench, 2 * S);
	assert_int_equal(bench->alerts[HBD_ALERT_STOOD_STILL], 0);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	bench_free(bench);
}

/* It was sent in a life that this process does not remember. */
static void a_peer_that_knows_more_than_was_sent_ends_this_process(void **state)
{
	static const struct {
		const char *what;
		uint64_t granted, seen;
		int64_t late_ns;
	} rows[] = {
		{ "granted it", 1000000, 0, 0 },
		{ "saw it", 0, 1000000, 0 },
		{ "saw it, when the lease is over", 0, 1000000, S },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(0);
		unsigned sent;

		bench_serve(bench);
		bench->word.granted_hb_seq = rows[i].granted;
		bench->word.rx_newest = rows[i].seen;
		bench->now_ns += rows[i].late_ns;
		sent = bench->counts[HBD_ACTION_SEND];
		bench_say(bench);
		if (bench->counts[HBD_ACTION_REBORN] != 1)
			fail_msg("a peer that %s: this process goes on", rows[i].what);
		/* without a word: even to let go would be one */
		assert_int_equal(bench->counts[HBD_ACTION_SEND], sent);
		assert_int_equal(bench->counts[HBD_ACTION_RELEASE], rows[i].late_ns > 0);
		assert_int_equal(hbd_node_deadline_ns(&bench->node), HBD_NEVER_NS);
		bench_free(bench);
	}
}

static void two_owners_are_told_once_both_have_a_lease(void **state)
{
	static const struct {
		const char *what;
		uint8_t role;
		uint32_t lease_us;
		uint64_t epoch;
		unsigned told;
		bool goes_on;
	} rows[] = {
		{ "an older owner", HBD_ROLE_PRIMARY, 450000, 1, 1, true },
		{ "a newer owner", HBD_ROLE_PRIMARY, 450000, 99, 1, false },
		{ "an older claim that has no vote yet", HBD_ROLE_CLAIMING, 0, 1, 0, true },
		{ "a newer claim that has no vote yet", HBD_ROLE_CLAIMING, 0, 99, 0, false },
		{ "one that lets go", HBD_ROLE_RELEASING, 0, 1, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(0);

		bench_serve(bench);
		bench_entry(bench)->role = rows[i].role;
		bench_entry(bench)->epoch = rows[i].epoch;
		bench->word.lease_us = rows[i].lease_us;
		bench_say(bench);
		if (bench->alerts[HBD_ALERT_TWO_OWNERS] != rows[i].told)
			fail_msg("%s: %u alerts", rows[i].what,
				 bench->alerts[HBD_ALERT_TWO_OWNERS]);
		assert_int_equal(bench_group(bench)->role == HBD_ROLE_PRIMARY, rows[i].goes_on);
		bench_free(bench);
	}
}

/* Who answers on the LAN, when the peer that served is not heard any more. */
static void an_answer_counts_by_whose_it_is(void **state)
{
	static const struct {
		const char *what;
		uint8_t station[HBD_STATION_BYTES];
		unsigned conflicts;
		bool claims;
	} rows[] = {
		{ "this node itself", { 2, 1 }, 0, true },
		{ "the peer", { 2, 2 }, 0, false },
		{ "a stranger", { 2, 3 }, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(1);

		memcpy(bench_entry(bench)->station, (const uint8_t[]){ 2, 2, 0, 0, 0, 0 }, 6);
		bench_entry(bench)->role = HBD_ROLE_PRIMARY;
		bench->word.lease_us = 450000;
		bench_meet(bench);
		bench_event(bench, (struct hbd_event){
			.type = HBD_EVENT_STATION, .station = { 2, 1 },
		});
		bench_let(bench, 2 * S);
		bench->talks = false;
		/* every question is answered */
		for (unsigned asked = 0; bench->now_ns < 1004 * S; bench_let(bench, MS / 4)) {
			struct hbd_event answer = { .type = HBD_EVENT_ANSWER };

			memcpy(answer.station, rows[i].station, HBD_STATION_BYTES);
			if (bench->counts[HBD_ACTION_ASK] > asked)
				bench_event(bench, answer);
			asked = bench->counts[HBD_ACTION_ASK];
		}
		assert_true(bench->counts[HBD_ACTION_ASK] >= 3);
		if (bench->alerts[HBD_ALERT_CONFLICT] != rows[i].conflicts)
			fail_msg("%s answers: %u conflicts", rows[i].what,
				 bench->alerts[HBD_ALERT_CONFLICT]);
		if ((bench_group(bench)->role == HBD_ROLE_PRIMARY) != rows[i].claims)
			fail_msg("%s answers: %s", rows[i].what,
				 hbd_role_text(bench_group(bench)->role));
		bench_free(bench);
	}
}

static void how_long_a_role_lasts_saturates(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_serve(bench);
	bench_group(bench)->since_ns = -(int64_t)UINT32_MAX * S;
	bench_let(bench, 200 * MS);
	assert_int_equal(bench->said.groups[0].since_s, UINT32_MAX);
	bench_free(bench);
}

/* A peer that is not heard would be told long terms, had this node anything to renew. */
static void a_heartbeat_that_told_of_no_lease_renews_none_for_long(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_entry(bench)->role = HBD_ROLE_PRIMARY;
	bench->word.lease_us = 450000;
	bench_meet(bench);
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_STATION, .station = { 2, 1 } });
	bench->talks = false;
	bench_let(bench, 459 * MS);
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_ANSWER, .station = { 2, 3 } });
	bench_let(bench, 500 * MS);
	/* it hears this node once more, but neither of its claim nor of anything after */
	bench->heard_hb_seq = bench->node.hb_seq;
	bench->deaf = true;
	bench->talks = true;
	bench_entry(bench)->role = HBD_ROLE_SECONDARY;
	bench_entry(bench)->flags = HBD_GROUP_GRANTS;
	bench->word.lease_us = 0;
	bench_let(bench, 200 * MS);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	bench_let(bench, 300 * MS);
	assert_int_equal(bench->alerts[HBD_ALERT_RELEASED], 1);
	bench_free(bench);
}

static void a_heartbeat_that_goes_out_late_is_not_followed_by_another_at_once(void **state)
{
	static const int64_t rows_ns[] = { 0, 50 * MS, 89 * MS, 95 * MS, 100 * MS, 350 * MS };
	struct bench *bench = bench_new(0);

	(void)state;
	bench_serve(bench);
	/* each gap is shorter than an interval by chance */
	for (size_t i = 0; i < 20 * sizeof(rows_ns) / sizeof(rows_ns[0]); i++) {
		int64_t late_ns = rows_ns[i / 20];

		bench->now_ns = bench->node.next_send_ns + late_ns;
		bench_say(bench);
		bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_TICK });
		if (bench->node.next_send_ns <= bench->now_ns)
			fail_msg("late by %d ms: the next is due already", (int)(late_ns / MS));
	}
	bench_free(bench);
}

static int begin_all(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

/* Segments of the peer's connections would meet its resets. */
static void who_takes_a_group_over_is_ready_when_it_hands_on(void **state)
{
	static const struct {
		const char *what;
		uint8_t fence;
		int64_t drain_ns;
		bool forwards;
	} rows[] = {
		{ "the peer goes on", HBD_FENCE_KERNEL, S, true },
		{ "it cannot be silent", HBD_FENCE_LIFETIME, S, false },
		{ "nothing is to drain", HBD_FENCE_KERNEL, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(1);
		struct hbd_handover *handover = &bench_group(bench)->handover;

		bench->config.groups[0].drain_ns = rows[i].drain_ns;
		bench->word.fence = rows[i].fence;
		bench->word.lease_us = 450000;
		bench_entry(bench)->role = HBD_ROLE_PRIMARY;
		bench_entry(bench)->epoch = 2;
		bench_meet(bench);
		bench->hangs = true;
		bench_entry(bench)->flags |= HBD_GROUP_OFFERED;
		bench_let(bench, S);
		if (bench->counts[HBD_ACTION_FORWARD] != rows[i].forwards ||
		    handover->state != (rows[i].forwards ? HBD_HANDOVER_PREPARING :
							   HBD_HANDOVER_READY))
			fail_msg("%s: it is %d", rows[i].what, (int)handover->state);
		/* however it ended */
		bench_event(bench, (struct hbd_event){
			.type = HBD_EVENT_DONE,
			.done = { .id = handover->forward_id, .result = -EPERM },
		});
		assert_int_equal(handover->state, HBD_HANDOVER_READY);
		bench_free(bench);
	}
}

/* Neighbors' caches may still be confirmed by the loser until it has let go. */
static void the_winner_of_two_owners_announces_at_sight_and_once_the_loser_has_let_go(void **state)
{
	struct bench *bench = bench_new(0);
	unsigned announced;

	(void)state;
	bench_serve(bench);
	announced = bench->counts[HBD_ACTION_ANNOUNCE];
	bench_entry(bench)->role = HBD_ROLE_PRIMARY;
	bench_let(bench, 200 * MS);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	assert_int_equal(bench->counts[HBD_ACTION_ANNOUNCE], announced + 1);
	bench_entry(bench)->role = HBD_ROLE_SECONDARY;
	bench_let(bench, 200 * MS);
	assert_int_equal(bench->counts[HBD_ACTION_ANNOUNCE], announced + 2);
	bench_free(bench);
}

/* A lost packet or two must not look like the end of the peer. */
static void a_silent_peer_is_asked_before_it_counts_as_gone(void **state)
{
	struct bench *bench = bench_new(1);
	const struct hbd_profile *profile = &bench->config.profile;
	unsigned sent;
	int64_t heard_ns;

	(void)state;
	bench_entry(bench)->role = HBD_ROLE_PRIMARY;
	bench_entry(bench)->epoch = 8;
	bench->word.lease_us = 450000;
	bench_meet(bench);
	bench_say(bench);
	heard_ns = bench->now_ns;
	bench->talks = false;
	bench_let(bench, heard_ns + profile->suspect_ns - MS - bench->now_ns);
	sent = bench->counts[HBD_ACTION_SEND];
	bench_let(bench, heard_ns + profile->grant_ns - MS - bench->now_ns);
	/* besides two or three heartbeats */
	assert_true(bench->counts[HBD_ACTION_SEND] - sent >= 4 + 2);
	bench_free(bench);
}

static void a_question_of_the_peer_is_answered_at_once(void **state)
{
	uint8_t bytes[HBD_PACKET_BYTES_MAX];
	struct bench *bench = bench_new(0);
	struct hbd_heartbeat word;
	unsigned sent;
	size_t length;

	(void)state;
	bench_serve(bench);
	bench_say(bench);
	sent = bench->counts[HBD_ACTION_SEND];
	word = bench->word;
	word.hb_seq = ++bench->peer_hb_seq;
	word.granted_hb_seq = bench->heard_hb_seq;
	word.tx_time_us = (uint64_t)(bench->now_ns / HBD_US_NS);
	length = hbd_session_heartbeat(&bench->peer, 0, HBD_FLAG_PROBE, &word, bytes);
	bench_packet(bench, bytes, length);
	assert_int_equal(bench->counts[HBD_ACTION_SEND], sent + 1);
	bench_free(bench);
}

/* READY may be its answer to an offer that was given up since. */
static void what_a_peer_says_that_has_not_heard_of_an_offer_is_no_answer_to_it(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_serve(bench);
	bench->deaf = true;
	bench_entry(bench)->flags |= HBD_GROUP_READY;
	bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_SWITCHOVER });
	bench_let(bench, 200 * MS);
	assert_int_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	assert_int_equal(bench_group(bench)->handover.state, HBD_HANDOVER_OFFERED);
	bench->deaf = false;
	bench_let(bench, 150 * MS);
	assert_int_not_equal(bench_group(bench)->role, HBD_ROLE_PRIMARY);
	bench_free(bench);
}

/* Time passes until it claims; how many questions it asked in the last milliseconds before. */
static unsigned asked_before_claim(struct bench *bench, int64_t last_ns)
{
	unsigned asked[10] = { 0 };
	int steps = (int)(last_ns / (MS / 2));

	assert_true(steps < 10);
	for (int i = 0; !hbd_role_owns(bench_group(bench)->role); i++) {
		asked[i % steps] = bench->counts[HBD_ACTION_ASK];
		if (i > 40000)
			fail_msg("it does not claim");
		bench_let(bench, MS / 2);
	}

	unsigned least = bench->counts[HBD_ACTION_ASK];

	for (int i = 0; i < steps; i++)
		least = asked[i] < least ? asked[i] : least;
	return bench->counts[HBD_ACTION_ASK] - least;
}

/* An answer tells of the instant of its question: who slept then may be awake, with a lease. */
static void the_questions_that_count_are_asked_right_before_a_claim(void **state)
{
	static const uint8_t station[HBD_STATION_BYTES] = { 2, 0, 0, 0, 0, 7 };
	static const bool held_back[] = { false, true };

	(void)state;
	for (size_t i = 0; i < sizeof(held_back) / sizeof(held_back[0]); i++) {
		struct bench *bench = bench_new(1);

		bench_entry(bench)->role = HBD_ROLE_PRIMARY;
		bench_entry(bench)->epoch = 8;
		memcpy(bench_entry(bench)->station, station, sizeof(station));
		bench->word.lease_us = 450000;
		bench->word.fence = HBD_FENCE_KERNEL;
		bench_meet(bench);
		bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_STATION,
						       .station = { 2, 0, 0, 0, 0, 8 } });
		bench_say(bench);
		bench->talks = false;
		if (held_back[i])
			memcpy(bench->stranger, station, sizeof(station));
		bench_let(bench, held_back[i] ? 3 * S : 100 * MS);
		assert_false(hbd_role_owns(bench_group(bench)->role));
		memset(bench->stranger, 0, sizeof(bench->stranger));
		assert_true(asked_before_claim(bench, 3 * MS) >= 3);
		bench_free(bench);
	}
}

/* It may have taken back what it handed over to a node that it did not hear. */
static void what_was_handed_over_to_a_sleeper_is_not_claimed_on_an_old_word(void **state)
{
	static const struct {
		int64_t late_ns;
		bool claims;
	} rows[] = {
		{ 100 * MS, true },	/* too short for that */
		{ 300 * MS, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(1);

		bench_entry(bench)->role = HBD_ROLE_PRIMARY;
		bench_entry(bench)->epoch = 8;
		bench->word.lease_us = 450000;
		bench_meet(bench);
		bench_entry(bench)->role = HBD_ROLE_SECONDARY;
		bench_entry(bench)->flags |= HBD_GROUP_RESIGNED;
		bench_say(bench);
		bench->now_ns += rows[i].late_ns;
		bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_STALLED,
						       .stalled.late_ns = rows[i].late_ns });
		bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_TICK });
		assert_int_equal(hbd_role_owns(bench_group(bench)->role), rows[i].claims);
		/* it has not, says its next word */
		bench_say(bench);
		bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_TICK });
		assert_true(hbd_role_owns(bench_group(bench)->role));
		bench_free(bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_handed_over_to_a_sleeper_is_not_claimed_on_an_old_word),
		cmocka_unit_test(
			the_winner_of_two_owners_announces_at_sight_and_once_the_loser_has_let_go),
		cmocka_unit_test(a_silent_peer_is_asked_before_it_counts_as_gone),
		cmocka_unit_test(a_question_of_the_peer_is_answered_at_once),
		cmocka_unit_test(
			what_a_peer_says_that_has_not_heard_of_an_offer_is_no_answer_to_it),
		cmocka_unit_test(the_questions_that_count_are_asked_right_before_a_claim),
		cmocka_unit_test(who_has_no_socket_takes_nothing_over_for_silence),
		cmocka_unit_test(who_takes_a_group_over_is_ready_when_it_hands_on),
		cmocka_unit_test(who_has_sockets_without_carrier_takes_over),
		cmocka_unit_test(a_link_that_stays_down_is_told_and_so_is_its_return),
		cmocka_unit_test(
			who_deletes_an_address_again_and_again_is_told_about_once_a_minute),
		cmocka_unit_test(who_does_not_take_what_it_was_handed_gets_its_time),
		cmocka_unit_test(a_stall_is_no_part_of_that_time),
		cmocka_unit_test(nor_is_the_time_until_the_addresses_are_gone),
		cmocka_unit_test(
			nothing_is_taken_back_until_the_peer_knows_that_it_may_not_take_it),
		cmocka_unit_test(a_program_nobody_reports_about_has_failed),
		cmocka_unit_test(a_refusal_of_the_kernel_is_forgiven_when_it_is_time_to_try_again),
		cmocka_unit_test(a_report_that_nobody_waits_for_changes_nothing),
		cmocka_unit_test(another_protocol_is_told_once),
		cmocka_unit_test(an_opened_packet_that_cannot_have_come_is_dropped),
		cmocka_unit_test(an_absurd_clock_of_the_peer_is_no_standstill),
		cmocka_unit_test(a_peer_that_knows_more_than_was_sent_ends_this_process),
		cmocka_unit_test(two_owners_are_told_once_both_have_a_lease),
		cmocka_unit_test(an_answer_counts_by_whose_it_is),
		cmocka_unit_test(how_long_a_role_lasts_saturates),
		cmocka_unit_test(a_heartbeat_that_told_of_no_lease_renews_none_for_long),
		cmocka_unit_test(a_heartbeat_that_goes_out_late_is_not_followed_by_another_at_once),
	};

	return cmocka_run_group_tests_name("node events", tests, begin_all, NULL);
}
