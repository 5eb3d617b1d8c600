/*
 * Two sessions, and somebody between them who knows all keys: he chooses which recorded, mutated or
 * resealed packet is delivered to whom, and kills and restarts the processes.
 *
 * Who holds none of the keys changes nothing; nothing proves a session but a packet under its keys;
 * a packet of the real peer means that the peer has the same keys; no number is accepted twice; and
 * when all is done two processes that are left alone agree.
 *
 * First byte: which pre-shared keys each holds. Then commands of three bytes.
 */
#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "../../hbd/core/session.h"

#define CLUSTER 0xc1
#define LINKS 2
#define KEYS 2
#define RECORDED 32
#define KNOWN_MAX 512
#define ACCEPTED_MAX 512
#define STEPS_MAX 100

enum command {
	OFFER, BEGIN, HEARTBEAT, GOODBYE, RESTART,	/* what a process does by itself */
	LATEST, RECORDING, OWN,				/* deliver: one that was sent, or his own */
	TAKE, POKE, CUT, SEAL,				/* make his own from a recorded one */
	COMMANDS
};

/* A packet that was really sent, and under which keys; without any if it is of the handshake. */
struct recorded {
	size_t length;
	uint8_t bytes[HBD_PACKET_BYTES_MAX];
	uint8_t to, link;
	struct hbd_seal tx, rx;
};

struct accepted {
	struct hbd_seal rx;
	uint8_t link;
	uint64_t seq;
};

struct world {
	struct hbd_key keys[HBD_NODES][KEYS];
	uint8_t key_count[HBD_NODES];
	uint8_t seeds[HBD_NODES][HBD_SEED_BYTES];
	struct hbd_session sessions[HBD_NODES];
	uint8_t lives;
	uint64_t hb_seq;
	struct recorded sent[RECORDED];
	size_t sent_count;		/* ever; slots go round */
	uint8_t own[HBD_PACKET_BYTES_MAX + HBD_TAG_BYTES];
	size_t own_bytes;
	struct hbd_seal known[KNOWN_MAX];	/* all keys there are */
	size_t known_count;
	struct accepted accepted[ACCEPTED_MAX];
	size_t accepted_count;
};

static bool is_same(const struct hbd_seal *a, const struct hbd_seal *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static void know(struct world *world, const struct hbd_seal *seal)
{
	for (size_t i = 0; i < world->known_count; i++)
		if (is_same(&world->known[i], seal))
			return;
	assert(world->known_count < KNOWN_MAX);
	world->known[world->known_count++] = *seal;
}

static void start(struct world *world, uint8_t node)
{
	memset(world->seeds[node], ++world->lives, HBD_SEED_BYTES);
	hbd_session_init(&world->sessions[node], node, LINKS, CLUSTER, world->keys[node],
			 world->key_count[node], world->seeds[node]);
}

/* Both hold both keys, or only the first, the second. */
static void set_keys(struct world *world, uint8_t node, unsigned which)
{
	struct hbd_seal seal;

	for (uint8_t id = 1; id <= KEYS; id++) {
		struct hbd_key *key = &world->keys[node][world->key_count[node]];

		if (which % 4 == id)
			continue;
		key->id = id;
		memset(key->bytes, id, sizeof(key->bytes));
		world->key_count[node]++;
		hbd_seal_handshake(key, CLUSTER, node, &seal);
		know(world, &seal);
	}
}

/* Not hbd_seal_open(): that is what is being tested. */
static bool is_sealed_by(const struct hbd_seal *seal, const uint8_t *bytes, size_t length)
{
	uint8_t copy[HBD_PACKET_BYTES_MAX + HBD_TAG_BYTES];

	if (length < HBD_TAG_BYTES)
		return false;
	memcpy(copy, bytes, length - HBD_TAG_BYTES);
	hbd_seal_close(seal, copy, length - HBD_TAG_BYTES);
	return memcmp(copy, bytes, length) == 0;
}

static bool is_by_a_holder(const struct world *world, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < world->known_count; i++)
		if (is_sealed_by(&world->known[i], bytes, length))
			return true;
	return false;
}

static struct recorded *record(struct world *world, uint8_t from, uint8_t link)
{
	struct recorded *packet = &world->sent[world->sent_count++ % RECORDED];

	memset(packet, 0, sizeof(*packet));
	packet->to = (uint8_t)(1 - from);
	packet->link = link;
	return packet;
}

static void set_keys_of(struct recorded *packet, const struct hbd_channel *channel)
{
	packet->tx = channel->tx;
	packet->rx = channel->rx;
}

static void offer(struct world *world, uint8_t node, uint8_t link)
{
	struct recorded *packet = record(world, node, link);

	packet->length = hbd_session_offer(&world->sessions[node], link, 1, packet->bytes);
}

static void send_state(struct world *world, uint8_t node, uint8_t link, bool goodbye)
{
	const struct hbd_heartbeat heartbeat = {
		.hb_seq = ++world->hb_seq,
		.node_state = HBD_NODE_RUNNING,
	};
	struct hbd_session *session = &world->sessions[node];
	struct recorded *packet;

	if (!hbd_session_is_open(session))
		return;
	packet = record(world, node, link);
	set_keys_of(packet, &session->running);
	packet->length = goodbye ? hbd_session_goodbye(session, link, false, &heartbeat,
						       packet->bytes)
				 : hbd_session_heartbeat(session, link, 0, &heartbeat,
							 packet->bytes);
}

/* What a node sends because of what it received. */
static void react(struct world *world, uint8_t node, uint8_t link,
		  const struct hbd_received *received)
{
	struct hbd_session *session = &world->sessions[node];
	struct recorded *packet;

	if (received->verdict.receipt == HBD_RECEIPT_HELLO) {
		packet = record(world, node, link);
		packet->length = hbd_session_answer(session, link, received, 1, packet->bytes);
	}
	if (received->verdict.receipt == HBD_RECEIPT_ACK && session->next.open) {
		packet = record(world, node, link);
		set_keys_of(packet, &session->next);
		packet->length = hbd_session_confirm(session, link, packet->bytes);
	}
}

/* The real packet that these bytes are; NULL if he made them. */
static const struct recorded *find_real(const struct world *world, const uint8_t *bytes,
					size_t length)
{
	for (size_t i = 0; i < RECORDED; i++)
		if (world->sent[i].length == length && length > 0 &&
		    memcmp(world->sent[i].bytes, bytes, length) == 0)
			return &world->sent[i];
	return NULL;
}

static void check_number(struct world *world, const struct hbd_channel *channel,
			 const struct hbd_header *header)
{
	for (size_t i = 0; i < world->accepted_count; i++) {
		const struct accepted *before = &world->accepted[i];

		assert(!is_same(&before->rx, &channel->rx) || before->link != header->link ||
		       before->seq != header->seq);
	}
	assert(world->accepted_count < ACCEPTED_MAX && header->seq != 0);
	world->accepted[world->accepted_count++] =
		(struct accepted){ channel->rx, header->link, header->seq };
}

/* A packet of the session was taken: it is under the keys of this session, here and there. */
static void check_session_packet(struct world *world, uint8_t to, const uint8_t *bytes,
				 size_t length, const struct hbd_received *received)
{
	const struct hbd_session *session = &world->sessions[to];
	const struct hbd_channel *channel = &session->running;
	const struct recorded *real = find_real(world, bytes, length);

	if (!received->verdict.proven && !is_sealed_by(&channel->rx, bytes, length))
		channel = &session->previous;
	assert(is_sealed_by(&channel->rx, bytes, length));
	assert(channel->peer_session == received->header.sender_session);
	if (real)
		assert(is_same(&real->tx, &channel->rx) && is_same(&real->rx, &channel->tx));
	if (received->verdict.receipt == HBD_RECEIPT_HEARTBEAT)
		check_number(world, channel, &received->header);
}

/* Only what proves a session, or ends it, touches the running one. */
static void check_running(const struct hbd_session *before, const struct hbd_session *after,
			  const struct hbd_received *received)
{
	bool ended = received->verdict.receipt == HBD_RECEIPT_HEARTBEAT &&
		     received->header.type == HBD_PACKET_GOODBYE;

	assert(after->own_session == before->own_session);
	assert(after->established == before->established + received->verdict.proven);
	assert(after->running.closed_by_peer == before->running.closed_by_peer || ended ||
	       received->verdict.proven);
	if (received->verdict.proven) {
		assert(!is_same(&before->running.rx, &after->running.rx));
		assert(memcmp(before->nonce, after->nonce, sizeof(after->nonce)) != 0);
		return;
	}
	/* who said good-bye is not heard again */
	assert(received->verdict.receipt != HBD_RECEIPT_HEARTBEAT || !before->running.closed_by_peer);
	assert(is_same(&before->running.rx, &after->running.rx));
	assert(is_same(&before->running.tx, &after->running.tx));
	assert(before->running.open == after->running.open);
	if (received->verdict.receipt != HBD_RECEIPT_ACK)
		assert(is_same(&before->next.rx, &after->next.rx));
}

static enum hbd_receipt deliver(struct world *world, uint8_t to, uint8_t link,
				const uint8_t *bytes, size_t length)
{
	struct hbd_session *session = &world->sessions[to];
	const struct hbd_session before = *session;
	struct hbd_received received;

	hbd_session_receive(session, link, bytes, length, &received);
	assert(received.verdict.receipt != HBD_RECEIPT_UNSET);
	assert((received.verdict.receipt == HBD_RECEIPT_DROPPED) ==
	       (received.verdict.drop != HBD_DROP_NONE));
	if (session->running.open) {
		know(world, &session->running.tx);
		know(world, &session->running.rx);
	}
	if (session->next.open) {
		know(world, &session->next.tx);
		know(world, &session->next.rx);
	}
	if (!is_by_a_holder(world, bytes, length)) {
		assert(received.verdict.receipt == HBD_RECEIPT_DROPPED);
		assert(memcmp(&before, session, sizeof(before)) == 0);
	}
	check_running(&before, session, &received);
	if (received.verdict.receipt == HBD_RECEIPT_CONFIRM ||
	    received.verdict.receipt == HBD_RECEIPT_HEARTBEAT)
		check_session_packet(world, to, bytes, length, &received);
	else
		assert(!received.verdict.proven);
	react(world, to, link, &received);
	return received.verdict.receipt;
}

static enum hbd_receipt deliver_sent(struct world *world, size_t which)
{
	const struct recorded packet = world->sent[which % RECORDED];

	return deliver(world, packet.to, packet.link, packet.bytes, packet.length);
}

static enum hbd_receipt deliver_latest(struct world *world)
{
	return deliver_sent(world, world->sent_count - 1);
}

/* Only keys that somebody holds: also those of sessions that are over. */
static void seal_own(struct world *world, uint8_t which)
{
	if (world->own_bytes < HBD_TAG_BYTES)
		return;
	hbd_seal_close(&world->known[which % world->known_count], world->own,
		       world->own_bytes - HBD_TAG_BYTES);
}

static void make_own(struct world *world, enum command command, uint8_t a, uint8_t b)
{
	const struct recorded *packet = &world->sent[a % RECORDED];

	if (command == TAKE) {
		memcpy(world->own, packet->bytes, packet->length);
		world->own_bytes = packet->length;
	} else if (command == POKE && world->own_bytes > 0) {
		world->own[a % world->own_bytes] ^= b;
	} else if (command == CUT) {
		world->own_bytes = a < world->own_bytes ? a : world->own_bytes;
	} else if (command == SEAL) {
		seal_own(world, a);
	}
}

static void play(struct world *world, const uint8_t *data)
{
	enum command command = (enum command)(data[0] % COMMANDS);
	uint8_t node = data[1] & 1, link = data[1] >> 1 & 1;

	switch (command) {
	case OFFER:
		offer(world, node, link);
		break;
	case BEGIN:
		hbd_session_begin(&world->sessions[node]);
		break;
	case HEARTBEAT:
	case GOODBYE:
		send_state(world, node, link, command == GOODBYE);
		break;
	case RESTART:
		start(world, node);
		break;
	case LATEST:
		deliver_latest(world);
		break;
	case RECORDING:
		deliver_sent(world, data[2]);
		break;
	case OWN:
		deliver(world, node, link, world->own, world->own_bytes);
		break;
	case TAKE:
	case POKE:
	case CUT:
	case SEAL:
		make_own(world, command, data[1], data[2]);
		break;
	case COMMANDS:
		break;
	}
}

static bool share_a_key(const struct world *world)
{
	for (uint8_t i = 0; i < world->key_count[0]; i++)
		for (uint8_t j = 0; j < world->key_count[1]; j++)
			if (world->keys[0][i].id == world->keys[1][j].id)
				return true;
	return false;
}

static void check_agreement(struct world *world)
{
	const struct hbd_channel *a = &world->sessions[0].running, *b = &world->sessions[1].running;

	assert(hbd_session_is_open(&world->sessions[0]) && hbd_session_is_open(&world->sessions[1]));
	assert(is_same(&a->tx, &b->rx) && is_same(&a->rx, &b->tx) && !is_same(&a->tx, &a->rx));
	assert(a->peer_session == world->sessions[1].own_session);
	assert(b->peer_session == world->sessions[0].own_session);
	for (uint8_t i = 0; i < 2 * HBD_NODES; i++) {
		send_state(world, i & 1, i >> 1, false);
		assert(deliver_latest(world) == HBD_RECEIPT_HEARTBEAT);
		assert(deliver_latest(world) == HBD_RECEIPT_DROPPED);
	}
}

/* Left alone: an offer, once for each key, an answer, a confirmation, and a first heartbeat. */
static void agree(struct world *world)
{
	enum hbd_receipt receipt = HBD_RECEIPT_DROPPED;

	for (uint8_t i = 0; i < KEYS && receipt != HBD_RECEIPT_HELLO; i++) {
		hbd_session_begin(&world->sessions[0]);
		offer(world, 0, 0);
		receipt = deliver_latest(world);
	}
	assert(receipt == HBD_RECEIPT_HELLO);
	assert(deliver_latest(world) == HBD_RECEIPT_ACK);
	assert(deliver_latest(world) == HBD_RECEIPT_CONFIRM);
	send_state(world, 1, 0, false);
	assert(deliver_latest(world) == HBD_RECEIPT_HEARTBEAT);
	check_agreement(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;
	size_t steps = 0;

	if (size < 1)
		return 0;
	assert(sodium_init() >= 0);
	memset(&world, 0, sizeof(world));
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		set_keys(&world, i, data[0] >> 2 * i);
		start(&world, i);
	}
	for (size_t at = 1; at + 3 <= size && steps < STEPS_MAX; at += 3, steps++)
		play(&world, data + at);
	if (share_a_key(&world))
		agree(&world);
	return 0;
}
