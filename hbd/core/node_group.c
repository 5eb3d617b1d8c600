#include "node_internal.h"

#include <assert.h>
#include <errno.h>

#include "time.h"

#define NOT_TAKEN_INTERVALS 10	/* + Lg: so long may the peer take for what was handed to it */

static void tell_role(struct hbd_node *node, uint8_t index, enum hbd_role from,
		      struct hbd_actions *actions)
{
	const struct hbd_group *group = &node->groups[index];
	struct hbd_action *action = node_act(actions, HBD_ACTION_CHANGED);

	action->group = index;
	action->epoch = group->epoch;
	action->reason = group->reason;
	action->changed.from = from;
	action->changed.to = group->role;
}

/* A planned move worries nobody; one that leaves no standby does. */
static enum hbd_severity takeover_severity(const struct hbd_node *node, enum hbd_reason reason)
{
	if (reason == HBD_REASON_PEER_RESIGNED || reason == HBD_REASON_ELECTED)
		return HBD_SEVERITY_INFO;
	return node_peer_present(node) ? HBD_SEVERITY_WARNING : HBD_SEVERITY_CRITICAL;
}

static void tell_takeover(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	const struct hbd_group *group = &node->groups[index];
	struct hbd_action *action = node_alert(actions, HBD_ALERT_TAKEOVER,
					       takeover_severity(node, group->claim_reason));

	action->group = index;
	action->epoch = group->epoch;
	action->reason = group->claim_reason;
	/* the text of a takeover says that nobody stands by: no second alert for the same loss */
	if (!node_peer_present(node))
		node->peer_loss_told = true;
}

/* What nobody is there to take is an outage, planned or not; a death is told as one. */
static enum hbd_severity release_severity(const struct hbd_node *node, enum hbd_reason reason)
{
	if (!node_peer_present(node) || reason == HBD_REASON_ORPHANED)
		return HBD_SEVERITY_CRITICAL;
	return reason == HBD_REASON_SWITCHOVER || reason == HBD_REASON_MAINTENANCE ||
			       reason == HBD_REASON_FAILBACK || reason == HBD_REASON_STOP ?
		       HBD_SEVERITY_INFO :
		       HBD_SEVERITY_WARNING;
}

static void tell_release(struct hbd_node *node, uint8_t index, enum hbd_reason reason,
			 struct hbd_actions *actions)
{
	struct hbd_action *action = node_alert(actions, HBD_ALERT_RELEASED,
					       release_severity(node, reason));

	action->group = index;
	action->epoch = node->groups[index].epoch;
	action->reason = reason;
}

static void cancel_plan(struct hbd_group *group, uint8_t index, struct hbd_actions *actions)
{
	if (group->plan.pending_run) {
		struct hbd_action *action = node_act(actions, HBD_ACTION_CANCEL);

		action->group = index;
		action->id = group->plan.pending_id;
	}
	hbd_takeover_abandon(&group->plan);
}

void node_undo(struct hbd_group *group, uint8_t index, struct hbd_actions *actions)
{
	cancel_plan(group, index, actions);
	hbd_takeover_begin_release(&group->plan);
}

void node_see_epoch(struct hbd_group *group, uint64_t epoch)
{
	if (epoch > HBD_EPOCH_MAX)
		return;
	if (epoch > group->epoch_seen)
		group->epoch_seen = epoch;
	/* an owner goes on under the number of its claim */
	if (epoch > group->epoch && !hbd_role_owns(group->role))
		group->epoch = epoch;
}

uint64_t node_next_epoch(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];
	uint64_t highest = group->epoch > group->epoch_seen ? group->epoch : group->epoch_seen;

	/* by agreement the peer may have claimed once, and nobody heard of it: not the witness either */
	if (hbd_node_peer_state(node) != HBD_PEER_ALIVE)
		highest += HBD_NODES;
	/* even for node 0, odd for node 1: two that cannot hear each other never use the same */
	return highest + 1 + (highest % HBD_NODES == node->config->self);
}

static void begin_takeover(struct hbd_node *node, uint8_t index, enum hbd_reason reason,
			   struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];
	enum node_ballot ballot = node_ballot(node, index, reason);

	cancel_plan(group, index, actions);
	group->epoch = node_next_epoch(node, index);
	group->claim_reason = reason;
	node->wills_due = true;
	group->resigned = false;
	group->rival = false;
	group->peer_owned = false;
	group->wants_vote = false;
	node_take_lease(node, index, ballot);
	node_set_lease(node, index, actions);
	hbd_takeover_begin(&group->plan);
}

/* Nothing is owed to the peer's vote or the witness's any more, and nothing is answered. */
static void let_go(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];

	cancel_plan(group, index, actions);
	hbd_lease_drop(&group->lease);
	hbd_witness_give_up(&group->witness);
	group->awaits_vote = false;
	group->rival = false;
	node_set_lease(node, index, actions);
}

/* The peer is ready: it announces from now on, and this node takes in what still comes. */
static void begin_drain(struct hbd_node *node, uint8_t index, enum hbd_reason reason,
			struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];

	group->handover.accept_ns = hbd_time_add(group->handover.told_ns,
						 node->config->profile.grant_ns);
	group->handover.drain_until_ns = HBD_NEVER_NS;
	group->handover.drained = false;
	let_go(node, index, actions);
	group->resigned = true;
	node_await_taking(node, group);
	node_hold_claims(node, group);
	tell_release(node, index, reason, actions);
}

static void begin_release(struct hbd_node *node, uint8_t index, enum hbd_role from, bool resign,
			  enum hbd_reason reason, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];
	struct hbd_action *action;
	/* what drained was told when it was handed over */
	bool owned = hbd_role_owns(from) && !group->awaits_vote;

	let_go(node, index, actions);
	group->resigned = resign;
	group->resigned_until_ns = HBD_NEVER_NS;
	group->release_id = node_new_id(node);
	action = node_act(actions, HBD_ACTION_RELEASE);
	action->group = index;
	action->id = group->release_id;
	action->reason = reason;
	action->epoch = group->epoch;
	if (owned)
		tell_release(node, index, reason, actions);
}

void node_cause(struct hbd_node *node, uint8_t index, enum hbd_cause cause,
		enum hbd_reason reason, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];
	struct hbd_transition transition = hbd_arbiter_next(group->role, cause);
	enum hbd_role from = group->role;

	if (transition.next == HBD_ROLE_UNSET)
		return;
	if (node_end_handover(node, index, transition.next))
		node_undo(group, index, actions);
	if (from == HBD_ROLE_PRIMARY || transition.next == HBD_ROLE_PRIMARY)
		hbd_damping_count(&group->damping, node->now_ns);
	group->role = transition.next;
	group->reason = reason;
	group->takes_back = false;
	group->since_ns = node->now_ns;
	group->unowned_since_ns = HBD_NEVER_NS;
	node->news = true;
	if (transition.deeds & HBD_DEED_TAKEOVER)
		begin_takeover(node, index, reason, actions);
	/* not before: what a claim is agreed on is what the peer took in of the role until now */
	group->role_hb_seq = node->hb_seq + 1;
	tell_role(node, index, from, actions);
	if (transition.deeds & HBD_DEED_DRAIN)
		begin_drain(node, index, reason, actions);
	if (transition.deeds & HBD_DEED_RELEASE)
		begin_release(node, index, from, transition.deeds & HBD_DEED_RESIGN, reason,
			      actions);
	if (transition.deeds & HBD_DEED_ANNOUNCE)
		node_act(actions, HBD_ACTION_ANNOUNCE)->group = index;
}

/*
 * A claim on the evidence of silence waits until this node has listened for a whole Lg as one that
 * could claim.
 */
void node_hold_claims(struct hbd_node *node, struct hbd_group *group)
{
	const struct hbd_profile *profile = &node->config->profile;
	/* while this node says that it is quiet, an owner renews its lease without asking it */
	int64_t from_ns = hbd_time_max(node->now_ns,
				       hbd_time_add(node->started_ns, profile->quiet_ns));

	group->hold_until_ns = hbd_time_max(group->hold_until_ns,
					    hbd_time_add(from_ns, profile->grant_ns));
}

void node_doubt_silence(struct hbd_node *node, struct hbd_group *group)
{
	int64_t until_ns = hbd_time_add(node->now_ns, node->config->profile.alone_ns);

	node_hold_claims(node, group);
	if (!node->detector.gone)
		group->hold_until_ns = hbd_time_max(group->hold_until_ns, until_ns);
}

void node_await_taking(struct hbd_node *node, struct hbd_group *group)
{
	const struct hbd_profile *profile = &node->config->profile;

	group->resigned_until_ns =
		hbd_time_add(node->now_ns, profile->grant_ns +
					   NOT_TAKEN_INTERVALS * profile->interval_ns);
}

void node_check_leases(struct hbd_node *node, struct hbd_actions *actions)
{
	for (uint8_t i = 0; i < node->config->group_count; i++)
		if (hbd_lease_is_over(&node->groups[i].lease, node->now_ns))
			node_cause(node, i, HBD_CAUSE_LEASE_LOST, HBD_REASON_LEASE_LOST, actions);
}

/* Why the plan is carried out. Before a claim there is none: only a peer that would hand over has one
 * prepare. */
static enum hbd_reason plan_reason(const struct hbd_group *group)
{
	switch (group->plan.kind) {
	case HBD_PLAN_PREPARE:
		return HBD_REASON_PEER_RESIGNED;
	case HBD_PLAN_RELEASE:
		return group->reason;
	case HBD_PLAN_NONE:
	case HBD_PLAN_TAKEOVER:
		break;
	}
	return group->claim_reason;
}

static void ask(struct hbd_node *node, uint8_t index, const struct hbd_plan_next *next,
		struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];
	bool run = next->want == HBD_WANT_RUN;
	struct hbd_action *action = node_act(actions, run ? HBD_ACTION_RUN : HBD_ACTION_ACQUIRE);

	action->group = index;
	action->id = node_new_id(node);
	action->epoch = group->epoch;
	action->reason = plan_reason(group);
	if (run) {
		action->run.step = next->step;
		action->run.call = next->call;
		action->run.deadline_ns = next->deadline_ns;
	}
	hbd_takeover_asked(&group->plan, next, action->id);
}

void node_run_plans(struct hbd_node *node, struct hbd_actions *actions)
{
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		struct hbd_takeover *plan = &node->groups[i].plan;

		if (hbd_takeover_is_overdue(plan, node->now_ns))
			node_done(node, plan->pending_id, -ETIMEDOUT, actions);

		struct hbd_plan_next next = hbd_takeover_next(plan, node->now_ns);

		if (node->groups[i].awaits_vote)
			continue;
		if (next.want == HBD_WANT_ACQUIRE && node_asks_again(node, i, actions))
			continue;
		if (next.want == HBD_WANT_FINISH)
			node_take_prepared(node, i, true);
		if (next.want == HBD_WANT_ACQUIRE || next.want == HBD_WANT_RUN)
			ask(node, i, &next, actions);
	}
}

static void tell_plugin_failure(uint8_t index, uint8_t step, int result, bool fatal,
				struct hbd_actions *actions)
{
	struct hbd_action *action = node_alert(actions, HBD_ALERT_PLUGIN_FAILED,
					       fatal ? HBD_SEVERITY_CRITICAL
						     : HBD_SEVERITY_WARNING);

	action->group = index;
	action->alert.step = step;
	action->alert.error = result;
}

static void take_failure(struct hbd_node *node, uint8_t index, uint8_t step, int result,
			 struct hbd_actions *actions)
{
	bool addresses = step == HBD_STEPS_MAX;
	bool preparing = node->groups[index].handover.state == HBD_HANDOVER_PREPARING;

	if (!addresses)
		tell_plugin_failure(index, step, result, !preparing, actions);
	if (preparing) {
		node_take_prepared(node, index, false);
		return;
	}
	node->groups[index].retry_ns = hbd_time_add(node->now_ns,
						    node->config->groups[index].retry_ns);
	node_cause(node, index, HBD_CAUSE_ACQUIRE_FAILED, HBD_REASON_TAKEOVER_FAILED, actions);
	node_set_fault(node, index, addresses ? HBD_FAULT_ADDRESS : HBD_FAULT_TAKEOVER, true,
		       actions);
}

static void take_released(struct hbd_node *node, uint8_t index, int result,
			  struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];

	group->release_id = 0;
	if (result < 0) {
		/* their lifetime is not renewed any more, so they will not stay for long */
		node_set_fault(node, index, HBD_FAULT_ADDRESS, true, actions);
		group->retry_ns = hbd_time_add(node->now_ns, node->config->groups[index].retry_ns);
	}
	if (group->resigned)
		node_await_taking(node, group);
	node_hold_claims(node, group);
	node_cause(node, index, HBD_CAUSE_RELEASED, HBD_REASON_ADDRESSES_OFF, actions);
	hbd_takeover_begin_release(&group->plan);
}

static void take_outcome(struct hbd_node *node, uint8_t index, uint8_t step, int result,
			 enum hbd_plan_outcome outcome, struct hbd_actions *actions)
{
	switch (outcome) {
	case HBD_OUTCOME_UNSET:
	case HBD_OUTCOME_IGNORED:
	case HBD_OUTCOME_RETRY:
		break;
	case HBD_OUTCOME_OK:
		if (step == HBD_STEPS_MAX) {
			node_cause(node, index, HBD_CAUSE_ACQUIRED, HBD_REASON_ADDRESSES_ON,
				   actions);
			tell_takeover(node, index, actions);
		}
		break;
	case HBD_OUTCOME_FAILED_ON:
		tell_plugin_failure(index, step, result, false, actions);
		break;
	case HBD_OUTCOME_FAILED:
		take_failure(node, index, step, result, actions);
		break;
	}
}

void node_done(struct hbd_node *node, uint64_t id, int result, struct hbd_actions *actions)
{
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		struct hbd_group *group = &node->groups[i];
		uint8_t step = HBD_STEPS_MAX;

		if (id != 0 && id == group->release_id) {
			take_released(node, i, result, actions);
			return;
		}
		if (node_take_forwarding(node, i, id))
			return;

		enum hbd_plan_outcome outcome = hbd_takeover_done(&group->plan, id, result,
								  node->now_ns, &step);

		take_outcome(node, i, step, result, outcome, actions);
		if (outcome != HBD_OUTCOME_IGNORED)
			return;
	}
}
