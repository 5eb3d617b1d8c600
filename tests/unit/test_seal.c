/* Seals: what one closed opens, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

#include "../../hbd/core/seal.h"

#define CLUSTER 0xc1

static const struct hbd_key key = { .id = 1, .bytes = { 7, 7, 7 } };

static const struct hbd_transcript transcript = {
	.cluster_id = CLUSTER,
	.version = 1,
	.session = { 11, 22 },
	.nonce = { 1 },
	.answer = { 2 },
};

static void a_seal_opens_what_it_closed(void **state)
{
	uint8_t bytes[24 + HBD_TAG_BYTES] = "what is sent";
	struct hbd_seal seal;

	(void)state;
	hbd_seal_handshake(&key, CLUSTER, 0, &seal);
	for (size_t length = 0; length <= 24; length++) {
		assert_int_equal(hbd_seal_close(&seal, bytes, length), length + HBD_TAG_BYTES);
		assert_true(hbd_seal_open(&seal, bytes, length + HBD_TAG_BYTES));
		for (size_t bit = 0; bit < (length + HBD_TAG_BYTES) * 8; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
			assert_false(hbd_seal_open(&seal, bytes, length + HBD_TAG_BYTES));
			bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		}
	}
}

static void what_is_shorter_than_a_tag_has_none(void **state)
{
	uint8_t bytes[HBD_TAG_BYTES];
	struct hbd_seal seal;

	(void)state;
	hbd_seal_handshake(&key, CLUSTER, 0, &seal);
	hbd_seal_close(&seal, bytes, 0);
	for (size_t length = 0; length < HBD_TAG_BYTES; length++)
		assert_false(hbd_seal_open(&seal, bytes, length));
}

/* Two seals are the same only if all that went into them is. */
static void whatever_differs_makes_another_seal(void **state)
{
	struct hbd_key other_key = key, other_id = key;
	struct hbd_transcript others[6];
	struct hbd_seal seals[13];
	size_t count = 0;

	(void)state;
	other_key.bytes[HBD_KEY_BYTES - 1] = 1;
	other_id.id = 2;
	for (int i = 0; i < 6; i++)
		others[i] = transcript;
	others[0].cluster_id++;
	others[1].version++;
	others[2].session[0]++;
	others[3].session[1]++;
	others[4].nonce[HBD_NONCE_BYTES - 1]++;
	others[5].answer[HBD_NONCE_BYTES - 1]++;
	hbd_seal_handshake(&key, CLUSTER, 0, &seals[count++]);
	hbd_seal_handshake(&key, CLUSTER, 1, &seals[count++]);
	hbd_seal_handshake(&key, CLUSTER + 1, 0, &seals[count++]);
	hbd_seal_handshake(&other_key, CLUSTER, 0, &seals[count++]);
	hbd_seal_session(&key, &transcript, 0, &seals[count++]);
	hbd_seal_session(&key, &transcript, 1, &seals[count++]);
	hbd_seal_session(&other_id, &transcript, 0, &seals[count++]);
	for (int i = 0; i < 6; i++)
		hbd_seal_session(&key, &others[i], 0, &seals[count++]);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(seals[i].bytes, seals[j].bytes, HBD_KEY_BYTES);
}

static void what_is_derived_depends_on_all_that_goes_in(void **state)
{
	const uint8_t seeds[2][HBD_SEED_BYTES] = { { 1 }, { 2 } };
	uint8_t derived[5][HBD_NONCE_BYTES], again[HBD_NONCE_BYTES];

	(void)state;
	hbd_seal_derive(seeds[0], "nonce", 1, NULL, 0, derived[0]);
	hbd_seal_derive(seeds[1], "nonce", 1, NULL, 0, derived[1]);
	hbd_seal_derive(seeds[0], "answer", 1, NULL, 0, derived[2]);
	hbd_seal_derive(seeds[0], "nonce", 2, NULL, 0, derived[3]);
	hbd_seal_derive(seeds[0], "nonce", 1, "x", 1, derived[4]);
	hbd_seal_derive(seeds[0], "nonce", 1, NULL, 0, again);
	assert_memory_equal(again, derived[0], HBD_NONCE_BYTES);
	for (int i = 0; i < 5; i++)
		for (int j = 0; j < i; j++)
			assert_memory_not_equal(derived[i], derived[j], HBD_NONCE_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seal_opens_what_it_closed),
		cmocka_unit_test(what_is_shorter_than_a_tag_has_none),
		cmocka_unit_test(whatever_differs_makes_another_seal),
		cmocka_unit_test(what_is_derived_depends_on_all_that_goes_in),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
