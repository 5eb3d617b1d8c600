#include "oracle.h"

#include <assert.h>
#include <string.h>

#include "../../hbd/core/time.h"

#define QUESTIONS 3
#define CONFLICT_NS (3 * HBD_S_NS)
#define PATIENCE_ALONES 2

void oracle_start(struct oracle *oracle, const struct hbd_node_config *config, int64_t now_ns)
{
	oracle->config = config;
	oracle->started_ns = now_ns;
	oracle->fence = config->fence;
	for (uint8_t i = 0; i < INSIDER_GROUPS; i++) {
		oracle->groups[i].epoch_seen = config->epoch_floor;
		oracle->groups[i].role = HBD_ROLE_QUIET;
	}
}

static bool is_station(const uint8_t *station)
{
	static const uint8_t none[HBD_STATION_BYTES];

	return memcmp(station, none, sizeof(none)) != 0;
}

/* ---- leases ------------------------------------------------------------------------------------ */

/* It is heard just now, and says that it could claim what this node has. */
static bool peer_may_claim(const struct oracle *oracle, const struct oracle_group *group,
			   int64_t now_ns)
{
	return group->peer_role != HBD_ROLE_UNSET && oracle->peer_running &&
	       now_ns < oracle->word_ns + oracle->config->profile.suspect_ns &&
	       !(group->peer_flags & HBD_GROUP_HELD_BACK) && group->peer_role != HBD_ROLE_QUIET &&
	       group->peer_role != HBD_ROLE_FAULT && group->peer_role != HBD_ROLE_STOPPED;
}

static void check_lease(struct oracle *oracle, const struct hbd_action *action, int64_t now_ns)
{
	struct oracle_group *group = &oracle->groups[action->group];
	const struct hbd_profile *profile = &oracle->config->profile;
	int64_t until_ns = action->lease.until_ns;
	int64_t voted_ns = hbd_time_max(oracle->granted_until_ns, group->written_until_ns);

	assert(until_ns <= now_ns + profile->long_ns);
	if (until_ns > now_ns && oracle->config->witness && !oracle->config->serve_without)
		assert(until_ns <= voted_ns);
	/* not at a claim: one by agreement begins with a lease */
	if (until_ns > hbd_time_max(group->until_ns, now_ns) && action->epoch == group->epoch &&
	    peer_may_claim(oracle, group, now_ns))
		assert(until_ns <= voted_ns);
	group->until_ns = until_ns;

	assert(action->lease.accept_ns >= until_ns);
	if (action->lease.accept_ns > hbd_time_max(until_ns, now_ns)) {
		assert(group->role == HBD_ROLE_DRAINING && until_ns <= now_ns);
		assert(action->lease.accept_ns <= oracle->word_ns + profile->grant_ns);
	}
}

/* ---- roles ------------------------------------------------------------------------------------- */

static void check_silence(const struct oracle *oracle, uint8_t index, int64_t now_ns)
{
	const struct oracle_group *group = &oracle->groups[index];
	const struct hbd_profile *profile = &oracle->config->profile;

	assert(oracle->ticking);
	assert(now_ns >= oracle->started_ns + profile->quiet_ns + profile->grant_ns);
	assert(now_ns >= oracle->listens_until_ns);
	assert(!is_station(group->station) || group->questions >= QUESTIONS);
	assert(group->stranger_ns == 0 || now_ns >= group->stranger_ns + CONFLICT_NS ||
	       (is_station(group->peer_station) &&
		now_ns >= group->first_stranger_ns + PATIENCE_ALONES * profile->alone_ns));
	assert(!oracle->config->groups[index].gateway ||
	       (group->gateway_ns != 0 && now_ns < group->gateway_ns + profile->grant_ns));
}

static void check_claim(struct oracle *oracle, const struct hbd_action *action, int64_t now_ns)
{
	struct oracle_group *group = &oracle->groups[action->group];
	const struct hbd_profile *profile = &oracle->config->profile;

	assert(action->epoch > group->epoch && action->epoch > group->epoch_seen);
	assert(action->epoch % HBD_NODES == oracle->config->self);
	assert(now_ns >= oracle->started_ns + profile->quiet_ns);
	assert(now_ns >= group->promised_until_ns);
	if (action->reason == HBD_REASON_PEER_SILENT || action->reason == HBD_REASON_ALONE)
		check_silence(oracle, action->group, now_ns);
	if (action->reason == HBD_REASON_PEER_SILENT)
		assert(now_ns >= oracle->sign_ns + profile->grant_ns);
	if (action->reason == HBD_REASON_ALONE)
		assert(oracle->sign_ns == 0 && now_ns >= oracle->started_ns + profile->alone_ns);
	if (action->reason == HBD_REASON_PEER_RESIGNED)
		assert(group->peer_role != HBD_ROLE_UNSET && !oracle_occupies(group->peer_role) &&
		       (group->peer_flags & HBD_GROUP_RESIGNED));
	if ((action->reason == HBD_REASON_PEER_STOPPED ||
	     action->reason == HBD_REASON_PEER_ORPHANED) && group->peer_role == HBD_ROLE_UNSET)
		assert(oracle->left);
	if (action->reason == HBD_REASON_PEER_DIED)
		assert(oracle->left);
	group->epoch = action->epoch;
}

static void check_commit(const struct oracle *oracle, const struct hbd_action *action)
{
	const struct oracle_group *group = &oracle->groups[action->group];

	assert(oracle->fence == HBD_FENCE_KERNEL);
	assert(oracle->config->groups[action->group].drain_ns > 0);
	assert(oracle_stands_by(group->peer_role) && (group->peer_flags & HBD_GROUP_READY) &&
	       !(group->peer_flags & HBD_GROUP_REFUSED));
}

static void check_changed(struct oracle *oracle, const struct hbd_action *action, int64_t now_ns)
{
	struct oracle_group *group = &oracle->groups[action->group];

	assert(action->changed.from == group->role);
	if (action->changed.to == HBD_ROLE_CLAIMING)
		check_claim(oracle, action, now_ns);
	if (action->changed.to == HBD_ROLE_DRAINING)
		check_commit(oracle, action);
	if (oracle_occupies(action->changed.from) || oracle_occupies(action->changed.to))
		oracle_forget_answers(group);
	group->role = (uint8_t)action->changed.to;
}

/* ---- what it says ------------------------------------------------------------------------------ */

static void check_entry(const struct oracle *oracle, const struct hbd_group_entry *entry,
			uint8_t index, int64_t now_ns)
{
	const struct oracle_group *group = &oracle->groups[index];

	assert(entry->role == group->role);
	assert(entry->epoch >= group->epoch);
	if (!oracle_occupies(entry->role) || (entry->flags & HBD_GROUP_GRANTS))
		assert(now_ns >= group->until_ns);
	if (entry->flags & HBD_GROUP_GRANTS) {
		assert(!oracle_occupies(entry->role) && oracle_occupies(group->peer_role));
		assert(now_ns >= oracle->started_ns + oracle->config->profile.quiet_ns);
	}
	if (entry->flags & HBD_GROUP_OFFERED)
		assert(entry->role == HBD_ROLE_PRIMARY);
	if (entry->flags & (HBD_GROUP_READY | HBD_GROUP_REFUSED | HBD_GROUP_RESIGNED))
		assert(oracle_stands_by(entry->role));
}

static void check_sent(struct oracle *oracle, const struct hbd_packet *packet, int64_t now_ns)
{
	struct hbd_heartbeat heartbeat;
	struct hbd_header header;

	assert(hbd_packet_decode_header(packet->bytes, packet->length, &header) == HBD_DROP_NONE);
	if (header.type != HBD_PACKET_HEARTBEAT)
		return;
	assert(hbd_packet_decode_heartbeat(packet->bytes + HBD_HEADER_BYTES, header.body_bytes,
					   &heartbeat) == 0);
	assert(heartbeat.group_count == INSIDER_GROUPS);
	/* a claim that waits for the peer's grant renews nothing, and is promised Lg all the same */
	oracle->told_until_ns = hbd_time_max(now_ns + (int64_t)heartbeat.lease_us * HBD_US_NS,
					     now_ns + oracle->config->profile.hold_ns);
	oracle->renews_until_ns[heartbeat.hb_seq % ORACLE_SENT_MAX] = oracle->told_until_ns;
	for (uint8_t i = 0; i < INSIDER_GROUPS; i++)
		check_entry(oracle, &heartbeat.groups[i], i, now_ns);
}

/* ---- what it does ------------------------------------------------------------------------------ */

static void check_id(struct oracle *oracle, const struct hbd_action *action)
{
	assert(action->id > oracle->last_id);
	oracle->last_id = action->id;
}

static void check_run(struct oracle_group *group, const struct hbd_action *action, int64_t now_ns)
{
	uint32_t bit = 1u << action->run.step;

	assert(group->running_id == 0 || now_ns >= group->running_until_ns);
	if (action->run.call == HBD_CALL_PREPARE)
		assert(oracle_stands_by(group->role) && (group->peer_flags & HBD_GROUP_OFFERED));
	if (action->run.call == HBD_CALL_TAKEOVER)
		assert(hbd_role_owns((enum hbd_role)group->role));
	group->running_id = action->id;
	group->running_step = action->run.step;
	group->running_release = action->run.call == HBD_CALL_RELEASE;
	group->running_until_ns = action->run.deadline_ns;
	group->owed = group->running_release ? group->owed & ~bit : group->owed | bit;
}

/* A release that is cut short is owed still. What has just ended may be told so too late. */
static void check_cancel(const struct oracle *oracle, struct oracle_group *group,
			 const struct hbd_action *action)
{
	assert(group->running_id == action->id || oracle->ended_id == action->id);
	if (group->running_release)
		group->owed |= 1u << group->running_step;
	group->running_id = 0;
}

/* Those that count are asked when the lease that was granted last is over by any clock. */
static void note_question(const struct oracle *oracle, struct oracle_group *group, int64_t now_ns)
{
	const struct hbd_profile *profile = &oracle->config->profile;

	group->asked = true;
	if (now_ns >= oracle->sign_ns + hbd_profile_promise_ns(profile->hold_ns) &&
	    (group->promised_until_ns <= oracle->sign_ns + profile->grant_ns ||
	     now_ns >= group->promised_until_ns))
		group->questions++;
}

static void check_action(struct oracle *oracle, const struct hbd_actions *actions,
			 const struct hbd_action *action, int64_t now_ns)
{
	struct oracle_group *group = &oracle->groups[action->group % INSIDER_GROUPS];

	assert(!oracle->reborn);	/* then it does not say another word */
	switch (action->type) {
	case HBD_ACTION_SEND:
		check_sent(oracle, &actions->packets[action->packet], now_ns);
		break;
	case HBD_ACTION_LEASE:
		check_lease(oracle, action, now_ns);
		break;
	case HBD_ACTION_ACQUIRE:
		check_id(oracle, action);
		assert(now_ns < group->until_ns);
		group->present = true;
		break;
	case HBD_ACTION_RELEASE:
		check_id(oracle, action);
		assert(now_ns >= group->until_ns);
		group->present = false;
		break;
	case HBD_ACTION_RESTORE:
		assert(group->present);
		break;
	case HBD_ACTION_ANNOUNCE:
	case HBD_ACTION_DEFEND:
		assert(group->present && now_ns < group->until_ns);
		break;
	case HBD_ACTION_ASK:
		assert(!hbd_role_owns((enum hbd_role)group->role) || group->role == HBD_ROLE_CLAIMING);
		note_question(oracle, group, now_ns);
		break;
	case HBD_ACTION_FORWARD:
		check_id(oracle, action);
		break;
	case HBD_ACTION_WITNESS:
		check_id(oracle, action);
		assert(oracle->config->witness);
		break;
	case HBD_ACTION_RUN:
		check_id(oracle, action);
		check_run(group, action, now_ns);
		break;
	case HBD_ACTION_CANCEL:
		check_cancel(oracle, group, action);
		break;
	case HBD_ACTION_CHANGED:
		check_changed(oracle, action, now_ns);
		break;
	case HBD_ACTION_REBORN:
		oracle->reborn = true;
		break;
	case HBD_ACTION_STOPPED:
		oracle->stopped = true;
		break;
	case HBD_ACTION_WILL:
	case HBD_ACTION_HELD:
	case HBD_ACTION_LEFT:
	case HBD_ACTION_ALERT:
		break;
	case HBD_ACTION_UNSET:
	case HBD_ACTION_TYPE_COUNT:
		assert(action->type == HBD_ACTION_SEND);
	}
}

static void check_group(const struct oracle *oracle, const struct hbd_node *node, uint8_t index,
			int64_t now_ns)
{
	const struct hbd_lease *lease = &node->groups[index].lease;
	const struct oracle_group *group = &oracle->groups[index];

	assert(group->role == node->groups[index].role);
	assert(!hbd_node_holds(node, index) || (group->present && lease->held));
	if (!lease->held)
		return;
	assert(hbd_role_owns(node->groups[index].role));
	assert(now_ns < lease->held_until_ns && lease->held_until_ns == group->until_ns);
	/* who has no session was promised nothing, and nobody knows what the witness's vote lasts */
	if (!oracle->config->witness && hbd_session_is_open(&node->session))
		assert(group->until_ns <= oracle->told_until_ns);
}

void oracle_look(struct oracle *oracle, const struct hbd_node *node, const struct hbd_event *event,
		 const struct hbd_actions *actions, int64_t now_ns)
{
	for (size_t i = 0; i < actions->count; i++)
		check_action(oracle, actions, &actions->items[i], now_ns);
	for (uint8_t i = 0; i < INSIDER_GROUPS && !oracle->reborn; i++)
		check_group(oracle, node, i, now_ns);
	assert(event->type != HBD_EVENT_TICK || hbd_node_deadline_ns(node) > now_ns);
}

void oracle_stopped(const struct oracle *oracle)
{
	for (uint8_t i = 0; i < INSIDER_GROUPS; i++) {
		assert(!oracle->groups[i].present);
		assert(oracle->groups[i].owed == 0);
	}
}
