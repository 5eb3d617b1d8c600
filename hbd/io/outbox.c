#include "outbox.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../base/log.h"

void outbox_init(struct outbox *outbox, int guardian_fd, int scribe_fd)
{
	memset(outbox, 0, sizeof(*outbox));
	outbox->guardian_fd = guardian_fd;
	outbox->scribe_fd = scribe_fd;
}

static void flush_messages(struct outbox *outbox)
{
	while (outbox->message_count > 0) {
		int r = message_send(outbox->guardian_fd, &outbox->messages[outbox->message_first],
				     -1);

		if (r == -EAGAIN)
			return;
		if (r == -EPIPE)
			outbox->guardian_gone = true;
		else if (r < 0)
			log_error("engine: cannot send to the guardian: %s; dropping the message",
				  log_strerror(r));
		outbox->message_first = (outbox->message_first + 1) % OUTBOX_MESSAGES;
		outbox->message_count--;
	}
}

static void flush_alerts(struct outbox *outbox)
{
	while (outbox->alert_count > 0) {
		int r = record_send(outbox->scribe_fd, &outbox->alerts[outbox->alert_first]);

		/* a scribe that died is started again and reads from the same socket */
		if (r == -EAGAIN || r == -EPIPE)
			return;
		if (r < 0) {
			outbox->alerts_lost++;
			log_error(
				"engine: cannot send an alert to the scribe: %s; it is lost (%" PRIu64
				" so far)",
				log_strerror(r), outbox->alerts_lost);
		}
		outbox->alert_first = (outbox->alert_first + 1) % OUTBOX_ALERTS;
		outbox->alert_count--;
	}
}

void outbox_flush(struct outbox *outbox)
{
	flush_messages(outbox);
	flush_alerts(outbox);
}

int outbox_tell(struct outbox *outbox, const struct message *message)
{
	size_t place = (outbox->message_first + outbox->message_count) % OUTBOX_MESSAGES;

	if (outbox->guardian_gone)
		return -EPIPE;
	if (outbox->message_count == OUTBOX_MESSAGES)
		return -ENOBUFS;
	outbox->messages[place] = *message;
	outbox->message_count++;
	flush_messages(outbox);
	return outbox->guardian_gone ? -EPIPE : 0;
}

bool outbox_alert(struct outbox *outbox, const struct record_alert *alert)
{
	size_t place = (outbox->alert_first + outbox->alert_count) % OUTBOX_ALERTS;
	struct record *record = &outbox->alerts[place];

	if (outbox->alert_count == OUTBOX_ALERTS) {
		outbox->alerts_lost++;
		log_error(
			"engine: the scribe does not take alerts and %d wait already: this one is "
			"lost: %s%s%s (%" PRIu64 " so far)",
			OUTBOX_ALERTS, hbd_alert_text(alert->kind), alert->group[0] ? " of " : "",
			alert->group, outbox->alerts_lost);
		return false;
	}
	memset(record, 0, sizeof(*record));
	record->type = RECORD_ALERT;
	record->alert = *alert;
	outbox->alert_count++;
	flush_alerts(outbox);
	return true;
}

bool outbox_waits(const struct outbox *outbox)
{
	return outbox->message_count > 0 || outbox->alert_count > 0;
}
