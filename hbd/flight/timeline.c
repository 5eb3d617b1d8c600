#include "timeline_parts.h"

#include "../core/time.h"

/* ---- measuring ----------------------------------------------------------------------------------- */

static void measure_step(const struct flight_step *step, struct flight_summary *summary)
{
	if (summary->segments == 0)
		summary->begin_ns = step->now_ns;
	summary->end_ns = step->now_ns;
	summary->segments += step->kind == FLIGHT_STEP_BEGIN;
	if (step->kind == FLIGHT_STEP_EVENT)
		summary->steps += step->times;
	if (!step->differs || summary->differences++ > 0)
		return;
	summary->first_difference = step->number;
	summary->differs_ns = step->now_ns;
	snprintf(summary->difference, sizeof(summary->difference), "%s", step->difference);
}

void flight_timeline_measure(struct flight_player *player, struct flight_summary *ret_summary)
{
	memset(ret_summary, 0, sizeof(*ret_summary));
	flight_player_spare(player);
	while (flight_player_next(player, ret_summary->why) == 1)
		measure_step(flight_player_step(player), ret_summary);
}

/* ---- what is worth telling ----------------------------------------------------------------------- */

bool timeline_action_is_worth_telling(const struct hbd_action *action)
{
	switch (action->type) {
	case HBD_ACTION_SEND:
	case HBD_ACTION_WILL:
	case HBD_ACTION_LEASE:
	case HBD_ACTION_ASK:
	case HBD_ACTION_FORWARD:
	case HBD_ACTION_UNSET:
	case HBD_ACTION_TYPE_COUNT:
		return false;
	case HBD_ACTION_WITNESS:
		return action->witness.call == HBD_WITNESS_SWAP;
	case HBD_ACTION_ACQUIRE:
	case HBD_ACTION_RELEASE:
	case HBD_ACTION_RESTORE:
	case HBD_ACTION_ANNOUNCE:
	case HBD_ACTION_DEFEND:
	case HBD_ACTION_RUN:
	case HBD_ACTION_CANCEL:
	case HBD_ACTION_CHANGED:
	case HBD_ACTION_ALERT:
	case HBD_ACTION_HELD:
	case HBD_ACTION_LEFT:
	case HBD_ACTION_REBORN:
	case HBD_ACTION_STOPPED:
		break;
	}
	return true;
}

static bool packet_is_worth_telling(const struct flight_step *step)
{
	switch (step->received.verdict.receipt) {
	case HBD_RECEIPT_HEARTBEAT:
		return step->received.header.type == HBD_PACKET_GOODBYE ||
		       step->received.verdict.proven;
	case HBD_RECEIPT_CONFIRM:
	case HBD_RECEIPT_VERSION:
		return true;
	case HBD_RECEIPT_DROPPED:
	case HBD_RECEIPT_HELLO:
	case HBD_RECEIPT_KNOCK:
	case HBD_RECEIPT_ACK:
	case HBD_RECEIPT_UNSET:
		break;
	}
	return false;
}

static bool event_is_worth_telling(const struct flight_step *step)
{
	switch (step->event.type) {
	case HBD_EVENT_PACKET:
		return packet_is_worth_telling(step);
	case HBD_EVENT_TICK:
	case HBD_EVENT_STATION:
	case HBD_EVENT_ANSWER:
	case HBD_EVENT_GATEWAY:
	case HBD_EVENT_WITNESS:
	case HBD_EVENT_UNREACHABLE:
	case HBD_EVENT_UNSET:
	case HBD_EVENT_TYPE_COUNT:
		return false;
	case HBD_EVENT_STALLED:
	case HBD_EVENT_LINK:
	case HBD_EVENT_FAULT:
	case HBD_EVENT_HEALTH:
	case HBD_EVENT_MISSING:
	case HBD_EVENT_RESTORED:
	case HBD_EVENT_FENCE:
	case HBD_EVENT_DONE:
	case HBD_EVENT_DRAINED:
	case HBD_EVENT_SWITCHOVER:
	case HBD_EVENT_MAINTENANCE:
	case HBD_EVENT_LEAVE:
	case HBD_EVENT_HOLD:
	case HBD_EVENT_STOP:
		break;
	}
	return true;
}

static bool any_action_is(const struct flight_actions *actions, bool changes_only)
{
	for (size_t i = 0; i < actions->count; i++) {
		const struct hbd_action *action = &actions->items[i].action;

		if (changes_only ? action->type == HBD_ACTION_CHANGED
				 : timeline_action_is_worth_telling(action))
			return true;
	}
	return false;
}

static bool peer_changed(const struct timeline_page *page)
{
	if (page->before.state != page->now.state)
		return true;
	for (uint8_t i = 0; i < HBD_GROUPS_MAX; i++)
		if (timeline_role_changed(page, i))
			return true;
	return false;
}

static bool is_worth_telling(const struct timeline_page *page, const struct flight_step *step)
{
	int64_t at_ns = step->now_ns - page->scene.end_ns;

	if (page->wanted->changes)
		return any_action_is(&step->replayed, true) && step->kind == FLIGHT_STEP_EVENT;
	if (at_ns < page->wanted->from_ns || at_ns > page->wanted->to_ns)
		return false;
	if (page->wanted->all || page->differs_first || (step->differs && page->wanted->json))
		return true;
	if (step->kind == FLIGHT_STEP_BEGIN)
		return step->segment == 0 || step->new_life;
	if (step->kind == FLIGHT_STEP_DIGEST || step->kind == FLIGHT_STEP_LAST ||
	    step->kind == FLIGHT_STEP_SURVIVED)
		return true;
	return event_is_worth_telling(step) || any_action_is(&step->recorded, false) ||
	       peer_changed(page);
}

/* ---- printing ------------------------------------------------------------------------------------ */

static void look_at_peer(const struct hbd_node *node, struct timeline_peer *peer)
{
	peer->state = hbd_node_peer_state(node);
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		peer->known[i] = node->groups[i].peer.known;
		peer->roles[i] = node->groups[i].peer.role;
	}
}

static void print_step(struct timeline_page *page)
{
	const struct flight_step *step = flight_player_step(page->player);

	page->before = page->now;
	look_at_peer(flight_player_node(page->player), &page->now);
	if (step->kind == FLIGHT_STEP_BEGIN) {
		page->before = page->now;
		page->differed = false;
	}
	page->differs_first = step->differs && !page->differed;
	page->differed = page->differed || (step->differs && step->kind == FLIGHT_STEP_EVENT);
	if (!is_worth_telling(page, step))
		return;
	if (page->wanted->json)
		timeline_json_step(page);
	else
		timeline_text_step(page);
}

void flight_timeline_print(const struct flight_file *file, struct flight_player *player,
			   const struct flight_timeline *timeline,
			   const struct flight_summary *summary, FILE *stream)
{
	char why[FLIGHT_WHY_BYTES];
	struct timeline_page page = {
		.wanted = timeline,
		.scene = { &file->facts, summary->end_ns },
		.player = player,
		.stream = stream,
	};

	if (!timeline->json)
		timeline_text_head(&page, summary);
	while (flight_player_next(player, why) == 1)
		print_step(&page);
	if (timeline->json)
		timeline_json_tail(&page, summary);
	else
		timeline_text_tail(&page, summary);
}
