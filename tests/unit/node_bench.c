#include "node_bench.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN_NS (1000 * HBD_S_NS)

struct bench *bench_new(uint8_t self)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert(bench);
	bench->now_ns = BEGIN_NS;
	bench->peer_seed[0] = 6;
	bench->config = (struct hbd_node_config){
		.self = self,
		.cluster_id = 0xc1,
		.config_digest = 0xd1,
		.profile = hbd_profile_get(HBD_PROFILE_LAN),
		.link_count = 1,
		.group_count = 1,
		.key_count = 1,
		.fence = HBD_FENCE_KERNEL,
		.keys = { { .id = 1, .bytes = { 7 } } },
		.seed = { 5 },
	};
	for (uint32_t i = 0; i < HBD_GROUPS_MAX; i++)
		bench->config.groups[i] = (struct hbd_group_config){
			.id = BENCH_GROUP + i,
			.prefer = HBD_NO_PREFERENCE,
			.retry_ns = 30 * HBD_S_NS,
		};
	bench->word = (struct hbd_heartbeat){
		.node_state = HBD_NODE_RUNNING,
		.fence = HBD_FENCE_KERNEL,
		.config_digest = 0xd1,
		.group_count = 1,
		.groups = { { .id = BENCH_GROUP, .role = HBD_ROLE_SECONDARY,
			      .flags = HBD_GROUP_GRANTS, .priority = 100, .health = 1000 } },
	};
	return bench;
}

void bench_free(struct bench *bench)
{
	free(bench);
}

static void put_mail(struct bench *bench, struct hbd_event event, const uint8_t *bytes)
{
	struct bench_mail *mail = &bench->mails[bench->mail_count++];

	assert(bench->mail_count <= BENCH_QUEUE);
	mail->event = event;
	if (bytes)
		memcpy(mail->bytes, bytes, event.packet.length);
}

static void put_packet(struct bench *bench, const uint8_t *bytes, size_t length)
{
	put_mail(bench, (struct hbd_event){
		.type = HBD_EVENT_PACKET,
		.packet = { .length = length, .received_ns = bench->now_ns },
	}, bytes);
}

/* The peer's part of the handshake, and what it takes in of a heartbeat. */
static void peer_receives(struct bench *bench, const struct hbd_packet *packet)
{
	uint8_t bytes[HBD_PACKET_BYTES_MAX];
	struct hbd_received received;

	hbd_session_receive(&bench->peer, 0, packet->bytes, packet->length, &received);
	switch (received.verdict.receipt) {
	case HBD_RECEIPT_HELLO:
		put_packet(bench, bytes, hbd_session_answer(&bench->peer, 0, &received, 0xd1, bytes));
		break;
	case HBD_RECEIPT_KNOCK:
		put_packet(bench, bytes, hbd_session_offer(&bench->peer, 0, 0xd1, bytes));
		break;
	case HBD_RECEIPT_ACK:
		put_packet(bench, bytes, hbd_session_confirm(&bench->peer, 0, bytes));
		break;
	case HBD_RECEIPT_HEARTBEAT:
		bench->said = received.heartbeat;
		if (!bench->deaf && received.header.type == HBD_PACKET_HEARTBEAT)
			bench->heard_hb_seq = received.heartbeat.hb_seq;
		break;
	case HBD_RECEIPT_UNSET:
	case HBD_RECEIPT_DROPPED:
	case HBD_RECEIPT_CONFIRM:
	case HBD_RECEIPT_VERSION:
		break;
	}
}

static void answer_as_stranger(struct bench *bench)
{
	struct hbd_event answer = { .type = HBD_EVENT_ANSWER, .address = 2 };

	memcpy(answer.station, bench->stranger, sizeof(bench->stranger));
	put_mail(bench, answer, NULL);
}

static void carry_out(struct bench *bench, const struct hbd_action *action)
{
	bool reports = action->type == HBD_ACTION_ACQUIRE || action->type == HBD_ACTION_RELEASE ||
		       action->type == HBD_ACTION_RUN || action->type == HBD_ACTION_FORWARD;

	bench->counts[action->type]++;
	if (action->type == HBD_ACTION_ALERT)
		bench->alerts[action->alert.kind]++;
	if (action->type == HBD_ACTION_SEND && bench->talks)
		peer_receives(bench, &bench->actions.packets[action->packet]);
	if (action->type == HBD_ACTION_ASK && bench->gateway)
		put_mail(bench, (struct hbd_event){
			.type = HBD_EVENT_GATEWAY,
			.group = action->group,
		}, NULL);
	if ((action->type == HBD_ACTION_ASK || action->type == HBD_ACTION_DEFEND) &&
	    bench->stranger[0] != 0)
		answer_as_stranger(bench);
	if (action->type == HBD_ACTION_RESTORE && bench->results[HBD_ACTION_RESTORE] == 0)
		put_mail(bench, (struct hbd_event){
			.type = HBD_EVENT_RESTORED,
			.group = action->group,
		}, NULL);
	if (reports && !bench->hangs)
		put_mail(bench, (struct hbd_event){
			.type = HBD_EVENT_DONE,
			.done = { .id = action->id, .result = bench->results[action->type] },
		}, NULL);
}

static void step(struct bench *bench, const struct hbd_event *event)
{
	hbd_node_step(&bench->node, event, bench->now_ns, &bench->actions);
	for (size_t i = 0; i < bench->actions.count; i++)
		carry_out(bench, &bench->actions.items[i]);
}

void bench_event(struct bench *bench, struct hbd_event event)
{
	step(bench, &event);
	while (bench->mail_count > 0) {
		struct bench_mail mail = bench->mails[0];

		bench->mail_count--;
		memmove(&bench->mails[0], &bench->mails[1],
			bench->mail_count * sizeof(bench->mails[0]));
		if (mail.event.type == HBD_EVENT_PACKET)
			mail.event.packet.bytes = mail.bytes;
		step(bench, &mail.event);
	}
}

void bench_packet(struct bench *bench, const uint8_t *bytes, size_t length)
{
	bench_event(bench, (struct hbd_event){
		.type = HBD_EVENT_PACKET,
		.packet = { .bytes = bytes, .length = length, .received_ns = bench->now_ns },
	});
}

void bench_say(struct bench *bench)
{
	uint8_t bytes[HBD_PACKET_BYTES_MAX];
	struct hbd_heartbeat word = bench->word;

	if (!hbd_session_is_open(&bench->peer))
		return;
	word.hb_seq = ++bench->peer_hb_seq;
	if (word.granted_hb_seq == 0)
		word.granted_hb_seq = bench->heard_hb_seq;
	if (word.rx_newest == 0)
		word.rx_newest = bench->heard_hb_seq;
	word.rx_bitmap = UINT32_MAX;
	if (word.tx_time_us == 0)
		word.tx_time_us = (uint64_t)(bench->now_ns / HBD_US_NS);
	word.echo_hold_us = UINT32_MAX;
	bench_packet(bench, bytes, hbd_session_heartbeat(&bench->peer, 0, 0, &word, bytes));
}

void bench_goodbye(struct bench *bench, bool will)
{
	uint8_t bytes[HBD_PACKET_BYTES_MAX];
	struct hbd_heartbeat word = bench->word;

	word.hb_seq = UINT64_MAX;
	bench_packet(bench, bytes, hbd_session_goodbye(&bench->peer, 0, will, &word, bytes));
	bench->talks = false;
}

void bench_let(struct bench *bench, int64_t duration_ns)
{
	int64_t until_ns = bench->now_ns + duration_ns;

	for (;;) {
		int64_t next_ns = hbd_node_deadline_ns(&bench->node);

		if (bench->talks)
			next_ns = hbd_time_min(next_ns, bench->talk_ns);
		if (next_ns > until_ns)
			break;
		bench->now_ns = hbd_time_max(next_ns, bench->now_ns);
		if (bench->talks && bench->talk_ns <= bench->now_ns) {
			bench->talk_ns = bench->now_ns + bench->config.profile.interval_ns / 2;
			bench_say(bench);
		}
		bench_event(bench, (struct hbd_event){ .type = HBD_EVENT_TICK });
	}
	bench->now_ns = until_ns;
}

void bench_start(struct bench *bench)
{
	hbd_session_init(&bench->peer, (uint8_t)(1 - bench->config.self), bench->config.link_count,
			 bench->config.cluster_id, bench->config.keys, bench->config.key_count,
			 bench->peer_seed);
	hbd_node_init(&bench->node, &bench->config, bench->now_ns);
	bench->talk_ns = bench->now_ns;
	for (uint8_t link = 0; link < bench->config.link_count; link++)
		bench_event(bench, (struct hbd_event){
			.type = HBD_EVENT_LINK,
			.link = link,
			.link_state = { .usable = true },
		});
}

void bench_meet(struct bench *bench)
{
	bench_start(bench);
	bench->talks = true;
	bench_let(bench, bench->config.profile.quiet_ns);
	assert(hbd_session_is_open(&bench->node.session));
	assert(bench_group(bench)->role == HBD_ROLE_SECONDARY);
}

void bench_serve(struct bench *bench)
{
	bench_meet(bench);
	bench_let(bench, 3 * HBD_S_NS);
	assert(bench_group(bench)->role == HBD_ROLE_PRIMARY);
	memset(bench->counts, 0, sizeof(bench->counts));
	memset(bench->alerts, 0, sizeof(bench->alerts));
}
