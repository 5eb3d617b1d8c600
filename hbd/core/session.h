/*
 * Who the peer is: the handshake and the keys of the running session (PROTOCOL.md, "Handshake").
 *
 * Node 0 offers (HELLO, fresh nonce), node 1 answers (HELLO_ACK, echo of the nonce), node 0
 * confirms under the new key, and the first packet of node 1 under that key ends it. Node 1 can
 * ask for it (KNOCK). Node 1 keeps no state for an offer: its answer is derived from a secret, the
 * offer and the number of sessions so far, so replayed or forged offers cost it one packet each
 * and displace nothing. An offer that led to the running session is not answered again. The running
 * session stays in force until the new one is proven.
 *
 * It authenticates and dates packets; it does not judge whether the peer is alive (detector.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limits.h"
#include "packet.h"
#include "replay.h"
#include "seal.h"

#define HBD_OFFERS_MAX 16	/* remembered, to tell a repeated offer from a fresh one */

/* Keys and counters of one session. */
struct hbd_channel {
	bool open;
	bool closed_by_peer;		/* its GOODBYE was accepted */
	uint8_t key_id;
	uint8_t version;
	uint64_t peer_session;
	struct hbd_seal tx, rx;
	uint64_t tx_seq[HBD_LINKS_MAX];		/* last sent on each link */
	struct hbd_replay rx_window[HBD_LINKS_MAX];
};

struct hbd_session {
	uint8_t self;
	uint8_t link_count;
	uint8_t key_count;
	uint8_t version_max;		/* highest major version spoken */
	uint32_t cluster_id;
	const struct hbd_key *keys;
	const uint8_t *seed;
	uint64_t own_session;		/* random per process, never 0 */
	uint64_t attempts;		/* nonces used so far */
	uint64_t established;		/* sessions proven so far */
	uint8_t nonce[HBD_NONCE_BYTES];	/* of the present attempt */
	uint8_t hello_key;		/* index of the key the next HELLO or KNOCK is sealed with */
	bool renews;			/* node 0: this attempt is for a newer key or version only */
	struct hbd_channel running;	/* proven */
	struct hbd_channel previous;	/* with the same process: what is under way may still come */
	struct hbd_channel next;	/* node 0: answered, not yet proven by a packet */
	uint8_t proven_nonce[HBD_NONCE_BYTES];	/* node 1: of the offer that led to running */
	uint8_t offer_count;		/* of offers seen, wraps around */
	uint8_t offers[HBD_OFFERS_MAX][HBD_NONCE_BYTES];	/* the nonces of the latest */
	struct hbd_hello confirm;	/* node 0: what CONFIRM says while next is open */
};

/* What hbd_session_receive() made of a datagram. */
enum hbd_receipt {
	HBD_RECEIPT_UNSET = 0,
	HBD_RECEIPT_DROPPED,	/* see drop */
	HBD_RECEIPT_HELLO,	/* answer it with hbd_session_answer() */
	HBD_RECEIPT_KNOCK,	/* the peer wants a HELLO */
	HBD_RECEIPT_ACK,	/* send CONFIRM */
	HBD_RECEIPT_CONFIRM,	/* the session is proven */
	HBD_RECEIPT_HEARTBEAT,	/* authentic and new: HEARTBEAT or GOODBYE */
	HBD_RECEIPT_VERSION,	/* authentic, but there is no common version */
};

struct hbd_verdict {
	enum hbd_receipt receipt;
	enum hbd_drop drop;
	bool proven;			/* this packet proved a new session */
	bool new_process;		/* ... and it is another process than before */
	bool fresh_offer;		/* a KNOCK or HELLO not seen before in this life */
	bool handshake_seal_failed;	/* drop is SEAL or KEY, on a handshake packet */
};

struct hbd_received {
	struct hbd_verdict verdict;
	struct hbd_header header;	/* these are set as far as the receipt says */
	struct hbd_hello hello;
	struct hbd_heartbeat heartbeat;
};

/* keys and seed outlive the session. */
void hbd_session_init(struct hbd_session *session, uint8_t self, uint8_t link_count,
		      uint32_t cluster_id, const struct hbd_key *keys, uint8_t key_count,
		      const uint8_t seed[HBD_SEED_BYTES]);

/* It speaks no later major version than that from now on; 0 = HBD_VERSION_MAX, as at first. */
void hbd_session_speak(struct hbd_session *session, uint8_t version_max);

/*
 * Checks a datagram that came in on link, and advances the session by it. Nothing is changed by a
 * datagram that is dropped. A KNOCK or HELLO changes nothing either: it may be a replay, so the
 * caller heeds a KNOCK only while the running session is not alive.
 */
void hbd_session_receive(struct hbd_session *session, uint8_t link, const uint8_t *bytes,
			 size_t length, struct hbd_received *ret_received);

/*
 * Advances the session as a datagram did of which that is known: a recording holds what was in the
 * packets and how they were judged, but no keys. Those of this session may be any, under the ids
 * that they had. False, and nothing is changed, if such a packet cannot have been received.
 */
bool hbd_session_adopt(struct hbd_session *session, const struct hbd_received *received);

/* True once a session is proven and its peer has not said good-bye. */
bool hbd_session_is_open(const struct hbd_session *session);

/* Starts a new attempt: a fresh nonce, and the next key. */
void hbd_session_begin(struct hbd_session *session);

/*
 * Node 0: a newer key, or a higher version, than that of the running session is here, and may be at the
 * peer by now. An attempt for its sake leaves the running session alone unless that is what comes of it.
 */
bool hbd_session_wants_renewal(const struct hbd_session *session);
void hbd_session_begin_renewal(struct hbd_session *session);

/*
 * Build a sealed packet for link into bytes (HBD_PACKET_BYTES_MAX) and return its length.
 * offer: HELLO on node 0, KNOCK on node 1. answer: HELLO_ACK to received. confirm: only while
 * next is open. heartbeat: under the running session, only while it is open. goodbye: likewise,
 * takes the session's last number, with the WILL flag if for the guardian to keep.
 */
size_t hbd_session_offer(const struct hbd_session *session, uint8_t link, uint64_t config_digest,
			 uint8_t *bytes);
size_t hbd_session_answer(const struct hbd_session *session, uint8_t link,
			  const struct hbd_received *received, uint64_t config_digest,
			  uint8_t *bytes);
size_t hbd_session_confirm(struct hbd_session *session, uint8_t link, uint8_t *bytes);
size_t hbd_session_heartbeat(struct hbd_session *session, uint8_t link, uint8_t flags,
			     const struct hbd_heartbeat *heartbeat, uint8_t *bytes);
size_t hbd_session_goodbye(const struct hbd_session *session, uint8_t link, bool will,
			   const struct hbd_heartbeat *heartbeat, uint8_t *bytes);
