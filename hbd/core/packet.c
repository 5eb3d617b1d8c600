#include "packet.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "role.h"
#include "wire.h"

#define TLV_GROUP 0x0001
#define TLV_CRITICAL 0x8000	/* a receiver that does not know the type drops the packet */
#define TLV_HEADER_BYTES 4

static const char *const drop_texts[HBD_DROP_COUNT] = {
	[HBD_DROP_NONE] = "none",
	[HBD_DROP_HOPS] = "hops",
	[HBD_DROP_SHORT] = "short",
	[HBD_DROP_LONG] = "long",
	[HBD_DROP_MAGIC] = "magic",
	[HBD_DROP_VERSION] = "version",
	[HBD_DROP_TYPE] = "type",
	[HBD_DROP_CLUSTER] = "cluster",
	[HBD_DROP_REFLECTED] = "reflected",
	[HBD_DROP_NODE] = "node",
	[HBD_DROP_LINK] = "link",
	[HBD_DROP_KEY] = "key",
	[HBD_DROP_SESSION] = "session",
	[HBD_DROP_SEAL] = "seal",
	[HBD_DROP_REPLAY] = "replay",
	[HBD_DROP_BODY] = "body",
	[HBD_DROP_STALE] = "stale",
};

const char *hbd_drop_text(enum hbd_drop drop)
{
	assert(drop < HBD_DROP_COUNT);
	return drop_texts[drop];
}

static void put_header(struct wire_writer *writer, const struct hbd_header *header,
		       size_t body_bytes)
{
	assert(header->type > HBD_PACKET_UNSET && header->type < HBD_PACKET_TYPE_COUNT);
	assert(body_bytes % 8 == 0 && body_bytes / 8 <= UINT8_MAX);

	wire_put_u32(writer, HBD_PACKET_MAGIC);
	wire_put_u8(writer, header->version);
	wire_put_u8(writer, (uint8_t)header->type);
	wire_put_u8(writer, header->key_id);
	wire_put_u8(writer, header->flags);
	wire_put_u32(writer, header->cluster_id);
	wire_put_u8(writer, header->source);
	wire_put_u8(writer, header->destination);
	wire_put_u8(writer, header->link);
	wire_put_u8(writer, (uint8_t)(body_bytes / 8));
	wire_put_u64(writer, header->sender_session);
	wire_put_u64(writer, header->receiver_session);
	wire_put_u64(writer, header->seq);
	assert(writer->length == HBD_HEADER_BYTES);
}

size_t hbd_packet_encode_hello(const struct hbd_header *header, const struct hbd_hello *hello,
			       uint8_t *bytes)
{
	struct wire_writer writer = { .bytes = bytes };

	assert(hello->key_count >= 1 && hello->key_count <= HBD_KEYS_MAX);
	put_header(&writer, header, HBD_HELLO_BYTES);
	wire_put_u8(&writer, hello->version_min);
	wire_put_u8(&writer, hello->version_max);
	wire_put_u8(&writer, hello->version);
	wire_put_u8(&writer, hello->key_count);
	wire_put_u32(&writer, hello->capabilities);
	wire_put_bytes(&writer, hello->key_ids, sizeof(hello->key_ids));
	wire_put_bytes(&writer, hello->nonce, sizeof(hello->nonce));
	wire_put_bytes(&writer, hello->answer, sizeof(hello->answer));
	wire_put_u64(&writer, hello->config_digest);
	wire_put_u64(&writer, 0);
	assert(writer.length == HBD_HEADER_BYTES + HBD_HELLO_BYTES);
	return writer.length;
}

static void put_group(struct wire_writer *writer, const struct hbd_group_entry *group)
{
	assert(group->role > HBD_ROLE_UNSET && group->role < HBD_ROLE_COUNT);
	wire_put_u16(writer, TLV_GROUP);
	wire_put_u16(writer, HBD_GROUP_BYTES);
	wire_put_u32(writer, group->id);
	wire_put_u8(writer, group->role);
	wire_put_u8(writer, group->flags);
	wire_put_u16(writer, group->priority);
	wire_put_u16(writer, group->health);
	wire_put_bytes(writer, group->station, HBD_STATION_BYTES);
	wire_put_u32(writer, group->since_s);
	wire_put_u64(writer, group->epoch);
}

size_t hbd_packet_encode_heartbeat(const struct hbd_header *header,
				   const struct hbd_heartbeat *heartbeat, uint8_t *bytes)
{
	struct wire_writer writer = { .bytes = bytes };

	assert(heartbeat->group_count <= HBD_GROUPS_MAX);
	put_header(&writer, header,
		   HBD_HEARTBEAT_BYTES + (size_t)heartbeat->group_count * HBD_GROUP_BYTES);
	wire_put_u64(&writer, heartbeat->hb_seq);
	wire_put_u64(&writer, heartbeat->granted_hb_seq);
	wire_put_u64(&writer, heartbeat->rx_newest);
	wire_put_u64(&writer, heartbeat->tx_time_us);
	wire_put_u64(&writer, heartbeat->echo_tx_time_us);
	wire_put_u32(&writer, heartbeat->echo_hold_us);
	wire_put_u32(&writer, heartbeat->rx_bitmap);
	wire_put_u32(&writer, heartbeat->interval_us);
	wire_put_u32(&writer, heartbeat->lease_us);
	wire_put_u8(&writer, heartbeat->node_state);
	wire_put_u8(&writer, heartbeat->fence);
	wire_put_u16(&writer, heartbeat->group_count);
	wire_put_u32(&writer, heartbeat->capabilities);
	wire_put_u64(&writer, heartbeat->config_digest);
	assert(writer.length == HBD_HEADER_BYTES + HBD_HEARTBEAT_BYTES);
	for (size_t i = 0; i < heartbeat->group_count; i++)
		put_group(&writer, &heartbeat->groups[i]);
	return writer.length;
}

/* The handshake is the same in all versions, so that two programs find out by it which they share. A
 * session's version is the session's to check. */
static bool has_version(const struct hbd_header *header)
{
	int major = header->version >> 4;

	return header->type <= HBD_PACKET_CONFIRM ? major == HBD_VERSION_HANDSHAKE : major > 0;
}

static enum hbd_drop check_header(const struct hbd_header *header, size_t length)
{
	if (!has_version(header))
		return HBD_DROP_VERSION;
	if (header->type <= HBD_PACKET_UNSET || header->type >= HBD_PACKET_TYPE_COUNT ||
	    (header->flags & ~HBD_FLAGS_KNOWN))
		return HBD_DROP_TYPE;

	size_t expected = HBD_HEADER_BYTES + header->body_bytes + HBD_TAG_BYTES;

	if (length != expected)
		return length < expected ? HBD_DROP_SHORT : HBD_DROP_LONG;
	return HBD_DROP_NONE;
}

enum hbd_drop hbd_packet_decode_header(const uint8_t *bytes, size_t length,
				       struct hbd_header *ret_header)
{
	struct wire_reader reader = { .bytes = bytes, .length = length };
	struct hbd_header header;
	enum hbd_drop drop;

	if (length > HBD_PACKET_BYTES_MAX)
		return HBD_DROP_LONG;
	if (length < HBD_HEADER_BYTES + HBD_TAG_BYTES)
		return HBD_DROP_SHORT;
	if (wire_get_u32(&reader) != HBD_PACKET_MAGIC)
		return HBD_DROP_MAGIC;
	header.version = wire_get_u8(&reader);
	header.type = (enum hbd_packet_type)wire_get_u8(&reader);
	header.key_id = wire_get_u8(&reader);
	header.flags = wire_get_u8(&reader);
	header.cluster_id = wire_get_u32(&reader);
	header.source = wire_get_u8(&reader);
	header.destination = wire_get_u8(&reader);
	header.link = wire_get_u8(&reader);
	header.body_bytes = (size_t)wire_get_u8(&reader) * 8;
	header.sender_session = wire_get_u64(&reader);
	header.receiver_session = wire_get_u64(&reader);
	header.seq = wire_get_u64(&reader);

	drop = check_header(&header, length);
	if (drop == HBD_DROP_NONE)
		*ret_header = header;
	return drop;
}

int hbd_packet_decode_hello(const uint8_t *body, size_t body_bytes, struct hbd_hello *ret_hello)
{
	struct wire_reader reader = { .bytes = body, .length = body_bytes };
	struct hbd_hello hello;

	hello.version_min = wire_get_u8(&reader);
	hello.version_max = wire_get_u8(&reader);
	hello.version = wire_get_u8(&reader);
	hello.key_count = wire_get_u8(&reader);
	hello.capabilities = wire_get_u32(&reader);
	wire_get_bytes(&reader, hello.key_ids, sizeof(hello.key_ids));
	wire_get_bytes(&reader, hello.nonce, sizeof(hello.nonce));
	wire_get_bytes(&reader, hello.answer, sizeof(hello.answer));
	hello.config_digest = wire_get_u64(&reader);

	uint64_t reserved = wire_get_u64(&reader);

	if (!wire_is_at_end(&reader) || reserved != 0)
		return -EBADMSG;
	if (hello.key_count < 1 || hello.key_count > HBD_KEYS_MAX)
		return -EBADMSG;
	if (hello.version_min == 0 || hello.version_min > hello.version_max)
		return -EBADMSG;
	*ret_hello = hello;
	return 0;
}

/* Reads the value of a group TLV; false if it is malformed. */
static bool get_group(struct wire_reader *reader, struct hbd_group_entry *ret_group)
{
	struct hbd_group_entry group;

	group.id = wire_get_u32(reader);
	group.role = wire_get_u8(reader);
	group.flags = wire_get_u8(reader) & HBD_GROUP_FLAGS_KNOWN;
	group.priority = wire_get_u16(reader);
	group.health = wire_get_u16(reader);
	wire_get_bytes(reader, group.station, HBD_STATION_BYTES);
	group.since_s = wire_get_u32(reader);
	group.epoch = wire_get_u64(reader);
	if (reader->failed || group.role <= HBD_ROLE_UNSET || group.role >= HBD_ROLE_COUNT ||
	    group.health > 1000)
		return false;
	*ret_group = group;
	return true;
}

/* Reads the TLVs behind the fixed part: exactly group_count groups, in any mix with others. */
static int get_tlvs(struct wire_reader *reader, struct hbd_heartbeat *heartbeat)
{
	uint16_t found = 0;

	while (!wire_is_at_end(reader)) {
		uint16_t type = wire_get_u16(reader);
		uint16_t length = wire_get_u16(reader);

		if (reader->failed || length < TLV_HEADER_BYTES || length % 8 != 0)
			return -EBADMSG;
		if (type == TLV_GROUP) {
			if (length != HBD_GROUP_BYTES || found >= heartbeat->group_count ||
			    !get_group(reader, &heartbeat->groups[found]))
				return -EBADMSG;
			found++;
		} else if (type & TLV_CRITICAL) {
			return -EBADMSG;
		} else {
			/* past the end is no end either: the next type cannot be read */
			wire_skip(reader, (size_t)length - TLV_HEADER_BYTES);
		}
	}
	return found == heartbeat->group_count ? 0 : -EBADMSG;
}

static bool node_state_is_known(uint8_t state)
{
	return state == HBD_NODE_QUIET || state == HBD_NODE_RUNNING ||
	       state == HBD_NODE_STOPPING || state == HBD_NODE_HOLDING || state == HBD_NODE_MAINTENANCE;
}

int hbd_packet_decode_heartbeat(const uint8_t *body, size_t body_bytes,
				struct hbd_heartbeat *ret_heartbeat)
{
	struct wire_reader reader = { .bytes = body, .length = body_bytes };
	struct hbd_heartbeat heartbeat;
	int error;

	heartbeat.hb_seq = wire_get_u64(&reader);
	heartbeat.granted_hb_seq = wire_get_u64(&reader);
	heartbeat.rx_newest = wire_get_u64(&reader);
	heartbeat.tx_time_us = wire_get_u64(&reader);
	heartbeat.echo_tx_time_us = wire_get_u64(&reader);
	heartbeat.echo_hold_us = wire_get_u32(&reader);
	heartbeat.rx_bitmap = wire_get_u32(&reader);
	heartbeat.interval_us = wire_get_u32(&reader);
	heartbeat.lease_us = wire_get_u32(&reader);
	heartbeat.node_state = wire_get_u8(&reader);
	heartbeat.fence = wire_get_u8(&reader);
	heartbeat.group_count = wire_get_u16(&reader);
	heartbeat.capabilities = wire_get_u32(&reader);
	heartbeat.config_digest = wire_get_u64(&reader);

	if (reader.failed || heartbeat.hb_seq == 0 || heartbeat.group_count > HBD_GROUPS_MAX)
		return -EBADMSG;
	if (!node_state_is_known(heartbeat.node_state))
		return -EBADMSG;
	error = get_tlvs(&reader, &heartbeat);
	if (error)
		return error;
	*ret_heartbeat = heartbeat;
	return 0;
}
