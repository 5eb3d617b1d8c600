/*
 * Strangers on the LAN that use an address of a group (PROTOCOL.md 6.1.1, RFC 5227). What the pair has
 * not used yet is left to them. What it uses it defends: nobody can take a service down for good by
 * plugging something in.
 */
#include "node_internal.h"

#include <string.h>

#include "time.h"

#define HOLD_NS (3 * HBD_S_NS)		/* a sign keeps from claiming for so long */
#define PATIENCE_ALONES 2		/* but all signs together, where the pair served, for so long */
#define DEFEND_NS (10 * HBD_S_NS)	/* RFC 5227's DEFEND_INTERVAL */
#define OVER_NS (30 * HBD_S_NS)		/* without a sign it is over: three questions */
#define TELL_AGAIN_NS (60 * HBD_S_NS)	/* strangers that take turns are not told each time */

bool node_is_unused(const struct hbd_group *group)
{
	return group->claim_reason == HBD_REASON_UNSET && !group->peer_owned;
}

static int64_t patience_over_ns(const struct hbd_node *node, uint8_t index)
{
	return hbd_time_add(node->groups[index].conflict.since_ns,
			    PATIENCE_ALONES * node->config->profile.alone_ns);
}

int64_t node_stranger_until_ns(const struct hbd_node *node, uint8_t index)
{
	static const uint8_t none[HBD_STATION_BYTES];
	const struct hbd_group *group = &node->groups[index];
	/* both nodes see the last of it at about the same time */
	int64_t until_ns = hbd_time_add(group->conflict.seen_ns,
					HOLD_NS + node_courtesy_ns(node, index));

	if (group->conflict.since_ns == 0)
		return 0;
	if (node_is_unused(group))
		return until_ns;
	if (node_peer_present(node) || node_just_left(node))
		return 0;
	/* it may be the peer itself: for ever where that never told its station, else for as long as
	 * an address that the peer leaves on another of its interfaces may live there */
	if (memcmp(group->asking.peer_station, none, HBD_STATION_BYTES) == 0)
		return until_ns;
	return hbd_time_min(until_ns, patience_over_ns(node, index));
}

bool node_stranger_holds(const struct hbd_node *node, uint8_t index)
{
	return node->now_ns < node_stranger_until_ns(node, index);
}

bool node_may_use(const struct hbd_node *node, uint8_t index)
{
	return !node_is_unused(&node->groups[index]) ||
	       (node_has_asked(node, index) && !node_stranger_holds(node, index));
}

static void alert(struct hbd_node *node, uint8_t index, enum hbd_alert kind,
		  enum hbd_severity severity, struct hbd_actions *actions)
{
	const struct hbd_conflict *conflict = &node->groups[index].conflict;
	struct hbd_action *action = node_alert(actions, kind, severity);

	action->group = index;
	action->address = conflict->address;
	memcpy(action->alert.station, conflict->station, HBD_STATION_BYTES);
}

static void tell(struct hbd_node *node, uint8_t index, bool another, struct hbd_actions *actions)
{
	struct hbd_conflict *conflict = &node->groups[index].conflict;
	bool defends = hbd_role_owns(node->groups[index].role);

	if (conflict->told_ns != 0 && defends == conflict->defence_told &&
	    !(another && node->now_ns >= hbd_time_add(conflict->told_ns, TELL_AGAIN_NS)))
		return;
	conflict->told_ns = node->now_ns;
	conflict->defence_told = defends;
	alert(node, index, defends ? HBD_ALERT_CONTESTED : HBD_ALERT_CONFLICT,
	      HBD_SEVERITY_CRITICAL, actions);
}

void node_take_stranger(struct hbd_node *node, const struct hbd_event *event,
			struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[event->group];
	struct hbd_conflict *conflict = &group->conflict;
	bool another = conflict->address != event->address ||
		       memcmp(conflict->station, event->station, HBD_STATION_BYTES) != 0;

	if (conflict->since_ns == 0)
		conflict->since_ns = node->now_ns;
	conflict->seen_ns = node->now_ns;
	conflict->address = event->address;
	memcpy(conflict->station, event->station, HBD_STATION_BYTES);
	if (node_claims_on_silence(group) && node_stranger_holds(node, event->group))
		node_cause(node, event->group, HBD_CAUSE_ANSWERED, HBD_REASON_ANSWERED, actions);
	tell(node, event->group, another, actions);
}

/* The address is the peer's to look after now, or this node sees nothing of the LAN. */
static bool is_none_of_ours(const struct hbd_node *node, const struct hbd_group *group)
{
	return group->role == HBD_ROLE_FAULT || group->role == HBD_ROLE_STOPPED ||
	       (!hbd_role_owns(group->role) && group->peer.known &&
		node_role_occupies(group->peer.role) &&
		hbd_node_peer_state(node) == HBD_PEER_ALIVE);
}

static void defend(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_conflict *conflict = &node->groups[index].conflict;
	struct hbd_action *action;

	if (!hbd_node_holds(node, index) || node->now_ns < conflict->defend_ns)
		return;
	conflict->defend_ns = hbd_time_add(node->now_ns, DEFEND_NS);
	action = node_act(actions, HBD_ACTION_DEFEND);
	action->group = index;
	action->address = conflict->address;
}

void node_conflict_due(struct hbd_node *node, struct hbd_actions *actions)
{
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		struct hbd_conflict *conflict = &node->groups[i].conflict;
		bool over = node->now_ns >= hbd_time_add(conflict->seen_ns, OVER_NS);

		if (conflict->since_ns == 0)
			continue;
		if (over && conflict->told_ns != 0)
			alert(node, i, HBD_ALERT_UNCONTESTED, HBD_SEVERITY_INFO, actions);
		if (over || is_none_of_ours(node, &node->groups[i]))
			memset(conflict, 0, sizeof(*conflict));
		else
			defend(node, i, actions);
	}
}

int64_t node_conflict_deadline_ns(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_conflict *conflict = &node->groups[index].conflict;
	int64_t deadline_ns;

	if (conflict->since_ns == 0)
		return HBD_NEVER_NS;
	deadline_ns = node_pending(node, hbd_time_add(conflict->seen_ns, OVER_NS));
	if (node_role_stands_by(node->groups[index].role))
		deadline_ns = hbd_time_min(deadline_ns,
					   node_pending(node, node_stranger_until_ns(node, index)));
	if (hbd_node_holds(node, index))
		deadline_ns = hbd_time_min(deadline_ns, node_pending(node, conflict->defend_ns));
	return deadline_ns;
}
