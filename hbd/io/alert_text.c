#include "alert_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../core/time.h"

#define FACTS_IN_FULL 6		/* of a digest; the others are one line each */
#define FACTS_LISTED 100
#define LATE_NS (120 * HBD_S_NS)	/* a message that old says that it is */

const char *alert_text_time(int64_t realtime_ns, char ret_time[ALERT_TIME_BYTES])
{
	time_t seconds = realtime_ns / HBD_S_NS;
	char date[32], zone[24];
	struct tm local;

	if (realtime_ns < 0 || !localtime_r(&seconds, &local))
		return strcpy(ret_time, "at an unknown time");
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &local);
	strftime(zone, sizeof(zone), "%Z (%z)", &local);
	snprintf(ret_time, ALERT_TIME_BYTES, "%s.%03d %s", date,
		 (int)(realtime_ns % HBD_S_NS / HBD_MS_NS), zone);
	return ret_time;
}

const char *alert_text_sentence(const struct record_alert *alert,
				char ret_sentence[ALERT_SENTENCE_BYTES])
{
	const struct record_alert *only[] = { alert };
	struct alert_fact fact;

	alert_facts_merge(only, 1, &fact);
	return alert_expand(&fact, alert_phrase(alert)->happened, ret_sentence,
			    ALERT_SENTENCE_BYTES);
}

static const char *label(const struct record_alert *alert)
{
	if (alert->test)
		return "TEST";
	if (alert_is_recovery(alert))
		return "OK";
	switch (alert->severity) {
	case HBD_SEVERITY_CRITICAL:
		return "CRITICAL";
	case HBD_SEVERITY_WARNING:
		return "WARNING";
	case HBD_SEVERITY_INFO:
	case HBD_SEVERITY_UNSET:
		break;
	}
	return "INFO";
}

static void write_indented(FILE *out, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		fprintf(out, "  %.*s\n", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

static void write_part(FILE *out, const char *title, const struct alert_fact *fact,
		       const char *template)
{
	char text[2048];

	fprintf(out, "\n%s\n", title);
	write_indented(out, alert_expand(fact, template, text, sizeof(text)));
}

/* "2026-11-23 ... (CRITICAL takeover, peer-silent, epoch 7)" */
static void write_when(FILE *out, const struct alert_fact *fact)
{
	const struct record_alert *alert = fact->last;
	char first[ALERT_TIME_BYTES], last[ALERT_TIME_BYTES];

	fprintf(out, "  %s", alert_text_time(fact->first->realtime_ns, first));
	/* several groups in one move are no repetition */
	if (fact->count > 1 && fact->count > fact->group_count)
		fprintf(out, ",\n  and again until %s, %zu times",
			alert_text_time(alert->realtime_ns, last), fact->count);
	fprintf(out, "\n  (%s: %s", label(alert), alert->test ? "test" : hbd_alert_text(alert->kind));
	if (alert->reason != HBD_REASON_UNSET)
		fprintf(out, ", %s", hbd_reason_text(alert->reason));
	if (alert->epoch)
		fprintf(out, ", epoch %llu", (unsigned long long)alert->epoch);
	fprintf(out, ")\n");
}

static void write_fact(FILE *out, const struct alert_fact *fact)
{
	const struct alert_phrase *phrase = alert_phrase(fact->first);

	write_part(out, "What happened", fact, phrase->happened);
	write_when(out, fact);
	write_part(out, "Who is primary now", fact, phrase->primary);
	write_part(out, "Redundancy", fact, phrase->redundancy);
	write_part(out, "What to do", fact, phrase->todo);
}

static void write_list(FILE *out, const struct alert_fact *facts, size_t count)
{
	size_t listed = count < FACTS_LISTED ? count : FACTS_LISTED;
	char time[ALERT_TIME_BYTES], text[ALERT_SENTENCE_BYTES];

	if (count < 2)
		return;
	fprintf(out, "\nIn the order of time\n");
	for (size_t i = 0; i < listed; i++) {
		alert_expand(&facts[i], alert_phrase(facts[i].first)->happened, text, sizeof(text));
		fprintf(out, "  %s  %s\n    %s", alert_text_time(facts[i].first->realtime_ns, time),
			label(facts[i].first), text);
		if (facts[i].count > 1 && facts[i].count > facts[i].group_count)
			fprintf(out, " (%zu times)", facts[i].count);
		fputc('\n', out);
	}
	if (listed < count)
		fprintf(out, "  and %zu more: journalctl -u hbd\n", count - listed);
}

static void write_remarks(FILE *out, const struct alert_frame *frame, int64_t oldest_ns)
{
	int64_t age_ns = frame->realtime_ns - oldest_ns;	/* neither is negative */

	if (frame->held)
		fprintf(out, "\nSo many messages went out in a short time that %u events were "
			"held back; this message sums them up.\n", frame->held);
	else if (age_ns > LATE_NS)
		fprintf(out, "\nThis message is late: it could not be delivered for %lld minutes. "
			"hbctl status shows the present state.\n",
			(long long)(age_ns / (60 * HBD_S_NS)));
	if (frame->dropped)
		fprintf(out, "\n%llu older alerts were dropped, because too many could not be "
			"delivered. They are in the journal: journalctl -u hbd\n",
			(unsigned long long)frame->dropped);
}

/* The headline's brief, and what came last if that is something else. */
static void write_lead(FILE *out, const struct alert_fact *facts, size_t count, size_t headline)
{
	const struct alert_fact *fact = &facts[headline], *last = &facts[count - 1];
	char text[ALERT_SENTENCE_BYTES];

	fprintf(out, "%s\n", alert_expand(fact, alert_phrase(fact->first)->brief, text,
					  sizeof(text)));
	if (fact != last)
		fprintf(out, "Since then: %s\n", alert_expand(last, alert_phrase(last->first)->brief,
							      text, sizeof(text)));
}

static int write_body(const struct alert_fact *facts, size_t count, size_t headline,
		      const struct alert_frame *frame, char **ret_body)
{
	size_t length, told = 1;
	char *body = NULL, *wrapped;
	FILE *out = open_memstream(&body, &length);

	if (!out)
		return -ENOMEM;
	write_lead(out, facts, count, headline);
	write_remarks(out, frame, facts[0].first->realtime_ns);
	write_list(out, facts, count);
	write_fact(out, &facts[headline]);
	for (size_t i = count; i-- > 0 && told < FACTS_IN_FULL;) {
		if (i == headline)
			continue;
		fprintf(out, "\n----\n");
		write_fact(out, &facts[i]);
		told++;
	}
	fprintf(out, "\n-- \nhbd " HBD_VERSION " on %s, cluster %s\n", frame->node, frame->cluster);
	if (fclose(out) != 0) {
		free(body);
		return -ENOMEM;
	}
	wrapped = alert_wrap(body);
	free(body);
	if (!wrapped)
		return -ENOMEM;
	*ret_body = wrapped;
	return 0;
}

/* "... (+2 more)": others are in the body. Short texts end with it too, if it fits. */
static void add_more(char *text, size_t bytes, size_t more)
{
	size_t length = strlen(text);
	char suffix[24];
	int needed;

	if (more == 0)
		return;
	needed = snprintf(suffix, sizeof(suffix), " (+%zu more)", more);
	if (length + (size_t)needed < bytes)
		memcpy(text + length, suffix, (size_t)needed + 1);
}

/* A text message that is read late must not say only what is over. False if it does not fit. */
static bool add_last(char *text, size_t bytes, const struct alert_fact *last)
{
	char subject[ALERT_SUBJECT_BYTES], news[ALERT_SUBJECT_BYTES + 16];
	size_t length = strlen(text);
	int needed;

	alert_expand(last, alert_phrase(last->first)->subject, subject, sizeof(subject));
	needed = snprintf(news, sizeof(news), " Since then: %s.", subject);
	if (length + (size_t)needed >= bytes)
		return false;
	memcpy(text + length, news, (size_t)needed + 1);
	return true;
}

static void write_short(const struct alert_fact *facts, size_t count, size_t headline,
			const struct alert_frame *frame, struct alert_text *text)
{
	const struct alert_fact *fact = &facts[headline], *last = &facts[count - 1];
	int used = snprintf(text->subject, sizeof(text->subject), "[hbd %s] %s: ", frame->cluster,
			    label(fact->first));

	alert_expand(fact, alert_phrase(fact->first)->subject, text->subject + used,
		     sizeof(text->subject) - (size_t)used);
	alert_expand(fact, alert_phrase(fact->first)->brief, text->brief, sizeof(text->brief));
	add_more(text->subject, sizeof(text->subject), count - 1);
	if (fact == last || !add_last(text->brief, sizeof(text->brief), last))
		add_more(text->brief, sizeof(text->brief), count - 1);
}

int alert_text_compose(const struct record_alert *const *alerts, size_t count,
		       const struct alert_frame *frame, struct alert_text *ret_text)
{
	struct alert_fact *facts = calloc(count, sizeof(*facts));
	struct alert_text text;
	size_t fact_count, headline;
	int result = -ENOMEM;

	if (!facts)
		return -ENOMEM;
	fact_count = alert_facts_merge(alerts, count, facts);
	headline = alert_facts_headline(facts, fact_count);
	text.headline = facts[headline].first;
	text.severity = text.headline->severity;
	write_short(facts, fact_count, headline, frame, &text);
	result = write_body(facts, fact_count, headline, frame, &text.body);
	if (result == 0)
		*ret_text = text;
	free(facts);
	return result;
}
