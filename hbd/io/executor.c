#include "executor.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/log.h"
#include "epoch.h"
#include "executor_tell.h"
#include "fence.h"

void executor_init(struct executor *executor)
{
	executor->peer_state = HBD_PEER_UNKNOWN;
	executor->status_due = true;
}

static void report_done(struct executor *executor, uint64_t id, int result)
{
	const struct hbd_event event = {
		.type = HBD_EVENT_DONE,
		.done = { .id = id, .result = result },
	};

	event_queue_put(executor->events, &event);
}

static void send_packet(struct executor *executor, const struct hbd_action *action,
			const struct hbd_packet *packet, int64_t now_ns)
{
	links_send(executor->links, action->link, packet->bytes, packet->length, now_ns);
}

/* Whoever reads a length after this process died finds the bytes that belong to it. */
static void store_will(struct executor *executor, const struct hbd_action *action,
		       const struct hbd_packet *packet)
{
	struct shared_will *will = &executor->shared->wills[action->link];

	atomic_store_explicit(&will->length, 0, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	memcpy(will->bytes, packet->bytes, packet->length);
	atomic_store_explicit(&will->length, packet->length, memory_order_release);
}

/* The fence first: it is what holds when all else hangs. */
static void set_lease(struct executor *executor, const struct hbd_action *action)
{
	if (executor->fence)
		fence_renew(executor->fence, action->group, action->until_ns);
	hands_lease(executor->hands, action->group, action->until_ns);
}

static void release(struct executor *executor, const struct hbd_action *action)
{
	if (executor->fence)
		fence_close_group(executor->fence, action->group);
	hands_release(executor->hands, action->group, action->id);
}

static void run_plugin(struct executor *executor, const struct hbd_action *action, int64_t now_ns)
{
	struct message message = {
		.type = MESSAGE_RUN,
		.group = action->group,
		.run = {
			.id = action->id,
			.epoch = action->epoch,
			.reason = action->reason,
			.call = action->run.call,
			.step = action->run.step,
			.timeout_ns = hbd_time_max(action->run.deadline_ns - now_ns, 1),
		},
	};
	int r = outbox_tell(executor->outbox, &message);

	if (r < 0) {
		log_error("%s: cannot ask the guardian to run plugin %s: %s; it counts as failed",
			  executor->conf->groups[action->group].name,
			  executor->conf->groups[action->group].takeover[action->run.step].name,
			  log_strerror(r));
		report_done(executor, action->id, r);
		return;
	}
	executor->groups[action->group].run_id = action->id;
}

static void cancel_plugin(struct executor *executor, const struct hbd_action *action)
{
	const struct message message = {
		.type = MESSAGE_CANCEL,
		.group = action->group,
		.run = { .id = action->id },
	};
	int r = outbox_tell(executor->outbox, &message);

	executor->groups[action->group].run_id = 0;
	if (r < 0 && r != -EPIPE)
		log_warning("%s: cannot ask the guardian to end a plugin: %s; its timeout will",
			    executor->conf->groups[action->group].name, log_strerror(r));
}

static void tell_change(struct executor *executor, const struct hbd_action *action)
{
	executor_tell_change(executor, action);
	executor->status_due = true;
	if (action->changed.to == HBD_ROLE_CLAIMING)
		executor->groups[action->group].failure = 0;
}

static void alert(struct executor *executor, const struct hbd_action *action)
{
	struct record_alert record;

	if (action->alert.kind == HBD_ALERT_PLUGIN_FAILED) {
		executor->groups[action->group].failure = action->alert.error;
		executor->groups[action->group].failed_step = action->alert.step;
	}
	executor_alert_record(executor, action, &record);
	outbox_alert(executor->outbox, &record);
}

static void stop(struct executor *executor)
{
	const struct message message = { .type = MESSAGE_STOPPED };

	executor->stopped = true;
	outbox_tell(executor->outbox, &message);
}

static void carry_out(struct executor *executor, const struct hbd_action *action,
		      const struct hbd_actions *actions, int64_t now_ns)
{
	switch (action->type) {
	case HBD_ACTION_SEND:
		send_packet(executor, action, &actions->packets[action->packet], now_ns);
		break;
	case HBD_ACTION_WILL:
		store_will(executor, action, &actions->packets[action->packet]);
		break;
	case HBD_ACTION_LEASE:
		set_lease(executor, action);
		break;
	case HBD_ACTION_ACQUIRE:
		hands_acquire(executor->hands, action->group, action->id);
		break;
	case HBD_ACTION_RELEASE:
		release(executor, action);
		break;
	case HBD_ACTION_RESTORE:
		hands_restore(executor->hands, action->group);
		break;
	case HBD_ACTION_ANNOUNCE:
		hands_announce(executor->hands, action->group);
		break;
	case HBD_ACTION_ASK:
		hands_ask(executor->hands, action->group);
		break;
	case HBD_ACTION_RUN:
		run_plugin(executor, action, now_ns);
		break;
	case HBD_ACTION_CANCEL:
		cancel_plugin(executor, action);
		break;
	case HBD_ACTION_CHANGED:
		tell_change(executor, action);
		break;
	case HBD_ACTION_ALERT:
		alert(executor, action);
		break;
	case HBD_ACTION_STOPPED:
		stop(executor);
		break;
	case HBD_ACTION_UNSET:
	case HBD_ACTION_TYPE_COUNT:
		assert(!"an action has a type");
	}
}

void executor_carry_out(struct executor *executor, const struct hbd_actions *actions,
			int64_t now_ns)
{
	for (size_t i = 0; i < actions->count; i++)
		carry_out(executor, &actions->items[i], actions, now_ns);
}

void executor_take_done(struct executor *executor, uint8_t group, uint64_t id, int result)
{
	if (executor->groups[group].run_id == id)
		executor->groups[group].run_id = 0;
	report_done(executor, id, result);
}

void executor_take_addresses(struct executor *executor, const struct hands_report *report)
{
	struct executor_group *group = &executor->groups[report->group];

	if (report->result < 0) {
		group->failure = report->result;
		group->failed_step = HBD_STEPS_MAX;
		group->failed_vip = report->failed_vip;
	}
	report_done(executor, report->id, report->result);
}

static bool all_checks_good(const struct executor *executor, uint8_t group)
{
	const struct executor_check *checks = executor->groups[group].checks;

	for (uint8_t i = 0; i < executor->conf->groups[group].check_count; i++) {
		if (checks[i].known && !checks[i].good)
			return false;
	}
	return true;
}

void executor_take_check(struct executor *executor, uint8_t group, uint8_t check, bool good,
			 const char *detail)
{
	struct executor_check *state = &executor->groups[group].checks[check];
	bool were_good = all_checks_good(executor, group);
	struct hbd_event event = { .type = HBD_EVENT_FAULT, .group = group };

	state->known = true;
	state->good = good;
	snprintf(state->detail, sizeof(state->detail), "%s", detail);
	event.fault.fault = HBD_FAULT_CHECK;
	event.fault.present = !all_checks_good(executor, group);
	if (event.fault.present == were_good)
		event_queue_put(executor->events, &event);
}

void executor_lose_guardian(struct executor *executor)
{
	executor->guardian_lost = true;
	executor->outbox->guardian_gone = true;
	for (uint8_t i = 0; i < executor->conf->group_count; i++) {
		struct executor_group *group = &executor->groups[i];

		if (group->run_id != 0)
			report_done(executor, group->run_id, -EPIPE);
		group->run_id = 0;
	}
}

/*
 * The guardian reserved epochs up to some number ahead; a peer that was started more often is above
 * them. Told once for every EPOCH_LIFE, which is what the scribe notes ahead, so that no disk is
 * busy with every change of owner.
 */
static void tell_epoch(struct executor *executor)
{
	struct record record = { .type = RECORD_EPOCH };

	for (uint8_t i = 0; i < executor->conf->group_count; i++)
		if (executor->node->groups[i].epoch > record.epoch)
			record.epoch = executor->node->groups[i].epoch;
	if (record.epoch < executor->epoch_told)
		return;
	record.epoch += EPOCH_LIFE;
	/* tried again with the next turn if the scribe is busy */
	if (record_send(executor->outbox->scribe_fd, &record) == 0)
		executor->epoch_told = record.epoch;
}

static void tell_status(struct executor *executor, int64_t now_ns)
{
	struct message message = { .type = MESSAGE_STATUS };
	enum hbd_peer_state state = hbd_node_peer_state(executor->node);

	if (state == executor->peer_state && !executor->status_due)
		return;
	executor->peer_state = state;
	executor_status_text(executor, now_ns, message.text);
	/* one that finds no room is told with a later turn */
	executor->status_due = outbox_tell(executor->outbox, &message) == -ENOBUFS;
}

void executor_run(struct executor *executor, int64_t now_ns)
{
	tell_status(executor, now_ns);
	tell_epoch(executor);
}
