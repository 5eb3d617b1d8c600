/*
 * Any stream of events into one core: whatever the world does to it, no assertion fails, it never
 * holds addresses without a lease, and it always lets go when it is told to stop.
 *
 * Each event is a byte for its type, a byte for the time since the last, and one for its detail.
 */
#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "../../hbd/core/node.h"
#include "../../hbd/core/time.h"

#define IDS_MAX 64

struct fuzzed {
	struct hbd_node_config config;
	struct hbd_node node;
	struct hbd_actions actions;
	int64_t now_ns;
	uint64_t pending[IDS_MAX];
	size_t pending_count;
	bool addresses[2];
	bool stopped;
};

static void configure(struct hbd_node_config *config)
{
	config->cluster_id = 7;
	config->profile = hbd_profile_get(HBD_PROFILE_FAST);
	config->link_count = 2;
	config->group_count = 2;
	config->key_count = 1;
	config->keys[0].id = 1;
	for (uint8_t i = 0; i < 2; i++) {
		config->groups[i].id = 100u + i;
		config->groups[i].retry_ns = HBD_S_NS;
		config->groups[i].step_count = 2;
		config->groups[i].steps[0] = (struct hbd_step_config){
			HBD_ORDER_BEFORE, HBD_ON_FAILURE_ABORT, HBD_S_NS };
		config->groups[i].steps[1] = (struct hbd_step_config){
			HBD_ORDER_AFTER, HBD_ON_FAILURE_CONTINUE, HBD_S_NS };
	}
}

static void take_actions(struct fuzzed *fuzzed)
{
	for (size_t i = 0; i < fuzzed->actions.count; i++) {
		const struct hbd_action *action = &fuzzed->actions.items[i];

		if (action->type == HBD_ACTION_ACQUIRE)
			fuzzed->addresses[action->group] = true;
		if (action->type == HBD_ACTION_RELEASE)
			fuzzed->addresses[action->group] = false;
		if (action->type == HBD_ACTION_STOPPED)
			fuzzed->stopped = true;
		if (action->type == HBD_ACTION_ANNOUNCE)
			assert(fuzzed->addresses[action->group]);
		if (action->id != 0 && action->type != HBD_ACTION_CANCEL)
			fuzzed->pending[fuzzed->pending_count++ % IDS_MAX] = action->id;
	}
	for (uint8_t i = 0; i < 2; i++) {
		const struct hbd_group *group = &fuzzed->node.groups[i];

		assert(hbd_role_owns(group->role) == group->lease.held);
		assert(!hbd_node_holds(&fuzzed->node, i) || fuzzed->addresses[i]);
	}
}

static void step(struct fuzzed *fuzzed, const struct hbd_event *event)
{
	hbd_node_step(&fuzzed->node, event, fuzzed->now_ns, &fuzzed->actions);
	take_actions(fuzzed);
	assert(fuzzed->stopped || hbd_node_deadline_ns(&fuzzed->node) > 0);
}

static void play(struct fuzzed *fuzzed, const uint8_t *data)
{
	struct hbd_event event = {
		.type = (enum hbd_event_type)(1 + data[0] % (HBD_EVENT_TYPE_COUNT - 1)),
		.link = data[2] & 1,
		.group = data[2] >> 1 & 1,
	};

	fuzzed->now_ns += ((int64_t)1 << data[1] % 33);
	switch (event.type) {
	case HBD_EVENT_STALLED:
		event.stalled.late_ns = (int64_t)1 << data[2] % 34;
		break;
	case HBD_EVENT_PACKET:
		event.packet.bytes = data;
		event.packet.length = 3;
		event.packet.received_ns = fuzzed->now_ns;
		break;
	case HBD_EVENT_LINK:
		event.link_state.usable = data[2] & 4;
		break;
	case HBD_EVENT_FAULT:
		event.fault.fault = data[2] & 4 ? HBD_FAULT_INTERFACE : HBD_FAULT_CHECK;
		event.fault.present = data[2] & 8;
		break;
	case HBD_EVENT_HEALTH:
		event.health.health = (uint16_t)(data[2] * 3);
		break;
	case HBD_EVENT_DONE:
		event.done.id = fuzzed->pending[data[2] % IDS_MAX];
		event.done.result = data[1] & 64 ? -EIO : data[1] & 128 ? -EAGAIN : 0;
		break;
	case HBD_EVENT_UNSET:
	case HBD_EVENT_TICK:
	case HBD_EVENT_UNREACHABLE:
	case HBD_EVENT_MISSING:
	case HBD_EVENT_SWITCHOVER:
	case HBD_EVENT_STOP:
	case HBD_EVENT_TYPE_COUNT:
		break;
	}
	step(fuzzed, &event);
}

/* Every result comes in time, and it stops. */
static void stop(struct fuzzed *fuzzed)
{
	step(fuzzed, &(struct hbd_event){ .type = HBD_EVENT_STOP });
	for (int round = 0; round < 40 && !fuzzed->stopped; round++) {
		for (size_t i = 0; i < IDS_MAX; i++)
			step(fuzzed, &(struct hbd_event){ .type = HBD_EVENT_DONE,
							  .done = { fuzzed->pending[i], 0 } });
		fuzzed->now_ns += HBD_S_NS;
		step(fuzzed, &(struct hbd_event){ .type = HBD_EVENT_TICK });
	}
	assert(fuzzed->stopped);
	assert(!fuzzed->addresses[0] && !fuzzed->addresses[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzzed fuzzed;

	assert(sodium_init() >= 0);
	memset(&fuzzed, 0, sizeof(fuzzed));
	fuzzed.now_ns = HBD_S_NS;
	configure(&fuzzed.config);
	hbd_node_init(&fuzzed.node, &fuzzed.config, fuzzed.now_ns);
	for (size_t at = 0; at + 3 <= size && !fuzzed.stopped; at += 3)
		play(&fuzzed, data + at);
	if (!fuzzed.stopped)
		stop(&fuzzed);
	return 0;
}
