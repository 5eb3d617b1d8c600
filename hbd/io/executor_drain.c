#include "executor_drain.h"

#include <string.h>

#include "../base/log.h"

static int ask(struct executor *executor, uint8_t group, enum message_drain call)
{
	const struct message message = {
		.type = MESSAGE_DRAIN,
		.group = group,
		.drain = { .call = call },
	};

	return outbox_tell(executor->outbox, &message);
}

void executor_forward(struct executor *executor, const struct hbd_action *action)
{
	const struct hbd_group *group = &executor->node->groups[action->group];
	struct message message = {
		.type = MESSAGE_DRAIN,
		.group = action->group,
		.drain = { .call = MESSAGE_FORWARD, .id = action->id },
	};
	int r;

	memcpy(message.drain.peer, group->asking.peer_station, sizeof(message.drain.peer));
	r = outbox_tell(executor->outbox, &message);
	executor->groups[action->group].forwards = r == 0;
	if (r == 0)
		return;
	log_notice("%s: connections that are open at the peer will end when they come here: the "
		   "guardian cannot be asked: %s", executor->conf->groups[action->group].name,
		   log_strerror(r));
	executor_report_done(executor, action->id, r);
}

/*
 * From the offer on, and while the peer still has connections; a node that hands the group back before
 * that goes on, for what clients still send here is the peer's.
 */
static bool is_to_forward(const struct executor *executor, const struct hbd_group *group)
{
	bool prepares = group->handover.state == HBD_HANDOVER_PREPARING ||
			group->handover.state == HBD_HANDOVER_READY;

	if (prepares || group->role == HBD_ROLE_DRAINING)
		return true;
	return hbd_role_owns(group->role) && group->peer.known &&
	       group->peer.role == HBD_ROLE_DRAINING &&
	       hbd_node_peer_state(executor->node) == HBD_PEER_ALIVE;
}

/* A message that finds no room is sent again with a later turn. */
void executor_drain(struct executor *executor, uint8_t index)
{
	const struct hbd_group *group = &executor->node->groups[index];
	struct executor_group *state = &executor->groups[index];
	bool holds = group->role == HBD_ROLE_DRAINING;

	if (state->forwards && !is_to_forward(executor, group))
		state->forwards = ask(executor, index, MESSAGE_FORWARD_END) < 0;
	if (holds == state->holds)
		return;
	state->connections = -1;
	if (ask(executor, index, holds ? MESSAGE_HOLD : MESSAGE_HOLD_END) == 0)
		state->holds = holds;
}

void executor_take_draining(struct executor *executor, const struct message *message)
{
	const struct hbd_event drained = { .type = HBD_EVENT_DRAINED, .group = message->group };
	struct executor_group *state = &executor->groups[message->group];

	if (message->draining.id != 0) {
		executor_report_done(executor, message->draining.id, message->draining.error);
		return;
	}
	/* one that was on its way when the drain ended */
	if (!state->holds)
		return;
	state->connections = message->draining.connections;
	if (state->connections == 0)
		event_queue_put(executor->events, &drained);
}
