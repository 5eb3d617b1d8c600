/*
 * Authentication: keyed BLAKE2b (RFC 7693) with a 128-bit tag, and the derivation of the keys.
 *
 * Nothing is encrypted: heartbeats stay readable in a packet capture. What is protected is that
 * only holders of the pre-shared key can make a packet and that each packet belongs to one
 * cluster, direction, session and purpose. Uses libsodium, which the caller has initialised.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limits.h"

/* A pre-shared key; secret, wiped by its owner. */
struct hbd_key {
	uint8_t id;			/* 1..255; 0 = no key */
	uint8_t bytes[HBD_KEY_BYTES];
};

/* A key for one purpose and direction. */
struct hbd_seal {
	uint8_t bytes[HBD_KEY_BYTES];
};

/* What two processes agreed on; all of it goes into the session's keys. */
struct hbd_transcript {
	uint32_t cluster_id;
	uint8_t version;
	uint64_t session[HBD_NODES];		/* by node index */
	uint8_t nonce[HBD_NONCE_BYTES];		/* node 0's */
	uint8_t answer[HBD_NONCE_BYTES];	/* node 1's */
};

/* The seal of handshake packets (KNOCK, HELLO, HELLO_ACK) sent by node source. */
void hbd_seal_handshake(const struct hbd_key *key, uint32_t cluster_id, uint8_t source,
			struct hbd_seal *ret_seal);

/* The seal of session packets sent by node source. */
void hbd_seal_session(const struct hbd_key *key, const struct hbd_transcript *transcript,
		      uint8_t source, struct hbd_seal *ret_seal);

/* Appends the tag to length bytes; bytes must have room for HBD_TAG_BYTES more. New length. */
size_t hbd_seal_close(const struct hbd_seal *seal, uint8_t *bytes, size_t length);

/* True when the last HBD_TAG_BYTES of length bytes are the tag of the rest. Constant time. */
bool hbd_seal_open(const struct hbd_seal *seal, const uint8_t *bytes, size_t length);

/*
 * Deterministic randomness from a secret seed: ret (16 bytes) = BLAKE2b(seed, label, number, data).
 * The seed comes from outside, so the core draws no randomness itself and a run can be repeated.
 */
void hbd_seal_derive(const uint8_t seed[HBD_SEED_BYTES], const char *label, uint64_t number,
		     const void *data, size_t data_bytes, uint8_t ret[HBD_NONCE_BYTES]);
