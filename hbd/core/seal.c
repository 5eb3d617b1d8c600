#include "seal.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static_assert(HBD_KEY_BYTES >= crypto_generichash_KEYBYTES_MIN &&
	      HBD_KEY_BYTES <= crypto_generichash_KEYBYTES_MAX, "a pre-shared key keys the hash");
static_assert(HBD_TAG_BYTES == crypto_generichash_BYTES_MIN, "the tag is a whole hash");

/* The hash cannot fail with lengths that are constants within its limits. */
static void hash_begin(crypto_generichash_state *state, const uint8_t *key, size_t out_bytes,
		       const char *label)
{
	int error = crypto_generichash_init(state, key, HBD_KEY_BYTES, out_bytes);

	assert(error == 0);
	/* with its final NUL, so that no label is the beginning of another */
	crypto_generichash_update(state, (const uint8_t *)label, strlen(label) + 1);
}

static void hash_number(crypto_generichash_state *state, uint64_t number)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(number >> (56 - 8 * i));
	crypto_generichash_update(state, bytes, sizeof(bytes));
}

void hbd_seal_handshake(const struct hbd_key *key, uint32_t cluster_id, uint8_t source,
			struct hbd_seal *ret_seal)
{
	crypto_generichash_state state;

	assert(key->id != 0);
	assert(source < HBD_NODES);
	hash_begin(&state, key->bytes, sizeof(ret_seal->bytes), "hbd1 handshake");
	hash_number(&state, cluster_id);
	hash_number(&state, source);
	crypto_generichash_final(&state, ret_seal->bytes, sizeof(ret_seal->bytes));
	sodium_memzero(&state, sizeof(state));
}

void hbd_seal_session(const struct hbd_key *key, const struct hbd_transcript *transcript,
		      uint8_t source, struct hbd_seal *ret_seal)
{
	crypto_generichash_state state;

	assert(key->id != 0);
	assert(source < HBD_NODES);
	hash_begin(&state, key->bytes, sizeof(ret_seal->bytes), "hbd1 session");
	hash_number(&state, transcript->cluster_id);
	hash_number(&state, transcript->version);
	hash_number(&state, key->id);
	hash_number(&state, transcript->session[0]);
	hash_number(&state, transcript->session[1]);
	crypto_generichash_update(&state, transcript->nonce, sizeof(transcript->nonce));
	crypto_generichash_update(&state, transcript->answer, sizeof(transcript->answer));
	hash_number(&state, source);
	crypto_generichash_final(&state, ret_seal->bytes, sizeof(ret_seal->bytes));
	sodium_memzero(&state, sizeof(state));
}

size_t hbd_seal_close(const struct hbd_seal *seal, uint8_t *bytes, size_t length)
{
	int error = crypto_generichash(bytes + length, HBD_TAG_BYTES, bytes, length, seal->bytes,
				       sizeof(seal->bytes));

	assert(error == 0);
	return length + HBD_TAG_BYTES;
}

bool hbd_seal_open(const struct hbd_seal *seal, const uint8_t *bytes, size_t length)
{
	uint8_t tag[HBD_TAG_BYTES];

	if (length < HBD_TAG_BYTES)
		return false;
	length -= HBD_TAG_BYTES;

	int error = crypto_generichash(tag, sizeof(tag), bytes, length, seal->bytes,
				       sizeof(seal->bytes));

	assert(error == 0);
	return sodium_memcmp(tag, bytes + length, sizeof(tag)) == 0;
}

void hbd_seal_derive(const uint8_t seed[HBD_SEED_BYTES], const char *label, uint64_t number,
		     const void *data, size_t data_bytes, uint8_t ret[HBD_NONCE_BYTES])
{
	crypto_generichash_state state;

	static_assert(HBD_SEED_BYTES == HBD_KEY_BYTES, "a seed keys the hash");
	hash_begin(&state, seed, HBD_NONCE_BYTES, label);
	hash_number(&state, number);
	if (data_bytes > 0)
		crypto_generichash_update(&state, data, data_bytes);
	crypto_generichash_final(&state, ret, HBD_NONCE_BYTES);
	sodium_memzero(&state, sizeof(state));
}
