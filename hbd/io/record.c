#include "record.h"
#include "epoch.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <jansson.h>

#define HAS_END(text) (memchr(text, '\0', sizeof(text)) != NULL)

/* A byte that is neither 0 nor 1 must not be read as a bool. */
static bool bool_is_sound(const bool *value)
{
	unsigned char byte;

	memcpy(&byte, value, sizeof(byte));
	return byte <= 1;
}

bool record_alert_is_sound(const struct record_alert *alert)
{
	if (!bool_is_sound(&alert->peer_alive) || !bool_is_sound(&alert->peer_faulty) ||
	    !bool_is_sound(&alert->peer_maintained) || !bool_is_sound(&alert->test))
		return false;
	if ((unsigned)alert->kind >= HBD_ALERT_COUNT ||
	    (alert->kind == HBD_ALERT_UNSET && !alert->test))
		return false;
	if ((unsigned)alert->severity > HBD_SEVERITY_CRITICAL ||
	    alert->severity == HBD_SEVERITY_UNSET)
		return false;
	if ((unsigned)alert->reason >= HBD_REASON_COUNT ||
	    (unsigned)alert->role >= HBD_ROLE_COUNT ||
	    (unsigned)alert->peer_role >= HBD_ROLE_COUNT || alert->realtime_ns < 0)
		return false;
	return HAS_END(alert->group) && HAS_END(alert->node) &&
	       HAS_END(alert->peer) && HAS_END(alert->detail);
}

/* A date with four digits for the year goes into a file's name. */
static bool flight_is_sound(const struct record_flight *flight)
{
	return flight->group <= HBD_GROUPS_MAX && (unsigned)flight->role < HBD_ROLE_COUNT &&
	       (unsigned)flight->reason < HBD_REASON_COUNT && flight->realtime_ns >= 0;
}

static bool record_is_sound(const struct record *record)
{
	switch (record->type) {
	case RECORD_LOG:
		return record->priority >= LOG_EMERG && record->priority <= LOG_DEBUG &&
		       HAS_END(record->message_id) && HAS_END(record->group) &&
		       HAS_END(record->reason) && HAS_END(record->plugin) &&
		       HAS_END(record->text);
	case RECORD_ALERT:
		return record_alert_is_sound(&record->alert);
	case RECORD_LOST:
		return true;
	case RECORD_EPOCH:
		return record->epoch <= EPOCH_MAX;
	case RECORD_FLIGHT:
		return flight_is_sound(&record->flight);
	case RECORD_MAINTENANCE:
		return bool_is_sound(&record->maintenance);
	case RECORD_UNSET:
		break;
	}
	return false;
}

/* A detail may have been cut inside of a character, and a plugin may have written anything. */
static void clean(char *text)
{
	json_t *string = json_string(text);

	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte < ' ' || byte == 0x7f || (byte >= 0x80 && !string))
			*text = '?';
	}
	json_decref(string);
}

static void clean_record(struct record *record)
{
	switch (record->type) {
	case RECORD_LOG:
		clean(record->message_id);
		clean(record->group);
		clean(record->reason);
		clean(record->plugin);
		clean(record->text);
		break;
	case RECORD_ALERT:
		clean(record->alert.group);
		clean(record->alert.node);
		clean(record->alert.peer);
		clean(record->alert.detail);
		break;
	case RECORD_LOST:
	case RECORD_EPOCH:
	case RECORD_FLIGHT:
	case RECORD_MAINTENANCE:
	case RECORD_UNSET:
		break;
	}
}

int record_peek(int socket, struct record *ret_record)
{
	struct record record;
	ssize_t length = recv(socket, &record, sizeof(record),
			      MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC);

	if (length < 0)
		return -errno;
	if (length == 0)
		return 0;
	if (length != sizeof(record) || !record_is_sound(&record))
		return -EBADMSG;
	clean_record(&record);
	*ret_record = record;
	return 1;
}

void record_take(int socket)
{
	char byte;

	/* nothing waits: then nothing is to be taken */
	if (recv(socket, &byte, sizeof(byte), MSG_DONTWAIT) < 0)
		return;
}
