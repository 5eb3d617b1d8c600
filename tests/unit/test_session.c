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
	assert_int_equal(received.verdict.receipt, HBD_RECEIPT_HELLO);
	packets[1].length = hbd_session_answer(&pair->sessions[1], 0, &received, 1,
					       packets[1].bytes);
	assert_int_equal(deliver(pair, 0, &packets[1]).verdict.receipt, HBD_RECEIPT_ACK);
	packets[2].length = hbd_session_confirm(&pair->sessions[0], 0, packets[2].bytes);
	received = deliver(pair, 1, &packets[2]);
	assert_int_equal(received.verdict.receipt, HBD_RECEIPT_CONFIRM);
	assert_true(received.verdict.proven);
	packets[3] = heartbeat(pair, 1);
	received = deliver(pair, 0, &packets[3]);
	assert_int_equal(received.verdict.receipt, HBD_RECEIPT_HEARTBEAT);
	assert_true(received.verdict.proven && received.verdict.new_process);
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
	assert_int_equal(deliver(&pair, 1, &there).verdict.receipt, HBD_RECEIPT_HEARTBEAT);
	assert_int_equal(deliver(&pair, 0, &back).verdict.receipt, HBD_RECEIPT_HEARTBEAT);
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
		assert_int_equal(deliver(&pair, 1, &bad).verdict.receipt, HBD_RECEIPT_DROPPED);
	}
	assert_int_equal(deliver(&pair, 1, &good).verdict.receipt, HBD_RECEIPT_HEARTBEAT);
}

static void give_key(struct pair *pair, uint8_t node, uint8_t id)
{
	pair->keys[node][1].id = id;
	memset(pair->keys[node][1].bytes, 0x88, HBD_KEY_BYTES);
	pair->sessions[node].key_count = 2;
}

/* True if an attempt of node 0 at a newer key got an answer that it wants. */
static bool renew(struct pair *pair)
{
	struct hbd_received received;
	struct datagram packet;

	/* every other one is sealed by the key that both have */
	do {
		hbd_session_begin_renewal(&pair->sessions[0]);
	} while (pair->sessions[0].hello_key != 0);
	packet = offer(pair, 0);
	received = deliver(pair, 1, &packet);
	assert_int_equal(received.verdict.receipt, HBD_RECEIPT_HELLO);
	packet.length = hbd_session_answer(&pair->sessions[1], 0, &received, 1, packet.bytes);
	return deliver(pair, 0, &packet).verdict.receipt == HBD_RECEIPT_ACK;
}

static void a_newer_key_takes_over_once_both_hold_it(void **state)
{
	PAIR(pair, packets);
	struct datagram packet;

	(void)state;
	assert_false(hbd_session_wants_renewal(&pair.sessions[0]));
	give_key(&pair, 0, 2);
	assert_true(hbd_session_wants_renewal(&pair.sessions[0]));
	/* the peer lacks it: the session goes on under the key that both have */
	assert_false(renew(&pair));
	give_key(&pair, 1, 2);
	assert_false(hbd_session_wants_renewal(&pair.sessions[1]));
	assert_true(renew(&pair));
	packet.length = hbd_session_confirm(&pair.sessions[0], 0, packet.bytes);
	assert_true(deliver(&pair, 1, &packet).verdict.proven);
	/* what is under way from before still passes, both ways */
	packet = heartbeat(&pair, 0);
	assert_int_equal(deliver(&pair, 1, &packet).verdict.receipt, HBD_RECEIPT_HEARTBEAT);
	packet = heartbeat(&pair, 1);
	assert_true(deliver(&pair, 0, &packet).verdict.proven);
	assert_int_equal(pair.sessions[0].running.key_id, 2);
	assert_int_equal(pair.sessions[1].running.key_id, 2);
	assert_false(hbd_session_wants_renewal(&pair.sessions[0]));
}

/* Programs of other versions read the handshake of this one, and the other way round. */
static void two_programs_speak_the_highest_version_that_both_know(void **state)
{
	static const struct {
		uint8_t max[HBD_NODES], spoken;
	} rows[] = { { { 1, 1 }, 1 }, { { 2, 1 }, 1 }, { { 1, 2 }, 1 }, { { 2, 2 }, 2 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pair pair = new_pair();
		struct datagram packets[4];

		for (uint8_t node = 0; node < HBD_NODES; node++) {
			start(&pair, node, (uint8_t)(10 + node));
			pair.sessions[node].version_max = rows[i].max[node];
		}
		shake_hands(&pair, packets);
		for (uint8_t node = 0; node < HBD_NODES; node++)
			assert_int_equal(pair.sessions[node].running.version, rows[i].spoken);
		assert_int_equal(packets[3].bytes[4] >> 4, rows[i].spoken);
	}
}

static void a_later_version_takes_over_once_both_speak_it(void **state)
{
	PAIR(pair, packets);
	struct datagram earlier = heartbeat(&pair, 0), packet;

	(void)state;
	assert_false(hbd_session_wants_renewal(&pair.sessions[0]));
	pair.sessions[0].version_max = 2;
	assert_true(hbd_session_wants_renewal(&pair.sessions[0]));
	assert_false(renew(&pair));
	pair.sessions[1].version_max = 2;
	assert_true(renew(&pair));
	packet.length = hbd_session_confirm(&pair.sessions[0], 0, packet.bytes);
	assert_true(deliver(&pair, 1, &packet).verdict.proven);
	packet = heartbeat(&pair, 1);
	assert_true(deliver(&pair, 0, &packet).verdict.proven);
	assert_int_equal(pair.sessions[0].running.version, 2);
	assert_int_equal(pair.sessions[1].running.version, 2);
	assert_false(hbd_session_wants_renewal(&pair.sessions[0]));
	/* what is under way from before still passes */
	assert_int_equal(deliver(&pair, 1, &earlier).verdict.receipt, HBD_RECEIPT_HEARTBEAT);
}

static void a_heartbeat_is_accepted_once(void **state)
{
	PAIR(pair, packets);
	struct datagram good = heartbeat(&pair, 0);

	(void)state;
	assert_int_equal(deliver(&pair, 1, &good).verdict.drop, HBD_DROP_NONE);
	assert_int_equal(deliver(&pair, 1, &good).verdict.drop, HBD_DROP_REPLAY);
}

static void a_reflected_packet_is_refused(void **state)
{
	PAIR(pair, packets);
	struct datagram own = heartbeat(&pair, 0);

	(void)state;
	assert_int_equal(deliver(&pair, 0, &own).verdict.drop, HBD_DROP_REFLECTED);
	/* made to look as if it came from the peer, it fails the seal */
	own.bytes[12] = 1;
	own.bytes[13] = 0;
	memcpy(own.bytes + 24, packets[3].bytes + 24, 8);
	memcpy(own.bytes + 16, packets[3].bytes + 16, 8);
	assert_int_equal(deliver(&pair, 0, &own).verdict.drop, HBD_DROP_SEAL);
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
	assert_int_equal(received.verdict.drop, HBD_DROP_LINK);
	good.bytes[8] ^= 1;
	assert_int_equal(deliver(&pair, 1, &good).verdict.drop, HBD_DROP_CLUSTER);

	strangers.keys[0][0].bytes[0] ^= 1;
	start(&strangers, 0, 30);
	strange = offer(&strangers, 0);
	received = deliver(&pair, 1, &strange);
	assert_int_equal(received.verdict.drop, HBD_DROP_SEAL);
	assert_true(received.verdict.handshake_seal_failed);
	strangers.keys[0][0].id = 9;
	strange = offer(&strangers, 0);
	assert_int_equal(deliver(&pair, 1, &strange).verdict.drop, HBD_DROP_KEY);
}

static void a_recorded_handshake_opens_nothing(void **state)
{
	PAIR(pair, packets);
	struct datagram recorded = heartbeat(&pair, 0);

	(void)state;
	/* node 0 starts anew; its former self's packets are sent again to node 1 */
	start(&pair, 0, 40);
	shake_hands(&pair, (struct datagram[4]){ { 0 } });
	assert_int_equal(deliver(&pair, 1, &packets[0]).verdict.receipt, HBD_RECEIPT_HELLO);
	assert_int_equal(deliver(&pair, 1, &packets[2]).verdict.drop, HBD_DROP_STALE);
	assert_int_equal(deliver(&pair, 1, &recorded).verdict.drop, HBD_DROP_SESSION);
	/* and to node 0 the answers that its former self got */
	assert_int_equal(deliver(&pair, 0, &packets[1]).verdict.drop, HBD_DROP_STALE);
	assert_int_equal(deliver(&pair, 0, &packets[3]).verdict.drop, HBD_DROP_SESSION);
	/* the running session is untouched */
	recorded = heartbeat(&pair, 0);
	assert_int_equal(deliver(&pair, 1, &recorded).verdict.receipt, HBD_RECEIPT_HEARTBEAT);
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
	assert_int_equal(deliver(&pair, 0, &ack).verdict.drop, HBD_DROP_STALE);
}

/* Or copies that waited open a second session, and each node takes another for the last. */
static void a_copy_of_the_offer_that_led_to_the_session_is_not_answered(void **state)
{
	PAIR(pair, packets);
	struct datagram hello;

	(void)state;
	assert_int_equal(deliver(&pair, 1, &packets[0]).verdict.drop, HBD_DROP_STALE);
	hello = offer(&pair, 0);
	assert_int_equal(deliver(&pair, 1, &hello).verdict.receipt, HBD_RECEIPT_HELLO);
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
	assert_true(received.verdict.proven && received.verdict.new_process);
}

static void nothing_is_accepted_after_a_goodbye(void **state)
{
	PAIR(pair, packets);
	struct hbd_heartbeat body = { .hb_seq = UINT64_MAX, .node_state = HBD_NODE_STOPPING };
	struct datagram will, later = heartbeat(&pair, 0);

	(void)state;
	will.length = hbd_session_goodbye(&pair.sessions[0], 0, true, &body, will.bytes);
	assert_int_equal(deliver(&pair, 1, &will).verdict.receipt, HBD_RECEIPT_HEARTBEAT);
	assert_false(hbd_session_is_open(&pair.sessions[1]));
	assert_int_equal(deliver(&pair, 1, &later).verdict.drop, HBD_DROP_SESSION);
	assert_int_equal(deliver(&pair, 1, &will).verdict.drop, HBD_DROP_SESSION);
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
	assert_true(deliver(&pair, 0, &knock).verdict.fresh_offer);
	assert_false(deliver(&pair, 0, &knock).verdict.fresh_offer);
	hbd_session_begin(&pair.sessions[1]);
	knock = offer(&pair, 1);
	assert_true(deliver(&pair, 0, &knock).verdict.fresh_offer);
}

/* A packet of the handshake or after it, and whom it is for. */
enum kind { KNOCK, HELLO, ACK, CONFIRM, HEARTBEAT, GOODBYE };

struct poke {
	uint8_t at, count, value;
};

static struct datagram goodbye(struct pair *pair, uint8_t from)
{
	struct hbd_heartbeat body = { .hb_seq = UINT64_MAX, .node_state = HBD_NODE_STOPPING };
	struct datagram datagram;

	datagram.length = hbd_session_goodbye(&pair->sessions[from], 0, false, &body,
					      datagram.bytes);
	return datagram;
}

/* The packet of that kind, and the seal that it is sealed with, at the moment when it is due. */
static struct datagram due(struct pair *pair, enum kind kind, struct hbd_seal *ret_seal)
{
	struct datagram packets[4];
	struct hbd_received received;

	hbd_seal_handshake(&pair->keys[0][0], CLUSTER, kind == KNOCK || kind == ACK, ret_seal);
	if (kind == KNOCK)
		return offer(pair, 1);
	if (kind == HELLO)
		return offer(pair, 0);
	if (kind == HEARTBEAT || kind == GOODBYE) {
		shake_hands(pair, packets);
		*ret_seal = pair->sessions[0].running.tx;
		return kind == HEARTBEAT ? heartbeat(pair, 0) : goodbye(pair, 0);
	}
	packets[HELLO] = offer(pair, 0);
	received = deliver(pair, 1, &packets[HELLO]);
	packets[ACK].length = hbd_session_answer(&pair->sessions[1], 0, &received, 1,
						 packets[ACK].bytes);
	if (kind == ACK)
		return packets[ACK];
	deliver(pair, 0, &packets[ACK]);
	packets[CONFIRM].length = hbd_session_confirm(&pair->sessions[0], 0,
						      packets[CONFIRM].bytes);
	*ret_seal = pair->sessions[0].next.tx;
	return packets[CONFIRM];
}

/* Changed, and sealed again as only a holder of the key can. */
static struct datagram forged(struct pair *pair, enum kind kind, const struct poke pokes[2])
{
	struct hbd_seal seal;
	struct datagram datagram = due(pair, kind, &seal);

	for (int i = 0; i < 2; i++)
		memset(datagram.bytes + pokes[i].at, pokes[i].value, pokes[i].count);
	/* a handshake packet is sealed for its direction, which may be what was changed */
	if (kind <= ACK && datagram.bytes[12] < HBD_NODES)
		hbd_seal_handshake(&pair->keys[0][0], CLUSTER, datagram.bytes[12], &seal);
	hbd_seal_close(&seal, datagram.bytes, datagram.length - HBD_TAG_BYTES);
	return datagram;
}

/* Offsets in a datagram (PROTOCOL.md 2 and 3). */
#define HEADER_VERSION 4
#define TYPE 5
#define KEY_ID 6
#define SOURCE 12
#define DESTINATION 13
#define LINK 14
#define SENDER 16
#define RECEIVER 24
#define SEQ 32
#define HB_SEQ 40
#define VERSION_MIN 40
#define VERSION 42
#define KEY_IDS 48
#define NONCE 56
#define RESERVED 96

static const struct forgery {
	const char *what;
	enum kind kind;
	uint8_t to;
	enum hbd_receipt receipt;
	enum hbd_drop drop;
	struct poke pokes[2];
} forgeries[] = {
	{ "a knock", KNOCK, 0, HBD_RECEIPT_KNOCK, 0, { { 0 } } },
	{ "an offer", HELLO, 1, HBD_RECEIPT_HELLO, 0, { { 0 } } },
	{ "an answer", ACK, 0, HBD_RECEIPT_ACK, 0, { { 0 } } },
	{ "a confirmation", CONFIRM, 1, HBD_RECEIPT_CONFIRM, 0, { { 0 } } },
	{ "a heartbeat", HEARTBEAT, 1, HBD_RECEIPT_HEARTBEAT, 0, { { 0 } } },
	{ "a goodbye", GOODBYE, 1, HBD_RECEIPT_HEARTBEAT, 0, { { 0 } } },

	{ "from a third node", HEARTBEAT, 1, HBD_RECEIPT_DROPPED, HBD_DROP_NODE,
	  { { SOURCE, 1, 2 } } },
	{ "to a third node", HEARTBEAT, 1, HBD_RECEIPT_DROPPED, HBD_DROP_NODE,
	  { { DESTINATION, 1, 2 } } },
	{ "on a link that does not exist", HEARTBEAT, 1, HBD_RECEIPT_DROPPED, HBD_DROP_NODE,
	  { { LINK, 1, 2 } } },
	{ "of no type", HEARTBEAT, 1, HBD_RECEIPT_DROPPED, HBD_DROP_TYPE, { { TYPE, 1, 0 } } },

	{ "node 1 offers", HELLO, 0, HBD_RECEIPT_DROPPED, HBD_DROP_STALE,
	  { { SOURCE, 1, 1 }, { DESTINATION, 1, 0 } } },
	{ "node 0 knocks", KNOCK, 1, HBD_RECEIPT_DROPPED, HBD_DROP_STALE,
	  { { SOURCE, 1, 0 }, { DESTINATION, 1, 1 } } },
	{ "node 0 answers", ACK, 1, HBD_RECEIPT_DROPPED, HBD_DROP_STALE,
	  { { SOURCE, 1, 0 }, { DESTINATION, 1, 1 } } },
	{ "node 1 confirms", CONFIRM, 0, HBD_RECEIPT_DROPPED, HBD_DROP_STALE,
	  { { SOURCE, 1, 1 }, { DESTINATION, 1, 0 } } },

	{ "an offer of later versions only", HELLO, 1, HBD_RECEIPT_VERSION, 0,
	  { { VERSION_MIN, 2, 2 } } },
	{ "a knock of later versions only", KNOCK, 0, HBD_RECEIPT_VERSION, 0,
	  { { VERSION_MIN, 2, 2 } } },
	{ "an offer of an unknown key", HELLO, 1, HBD_RECEIPT_DROPPED, HBD_DROP_KEY,
	  { { KEY_IDS, 1, 9 } } },
	{ "an offer without a session", HELLO, 1, HBD_RECEIPT_DROPPED, HBD_DROP_BODY,
	  { { SENDER, 8, 0 } } },
	{ "a malformed offer", HELLO, 1, HBD_RECEIPT_DROPPED, HBD_DROP_BODY,
	  { { RESERVED, 1, 1 } } },

	{ "an answer for another process", ACK, 0, HBD_RECEIPT_DROPPED, HBD_DROP_STALE,
	  { { RECEIVER, 8, 0x55 } } },
	{ "an answer to another offer", ACK, 0, HBD_RECEIPT_DROPPED, HBD_DROP_STALE,
	  { { NONCE, 16, 0x55 } } },
	{ "an answer that chose no version", ACK, 0, HBD_RECEIPT_DROPPED, HBD_DROP_BODY,
	  { { VERSION, 1, 0 } } },
	{ "an answer that chose a later version", ACK, 0, HBD_RECEIPT_DROPPED, HBD_DROP_BODY,
	  { { VERSION, 1, 2 } } },

	{ "a confirmation for another process", CONFIRM, 1, HBD_RECEIPT_DROPPED, HBD_DROP_STALE,
	  { { RECEIVER, 8, 0x55 } } },
	{ "a confirmation under an unknown key", CONFIRM, 1, HBD_RECEIPT_DROPPED, HBD_DROP_KEY,
	  { { KEY_ID, 1, 9 } } },
	{ "a malformed confirmation", CONFIRM, 1, HBD_RECEIPT_DROPPED, HBD_DROP_BODY,
	  { { RESERVED, 1, 1 } } },
	{ "a confirmation of what was not answered", CONFIRM, 1, HBD_RECEIPT_DROPPED,
	  HBD_DROP_STALE, { { NONCE, 16, 0x55 } } },
	{ "a confirmation of a version that was not chosen", CONFIRM, 1, HBD_RECEIPT_DROPPED,
	  HBD_DROP_SEAL, { { VERSION, 1, 2 } } },

	{ "a heartbeat for another process", HEARTBEAT, 1, HBD_RECEIPT_DROPPED, HBD_DROP_SESSION,
	  { { RECEIVER, 8, 0x55 } } },
	{ "a heartbeat of another process", HEARTBEAT, 1, HBD_RECEIPT_DROPPED, HBD_DROP_SESSION,
	  { { SENDER, 8, 0x55 } } },
	{ "a heartbeat with the last number", HEARTBEAT, 1, HBD_RECEIPT_DROPPED, HBD_DROP_BODY,
	  { { SEQ, 8, 0xff } } },
	{ "a goodbye with any other", GOODBYE, 1, HBD_RECEIPT_DROPPED, HBD_DROP_BODY,
	  { { SEQ, 8, 1 } } },
	{ "a heartbeat of another version than the session's", HEARTBEAT, 1, HBD_RECEIPT_DROPPED,
	  HBD_DROP_VERSION, { { HEADER_VERSION, 1, 0x20 } } },
	{ "an offer with another version of the handshake", HELLO, 1, HBD_RECEIPT_DROPPED,
	  HBD_DROP_VERSION, { { HEADER_VERSION, 1, 0x20 } } },
	{ "a malformed heartbeat", HEARTBEAT, 1, HBD_RECEIPT_DROPPED, HBD_DROP_BODY,
	  { { HB_SEQ, 8, 0 } } },
};

static void what_a_holder_of_the_key_makes_up_is_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++) {
		const struct forgery *row = &forgeries[i];
		struct pair pair = new_pair();
		struct datagram datagram;
		struct hbd_verdict verdict;
		uint64_t established;

		start(&pair, 0, 10);
		start(&pair, 1, 20);
		datagram = forged(&pair, row->kind, row->pokes);
		established = pair.sessions[row->to].established;
		verdict = deliver(&pair, row->to, &datagram).verdict;
		if (verdict.receipt != row->receipt || verdict.drop != row->drop)
			fail_msg("%s: receipt %d, %s", row->what, (int)verdict.receipt,
				 hbd_drop_text(verdict.drop));
		if (verdict.proven != (row->receipt == HBD_RECEIPT_CONFIRM))
			fail_msg("%s: proves a session, or should", row->what);
		assert_int_equal(pair.sessions[row->to].established, established + verdict.proven);
	}
}

/* One key only is sealed with, and all are offered: in which order they stand does not matter. */
static void the_order_of_keys_does_not_matter(void **state)
{
	struct pair pair = new_pair();
	struct datagram packets[4];

	(void)state;
	for (int node = 0; node < HBD_NODES; node++) {
		pair.keys[node][node] = (struct hbd_key){ .id = 2 };
		pair.keys[node][1 - node] = (struct hbd_key){ .id = 1 };
		memset(pair.seeds[node], node + 1, HBD_SEED_BYTES);
		hbd_session_init(&pair.sessions[node], (uint8_t)node, 2, CLUSTER, pair.keys[node],
				 2, pair.seeds[node]);
	}
	shake_hands(&pair, packets);
	assert_int_equal(pair.sessions[0].running.key_id, 2);
	assert_int_equal(pair.sessions[1].running.key_id, 2);
}

/* Of a recording that somebody edited, or that another program wrote. */
static void what_cannot_have_been_received_is_not_adopted(void **state)
{
	static const struct {
		const char *what;
		uint8_t self;
		enum hbd_receipt receipt;
		uint8_t key_id, version_min;
		bool proven, adopted;
	} rows[] = {
		{ "an answer", 0, HBD_RECEIPT_ACK, 1, 1, false, true },
		{ "an answer under an unknown key", 0, HBD_RECEIPT_ACK, 9, 1, false, false },
		{ "an answer to who offers nothing", 1, HBD_RECEIPT_ACK, 1, 1, false, false },
		{ "a confirmation", 1, HBD_RECEIPT_CONFIRM, 1, 1, true, true },
		{ "a confirmation under an unknown key", 1, HBD_RECEIPT_CONFIRM, 9, 1, true, false },
		{ "a confirmation of what node 1 said", 0, HBD_RECEIPT_CONFIRM, 1, 1, true, false },
		{ "an offer", 1, HBD_RECEIPT_HELLO, 1, 1, false, true },
		{ "an offer of node 1", 0, HBD_RECEIPT_HELLO, 1, 1, false, false },
		{ "an offer of later versions", 1, HBD_RECEIPT_HELLO, 1, 2, false, false },
		{ "an offer of an unknown key", 1, HBD_RECEIPT_HELLO, 9, 1, false, false },
		{ "a heartbeat without a session", 1, HBD_RECEIPT_HEARTBEAT, 1, 1, false, false },
		{ "a proof of no session", 0, HBD_RECEIPT_HEARTBEAT, 1, 1, true, false },
		{ "a knock", 0, HBD_RECEIPT_KNOCK, 9, 1, false, true },
		{ "what was dropped", 0, HBD_RECEIPT_DROPPED, 9, 1, false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pair pair = new_pair();
		struct hbd_session before;
		struct hbd_received received = {
			.verdict = { .receipt = rows[i].receipt, .proven = rows[i].proven },
			.header = { .type = HBD_PACKET_HEARTBEAT, .key_id = rows[i].key_id },
			.hello = { .version_min = rows[i].version_min,
				   .version_max = rows[i].version_min, .version = 1,
				   .key_count = 1, .key_ids = { rows[i].key_id } },
		};

		start(&pair, rows[i].self, 10);
		before = pair.sessions[rows[i].self];
		if (hbd_session_adopt(&pair.sessions[rows[i].self], &received) != rows[i].adopted)
			fail_msg("%s: adopted, or not", rows[i].what);
		if (!rows[i].adopted)
			assert_memory_equal(&pair.sessions[rows[i].self], &before, sizeof(before));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heartbeats_pass_both_ways_after_the_handshake),
		cmocka_unit_test(every_flipped_bit_breaks_the_seal_or_the_header),
		cmocka_unit_test(a_newer_key_takes_over_once_both_hold_it),
		cmocka_unit_test(two_programs_speak_the_highest_version_that_both_know),
		cmocka_unit_test(a_later_version_takes_over_once_both_speak_it),
		cmocka_unit_test(a_heartbeat_is_accepted_once),
		cmocka_unit_test(a_reflected_packet_is_refused),
		cmocka_unit_test(another_cluster_link_or_key_is_refused),
		cmocka_unit_test(a_recorded_handshake_opens_nothing),
		cmocka_unit_test(an_answer_to_an_earlier_attempt_is_stale),
		cmocka_unit_test(a_copy_of_the_offer_that_led_to_the_session_is_not_answered),
		cmocka_unit_test(a_new_process_is_told_from_the_same_one),
		cmocka_unit_test(nothing_is_accepted_after_a_goodbye),
		cmocka_unit_test(both_choose_the_highest_common_key),
		cmocka_unit_test(an_offer_is_fresh_once),
		cmocka_unit_test(what_a_holder_of_the_key_makes_up_is_judged),
		cmocka_unit_test(the_order_of_keys_does_not_matter),
		cmocka_unit_test(what_cannot_have_been_received_is_not_adopted),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
