/*
 * Asking the LAN before a claim (PROTOCOL.md 6.1). On silence: is it the peer that is dead, or only
 * the way on which its heartbeats come? Before a first use: does the address belong to another?
 */
#include "node_internal.h"

#include <string.h>

#include "time.h"

#define HOLD_GRANTS 2	/* an answer that proves a lease holds a claim back for so many Lg */
#define WAIT_NS (2 * HBD_MS_NS)	/* for the answer of a kernel on the same LAN, asked three times */
#define QUESTIONS 3
#define STALE_NS (2 * WAIT_NS)	/* after that an unanswered question says nothing of now */
#define STILL_NS HBD_MS_NS	/* no question so shortly before those that count */
#define SLOW_NS HBD_S_NS	/* between questions that may go on for ever */

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

	return node_role_stands_by(group->role) &&
	       (is_recent(group->asking.proven_ns, hold_ns(node), node->now_ns) ||
		node_stranger_holds(node, index));
}

bool hbd_node_is_answered(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	return node_role_stands_by(group->role) &&
	       is_recent(group->asking.answered_ns, hold_ns(node), node->now_ns);
}

/* It may claim on silence, or has done so and does not answer itself yet. */
static bool could_claim(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	if (node_just_left(node) || node->stopping)
		return false;
	if (node_role_stands_by(group->role))
		return !hbd_node_abstains(node, index);
	return node_claims_on_silence(group);
}

/* By agreement, with a peer that says what it holds. When that is in doubt, silence is asked about. */
bool node_asks_before_use(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	return !node->stopping && node_is_unused(group) &&
	       (group->role == HBD_ROLE_QUIET || node_role_stands_by(group->role)) &&
	       (hbd_node_peer_state(node) == HBD_PEER_ALIVE || node_just_left(node));
}

/* In time before a claim is due, as the links are probed. */
static int64_t first_ask_ns(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_profile *profile = &node->config->profile;

	return node_silence_claim_ns(node, index) - (profile->grant_ns - profile->suspect_ns);
}

/*
 * From here on whoever answers has a lease that this node did not grant: the one that it did grant
 * is over by any clock, though its promise may last a little longer. No sooner than the claim needs it:
 * who slept when it was asked may be awake, with a lease, when the claim is made.
 */
static int64_t lapse_ns(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_profile *profile = &node->config->profile;
	int64_t claim_ns = node_silence_claim_ns(node, index);

	if (!node->heard ||
	    node->groups[index].lease.promised_until_ns > hbd_detector_silent_at_ns(&node->detector))
		return claim_ns;
	return claim_ns - hbd_time_min(profile->grant_ns - hbd_profile_promise_ns(profile->hold_ns),
				       WAIT_NS);
}

/* Who was held back asks again before it claims: a peer that slept then may be awake. */
static int64_t proof_from_ns(const struct hbd_node *node, uint8_t index)
{
	int64_t proven_ns = node->groups[index].asking.proven_ns;
	int64_t held_until_ns = node_stranger_until_ns(node, index);

	if (proven_ns != 0)
		held_until_ns = hbd_time_max(held_until_ns,
					     hbd_time_add(proven_ns, hold_ns(node)));
	return hbd_time_max(lapse_ns(node, index), held_until_ns - WAIT_NS);
}

static bool is_asking(const struct hbd_node *node, uint8_t index)
{
	return node_asks_before_use(node, index) ||
	       (could_claim(node, index) && (node->groups[index].role == HBD_ROLE_CLAIMING ||
					     node->now_ns >= first_ask_ns(node, index)));
}

/*
 * Time alone is not enough: who did not run for these 2 ms may not have got an answer that is there.
 */
bool node_has_asked(const struct hbd_node *node, uint8_t index)
{
	static const uint8_t none[HBD_STATION_BYTES];
	const struct hbd_asking *asking = &node->groups[index].asking;

	/* where there is no Ethernet there is nobody to ask */
	if (memcmp(asking->station, none, HBD_STATION_BYTES) == 0)
		return true;
	return asking->before_use == node_asks_before_use(node, index) &&
	       asking->questions >= QUESTIONS &&
	       node->now_ns >= hbd_time_add(asking->asked_ns, WAIT_NS);
}

bool node_gateway_answers(const struct hbd_node *node, uint8_t index)
{
	return is_recent(node->groups[index].asking.gateway_ns, node->config->profile.grant_ns,
			 node->now_ns);
}

/*
 * Who cannot reach a router may itself be the one that is cut off, and would serve nobody but harm
 * the peer. An answer to an early question proves that the way is there, and has been while the
 * questions that count were out. After a later one the peer must be given the time to be heard on it.
 */
bool node_gateway_agrees(const struct hbd_node *node, uint8_t index, enum hbd_reason reason)
{
	const struct hbd_asking *asking = &node->groups[index].asking;

	if (!node->config->groups[index].gateway ||
	    (reason != HBD_REASON_PEER_SILENT && reason != HBD_REASON_ALONE))
		return true;
	return node_gateway_answers(node, index) &&
	       (asking->gateway_since_ns < asking->asked_ns ||
		node->now_ns >= hbd_time_add(asking->gateway_since_ns,
					     node->config->profile.grant_ns));
}

bool hbd_node_is_isolated(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	return group->role == HBD_ROLE_SECONDARY && group->asking.isolated_since_ns != 0;
}

bool node_claims_on_silence(const struct hbd_group *group)
{
	return group->role == HBD_ROLE_CLAIMING &&
	       (group->claim_reason == HBD_REASON_PEER_SILENT ||
		group->claim_reason == HBD_REASON_ALONE);
}

static void forget_answers(struct hbd_asking *asking)
{
	asking->next_ns = 0;
	asking->last_ns = 0;
	asking->asked_ns = 0;
	asking->questions = 0;
	asking->answered_ns = 0;
	asking->proven_ns = 0;
	asking->gateway_ns = 0;
	asking->gateway_since_ns = 0;
	asking->isolated_since_ns = 0;
	asking->isolated_told = false;
}

/* An answer to a question of before must not seem to be one to those that count. */
static int64_t next_early_ns(const struct hbd_node *node, int64_t proof_ns, int64_t gap_ns)
{
	int64_t next_ns = hbd_time_add(node->now_ns, gap_ns);

	return next_ns < proof_ns - hbd_time_min(STILL_NS, gap_ns) ? next_ns : proof_ns;
}

/* An owner that does not hear this node is looked for as often as it renews; a stranger is not. */
static int64_t gap_ns(const struct hbd_node *node, uint8_t index)
{
	int64_t interval_ns = node->config->profile.interval_ns;

	if (node->groups[index].asking.before_use ||
	    (node_is_unused(&node->groups[index]) && node_stranger_holds(node, index)))
		return hbd_time_max(interval_ns, SLOW_NS);
	return interval_ns;
}

static void ask(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_asking *asking = &node->groups[index].asking;
	int64_t proof_ns = proof_from_ns(node, index);

	if (!asking->before_use && node_role_stands_by(node->groups[index].role) &&
	    node->now_ns < proof_ns) {
		asking->asked_ns = 0;
		asking->questions = 0;
		asking->next_ns = next_early_ns(node, proof_ns, hbd_node_is_held_back(node, index) ?
						gap_ns(node, index) :
						node->config->profile.probe_gap_ns);
	} else {
		if (asking->asked_ns == 0)
			asking->asked_ns = node->now_ns;
		asking->next_ns = hbd_time_add(node->now_ns, node_has_asked(node, index) ?
					       gap_ns(node, index) : WAIT_NS / QUESTIONS);
		if (asking->questions < QUESTIONS)
			asking->questions++;
	}
	asking->last_ns = node->now_ns;
	node_act(actions, HBD_ACTION_ASK)->group = index;
}

/* Something else held the claim up, and somebody may serve since. The witness's vote is worth more. */
bool node_asks_anew(struct hbd_node *node, uint8_t index)
{
	struct hbd_asking *asking = &node->groups[index].asking;

	if (node_needs_votes(node) || node_peer_present(node) || node_just_left(node) ||
	    asking->questions == 0 || node->now_ns <= hbd_time_add(asking->last_ns, STALE_NS))
		return false;
	asking->next_ns = 0;
	asking->asked_ns = 0;
	asking->questions = 0;
	return true;
}

/*
 * Plugins that ran before the addresses took their time: somebody else may serve by now, or this node
 * be cut off.
 */
bool node_asks_again(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];

	/* who asks no longer, because the peer said good-bye meanwhile, waits for no answer */
	if (!node_claims_on_silence(group) || !could_claim(node, index))
		return false;
	if (group->asking.asked_ns <= group->since_ns &&
	    node->now_ns > hbd_time_add(group->since_ns, 2 * WAIT_NS)) {
		group->asking.asked_ns = 0;
		group->asking.questions = 0;
		ask(node, index, actions);
	}
	if (!node_has_asked(node, index))
		return true;
	if (node_gateway_agrees(node, index, group->claim_reason))
		return false;
	node_cause(node, index, HBD_CAUSE_ISOLATED, HBD_REASON_ISOLATED, actions);
	return true;
}

/* What was asked for the one purpose says nothing to the other. */
static void choose_purpose(struct hbd_node *node, uint8_t index)
{
	struct hbd_asking *asking = &node->groups[index].asking;
	bool before_use = node_asks_before_use(node, index);

	if (before_use != asking->before_use)
		forget_answers(asking);
	asking->before_use = before_use;
}

void node_ask_due(struct hbd_node *node, struct hbd_actions *actions)
{
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		struct hbd_asking *asking = &node->groups[i].asking;

		choose_purpose(node, i);
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

	if (!could_claim(node, index) && !asking->before_use)
		return HBD_NEVER_NS;
	deadline_ns = asking->next_ns;
	if (!asking->before_use && node_role_stands_by(node->groups[index].role))
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

/* Under a lease of which this node knows nothing. */
static void take_peer(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_asking *asking = &node->groups[index].asking;
	bool was_answered = hbd_node_is_answered(node, index);

	asking->answered_ns = node->now_ns;
	if (asking->asked_ns != 0) {
		asking->proven_ns = node->now_ns;
		node_cause(node, index, HBD_CAUSE_ANSWERED, HBD_REASON_ANSWERED, actions);
	}
	/* the peer, if it hears this node, goes on by itself */
	if (!was_answered && hbd_node_is_answered(node, index))
		node->news = true;
}

void node_take_answer(struct hbd_node *node, const struct hbd_event *event,
		      struct hbd_actions *actions)
{
	uint8_t index = event->group;
	const struct hbd_asking *asking = &node->groups[index].asking;

	if (memcmp(event->station, asking->station, HBD_STATION_BYTES) == 0)
		return;
	if (memcmp(event->station, asking->peer_station, HBD_STATION_BYTES) != 0) {
		if (is_asking(node, index) || hbd_role_owns(node->groups[index].role))
			node_take_stranger(node, event, actions);
	} else if (is_asking(node, index) && !asking->before_use &&
		   node->peer_fence != HBD_FENCE_NONE) {
		take_peer(node, index, actions);
	}
}

/* Questions that another interface asked, or that none could ask, count for nothing. */
void node_take_station(struct hbd_node *node, uint8_t index, const uint8_t *station)
{
	struct hbd_asking *asking = &node->groups[index].asking;

	memcpy(asking->station, station, HBD_STATION_BYTES);
	asking->next_ns = 0;
	asking->asked_ns = 0;
	asking->questions = 0;
	node->news = true;
}

void node_take_gateway(struct hbd_node *node, uint8_t index)
{
	struct hbd_asking *asking = &node->groups[index].asking;

	if (!is_asking(node, index))
		return;
	if (!node_gateway_answers(node, index))
		asking->gateway_since_ns = node->now_ns;
	asking->gateway_ns = node->now_ns;
}
