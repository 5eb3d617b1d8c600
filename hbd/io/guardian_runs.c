/* Takeover plugins that the engine wants run: one at a time in each group, each with its deadline. */
#include "guardian_parts.h"

#include <errno.h>
#include <stdio.h>

#include "../base/log.h"
#include "clock.h"
#include "plugin_lint.h"

#define TIMEOUT_NS_MAX (24 * 3600 * HBD_S_NS)

static void start_next(struct guardian *guardian, uint8_t group);

static const char *group_name(const struct run *run)
{
	return run->guardian->conf->groups[run->group].name;
}

static const char *label(const struct run *run)
{
	return plugin_label(run->guardian->plugins[run->group][run->step]);
}

static void tell_done(struct guardian *guardian, uint8_t group, uint64_t id, int result,
		      const char *why)
{
	struct message message = { .type = MESSAGE_DONE, .group = group };

	message.done.id = id;
	message.done.result = result;
	snprintf(message.done.why, sizeof(message.done.why), "%.*s",
		 (int)sizeof(message.done.why) - 1, why);
	guardian_engine_tell(guardian, &message, -1);
}

static void log_end(const struct run *run, const struct process_result *result)
{
	const char *call = hbd_call_text(run->call);
	struct log_fields fields = { .group = group_name(run), .epoch = run->epoch };
	long long ms = result->duration_ns / HBD_MS_NS;

	if (result->result == 0)
		log_line(LOG_INFO, &fields, "%s: %s: %s done in %lld ms", group_name(run), label(run),
			 call, ms);
	else if (run->canceled)
		log_line(LOG_NOTICE, &fields, "%s: %s: %s was called off after %lld ms",
			 group_name(run), label(run), call, ms);
	else if (result->result == -EAGAIN)
		log_line(LOG_INFO, &fields, "%s: %s: %s asks to be tried again", group_name(run),
			 label(run), call);
	else
		log_line(LOG_ERR, &fields, "%s: %s: %s failed after %lld ms: %s", group_name(run),
			 label(run), call, ms, result->text);
}

static void on_ended(void *context, const struct process_result *result)
{
	struct run *run = context;
	struct guardian *guardian = run->guardian;
	uint8_t group = run->group;
	char why[PROCESS_TEXT_BYTES + PROCESS_LAST_LINE_BYTES + 4];

	snprintf(why, sizeof(why), "%s%s%s", result->text, result->last_line[0] ? ": " : "",
		 result->last_line);
	log_end(run, result);
	if (!run->canceled)
		tell_done(guardian, group, run->id, result->result, why);
	*run = (struct run){ 0 };
	start_next(guardian, group);
}

static json_t *facts_of(const struct run *run)
{
	const struct guardian *guardian = run->guardian;
	bool takes = run->call != HBD_CALL_RELEASE;

	return plugin_facts_json(&(struct plugin_facts){
		.group = group_name(run),
		.node = guardian->conf->nodes[guardian->self].name,
		.peer = guardian->conf->nodes[1 - guardian->self].name,
		.epoch = run->epoch,
		.reason = hbd_reason_text(run->reason),
		.role = hbd_role_text(takes ? HBD_ROLE_PRIMARY : HBD_ROLE_SECONDARY),
		.previous = hbd_role_text(takes ? HBD_ROLE_SECONDARY : HBD_ROLE_PRIMARY),
	});
}

static int start(struct run *run)
{
	struct guardian *guardian = run->guardian;
	int64_t left_ns = run->deadline_ns - clock_now_ns();
	json_t *facts;
	int result;

	if (left_ns <= 0)
		return -ETIMEDOUT;
	facts = facts_of(run);
	if (!facts)
		return -ENOMEM;
	result = plugin_start(guardian->runner, guardian->plugins[run->group][run->step],
			      &(struct plugin_call){
				      .action = hbd_call_text(run->call),
				      .facts = facts,
				      .timeout_ns = left_ns,
				      .user = guardian->run_as,
				      .output_priority = LOG_INFO,
				      .handler = on_ended,
				      .context = run,
			      }, &run->process);
	json_decref(facts);
	return result;
}

/* The run of the group that is longest here, which is the one whose turn it is. */
static struct run *first_of(struct guardian *guardian, uint8_t group)
{
	struct run *first = NULL;

	for (size_t i = 0; i < RUNS_MAX; i++) {
		struct run *run = &guardian->runs[i];

		if (run->id != 0 && run->group == group && (!first || run->order < first->order))
			first = run;
	}
	return first;
}

/* A plugin that was called off may take its time to end: its successor waits for it, so that
 * "takeover" and "release" of one service never meet. */
static void start_next(struct guardian *guardian, uint8_t group)
{
	struct run *run;
	int result = -EAGAIN;

	while (result < 0 && (run = first_of(guardian, group)) && !run->process) {
		result = start(run);
		if (result == 0)
			return;
		log_error("%s: %s: %s cannot be started: %s", group_name(run), label(run),
			  hbd_call_text(run->call), log_strerror(result));
		tell_done(guardian, group, run->id, result, "");
		*run = (struct run){ 0 };
	}
}

static struct run *find(struct guardian *guardian, uint64_t id)
{
	for (size_t i = 0; i < RUNS_MAX; i++) {
		if (guardian->runs[i].id == id)
			return &guardian->runs[i];
	}
	return NULL;
}

static bool is_sound(const struct guardian *guardian, const struct message *message)
{
	return message->group < guardian->conf->group_count &&
	       message->run.step < guardian->conf->groups[message->group].takeover_count &&
	       message->run.call >= HBD_CALL_PREPARE && message->run.call <= HBD_CALL_RELEASE &&
	       message->run.reason > HBD_REASON_UNSET && message->run.reason < HBD_REASON_COUNT &&
	       message->run.timeout_ns > 0 && message->run.timeout_ns <= TIMEOUT_NS_MAX &&
	       message->run.epoch <= INT64_MAX && message->run.id != 0;
}

void guardian_run_start(struct guardian *guardian, const struct message *message)
{
	struct run *run = find(guardian, 0);

	if (!is_sound(guardian, message) || find(guardian, message->run.id)) {
		log_warning("guardian: ignoring a wrong request of the engine to run a plugin");
		return;
	}
	if (!run) {
		log_error("guardian: more than %d plugins at once: refused", RUNS_MAX);
		tell_done(guardian, message->group, message->run.id, -EBUSY,
			  "too many plugins run at once");
		return;
	}
	*run = (struct run){
		.id = message->run.id,
		.group = message->group,
		.step = message->run.step,
		.call = message->run.call,
		.reason = message->run.reason,
		.epoch = message->run.epoch,
		.deadline_ns = hbd_time_add(clock_now_ns(), message->run.timeout_ns),
		.order = ++guardian->run_order,
		.guardian = guardian,
	};
	start_next(guardian, run->group);
}

void guardian_run_cancel(struct guardian *guardian, uint64_t id)
{
	struct run *run = id != 0 ? find(guardian, id) : NULL;

	if (!run)
		return;
	run->canceled = true;
	if (run->process)
		process_cancel(run->process);
	else
		*run = (struct run){ 0 };
}

void guardian_runs_abandon(struct guardian *guardian)
{
	for (size_t i = 0; i < RUNS_MAX; i++) {
		struct run *run = &guardian->runs[i];

		if (run->id != 0 && run->process) {
			log_warning("%s: %s: killed, because the engine that wanted it is gone",
				    group_name(run), label(run));
			process_abandon(run->process);
		}
		*run = (struct run){ 0 };
	}
}

/* ---- the configured plugins --------------------------------------------------------------------- */

static void free_plugins(struct plugin *plugins[HBD_GROUPS_MAX][HBD_STEPS_MAX])
{
	for (size_t i = 0; i < HBD_GROUPS_MAX; i++) {
		for (size_t j = 0; j < HBD_STEPS_MAX; j++) {
			plugin_free(plugins[i][j]);
			plugins[i][j] = NULL;
		}
	}
}

int guardian_plugins_load(struct guardian *guardian, const struct hbd_conf *conf)
{
	struct plugin *plugins[HBD_GROUPS_MAX][HBD_STEPS_MAX] = { 0 };
	int result = 0;

	for (uint8_t i = 0; i < conf->group_count && result == 0; i++) {
		const struct hbd_conf_group *group = &conf->groups[i];

		for (uint8_t j = 0; j < group->takeover_count && result == 0; j++)
			result = plugin_new(PLUGIN_TAKEOVER, guardian->config->plugin_dir,
					    &group->takeover[j], group, &plugins[i][j]);
	}
	if (result < 0) {
		free_plugins(plugins);
		return result;
	}
	free_plugins(guardian->plugins);
	for (size_t i = 0; i < HBD_GROUPS_MAX; i++) {
		for (size_t j = 0; j < HBD_STEPS_MAX; j++)
			guardian->plugins[i][j] = plugins[i][j];
	}
	return 0;
}

void guardian_plugins_free(struct guardian *guardian)
{
	free_plugins(guardian->plugins);
}

static void log_finding(void *context, const struct plugin_finding *finding)
{
	const struct guardian *guardian = context;

	if (finding->line != 0)
		log_warning("%s:%u: %s", guardian->conf->path, finding->line, finding->text);
	else
		log_warning("%s: %s", guardian->conf->path, finding->text);
}

void guardian_plugins_verify(struct guardian *guardian)
{
	plugin_lint(guardian->conf, guardian->config->plugin_dir, log_finding, guardian);
}
