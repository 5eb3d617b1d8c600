/*
 * What the engine has to say to guardian and scribe: sent at once if they keep up, else kept in
 * order and sent when they do. Bounded: what no longer fits is reported to the caller or, for
 * alerts, counted and logged loudly.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"

#define OUTBOX_MESSAGES 128 /* a RUN and a CANCEL of every group, and a link's request each */
#define OUTBOX_ALERTS 64

struct outbox {
	int guardian_fd;
	int scribe_fd;
	bool guardian_gone;
	size_t message_first, message_count;
	size_t alert_first, alert_count;
	uint64_t alerts_lost;
	struct message messages[OUTBOX_MESSAGES];
	struct record alerts[OUTBOX_ALERTS];
};

/* The descriptors stay the caller's. */
void outbox_init(struct outbox *outbox, int guardian_fd, int scribe_fd);

/* 0: sent or kept; -ENOBUFS: no room; -EPIPE: the guardian is gone. */
int outbox_tell(struct outbox *outbox, const struct message *message);

/* False if the alert is lost, which was logged. */
bool outbox_alert(struct outbox *outbox, const struct record_alert *alert);

/* Sends what waits, as far as possible. */
void outbox_flush(struct outbox *outbox);

/* True while something waits: then flush again before long. */
bool outbox_waits(const struct outbox *outbox);
