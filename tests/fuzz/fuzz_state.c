/*
 * Any state from a former process: refused as a whole, with a sentence, or a node that goes on from it
 * through ticks, stalls and a planned move without a failed assertion.
 *
 * First byte: 0 a state as it is; 1 one with its checksum set right; 2 and above: bytes to change in
 * the body of a fresh one, three for each: offset and what to change there.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "../../hbd/core/resume.h"
#include "../../hbd/core/time.h"
#include "../../hbd/flight/state.h"

#define ORIGIN "here"
#define BEGIN_NS (1000 * HBD_S_NS)
#define STEPS 400

struct pair {
	struct hbd_node_config config[HBD_NODES];
	struct hbd_node nodes[HBD_NODES];
	struct hbd_actions actions[8];	/* by depth */
	int64_t now_ns;
};

static void configure(struct hbd_node_config *config, uint8_t self)
{
	*config = (struct hbd_node_config){
		.self = self,
		.cluster_id = 7,
		.profile = hbd_profile_get(HBD_PROFILE_LAN),
		.link_count = 2,
		.group_count = 2,
		.key_count = 1,
		.keys = { { .id = 1 } },
		.seed = { (uint8_t)(self + 1) },
	};
	for (uint8_t i = 0; i < 2; i++) {
		config->groups[i].id = 100u + i;
		config->groups[i].prefer = i;
		config->groups[i].retry_ns = HBD_S_NS;
		config->groups[i].step_count = 1;
		config->groups[i].steps[0] = (struct hbd_step_config){
			HBD_ORDER_AFTER, HBD_ON_FAILURE_CONTINUE, HBD_S_NS, true };
	}
}

/* An event, and what follows from it at once; peer: its packets reach the other node. */
static void happen(struct pair *pair, uint8_t node, const struct hbd_event *event, size_t depth,
		   bool peer)
{
	struct hbd_actions *actions = &pair->actions[depth];

	hbd_node_step(&pair->nodes[node], event, pair->now_ns, actions);
	for (size_t i = 0; depth + 1 < 8 && i < actions->count; i++) {
		const struct hbd_action *action = &actions->items[i];
		const struct hbd_packet *packet = &actions->packets[action->packet % HBD_PACKETS_MAX];
		const struct hbd_event arrival = {
			.type = HBD_EVENT_PACKET,
			.link = action->link,
			.packet = { packet->bytes, packet->length, pair->now_ns },
		};
		const struct hbd_event end = { .type = HBD_EVENT_DONE, .done = { action->id, 0 } };

		if (action->type == HBD_ACTION_SEND && peer)
			happen(pair, (uint8_t)(1 - node), &arrival, depth + 1, peer);
		else if (action->type != HBD_ACTION_SEND && action->id != 0)
			happen(pair, node, &end, depth + 1, peer);
	}
}

static void pass(struct pair *pair, unsigned steps, bool peer)
{
	const struct hbd_event tick = { .type = HBD_EVENT_TICK };

	for (unsigned i = 0; i < steps; i++) {
		pair->now_ns += 10 * HBD_MS_NS;
		happen(pair, 0, &tick, 0, peer);
		if (peer)
			happen(pair, 1, &tick, 0, peer);
	}
}

/* Both serve a group. */
static struct pair *make_pair(void)
{
	static struct pair pair;

	pair.now_ns = BEGIN_NS;
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		configure(&pair.config[i], i);
		hbd_node_init(&pair.nodes[i], &pair.config[i], pair.now_ns);
	}
	pass(&pair, STEPS, true);
	return &pair;
}

/* ---- what is done with it ------------------------------------------------------------------------- */

static void go_on(const struct flight_state *state)
{
	static struct pair pair;
	const struct hbd_event stalled = { .type = HBD_EVENT_STALLED,
					   .stalled.late_ns = HBD_S_NS };
	const struct hbd_event hold = { .type = HBD_EVENT_HOLD, .hold.term_ns = 2 * HBD_S_NS };
	const struct hbd_event stop = { .type = HBD_EVENT_STOP };

	configure(&pair.config[0], 0);
	pair.now_ns = hbd_time_add(state->node.now_ns, HBD_MS_NS);
	if (hbd_node_resume(&pair.nodes[0], &pair.config[0], &state->node, pair.now_ns) < 0)
		return;
	pass(&pair, 20, false);
	happen(&pair, 0, &stalled, 0, false);
	pass(&pair, 20, false);
	happen(&pair, 0, &(struct hbd_event){ .type = HBD_EVENT_SWITCHOVER }, 0, false);
	happen(&pair, 0, &hold, 0, false);
	pass(&pair, 20, false);
	happen(&pair, 0, &stop, 0, false);
	pass(&pair, 20, false);
}

static void read(const uint8_t *bytes, size_t length)
{
	static struct flight_state state;
	char why[FLIGHT_WHY_BYTES] = "";

	if (flight_state_read(bytes, length, ORIGIN, &state, why) == 0)
		go_on(&state);
	else if (!why[0])
		abort();
}

static size_t body_at(const uint8_t *bytes, size_t length)
{
	const uint8_t *first = memchr(bytes, '\n', length);
	const uint8_t *second = memchr(first + 1, '\n', length - (size_t)(first + 1 - bytes));

	return (size_t)(second + 1 - bytes);
}

static void read_changed(const uint8_t *data, size_t size)
{
	static uint8_t *fresh;
	static size_t length;
	uint8_t *bytes;
	size_t body;

	if (!fresh && flight_state_write(ORIGIN, &make_pair()->nodes[0], &fresh, &length) < 0)
		abort();
	bytes = malloc(length);
	memcpy(bytes, fresh, length);
	body = body_at(bytes, length);
	for (size_t at = 0; at + 3 <= size; at += 3)
		bytes[body + ((size_t)data[at] << 8 | data[at + 1]) % (length - body)] ^= data[at + 2];
	flight_state_seal(bytes, length);
	read(bytes, length);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes;

	if (sodium_init() < 0)
		abort();
	if (size < 1)
		return 0;
	if (data[0] > 1) {
		read_changed(data + 1, size - 1);
		return 0;
	}
	/* of its very length, so that a byte too far is noticed */
	bytes = malloc(size);
	memcpy(bytes, data + 1, size - 1);
	if (data[0] == 1)
		flight_state_seal(bytes, size - 1);
	read(bytes, size - 1);
	free(bytes);
	return 0;
}
