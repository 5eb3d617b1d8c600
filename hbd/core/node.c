#include "node_internal.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "time.h"

static uint32_t name_id(const char *name)
{
	uint8_t hash[crypto_generichash_BYTES];

	crypto_generichash(hash, sizeof(hash), (const uint8_t *)name, strlen(name), NULL, 0);
	return (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
}

uint32_t hbd_group_id(const char *name)
{
	return name_id(name);
}

uint32_t hbd_cluster_id(const char *name)
{
	return name_id(name);
}

struct hbd_action *node_act(struct hbd_actions *actions, enum hbd_action_type type)
{
	assert(actions->count < HBD_ACTIONS_MAX);

	struct hbd_action *action = &actions->items[actions->count++];

	memset(action, 0, sizeof(*action));
	action->type = type;
	action->group = HBD_GROUPS_MAX;
	return action;
}

struct hbd_action *node_alert(struct hbd_actions *actions, enum hbd_alert kind,
			      enum hbd_severity severity)
{
	struct hbd_action *action = node_act(actions, HBD_ACTION_ALERT);

	action->alert.kind = kind;
	action->alert.severity = severity;
	return action;
}

uint64_t node_new_id(struct hbd_node *node)
{
	return ++node->next_id;
}

bool node_peer_present(const struct hbd_node *node)
{
	enum hbd_peer_state state = hbd_node_peer_state(node);

	return state == HBD_PEER_ALIVE || state == HBD_PEER_SUSPICIOUS;
}

enum hbd_peer_state hbd_node_peer_state(const struct hbd_node *node)
{
	return hbd_detector_state(&node->detector, node->now_ns);
}

static void init_group(struct hbd_node *node, uint8_t index, int64_t now_ns)
{
	const struct hbd_group_config *config = &node->config->groups[index];
	struct hbd_group *group = &node->groups[index];

	group->role = HBD_ROLE_QUIET;
	group->reason = HBD_REASON_START;
	group->since_ns = now_ns;
	group->health = 1000;
	group->epoch = node->config->epoch_floor;
	group->unowned_since_ns = HBD_NEVER_NS;
	group->retry_ns = HBD_NEVER_NS;
	hbd_takeover_init(&group->plan, config->steps, config->step_count);
}

void hbd_node_init(struct hbd_node *node, const struct hbd_node_config *config, int64_t now_ns)
{
	assert(config->link_count >= 1 && config->link_count <= HBD_LINKS_MAX);
	assert(config->group_count >= 1 && config->group_count <= HBD_GROUPS_MAX);

	memset(node, 0, sizeof(*node));
	node->config = config;
	node->fence = config->fence;
	node->started_ns = now_ns;
	node->alone_since_ns = now_ns;
	node->now_ns = now_ns;
	node->ticked_ns = now_ns - 1;
	node->next_send_ns = now_ns;
	node->next_offer_ns = now_ns;
	node->next_attempt_ns = now_ns;
	node->next_probe_ns = now_ns;
	for (uint8_t i = 0; i < HBD_LINKS_MAX; i++)
		node->links_bad_since_ns[i] = HBD_NEVER_NS;
	hbd_session_init(&node->session, config->self, config->link_count, config->cluster_id,
			 config->keys, config->key_count, config->seed);
	node->jitter = node->session.own_session;
	hbd_detector_init(&node->detector, &config->profile, now_ns);
	for (uint8_t i = 0; i < config->group_count; i++)
		init_group(node, i, now_ns);
}

/* What the peer did not do may wait in the sockets, or have begun this moment. */
static void restart_patience(struct hbd_node *node, struct hbd_group *group)
{
	if (group->resigned && group->resigned_until_ns != HBD_NEVER_NS)
		node_await_taking(node, group);
	if (group->unowned_since_ns != HBD_NEVER_NS)
		group->unowned_since_ns = node->now_ns;
}

/*
 * What was slept through is no evidence. After a stall as long as a lease the peer may have claimed
 * and, having heard nothing, gone over to long leases: until it is heard, only their end makes a
 * claim on silence safe.
 */
static void take_stall(struct hbd_node *node, int64_t late_ns)
{
	const struct hbd_profile *profile = &node->config->profile;

	hbd_detector_stalled(&node->detector, late_ns, node->now_ns);
	for (uint8_t i = 0; i < node->config->group_count; i++)
		restart_patience(node, &node->groups[i]);
	if (late_ns < profile->grant_ns)
		return;
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		struct hbd_group *group = &node->groups[i];

		node_hold_claims(node, group);
		if (!node->detector.gone)
			group->hold_until_ns = hbd_time_add(node->now_ns, profile->alone_ns);
	}
}

static void take_link(struct hbd_node *node, uint8_t link, bool usable)
{
	uint8_t bit = (uint8_t)(1u << link);

	if (usable && !(node->links_usable & bit))
		node->news = true;
	node->links_usable = (uint8_t)(usable ? node->links_usable | bit
					      : node->links_usable & ~bit);
}

static void take_missing(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];

	if (!hbd_node_holds(node, index))
		return;
	node_act(actions, HBD_ACTION_RESTORE)->group = index;
	node_act(actions, HBD_ACTION_ANNOUNCE)->group = index;
	/* someone who deletes it again and again is told about once a minute */
	if (group->restored_alert_ns != 0 &&
	    node->now_ns < hbd_time_add(group->restored_alert_ns, 60 * HBD_S_NS))
		return;
	group->restored_alert_ns = node->now_ns;
	node_alert(actions, HBD_ALERT_ADDRESS_RESTORED, HBD_SEVERITY_WARNING)->group = index;
}

static void take_event(struct hbd_node *node, const struct hbd_event *event,
		       struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[event->group % HBD_GROUPS_MAX];

	switch (event->type) {
	case HBD_EVENT_TICK:
		break;
	case HBD_EVENT_STALLED:
		take_stall(node, event->stalled.late_ns);
		break;
	case HBD_EVENT_PACKET:
		node_receive(node, event, actions);
		break;
	case HBD_EVENT_LINK:
		take_link(node, event->link, event->link_state.usable);
		break;
	case HBD_EVENT_UNREACHABLE:
		node->unreachable++;
		break;
	case HBD_EVENT_FAULT:
		node_set_fault(node, event->group, event->fault.fault, event->fault.present,
			       actions);
		break;
	case HBD_EVENT_HEALTH:
		group->health = event->health.health;
		node->news = true;
		break;
	case HBD_EVENT_MISSING:
		take_missing(node, event->group, actions);
		break;
	case HBD_EVENT_STATION:
		memcpy(group->asking.station, event->station, HBD_STATION_BYTES);
		node->news = true;
		break;
	case HBD_EVENT_ANSWER:
		node_take_answer(node, event->group, event->station, actions);
		break;
	case HBD_EVENT_FENCE:
		node->fence = event->fence;
		node->news = true;
		break;
	case HBD_EVENT_DONE:
		node_done(node, event->done.id, event->done.result, actions);
		break;
	case HBD_EVENT_SWITCHOVER:
		if (hbd_node_may_switch(node, event->group) == 0)
			node_cause(node, event->group, HBD_CAUSE_SWITCHOVER,
				   HBD_REASON_SWITCHOVER, actions);
		break;
	case HBD_EVENT_STOP:
		node->stopping = true;
		break;
	case HBD_EVENT_UNSET:
	case HBD_EVENT_TYPE_COUNT:
		assert(!"an event has a type");
	}
}

/* Stopped for good once nothing is held and no release plugin runs. */
static void finish_stop(struct hbd_node *node, struct hbd_actions *actions)
{
	for (uint8_t i = 0; i < node->config->group_count; i++)
		if (node->groups[i].role != HBD_ROLE_STOPPED ||
		    node->groups[i].plan.kind != HBD_PLAN_NONE)
			return;
	if (hbd_session_is_open(&node->session))
		node_send_goodbye(node, actions);
	node_act(actions, HBD_ACTION_STOPPED);
	node->stopped = true;
}

void hbd_node_step(struct hbd_node *node, const struct hbd_event *event, int64_t now_ns,
		   struct hbd_actions *ret_actions)
{
	bool ticking = event->type == HBD_EVENT_TICK;

	assert(now_ns >= node->now_ns);
	ret_actions->count = 0;
	ret_actions->packet_count = 0;
	node->now_ns = now_ns;
	if (ticking)
		node->ticked_ns = now_ns;
	if (node->stopped)
		return;

	/* first of all: a lease that is over is over, whatever else has happened meanwhile */
	node_check_leases(node, ret_actions);
	take_event(node, event, ret_actions);
	node_judge_groups(node, ret_actions, ticking);
	if (ticking) {
		node_ask_due(node, ret_actions);
		node_watch_peer(node, ret_actions);
		node_watch_links(node, ret_actions);
	}
	if (node->wills_due && hbd_session_is_open(&node->session))
		node_store_wills(node, ret_actions);
	/* the claim goes out before the addresses are touched, so that a rival lets go first */
	node_send_due(node, ret_actions, ticking);
	node_run_plans(node, ret_actions);
	if (node->stopping)
		finish_stop(node, ret_actions);
}

int64_t hbd_node_deadline_ns(const struct hbd_node *node)
{
	int64_t deadline_ns;

	if (node->stopped)
		return HBD_NEVER_NS;
	deadline_ns = node_send_deadline_ns(node);
	for (uint8_t i = 0; i < node->config->group_count; i++)
		deadline_ns = hbd_time_min(deadline_ns, node_group_deadline_ns(node, i));
	return deadline_ns;
}

bool hbd_node_holds(const struct hbd_node *node, uint8_t group)
{
	const struct hbd_group *state = &node->groups[group];

	assert(group < node->config->group_count);
	return state->role == HBD_ROLE_PRIMARY ||
	       (state->role == HBD_ROLE_CLAIMING && state->plan.addresses_on);
}

int hbd_node_may_switch(const struct hbd_node *node, uint8_t group)
{
	const struct hbd_group *state = &node->groups[group];

	assert(group < node->config->group_count);
	if (!hbd_role_owns(state->role))
		return -EPERM;
	if (state->role == HBD_ROLE_CLAIMING || state->plan.kind != HBD_PLAN_NONE)
		return -EBUSY;
	if (hbd_node_peer_state(node) != HBD_PEER_ALIVE || !node->peer_running)
		return -EHOSTDOWN;
	if (node->mismatch & HBD_MISMATCH_CONFIG)
		return -EINVAL;
	if (!state->peer.known || state->peer.role != HBD_ROLE_SECONDARY ||
	    (state->peer.flags & (HBD_GROUP_FAULT_HARD | HBD_GROUP_FAULT_SOFT)))
		return -ENODEV;
	return 0;
}
