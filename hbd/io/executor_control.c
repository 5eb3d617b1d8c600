#include "executor_control.h"

#include <errno.h>

#include "../control/server.h"
#include "../control/snapshot.h"
#include "executor_tell.h"

static void fill_groups(const struct executor *executor, struct snapshot_extra *extra)
{
	for (uint8_t i = 0; i < executor->conf->group_count; i++) {
		const struct executor_group *group = &executor->groups[i];

		extra->last_plugin_error[i] = group->failure;
		extra->last_plugin_step[i] = group->failed_step;
		extra->last_plugin_why[i] = group->failed_why;
		extra->refused_count[i] = group->refusal.count;
		extra->refused_vip[i] = group->refusal.vip_index;
		extra->refused_why[i] = group->refusal.why;
		extra->refused_remedy[i] = group->refusal.remedy;
		extra->staged[i] = group->staged;
		extra->connections[i] = group->connections;
		for (uint8_t j = 0; j < executor->conf->groups[i].check_count; j++) {
			const struct executor_check *check = &group->checks[j];

			extra->check_detail[i][j] = check->known ? check->detail : NULL;
			extra->check_good[i][j] = check->good;
		}
	}
}

static json_t *snapshot(void *context)
{
	const struct executor_control *control = context;
	const struct executor *executor = control->executor;
	const struct loop_statistics *statistics = loop_statistics(control->loop);
	char trouble[HBD_LINKS_MAX][LINKS_TROUBLE_BYTES];
	char fence[sizeof("address lifetime: ") + MESSAGE_WHY_BYTES] = "kernel deadline";
	struct snapshot_extra extra = {
		.version = HBD_VERSION,
		.realtime = control->realtime,
		.memory_locked = control->memory_locked,
		.fence = fence,
		.alerts_configured = control->spool.configured,
		.spool_taken = control->spool.taken,
		.spool_pending = control->spool.pending,
		.spool_oldest_age_ns = control->spool.oldest_age_ns,
		.spool_detail = control->spool.detail,
		.turns = statistics->turns,
		.late_turns = statistics->late_turns,
		.longest_late_ns = statistics->longest_late_ns,
		.maintenance_changing = control->maintenance_changing,
		.maintenance_error = control->maintenance_error,
	};

	if (!executor->fence_in_force)
		snprintf(fence, sizeof(fence), "address lifetime%s%s",
			 executor->fence_why[0] ? ": " : "", executor->fence_why);
	fill_groups(executor, &extra);
	for (uint8_t i = 0; i < executor->links->count; i++) {
		extra.link_trouble[i] = links_trouble(executor->links, i, trouble[i]);
		extra.link_usable[i] = extra.link_trouble[i] == NULL;
	}
	return snapshot_json(executor->conf, executor->self, executor->node, &extra,
			     clock_now_ns());
}

/* The event is taken in a turn of its own: a step here could come between packets that wait. */
static int switchover(void *context, uint8_t group)
{
	struct executor_control *control = context;
	const struct hbd_event event = { .type = HBD_EVENT_SWITCHOVER, .group = group };
	int r = hbd_node_may_switch(control->executor->node, group);

	if (r < 0)
		return r;
	event_queue_put(control->executor->events, &event);
	loop_plan(control->loop, clock_now_ns());
	return 0;
}

/* It takes effect once it is noted: engine_news.c. */
static int maintenance(void *context, bool on, bool force)
{
	struct executor_control *control = context;
	const struct executor *executor = control->executor;
	const struct record record = { .type = RECORD_MAINTENANCE, .maintenance = on };
	int r = on && !executor->node->maintenance.on ? hbd_node_may_maintain(executor->node) : 0;

	if (r == -EBUSY || r == -ESHUTDOWN || (r < 0 && !force))
		return r;
	r = record_send(executor->outbox->scribe_fd, &record);
	if (r == 0) {
		control->maintenance_changing = true;
		control->maintenance_error = 0;
	}
	return r;
}

static uint64_t alert_test(void *context)
{
	struct executor_control *control = context;
	struct record_alert alert;

	executor_blank_record(control->executor, &alert);
	alert.severity = HBD_SEVERITY_INFO;
	alert.test = true;
	return outbox_alert(control->executor->outbox, &alert) ? ++control->tests : 0;
}

int executor_control_open(struct executor_control *control, int listen_fd, uid_t owner)
{
	const struct server_config config = {
		.conf = control->executor->conf,
		.self = control->executor->self,
		.owner = owner,
		.priority = LOOP_PRIORITY_CONTROL,
	};
	const struct server_callbacks callbacks = {
		.context = control,
		.snapshot = snapshot,
		.switchover = switchover,
		.maintenance = maintenance,
		.alert_test = alert_test,
	};

	return server_open(loop_event(control->loop), listen_fd, &config, &callbacks,
			   &control->server);
}

void executor_control_close(struct executor_control *control)
{
	server_close(control->server);
	control->server = NULL;
}
