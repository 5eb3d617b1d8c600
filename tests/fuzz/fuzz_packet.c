/*
 * Any datagram: as it comes, and again with a valid seal, so that what lies behind the seal is
 * reached too. What is not authentic must change nothing; what is must not break anything.
 *
 * First byte: which seal. The rest: the datagram without its tag.
 */
#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "../../hbd/core/node.h"
#include "../../hbd/core/time.h"

enum sealing { UNSEALED, HANDSHAKE, SESSION, SEALINGS };

struct pair {
	struct hbd_node_config config[HBD_NODES];
	struct hbd_node nodes[HBD_NODES];
	struct hbd_actions actions;
	int64_t now_ns;
};

static void configure(struct hbd_node_config *config, uint8_t self)
{
	memset(config, 0, sizeof(*config));
	config->self = self;
	config->cluster_id = 7;
	config->profile = hbd_profile_get(HBD_PROFILE_LAN);
	config->link_count = 2;
	config->group_count = 2;
	config->key_count = 1;
	config->keys[0].id = 1;
	config->seed[0] = (uint8_t)(self + 1);
	for (uint8_t i = 0; i < 2; i++) {
		config->groups[i].id = 100u + i;
		config->groups[i].retry_ns = HBD_S_NS;
	}
}

static void deliver(struct pair *pair, uint8_t to, const uint8_t *bytes, size_t length)
{
	const struct hbd_event event = {
		.type = HBD_EVENT_PACKET,
		.packet = { bytes, length, pair->now_ns },
	};

	hbd_node_step(&pair->nodes[to], &event, pair->now_ns, &pair->actions);
}

/* Delivers what the step just taken sends on link 0, and what that brings about. */
static void exchange(struct pair *pair, uint8_t from, int depth)
{
	const struct hbd_actions sent = pair->actions;

	for (size_t i = 0; depth > 0 && i < sent.count; i++) {
		const struct hbd_action *action = &sent.items[i];

		if (action->type != HBD_ACTION_SEND || action->link != 0)
			continue;
		deliver(pair, (uint8_t)(1 - from), sent.packets[action->packet].bytes,
			sent.packets[action->packet].length);
		exchange(pair, (uint8_t)(1 - from), depth - 1);
	}
}

static void make_pair(struct pair *pair)
{
	pair->now_ns = HBD_S_NS;
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		configure(&pair->config[i], i);
		hbd_node_init(&pair->nodes[i], &pair->config[i], pair->now_ns);
	}
	for (int round = 0; round < 12; round++) {
		pair->now_ns += 100 * HBD_MS_NS;
		for (uint8_t i = 0; i < HBD_NODES; i++) {
			hbd_node_step(&pair->nodes[i], &(struct hbd_event){ .type = HBD_EVENT_TICK },
				      pair->now_ns, &pair->actions);
			exchange(pair, i, 4);
		}
	}
	assert(hbd_session_is_open(&pair->nodes[0].session));
	assert(hbd_session_is_open(&pair->nodes[1].session));
}

static size_t seal(const struct pair *pair, enum sealing sealing, uint8_t *bytes, size_t length)
{
	struct hbd_seal key;

	if (sealing == UNSEALED || length + HBD_TAG_BYTES > HBD_PACKET_BYTES_MAX)
		return length;
	if (sealing == HANDSHAKE)
		hbd_seal_handshake(&pair->config[0].keys[0], 7, 0, &key);
	else
		key = pair->nodes[1].session.running.rx;
	return hbd_seal_close(&key, bytes, length);
}

/* What an outsider must not be able to change. */
static void check_untouched(const struct hbd_node *before, const struct hbd_node *after)
{
	assert(memcmp(&before->session, &after->session, sizeof(after->session)) == 0);
	assert(memcmp(before->groups, after->groups, sizeof(after->groups)) == 0);
	assert(before->peer_hb_seq == after->peer_hb_seq);
	assert(before->detector.last_rx_ns == after->detector.last_rx_ns);
	assert(hbd_node_deadline_ns(before) == hbd_node_deadline_ns(after));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pair fresh, pair;	/* made once: a handshake costs more than the packet */
	uint8_t bytes[HBD_PACKET_BYTES_MAX + HBD_TAG_BYTES];
	enum sealing sealing;
	size_t length;

	if (fresh.now_ns == 0) {
		assert(sodium_init() >= 0);
		make_pair(&fresh);
	}
	if (size < 1 || size - 1 > sizeof(bytes) - HBD_TAG_BYTES)
		return 0;
	pair = fresh;
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		pair.nodes[i].config = &pair.config[i];
		pair.nodes[i].session.keys = pair.config[i].keys;
		pair.nodes[i].session.seed = pair.config[i].seed;
		pair.nodes[i].detector.profile = &pair.config[i].profile;
	}

	const struct hbd_node before = pair.nodes[1];

	sealing = (enum sealing)(data[0] % SEALINGS);
	memcpy(bytes, data + 1, size - 1);
	length = seal(&pair, sealing, bytes, size - 1);
	deliver(&pair, 1, bytes, length);
	if (sealing == UNSEALED)
		check_untouched(&before, &pair.nodes[1]);
	pair.now_ns += HBD_S_NS;
	hbd_node_step(&pair.nodes[1], &(struct hbd_event){ .type = HBD_EVENT_TICK },
		      pair.now_ns, &pair.actions);
	return 0;
}
