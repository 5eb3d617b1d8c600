/* The program that asks the witness: it runs as long as hbd, and the engine talks to it directly. */
#include "guardian_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/log.h"
#include "clock.h"
#include "witness.h"

#define BACK_OFF_FIRST_NS (1 * HBD_S_NS)
#define BACK_OFF_MAX_NS (30 * HBD_S_NS)
#define GOOD_LIFE_NS (60 * HBD_S_NS)
#define TIMER_ACCURACY_US 10000

/* Ours does not block, the program's does: it has nothing else to wait for. */
static int open_channel(int ret_pair[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_pair) < 0)
		return -errno;
	if (fcntl(ret_pair[0], F_SETFL, O_NONBLOCK) == 0)
		return 0;

	int error = errno;

	close(ret_pair[0]);
	close(ret_pair[1]);
	return -error;
}

static void plan_start(struct guardian_witness *witness, int64_t after_ns)
{
	sd_event_source_set_time_relative(witness->timer, (uint64_t)(after_ns / HBD_US_NS));
	sd_event_source_set_enabled(witness->timer, SD_EVENT_ONESHOT);
}

static void plan_restart(struct guardian_witness *witness)
{
	int64_t age_ns = clock_now_ns() - witness->started_ns;

	if (witness->back_off_ns == 0 || age_ns >= GOOD_LIFE_NS)
		witness->back_off_ns = BACK_OFF_FIRST_NS;
	else
		witness->back_off_ns = hbd_time_min(witness->back_off_ns * 2, BACK_OFF_MAX_NS);
	plan_start(witness, witness->back_off_ns);
}

static void on_ended(void *context, const struct process_result *result)
{
	struct guardian *guardian = context;
	struct guardian_witness *witness = &guardian->witness;
	bool again = witness->again;

	witness->process = NULL;
	witness->again = false;
	if (guardian->stop != STOP_UNSET)
		return;
	if (again) {
		plan_start(witness, 0);
		return;
	}
	plan_restart(witness);
	log_warning("%s ended: %s; starting it again in %lld s", plugin_label(witness->plugin),
		    result->text, (long long)(witness->back_off_ns / HBD_S_NS));
}

static int start_program(struct guardian *guardian, const int pair[2])
{
	json_t *facts = json_pack("{s:s, s:s, s:s}", "cluster", guardian->conf->cluster, "node",
				  guardian->conf->nodes[guardian->self].name, "peer",
				  guardian->conf->nodes[1 - guardian->self].name);
	int result;

	if (!facts)
		return -ENOMEM;
	result = plugin_start(guardian->runner, guardian->witness.plugin,
			      &(struct plugin_call){
				      .action = "witness",
				      .facts = facts,
				      .timeout_ns = HBD_NEVER_NS,
				      .channel_fd = pair[1],
				      .own_fd = pair[0],
				      .user = guardian->run_as,
				      .output_priority = LOG_NOTICE,
				      .handler = on_ended,
				      .context = guardian,
			      }, &guardian->witness.process);
	json_decref(facts);
	return result;
}

static int start(struct guardian *guardian)
{
	const struct message message = { .type = MESSAGE_WITNESS };
	int pair[2], result;

	guardian->witness.started_ns = clock_now_ns();
	result = open_channel(pair);
	if (result < 0)
		return result;
	result = start_program(guardian, pair);
	if (result == 0)
		guardian_engine_tell(guardian, &message, pair[0]);
	close(pair[0]);
	close(pair[1]);
	return result;
}

static int on_timer(sd_event_source *source, uint64_t when_us, void *context)
{
	struct guardian *guardian = context;
	struct guardian_witness *witness = &guardian->witness;
	int result;

	(void)source;
	(void)when_us;
	if (witness->process || guardian->stop != STOP_UNSET)
		return 0;
	result = start(guardian);
	if (result == 0)
		return 0;
	plan_restart(witness);
	log_error("%s cannot be started: %s; trying again in %lld s", plugin_label(witness->plugin),
		  log_strerror(result), (long long)(witness->back_off_ns / HBD_S_NS));
	return 0;
}

int guardian_witness_open(struct guardian *guardian)
{
	const struct hbd_conf_witness *conf = &guardian->conf->witness;
	struct guardian_witness *witness = &guardian->witness;
	int result;

	if (!conf->present)
		return 0;
	result = plugin_new(PLUGIN_WITNESS, guardian->config->plugin_dir, &conf->plugin, NULL,
			    &witness->plugin);
	if (result < 0)
		return result;
	result = sd_event_add_time_relative(guardian->loop, &witness->timer, CLOCK_MONOTONIC, 0,
					    TIMER_ACCURACY_US, on_timer, guardian);
	if (result < 0)
		return result;
	sd_event_source_set_enabled(witness->timer, SD_EVENT_OFF);
	return sd_event_source_set_priority(witness->timer, GUARDIAN_PRIORITY_PLUGINS);
}

void guardian_witness_close(struct guardian *guardian)
{
	sd_event_source_disable_unref(guardian->witness.timer);
	plugin_free(guardian->witness.plugin);
}

void guardian_witness_start(struct guardian *guardian)
{
	struct guardian_witness *witness = &guardian->witness;

	if (!witness->plugin)
		return;
	if (witness->process) {
		witness->again = true;
		process_cancel(witness->process);
		return;
	}
	plan_start(witness, 0);
}

void guardian_witness_end(struct guardian *guardian)
{
	struct guardian_witness *witness = &guardian->witness;

	if (!witness->process)
		return;
	log_warning("%s has answered nothing for %d s; ending it", plugin_label(witness->plugin),
		    (int)(WITNESS_STUCK_NS / HBD_S_NS));
	process_cancel(witness->process);
}
