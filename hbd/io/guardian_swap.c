/*
 * Another engine for another configuration. It is begun beside the present one and does all that
 * takes time; then the present one holds, writes down what it knows, leaves its sockets, and the
 * other one goes on, a millisecond later. Until then nothing has changed, and a reload can be refused.
 */
#include "guardian_parts.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/log.h"
#include "clock.h"
#include "epoch.h"
#include "fence.h"
#include "reload.h"
#include "vip.h"

#define WARM_NS_MAX (10 * HBD_S_NS)	/* until another engine has begun */
#define BUSY_NS_MAX (10 * HBD_S_NS)	/* from then until the present one may pause */
#define ANSWER_NS_MAX (2 * HBD_S_NS)	/* it says whether it may */
#define AGAIN_NS (200 * HBD_MS_NS)	/* it is asked again */
#define LEAVE_NS_MAX (500 * HBD_MS_NS)	/* and from its last word to its end */
#define TIMER_ACCURACY_US 1000

/* ---- called off ---------------------------------------------------------------------------------- */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_links(struct guardian_swap *swap)
{
	for (uint8_t i = 0; i < HBD_LINKS_MAX; i++)
		close_fd(&swap->links[i]);
}

static void forget(struct guardian_swap *swap)
{
	swap->pid_source = sd_event_source_disable_unref(swap->pid_source);
	swap->socket_source = sd_event_source_disable_unref(swap->socket_source);
	swap->timer = sd_event_source_disable_unref(swap->timer);
	close_fd(&swap->state_fd);
	close_fd(&swap->pid_fd);
	close_fd(&swap->socket);
	close_links(swap);
	swap->pid = 0;
	swap->fence = NULL;
	swap->fresh = NULL;
	swap->warm = false;
}

/* It has changed nothing, and ends at once: only the kernel has something to do. */
static void end_process(struct guardian *guardian)
{
	struct guardian_swap *swap = &guardian->swap;

	if (swap->pid <= 0)
		return;
	kill(swap->pid, SIGKILL);
	waitpid(swap->pid, NULL, 0);
	process_runner_drop(guardian->runner, swap->pid);
}

void guardian_swap_abandon(struct guardian *guardian, const char *why)
{
	struct guardian_swap *swap = &guardian->swap;
	struct hbd_conf *fresh = swap->fresh;

	if (!fresh)
		return;
	end_process(guardian);
	net_claim_change(guardian->config->claim, guardian->conf, guardian->self, NULL);
	/* it is attached nowhere */
	fence_leave(swap->fence);
	forget(swap);
	guardian_reload_refuse(guardian, why);
	conf_free(fresh);
}

/* ---- the present one leaves ---------------------------------------------------------------------- */

/* Addresses that are configured no more nobody else would remove. */
static void sweep(const struct guardian *guardian)
{
	bool alone = !net_claim_has_neighbors(guardian->config->claim);
	int removed = vip_sweep_others(guardian->conf, alone, UINT32_MAX);

	if (removed < 0)
		log_error("guardian: cannot remove the addresses that are configured no more: %s; they "
			  "vanish with their lifetime", log_strerror(removed));
	else if (removed > 0)
		log_notice("guardian: removed %d addresses that are configured no more", removed);
}

static int on_left(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct guardian *guardian = context;
	struct guardian_leaver *leaver = &guardian->leaver;

	(void)source, (void)fd, (void)events;
	waitpid(leaver->pid, NULL, 0);
	process_runner_drop(guardian->runner, leaver->pid);
	leaver->source = sd_event_source_disable_unref(leaver->source);
	leaver->timer = sd_event_source_disable_unref(leaver->timer);
	close(leaver->pid_fd);
	leaver->pid = 0;
	sweep(guardian);
	if (guardian->reloading)
		guardian_reload_done(guardian, "the engine goes on by it");
	return 0;
}

static int on_stays(sd_event_source *source, uint64_t when_us, void *context)
{
	struct guardian *guardian = context;

	(void)source, (void)when_us;
	log_warning("guardian: the engine did not end after another one went on for it; killing it");
	kill(guardian->leaver.pid, SIGKILL);
	return 0;
}

/* Its end is awaited elsewhere than that of an engine that dies. */
static int see_off(struct guardian *guardian, pid_t pid, int pid_fd)
{
	struct guardian_leaver *leaver = &guardian->leaver;
	int result;

	*leaver = (struct guardian_leaver){ .pid = pid, .pid_fd = pid_fd };
	result = sd_event_add_io(guardian->loop, &leaver->source, pid_fd, EPOLLIN, on_left, guardian);
	if (result >= 0)
		result = sd_event_add_time_relative(guardian->loop, &leaver->timer, CLOCK_MONOTONIC,
						    (uint64_t)(LEAVE_NS_MAX / HBD_US_NS),
						    TIMER_ACCURACY_US, on_stays, guardian);
	return result < 0 ? result : 0;
}

/* ---- another one goes on ------------------------------------------------------------------------- */

/* The sockets of the links that are the same, then what it goes on from. */
static int hand_over(struct guardian *guardian)
{
	struct guardian_swap *swap = &guardian->swap;
	struct message message = { .type = MESSAGE_LINK_SOCKET };
	const struct message resume = { .type = MESSAGE_RESUME };
	int result = 0;

	for (uint8_t i = 0; i < swap->fresh->nodes[guardian->self].link_count && result == 0; i++) {
		int former = reload_former_link(guardian->conf, swap->fresh, guardian->self, i);

		message.link = i;
		if (former >= 0 && swap->links[former] >= 0)
			result = message_send(swap->socket, &message, swap->links[former]);
	}
	if (result == 0)
		result = message_send(swap->socket, &resume, swap->state_fd);
	return result;
}

/* As if it had died: what it held is removed and told to the peer, and an engine is begun. */
static void fail(struct guardian *guardian, int error)
{
	log_error("guardian: another engine cannot go on for the one that has paused: %s",
		  log_strerror(error));
	guardian_engine_kill(guardian, "had no successor");
}

static int change_engines(struct guardian *guardian)
{
	struct guardian_swap *swap = &guardian->swap;
	pid_t former = guardian->engine.pid, pid = swap->pid;
	int former_fd = dup(guardian->engine.pid_fd), socket = swap->socket, result;

	if (former_fd < 0)
		return -errno;
	swap->pid = 0;
	swap->socket = -1;
	swap->pid_source = sd_event_source_disable_unref(swap->pid_source);
	swap->socket_source = sd_event_source_disable_unref(swap->socket_source);
	result = guardian_engine_replace(guardian, pid, socket);
	if (result == 0)
		result = see_off(guardian, former, former_fd);
	return result;
}

/* The engine has paused. From here on there is no way back but by an engine's death. */
static void commit(struct guardian *guardian)
{
	struct guardian_swap *swap = &guardian->swap;
	struct hbd_conf *fresh = swap->fresh;
	int result = 0;

	if (swap->fence)
		result = guardian_fence_replace(guardian, swap->fence, fresh);
	if (result == 0) {
		swap->fence = NULL;
		result = hand_over(guardian);
	}
	if (result < 0) {
		fail(guardian, result);
		guardian_swap_abandon(guardian, log_strerror(result));
		return;
	}
	result = change_engines(guardian);
	forget(swap);
	if (result == 0)
		result = guardian_reload_apply(guardian, fresh);
	if (result == 0) {
		guardian_brief_engine(guardian);
		return;
	}
	fail(guardian, result);
	guardian_reload_refuse(guardian, log_strerror(result));
	conf_free(fresh);
}

/* ---- until then ---------------------------------------------------------------------------------- */

static int on_timer(sd_event_source *source, uint64_t when_us, void *context);

static void set_timer(struct guardian *guardian, int64_t after_ns)
{
	struct guardian_swap *swap = &guardian->swap;

	swap->timer = sd_event_source_disable_unref(swap->timer);
	if (sd_event_add_time_relative(guardian->loop, &swap->timer, CLOCK_MONOTONIC,
				       (uint64_t)(after_ns / HBD_US_NS), TIMER_ACCURACY_US, on_timer,
				       guardian) < 0)
		guardian_swap_abandon(guardian, "it cannot be waited for");
}

static void ask(struct guardian *guardian)
{
	struct guardian_swap *swap = &guardian->swap;
	struct message pause = { .type = MESSAGE_PAUSE };

	pause.hold.term_ns = GUARDIAN_PAUSE_NS;
	pause.hold.groups = reload_gone_groups(guardian->conf, swap->fresh);
	pause.hold.keys = reload_gone_keys(guardian->conf, swap->fresh);
	pause.hold.links = true;
	close_fd(&swap->state_fd);
	if (carry_open(&swap->state_fd) < 0) {
		guardian_swap_abandon(guardian, "there is no memory for what the engine knows");
		return;
	}
	guardian_engine_tell(guardian, &pause, swap->state_fd);
	set_timer(guardian, ANSWER_NS_MAX);
}

static int on_timer(sd_event_source *source, uint64_t when_us, void *context)
{
	struct guardian *guardian = context;
	struct guardian_swap *swap = &guardian->swap;

	(void)source, (void)when_us;
	if (!swap->warm)
		guardian_swap_abandon(guardian, "another engine did not begin in time");
	else if (swap->state_fd >= 0)
		guardian_swap_abandon(guardian, "the engine does not answer");
	else
		ask(guardian);
	return 0;
}

static void tell_refusal(struct guardian *guardian, const struct message *paused)
{
	const char *group = paused->group < guardian->conf->group_count ?
				    guardian->conf->groups[paused->group].name : "?";
	const char *peer = guardian->conf->nodes[1 - guardian->self].name;
	char why[256];

	if (paused->error == -EADDRINUSE)
		snprintf(why, sizeof(why), "it has no group %s, which is served here; reload it on %s "
			 "first, and if the group has plugins, stop hbd here instead", group, peer);
	else if (paused->error == -ENOKEY)
		snprintf(why, sizeof(why), "it lacks the key that is in use with %s; both nodes must "
			 "have a newer one first, see \"Changing the key\" in hbd.conf(5)", peer);
	else if (paused->error == -EBUSY)
		snprintf(why, sizeof(why), "a plugin or a move is under way; try again when it is over");
	else if (paused->error == -ETIMEDOUT)
		snprintf(why, sizeof(why), "%s did not agree to a pause in time; try again", peer);
	else
		snprintf(why, sizeof(why), "%s", log_strerror(paused->error));
	guardian_swap_abandon(guardian, why);
}

bool guardian_swap_take(struct guardian *guardian, const struct message *paused)
{
	struct guardian_swap *swap = &guardian->swap;
	bool again = paused->error == -EBUSY || paused->error == -ETIMEDOUT ||
		     paused->error == -ESHUTDOWN;

	if (!swap->fresh || !swap->warm || swap->state_fd < 0)
		return false;
	if (paused->error == 0) {
		commit(guardian);
	} else if (again && clock_now_ns() < swap->give_up_ns) {
		close_fd(&swap->state_fd);
		set_timer(guardian, AGAIN_NS);
	} else {
		tell_refusal(guardian, paused);
	}
	return true;
}

void guardian_swap_keep(struct guardian *guardian, uint8_t link, int fd)
{
	struct guardian_swap *swap = &guardian->swap;

	if (fd >= 0 && swap->fresh && link < HBD_LINKS_MAX && swap->links[link] < 0)
		swap->links[link] = fd;
	else if (fd >= 0)
		close(fd);
}

/* ---- its beginning ------------------------------------------------------------------------------- */

static int on_word(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct guardian *guardian = context;
	struct guardian_swap *swap = &guardian->swap;
	struct message message;
	int attached, result = message_receive(fd, &message, &attached);

	(void)source, (void)events;
	if (result == 1 && attached >= 0)
		close(attached);
	if (result == -EAGAIN)
		return 0;
	if (result != 1 || message.type != MESSAGE_WARM) {
		guardian_swap_abandon(guardian, "another engine cannot begin with it, see above");
		return 0;
	}
	swap->warm = true;
	swap->give_up_ns = clock_now_ns() + BUSY_NS_MAX;
	ask(guardian);
	return 0;
}

static int on_end(sd_event_source *source, int fd, uint32_t events, void *context)
{
	(void)source, (void)fd, (void)events;
	guardian_swap_abandon(context, "another engine that was to go on by it has ended, see above");
	return 0;
}

static int begin_process(struct guardian *guardian, int pair[2])
{
	struct guardian_swap *swap = &guardian->swap;
	struct engine_setup setup = guardian_engine_setup(guardian, pair[1]);

	setup.conf = swap->fresh;
	setup.epoch_floor -= EPOCH_LIFE;
	setup.former = NULL;
	setup.awaits = true;
	setup.changed = reload_changed_groups(guardian->conf, swap->fresh);
	if (swap->fence)
		setup.fence = swap->fence;
	swap->pid = guardian_engine_fork(guardian, &setup);
	return swap->pid < 0 ? -errno : 0;
}

static int watch_process(struct guardian *guardian)
{
	struct guardian_swap *swap = &guardian->swap;
	int result;

	swap->pid_fd = pidfd_open(swap->pid, 0);
	if (swap->pid_fd < 0)
		return -errno;
	result = sd_event_add_io(guardian->loop, &swap->pid_source, swap->pid_fd, EPOLLIN, on_end,
				 guardian);
	if (result >= 0)
		result = sd_event_add_io(guardian->loop, &swap->socket_source, swap->socket, EPOLLIN,
					 on_word, guardian);
	return result < 0 ? result : 0;
}

/* A fence knows groups by number. */
static bool needs_fence(const struct hbd_conf *old, const struct hbd_conf *new)
{
	bool needs = old->group_count != new->group_count || reload_changed_groups(old, new) != 0;

	for (uint8_t i = 0; i < new->group_count; i++)
		needs = needs || reload_former_group(old, new, i) != i;
	return needs;
}

static int begin(struct guardian *guardian)
{
	struct guardian_swap *swap = &guardian->swap;
	int pair[2] = { -1, -1 }, result = 0;

	if (needs_fence(guardian->conf, swap->fresh))
		result = guardian_fence_prepare(guardian, swap->fresh, &swap->fence);
	if (result == 0)
		result = guardian_engine_pair(pair);
	swap->socket = pair[0];
	if (result == 0)
		result = begin_process(guardian, pair);
	if (pair[1] >= 0)
		close(pair[1]);
	if (result == 0)
		result = watch_process(guardian);
	if (result == 0)
		set_timer(guardian, WARM_NS_MAX);
	return result;
}

/* The engine died, perhaps for what was in the file: the next one is begun by the new one. */
static int change_for_the_next(struct guardian *guardian)
{
	struct guardian_swap *swap = &guardian->swap;
	struct hbd_conf *fresh = swap->fresh;
	int result = 0;

	if (needs_fence(guardian->conf, fresh))
		result = guardian_fence_prepare(guardian, fresh, &swap->fence);
	if (result == 0 && swap->fence)
		result = guardian_fence_replace(guardian, swap->fence, fresh);
	if (result == 0)
		swap->fence = NULL;
	if (result == 0)
		result = guardian_reload_apply(guardian, fresh);
	if (result < 0)
		return result;
	forget(swap);
	guardian_reload_done(guardian, "the next engine begins by it");
	return 0;
}

/* Another hbd in this network namespace may have what is new. */
static bool is_free(struct guardian *guardian)
{
	struct net_claim_holder holder;
	char why[NET_CLAIM_TEXT_BYTES * 2 + 64];
	int result = net_claim_change(guardian->config->claim, guardian->swap.fresh, guardian->self,
				      &holder);

	if (result != -EEXIST)
		return true;
	snprintf(why, sizeof(why), "process %d, an hbd that runs as %s in this network namespace, has "
		 "%s", (int)holder.pid, holder.who, holder.what);
	guardian_swap_abandon(guardian, why);
	return false;
}

void guardian_swap_begin(struct guardian *guardian, struct hbd_conf *fresh)
{
	struct guardian_swap *swap = &guardian->swap;
	int result;

	*swap = (struct guardian_swap){ .fresh = fresh, .state_fd = -1, .pid_fd = -1, .socket = -1 };
	memset(swap->links, -1, sizeof(swap->links));
	if (!is_free(guardian))
		return;
	if (guardian->engine.state == ENGINE_WAITING)
		result = change_for_the_next(guardian);
	else if (guardian->engine.state == ENGINE_RUNNING && guardian->origin[0] != '\0')
		result = begin(guardian);
	else
		result = -EAGAIN;
	if (result < 0)
		guardian_swap_abandon(guardian, result == -EAGAIN ? "an engine is just being started; "
								    "try again"
								  : log_strerror(result));
}
