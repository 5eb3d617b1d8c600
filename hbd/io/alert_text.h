/*
 * Alerts in words: what happened, who is primary now, whether redundancy is lost, what to do.
 *
 * Pure: records in, text out; only the time zone comes from outside. One message may tell several
 * events, because a failure seldom comes alone: records of the same kind and cause become one fact
 * ("primary for web, db and mail"), the worst fact is the headline, and what came after it is told
 * with it, so that nobody acts on old news. Texts are tables in alert_phrases.c.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "message.h"

#define ALERT_SUBJECT_BYTES 160
#define ALERT_BRIEF_BYTES 161		/* one text message: 160 characters */
#define ALERT_SENTENCE_BYTES 512

struct alert_text {
	enum hbd_severity severity;	/* the worst of the events */
	const struct record_alert *headline;	/* one of the events: told first */
	char subject[ALERT_SUBJECT_BYTES];
	char brief[ALERT_BRIEF_BYTES];
	char *body;			/* ends with a newline; free it */
};

/* What the message has to say besides its events. */
struct alert_frame {
	const char *cluster;
	const char *node;		/* who sends */
	int64_t realtime_ns;		/* now, to say that a message is late */
	unsigned held;			/* > 0: that many events were held back, this is their digest */
	uint64_t dropped;		/* > 0: that many older alerts could not be kept */
};

/* 0 or -ENOMEM. count > 0; the alerts are in the order in which they happened, each sound. */
int alert_text_compose(const struct record_alert *const *alerts, size_t count,
		       const struct alert_frame *frame, struct alert_text *ret_text);

/* One sentence, "lb2 took over web because lb1 fell silent on every link."; returns ret_sentence. */
const char *alert_text_sentence(const struct record_alert *alert,
				char ret_sentence[ALERT_SENTENCE_BYTES]);

/*
 * The severity by which recipients are chosen. Good news has that of the trouble it ends: whoever
 * was told "lb1 is offline" is told that it is back.
 */
enum hbd_severity alert_text_reach(const struct record_alert *alert);

#define ALERT_TIME_BYTES 64

/* "2026-11-23 06:50:00.123 CET (+0100)", in local time; returns ret_time. */
const char *alert_text_time(int64_t realtime_ns, char ret_time[ALERT_TIME_BYTES]);
