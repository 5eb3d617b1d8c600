#include "insider.h"

#include <string.h>

#include "../../hbd/core/time.h"

void insider_start(struct insider *insider, const struct hbd_node_config *config)
{
	insider->config = config;
	insider->self = (uint8_t)(1 - config->self);
	insider->seed[0]++;
	insider->hb_seq = 0;
	hbd_session_init(&insider->session, insider->self, config->link_count, config->cluster_id,
			 config->keys, config->key_count, insider->seed);
}

void insider_choose(struct insider *insider, const struct hbd_node *node, const uint8_t *choice)
{
	static const uint32_t terms_ms[] = { 0, 450, 4000, 60000 };
	struct insider_word *word = &insider->word;

	for (uint8_t i = 0; i < INSIDER_GROUPS; i++) {
		word->roles[i] = (uint8_t)(1 + (choice[0] >> 4 * i) % (HBD_ROLE_COUNT - 1));
		if (choice[3] & 0x40 << i)
			word->epochs[i] = node->groups[i].epoch + (choice[4] & 7);
	}
	word->flags = choice[1];
	word->state = (uint8_t)(1 + choice[2] % 3);
	word->lease_us = terms_ms[choice[2] >> 2 & 3] * 1000;
	word->behind = choice[2] >> 4;
	word->fence = (uint8_t)(choice[3] % 3);
	word->differs = choice[3] & 0x20;
	word->ahead_ns = (int64_t)(choice[4] >> 3) * (1 + choice[5]) * HBD_MS_NS;
}

static void note_number(struct insider *insider, const struct hbd_packet *packet)
{
	struct hbd_heartbeat heartbeat;
	struct hbd_header header;

	if (hbd_packet_decode_header(packet->bytes, packet->length, &header) != HBD_DROP_NONE ||
	    header.type != HBD_PACKET_HEARTBEAT ||
	    hbd_packet_decode_heartbeat(packet->bytes + HBD_HEADER_BYTES, header.body_bytes,
					&heartbeat) != 0)
		return;
	if (heartbeat.hb_seq > insider->heard)
		insider->heard = heartbeat.hb_seq;
}

size_t insider_hear(struct insider *insider, uint8_t link, const struct hbd_packet *packet,
		    uint8_t *bytes)
{
	struct hbd_session *session = &insider->session;
	struct hbd_received received;

	note_number(insider, packet);
	hbd_session_receive(session, link, packet->bytes, packet->length, &received);
	if (received.verdict.receipt == HBD_RECEIPT_HELLO)
		return hbd_session_answer(session, link, &received, 1, bytes);
	if (received.verdict.receipt == HBD_RECEIPT_KNOCK)
		return insider_offer(insider, link, bytes);
	if (received.verdict.receipt == HBD_RECEIPT_ACK && session->next.open)
		return hbd_session_confirm(session, link, bytes);
	return 0;
}

static void fill(struct insider *insider, int64_t now_ns, struct hbd_heartbeat *ret_heartbeat)
{
	const struct insider_word *word = &insider->word;

	*ret_heartbeat = (struct hbd_heartbeat){
		.hb_seq = ++insider->hb_seq,
		.granted_hb_seq = insider->heard > word->behind ? insider->heard - word->behind : 0,
		.rx_newest = insider->heard,
		.rx_bitmap = UINT32_MAX,
		.tx_time_us = (uint64_t)((now_ns + word->ahead_ns) / HBD_US_NS),
		.interval_us = (uint32_t)(insider->config->profile.interval_ns / HBD_US_NS),
		.lease_us = word->lease_us,
		.node_state = word->state,
		.fence = word->fence,
		.config_digest = insider->config->config_digest + word->differs,
		.group_count = INSIDER_GROUPS,
	};
	for (uint8_t i = 0; i < INSIDER_GROUPS; i++)
		ret_heartbeat->groups[i] = (struct hbd_group_entry){
			.id = insider->config->groups[i].id,
			.role = word->roles[i],
			.flags = word->flags,
			.priority = 100,
			.health = 1000,
			.station = { 2, 0, 0, 0, 0, insider->self },
			.epoch = word->epochs[i],
		};
}

size_t insider_say(struct insider *insider, uint8_t link, uint8_t flags, int64_t now_ns,
		   uint8_t *bytes)
{
	struct hbd_heartbeat heartbeat;

	if (!hbd_session_is_open(&insider->session))
		return 0;
	fill(insider, now_ns, &heartbeat);
	return hbd_session_heartbeat(&insider->session, link, flags, &heartbeat, bytes);
}

size_t insider_leave(struct insider *insider, uint8_t link, bool will, uint8_t *bytes)
{
	struct hbd_heartbeat heartbeat;

	if (!hbd_session_is_open(&insider->session))
		return 0;
	fill(insider, 0, &heartbeat);
	heartbeat.hb_seq = UINT64_MAX;
	return hbd_session_goodbye(&insider->session, link, will, &heartbeat, bytes);
}

size_t insider_offer(struct insider *insider, uint8_t link, uint8_t *bytes)
{
	hbd_session_begin(&insider->session);
	return hbd_session_offer(&insider->session, link, 1, bytes);
}
