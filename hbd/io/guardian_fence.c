/*
 * The guardian's side of the fence: opens it before the first engine, repairs it while it is in
 * use, closes it when an engine dies, and tells engine and humans what is in force.
 */
#include "guardian_parts.h"

#include <stdio.h>

#include "../base/log.h"
#include "clock.h"
#include "fence.h"

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

static void take_news(void *context, const struct fence_news *news)
{
	(void)context;
	switch (news->type) {
	case FENCE_NEWS_UNSET:
	case FENCE_NEWS_GONE: /* the engine tells of interfaces */
		break;
	case FENCE_NEWS_ATTACHED:
		log_info("fence: on %s", news->interface);
		break;
	case FENCE_NEWS_REPAIRED:
		log_warning("fence: somebody had removed it from %s (%s); put it back",
			    news->interface, news->why);
		break;
	case FENCE_NEWS_LOST:
		log_error("fence: cannot be put on %s: %s; trying again every second",
			  news->interface, news->why);
		break;
	}
}

static int on_events(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct guardian *guardian = context;

	(void)source, (void)fd, (void)events;
	fence_dispatch(guardian->fence.fence, take_news, guardian);
	judge(guardian);
	return 0;
}

static int on_look(sd_event_source *source, uint64_t when_us, void *context)
{
	struct guardian *guardian = context;

	(void)when_us;
	fence_check(guardian->fence.fence, take_news, guardian);
	judge(guardian);
	sd_event_source_set_time_relative(source, LOOK_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int guardian_fence_watch(struct guardian *guardian)
{
	struct guardian_fence *state = &guardian->fence;
	const char *why;
	int result;

	state->in_force = look(guardian, &why);
	if (!state->in_force) {
		if (why != state->why)
			snprintf(state->why, sizeof(state->why), "%s", why);
		/* it has never been otherwise here */
		guardian_alert(guardian, HBD_ALERT_UNFENCED, HBD_SEVERITY_INFO, state->why);
	}
	if (!state->fence)
		return 0;
	result = sd_event_add_io(guardian->loop, &state->events, fence_fd(state->fence), EPOLLIN,
				 on_events, guardian);
	if (result >= 0)
		result = sd_event_add_time_relative(guardian->loop, &state->timer, CLOCK_MONOTONIC,
						    LOOK_US, LOOK_ACCURACY_US, on_look, guardian);
	return result < 0 ? result : 0;
}

void guardian_fence_mute(struct guardian *guardian)
{
	for (uint8_t i = 0; guardian->fence.fence && i < guardian->conf->group_count; i++)
		fence_close_group(guardian->fence.fence, i);
}

void guardian_fence_close(struct guardian *guardian)
{
	sd_event_source_disable_unref(guardian->fence.events);
	sd_event_source_disable_unref(guardian->fence.timer);
	fence_close(guardian->fence.fence);
	guardian->fence = (struct guardian_fence){ 0 };
}
