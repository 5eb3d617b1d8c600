#include "engine_parts.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/log.h"

#define MESSAGES_PER_TURN 32
#define REPORTS_PER_TURN 64
static_assert(MESSAGES_PER_TURN + HBD_GROUPS_MAX < EVENT_QUEUE_MAX, "a batch of messages fits");
#define EVENTS_PER_REPORT 3
static_assert(REPORTS_PER_TURN * EVENTS_PER_REPORT < EVENT_QUEUE_MAX, "a batch of reports fits");

static void note_interface(struct engine *engine, uint8_t group, bool usable)
{
	const struct hbd_event event = {
		.type = HBD_EVENT_FAULT,
		.group = group,
		.fault = { .fault = HBD_FAULT_INTERFACE, .present = !usable },
	};

	event_queue_put(&engine->events, &event);
}

void engine_note_faults(struct engine *engine)
{
	for (uint8_t i = 0; i < engine->setup->conf->group_count; i++) {
		if (!vip_interfaces_usable(engine->vip, i))
			note_interface(engine, i, false);
	}
}

static void take_news(struct engine *engine, const struct vip_news *news)
{
	const struct hbd_event missing = { .type = HBD_EVENT_MISSING, .group = news->group };

	switch (news->type) {
	case VIP_NEWS_MISSING:
		event_queue_put(&engine->events, &missing);
		break;
	case VIP_NEWS_INTERFACE:
		note_interface(engine, news->group, news->usable);
		break;
	case VIP_NEWS_LINK:
		links_note(&engine->links, news->link, news->lacks, news->recreated,
			   engine->node.now_ns);
		break;
	case VIP_NEWS_STRAY:
	case VIP_NEWS_ELSEWHERE:
		executor_take_stray(&engine->executor, news);
		break;
	case VIP_NEWS_UNSET:
		break;
	}
}

static void take_word(struct engine *engine, enum hbd_event_type type, uint8_t group)
{
	const struct hbd_event event = { .type = type, .group = group };

	event_queue_put(&engine->events, &event);
}

static void take_station(struct engine *engine, enum hbd_event_type type,
			 const struct hands_report *report)
{
	struct hbd_event event = { .type = type, .group = report->group };

	event.address = report->address;
	memcpy(event.station, report->station, sizeof(event.station));
	event_queue_put(&engine->events, &event);
}

void engine_read_hands(struct engine *engine)
{
	struct hands_report report;

	for (int i = 0; i < REPORTS_PER_TURN && hands_take(engine->executor.hands, &report); i++) {
		switch (report.type) {
		case HANDS_DONE:
			executor_take_addresses(&engine->executor, &report);
			break;
		case HANDS_NEWS:
			take_news(engine, &report.news);
			break;
		case HANDS_STATION:
			take_station(engine, HBD_EVENT_STATION, &report);
			break;
		case HANDS_ANSWER:
			take_station(engine, HBD_EVENT_ANSWER, &report);
			break;
		case HANDS_GATEWAY:
			take_word(engine, HBD_EVENT_GATEWAY, report.group);
			break;
		case HANDS_RESTORED:
			take_word(engine, HBD_EVENT_RESTORED, report.group);
			break;
		case HANDS_REFUSAL:
			executor_take_refusal(&engine->executor, &report);
			break;
		case HANDS_UNSET:
			assert(!"a report has a type");
		}
	}
}

static void take_stop(struct engine *engine)
{
	const struct hbd_event event = {
		.type = HBD_EVENT_STOP,
		.orphaned = engine->executor.guardian_lost,
	};

	event_queue_put(&engine->events, &event);
}

static bool names_group(const struct engine *engine, const struct message *message)
{
	return message->group < engine->setup->conf->group_count;
}

static void take_check(struct engine *engine, const struct message *message)
{
	const struct hbd_conf *conf = engine->setup->conf;

	if (names_group(engine, message) &&
	    message->check.check < conf->groups[message->group].check_count)
		executor_take_check(&engine->executor, message->group, message->check.check,
				    message->check.good, message->check.detail);
}

static void take_spool(struct engine *engine, const struct message *message)
{
	struct executor_spool *spool = &engine->control.spool;

	spool->taken = message->spool.taken;
	spool->configured = message->spool.configured;
	spool->pending = message->spool.pending;
	spool->oldest_age_ns = message->spool.oldest_age_ns;
	snprintf(spool->detail, sizeof(spool->detail), "%s", message->spool.detail);
}

static void take_fence(struct engine *engine, const struct message *message)
{
	const struct hbd_event event = {
		.type = HBD_EVENT_FENCE,
		.fence = message->fence.in_force ? HBD_FENCE_KERNEL : HBD_FENCE_LIFETIME,
	};
	struct executor *executor = &engine->executor;

	executor->fence_in_force = message->fence.in_force;
	snprintf(executor->fence_why, sizeof(executor->fence_why), "%s", message->fence.why);
	event_queue_put(&engine->events, &event);
}

static void take_maintenance(struct engine *engine, const struct message *message)
{
	const struct hbd_event event = {
		.type = HBD_EVENT_MAINTENANCE,
		.maintenance = message->maintenance.on,
	};

	engine->control.maintenance_error = message->maintenance.error > 0 ? -EPROTO :
								message->maintenance.error;
	engine->control.maintenance_changing = false;
	if (engine->control.maintenance_error == 0)
		event_queue_put(&engine->events, &event);
}

static void take_leave(struct engine *engine, const struct message *message)
{
	const struct hbd_event event = {
		.type = HBD_EVENT_LEAVE,
		.leave = { .on = message->leave.on, .patience_ns = message->leave.patience_ns },
	};

	if (message->leave.patience_ns < 0 || message->leave.patience_ns > HBD_LEAVE_NS_MAX) {
		log_warning("engine: ignoring a malformed request to hand over");
		return;
	}
	event_queue_put(&engine->events, &event);
}

static void take_message(struct engine *engine, const struct message *message, int fd,
			 int64_t now_ns)
{
	switch (message->type) {
	case MESSAGE_DONE:
		if (names_group(engine, message))
			executor_take_done(&engine->executor, message->group, message->done.id,
					   message->done.result > 0 ? -EPROTO
								    : message->done.result,
					   message->done.why);
		break;
	case MESSAGE_CHECK:
		take_check(engine, message);
		break;
	case MESSAGE_LINK_SOCKET:
		if (message->link < engine->links.count) {
			links_take(&engine->links, message->link, fd, message->error, now_ns);
			return;
		}
		break;
	case MESSAGE_LEAVE:
		take_leave(engine, message);
		break;
	case MESSAGE_STOP:
		take_stop(engine);
		break;
	case MESSAGE_PAUSE:
		engine_take_hold(engine, message, fd);
		return;
	case MESSAGE_SPOOL:
		take_spool(engine, message);
		break;
	case MESSAGE_FENCE:
		take_fence(engine, message);
		break;
	case MESSAGE_WITNESS:
		witness_take(&engine->executor.witness, fd);
		return;
	case MESSAGE_MAINTENANCE:
		take_maintenance(engine, message);
		break;
	case MESSAGE_DRAINING:
		if (names_group(engine, message))
			executor_take_draining(&engine->executor, message);
		break;
	case MESSAGE_DIGEST:
		engine->node_config.config_digest = message->digest;
		break;
	case MESSAGE_UNSET:
	case MESSAGE_READY:
	case MESSAGE_STATUS:
	case MESSAGE_RUN:
	case MESSAGE_CANCEL:
	case MESSAGE_LINK_OPEN:
	case MESSAGE_DRAIN:
	case MESSAGE_WITNESS_STUCK:
	case MESSAGE_LEFT:
	case MESSAGE_STOPPED:
	case MESSAGE_WARM:
	case MESSAGE_PAUSED:
	case MESSAGE_RESUME:
		log_warning("engine: ignoring a message of type %d from the guardian",
			    (int)message->type);
		break;
	}
	if (fd >= 0)
		close(fd);
}

static void lose_guardian(struct engine *engine, int error)
{
	log_error("engine: the guardian died%s%s; letting go of what is served, so that the peer takes "
		  "it over, and ending; hbd is to be started again, which systemd does by itself",
		  error != 0 ? ": " : "", error != 0 ? log_strerror(error) : "");
	loop_unwatch(engine->loop, engine->setup->guardian_fd);
	executor_lose_guardian(&engine->executor);
	take_stop(engine);
}

void engine_read_guardian(struct engine *engine, int64_t now_ns)
{
	struct message message;
	int fd;

	/* it may also have been found gone when something was to be sent */
	for (int i = 0; i < MESSAGES_PER_TURN && !engine->executor.guardian_lost; i++) {
		int r = message_receive(engine->setup->guardian_fd, &message, &fd);

		if (r == -EAGAIN)
			return;
		if (r == -EBADMSG) {
			log_warning("engine: ignoring a malformed message from the guardian");
			continue;
		}
		if (r <= 0) {
			lose_guardian(engine, r);
			return;
		}
		take_message(engine, &message, fd, now_ns);
	}
}
