/* Bytes <-> messages: what is written is read again, and what is malformed is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../hbd/core/packet.h"
#include "../../hbd/core/role.h"

static struct hbd_header some_header(enum hbd_packet_type type)
{
	return (struct hbd_header){
		.version = 0x10, .type = type, .key_id = 7, .flags = HBD_FLAG_PROBE,
		.cluster_id = 0x01020304, .source = 0, .destination = 1, .link = 1,
		.sender_session = 0x1111111111111111, .receiver_session = 0x2222222222222222,
		.seq = 99,
	};
}

static struct hbd_heartbeat some_heartbeat(uint16_t group_count)
{
	struct hbd_heartbeat heartbeat = {
		.hb_seq = 5, .granted_hb_seq = 4, .rx_newest = 3, .rx_bitmap = 0xfffffff7,
		.tx_time_us = 123456789, .echo_tx_time_us = 42, .echo_hold_us = 17,
		.interval_us = 100000, .lease_us = 450000, .node_state = HBD_NODE_RUNNING,
		.fence = 1, .config_digest = 0xabcdef, .group_count = group_count,
	};

	for (uint16_t i = 0; i < group_count; i++)
		heartbeat.groups[i] = (struct hbd_group_entry){
			.id = 1000u + i, .role = HBD_ROLE_PRIMARY, .flags = HBD_GROUP_GRANTS,
			.priority = 200, .health = 1000, .station = { 2, 3, 4, 5, 6, 7 },
			.epoch = 77, .since_s = 3600,
		};
	return heartbeat;
}

/* Encodes a heartbeat and gives it room for its tag; the datagram's length. */
static size_t encode(const struct hbd_heartbeat *heartbeat, uint8_t *bytes)
{
	struct hbd_header header = some_header(HBD_PACKET_HEARTBEAT);
	size_t length = hbd_packet_encode_heartbeat(&header, heartbeat, bytes);

	memset(bytes + length, 0xee, HBD_TAG_BYTES);
	return length + HBD_TAG_BYTES;
}

static void a_heartbeat_is_read_as_it_was_written(void **state)
{
	static const uint16_t counts[] = { 0, 1, 2, HBD_GROUPS_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct hbd_heartbeat written = some_heartbeat(counts[i]), read;
		uint8_t bytes[HBD_PACKET_BYTES_MAX], again[HBD_PACKET_BYTES_MAX];
		struct hbd_header header;
		size_t length = encode(&written, bytes);

		memset(&read, 0, sizeof(read));
		assert_true(length <= HBD_PACKET_BYTES_MAX);
		assert_int_equal(hbd_packet_decode_header(bytes, length, &header), HBD_DROP_NONE);
		assert_int_equal(header.seq, 99);
		assert_int_equal(header.link, 1);
		assert_int_equal(hbd_packet_decode_heartbeat(bytes + HBD_HEADER_BYTES,
							     header.body_bytes, &read), 0);
		/* whole: written again it is the same bytes, those of the protocol by the test below */
		assert_int_equal(encode(&read, again), length);
		assert_memory_equal(again, bytes, length);
	}
}

static void the_bytes_are_those_of_the_protocol(void **state)
{
	static const uint8_t expected[] = {
		'H', 'B', 'D', '1', 0x10, 5, 7, 1, 1, 2, 3, 4, 0, 1, 1, (72 + 32) / 8,
		0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
		0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22,
		0, 0, 0, 0, 0, 0, 0, 99,
		0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 3,
		0, 0, 0, 0, 0x07, 0x5b, 0xcd, 0x15, 0, 0, 0, 0, 0, 0, 0, 42,
		0, 0, 0, 17, 0xff, 0xff, 0xff, 0xf7, 0, 1, 0x86, 0xa0, 0, 6, 0xdd, 0xd0,
		2, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xab, 0xcd, 0xef,
		0, 1, 0, 32, 0, 0, 3, 0xe8, 4, 1, 0, 200, 0x03, 0xe8, 2, 3,
		4, 5, 6, 7, 0, 0, 0x0e, 0x10, 0, 0, 0, 0, 0, 0, 0, 77,
	};
	struct hbd_heartbeat heartbeat = some_heartbeat(1);
	uint8_t bytes[HBD_PACKET_BYTES_MAX];

	(void)state;
	assert_int_equal(encode(&heartbeat, bytes), sizeof(expected) + HBD_TAG_BYTES);
	assert_memory_equal(bytes, expected, sizeof(expected));
}

static void a_header_is_refused_for_its_first_fault(void **state)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t value;
		int length_change;
		enum hbd_drop drop;
	} rows[] = {
		{ "intact", 7, 0, 0, HBD_DROP_NONE },
		{ "another magic", 0, 'X', 0, HBD_DROP_MAGIC },
		{ "major version 0", 4, 0x00, 0, HBD_DROP_VERSION },
		{ "a later major version, which the session may have", 4, 0x20, 0, HBD_DROP_NONE },
		{ "a later minor version", 4, 0x1f, 0, HBD_DROP_NONE },
		{ "type 0", 5, 0, 0, HBD_DROP_TYPE },
		{ "unknown type", 5, HBD_PACKET_TYPE_COUNT, 0, HBD_DROP_TYPE },
		{ "unknown flag", 7, 0x80, 0, HBD_DROP_TYPE },
		{ "one byte too many", 7, 0, 1, HBD_DROP_LONG },
		{ "one byte missing", 7, 0, -1, HBD_DROP_SHORT },
		{ "body longer than said", 15, 1, 0, HBD_DROP_LONG },
		{ "body shorter than said", 15, 255, 0, HBD_DROP_SHORT },
	};
	struct hbd_heartbeat heartbeat = some_heartbeat(2);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[HBD_PACKET_BYTES_MAX + 1] = { 0 };
		struct hbd_header header;
		size_t length = encode(&heartbeat, bytes) + (size_t)rows[i].length_change;

		bytes[rows[i].at] = rows[i].value;
		if (hbd_packet_decode_header(bytes, length, &header) != rows[i].drop)
			fail_msg("%s: not %s", rows[i].what, hbd_drop_text(rows[i].drop));
	}
}

static void every_truncation_is_refused(void **state)
{
	struct hbd_heartbeat heartbeat = some_heartbeat(2), read;
	uint8_t bytes[HBD_PACKET_BYTES_MAX];
	struct hbd_header header;
	size_t length = encode(&heartbeat, bytes);

	(void)state;
	for (size_t cut = 0; cut < length; cut++)
		assert_int_not_equal(hbd_packet_decode_header(bytes, cut, &header),
				     HBD_DROP_NONE);
	for (size_t body = 0; body < 72 + 64; body++)
		assert_int_equal(hbd_packet_decode_heartbeat(bytes + HBD_HEADER_BYTES, body, &read),
				 -EBADMSG);
}

static void a_heartbeat_body_is_refused(void **state)
{
	static const struct {
		const char *what;
		size_t at;		/* in the body */
		uint8_t value;
		int result;
	} rows[] = {
		{ "intact", 0, 0, 0 },
		{ "heartbeat number 0", 7, 0, -EBADMSG },
		{ "node state 0", 56, 0, -EBADMSG },
		{ "node state 6", 56, 6, -EBADMSG },
		{ "more groups than follow", 59, 3, -EBADMSG },
		{ "fewer groups than follow", 59, 1, -EBADMSG },
		{ "33 groups", 59, 33, -EBADMSG },
		{ "group TLV of another length", 72 + 3, 24, -EBADMSG },
		{ "TLV length 0", 72 + 3, 0, -EBADMSG },
		{ "TLV length no multiple of 8", 72 + 3, 28, -EBADMSG },
		{ "TLV beyond the end", 72 + 2, 0x10, -EBADMSG },
		{ "unknown critical TLV", 72, 0x80, -EBADMSG },
		{ "role 0", 72 + 8, 0, -EBADMSG },
		{ "unknown role", 72 + 8, HBD_ROLE_COUNT, -EBADMSG },
		{ "health above 1000", 72 + 12, 4, -EBADMSG },
		{ "unknown group flag is ignored", 72 + 9, 0x81, 0 },
	};
	struct hbd_heartbeat heartbeat = some_heartbeat(2);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[HBD_PACKET_BYTES_MAX];
		struct hbd_heartbeat read;

		encode(&heartbeat, bytes);
		bytes[HBD_HEADER_BYTES + rows[i].at] = rows[i].value;
		if (hbd_packet_decode_heartbeat(bytes + HBD_HEADER_BYTES, 72 + 64, &read) !=
		    rows[i].result)
			fail_msg("%s: not %d", rows[i].what, rows[i].result);
	}
}

static void an_unknown_tlv_that_is_not_critical_is_skipped(void **state)
{
	static const struct {
		const char *what;
		size_t group_at, tlv_at;
		uint8_t said_bytes;	/* it has 16 */
		int result;
	} rows[] = {
		{ "before the group", 16, 0, 16, 0 },
		{ "behind the group", 0, 32, 16, 0 },
		{ "that says it is longer than what follows", 0, 32, 24, -EBADMSG },
		{ "that says it is shorter", 0, 32, 8, -EBADMSG },
		{ "whose length is no multiple of 8, like its rest's", 0, 32, 12, -EBADMSG },
	};
	struct hbd_heartbeat heartbeat = some_heartbeat(1), read;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[HBD_PACKET_BYTES_MAX];
		uint8_t tlv[16] = { 0x12, 0x34, 0, rows[i].said_bytes, 1, 2, 3, 4,
				    5, 6, 7, 8, 0x12, 0x34, 0, 4 };
		uint8_t *first = bytes + HBD_HEADER_BYTES + 72;

		encode(&heartbeat, bytes);
		memmove(first + rows[i].group_at, first, HBD_GROUP_BYTES);
		memcpy(first + rows[i].tlv_at, tlv, sizeof(tlv));
		if (hbd_packet_decode_heartbeat(bytes + HBD_HEADER_BYTES, 72 + 32 + 16, &read) !=
		    rows[i].result)
			fail_msg("%s: not %d", rows[i].what, rows[i].result);
		if (rows[i].result == 0)
			assert_int_equal(read.groups[0].id, 1000);
	}
}

static void no_datagram_is_longer_than_the_longest(void **state)
{
	struct hbd_heartbeat heartbeat = some_heartbeat(1);
	uint8_t bytes[HBD_PACKET_BYTES_MAX + 8] = { 0 };
	struct hbd_header header;
	const size_t frame = HBD_HEADER_BYTES + HBD_TAG_BYTES;

	(void)state;
	encode(&heartbeat, bytes);
	/* its header agrees with both lengths */
	bytes[15] = (uint8_t)((HBD_PACKET_BYTES_MAX - frame) / 8);
	assert_int_equal(hbd_packet_decode_header(bytes, HBD_PACKET_BYTES_MAX, &header),
			 HBD_DROP_NONE);
	bytes[15]++;
	assert_int_equal(hbd_packet_decode_header(bytes, HBD_PACKET_BYTES_MAX + 8, &header),
			 HBD_DROP_LONG);
}

static void a_hello_body_is_refused(void **state)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t value;
		int result;
	} rows[] = {
		{ "intact", 0, 1, 0 },
		{ "no lowest version", 0, 0, -EBADMSG },
		{ "lowest above highest", 0, 9, -EBADMSG },
		{ "no key", 3, 0, -EBADMSG },
		{ "nine keys", 3, 9, -EBADMSG },
		{ "reserved not 0", 63, 1, -EBADMSG },
		{ "unknown capability is ignored", 7, 0x40, 0 },
	};
	struct hbd_header header = some_header(HBD_PACKET_HELLO);
	struct hbd_hello hello = { .version_min = 1, .version_max = 1, .key_count = 1,
				   .key_ids = { 7 }, .nonce = "fifteen bytes..." };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[HBD_PACKET_BYTES_MAX];
		struct hbd_hello read;
		size_t length = hbd_packet_encode_hello(&header, &hello, bytes);

		assert_int_equal(length, HBD_HEADER_BYTES + HBD_HELLO_BYTES);
		bytes[HBD_HEADER_BYTES + rows[i].at] = rows[i].value;
		if (hbd_packet_decode_hello(bytes + HBD_HEADER_BYTES, HBD_HELLO_BYTES, &read) !=
		    rows[i].result)
			fail_msg("%s: not %d", rows[i].what, rows[i].result);
	}
}

static void every_truncation_of_a_hello_is_refused(void **state)
{
	struct hbd_header header = some_header(HBD_PACKET_HELLO);
	struct hbd_hello hello = { .version_min = 1, .version_max = 1, .key_count = 1 }, read;
	uint8_t bytes[HBD_PACKET_BYTES_MAX] = { 0 };

	(void)state;
	hbd_packet_encode_hello(&header, &hello, bytes);
	for (size_t body = 0; body < HBD_HELLO_BYTES + 8; body++)
		assert_int_equal(hbd_packet_decode_hello(bytes + HBD_HEADER_BYTES, body, &read),
				 body == HBD_HELLO_BYTES ? 0 : -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_heartbeat_is_read_as_it_was_written),
		cmocka_unit_test(the_bytes_are_those_of_the_protocol),
		cmocka_unit_test(a_header_is_refused_for_its_first_fault),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(a_heartbeat_body_is_refused),
		cmocka_unit_test(an_unknown_tlv_that_is_not_critical_is_skipped),
		cmocka_unit_test(no_datagram_is_longer_than_the_longest),
		cmocka_unit_test(a_hello_body_is_refused),
		cmocka_unit_test(every_truncation_of_a_hello_is_refused),
	};

	return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
