/* The engine's life as the guardian sees it: fork, progress, end, and the next one. */
#include "guardian_parts.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/log.h"
#include "clock.h"
#include "epoch.h"
#include "udp.h"
#include "vip.h"

#define BACK_OFF_FIRST_NS (100 * HBD_MS_NS)
/*
 * A longer pause would spare the machine little, and could be an outage: while no engine lives, nobody
 * here knows whether the peer serves; and of two nodes whose engines die over and over one would be
 * back long before the other, and alone it waits for much longer before it claims.
 */
#define BACK_OFF_MAX_NS (1 * HBD_S_NS)
#define GOOD_LIFE_NS (60 * HBD_S_NS)		/* after which the back-off begins anew */
#define START_NS_MAX (10 * HBD_S_NS)
#define PROGRESS_NS_MIN (100 * HBD_MS_NS)
#define LOOK_NS_MIN (20 * HBD_MS_NS)
#define SECOND_LOOK_NS (20 * HBD_MS_NS)
#define KILL_NS_MAX (100 * HBD_MS_NS)		/* until a killed engine counts as dead in any case */
#define HUNG_UP_NS_MAX (50 * HBD_MS_NS)	/* from its closing the socket to its end */
#define SOCKET_BYTES (1024 * 1024)
#define TIMER_ACCURACY_US 1000

static void set_timer(sd_event_source *timer, int64_t duration_ns)
{
	sd_event_source_set_time_relative(timer, (uint64_t)(duration_ns / HBD_US_NS));
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

void guardian_engine_tell(struct guardian *guardian, const struct message *message, int fd)
{
	int result;

	if (guardian->engine.socket < 0)
		return;
	result = message_send(guardian->engine.socket, message, fd);
	if (result < 0 && result != -EPIPE)
		log_warning("guardian: the engine does not take a message of type %d: %s",
			    (int)message->type, log_strerror(result));
}

bool guardian_engine_is_well(const struct guardian *guardian)
{
	switch (guardian->engine.state) {
	case ENGINE_STARTING:
	case ENGINE_RUNNING:
	case ENGINE_WAITING:
	case ENGINE_GONE:
		return true;
	case ENGINE_KILLED:
		/* The kernel does not let it end: nothing but a new start of everything can help. */
		return !guardian->engine.swept;
	case ENGINE_UNSET:
		break;
	}
	return false;
}

void guardian_engine_kill(struct guardian *guardian, const char *cause)
{
	struct engine_watch *engine = &guardian->engine;

	if (engine->state != ENGINE_STARTING && engine->state != ENGINE_RUNNING)
		return;
	engine->state = ENGINE_KILLED;
	snprintf(engine->cause, sizeof(engine->cause), "%s", cause);
	if (pidfd_send_signal(engine->pid_fd, SIGKILL, NULL, 0) < 0)
		log_error("guardian: cannot kill the engine: %s", log_strerror(errno));
	set_timer(engine->timer, KILL_NS_MAX);
}

void guardian_engine_hung_up(struct guardian *guardian)
{
	set_timer(guardian->engine.timer, HUNG_UP_NS_MAX);
}

/* ---- looking for progress ----------------------------------------------------------------------- */

static int64_t look_interval_ns(const struct guardian *guardian)
{
	return hbd_time_max(guardian->conf->profile.grant_ns / 2, LOOK_NS_MIN);
}

static void judge_progress(struct guardian *guardian, int64_t now_ns)
{
	struct engine_watch *engine = &guardian->engine;
	int64_t progress_ns = atomic_load(&guardian->shared->progress_ns);
	int64_t age_ns = now_ns - progress_ns;
	char cause[64];

	if (age_ns <= hbd_time_max(guardian->conf->profile.grant_ns, PROGRESS_NS_MIN)) {
		engine->stale_progress_ns = 0;
		return;
	}
	/* Perhaps it was all of us who did not run: it gets the time to show that it lives. */
	if (engine->stale_progress_ns != progress_ns) {
		engine->stale_progress_ns = progress_ns;
		return;
	}
	snprintf(cause, sizeof(cause), "hung for %lld ms", (long long)(age_ns / HBD_MS_NS));
	guardian_engine_kill(guardian, cause);
}

static int on_watch(sd_event_source *source, uint64_t when_us, void *context)
{
	struct guardian *guardian = context;
	struct engine_watch *engine = &guardian->engine;
	int64_t now_ns = clock_now_ns();

	(void)when_us;
	if (engine->state == ENGINE_RUNNING && !engine->stopped_cleanly)
		judge_progress(guardian, now_ns);
	else if (engine->state == ENGINE_STARTING && now_ns - engine->started_ns > START_NS_MAX)
		guardian_engine_kill(guardian, "did not start");
	set_timer(source, engine->stale_progress_ns ? SECOND_LOOK_NS : look_interval_ns(guardian));
	return 0;
}

/* ---- its end ------------------------------------------------------------------------------------ */

static void describe_end(const struct engine_watch *engine, const siginfo_t *info, char text[160])
{
	if (engine->cause[0])
		snprintf(text, 160, "it %s and was killed", engine->cause);
	else if (info->si_code == CLD_EXITED)
		snprintf(text, 160, "it ended with exit status %d", info->si_status);
	else
		snprintf(text, 160, "it was killed by signal %d (%s)", info->si_status,
			 strsignal(info->si_status));
}

/* What it said last; what it asked for is of no use to it any more. */
static void read_last_words(struct guardian *guardian)
{
	struct engine_watch *engine = &guardian->engine;
	struct message message;
	int fd, result;

	do {
		result = message_receive(engine->socket, &message, &fd);
		if (result == 1 && message.type == MESSAGE_STOPPED)
			engine->stopped_cleanly = true;
		if (result == 1 && message.type == MESSAGE_LINK_SOCKET) {
			guardian_swap_keep(guardian, message.link, fd);
			continue;
		}
		if (result == 1 && fd >= 0)
			close(fd);
		if (result != 1 || message.type != MESSAGE_PAUSED)
			continue;
		/* from here on the socket may be another engine's */
		if (guardian_swap_take(guardian, &message))
			return;
		guardian_hold_taken(guardian, &message);
	} while (result == 1 || result == -EBADMSG);
}

static void close_engine(struct engine_watch *engine)
{
	engine->pid_source = sd_event_source_disable_unref(engine->pid_source);
	engine->socket_source = sd_event_source_disable_unref(engine->socket_source);
	if (engine->pid_fd >= 0)
		close(engine->pid_fd);
	if (engine->socket >= 0)
		close(engine->socket);
	engine->pid_fd = engine->socket = -1;
}

static void plan_restart(struct guardian *guardian)
{
	struct engine_watch *engine = &guardian->engine;

	if (engine->back_off_ns == 0 || clock_now_ns() - engine->started_ns >= GOOD_LIFE_NS)
		engine->back_off_ns = BACK_OFF_FIRST_NS;
	else
		engine->back_off_ns = hbd_time_min(engine->back_off_ns * 2, BACK_OFF_MAX_NS);
	if (engine->lives >= EPOCH_LIVES) {
		log_error("guardian: %llu engines have died; ending, so that the service manager starts "
			  "everything afresh", (unsigned long long)engine->lives);
		sd_event_exit(guardian->loop, -ECHILD);
		return;
	}
	engine->state = ENGINE_WAITING;
	set_timer(engine->timer, engine->back_off_ns);
	log_notice("guardian: starting a new engine in %lld ms",
		   (long long)(engine->back_off_ns / HBD_MS_NS));
	notify_send(&guardian->notify, "STATUS=the engine died; a new one starts in %lld ms",
		    (long long)(engine->back_off_ns / HBD_MS_NS));
}

static int on_end(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct guardian *guardian = context;
	struct engine_watch *engine = &guardian->engine;
	siginfo_t info = { 0 };
	pid_t pid = engine->pid;
	char how[160];

	(void)source;
	(void)events;
	read_last_words(guardian);
	/* another one goes on for it, and its end is seen to elsewhere */
	if (engine->pid != pid)
		return 0;
	guardian_swap_abandon(guardian, "the engine died");
	if (waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG) < 0)
		log_warning("guardian: no status of the engine: %s", log_strerror(errno));
	describe_end(engine, &info, how);
	if (!engine->swept && !engine->stopped_cleanly)
		guardian_engine_bury(guardian, how);
	process_runner_drop(guardian->runner, engine->pid);
	close_engine(engine);
	if (guardian->stop != STOP_UNSET) {
		engine->state = ENGINE_GONE;
		guardian_stop_engine_gone(guardian);
	} else {
		plan_restart(guardian);
	}
	return 0;
}

/* Started again, or given up on: what the timer was set for follows from the state. */
static int on_timer(sd_event_source *source, uint64_t when_us, void *context)
{
	struct guardian *guardian = context;
	struct engine_watch *engine = &guardian->engine;

	(void)source;
	(void)when_us;
	if (engine->state == ENGINE_WAITING) {
		if (guardian_engine_start(guardian) < 0)
			plan_restart(guardian);
	} else if (engine->state == ENGINE_KILLED && !engine->swept) {
		char how[160];

		/* Killed but not gone, it only finishes the system call that it is in. */
		snprintf(how, sizeof(how), "it %s, was killed, and does not end", engine->cause);
		guardian_engine_bury(guardian, how);
	} else {
		guardian_engine_kill(guardian, "hung up");
	}
	return 0;
}

/* ---- its start ---------------------------------------------------------------------------------- */

static void open_links(const struct guardian *guardian, int fds[HBD_LINKS_MAX])
{
	const char *what = "";

	for (uint8_t i = 0; i < HBD_LINKS_MAX; i++)
		fds[i] = -1;
	for (uint8_t i = 0; i < guardian->conf->nodes[guardian->self].link_count; i++) {
		int result = udp_open(guardian->conf, guardian->self, i, &fds[i], &what);

		/* The engine asks for it again, and says so. */
		if (result < 0)
			log_debug("guardian: link %u: cannot %s: %s", i, what, log_strerror(result));
	}
}

static void close_links(int fds[HBD_LINKS_MAX])
{
	for (uint8_t i = 0; i < HBD_LINKS_MAX; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

/* A core file would hold the keys, and its writing would hold up the news of the death. The limit
 * of 1 also keeps a dump from a program that the kernel starts for it. */
static void forbid_core(void)
{
	struct rlimit limit = { .rlim_cur = 1, .rlim_max = 1 };

	setrlimit(RLIMIT_CORE, &limit);
}

int guardian_engine_pair(int pair[2])
{
	int bytes = SOCKET_BYTES;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		setsockopt(pair[i], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	return 0;
}

/* Of whoever goes on for another one the will is the same. */
static void forget_wills(struct guardian *guardian)
{
	for (uint8_t i = 0; i < HBD_LINKS_MAX; i++)
		atomic_store(&guardian->shared->wills[i].length, 0);
}

static void begin_life(struct guardian *guardian)
{
	struct engine_watch *engine = &guardian->engine;

	engine->started_ns = clock_now_ns();
	atomic_store(&guardian->shared->progress_ns, engine->started_ns);
	engine->swept = engine->stopped_cleanly = false;
	engine->stale_progress_ns = 0;
	engine->cause[0] = '\0';
}

struct engine_setup guardian_engine_setup(const struct guardian *guardian, int socket)
{
	const struct engine_watch *engine = &guardian->engine;
	struct engine_setup setup = {
		.conf = guardian->conf,
		.self = guardian->self,
		.user = &guardian->engine_user,
		.owner = getuid(),
		.epoch_floor = guardian->epoch_base + engine->lives * EPOCH_LIFE,
		.maintenance = guardian->maintenance,
		.guardian_fd = socket,
		.scribe_fd = guardian->scribe.engine_pair[0],
		.announce_fd = guardian->announce_fd,
		.ask = guardian->ask,
		.fence = guardian->fence.fence,
		.control_fd = guardian->control_fd,
		.shared = guardian->shared,
		.flight = guardian->flight,
		.former = guardian->former,
		.origin = guardian->origin,
	};

	for (uint8_t i = 0; i < HBD_LINKS_MAX; i++)
		setup.link_fds[i] = -1;
	return setup;
}

pid_t guardian_engine_fork(struct guardian *guardian, const struct engine_setup *setup)
{
	pid_t pid = guardian_fork(guardian, "engine");

	if (pid == 0) {
		forbid_core();
		_exit(engine_run(setup));
	}
	if (pid > 0)
		process_runner_keep(guardian->runner, pid);
	return pid;
}

static int fork_engine(struct guardian *guardian, int pair[2])
{
	struct engine_setup setup = guardian_engine_setup(guardian, pair[1]);
	int result = 0;

	open_links(guardian, setup.link_fds);
	guardian->engine.pid = guardian_engine_fork(guardian, &setup);
	if (guardian->engine.pid < 0)
		result = -errno;
	close_links(setup.link_fds);
	return result;
}

static int watch_engine(struct guardian *guardian)
{
	struct engine_watch *engine = &guardian->engine;
	int result;

	engine->pid_fd = pidfd_open(engine->pid, 0);
	if (engine->pid_fd < 0)
		return -errno;
	result = sd_event_add_io(guardian->loop, &engine->pid_source, engine->pid_fd, EPOLLIN,
				 on_end, guardian);
	if (result < 0)
		return result;
	sd_event_source_set_priority(engine->pid_source, GUARDIAN_PRIORITY_DEATH);
	result = sd_event_add_io(guardian->loop, &engine->socket_source, engine->socket, EPOLLIN,
				 guardian_on_message, guardian);
	if (result < 0)
		return result;
	return sd_event_source_set_priority(engine->socket_source, GUARDIAN_PRIORITY_MESSAGES);
}

static int add_timer(struct guardian *guardian, sd_event_source **timer,
		     sd_event_time_handler_t handler)
{
	int result;

	if (*timer)
		return 0;
	result = sd_event_add_time_relative(guardian->loop, timer, CLOCK_MONOTONIC, 0,
					    TIMER_ACCURACY_US, handler, guardian);
	if (result < 0)
		return result;
	sd_event_source_set_enabled(*timer, SD_EVENT_OFF);
	return sd_event_source_set_priority(*timer, GUARDIAN_PRIORITY_WATCH);
}

int guardian_engine_start(struct guardian *guardian)
{
	struct engine_watch *engine = &guardian->engine;
	int pair[2] = { -1, -1 };
	int result;

	forget_wills(guardian);
	begin_life(guardian);
	result = add_timer(guardian, &engine->watch, on_watch);
	if (result == 0)
		result = add_timer(guardian, &engine->timer, on_timer);
	if (result == 0)
		result = guardian_engine_pair(pair);
	if (result == 0)
		result = fork_engine(guardian, pair);
	if (pair[1] >= 0)
		close(pair[1]);
	engine->socket = pair[0];
	if (result < 0)
		goto fail;
	engine->lives++;
	engine->state = ENGINE_STARTING;
	result = watch_engine(guardian);
	if (result < 0) {
		kill(engine->pid, SIGKILL);
		process_runner_drop(guardian->runner, engine->pid);
		goto fail;
	}
	set_timer(engine->watch, look_interval_ns(guardian));
	guardian_brief_engine(guardian);
	return 0;

fail:
	log_error("guardian: cannot start an engine: %s", log_strerror(result));
	close_engine(engine);
	return result;
}

int guardian_engine_replace(struct guardian *guardian, pid_t pid, int socket)
{
	struct engine_watch *engine = &guardian->engine;

	close_engine(engine);
	begin_life(guardian);
	engine->pid = pid;
	engine->socket = socket;
	engine->state = ENGINE_STARTING;
	set_timer(engine->watch, look_interval_ns(guardian));
	return watch_engine(guardian);
}
