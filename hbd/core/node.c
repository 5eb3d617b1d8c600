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

bool node_knows_old_news(const struct hbd_node *node)
{
	return node->now_ns - node->detector.last_rx_ns >= node->config->profile.grant_ns;
}

bool node_awaits_news(const struct hbd_node *node)
{
	return node_knows_old_news(node) || node->peer_word_ns < node->woke_ns;
}

enum hbd_peer_state hbd_node_peer_state(const struct hbd_node *node)
{
	return hbd_detector_state(&node->detector, node->now_ns);
}

void node_init_group(struct hbd_node *node, uint8_t index, int64_t now_ns)
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
	group->failback.since_ns = HBD_NEVER_NS;
	hbd_takeover_init(&group->plan, config->steps, config->step_count);
	hbd_witness_init(&group->witness);
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
	node->next_renewal_ns = now_ns;
	node->next_probe_ns = now_ns;
	node->witness_answered_ns = now_ns;
	node->witness_poll_ns = now_ns;
	for (uint8_t i = 0; i < HBD_LINKS_MAX; i++)
		node->links_bad_since_ns[i] = HBD_NEVER_NS;
	hbd_session_init(&node->session, config->self, config->link_count, config->cluster_id,
			 config->keys, config->key_count, config->seed);
	hbd_session_speak(&node->session, config->version_max);
	node->jitter = node->session.own_session;
	hbd_detector_init(&node->detector, &config->profile, now_ns);
	hbd_pace_init(&node->pace);
	for (uint8_t i = 0; i < config->group_count; i++)
		node_init_group(node, i, now_ns);
	if (config->maintenance)
		node_begin_in_maintenance(node);
}

/* What the peer did not do may wait in the sockets, or have begun this moment. */
static void restart_patience(struct hbd_node *node, struct hbd_group *group)
{
	if (group->resigned)
		node_await_taking(node, group);
	if (group->unowned_since_ns != HBD_NEVER_NS)
		group->unowned_since_ns = node->now_ns;
}

/*
 * What was slept through is no evidence. After a stall as long as a lease the peer may have claimed
 * and, having heard nothing, gone over to long leases: until it is heard, only their end makes a
 * claim on silence safe.
 */
void node_take_stall(struct hbd_node *node, int64_t late_ns)
{
	const struct hbd_profile *profile = &node->config->profile;

	hbd_detector_stalled(&node->detector, late_ns, node->now_ns);
	if (late_ns >= profile->suspect_ns)
		node->woke_ns = node->now_ns;
	node->witness_answered_ns = hbd_time_min(hbd_time_add(node->witness_answered_ns, late_ns),
						 node->now_ns);
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		restart_patience(node, &node->groups[i]);
		hbd_witness_stalled(&node->groups[i].witness, late_ns, node->now_ns);
	}
	for (uint8_t i = 0; i < node->config->group_count && late_ns >= profile->grant_ns; i++)
		node_doubt_silence(node, &node->groups[i]);
}

bool hbd_node_is_deaf(const struct hbd_node *node)
{
	return node->links_closed == (1u << node->config->link_count) - 1;
}

static void take_link(struct hbd_node *node, uint8_t link, bool usable, bool closed)
{
	uint8_t bit = (uint8_t)(1u << link);
	bool was_deaf = hbd_node_is_deaf(node);

	if (usable && !(node->links_usable & bit))
		node->news = true;
	node->links_usable = (uint8_t)(usable ? node->links_usable | bit
					      : node->links_usable & ~bit);
	node->links_closed = (uint8_t)(closed ? node->links_closed | bit
					      : node->links_closed & ~bit);
	/* what was not listened to was not silence */
	for (uint8_t i = 0; was_deaf && !hbd_node_is_deaf(node) && i < node->config->group_count; i++)
		node_hold_claims(node, &node->groups[i]);
}

static void take_missing(const struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	if (hbd_node_holds(node, index))
		node_act(actions, HBD_ACTION_RESTORE)->group = index;
}

/* An address that cannot be put back is a fault, and told as one. */
static void take_restored(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];

	if (!hbd_node_holds(node, index))
		return;
	node_act(actions, HBD_ACTION_ANNOUNCE)->group = index;
	/* then it was not deleted, or not only: HEALED tells */
	if (group->faults & HBD_FAULT_PARTLY)
		return;
	/* someone who deletes it again and again is told about once a minute */
	if (group->restored_alert_ns != 0 &&
	    node->now_ns < hbd_time_add(group->restored_alert_ns, 60 * HBD_S_NS))
		return;
	group->restored_alert_ns = node->now_ns;
	node_alert(actions, HBD_ALERT_ADDRESS_RESTORED, HBD_SEVERITY_WARNING)->group = index;
}

/* A claim for which the kernel refused every address need not wait for its retry once it does not. */
static void take_fault(struct hbd_node *node, const struct hbd_event *event,
		       struct hbd_actions *actions)
{
	uint8_t faults = node->groups[event->group].faults;

	if (event->fault.fault == HBD_FAULT_REFUSED && !event->fault.present &&
	    (faults & HBD_FAULT_REFUSED))
		node_set_fault(node, event->group, HBD_FAULT_ADDRESS, false, actions);
	node_set_fault(node, event->group, event->fault.fault, event->fault.present, actions);
}

static void take_health(struct hbd_node *node, const struct hbd_event *event)
{
	node->groups[event->group].health = event->health.health;
	node_tell_rank(node, event->group);
}

static void take_fence(struct hbd_node *node, uint8_t fence)
{
	node->fence = fence;
	node->news = true;
}

static void take_switchover(struct hbd_node *node, uint8_t index)
{
	if (hbd_node_may_switch(node, index) == 0)
		node_offer(node, index, HBD_REASON_SWITCHOVER);
}

static void take_stop(struct hbd_node *node, bool orphaned)
{
	node->stopping = true;
	node->orphaned = orphaned;
}

static void take_event(struct hbd_node *node, const struct hbd_event *event,
		       struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[event->group % HBD_GROUPS_MAX];

	switch (event->type) {
	case HBD_EVENT_TICK:
		break;
	case HBD_EVENT_STALLED:
		node_take_stall(node, event->stalled.late_ns);
		break;
	case HBD_EVENT_PACKET:
		node_receive(node, event, actions);
		break;
	case HBD_EVENT_LINK:
		take_link(node, event->link, event->link_state.usable,
			  event->link_state.closed);
		break;
	case HBD_EVENT_UNREACHABLE:
		node->unreachable++;
		break;
	case HBD_EVENT_FAULT:
		take_fault(node, event, actions);
		break;
	case HBD_EVENT_HEALTH:
		take_health(node, event);
		break;
	case HBD_EVENT_MISSING:
		take_missing(node, event->group, actions);
		break;
	case HBD_EVENT_RESTORED:
		take_restored(node, event->group, actions);
		break;
	case HBD_EVENT_STATION:
		node_take_station(node, event->group, event->station);
		break;
	case HBD_EVENT_ANSWER:
		node_take_answer(node, event, actions);
		break;
	case HBD_EVENT_GATEWAY:
		node_take_gateway(node, event->group);
		break;
	case HBD_EVENT_FENCE:
		take_fence(node, event->fence);
		break;
	case HBD_EVENT_WITNESS:
		node_take_witness(node, event, actions);
		break;
	case HBD_EVENT_DONE:
		node_done(node, event->done.id, event->done.result, actions);
		break;
	case HBD_EVENT_DRAINED:
		group->handover.drained = group->role == HBD_ROLE_DRAINING;
		break;
	case HBD_EVENT_SWITCHOVER:
		take_switchover(node, event->group);
		break;
	case HBD_EVENT_MAINTENANCE:
		node_take_maintenance(node, event->maintenance, actions);
		break;
	case HBD_EVENT_LEAVE:
		node_take_leave(node, event->leave.on, event->leave.patience_ns, actions);
		break;
	case HBD_EVENT_HOLD:
		node_take_hold(node, event->hold.term_ns, actions);
		break;
	case HBD_EVENT_STOP:
		take_stop(node, event->orphaned);
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
	ret_actions->verdict = (struct hbd_verdict){ .receipt = HBD_RECEIPT_UNSET };
	node->now_ns = now_ns;
	if (ticking)
		node->ticked_ns = now_ns;
	if (node->stopped)
		return;

	/* first of all: a lease that is over is over, whatever else has happened meanwhile */
	node_check_leases(node, ret_actions);
	take_event(node, event, ret_actions);
	if (node->stopped)
		return;		/* reborn: not another word */
	node_judge_groups(node, ret_actions, ticking);
	node_judge_hold(node, ret_actions, ticking);
	if (ticking) {
		node_ask_due(node, ret_actions);
		node_conflict_due(node, ret_actions);
		node_witness_due(node, ret_actions);
		node_watch_peer(node, ret_actions);
		node_watch_links(node, ret_actions);
	}
	if (node->wills_due && hbd_session_is_open(&node->session))
		node_store_wills(node, ret_actions);
	/* the claim goes out before the addresses are touched, so that a rival lets go first */
	node_send_due(node, ret_actions, ticking);
	node_run_plans(node, ret_actions);
	node_finish_hold(node, ret_actions);
	node_finish_leave(node, ret_actions, ticking);
	if (node->stopping)
		finish_stop(node, ret_actions);
}

int64_t hbd_node_deadline_ns(const struct hbd_node *node)
{
	int64_t deadline_ns;

	if (node->stopped)
		return HBD_NEVER_NS;
	deadline_ns = hbd_time_min(node_send_deadline_ns(node), node_witness_deadline_ns(node));
	deadline_ns = hbd_time_min(deadline_ns, node_hold_deadline_ns(node));
	deadline_ns = hbd_time_min(deadline_ns, node_leave_deadline_ns(node));
	for (uint8_t i = 0; i < node->config->group_count; i++)
		deadline_ns = hbd_time_min(deadline_ns, node_group_deadline_ns(node, i));
	return deadline_ns;
}

bool hbd_node_holds(const struct hbd_node *node, uint8_t group)
{
	const struct hbd_group *state = &node->groups[group];

	assert(group < node->config->group_count);
	/* a claim is complete in the step in which its addresses are on */
	return state->role == HBD_ROLE_PRIMARY;
}

static int peer_can_take(const struct hbd_node *node, const struct hbd_group *group)
{
	if (node_peer_present(node) && node->peer_maintained)
		return -EHOSTUNREACH;
	if (!node_peer_present(node) || !node->peer_running || hbd_node_peer_pauses(node))
		return -EHOSTDOWN;
	if (node->mismatch & HBD_MISMATCH_CONFIG)
		return -EINVAL;
	if (!group->peer.known || !node_role_stands_by(group->peer.role) ||
	    (group->peer.flags & (HBD_GROUP_FAULT_HARD | HBD_GROUP_FAULT_SOFT)))
		return -ENODEV;
	return 0;
}

int hbd_node_may_switch(const struct hbd_node *node, uint8_t group)
{
	const struct hbd_group *state = &node->groups[group];

	assert(group < node->config->group_count);
	if (!hbd_role_owns(state->role))
		return -EPERM;
	/* as in every claim */
	if (state->plan.kind != HBD_PLAN_NONE)
		return -EBUSY;
	if (state->handover.state != HBD_HANDOVER_NONE)
		return -EALREADY;
	if (hbd_node_peer_state(node) != HBD_PEER_ALIVE)
		return -EHOSTDOWN;
	return peer_can_take(node, state);
}

bool hbd_node_can_switch(const struct hbd_node *node, uint8_t group)
{
	const struct hbd_group *state = &node->groups[group];

	return state->role == HBD_ROLE_PRIMARY && peer_can_take(node, state) == 0;
}
