/* The handshake and what an attacker can send: two real sessions and the bytes between them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

#include "../../hbd/core/role.h"
#include "../../hbd/core/session.h"

#define CLUSTER 0xc1

struct datagram {
	size_t length;
	uint8_t bytes[HBD_PACKET_BYTES_MAX];
};

struct pair {
	struct hbd_key keys[HBD_NODES][2];
	uint8_t seeds[HBD_NODES][HBD_SEED_BYTES];
	struct hbd_session sessions[HBD_NODES];
};

static void start(struct pair *pair, uint8_t node, uint8_t seed)
{
	memset(pair->seeds[node], seed, HBD_SEED_BYTES);
	hbd_session_init(&pair->sessions[node], node, 2, CLUSTER, pair->keys[node], 1,
			 pair->seeds[node]);
}

static struct pair new_pair(void)
{
	struct pair pair;

	memset(&pair, 0, sizeof(pair));
	for (int node = 0; node < HBD_NODES; node++) {
		pair.keys[node][0].id = 1;
		memset(pair.keys[node][0].bytes, 0x77, HBD_KEY_BYTES);
	}
	return pair;
}

static struct hbd_received deliver(struct pair *pair, uint8_t to, const struct datagram *datagram)
{
	struct hbd_received received;

	hbd_session_receive(&pair->sessions[to], 0, datagram->bytes, datagram->length, &received);
	return received;
}

static struct datagram offer(struct pair *pair, uint8_t from)
{
	struct datagram datagram;

	datagram.length = hbd_session_offer(&pair->sessions[from], 0, 1, datagram.bytes);
	return datagram;
}

static struct datagram heartbeat(struct pair *pair, uint8_t from)
{
	struct hbd_heartbeat body = { .hb_seq = 1, .node_state = HBD_NODE_RUNNING };
	struct datagram datagram;

	datagram.length = hbd_session_heartbeat(&pair->sessions[from], 0, 0, &body,
						datagram.bytes);
	return datagram;
}

/* Runs the handshake; the packets are kept for replays. */
static void shake_hands(struct pair *pair, struct datagram packets[4])
{
	struct hbd_received received;

	packets[0] = offer(pair, 0);
	received = deliver(pair, 1, &packets[0]);
	assert_int_equal(received.receipt, HBD_RECEIPT_HELLO);
	packets[1].length = hbd_session_answer(&pair->sessions[1], 0, &received, 1,
					       packets[1].bytes);
	assert_int_equal(deliver(pair, 0, &packets[1]).receipt, HBD_RECEIPT_ACK);
	packets[2].length = hbd_session_confirm(&pair->sessions[0], 0, packets[2].bytes);
	received = deliver(pair, 1, &packets[2]);
	assert_int_equal(received.receipt, HBD_RECEIPT_CONFIRM);
	assert_true(received.proven);
	packets[3] = heartbeat(pair, 1);
	received = deliver(pair, 0, &packets[3]);
	assert_int_equal(received.receipt, HBD_RECEIPT_HEARTBEAT);
	assert_true(received.proven && received.new_process);
}

/* Declares a pair that has shaken hands; in place, because sessions point to keys and seeds. */
#define PAIR(name, packets)                    \
	struct datagram packets[4];            \
	struct pair name = new_pair();         \
	start(&name, 0, 10);                   \
	start(&name, 1, 20);                   \
	shake_hands(&name, packets)

static void heartbeats_pass_both_ways_after_the_handshake(void **state)
{
	PAIR(pair, packets);
	struct datagram there = heartbeat(&pair, 0), back = heartbeat(&pair, 1);

	(void)state;
	assert_int_equal(deliver(&pair, 1, &there).receipt, HBD_RECEIPT_HEARTBEAT);
	assert_int_equal(deliver(&pair, 0, &back).receipt, HBD_RECEIPT_HEARTBEAT);
	assert_true(hbd_session_is_open(&pair.sessions[0]));
	assert_true(hbd_session_is_open(&pair.sessions[1]));
}

static void every_flipped_bit_breaks_the_seal_or_the_header(void **state)
{
	PAIR(pair, packets);
	struct datagram good = heartbeat(&pair, 0);

	(void)state;
	for (size_t bit = 0; bit < good.length * 8; bit++) {
		struct datagram bad = good;

		bad.bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_int_equal(deliver(&pair, 1, &bad).receipt, HBD_RECEIPT_DROPPED);
	}
	assert_int_equal(deliver(&pair, 1, &good).receipt, HBD_RECEIPT_HEARTBEAT);
}

static void a_heartbeat_is_accepted_once(void **state)
{
	PAIR(pair, packets);
	struct datagram good = heartbeat(&pair, 0);

	(void)state;
	assert_int_equal(deliver(&pair, 1, &good).drop, HBD_DROP_NONE);
	assert_int_equal(deliver(&pair, 1, &good).drop, HBD_DROP_REPLAY);
}

static void a_reflected_packet_is_refused(void **state)
{
	PAIR(pair, packets);
	struct datagram own = heartbeat(&pair, 0);

	(void)state;
	assert_int_equal(deliver(&pair, 0, &own).drop, HBD_DROP_REFLECTED);
	/* made to look as if it came from the peer, it fails the seal */
	own.bytes[12] = 1;
	own.bytes[13] = 0;
	memcpy(own.bytes + 24, packets[3].bytes + 24, 8);
	memcpy(own.bytes + 16, packets[3].bytes + 16, 8);
	assert_int_equal(deliver(&pair, 0, &own).drop, HBD_DROP_SEAL);
}

static void another_cluster_link_or_key_is_refused(void **state)
{
	PAIR(pair, packets);
	struct datagram good = heartbeat(&pair, 0);
	struct hbd_received received;
	struct pair strangers = new_pair();
	struct datagram strange;

	(void)state;
	hbd_session_receive(&pair.sessions[1], 1, good.bytes, good.length, &received);
	assert_int_equal(received.drop, HBD_DROP_LINK);
	good.bytes[8] ^= 1;
	assert_int_equal(deliver(&pair, 1, &good).drop, HBD_DROP_CLUSTER);

	strangers.keys[0][0].bytes[0] ^= 1;
	start(&strangers, 0, 30);
	strange = offer(&strangers, 0);
	received = deliver(&pair, 1, &strange);
	assert_int_equal(received.drop, HBD_DROP_SEAL);
	assert_true(received.handshake_seal_failed);
	strangers.keys[0][0].id = 9;
	strange = offer(&strangers, 0);
	assert_int_equal(deliver(&pair, 1, &strange).drop, HBD_DROP_KEY);
}

static void a_recorded_handshake_opens_nothing(void **state)
{
	PAIR(pair, packets);
	struct datagram recorded = heartbeat(&pair, 0);

	(void)state;
	/* node 0 starts anew; its former self's packets are sent again to node 1 */
	start(&pair, 0, 40);
	shake_hands(&pair, (struct datagram[4]){ { 0 } });
	assert_int_equal(deliver(&pair, 1, &packets[0]).receipt, HBD_RECEIPT_HELLO);
	assert_int_equal(deliver(&pair, 1, &packets[2]).drop, HBD_DROP_STALE);
	assert_int_equal(deliver(&pair, 1, &recorded).drop, HBD_DROP_SESSION);
	/* and to node 0 the answers that its former self got */
	assert_int_equal(deliver(&pair, 0, &packets[1]).drop, HBD_DROP_STALE);
	assert_int_equal(deliver(&pair, 0, &packets[3]).drop, HBD_DROP_SESSION);
	/* the running session is untouched */
	recorded = heartbeat(&pair, 0);
	assert_int_equal(deliver(&pair, 1, &recorded).receipt, HBD_RECEIPT_HEARTBEAT);
}

static void an_answer_to_an_earlier_attempt_is_stale(void **state)
{
	struct pair pair = new_pair();
	struct datagram hello, ack;
	struct hbd_received received;

	(void)state;
	start(&pair, 0, 10);
	start(&pair, 1, 20);
	hello = offer(&pair, 0);
	received = deliver(&pair, 1, &hello);
	ack.length = hbd_session_answer(&pair.sessions[1], 0, &received, 1, ack.bytes);
	hbd_session_begin(&pair.sessions[0]);
	assert_int_equal(deliver(&pair, 0, &ack).drop, HBD_DROP_STALE);
}

static void a_new_process_is_told_from_the_same_one(void **state)
{
	PAIR(pair, packets);
	struct datagram again[4];

	(void)state;
	start(&pair, 1, 21);
	again[0] = offer(&pair, 0);

	struct hbd_received received = deliver(&pair, 1, &again[0]);

	again[1].length = hbd_session_answer(&pair.sessions[1], 0, &received, 1, again[1].bytes);
	deliver(&pair, 0, &again[1]);
	/* until the new session is proven the former one stays */
	assert_true(hbd_session_is_open(&pair.sessions[0]));
	again[2].length = hbd_session_confirm(&pair.sessions[0], 0, again[2].bytes);
	deliver(&pair, 1, &again[2]);
	again[3] = heartbeat(&pair, 1);
	received = deliver(&pair, 0, &again[3]);
	assert_true(received.proven && received.new_process);
}

static void nothing_is_accepted_after_a_goodbye(void **state)
{
	PAIR(pair, packets);
	struct hbd_heartbeat body = { .hb_seq = UINT64_MAX, .node_state = HBD_NODE_STOPPING };
	struct datagram will, later = heartbeat(&pair, 0);

	(void)state;
	will.length = hbd_session_goodbye(&pair.sessions[0], 0, true, &body, will.bytes);
	assert_int_equal(deliver(&pair, 1, &will).receipt, HBD_RECEIPT_HEARTBEAT);
	assert_false(hbd_session_is_open(&pair.sessions[1]));
	assert_int_equal(deliver(&pair, 1, &later).drop, HBD_DROP_SESSION);
	assert_int_equal(deliver(&pair, 1, &will).drop, HBD_DROP_SESSION);
}

static void both_choose_the_highest_common_key(void **state)
{
	struct pair pair = new_pair();
	struct datagram packets[4];

	(void)state;
	for (int node = 0; node < HBD_NODES; node++) {
		pair.keys[node][1].id = 2;
		memset(pair.keys[node][1].bytes, 0x88, HBD_KEY_BYTES);
		memset(pair.seeds[node], node + 1, HBD_SEED_BYTES);
		hbd_session_init(&pair.sessions[node], (uint8_t)node, 2, CLUSTER, pair.keys[node],
				 2, pair.seeds[node]);
	}
	shake_hands(&pair, packets);
	assert_int_equal(pair.sessions[0].running.key_id, 2);
	assert_int_equal(pair.sessions[1].running.key_id, 2);
}

static void an_offer_is_fresh_once(void **state)
{
	struct pair pair = new_pair();
	struct datagram knock;

	(void)state;
	start(&pair, 0, 10);
	start(&pair, 1, 20);
	knock = offer(&pair, 1);
	assert_true(deliver(&pair, 0, &knock).fresh_offer);
	assert_false(deliver(&pair, 0, &knock).fresh_offer);
	hbd_session_begin(&pair.sessions[1]);
	knock = offer(&pair, 1);
	assert_true(deliver(&pair, 0, &knock).fresh_offer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heartbeats_pass_both_ways_after_the_handshake),
		cmocka_unit_test(every_flipped_bit_breaks_the_seal_or_the_header),
		cmocka_unit_test(a_heartbeat_is_accepted_once),
		cmocka_unit_test(a_reflected_packet_is_refused),
		cmocka_unit_test(another_cluster_link_or_key_is_refused),
		cmocka_unit_test(a_recorded_handshake_opens_nothing),
		cmocka_unit_test(an_answer_to_an_earlier_attempt_is_stale),
		cmocka_unit_test(a_new_process_is_told_from_the_same_one),
		cmocka_unit_test(nothing_is_accepted_after_a_goodbye),
		cmocka_unit_test(both_choose_the_highest_common_key),
		cmocka_unit_test(an_offer_is_fresh_once),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
