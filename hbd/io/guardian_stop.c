/* The way out: the engine hands over and ends, what is left is removed, the scribe writes it down. */
#include "guardian_parts.h"

#include "../base/log.h"
#include "clock.h"
#include "vip.h"

#define TAKE_INTERVALS 10		/* + Lg, as long as the core waits for the peer to get ready */
#define SPARE_NS (5 * HBD_S_NS)		/* to hand over, besides what release plugins may take */
#define ENGINE_END_NS (3 * HBD_S_NS)	/* from "all is released" to the engine's end */
#define TIMER_ACCURACY_US 1000

/* Groups release at the same time, the plugins of one group one after the other. */
static int64_t release_ns_max(const struct hbd_conf *conf)
{
	int64_t longest_ns = 0;

	for (uint8_t i = 0; i < conf->group_count; i++) {
		int64_t sum_ns = 0;

		for (uint8_t j = 0; j < conf->groups[i].takeover_count; j++)
			sum_ns += conf->groups[i].takeover[j].step.timeout_ns + PROCESS_GRACE_NS;
		longest_ns = hbd_time_max(longest_ns, sum_ns);
	}
	return longest_ns;
}

/* So long a planned move may take, with what the peer's plugins prepare, and old connections. */
static int64_t leave_ns_max(const struct hbd_conf *conf)
{
	const struct hbd_profile *profile = &conf->profile;

	return release_ns_max(conf) + profile->grant_ns + TAKE_INTERVALS * profile->interval_ns +
	       conf->stop_ns + SPARE_NS;
}

static int on_too_long(sd_event_source *source, uint64_t when_us, void *context);

static void set_limit(struct guardian *guardian, int64_t limit_ns)
{
	guardian->stop_timer = sd_event_source_disable_unref(guardian->stop_timer);
	if (sd_event_add_time_relative(guardian->loop, &guardian->stop_timer, CLOCK_MONOTONIC,
				       (uint64_t)(limit_ns / HBD_US_NS), TIMER_ACCURACY_US,
				       on_too_long, guardian) < 0)
		guardian_engine_kill(guardian, "cannot be waited for");
	notify_send(&guardian->notify, "EXTEND_TIMEOUT_USEC=%llu",
		    (unsigned long long)((limit_ns + SPARE_NS) / HBD_US_NS));
}

static void stop_scribe(struct guardian *guardian)
{
	guardian->stop = STOP_SCRIBE;
	if (guardian->scribe.pid == 0)
		guardian_stop_scribe_gone(guardian);
	else
		guardian_scribe_stop(guardian);
}

static void stop_engine(struct guardian *guardian)
{
	const struct message stop = { .type = MESSAGE_STOP };

	guardian->stop = STOP_ENGINE;
	guardian_engine_tell(guardian, &stop, -1);
	set_limit(guardian, release_ns_max(guardian->conf) + SPARE_NS);
}

static int on_too_long(sd_event_source *source, uint64_t when_us, void *context)
{
	struct guardian *guardian = context;

	(void)source;
	(void)when_us;
	if (guardian->stop == STOP_LEAVE) {
		stop_engine(guardian);
		return 0;
	}
	log_error("guardian: the engine does not come to its end, with %zu plugins running; killing it",
		  process_runner_count(guardian->runner));
	guardian_engine_kill(guardian, "did not stop in time");
	return 0;
}

void guardian_stop_begin(struct guardian *guardian, const char *why)
{
	int64_t limit_ns = leave_ns_max(guardian->conf);

	guardian->stop = STOP_LEAVE;
	log_notice("stopping, because of %s; the engine hands over and has at most %lld s for it", why,
		   (long long)(limit_ns / HBD_S_NS));
	notify_send(&guardian->notify, "STOPPING=1\nSTATUS=handing over and stopping");
	if (guardian->engine.state == ENGINE_WAITING) {
		guardian->engine.state = ENGINE_GONE;
		guardian_stop_engine_gone(guardian);
		return;
	}
	set_limit(guardian, limit_ns);
	guardian_leave(guardian, true);
	/* it may have left for a shutdown already */
	if (guardian->leave.over || guardian->engine.state != ENGINE_RUNNING)
		stop_engine(guardian);
}

void guardian_stop_left(struct guardian *guardian)
{
	if (guardian->stop == STOP_LEAVE)
		stop_engine(guardian);
}

static void hurry(struct guardian *guardian)
{
	guardian->hurry = true;
	log_warning("asked to stop once more: not waiting any more");
	process_runner_kill_all(guardian->runner);
	guardian_engine_kill(guardian, "was not waited for any more");
}

static void begin_hold(struct guardian *guardian)
{
	int result = guardian_hold_begin(guardian);

	if (result < 0)
		guardian_hold_refused(guardian, result);
}

void guardian_stop_decide(struct guardian *guardian, bool restart)
{
	if (restart)
		begin_hold(guardian);
	else
		guardian_stop_begin(guardian, "SIGTERM");
}

int guardian_on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	struct guardian *guardian = context;

	(void)source;
	guardian_swap_abandon(guardian, "hbd stops");
	if (guardian->stop == STOP_LEAVE) {
		log_notice("asked to stop a second time: not waiting for old connections");
		stop_engine(guardian);
		return 0;
	}
	if (guardian->stop != STOP_UNSET) {
		if (!guardian->hurry)
			hurry(guardian);
		return 0;
	}
	/* a terminal's ^C is for good */
	if (info->ssi_signo == SIGTERM && guardian_job_ask(guardian) == 0)
		return 0;
	guardian_stop_begin(guardian, info->ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
	return 0;
}

int guardian_on_hold(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	struct guardian *guardian = context;

	(void)source;
	(void)info;
	guardian_swap_abandon(guardian, "hbd stops");
	if (guardian->stop == STOP_UNSET)
		begin_hold(guardian);
	return 0;
}

void guardian_stop_engine_released(struct guardian *guardian)
{
	if (guardian->stop != STOP_ENGINE)
		return;
	guardian->engine.stopped_cleanly = true;
	set_limit(guardian, ENGINE_END_NS);
}

void guardian_stop_engine_gone(struct guardian *guardian)
{
	int removed;

	guardian->stop_timer = sd_event_source_disable_unref(guardian->stop_timer);
	check_set_free(guardian->checks);
	guardian->checks = NULL;
	guardian_runs_abandon(guardian);
	if (guardian_hold_keep(guardian)) {
		stop_scribe(guardian);
		return;
	}
	removed = vip_sweep(guardian->conf, false);
	if (removed < 0)
		log_error("guardian: cannot make sure that no address is left: %s",
			  log_strerror(removed));
	else if (removed > 0)
		log_warning("guardian: removed %d addresses that the engine had left", removed);
	stop_scribe(guardian);
}

void guardian_stop_scribe_gone(struct guardian *guardian)
{
	sd_event_exit(guardian->loop, 0);
}
