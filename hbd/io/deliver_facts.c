#include "deliver_facts.h"

#include <stdlib.h>
#include <string.h>

#include "alert_json.h"

/* The event as the spool has it, and as a sentence. */
static json_t *make_event(const struct record_alert *alert)
{
	char sentence[ALERT_SENTENCE_BYTES];
	json_t *event = alert_json_make(alert);

	if (json_object_set_new(event, "sentence",
				json_string(alert_text_sentence(alert, sentence))) < 0) {
		json_decref(event);
		return NULL;
	}
	return event;
}

static json_t *make_events(const struct record_alert *const *alerts, size_t count)
{
	json_t *events = json_array();

	for (size_t i = 0; i < count; i++) {
		if (json_array_append_new(events, make_event(alerts[i])) < 0) {
			json_decref(events);
			return NULL;
		}
	}
	return events;
}

static json_t *make_groups(const struct record_alert *const *alerts, size_t count)
{
	json_t *seen = json_object(), *groups = json_array();

	for (size_t i = 0; i < count; i++) {
		const char *group = alerts[i]->group;

		if (!group[0] || json_object_get(seen, group))
			continue;
		if (json_object_set_new(seen, group, json_true()) < 0 ||
		    json_array_append_new(groups, json_string(group)) < 0) {
			json_decref(groups);
			groups = NULL;
			break;
		}
	}
	json_decref(seen);
	return groups;
}

static json_t *make_message(const struct alert_text *text, json_t *events, json_t *groups,
			    const struct alert_frame *frame, const char *id)
{
	const struct record_alert *headline = text->headline;
	size_t group_count = json_array_size(groups);
	char time[ALERT_JSON_TIME_BYTES];

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s*, s:s, s:s, s:s*, s:o*, s:I,"
			 " s:I, s:I, s:b, s:O, s:O}",
			 "id", id, "subject", text->subject, "short", text->brief,
			 "text", text->body, "severity", hbd_severity_text(text->severity),
			 "time", alert_json_time(headline->realtime_ns, time),
			 "cluster", frame->cluster, "node", frame->node,
			 "peer", headline->peer[0] ? headline->peer : NULL,
			 "kind", headline->test ? "test" : hbd_alert_text(headline->kind),
			 "reason", hbd_reason_text(headline->reason),
			 "group", group_count == 1 ?
				  json_string_value(json_array_get(groups, 0)) : NULL,
			 "epoch", headline->epoch ? json_integer((json_int_t)headline->epoch) : NULL,
			 "count", (json_int_t)json_array_size(events),
			 "held", (json_int_t)frame->held, "dropped", (json_int_t)frame->dropped,
			 "test", headline->test, "groups", groups, "events", events);
}

json_t *deliver_facts(const struct record_alert *const *alerts, size_t count,
		      const struct alert_frame *frame, const char *id)
{
	json_t *events = make_events(alerts, count);
	json_t *groups = make_groups(alerts, count);
	json_t *message = NULL;
	struct alert_text text = { .body = NULL };

	if (events && groups && alert_text_compose(alerts, count, frame, &text) == 0)
		message = make_message(&text, events, groups, frame, id);
	free(text.body);
	json_decref(events);
	json_decref(groups);
	return message;
}
