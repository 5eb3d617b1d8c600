/* Another process of this node is to go on: what the engine does before its end, and then at first. */
#include "engine_parts.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/log.h"
#include "../core/resume.h"
#include "carry.h"
#include "clock.h"

#define NOBODY_WAITS 1	/* id of what is asked of the hands: no plan waits for it */

static void queue_hold(struct engine *engine, int64_t term_ns)
{
	const struct hbd_event event = { .type = HBD_EVENT_HOLD, .hold.term_ns = term_ns };

	event_queue_put(&engine->events, &event);
}

/* ---- what goes on elsewhere ---------------------------------------------------------------------- */

/* Something that the next process would not have is in use: then none is to go on. */
static bool refuses(struct engine *engine, const struct message *message)
{
	struct message refusal = { .type = MESSAGE_PAUSED };

	refusal.error = hbd_node_can_drop(&engine->node, message->hold.groups, message->hold.keys,
					  &refusal.group);
	if (refusal.error == 0)
		return false;
	outbox_tell(&engine->outbox, &refusal);
	return true;
}

void engine_take_hold(struct engine *engine, const struct message *message, int fd)
{
	if (fd < 0 || message->hold.term_ns <= 0 || message->hold.term_ns > HBD_PAUSE_NS_MAX) {
		log_warning("engine: ignoring a malformed request to hold");
		if (fd >= 0)
			close(fd);
		return;
	}
	if (engine->state_fd >= 0)
		close(engine->state_fd);
	engine->state_fd = -1;
	if (refuses(engine, message)) {
		close(fd);
		return;
	}
	engine->state_fd = fd;
	engine->leaves_links = message->hold.links;
	queue_hold(engine, message->hold.term_ns);
}

/* What arrived and was not read yet is not lost by that. */
static void leave_links(struct engine *engine)
{
	struct message message = { .type = MESSAGE_LINK_SOCKET };

	for (uint8_t i = 0; engine->leaves_links && i < engine->links.count; i++) {
		int fd = links_leave(&engine->links, i);

		if (fd < 0)
			continue;
		message.link = i;
		message_send(engine->setup->guardian_fd, &message, fd);
		close(fd);
	}
}

/* True if this process is over: nothing that it knows may change from now on. */
bool engine_pause(struct engine *engine)
{
	struct message held = { .type = MESSAGE_PAUSED };

	if (!engine->executor.held)
		return false;
	engine->executor.held = false;
	held.error = engine->executor.held_result;
	if (held.error == 0) {
		held.error = carry_write(engine->state_fd, engine->setup->origin, &engine->node);
		if (held.error < 0)
			queue_hold(engine, 0);
		else
			leave_links(engine);
	}
	outbox_tell(&engine->outbox, &held);
	close(engine->state_fd);
	engine->state_fd = -1;
	engine->paused = held.error == 0;
	return engine->paused;
}

void engine_leave(struct engine *engine)
{
	for (uint8_t i = 0; engine->paused && i < engine->setup->conf->group_count; i++)
		if (engine->node.groups[i].lease.held)
			vip_extend(engine->vip, i, engine->node.groups[i].lease.held_until_ns);
}

/* ---- what goes on here --------------------------------------------------------------------------- */

static int take_state(struct engine *engine, int fd)
{
	char why[FLIGHT_WHY_BYTES] = "";
	int r = carry_read(fd, engine->setup->origin, &engine->awaited, why);

	if (r < 0)
		log_error("engine: what the one before wrote down cannot be used: %s; giving up",
			  why[0] ? why : log_strerror(r));
	else
		engine->former = engine->awaited;
	close(fd);
	return r;
}

static void take_link(struct engine *engine, uint8_t link, int fd)
{
	bool mine = link < engine->setup->conf->nodes[engine->setup->self].link_count &&
		    engine->link_fds[link] < 0;

	if (mine)
		engine->link_fds[link] = fd;
	else if (fd >= 0)
		close(fd);
}

/* 1: RESUME came; 0: something else did. */
static int take_awaited(struct engine *engine)
{
	struct message message;
	int fd, r = message_receive(engine->setup->guardian_fd, &message, &fd);

	if (r == -EAGAIN)
		return 0;
	if (r == 1 && message.type == MESSAGE_RESUME && fd >= 0) {
		r = take_state(engine, fd);
		return r < 0 ? r : 1;
	}
	if (r == 1 && message.type == MESSAGE_LINK_SOCKET) {
		take_link(engine, message.link, fd);
		return 0;
	}
	/* it is not wanted any more */
	return r == 0 ? -ECANCELED : -EPROTO;
}

int engine_await(struct engine *engine)
{
	const struct message warm = { .type = MESSAGE_WARM };
	struct pollfd guardian = { .fd = engine->setup->guardian_fd, .events = POLLIN };
	int r = message_send(guardian.fd, &warm, -1);

	while (r == 0) {
		if (poll(&guardian, 1, -1) < 0 && errno != EINTR)
			r = -errno;
		else
			r = take_awaited(engine);
	}
	return r < 0 ? r : 0;
}

void engine_forget_former(struct engine *engine)
{
	if (engine->awaited)
		sodium_memzero(engine->awaited, sizeof(*engine->awaited));
	free(engine->awaited);
	engine->awaited = NULL;
	engine->former = NULL;
}

/* Its addresses are as the former process left them, and are renewed. */
static void adopt(struct engine *engine, uint8_t group)
{
	const struct hbd_lease *lease = &engine->node.groups[group].lease;

	if (!lease->held)
		return;
	hands_lease(engine->executor.hands, group, lease->held_until_ns);
	hands_acquire(engine->executor.hands, group, NOBODY_WAITS);
	if (engine->setup->changed >> group & 1)
		hands_announce(engine->executor.hands, group);
}

int engine_resume(struct engine *engine)
{
	const struct flight_state *former = engine->former;
	int64_t now_ns = clock_now_ns();
	int r;

	if (!former)
		return -ENOENT;
	r = hbd_node_resume(&engine->node, &engine->node_config, &former->node, now_ns);
	if (r < 0) {
		log_error("engine: cannot go on as the process before: %s; %s",
			  r == -ETIME ? "a lease that it held is over" : log_strerror(r),
			  engine->setup->awaits ? "giving up" : "starting anew");
		return r;
	}
	for (uint8_t i = 0; i < engine->setup->conf->group_count; i++)
		if (engine->node.groups[i].lease.held)
			vip_adopt(engine->vip, i, engine->node.groups[i].lease.held_until_ns - now_ns);
	log_notice("engine: going on as the process before, after %lld ms",
		   (long long)((now_ns - former->node.now_ns) / HBD_MS_NS));
	return 0;
}

void engine_adopt(struct engine *engine)
{
	for (uint8_t i = 0; i < engine->setup->conf->group_count; i++)
		adopt(engine, i);
}
