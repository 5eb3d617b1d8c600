/*
 * The guardian's side of the fence: opens it before the first engine, repairs it while it is in
 * use, closes it when an engine dies, and tells engine and humans what is in force.
 */
#include "guardian_parts.h"

#include <stdio.h>

#include "../base/log.h"
#include "clock.h"
#include "fence.h"
#include "reload.h"

#define LOOK_US 1000000
#define LOOK_ACCURACY_US 100000

static size_t count_addresses(const struct hbd_conf *conf)
{
	size_t count = 0;

	for (uint8_t i = 0; i < conf->group_count; i++)
		count += conf->groups[i].vip_count;
	return count;
}

/* What an earlier life left attached would go on muting addresses that nobody opens any more. */
static void go_without(struct guardian *guardian, const char *why)
{
	int swept = fence_sweep(guardian->config->run_dir);

	snprintf(guardian->fence.why, sizeof(guardian->fence.why), "%s", why);
	log_notice("no fence in the kernel: %s; addresses vanish with their lifetime instead, within "
		   "seconds, if engine and guardian both hang", why);
	if (swept < 0)
		log_error("cannot look for fences that an earlier hbd left: %s; if there are any, "
			  "addresses stay mute: 'tc filter show dev INTERFACE ingress'",
			  log_strerror(swept));
}

void guardian_fence_open(struct guardian *guardian)
{
	struct fence_refusal refusal = { 0 };
	struct fence *fence = NULL;
	int result = fence_open(guardian->config->run_dir, count_addresses(guardian->conf), &fence,
				&refusal);

	/* what the process before had opened is open before it takes the place of that one's */
	for (uint8_t i = 0; result == 0 && i < guardian->conf->group_count; i++)
		fence_renew(fence, i, guardian_hold_lease_ns(guardian, i));
	if (result == 0)
		result = fence_set(fence, guardian->conf);
	if (result < 0) {
		fence_close(fence);
		go_without(guardian, fence ? log_strerror(result) : refusal.why);
		return;
	}
	guardian->fence.fence = fence;
}

/* In force only if it is for every group: the peer is told one thing of the whole node. */
static bool look(struct guardian *guardian, const char **ret_why)
{
	*ret_why = guardian->fence.why;
	if (!guardian->fence.fence)
		return false;
	for (uint8_t i = 0; i < guardian->conf->group_count; i++)
		if (!fence_in_force(guardian->fence.fence, i, ret_why))
			return false;
	return true;
}

void guardian_fence_tell(struct guardian *guardian)
{
	struct message message = { .type = MESSAGE_FENCE };

	message.fence.in_force = guardian->fence.in_force;
	snprintf(message.fence.why, sizeof(message.fence.why), "%s", guardian->fence.why);
	guardian_engine_tell(guardian, &message, -1);
}

static void judge(struct guardian *guardian)
{
	struct guardian_fence *state = &guardian->fence;
	bool was_in_force = state->in_force;
	const char *why;

	state->in_force = look(guardian, &why);
	if (state->in_force)
		state->why[0] = '\0';
	else if (why != state->why)
		snprintf(state->why, sizeof(state->why), "%s", why);
	if (state->in_force == was_in_force)
		return;
	guardian_fence_tell(guardian);
	if (state->in_force)
		guardian_alert(guardian, HBD_ALERT_FENCED, HBD_SEVERITY_INFO, "");
	else
		guardian_alert(guardian, HBD_ALERT_UNFENCED, HBD_SEVERITY_WARNING, state->why);
}

static int on_events(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct guardian *guardian = context;

	(void)source, (void)fd, (void)events;
	fence_dispatch(guardian->fence.fence, NULL, NULL);
	judge(guardian);
	return 0;
}

static int on_look(sd_event_source *source, uint64_t when_us, void *context)
{
	struct guardian *guardian = context;

	(void)when_us;
	fence_check(guardian->fence.fence, NULL, NULL);
	judge(guardian);
	sd_event_source_set_time_relative(source, LOOK_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int begin_watch(struct guardian *guardian)
{
	struct guardian_fence *state = &guardian->fence;
	int result;

	if (!state->fence)
		return 0;
	result = sd_event_add_io(guardian->loop, &state->events, fence_fd(state->fence), EPOLLIN,
				 on_events, guardian);
	if (result >= 0)
		result = sd_event_add_time_relative(guardian->loop, &state->timer, CLOCK_MONOTONIC,
						    LOOK_US, LOOK_ACCURACY_US, on_look, guardian);
	return result < 0 ? result : 0;
}

static void end_watch(struct guardian_fence *state)
{
	state->events = sd_event_source_disable_unref(state->events);
	state->timer = sd_event_source_disable_unref(state->timer);
}

int guardian_fence_watch(struct guardian *guardian)
{
	struct guardian_fence *state = &guardian->fence;
	const char *why;

	state->in_force = look(guardian, &why);
	if (!state->in_force) {
		if (why != state->why)
			snprintf(state->why, sizeof(state->why), "%s", why);
		/* it has never been otherwise here; the process before told it */
		if (!guardian->former || guardian->former->node.fence == HBD_FENCE_KERNEL)
			guardian_alert(guardian, HBD_ALERT_UNFENCED, HBD_SEVERITY_INFO,
				       state->why);
	}
	return begin_watch(guardian);
}

int guardian_fence_prepare(struct guardian *guardian, const struct hbd_conf *conf,
			   struct fence **ret_fence)
{
	struct fence_refusal refusal = { 0 };
	int result;

	if (!guardian->fence.fence)
		return 0;
	result = fence_open(guardian->config->run_dir, count_addresses(conf), ret_fence, &refusal);
	if (result < 0)
		log_error("guardian: no fence for the new configuration: %s", refusal.why);
	return result;
}

/* What is open stays open: no group is held by anybody but the engine that pauses. */
static void carry_deadlines(const struct guardian *guardian, struct fence *fence,
			    const struct hbd_conf *conf)
{
	for (uint8_t i = 0; i < conf->group_count; i++) {
		int former = reload_former_group(guardian->conf, conf, i);

		if (former >= 0)
			fence_renew(fence, i, fence_deadline_ns(guardian->fence.fence,
								(uint8_t)former));
	}
}

int guardian_fence_replace(struct guardian *guardian, struct fence *fence,
			   const struct hbd_conf *conf)
{
	int result;

	carry_deadlines(guardian, fence, conf);
	result = fence_set(fence, conf);
	if (result < 0)
		return result;
	end_watch(&guardian->fence);
	fence_leave(guardian->fence.fence);
	guardian->fence.fence = fence;
	return begin_watch(guardian);
}

void guardian_fence_mute(struct guardian *guardian)
{
	for (uint8_t i = 0; guardian->fence.fence && i < guardian->conf->group_count; i++)
		fence_close_group(guardian->fence.fence, i);
}

void guardian_fence_close(struct guardian *guardian)
{
	end_watch(&guardian->fence);
	if (guardian->hold.granted)
		fence_leave(guardian->fence.fence);
	else
		fence_close(guardian->fence.fence);
	guardian->fence = (struct guardian_fence){ 0 };
}
