#include "player_parts.h"

static bool group_exists(const struct flight_player *player)
{
	return player->step.event.group < player->node.config->group_count;
}

/* What a programmer who makes events guarantees. */
static bool event_is_sound(const struct flight_player *player, const struct hbd_event *event)
{
	switch (event->type) {
	case HBD_EVENT_STALLED:
		return event->stalled.late_ns > 0;
	case HBD_EVENT_PACKET:
	case HBD_EVENT_LINK:
	case HBD_EVENT_UNREACHABLE:
		return event->link < player->node.config->link_count;
	case HBD_EVENT_FAULT:
		return group_exists(player) && (event->fault.fault & HBD_FAULTS_TOLD) &&
		       (event->fault.fault & (event->fault.fault - 1)) == 0;
	case HBD_EVENT_HEALTH:
	case HBD_EVENT_MISSING:
	case HBD_EVENT_RESTORED:
	case HBD_EVENT_STATION:
	case HBD_EVENT_ANSWER:
	case HBD_EVENT_GATEWAY:
	case HBD_EVENT_DRAINED:
	case HBD_EVENT_SWITCHOVER:
		return group_exists(player);
	case HBD_EVENT_WITNESS:
		return group_exists(player) && event->witness.result != HBD_WITNESS_NONE;
	case HBD_EVENT_LEAVE:
		return event->leave.patience_ns >= 0 && event->leave.patience_ns <= HBD_LEAVE_NS_MAX;
	case HBD_EVENT_HOLD:
		return event->hold.term_ns >= 0 && event->hold.term_ns <= HBD_PAUSE_NS_MAX;
	case HBD_EVENT_TICK:
	case HBD_EVENT_FENCE:
	case HBD_EVENT_MAINTENANCE:
	case HBD_EVENT_DONE:
	case HBD_EVENT_STOP:
		return true;
	case HBD_EVENT_UNSET:
	case HBD_EVENT_TYPE_COUNT:
		break;
	}
	return false;
}

/* ---- packets ------------------------------------------------------------------------------------- */

static bool type_fits(enum hbd_receipt receipt, enum hbd_packet_type type)
{
	switch (receipt) {
	case HBD_RECEIPT_HELLO:
		return type == HBD_PACKET_HELLO;
	case HBD_RECEIPT_KNOCK:
		return type == HBD_PACKET_KNOCK;
	case HBD_RECEIPT_VERSION:
		return type == HBD_PACKET_HELLO || type == HBD_PACKET_KNOCK;
	case HBD_RECEIPT_ACK:
		return type == HBD_PACKET_HELLO_ACK;
	case HBD_RECEIPT_CONFIRM:
		return type == HBD_PACKET_CONFIRM;
	case HBD_RECEIPT_HEARTBEAT:
		return type == HBD_PACKET_HEARTBEAT || type == HBD_PACKET_GOODBYE;
	case HBD_RECEIPT_UNSET:
	case HBD_RECEIPT_DROPPED:
		break;
	}
	return false;
}

/* The header counts the tag, which was not recorded. */
static bool decode(const struct flight_packet *packet, struct hbd_received *received)
{
	const uint8_t *body = packet->bytes + HBD_HEADER_BYTES;
	const struct hbd_header *header = &received->header;

	if (hbd_packet_decode_header(packet->bytes, packet->length + HBD_TAG_BYTES,
				     &received->header) != HBD_DROP_NONE ||
	    !type_fits(received->verdict.receipt, header->type))
		return false;
	if (received->verdict.receipt == HBD_RECEIPT_HEARTBEAT)
		return hbd_packet_decode_heartbeat(body, header->body_bytes,
						   &received->heartbeat) == 0;
	return hbd_packet_decode_hello(body, header->body_bytes, &received->hello) == 0;
}

static bool read_verdict(struct flight_player *player, struct hbd_verdict *verdict, char *why)
{
	if (flight_get(&player->reader) == 0)
		return flight_get_struct(player->file->schema, &player->reader, player->verdict,
					 verdict, 0, why);
	verdict->receipt = HBD_RECEIPT_HEARTBEAT;
	return !player->reader.failed;
}

static bool read_packet(struct flight_player *player, char *why)
{
	struct hbd_received *received = &player->step.received;
	struct flight_packet *packet = &player->packets[player->step.event.link];

	memset(received, 0, sizeof(*received));
	if (!read_verdict(player, &received->verdict, why))
		return false;
	player->step.event.opened = received;
	if (received->verdict.receipt == HBD_RECEIPT_DROPPED)
		return true;
	if (!flight_get_packet(&player->reader, packet) || !decode(packet, received))
		return flight_player_refuse(why, "a packet in it makes no sense");
	return true;
}

static bool read_plain(struct flight_player *player, enum hbd_event_type type, char *why)
{
	struct flight_step *step = &player->step;

	memset(&step->event, 0, sizeof(step->event));
	step->event.type = type;
	if (!flight_get_struct(player->file->schema, &player->reader, player->events[type],
			       &step->event, step->now_ns, why))
		return false;
	if (!event_is_sound(player, &step->event))
		return flight_player_refuse(why, "an event in it cannot be");
	return true;
}

bool flight_player_read_event(struct flight_player *player, enum hbd_event_type type, char *why)
{
	return read_plain(player, type, why) &&
	       (type != HBD_EVENT_PACKET || read_packet(player, why));
}

/* ---- a step that the process died in --------------------------------------------------------- */

static enum hbd_receipt likely_receipt(const struct flight_packet *packet)
{
	struct hbd_header header;

	if (hbd_packet_decode_header(packet->bytes, packet->length + HBD_TAG_BYTES, &header) !=
	    HBD_DROP_NONE)
		return HBD_RECEIPT_DROPPED;
	for (enum hbd_receipt receipt = HBD_RECEIPT_HELLO; receipt <= HBD_RECEIPT_HEARTBEAT; receipt++)
		if (type_fits(receipt, header.type))
			return receipt;
	return HBD_RECEIPT_DROPPED;
}

bool flight_player_read_last(struct flight_player *player, enum hbd_event_type type, char *why)
{
	struct hbd_received *received = &player->step.received;
	struct flight_reader *reader = &player->reader;
	struct flight_packet packet = { 0 };
	const uint8_t *bytes;

	if (!read_plain(player, type, why))
		return false;
	if (type != HBD_EVENT_PACKET)
		return true;
	packet.length = flight_get(reader);
	bytes = flight_get_bytes(reader, packet.length);
	if (!bytes || packet.length > HBD_PACKET_BYTES_MAX - HBD_TAG_BYTES)
		return flight_player_refuse(why, "the last packet in it is longer than any");
	memcpy(packet.bytes, bytes, packet.length);
	memset(received, 0, sizeof(*received));
	received->verdict.receipt = likely_receipt(&packet);
	received->verdict.fresh_offer = received->verdict.receipt == HBD_RECEIPT_HELLO ||
					received->verdict.receipt == HBD_RECEIPT_KNOCK;
	received->verdict.drop = HBD_DROP_SHORT;
	if (received->verdict.receipt != HBD_RECEIPT_DROPPED && !decode(&packet, received))
		received->verdict.receipt = HBD_RECEIPT_DROPPED;
	player->step.event.opened = received;
	return true;
}
