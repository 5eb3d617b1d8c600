/*
 * Asking the LAN before a claim on silence (PROTOCOL.md 6.1): is it the peer that is dead, or only
 * the way on which its heartbeats come?
 */
#include "node_internal.h"

#include <string.h>

#include "time.h"

#define HOLD_GRANTS 2	/* an answer that proves a lease holds a claim back for so many Lg ... */
#define CONFLICT_NS (3 * HBD_S_NS)	/* ... and a stranger's for so long */
#define WAIT_NS (2 * HBD_MS_NS)	/* for the answer of a kernel on the same LAN, asked three times */
#define WAIT_PARTS 3
#define STILL_NS HBD_MS_NS	/* no question so shortly before those that count */

static bool is_recent(int64_t answer_ns, int64_t hold_ns, int64_t now_ns)
{
	return answer_ns != 0 && now_ns < hbd_time_add(answer_ns, hold_ns);
}

static int64_t hold_ns(const struct hbd_node *node)
{
	return HOLD_GRANTS * node->config->profile.grant_ns;
}

bool hbd_node_is_held_back(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	return group->role == HBD_ROLE_SECONDARY &&
	       (is_recent(group->asking.proven_ns, hold_ns(node), node->now_ns) ||
		is_recent(group->asking.stranger_ns, CONFLICT_NS, node->now_ns));
}

bool hbd_node_is_answered(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	return group->role == HBD_ROLE_SECONDARY &&
	       is_recent(group->asking.answered_ns, hold_ns(node), node->now_ns);
}

/* It may claim on silence, or has done so and does not answer itself yet. */
static bool could_claim(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	if (node_just_left(node) || node->stopping)
		return false;
	return group->role == HBD_ROLE_SECONDARY || node_claims_on_silence(group);
}

/* In time before a claim is due, as the links are probed. */
static int64_t first_ask_ns(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_profile *profile = &node->config->profile;

	return node_silence_claim_ns(node, index) - (profile->grant_ns - profile->suspect_ns);
}

/*
 * From here on whoever answers has a lease that this node did not grant: the one that it did grant
 * is over by any clock, though its promise may last a little longer.
 */
static int64_t proof_from_ns(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_profile *profile = &node->config->profile;
	int64_t claim_ns = node_silence_claim_ns(node, index);

	if (!node->heard ||
	    node->groups[index].lease.promised_until_ns > hbd_detector_silent_at_ns(&node->detector))
		return claim_ns;
	return claim_ns - (profile->grant_ns - hbd_profile_promise_ns(profile->hold_ns));
}

static bool is_asking(const struct hbd_node *node, uint8_t index)
{
	return could_claim(node, index) &&
	       (node->groups[index].role == HBD_ROLE_CLAIMING ||
		node->now_ns >= first_ask_ns(node, index));
}

bool node_has_asked(const struct hbd_node *node, uint8_t index)
{
	static const uint8_t none[HBD_STATION_BYTES];
	const struct hbd_asking *asking = &node->groups[index].asking;

	/* where there is no Ethernet there is nobody to ask */
	if (memcmp(asking->station, none, HBD_STATION_BYTES) == 0)
		return true;
	return asking->asked_ns != 0 && node->now_ns >= hbd_time_add(asking->asked_ns, WAIT_NS);
}

bool node_claims_on_silence(const struct hbd_group *group)
{
	return group->role == HBD_ROLE_CLAIMING && !group->plan.addresses_on &&
	       (group->claim_reason == HBD_REASON_PEER_SILENT ||
		group->claim_reason == HBD_REASON_ALONE);
}

static void forget_answers(struct hbd_asking *asking)
{
	asking->next_ns = 0;
	asking->asked_ns = 0;
	asking->answered_ns = 0;
	asking->proven_ns = 0;
	asking->stranger_ns = 0;
	asking->stranger_told = false;
}

/* An answer to a question of before must not seem to be one to those that count. */
static int64_t next_early_ns(const struct hbd_node *node, int64_t proof_ns)
{
	int64_t gap_ns = node->config->profile.probe_gap_ns;
	int64_t next_ns = hbd_time_add(node->now_ns, gap_ns);

	return next_ns < proof_ns - hbd_time_min(STILL_NS, gap_ns) ? next_ns : proof_ns;
}

static void ask(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_asking *asking = &node->groups[index].asking;
	int64_t proof_ns = proof_from_ns(node, index);

	if (node->groups[index].role == HBD_ROLE_SECONDARY && node->now_ns < proof_ns) {
		asking->next_ns = next_early_ns(node, proof_ns);
	} else {
		if (asking->asked_ns == 0)
			asking->asked_ns = node->now_ns;
		asking->next_ns = hbd_time_add(node->now_ns, node_has_asked(node, index) ?
					       node->config->profile.interval_ns :
					       WAIT_NS / WAIT_PARTS);
	}
	node_act(actions, HBD_ACTION_ASK)->group = index;
}

/* Plugins that ran before the addresses took their time: somebody else may serve by now. */
bool node_asks_again(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];

	if (!node_claims_on_silence(group))
		return false;
	if (group->asking.asked_ns <= group->since_ns &&
	    node->now_ns > hbd_time_add(group->since_ns, 2 * WAIT_NS)) {
		group->asking.asked_ns = 0;
		ask(node, index, actions);
	}
	return !node_has_asked(node, index);
}

void node_ask_due(struct hbd_node *node, struct hbd_actions *actions)
{
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		struct hbd_asking *asking = &node->groups[i].asking;

		if (!is_asking(node, i))
			forget_answers(asking);
		else if (node->now_ns >= asking->next_ns)
			ask(node, i, actions);
	}
}

int64_t node_ask_deadline_ns(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_asking *asking = &node->groups[index].asking;
	int64_t deadline_ns;

	if (!could_claim(node, index))
		return HBD_NEVER_NS;
	deadline_ns = asking->next_ns;
	if (node->groups[index].role == HBD_ROLE_SECONDARY)
		deadline_ns = hbd_time_max(deadline_ns, first_ask_ns(node, index));
	/* and when nobody has answered for long enough, or what did no longer holds it back */
	if (asking->asked_ns != 0)
		deadline_ns = hbd_time_min(deadline_ns,
					   node_pending(node, hbd_time_add(asking->asked_ns,
									   WAIT_NS)));
	if (asking->proven_ns != 0)
		deadline_ns = hbd_time_min(deadline_ns,
					   node_pending(node, hbd_time_add(asking->proven_ns,
									   hold_ns(node))));
	return deadline_ns;
}

static void tell_stranger(struct hbd_node *node, uint8_t index, const uint8_t *station,
			  struct hbd_actions *actions)
{
	struct hbd_asking *asking = &node->groups[index].asking;
	struct hbd_action *action;

	if (asking->stranger_told)
		return;
	asking->stranger_told = true;
	action = node_alert(actions, HBD_ALERT_CONFLICT, HBD_SEVERITY_CRITICAL);
	action->group = index;
	memcpy(action->alert.station, station, HBD_STATION_BYTES);
}

void node_take_answer(struct hbd_node *node, uint8_t index, const uint8_t *station,
		      struct hbd_actions *actions)
{
	struct hbd_asking *asking = &node->groups[index].asking;
	bool was_answered = hbd_node_is_answered(node, index);

	if (!is_asking(node, index) || memcmp(station, asking->station, HBD_STATION_BYTES) == 0)
		return;
	if (memcmp(station, asking->peer_station, HBD_STATION_BYTES) != 0) {
		asking->stranger_ns = node->now_ns;
		tell_stranger(node, index, station, actions);
	} else if (node->peer_fence != HBD_FENCE_NONE) {
		asking->answered_ns = node->now_ns;
		if (asking->asked_ns != 0)
			asking->proven_ns = node->now_ns;
	}
	if (asking->proven_ns == node->now_ns || asking->stranger_ns == node->now_ns)
		node_cause(node, index, HBD_CAUSE_ANSWERED, HBD_REASON_ANSWERED, actions);
	/* the peer, if it hears this node, goes on by itself */
	if (!was_answered && hbd_node_is_answered(node, index))
		node->news = true;
}
