#include "session.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "wire.h"

#define OFFERER 0	/* node 0 sends HELLO, node 1 answers */

static uint64_t to_number(const uint8_t bytes[HBD_NONCE_BYTES])
{
	struct wire_reader reader = { .bytes = bytes, .length = HBD_NONCE_BYTES };

	return wire_get_u64(&reader);
}

void hbd_session_init(struct hbd_session *session, uint8_t self, uint8_t link_count,
		      uint32_t cluster_id, const struct hbd_key *keys, uint8_t key_count,
		      const uint8_t seed[HBD_SEED_BYTES])
{
	uint8_t random[HBD_NONCE_BYTES];

	assert(self < HBD_NODES);
	assert(key_count >= 1 && key_count <= HBD_KEYS_MAX);
	*session = (struct hbd_session){
		.self = self,
		.link_count = link_count,
		.key_count = key_count,
		.version_max = HBD_VERSION_MAX,
		.cluster_id = cluster_id,
		.keys = keys,
		.seed = seed,
	};
	hbd_seal_derive(seed, "session", 0, NULL, 0, random);
	/* 0 means "unknown" on the wire; the lowest bit is a small price */
	session->own_session = to_number(random) | 1;
	hbd_session_begin(session);
}

void hbd_session_speak(struct hbd_session *session, uint8_t version_max)
{
	session->version_max = version_max != 0 ? version_max : HBD_VERSION_MAX;
}

bool hbd_session_is_open(const struct hbd_session *session)
{
	return session->running.open && !session->running.closed_by_peer;
}

void hbd_session_begin(struct hbd_session *session)
{
	session->attempts++;
	session->renews = false;
	hbd_seal_derive(session->seed, "nonce", session->attempts, NULL, 0, session->nonce);
	session->hello_key = (uint8_t)((session->hello_key + 1) % session->key_count);
}

bool hbd_session_wants_renewal(const struct hbd_session *session)
{
	if (session->self != OFFERER || !hbd_session_is_open(session))
		return false;
	if (session->version_max > session->running.version)
		return true;
	for (uint8_t i = 0; i < session->key_count; i++)
		if (session->keys[i].id > session->running.key_id)
			return true;
	return false;
}

void hbd_session_begin_renewal(struct hbd_session *session)
{
	hbd_session_begin(session);
	session->renews = true;
}

static const struct hbd_key *find_key(const struct hbd_session *session, uint8_t id)
{
	for (uint8_t i = 0; i < session->key_count; i++)
		if (session->keys[i].id == id)
			return &session->keys[i];
	return NULL;
}

/* The key with the highest id that both hold, so that a rotation moves on by itself; or NULL. */
static const struct hbd_key *common_key(const struct hbd_session *session,
					const struct hbd_hello *hello)
{
	const struct hbd_key *best = NULL;

	for (uint8_t i = 0; i < hello->key_count; i++) {
		const struct hbd_key *key = find_key(session, hello->key_ids[i]);

		if (key != NULL && (best == NULL || key->id > best->id))
			best = key;
	}
	return best;
}

/* The highest major version that both speak, 0 if there is none. */
static uint8_t common_version(const struct hbd_session *session, const struct hbd_hello *hello)
{
	uint8_t highest = hello->version_max < session->version_max ? hello->version_max
								     : session->version_max;

	return highest >= HBD_VERSION_MIN && highest >= hello->version_min ? highest : 0;
}

/*
 * Node 1's part of the transcript. It depends on the offer and on how many sessions were proven,
 * so no state is kept for an offer, and what was recorded of an earlier session is worthless.
 */
static void make_answer(const struct hbd_session *session, uint64_t peer_session,
			const uint8_t nonce[HBD_NONCE_BYTES], uint8_t ret[HBD_NONCE_BYTES])
{
	uint8_t offer[8 + HBD_NONCE_BYTES];
	struct wire_writer writer = { .bytes = offer };

	wire_put_u64(&writer, peer_session);
	wire_put_bytes(&writer, nonce, HBD_NONCE_BYTES);
	hbd_seal_derive(session->seed, "answer", session->established, offer, sizeof(offer), ret);
}

static void open_channel(const struct hbd_session *session, const struct hbd_key *key,
			 uint64_t peer_session, const struct hbd_hello *hello,
			 struct hbd_channel *ret_channel)
{
	struct hbd_transcript transcript = {
		.cluster_id = session->cluster_id,
		.version = hello->version,
	};
	uint8_t peer = (uint8_t)(1 - session->self);

	transcript.session[session->self] = session->own_session;
	transcript.session[peer] = peer_session;
	memcpy(transcript.nonce, hello->nonce, sizeof(transcript.nonce));
	memcpy(transcript.answer, hello->answer, sizeof(transcript.answer));

	*ret_channel = (struct hbd_channel){
		.open = true,
		.key_id = key->id,
		.version = hello->version,
		.peer_session = peer_session,
	};
	hbd_seal_session(key, &transcript, session->self, &ret_channel->tx);
	hbd_seal_session(key, &transcript, peer, &ret_channel->rx);
}

/* Makes a channel the running one. */
static void prove(struct hbd_session *session, const struct hbd_channel *channel,
		  struct hbd_received *received)
{
	received->verdict.proven = true;
	received->verdict.new_process = !session->running.open ||
				session->running.peer_session != channel->peer_session;
	session->previous = session->running;
	if (received->verdict.new_process)
		session->previous.open = false;
	session->running = *channel;
	session->next.open = false;
	session->established++;
	/* answers to the offer that led here have done their work */
	hbd_session_begin(session);
}

static void take_confirm(struct hbd_session *session, const struct hbd_channel *channel,
			 struct hbd_received *received)
{
	memcpy(session->proven_nonce, received->hello.nonce, HBD_NONCE_BYTES);
	prove(session, channel, received);
}

/*
 * A well-sealed offer with a nonce not seen before: its sender is there now, or somebody repeats
 * what he recorded in an earlier life, which he can do once for each recording.
 */
static bool is_fresh_offer(struct hbd_session *session, const uint8_t nonce[HBD_NONCE_BYTES])
{
	for (int i = 0; i < HBD_OFFERS_MAX; i++)
		if (memcmp(session->offers[i], nonce, HBD_NONCE_BYTES) == 0)
			return false;
	memcpy(session->offers[session->offer_count % HBD_OFFERS_MAX], nonce, HBD_NONCE_BYTES);
	session->offer_count++;
	return true;
}

static void prove_next(struct hbd_session *session, struct hbd_received *received)
{
	const struct hbd_channel channel = session->next;

	prove(session, &channel, received);
}

/*
 * A copy of the offer that led to the running session. Another answer to it would open a second one,
 * and of two that overtake each other on the links each node might take another for the last.
 */
static bool is_proven_offer(const struct hbd_session *session, const struct hbd_received *received)
{
	return session->running.open &&
	       session->running.peer_session == received->header.sender_session &&
	       memcmp(session->proven_nonce, received->hello.nonce, HBD_NONCE_BYTES) == 0;
}

static enum hbd_drop receive_hello(const struct hbd_session *session, struct hbd_received *received)
{
	if (session->self == OFFERER || is_proven_offer(session, received))
		return HBD_DROP_STALE;
	received->verdict.receipt = HBD_RECEIPT_HELLO;
	if (common_version(session, &received->hello) == 0)
		received->verdict.receipt = HBD_RECEIPT_VERSION;
	else if (common_key(session, &received->hello) == NULL)
		return HBD_DROP_KEY;
	return HBD_DROP_NONE;
}

static enum hbd_drop receive_knock(const struct hbd_session *session, struct hbd_received *received)
{
	if (session->self != OFFERER)
		return HBD_DROP_STALE;
	received->verdict.receipt = common_version(session, &received->hello) ? HBD_RECEIPT_KNOCK
								: HBD_RECEIPT_VERSION;
	return HBD_DROP_NONE;
}

static void take_ack(struct hbd_session *session, const struct hbd_key *key,
		     const struct hbd_received *received)
{
	const struct hbd_hello *hello = &received->hello;

	/* the same answer comes once for every link */
	if (session->next.open &&
	    memcmp(session->confirm.answer, hello->answer, sizeof(hello->answer)) == 0)
		return;
	session->confirm = *hello;
	open_channel(session, key, received->header.sender_session, hello, &session->next);
}

static enum hbd_drop receive_ack(struct hbd_session *session, const struct hbd_key *key,
				 struct hbd_received *received)
{
	const struct hbd_hello *hello = &received->hello;
	const struct hbd_header *header = &received->header;

	if (session->self != OFFERER || header->receiver_session != session->own_session)
		return HBD_DROP_STALE;
	if (memcmp(hello->nonce, session->nonce, sizeof(session->nonce)) != 0)
		return HBD_DROP_STALE;
	if (hello->version < HBD_VERSION_MIN || hello->version > session->version_max)
		return HBD_DROP_BODY;
	if (session->renews && key->id <= session->running.key_id &&
	    hello->version <= session->running.version)
		return HBD_DROP_STALE;
	received->verdict.receipt = HBD_RECEIPT_ACK;
	take_ack(session, key, received);
	return HBD_DROP_NONE;
}

/* KNOCK, HELLO and HELLO_ACK: sealed by a pre-shared key. */
static enum hbd_drop receive_handshake(struct hbd_session *session, const uint8_t *bytes,
				       size_t length, struct hbd_received *received)
{
	const struct hbd_header *header = &received->header;
	const struct hbd_key *key = find_key(session, header->key_id);
	struct hbd_seal seal;

	received->verdict.handshake_seal_failed = true;
	if (key == NULL)
		return HBD_DROP_KEY;
	hbd_seal_handshake(key, session->cluster_id, header->source, &seal);
	if (!hbd_seal_open(&seal, bytes, length))
		return HBD_DROP_SEAL;
	received->verdict.handshake_seal_failed = false;

	if (header->sender_session == 0 ||
	    hbd_packet_decode_hello(bytes + HBD_HEADER_BYTES, header->body_bytes,
				    &received->hello) < 0)
		return HBD_DROP_BODY;
	if (header->type != HBD_PACKET_HELLO_ACK)
		received->verdict.fresh_offer = is_fresh_offer(session, received->hello.nonce);
	if (header->type == HBD_PACKET_HELLO)
		return receive_hello(session, received);
	if (header->type == HBD_PACKET_KNOCK)
		return receive_knock(session, received);
	return receive_ack(session, key, received);
}

/* CONFIRM: its body names the keys it is sealed by, so it is read before it is authentic. */
static enum hbd_drop receive_confirm(struct hbd_session *session, const uint8_t *bytes,
				     size_t length, struct hbd_received *received)
{
	const struct hbd_header *header = &received->header;
	const struct hbd_key *key = find_key(session, header->key_id);
	uint8_t answer[HBD_NONCE_BYTES];
	struct hbd_channel channel;

	if (session->self == OFFERER || header->receiver_session != session->own_session)
		return HBD_DROP_STALE;
	if (key == NULL)
		return HBD_DROP_KEY;
	if (hbd_packet_decode_hello(bytes + HBD_HEADER_BYTES, header->body_bytes,
				    &received->hello) < 0)
		return HBD_DROP_BODY;
	make_answer(session, header->sender_session, received->hello.nonce, answer);
	if (memcmp(answer, received->hello.answer, sizeof(answer)) != 0)
		return HBD_DROP_STALE;
	open_channel(session, key, header->sender_session, &received->hello, &channel);
	if (!hbd_seal_open(&channel.rx, bytes, length))
		return HBD_DROP_SEAL;
	received->verdict.receipt = HBD_RECEIPT_CONFIRM;
	take_confirm(session, &channel, received);
	return HBD_DROP_NONE;
}

/* The channel a session packet belongs to: the one whose seal fits; NULL with the reason. */
static struct hbd_channel *find_channel(struct hbd_session *session,
					const struct hbd_header *header, const uint8_t *bytes,
					size_t length, enum hbd_drop *ret_drop)
{
	struct hbd_channel *channels[] = { &session->running, &session->next,
					   &session->previous };

	*ret_drop = HBD_DROP_SESSION;
	if (header->receiver_session != session->own_session)
		return NULL;
	for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++) {
		if (!channels[i]->open || channels[i]->closed_by_peer ||
		    channels[i]->peer_session != header->sender_session)
			continue;
		*ret_drop = HBD_DROP_VERSION;
		if (channels[i]->version != header->version >> 4)
			continue;
		if (hbd_seal_open(&channels[i]->rx, bytes, length))
			return channels[i];
		*ret_drop = HBD_DROP_SEAL;
	}
	return NULL;
}

static void end_by_peer(struct hbd_session *session)
{
	session->running.closed_by_peer = true;
	session->previous.open = false;
}

/* HEARTBEAT and GOODBYE. */
static enum hbd_drop receive_data(struct hbd_session *session, uint8_t link, const uint8_t *bytes,
				  size_t length, struct hbd_received *received)
{
	const struct hbd_header *header = &received->header;
	enum hbd_drop drop;
	struct hbd_channel *channel = find_channel(session, header, bytes, length, &drop);

	if (channel == NULL)
		return drop;
	if ((header->seq == UINT64_MAX) != (header->type == HBD_PACKET_GOODBYE))
		return HBD_DROP_BODY;
	if (!hbd_replay_accept(&channel->rx_window[link], header->seq))
		return HBD_DROP_REPLAY;
	if (hbd_packet_decode_heartbeat(bytes + HBD_HEADER_BYTES, header->body_bytes,
					&received->heartbeat) < 0)
		return HBD_DROP_BODY;
	if (channel == &session->next)
		prove_next(session, received);
	received->verdict.receipt = HBD_RECEIPT_HEARTBEAT;
	if (header->type == HBD_PACKET_GOODBYE)
		end_by_peer(session);
	return HBD_DROP_NONE;
}

static enum hbd_drop check_addressing(const struct hbd_session *session, uint8_t link,
				      const struct hbd_header *header)
{
	if (header->cluster_id != session->cluster_id)
		return HBD_DROP_CLUSTER;
	if (header->source == session->self)
		return HBD_DROP_REFLECTED;
	if (header->source >= HBD_NODES || header->destination != session->self ||
	    header->link >= session->link_count)
		return HBD_DROP_NODE;
	return header->link == link ? HBD_DROP_NONE : HBD_DROP_LINK;
}

static enum hbd_drop receive(struct hbd_session *session, uint8_t link, const uint8_t *bytes,
			     size_t length, struct hbd_received *received)
{
	enum hbd_drop drop = hbd_packet_decode_header(bytes, length, &received->header);

	if (drop == HBD_DROP_NONE)
		drop = check_addressing(session, link, &received->header);
	if (drop != HBD_DROP_NONE)
		return drop;

	switch (received->header.type) {
	case HBD_PACKET_KNOCK:
	case HBD_PACKET_HELLO:
	case HBD_PACKET_HELLO_ACK:
		return receive_handshake(session, bytes, length, received);
	case HBD_PACKET_CONFIRM:
		return receive_confirm(session, bytes, length, received);
	case HBD_PACKET_HEARTBEAT:
	case HBD_PACKET_GOODBYE:
		return receive_data(session, link, bytes, length, received);
	case HBD_PACKET_UNSET:
	case HBD_PACKET_TYPE_COUNT:
		break;
	}
	return HBD_DROP_TYPE;
}

void hbd_session_receive(struct hbd_session *session, uint8_t link, const uint8_t *bytes,
			 size_t length, struct hbd_received *ret_received)
{
	assert(link < session->link_count);
	ret_received->verdict = (struct hbd_verdict){ .receipt = HBD_RECEIPT_UNSET };
	ret_received->verdict.drop = receive(session, link, bytes, length, ret_received);
	if (ret_received->verdict.drop != HBD_DROP_NONE)
		ret_received->verdict.receipt = HBD_RECEIPT_DROPPED;
}

static bool adopt_handshake(struct hbd_session *session, struct hbd_received *received)
{
	const struct hbd_key *key = find_key(session, received->header.key_id);
	struct hbd_channel channel;

	if (key == NULL || (received->verdict.receipt == HBD_RECEIPT_ACK) != (session->self == OFFERER))
		return false;
	if (received->verdict.receipt == HBD_RECEIPT_ACK) {
		take_ack(session, key, received);
		return true;
	}
	open_channel(session, key, received->header.sender_session, &received->hello, &channel);
	take_confirm(session, &channel, received);
	return true;
}

static bool adopt_data(struct hbd_session *session, struct hbd_received *received)
{
	bool proven = received->verdict.proven;

	if (proven ? !session->next.open : !session->running.open)
		return false;
	if (proven)
		prove_next(session, received);
	if (received->header.type == HBD_PACKET_GOODBYE)
		end_by_peer(session);
	return true;
}

bool hbd_session_adopt(struct hbd_session *session, const struct hbd_received *received)
{
	struct hbd_received copy = *received;

	switch (received->verdict.receipt) {
	case HBD_RECEIPT_ACK:
	case HBD_RECEIPT_CONFIRM:
		return adopt_handshake(session, &copy);
	case HBD_RECEIPT_HEARTBEAT:
		return adopt_data(session, &copy);
	case HBD_RECEIPT_HELLO:
		/* it will be answered */
		return session->self != OFFERER && common_version(session, &received->hello) != 0 &&
		       common_key(session, &received->hello) != NULL;
	case HBD_RECEIPT_UNSET:
	case HBD_RECEIPT_DROPPED:
	case HBD_RECEIPT_KNOCK:
	case HBD_RECEIPT_VERSION:
		break;
	}
	return true;
}

static struct hbd_header make_header(const struct hbd_session *session,
				     enum hbd_packet_type type, uint8_t link)
{
	return (struct hbd_header){
		.version = HBD_VERSION_HANDSHAKE << 4,
		.type = type,
		.cluster_id = session->cluster_id,
		.source = session->self,
		.destination = (uint8_t)(1 - session->self),
		.link = link,
		.sender_session = session->own_session,
	};
}

static struct hbd_hello make_hello(const struct hbd_session *session, uint64_t config_digest)
{
	struct hbd_hello hello = {
		.version_min = HBD_VERSION_MIN,
		.version_max = session->version_max,
		.key_count = session->key_count,
		.config_digest = config_digest,
	};

	for (uint8_t i = 0; i < session->key_count; i++)
		hello.key_ids[i] = session->keys[i].id;
	return hello;
}

static size_t close_handshake(const struct hbd_session *session, const struct hbd_key *key,
			      struct hbd_header *header, const struct hbd_hello *hello,
			      uint8_t *bytes)
{
	struct hbd_seal seal;

	header->key_id = key->id;
	hbd_seal_handshake(key, session->cluster_id, session->self, &seal);
	return hbd_seal_close(&seal, bytes, hbd_packet_encode_hello(header, hello, bytes));
}

size_t hbd_session_offer(const struct hbd_session *session, uint8_t link, uint64_t config_digest,
			 uint8_t *bytes)
{
	struct hbd_header header = make_header(session, session->self == OFFERER ?
							HBD_PACKET_HELLO : HBD_PACKET_KNOCK,
					       link);
	struct hbd_hello hello = make_hello(session, config_digest);

	memcpy(hello.nonce, session->nonce, sizeof(hello.nonce));
	return close_handshake(session, &session->keys[session->hello_key], &header, &hello, bytes);
}

size_t hbd_session_answer(const struct hbd_session *session, uint8_t link,
			  const struct hbd_received *received, uint64_t config_digest,
			  uint8_t *bytes)
{
	struct hbd_header header = make_header(session, HBD_PACKET_HELLO_ACK, link);
	struct hbd_hello hello = make_hello(session, config_digest);
	const struct hbd_key *key = common_key(session, &received->hello);

	assert(received->verdict.receipt == HBD_RECEIPT_HELLO);
	assert(key != NULL);
	header.receiver_session = received->header.sender_session;
	hello.version = common_version(session, &received->hello);
	memcpy(hello.nonce, received->hello.nonce, sizeof(hello.nonce));
	make_answer(session, received->header.sender_session, hello.nonce, hello.answer);
	return close_handshake(session, key, &header, &hello, bytes);
}

size_t hbd_session_confirm(struct hbd_session *session, uint8_t link, uint8_t *bytes)
{
	struct hbd_header header = make_header(session, HBD_PACKET_CONFIRM, link);
	struct hbd_hello hello = make_hello(session, session->confirm.config_digest);

	assert(session->next.open);
	header.key_id = session->next.key_id;
	header.receiver_session = session->next.peer_session;
	hello.version = session->next.version;
	memcpy(hello.nonce, session->confirm.nonce, sizeof(hello.nonce));
	memcpy(hello.answer, session->confirm.answer, sizeof(hello.answer));
	return hbd_seal_close(&session->next.tx, bytes,
			      hbd_packet_encode_hello(&header, &hello, bytes));
}

static size_t close_data(const struct hbd_session *session, struct hbd_header *header,
			 const struct hbd_heartbeat *heartbeat, uint8_t *bytes)
{
	assert(session->running.open);
	header->version = (uint8_t)(session->running.version << 4);
	header->key_id = session->running.key_id;
	header->receiver_session = session->running.peer_session;
	return hbd_seal_close(&session->running.tx, bytes,
			      hbd_packet_encode_heartbeat(header, heartbeat, bytes));
}

size_t hbd_session_heartbeat(struct hbd_session *session, uint8_t link, uint8_t flags,
			     const struct hbd_heartbeat *heartbeat, uint8_t *bytes)
{
	struct hbd_header header = make_header(session, HBD_PACKET_HEARTBEAT, link);

	header.flags = flags;
	header.seq = ++session->running.tx_seq[link];
	return close_data(session, &header, heartbeat, bytes);
}

size_t hbd_session_goodbye(const struct hbd_session *session, uint8_t link, bool will,
			   const struct hbd_heartbeat *heartbeat, uint8_t *bytes)
{
	struct hbd_header header = make_header(session, HBD_PACKET_GOODBYE, link);

	header.flags = will ? HBD_FLAG_WILL : 0;
	header.seq = UINT64_MAX;
	return close_data(session, &header, heartbeat, bytes);
}
