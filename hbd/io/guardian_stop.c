/* The way out: the engine hands over, then what is left is removed, then the scribe writes it down. */
#include "guardian_parts.h"

#include "../base/log.h"
#include "clock.h"
#include "vip.h"

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

static int on_too_long(sd_event_source *source, uint64_t when_us, void *context)
{
	struct guardian *guardian = context;

	(void)source;
	(void)when_us;
	log_error("guardian: the engine does not come to its end, with %zu plugins running; killing it",
		  process_runner_count(guardian->runner));
	guardian_engine_kill(guardian, "did not stop in time");
	return 0;
}

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

static void begin(struct guardian *guardian, const char *why)
{
	const struct message stop = { .type = MESSAGE_STOP };
	int64_t limit_ns = release_ns_max(guardian->conf) + SPARE_NS;

	guardian->stop = STOP_ENGINE;
	log_notice("stopping, because of %s; the engine hands over and has at most %lld s for it", why,
		   (long long)(limit_ns / HBD_S_NS));
	notify_send(&guardian->notify, "STOPPING=1\nSTATUS=handing over and stopping");
	if (guardian->engine.state == ENGINE_WAITING) {
		guardian->engine.state = ENGINE_GONE;
		guardian_stop_engine_gone(guardian);
		return;
	}
	guardian_engine_tell(guardian, &stop, -1);
	set_limit(guardian, limit_ns);
}

static void hurry(struct guardian *guardian)
{
	guardian->hurry = true;
	log_warning("asked to stop a second time: not waiting any more");
	process_runner_kill_all(guardian->runner);
	guardian_engine_kill(guardian, "was not waited for any more");
}

int guardian_on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	struct guardian *guardian = context;

	(void)source;
	if (guardian->stop == STOP_UNSET)
		begin(guardian, info->ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
	else if (!guardian->hurry)
		hurry(guardian);
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
	removed = vip_sweep(guardian->conf);
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
