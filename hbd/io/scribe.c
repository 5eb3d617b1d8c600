#include "scribe_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/log.h"
#include "../core/time.h"
#include "clock.h"

#define RECORDS_PER_TURN 64
#define RECORDS_LAST 10000		/* more than fits a socket */
#define TELL_AGAIN_NS (10 * HBD_S_NS)	/* the age of what is pending grows */
#define TELL_RETRY_NS (1 * HBD_S_NS)	/* the guardian did not keep up */
#define TIMER_ACCURACY_US 10000

static void on_end_of_try(void *context, const struct process_result *result)
{
	struct scribe_run *run = context;
	char text[PROCESS_TEXT_BYTES + PROCESS_LAST_LINE_BYTES + 4];

	snprintf(text, sizeof(text), "%s%s%s", result->text, result->last_line[0] ? ": " : "",
		 result->last_line);
	deliver_done(run->scribe->deliver, run->target, result->result, text, clock_now_ns());
}

static int start_try(void *context, size_t target, json_t *facts)
{
	struct scribe *scribe = context;

	return plugin_start(scribe->runner, scribe->targets.plugins[target], &(struct plugin_call){
		.action = "send",
		.facts = facts,
		.timeout_ns = scribe->targets.timeouts_ns[target],
		.output_priority = LOG_NOTICE,
		.handler = on_end_of_try,
		.context = &scribe->runs[target],
	}, NULL);
}

static uint64_t wanted(const void *context, const struct record_alert *alert)
{
	return deliver_wanted(context, alert);
}

static struct message make_state(const struct scribe *scribe, int64_t realtime_ns)
{
	const struct spool_event *oldest = spool_first(scribe->spool);
	const char *trouble = deliver_trouble(scribe->deliver);
	struct message message;

	memset(&message, 0, sizeof(message));
	message.type = MESSAGE_SPOOL;
	message.spool.taken = scribe->taken;
	message.spool.configured = scribe->setup->conf->alert_count;
	message.spool.pending = (uint32_t)spool_count(scribe->spool);
	if (oldest)
		message.spool.oldest_age_ns = hbd_time_max(1, realtime_ns -
							      oldest->alert.realtime_ns);
	snprintf(message.spool.detail, sizeof(message.spool.detail), "%s", trouble ? trouble : "");
	return message;
}

static bool same_state(const struct message *a, const struct message *b)
{
	return a->spool.taken == b->spool.taken && a->spool.pending == b->spool.pending &&
	       !strcmp(a->spool.detail, b->spool.detail);
}

/* Returns when it is to be called again at the latest. */
static int64_t tell_state(struct scribe *scribe, const struct clock_pair *now)
{
	struct message state = make_state(scribe, now->real_ns);
	int64_t again_ns = state.spool.pending ? hbd_time_add(scribe->told_ns, TELL_AGAIN_NS)
					       : HBD_NEVER_NS;

	if (!scribe->guardian.source)
		return HBD_NEVER_NS;
	if (scribe->told_ns && same_state(&state, &scribe->told) && now->boot_ns < again_ns)
		return again_ns;
	if (message_send(scribe->guardian.fd, &state, -1) < 0)
		return hbd_time_add(now->boot_ns, TELL_RETRY_NS);
	scribe->told = state;
	scribe->told_ns = now->boot_ns;
	return state.spool.pending ? hbd_time_add(now->boot_ns, TELL_AGAIN_NS) : HBD_NEVER_NS;
}

/* Likewise. */
static int64_t tell_maintenance(struct scribe *scribe, int64_t now_ns)
{
	if (scribe->maintenance.type == MESSAGE_UNSET || !scribe->guardian.source)
		return HBD_NEVER_NS;
	if (message_send(scribe->guardian.fd, &scribe->maintenance, -1) < 0)
		return hbd_time_add(now_ns, TELL_RETRY_NS);
	scribe->maintenance.type = MESSAGE_UNSET;
	return HBD_NEVER_NS;
}

/* All that depends on what changed or on time; sets the timer for the next time. */
static int turn(struct scribe *scribe)
{
	struct clock_pair now = clock_read_pair();
	int64_t next_ns;

	deliver_run(scribe->deliver, now.boot_ns, now.real_ns);
	next_ns = hbd_time_min(deliver_deadline_ns(scribe->deliver),
			       spool_retry(scribe->spool, now.boot_ns));
	next_ns = hbd_time_min(next_ns, tell_state(scribe, &now));
	next_ns = hbd_time_min(next_ns, tell_maintenance(scribe, now.boot_ns));
	next_ns = hbd_time_min(next_ns, flight_keep_run(&scribe->flight, now.boot_ns));
	if (next_ns == HBD_NEVER_NS)
		return sd_event_source_set_enabled(scribe->timer, SD_EVENT_OFF);
	sd_event_source_set_time(scribe->timer, (uint64_t)next_ns / (uint64_t)HBD_US_NS + 1);
	return sd_event_source_set_enabled(scribe->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *context)
{
	(void)source;
	(void)usec;
	(void)context;
	return 0;
}

static int on_records(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct scribe_inbox *inbox = context;
	struct scribe *scribe = inbox->scribe;

	(void)source;
	(void)fd;
	(void)events;
	if (scribe_inbox_read(inbox, RECORDS_PER_TURN))
		return 0;
	inbox->source = sd_event_source_disable_unref(inbox->source);
	if (!scribe->guardian.source && !scribe->engine.source)
		scribe->stopping = true;
	return 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	struct scribe *scribe = context;

	(void)source;
	(void)info;
	scribe->stopping = true;
	return 0;
}

static int open_inbox(struct scribe *scribe, struct scribe_inbox *inbox, int fd, const char *name)
{
	*inbox = (struct scribe_inbox){ .scribe = scribe, .fd = fd, .name = name };
	return sd_event_add_io(scribe->loop, &inbox->source, fd, EPOLLIN, on_records, inbox);
}

static int open_loop(struct scribe *scribe)
{
	sigset_t mask;
	int result = sd_event_new(&scribe->loop);

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	if (result >= 0)
		result = sd_event_add_signal(scribe->loop, NULL, SIGTERM, on_stop, scribe);
	if (result >= 0)
		result = sd_event_add_time(scribe->loop, &scribe->timer, CLOCK_BOOTTIME, 0,
					   TIMER_ACCURACY_US, on_timer, NULL);
	if (result >= 0)
		result = process_runner_new(scribe->loop, SD_EVENT_PRIORITY_NORMAL,
					    &scribe->runner);
	if (result >= 0)
		result = open_inbox(scribe, &scribe->guardian, scribe->setup->guardian_fd,
				    "guardian");
	if (result >= 0)
		result = open_inbox(scribe, &scribe->engine, scribe->setup->engine_fd, "engine");
	return result;
}

static int open_spool(struct scribe *scribe, const char *directory)
{
	const struct hbd_conf *conf = scribe->setup->conf;
	int result = scribe_targets_init(&scribe->targets, conf, scribe->setup->plugin_dir);

	if (result < 0)
		return result;
	for (size_t i = 0; i < scribe->targets.count; i++)
		scribe->runs[i] = (struct scribe_run){ scribe, i };
	scribe->deliver_config = (struct deliver_config){
		.cluster = conf->cluster,
		.node = scribe->node,
		.targets = scribe->targets.items,
		.target_count = scribe->targets.count,
		.start = start_try,
		.context = scribe,
	};
	result = spool_open(&(struct spool_config){
		.directory = directory,
		.keys = scribe->targets.keys,
		.key_count = scribe->targets.count,
		.wanted = wanted,
		.context = &scribe->deliver_config,
	}, &scribe->spool);
	if (result < 0)
		return result;
	return deliver_new(&scribe->deliver_config, scribe->spool, &scribe->deliver);
}

static void close_all(struct scribe *scribe)
{
	process_runner_free(scribe->runner);
	deliver_free(scribe->deliver);
	spool_close(scribe->spool);
	scribe_targets_free(&scribe->targets);
	sd_event_source_disable_unref(scribe->guardian.source);
	sd_event_source_disable_unref(scribe->engine.source);
	sd_event_source_disable_unref(scribe->timer);
	sd_event_unref(scribe->loop);
}

static int serve(struct scribe *scribe)
{
	int result = 0;

	/* what a predecessor left in the sockets goes out with what it left in the spool */
	scribe_inbox_read(&scribe->guardian, RECORDS_LAST);
	scribe_inbox_read(&scribe->engine, RECORDS_LAST);
	while (result >= 0 && !scribe->stopping) {
		result = turn(scribe);
		if (result >= 0)
			result = sd_event_run(scribe->loop, UINT64_MAX);
	}
	return result;
}

/* Everything that was said is written; then each target gets one more chance. */
static int finish(struct scribe *scribe)
{
	int64_t end_ns = hbd_time_add(clock_now_ns(), SCRIBE_STOP_S * HBD_S_NS);
	int result = 0;

	scribe_inbox_read(&scribe->guardian, RECORDS_LAST);
	scribe_inbox_read(&scribe->engine, RECORDS_LAST);
	deliver_flush(scribe->deliver);
	while (result >= 0) {
		int64_t now_ns = clock_now_ns();

		result = turn(scribe);
		if (result < 0 || now_ns >= end_ns || !deliver_is_busy(scribe->deliver))
			break;
		result = sd_event_run(scribe->loop, (uint64_t)((end_ns - now_ns) / HBD_US_NS) + 1);
	}
	spool_retry(scribe->spool, HBD_NEVER_NS);
	flight_keep_finish(&scribe->flight);
	return result;
}

int scribe_run(const struct scribe_setup *setup)
{
	struct scribe scribe = { .setup = setup, .node = setup->conf->nodes[setup->self].name };
	char *directory = NULL;
	int result = scribe_settle(setup);

	if (result < 0)
		return EXIT_FAILURE;
	flight_keep_init(&scribe.flight, &(struct flight_keep_config){
		.state_dir = setup->state_dir,
		.conf = setup->conf,
		.self = setup->self,
		.ring = setup->flight,
	});
	if (asprintf(&directory, "%s/spool", setup->state_dir) < 0) {
		directory = NULL;
		result = -ENOMEM;
	}
	if (result >= 0)
		result = open_loop(&scribe);
	if (result >= 0)
		result = open_spool(&scribe, directory);
	if (result >= 0)
		result = serve(&scribe);
	if (result >= 0)
		result = finish(&scribe);
	if (result < 0)
		log_error("scribe: %s; it ends", log_strerror(result));
	close_all(&scribe);
	free(directory);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
