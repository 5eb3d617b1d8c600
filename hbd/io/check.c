#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/log.h"
#include "clock.h"
#include "plugin.h"

/* The first runs are spread over this time, so that a start does not fork a hundred programs. */
#define SPREAD_NS (200 * HBD_MS_NS)
#define TIMER_ACCURACY_US 1000

enum check_verdict {
	CHECK_UNKNOWN = 0,
	CHECK_GOOD,
	CHECK_BAD,
};

struct check {
	struct check_set *set;
	const struct hbd_conf_check *conf;
	uint8_t group;
	uint8_t index;
	struct plugin *plugin;
	sd_event_source *timer;
	struct process *run;		/* NULL = none under way */
	int64_t started_ns;
	enum check_verdict verdict;
	unsigned successes, failures;	/* in a row */
	char detail[CHECK_DETAIL_BYTES];
};

struct check_set {
	struct check_setup setup;
	size_t count;
	struct check checks[];
};

static const char *group_name(const struct check *check)
{
	return check->set->setup.conf->groups[check->group].name;
}

static void tell(const struct check *check)
{
	const struct check_setup *setup = &check->set->setup;

	if (check->verdict != CHECK_UNKNOWN)
		setup->handler(setup->context, check->group, check->index,
			       check->verdict == CHECK_GOOD, check->detail);
}

static void log_verdict(const struct check *check)
{
	struct log_fields fields = { .group = group_name(check) };

	if (check->verdict == CHECK_GOOD)
		log_line(LOG_NOTICE, &fields, "%s: check \"%s\" is good: %s", group_name(check),
			 check->conf->name, check->detail);
	else
		log_line(LOG_WARNING, &fields, "%s: check \"%s\" failed %u times in a row: %s",
			 group_name(check), check->conf->name, check->failures, check->detail);
}

/* The verdict after one more result. */
static enum check_verdict judge(const struct check *check)
{
	if (check->failures >= check->conf->fall)
		return CHECK_BAD;
	if (check->verdict == CHECK_UNKNOWN && check->successes > 0)
		return CHECK_GOOD;
	if (check->successes >= check->conf->rise)
		return CHECK_GOOD;
	return check->verdict;
}

static void count(struct check *check, bool success, const char *detail)
{
	enum check_verdict verdict;

	check->successes = success ? check->successes + 1 : 0;
	check->failures = success ? 0 : check->failures + 1;
	verdict = judge(check);
	if (verdict == check->verdict)
		return;
	check->verdict = verdict;
	snprintf(check->detail, sizeof(check->detail), "%s", detail);
	log_verdict(check);
	tell(check);
}

static void schedule(struct check *check, int64_t at_ns)
{
	int64_t wait_ns = hbd_time_max(at_ns - clock_now_ns(), 0);

	sd_event_source_set_time_relative(check->timer, (uint64_t)(wait_ns / HBD_US_NS));
	sd_event_source_set_enabled(check->timer, SD_EVENT_ONESHOT);
}

/* A program that judged says why; one that did not get to judge says nothing that helps. */
static bool has_judged(const struct process_result *result)
{
	return result->result == 0 || result->result == -EREMOTEIO || result->result == -EAGAIN;
}

static void on_ended(void *context, const struct process_result *result)
{
	struct check *check = context;

	check->run = NULL;
	count(check, result->result == 0,
	      has_judged(result) && result->last_line[0] ? result->last_line : result->text);
	schedule(check, check->started_ns + check->conf->interval_ns);
}

static json_t *facts_of(const struct check *check)
{
	const struct check_setup *setup = &check->set->setup;
	json_t *facts = plugin_facts_json(&(struct plugin_facts){
		.group = group_name(check),
		.node = setup->conf->nodes[setup->self].name,
		.peer = setup->conf->nodes[1 - setup->self].name,
	});

	if (facts)
		json_object_set_new(facts, "check", json_string(check->conf->name));
	return facts;
}

static int start(struct check *check)
{
	const struct check_setup *setup = &check->set->setup;
	json_t *facts = facts_of(check);
	int result;

	if (!facts)
		return -ENOMEM;
	result = plugin_start(setup->runner, check->plugin, &(struct plugin_call){
		.action = "check",
		.facts = facts,
		.timeout_ns = check->conf->timeout_ns,
		.user = setup->user,
		/* Its last line is told with the verdict; every second it would fill the log. */
		.output_priority = LOG_DEBUG,
		.handler = on_ended,
		.context = check,
	}, &check->run);
	json_decref(facts);
	return result;
}

static int on_timer(sd_event_source *source, uint64_t when_us, void *context)
{
	struct check *check = context;
	char text[CHECK_DETAIL_BYTES];
	int result;

	(void)source;
	(void)when_us;
	check->started_ns = clock_now_ns();
	result = start(check);
	if (result < 0) {
		snprintf(text, sizeof(text), "cannot be started: %s", log_strerror(result));
		count(check, false, text);
		schedule(check, check->started_ns + check->conf->interval_ns);
	}
	return 0;
}

static int open_check(struct check *check)
{
	const struct check_setup *setup = &check->set->setup;
	int result = plugin_new(PLUGIN_CHECK, setup->plugin_dir, &check->conf->plugin,
				&setup->conf->groups[check->group], &check->plugin);

	if (result == 0)
		result = sd_event_add_time_relative(setup->loop, &check->timer, CLOCK_MONOTONIC, 0,
						    TIMER_ACCURACY_US, on_timer, check);
	if (result < 0)
		return result;
	return sd_event_source_set_priority(check->timer, setup->priority);
}

static void fill(struct check_set *set)
{
	for (uint8_t group = 0; group < set->setup.conf->group_count; group++) {
		const struct hbd_conf_group *conf = &set->setup.conf->groups[group];

		for (uint8_t i = 0; i < conf->check_count; i++)
			set->checks[set->count++] = (struct check){
				.set = set, .conf = &conf->checks[i], .group = group, .index = i };
	}
}

/* The same place in the group of the same name: a file may have other groups before it. */
static bool follows(const struct check *check, const struct check_set *former, const struct check *from)
{
	const struct hbd_conf_group *groups = check->set->setup.conf->groups;

	return from->index == check->index &&
	       strcmp(former->setup.conf->groups[from->group].name, groups[check->group].name) == 0 &&
	       strcmp(from->conf->name, check->conf->name) == 0;
}

static void take_over(struct check *check, const struct check_set *former)
{
	for (size_t i = 0; former && i < former->count; i++) {
		const struct check *from = &former->checks[i];

		if (!follows(check, former, from))
			continue;
		check->verdict = from->verdict;
		check->successes = from->successes;
		check->failures = from->failures;
		snprintf(check->detail, sizeof(check->detail), "%s", from->detail);
	}
}

int check_set_new(const struct check_setup *setup, const struct check_set *former,
		  struct check_set **ret_set)
{
	struct check_set *set;
	size_t total = 0;
	int result = 0;

	for (uint8_t group = 0; group < setup->conf->group_count; group++)
		total += setup->conf->groups[group].check_count;
	set = calloc(1, sizeof(*set) + total * sizeof(set->checks[0]));
	if (!set)
		return -ENOMEM;
	set->setup = *setup;
	fill(set);
	for (size_t i = 0; i < set->count && result == 0; i++) {
		take_over(&set->checks[i], former);
		result = open_check(&set->checks[i]);
	}
	if (result < 0) {
		check_set_free(set);
		return result;
	}
	for (size_t i = 0; i < set->count; i++)
		schedule(&set->checks[i],
			 clock_now_ns() + SPREAD_NS * (int64_t)i / (int64_t)set->count);
	*ret_set = set;
	return 0;
}

void check_set_free(struct check_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++) {
		if (set->checks[i].run)
			process_abandon(set->checks[i].run);
		sd_event_source_disable_unref(set->checks[i].timer);
		plugin_free(set->checks[i].plugin);
	}
	free(set);
}

void check_set_repeat(const struct check_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		tell(&set->checks[i]);
}
