#include "scribe_internal.h"

#include <errno.h>

#include "../base/log.h"
#include "../base/log_ids.h"
#include "alert_text.h"
#include "clock.h"
#include "epoch.h"
#include "maintenance.h"

static const char *or_null(const char *text)
{
	return text[0] ? text : NULL;
}

static void write_line(const struct record *record)
{
	const struct log_fields fields = {
		.message_id = or_null(record->message_id),
		.group = or_null(record->group),
		.reason = or_null(record->reason),
		.plugin = or_null(record->plugin),
		.epoch = record->epoch,
	};

	log_direct(NULL, record->priority, &fields, record->text);
}

static int priority_of(enum hbd_severity severity)
{
	switch (severity) {
	case HBD_SEVERITY_CRITICAL:
		return LOG_CRIT;
	case HBD_SEVERITY_WARNING:
		return LOG_WARNING;
	case HBD_SEVERITY_INFO:
	case HBD_SEVERITY_UNSET:
		break;
	}
	return LOG_NOTICE;
}

/* Into the log before the spool: that works when nothing else does. */
static void write_alert(const struct record_alert *alert)
{
	const struct log_fields fields = {
		.message_id = LOG_ID_ALERT_RAISED,
		.group = or_null(alert->group),
		.reason = hbd_reason_text(alert->reason),
		.epoch = alert->epoch,
	};
	char sentence[ALERT_SENTENCE_BYTES];

	log_line(priority_of(alert->severity), &fields, "alert: %s",
		 alert_text_sentence(alert, sentence));
}

static void take_alert(struct scribe *scribe, const struct record_alert *alert)
{
	int result;

	write_alert(alert);
	result = spool_add(scribe->spool, alert, clock_now_ns());
	if (result < 0)
		log_line(LOG_ALERT, &(struct log_fields){ .message_id = LOG_ID_SPOOL_FAILED },
			 "spool: %s; the alert above is sent to nobody", log_strerror(result));
	if (alert->test)
		deliver_hurry(scribe->deliver);
	scribe->taken++;
}

static void take_maintenance(struct scribe *scribe, bool on)
{
	int result = maintenance_note(scribe->setup->state_dir, on);

	scribe->maintenance = (struct message){
		.type = MESSAGE_MAINTENANCE,
		.maintenance = { .on = on, .error = result },
	};
	if (result < 0)
		log_error("that maintenance %s cannot be noted in %s: %s; nothing changes",
			  on ? "begins" : "ends", scribe->setup->state_dir, log_strerror(result));
}

static void handle(struct scribe_inbox *inbox, const struct record *record)
{
	switch (record->type) {
	case RECORD_LOG:
		write_line(record);
		break;
	case RECORD_ALERT:
		take_alert(inbox->scribe, &record->alert);
		break;
	case RECORD_LOST:
		log_line(LOG_WARNING, &(struct log_fields){ .message_id = LOG_ID_LINES_LOST },
			 "log: %u lines of the %s did not fit and are lost", record->lost,
			 inbox->name);
		break;
	case RECORD_EPOCH:
		epoch_raise(inbox->scribe->setup->state_dir, record->epoch);
		break;
	case RECORD_MAINTENANCE:
		take_maintenance(inbox->scribe, record->maintenance);
		break;
	case RECORD_FLIGHT:
		flight_keep_want(&inbox->scribe->flight, &record->flight, clock_now_ns());
		break;
	case RECORD_UNSET:
		break;
	}
}

bool scribe_inbox_read(struct scribe_inbox *inbox, unsigned limit)
{
	struct record record;
	int result = 1;

	for (unsigned i = 0; i < limit && (result == 1 || result == -EBADMSG); i++) {
		result = record_peek(inbox->fd, &record);
		if (result == 1)
			handle(inbox, &record);
		else if (result == -EBADMSG)
			inbox->unsound++;
		if (result == 1 || result == -EBADMSG)
			record_take(inbox->fd);
	}
	if (inbox->unsound) {
		log_error("scribe: %u records of the %s make no sense, dropped", inbox->unsound,
			  inbox->name);
		inbox->unsound = 0;
	}
	if (result < 0 && result != -EAGAIN && result != -EBADMSG)
		log_error("scribe: receive from the %s: %s; it is no longer listened to",
			  inbox->name, log_strerror(result));
	return result == 1 || result == -EAGAIN || result == -EBADMSG;
}
