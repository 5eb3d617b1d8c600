#include "deliver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/log.h"
#include "../base/log_ids.h"
#include "../core/time.h"
#include "alert_text.h"
#include "deliver_facts.h"

/* When the last messages went out; the oldest is overwritten next. */
struct window {
	int64_t sent_ns[DELIVER_STORM_MESSAGES];
	size_t next;
	size_t count;
};

struct target {
	bool running;
	bool critical;			/* the message under way has a critical event */
	bool held;			/* a storm: what waits becomes a digest */
	bool last;			/* deliver_flush(): this try is the last one */
	uint64_t dropped;		/* told by the message under way */
	unsigned failures;		/* in a row */
	int64_t next_try_ns;
	struct window all, critical_ones;
	char trouble[MESSAGE_TROUBLE_BYTES];	/* "" = the last try did well */
};

struct deliver {
	struct deliver_config config;
	struct spool *spool;
	bool flushing;
	size_t running;
	int64_t deadline_ns;
	struct target targets[SPOOL_TARGETS_MAX];
};

int deliver_new(const struct deliver_config *config, struct spool *spool,
		struct deliver **ret_deliver)
{
	struct deliver *deliver = calloc(1, sizeof(*deliver));

	if (!deliver)
		return -ENOMEM;
	deliver->config = *config;
	deliver->spool = spool;
	*ret_deliver = deliver;
	return 0;
}

void deliver_free(struct deliver *deliver)
{
	free(deliver);
}

uint64_t deliver_wanted(const struct deliver_config *config, const struct record_alert *alert)
{
	enum hbd_severity reach = alert_text_reach(alert);
	uint64_t wanted = 0;

	for (size_t i = 0; i < config->target_count; i++)
		if (reach >= config->targets[i].severity)
			wanted |= UINT64_C(1) << i;
	return wanted;
}

static bool is_urgent(const struct record_alert *alert)
{
	return alert->severity == HBD_SEVERITY_CRITICAL || alert->test;
}

static void window_add(struct window *window, int64_t now_ns)
{
	window->sent_ns[window->next] = now_ns;
	window->next = (window->next + 1) % DELIVER_STORM_MESSAGES;
	if (window->count < DELIVER_STORM_MESSAGES)
		window->count++;
}

/* When the next message may go. */
static int64_t window_open_ns(const struct window *window)
{
	if (window->count < DELIVER_STORM_MESSAGES)
		return 0;
	return hbd_time_add(window->sent_ns[window->next], DELIVER_STORM_NS);
}

/* What waits for a target. */
struct waiting {
	size_t count;
	bool urgent;
	int64_t first_ns;		/* when the first of it came */
};

static struct waiting look(const struct deliver *deliver, size_t index)
{
	uint64_t bit = UINT64_C(1) << index;
	struct waiting waiting = { 0 };

	for (const struct spool_event *event = spool_first(deliver->spool); event;
	     event = event->next) {
		if (!(event->missing & bit))
			continue;
		if (waiting.count++ == 0)
			waiting.first_ns = event->taken_ns;
		waiting.urgent |= is_urgent(&event->alert);
	}
	return waiting;
}

/* The instant at which the target may be tried with what waits; says when a storm begins. */
static int64_t due_ns(struct deliver *deliver, size_t index, const struct waiting *waiting)
{
	struct target *target = &deliver->targets[index];
	int64_t open_ns = waiting->urgent ? window_open_ns(&target->critical_ones)
					  : window_open_ns(&target->all);
	int64_t ready_ns = deliver->flushing ? 0 : hbd_time_add(waiting->first_ns,
								DELIVER_TOGETHER_NS);

	/* what was there at start has waited long enough */
	if (waiting->first_ns == 0)
		ready_ns = 0;
	ready_ns = hbd_time_max(ready_ns, deliver->flushing ? 0 : target->next_try_ns);
	if (open_ns > ready_ns && !target->held) {
		target->held = true;
		log_warning("alert: %s got %d messages within %d minutes: what comes is held for a "
			    "digest; all of it is in this log", deliver->config.targets[index].key,
			    DELIVER_STORM_MESSAGES, (int)(DELIVER_STORM_NS / (60 * HBD_S_NS)));
	}
	return hbd_time_max(ready_ns, open_ns);
}

/* Of a text that was cut the rest of the last word goes, too. */
static void end_at_word(char *text)
{
	static const char more[] = " ...";
	char *space;

	text[strlen(text) - (sizeof(more) - 1)] = '\0';
	space = strrchr(text, ' ');
	memcpy(space ? space : text + strlen(text), more, sizeof(more));
}

static void fail(struct deliver *deliver, size_t index, const char *text, int64_t now_ns)
{
	const struct log_fields fields = { .message_id = LOG_ID_ALERT_FAILED };
	struct target *target = &deliver->targets[index];
	int64_t pause_ns = DELIVER_RETRY_FIRST_NS;
	size_t count = look(deliver, index).count;
	int length;

	for (unsigned i = 0; i < target->failures && pause_ns < DELIVER_RETRY_LAST_NS; i++)
		pause_ns *= 2;
	pause_ns = hbd_time_min(pause_ns, DELIVER_RETRY_LAST_NS);
	target->failures++;
	target->next_try_ns = hbd_time_add(now_ns, pause_ns);
	length = snprintf(target->trouble, sizeof(target->trouble), "%s: %s",
			  deliver->config.targets[index].key, text);
	if (length >= (int)sizeof(target->trouble))
		end_at_word(target->trouble);
	if (deliver->flushing)
		log_line(LOG_WARNING, &fields, "alert: %s; %zu in the spool until the next start",
			 target->trouble, count);
	else
		log_line(LOG_WARNING, &fields, "alert: %s; %zu waiting, next try in %d s",
			 target->trouble, count, (int)(pause_ns / HBD_S_NS));
}

/* Collects what waits for the target; alerts has room for all. */
static size_t collect(struct deliver *deliver, size_t index, const struct record_alert **alerts,
		      char id[SPOOL_ID_BYTES + 24])
{
	uint64_t bit = UINT64_C(1) << index;
	const char *first = "";
	size_t count = 0;

	for (struct spool_event *event = spool_first(deliver->spool); event; event = event->next) {
		if (!(event->missing & bit))
			continue;
		if (count == 0)
			first = event->id;
		event->sending |= bit;
		alerts[count++] = &event->alert;
	}
	/* the same for each try of the same events, so that a repetition can be recognized */
	snprintf(id, SPOOL_ID_BYTES + 24, "%s-%zu", first, count);
	return count;
}

static int start(struct deliver *deliver, size_t index, int64_t realtime_ns)
{
	const struct record_alert **alerts = calloc(spool_count(deliver->spool), sizeof(*alerts));
	struct target *target = &deliver->targets[index];
	struct alert_frame frame = { .cluster = deliver->config.cluster,
				     .node = deliver->config.node, .realtime_ns = realtime_ns,
				     .dropped = spool_dropped(deliver->spool, index) };
	char id[SPOOL_ID_BYTES + 24];
	json_t *facts;
	size_t count;
	int result;

	if (!alerts)
		return -ENOMEM;
	count = collect(deliver, index, alerts, id);
	frame.held = target->held ? (unsigned)count : 0;
	facts = deliver_facts(alerts, count, &frame, id);
	result = facts ? deliver->config.start(deliver->config.context, index, facts) : -ENOMEM;
	if (result == 0) {
		target->running = true;
		target->dropped = frame.dropped;
		deliver->running++;
	}
	json_decref(facts);
	free(alerts);
	return result;
}

static void forget_try(struct deliver *deliver, size_t index)
{
	for (struct spool_event *event = spool_first(deliver->spool); event; event = event->next)
		event->sending &= ~(UINT64_C(1) << index);
}

/* False if it could not even be started. */
static bool try(struct deliver *deliver, size_t index, bool urgent, int64_t now_ns,
		int64_t realtime_ns)
{
	struct target *target = &deliver->targets[index];
	char text[160];
	int result;

	target->critical = urgent;
	target->last = deliver->flushing;
	result = start(deliver, index, realtime_ns);
	if (result == 0)
		return true;
	forget_try(deliver, index);
	snprintf(text, sizeof(text), "cannot be started: %s", log_strerror(result));
	fail(deliver, index, text, now_ns);
	return false;
}

/* Starts a try if it is due; otherwise the instant at which it will be. */
static int64_t run_target(struct deliver *deliver, size_t index, int64_t now_ns,
			  int64_t realtime_ns)
{
	struct target *target = &deliver->targets[index];
	struct waiting waiting = look(deliver, index);
	int64_t at_ns;

	if (waiting.count == 0 || target->running || target->last)
		return HBD_NEVER_NS;
	at_ns = due_ns(deliver, index, &waiting);
	if (at_ns > now_ns)
		return at_ns;
	/* when one of those under way ends this is called again */
	if (deliver->running == DELIVER_RUNS_MAX ||
	    try(deliver, index, waiting.urgent, now_ns, realtime_ns))
		return HBD_NEVER_NS;
	return target->next_try_ns;
}

void deliver_run(struct deliver *deliver, int64_t now_ns, int64_t realtime_ns)
{
	deliver->deadline_ns = HBD_NEVER_NS;
	for (size_t i = 0; i < deliver->config.target_count; i++)
		deliver->deadline_ns = hbd_time_min(deliver->deadline_ns,
						    run_target(deliver, i, now_ns, realtime_ns));
}

/* Everyone's marks first: removing an event that all have invalidates it. */
static size_t mark_delivered(struct deliver *deliver, size_t index)
{
	uint64_t bit = UINT64_C(1) << index;
	struct spool_event *next;
	size_t count = 0;

	for (struct spool_event *event = spool_first(deliver->spool); event; event = next) {
		next = event->next;
		if (!(event->sending & bit))
			continue;
		event->sending &= ~bit;
		spool_delivered(deliver->spool, event, index);
		count++;
	}
	return count;
}

static void succeed(struct deliver *deliver, size_t index, int64_t now_ns)
{
	struct target *target = &deliver->targets[index];
	size_t count = mark_delivered(deliver, index);
	char tries[48] = "";

	if (target->failures)
		snprintf(tries, sizeof(tries), " after %u failed tries", target->failures);
	log_line(LOG_INFO, &(struct log_fields){ .message_id = LOG_ID_ALERT_DELIVERED },
		 "alert: %s has got %zu event%s%s", deliver->config.targets[index].key, count,
		 count == 1 ? "" : "s", tries);
	if (target->dropped)
		spool_dropped_told(deliver->spool, index, target->dropped);
	window_add(&target->all, now_ns);
	if (target->critical)
		window_add(&target->critical_ones, now_ns);
	target->held = false;
	target->failures = 0;
	target->next_try_ns = 0;
	target->trouble[0] = '\0';
}

void deliver_done(struct deliver *deliver, size_t target, int result, const char *text,
		  int64_t now_ns)
{
	deliver->targets[target].running = false;
	deliver->running--;
	/* look again: a slot is free, and more may wait */
	deliver->deadline_ns = now_ns;
	if (result == 0) {
		succeed(deliver, target, now_ns);
		return;
	}
	forget_try(deliver, target);
	fail(deliver, target, text, now_ns);
}

int64_t deliver_deadline_ns(const struct deliver *deliver)
{
	return deliver->deadline_ns;
}

void deliver_hurry(struct deliver *deliver)
{
	for (size_t i = 0; i < deliver->config.target_count; i++) {
		struct target *target = &deliver->targets[i];

		target->failures = 0;
		target->next_try_ns = 0;
		target->trouble[0] = '\0';
	}
	deliver->deadline_ns = 0;
}

void deliver_flush(struct deliver *deliver)
{
	deliver->flushing = true;
	deliver->deadline_ns = 0;
}

bool deliver_is_busy(const struct deliver *deliver)
{
	return deliver->running > 0;
}

const char *deliver_trouble(const struct deliver *deliver)
{
	for (size_t i = 0; i < deliver->config.target_count; i++)
		if (deliver->targets[i].trouble[0])
			return deliver->targets[i].trouble;
	return NULL;
}
