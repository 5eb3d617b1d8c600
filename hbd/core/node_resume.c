/* What of a node goes on in another process, as resume.h has it. */
#include "node_internal.h"
#include "resume.h"

#include <errno.h>
#include <string.h>

#include "time.h"

int hbd_node_find_group(const struct hbd_node_config *config, uint32_t id)
{
	for (uint8_t i = 0; i < config->group_count; i++)
		if (config->groups[i].id == id)
			return i;
	return -1;
}

static bool group_can_pause(const struct hbd_group *group)
{
	bool rests = group->role == HBD_ROLE_QUIET || group->role == HBD_ROLE_SECONDARY ||
		     group->role == HBD_ROLE_PRIMARY || group->role == HBD_ROLE_FAULT;

	/* the guardian hands on what belongs to the peer that drains */
	if (group->peer.known && group->peer.role == HBD_ROLE_DRAINING)
		return false;
	return rests && group->plan.kind == HBD_PLAN_NONE && !group->awaits_vote &&
	       !group->resigned && !group->takes_back &&
	       group->handover.state == HBD_HANDOVER_NONE;
}

/* The peer may be in the session that follows, of which another process would not know. */
static bool awaits_proof(const struct hbd_node *node)
{
	return node->session.next.open && node_peer_present(node);
}

bool hbd_node_can_pause(const struct hbd_node *node)
{
	if (awaits_proof(node))
		return false;
	for (uint8_t i = 0; i < node->config->group_count; i++)
		if (!group_can_pause(&node->groups[i]))
			return false;
	return true;
}

static bool is_needed_here(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];
	bool peer_has_it = node_peer_present(node) && group->peer.known;

	return node_role_occupies(group->role) &&
	       (peer_has_it || node->config->groups[index].step_count > 0);
}

static bool is_running_key(const struct hbd_node *node, uint8_t index)
{
	return hbd_session_is_open(&node->session) && node_peer_present(node) &&
	       node->session.running.key_id == node->config->keys[index].id;
}

int hbd_node_can_drop(const struct hbd_node *node, uint32_t groups, uint8_t keys,
		      uint8_t *ret_group)
{
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		if (!(groups >> i & 1) || !is_needed_here(node, i))
			continue;
		*ret_group = i;
		return -EADDRINUSE;
	}
	for (uint8_t i = 0; i < node->config->key_count; i++)
		if ((keys >> i & 1) && is_running_key(node, i))
			return -ENOKEY;
	return 0;
}

static int check(const struct hbd_node_config *config, const struct hbd_node *former,
		 int64_t now_ns)
{
	if (former->config->self != config->self ||
	    former->config->cluster_id != config->cluster_id || now_ns < former->now_ns)
		return -EINVAL;
	if (former->stopping || former->stopped)
		return -ESHUTDOWN;
	if (!hbd_node_can_pause(former))
		return -EBUSY;
	for (uint8_t i = 0; i < former->config->group_count; i++)
		if (former->groups[i].lease.held &&
		    hbd_lease_is_over(&former->groups[i].lease, now_ns))
			return -ETIME;
	return 0;
}

/* Of a request under way nobody will learn how it ended. */
static void resume_witness(const struct hbd_node *node, struct hbd_witness *witness)
{
	if (witness->pending_id != 0)
		hbd_witness_answered(witness, witness->pending_id, HBD_WITNESS_UNKNOWN, 0, NULL,
				     node->config->self, node->config->profile.long_ns,
				     node->now_ns);
	witness->count += HBD_RESUME_AHEAD;
}

static void resume_group(struct hbd_node *node, uint8_t index, const struct hbd_group *former)
{
	const struct hbd_group_config *config = &node->config->groups[index];
	struct hbd_group *group = &node->groups[index];
	uint8_t count = former->plan.step_count;

	*group = *former;
	/* the loop tells these anew */
	group->faults &= (uint8_t)~HBD_FAULTS_TOLD;
	group->health = 1000;
	group->role_hb_seq = node->hb_seq + 1;
	hbd_takeover_init(&group->plan, config->steps, config->step_count);
	for (uint8_t i = 0; i < count && i < config->step_count; i++)
		group->plan.started[i] = former->plan.started[i];
	resume_witness(node, &group->witness);
}

/* In a former life this node may have promised it, and heard of nothing since. */
static void begin_group(struct hbd_node *node, uint8_t index)
{
	struct hbd_group *group = &node->groups[index];

	memset(group, 0, sizeof(*group));
	node_init_group(node, index, node->now_ns);
	group->hold_until_ns = hbd_time_add(node->now_ns, node->config->profile.alone_ns);
}

static void resume_groups(struct hbd_node *node, const struct hbd_node *former)
{
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		int index = hbd_node_find_group(former->config, node->config->groups[i].id);

		if (index >= 0)
			resume_group(node, i, &former->groups[index]);
		else
			begin_group(node, i);
	}
}

/* Whether this program, with the keys that it was given, can go on with what the former one began. */
static bool can_use(const struct hbd_session *session, const struct hbd_channel *channel)
{
	if (channel->version < HBD_VERSION_MIN || channel->version > session->version_max)
		return false;
	for (uint8_t i = 0; i < session->key_count; i++)
		if (session->keys[i].id == channel->key_id)
			return true;
	return false;
}

/* A handshake under way begins anew, with nonces of this process's seed. */
static void resume_session(struct hbd_node *node, const struct hbd_session *former)
{
	struct hbd_session *session = &node->session;

	hbd_session_init(session, node->config->self, node->config->link_count,
			 node->config->cluster_id, node->config->keys, node->config->key_count,
			 node->config->seed);
	hbd_session_speak(session, node->config->version_max);
	session->own_session = former->own_session;
	session->established = former->established + 1;
	session->running = former->running;
	session->previous = former->previous;
	memcpy(session->proven_nonce, former->proven_nonce, sizeof(session->proven_nonce));
	session->offer_count = former->offer_count;
	memcpy(session->offers, former->offers, sizeof(session->offers));
	for (uint8_t i = 0; i < HBD_LINKS_MAX; i++)
		session->running.tx_seq[i] += HBD_RESUME_AHEAD;
	if (!can_use(session, &session->running))
		session->running.open = false;
	if (!can_use(session, &session->previous))
		session->previous.open = false;
}

/* Grants of what the former process sent count no more: its last lease is in force as it is. */
static void resume_numbers(struct hbd_node *node)
{
	node->resumed++;
	node->next_id += HBD_RESUME_AHEAD;
	node->hb_seq += HBD_RESUME_AHEAD;
	node->sent = (struct hbd_sent){ .newest = node->hb_seq };
	hbd_detector_resumed(&node->detector, node->hb_seq);
}

/* What this process has to find out or to tell anew. */
static void begin_process(struct hbd_node *node, const struct hbd_node_config *config,
			  int64_t now_ns)
{
	node->config = config;
	node->detector.profile = &config->profile;
	node->fence = config->fence;
	node->now_ns = now_ns;
	node->ticked_ns = now_ns - 1;
	node->next_send_ns = now_ns;
	node->next_offer_ns = now_ns;
	node->next_renewal_ns = now_ns;
	node->next_attempt_ns = now_ns;
	node->next_probe_ns = now_ns;
	node->witness_poll_ns = now_ns;
	node->witness_poll_group = 0;
	node->links_usable = 0;
	node->links_closed = 0;
	node->hold.term_ns = 0;
	node->hold.hb_seq = 0;
	node->hold.over = false;
	node->reply_due = false;
	node->news = true;
	node->wills_due = true;
}

int hbd_node_resume(struct hbd_node *node, const struct hbd_node_config *config,
		    const struct hbd_node *former, int64_t now_ns)
{
	int result = check(config, former, now_ns);

	if (result < 0)
		return result;
	*node = *former;
	begin_process(node, config, now_ns);
	resume_numbers(node);
	resume_session(node, &former->session);
	resume_groups(node, former);
	node_resume_maintenance(node);
	if (now_ns > former->now_ns)
		node_take_stall(node, now_ns - former->now_ns);
	/* what arrived meanwhile is lost: it may have told of a long lease, or of a pause */
	for (uint8_t i = 0; i < config->group_count; i++)
		node_doubt_silence(node, &node->groups[i]);
	return 0;
}
