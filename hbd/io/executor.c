#include "executor.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/log.h"
#include "epoch.h"
#include "executor_drain.h"
#include "executor_tell.h"
#include "fence.h"

void executor_init(struct executor *executor)
{
	executor->peer_state = HBD_PEER_UNKNOWN;
	executor->status_due = true;
}

void executor_report_done(struct executor *executor, uint64_t id, int result)
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
	bool drains = action->lease.accept_ns > action->lease.until_ns;

	if (executor->fence && drains)
		fence_drain(executor->fence, action->group, action->lease.accept_ns);
	else if (executor->fence)
		fence_renew(executor->fence, action->group, action->lease.until_ns);
	hands_lease(executor->hands, action->group, action->lease.accept_ns);
}

/* Mute addresses need the fence, and have no business on a node that stops. */
static void stage(struct executor *executor, uint8_t group)
{
	bool staged = executor->conf->groups[group].staged && executor->fence_in_force &&
		      !executor->node->stopping;

	if (staged == executor->groups[group].staged)
		return;
	executor->groups[group].staged = staged;
	hands_stage(executor->hands, group, staged);
}

static void release(struct executor *executor, const struct hbd_action *action)
{
	stage(executor, action->group);
	if (executor->fence)
		fence_close_group(executor->fence, action->group);
	hands_release(executor->hands, action->group, action->id);
}

/* Of a plugin that no guardian is there for. */
static void explain_orphan(struct executor_group *group, const char *what)
{
	snprintf(group->done_why, sizeof(group->done_why), "%s, as hbd's guardian died", what);
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

	executor->groups[action->group].done_why[0] = '\0';
	if (r < 0) {
		log_error("%s: cannot ask the guardian to run plugin %s: %s; it counts as failed",
			  executor->conf->groups[action->group].name,
			  executor->conf->groups[action->group].takeover[action->run.step].name,
			  r == -EPIPE ? "it died" : log_strerror(r));
		if (r == -EPIPE)
			explain_orphan(&executor->groups[action->group], "was not run");
		executor_report_done(executor, action->id, r);
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
	if (action->changed.to == HBD_ROLE_DRAINING)
		hands_hush(executor->hands, action->group);
	if (!executor->flight_due)
		executor->flight = (struct record_flight){
			.group = action->group,
			.role = action->changed.to,
			.reason = action->reason,
			.realtime_ns = clock_read_pair().real_ns,
		};
	executor->flight_due = true;
	if (action->changed.to == HBD_ROLE_CLAIMING)
		executor->groups[action->group].failure = 0;
}

/* What the program said, or, of one that nobody could run or wait for, what became of it. */
static void note_failure(struct executor_group *group, const struct hbd_action *action)
{
	const char *why = group->done_why;

	if (!why[0])
		why = action->alert.error == -ETIMEDOUT ? "it did not end in time"
							: log_strerror(action->alert.error);
	group->failure = action->alert.error;
	group->failed_step = action->alert.step;
	snprintf(group->failed_why, sizeof(group->failed_why), "%s", why);
}

static void alert(struct executor *executor, const struct hbd_action *action)
{
	struct record_alert record;

	if (action->alert.kind == HBD_ALERT_PLUGIN_FAILED)
		note_failure(&executor->groups[action->group], action);
	if (action->alert.kind == HBD_ALERT_MAINTENANCE ||
	    action->alert.kind == HBD_ALERT_MAINTENANCE_OVER)
		executor->status_due = true;
	executor_alert_record(executor, action, &record);
	outbox_alert(executor->outbox, &record);
}

static void stop(struct executor *executor)
{
	const struct message message = { .type = MESSAGE_STOPPED };

	executor->stopped = true;
	outbox_tell(executor->outbox, &message);
}

/* A program that hangs the guardian ends; one that cannot reach its register says so, and goes on. */
static void ask_witness(struct executor *executor, const struct hbd_action *action, int64_t now_ns)
{
	const struct message stuck = { .type = MESSAGE_WITNESS_STUCK };

	witness_ask(&executor->witness, action, now_ns);
	if (witness_is_stuck(&executor->witness, now_ns))
		outbox_tell(executor->outbox, &stuck);
}

static void tell_left(struct executor *executor)
{
	const struct message message = { .type = MESSAGE_LEFT };

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
	case HBD_ACTION_DEFEND:
		hands_defend(executor->hands, action->group, action->address);
		break;
	case HBD_ACTION_FORWARD:
		executor_forward(executor, action);
		break;
	case HBD_ACTION_WITNESS:
		ask_witness(executor, action, now_ns);
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
	case HBD_ACTION_HELD:
		executor->held = true;
		executor->held_result = action->result;
		break;
	case HBD_ACTION_LEFT:
		tell_left(executor);
		break;
	case HBD_ACTION_REBORN:
		log_error("engine: the peer knows what this process has not said yet: this machine was "
			  "set back to an earlier state; ending, to start with a session of its own");
		executor->reborn = true;
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

void executor_take_done(struct executor *executor, uint8_t group, uint64_t id, int result,
			const char *why)
{
	struct executor_group *state = &executor->groups[group];

	if (state->run_id == id) {
		state->run_id = 0;
		snprintf(state->done_why, sizeof(state->done_why), "%s", why);
	}
	executor_report_done(executor, id, result);
}

void executor_take_addresses(struct executor *executor, const struct hands_report *report)
{
	struct executor_group *group = &executor->groups[report->group];

	if (report->result < 0) {
		group->failure = report->result;
		group->failed_step = HBD_STEPS_MAX;
		group->failed_why[0] = '\0';
		group->failed_vip = report->failed_vip;
	}
	executor_report_done(executor, report->id, report->result);
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

		if (group->run_id != 0) {
			explain_orphan(group, "was killed");
			executor_report_done(executor, group->run_id, -EPIPE);
		}
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

	for (uint8_t i = 0; i < executor->conf->group_count; i++) {
		const struct hbd_group *group = &executor->node->groups[i];

		if (group->epoch > record.epoch)
			record.epoch = group->epoch;
		if (group->epoch_seen > record.epoch)
			record.epoch = group->epoch_seen;
	}
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

	bool maintained = executor->node->peer_maintained && state == HBD_PEER_ALIVE;
	bool stopping = executor->node->stopping || executor->node->leave.on;

	/* suspected for a moment it is what it was */
	if (state == HBD_PEER_SUSPICIOUS)
		maintained = executor->peer_maintained;
	if (state == executor->peer_state && maintained == executor->peer_maintained &&
	    stopping == executor->stopping && !executor->status_due)
		return;
	executor_tell_peer(executor, executor->peer_state, state);
	executor->peer_state = state;
	executor->peer_maintained = maintained;
	executor->stopping = stopping;
	executor_status_text(executor, now_ns, message.text);
	/* one that finds no room is told with a later turn */
	executor->status_due = outbox_tell(executor->outbox, &message) == -ENOBUFS;
}

/* Tried again with the next turn if the scribe is busy. */
static void tell_flight(struct executor *executor)
{
	const struct record record = { .type = RECORD_FLIGHT, .flight = executor->flight };

	if (executor->flight_due)
		executor->flight_due = record_send(executor->outbox->scribe_fd, &record) == -EAGAIN;
}

void executor_run(struct executor *executor, int64_t now_ns)
{
	for (uint8_t i = 0; i < executor->conf->group_count; i++) {
		stage(executor, i);
		executor_drain(executor, i);
	}
	tell_status(executor, now_ns);
	tell_epoch(executor);
	tell_flight(executor);
}
