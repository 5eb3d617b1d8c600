#include "alert_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../core/time.h"

const char *alert_json_time(int64_t realtime_ns, char ret_time[ALERT_JSON_TIME_BYTES])
{
	time_t seconds = realtime_ns / HBD_S_NS;
	char date[32], zone[8];
	struct tm local;

	if (!localtime_r(&seconds, &local))
		return strcpy(ret_time, "");
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &local);
	strftime(zone, sizeof(zone), "%z", &local);
	snprintf(ret_time, ALERT_JSON_TIME_BYTES, "%s.%03d%.3s:%.2s", date,
		 (int)(realtime_ns % HBD_S_NS / HBD_MS_NS), zone, zone + 3);
	return ret_time;
}

json_t *alert_json_make(const struct record_alert *alert)
{
	char time[ALERT_JSON_TIME_BYTES];

	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b,"
			 " s:b, s:s}",
			 "kind", hbd_alert_text(alert->kind),
			 "severity", hbd_severity_text(alert->severity),
			 "reason", hbd_reason_text(alert->reason),
			 "epoch", (json_int_t)alert->epoch,
			 "realtime_ns", (json_int_t)alert->realtime_ns,
			 "time", alert_json_time(alert->realtime_ns, time),
			 "group", alert->group, "node", alert->node, "peer", alert->peer,
			 "role", hbd_role_text(alert->role),
			 "peer_role", hbd_role_text(alert->peer_role),
			 "peer_alive", alert->peer_alive, "peer_faulty",
			 alert->peer_faulty, "peer_maintained", alert->peer_maintained,
			 "test", alert->test,
			 "detail", alert->detail);
}

static int find_kind(const char *word, enum hbd_alert *ret_kind)
{
	for (enum hbd_alert kind = 0; kind < HBD_ALERT_COUNT; kind++) {
		if (!strcmp(word, hbd_alert_text(kind))) {
			*ret_kind = kind;
			return 0;
		}
	}
	return -EBADMSG;
}

static int find_severity(const char *word, enum hbd_severity *ret_severity)
{
	for (enum hbd_severity severity = 0; severity <= HBD_SEVERITY_CRITICAL; severity++) {
		if (!strcmp(word, hbd_severity_text(severity))) {
			*ret_severity = severity;
			return 0;
		}
	}
	return -EBADMSG;
}

static int find_reason(const char *word, enum hbd_reason *ret_reason)
{
	for (enum hbd_reason reason = 0; reason < HBD_REASON_COUNT; reason++) {
		if (!strcmp(word, hbd_reason_text(reason))) {
			*ret_reason = reason;
			return 0;
		}
	}
	return -EBADMSG;
}

static int find_role(const char *word, enum hbd_role *ret_role)
{
	for (enum hbd_role role = 0; role < HBD_ROLE_COUNT; role++) {
		if (!strcmp(word, hbd_role_text(role))) {
			*ret_role = role;
			return 0;
		}
	}
	return -EBADMSG;
}

static int copy_text(const char *from, char *to, size_t bytes)
{
	size_t length = strlen(from);

	if (length >= bytes)
		return -EBADMSG;
	memcpy(to, from, length + 1);
	return 0;
}

struct words {
	const char *kind, *severity, *reason, *role, *peer_role;
	const char *group, *node, *peer, *detail;
};

static int read_words(const struct words *words, struct record_alert *alert)
{
	if (find_kind(words->kind, &alert->kind) < 0 ||
	    find_severity(words->severity, &alert->severity) < 0 ||
	    find_reason(words->reason, &alert->reason) < 0 ||
	    find_role(words->role, &alert->role) < 0 ||
	    find_role(words->peer_role, &alert->peer_role) < 0)
		return -EBADMSG;
	if (copy_text(words->group, alert->group, sizeof(alert->group)) < 0 ||
	    copy_text(words->node, alert->node, sizeof(alert->node)) < 0 ||
	    copy_text(words->peer, alert->peer, sizeof(alert->peer)) < 0 ||
	    copy_text(words->detail, alert->detail, sizeof(alert->detail)) < 0)
		return -EBADMSG;
	return 0;
}

int alert_json_read(const json_t *json, struct record_alert *ret_alert)
{
	struct record_alert alert = { .kind = HBD_ALERT_UNSET };
	json_int_t epoch, realtime_ns;
	int peer_alive, test, peer_faulty = false, peer_maintained = false;
	struct words words;
	json_t *object = (json_t *)(uintptr_t)json;	/* only read */

	if (json_unpack(object, "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:b,"
				 " s?b, s?b}",
			"kind", &words.kind, "severity", &words.severity, "reason", &words.reason,
			"role", &words.role, "peer_role", &words.peer_role, "group", &words.group,
			"node", &words.node, "peer", &words.peer, "detail", &words.detail,
			"epoch", &epoch, "realtime_ns", &realtime_ns, "peer_alive", &peer_alive,
			"test", &test, "peer_faulty", &peer_faulty,
			"peer_maintained", &peer_maintained) < 0)
		return -EBADMSG;
	if (read_words(&words, &alert) < 0 || realtime_ns < 0)
		return -EBADMSG;
	alert.epoch = (uint64_t)epoch;
	alert.realtime_ns = realtime_ns;
	alert.peer_alive = peer_alive;
	alert.peer_faulty = peer_faulty;
	alert.peer_maintained = peer_maintained;
	alert.test = test;
	*ret_alert = alert;
	return 0;
}
