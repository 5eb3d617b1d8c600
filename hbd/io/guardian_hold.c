/*
 * A restart without a change of role: the engine holds and writes down what it knows, addresses and
 * fence stay, and the next guardian starts its engine from that.
 */
#include "guardian_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sodium.h>
#include <unistd.h>

#include "../base/log.h"
#include "../core/resume.h"
#include "carry.h"
#include "clock.h"

#define HOLD_NS_MAX (1500 * HBD_MS_NS)	/* until the engine has said whether it may */
#define END_NS_MAX (500 * HBD_MS_NS)	/* and from then to its end */
#define TIMER_ACCURACY_US 1000

/* ---- the way out --------------------------------------------------------------------------------- */

static int on_no_answer(sd_event_source *source, uint64_t when_us, void *context)
{
	struct guardian *guardian = context;

	(void)source;
	(void)when_us;
	if (guardian->hold.granted)
		guardian_engine_kill(guardian, "did not end after it had handed over");
	else
		guardian_hold_refused(guardian, -ETIMEDOUT);
	return 0;
}

static void set_limit(struct guardian *guardian, int64_t limit_ns)
{
	guardian->stop_timer = sd_event_source_disable_unref(guardian->stop_timer);
	if (sd_event_add_time_relative(guardian->loop, &guardian->stop_timer, CLOCK_MONOTONIC,
				       (uint64_t)(limit_ns / HBD_US_NS), TIMER_ACCURACY_US,
				       on_no_answer, guardian) < 0)
		guardian_hold_refused(guardian, -ENOMEM);
}

/* Without an engine, or anybody to keep its state, there is nothing to hand over. */
int guardian_hold_begin(struct guardian *guardian)
{
	struct message hold = { .type = MESSAGE_PAUSE, .hold.term_ns = GUARDIAN_PAUSE_NS };
	int result;

	if (guardian->engine.state != ENGINE_RUNNING || guardian->notify.fd < 0 ||
	    guardian->origin[0] == '\0')
		return -ENOTCONN;
	result = carry_open(&guardian->hold.fd);
	if (result < 0)
		return result;
	guardian->stop = STOP_HOLD;
	log_notice("stopping for a restart: the next process goes on where this one ends, within "
		   "%lld ms",
		   (long long)(GUARDIAN_PAUSE_NS / HBD_MS_NS));
	guardian_engine_tell(guardian, &hold, guardian->hold.fd);
	set_limit(guardian, HOLD_NS_MAX);
	return 0;
}

static void forget(struct guardian *guardian)
{
	if (guardian->hold.fd >= 0)
		close(guardian->hold.fd);
	guardian->hold.fd = -1;
	guardian->hold.granted = false;
}

void guardian_hold_refused(struct guardian *guardian, int error)
{
	guardian->stop_timer = sd_event_source_disable_unref(guardian->stop_timer);
	forget(guardian);
	log_warning("guardian: the restart cannot be bridged: %s; stopping as for good",
		    error == -ETIMEDOUT ? "the peer did not agree in time"
		    : error == -EBUSY	? "a plugin or a move is under way"
					: log_strerror(error));
	guardian_stop_begin(guardian, "a restart");
}

void guardian_hold_taken(struct guardian *guardian, const struct message *message)
{
	if (guardian->stop != STOP_HOLD || guardian->hold.granted)
		return;
	if (message->error < 0) {
		guardian_hold_refused(guardian, message->error);
		return;
	}
	guardian->hold.granted = true;
	guardian->engine.stopped_cleanly = true;
	set_limit(guardian, END_NS_MAX);
}

/* The engine's end came before its word, or it has said it: true = all stays as it is. */
bool guardian_hold_keep(struct guardian *guardian)
{
	int result;

	if (!guardian->hold.granted)
		return false;
	result = carry_store(&guardian->notify, guardian->hold.fd);
	if (result == 0)
		return true;
	log_error("guardian: the service manager does not take what the engine knew: %s; removing its "
		  "addresses", log_strerror(result));
	forget(guardian);
	return false;
}

/* ---- the way in ---------------------------------------------------------------------------------- */

static bool can_resume(const struct guardian *guardian, const struct flight_state *state)
{
	struct hbd_node_config *config = calloc(1, sizeof(*config));
	struct hbd_node *node = calloc(1, sizeof(*node));
	int result = -ENOMEM;

	if (config && node) {
		conf_node_config(guardian->conf, guardian->self, config);
		result = hbd_node_resume(node, config, &state->node, clock_now_ns());
		sodium_memzero(config, sizeof(*config));
		sodium_memzero(node, sizeof(*node));
	}
	free(config);
	free(node);
	if (result < 0)
		log_warning("cannot go on as the process before: %s; starting anew",
			    result == -ETIME ? "a lease that it held is over" : log_strerror(result));
	return result == 0;
}

void guardian_hold_resume(struct guardian *guardian)
{
	char why[FLIGHT_WHY_BYTES];
	struct flight_state *state = NULL;
	int result = carry_origin(guardian->conf, guardian->self, guardian->config->run_dir,
				  guardian->origin);

	if (result < 0) {
		log_warning("this boot has no id: %s; a restart will be a change of role",
			    log_strerror(result));
		guardian->origin[0] = '\0';
		return;
	}
	result = carry_take(&guardian->notify, guardian->origin, &state, why);
	if (result == 0 && can_resume(guardian, state)) {
		guardian->former = state;
		return;
	}
	if (result < 0 && result != -ENOENT)
		log_warning("what the process before left cannot be used: %s; starting anew",
			    why[0] ? why : log_strerror(result));
	if (state)
		sodium_memzero(state, sizeof(*state));
	free(state);
}

/* Used once: the engine has its copy. */
void guardian_hold_forget(struct guardian *guardian)
{
	if (guardian->former)
		sodium_memzero(guardian->former, sizeof(*guardian->former));
	free(guardian->former);
	guardian->former = NULL;
}

static const struct hbd_lease *former_lease(const struct guardian *guardian, uint8_t group)
{
	const struct hbd_node *former = guardian->former ? &guardian->former->node : NULL;
	int index = former ? hbd_node_find_group(former->config,
						 hbd_group_id(guardian->conf->groups[group].name))
			   : -1;

	return index >= 0 ? &former->groups[index].lease : NULL;
}

int64_t guardian_hold_lease_ns(const struct guardian *guardian, uint8_t group)
{
	const struct hbd_lease *lease = former_lease(guardian, group);

	return lease && lease->held ? lease->held_until_ns : 0;
}

uint32_t guardian_hold_kept(const struct guardian *guardian)
{
	uint32_t kept = 0;

	for (uint8_t i = 0; guardian->former && i < guardian->conf->group_count; i++)
		if (guardian_hold_lease_ns(guardian, i) != 0 || guardian->conf->groups[i].staged)
			kept |= 1u << i;
	return kept;
}
