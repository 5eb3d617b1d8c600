/* Moves of the pair's own accord: failback (failback.h), and what damping (damping.h) does to them. */
#include "node_internal.h"

#include "time.h"

#define OFFER_AGAIN_NS (600 * HBD_S_NS)

bool node_is_damped(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_damping *damping = &node->groups[index].damping;
	struct hbd_action *action;

	if (!hbd_damping_holds(damping, node->now_ns)) {
		damping->told = false;
		return false;
	}
	if (damping->told)
		return true;
	damping->told = true;
	action = node_alert(actions, HBD_ALERT_DAMPED, HBD_SEVERITY_WARNING);
	action->group = index;
	action->alert.duration_ns = damping->until_ns - node->now_ns;
	return true;
}

static bool belongs_to_peer(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group_config *config = &node->config->groups[index];

	return config->failback_ns > 0 && config->prefer == 1 - node->config->self &&
	       !node->maintenance.on && !node->leave.on && !node->stopping &&
	       hbd_node_can_switch(node, index) && !node_is_fitter(node, index);
}

void node_judge_failback(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	int64_t failback_ns = node->config->groups[index].failback_ns;
	struct hbd_group *group = &node->groups[index];

	if (!belongs_to_peer(node, index))
		group->failback.since_ns = HBD_NEVER_NS;
	else if (group->failback.since_ns == HBD_NEVER_NS)
		group->failback.since_ns = node->now_ns;
	if (node->now_ns < hbd_time_add(group->failback.since_ns, failback_ns) ||
	    node->now_ns < group->handover.again_ns || hbd_node_may_switch(node, index) != 0 ||
	    node_is_damped(node, index, actions))
		return;
	group->handover.again_ns = hbd_time_add(node->now_ns,
						hbd_time_max(failback_ns, OFFER_AGAIN_NS));
	node_offer(node, index, HBD_REASON_FAILBACK);
}
