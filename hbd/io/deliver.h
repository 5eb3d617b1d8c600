/*
 * Delivers what is in the spool: which target gets what, when, and in which message.
 *
 * A target is one recipient of one configured alert. Each makes its own progress: a dead mail
 * server does not hold back text messages, and who has a message does not get it again because
 * another has not. What happens together (DELIVER_TOGETHER_NS) is one message. A try that failed is
 * repeated after 5 s, 10 s, 20 s .. 5 min, for ever; what happened meanwhile goes with it. A target
 * gets at most DELIVER_STORM_MESSAGES messages in DELIVER_STORM_NS: what comes then is held and
 * sent as one digest. Critical alerts are not held because of others, only because of too many
 * critical ones.
 *
 * It starts no program itself (a function of the caller does) and reads no clock, so that its hours
 * pass in a test's milliseconds.
 */
#pragma once

#include <jansson.h>

#include "spool.h"

#define DELIVER_TOGETHER_NS (1 * HBD_S_NS)
#define DELIVER_RETRY_FIRST_NS (5 * HBD_S_NS)
#define DELIVER_RETRY_LAST_NS (300 * HBD_S_NS)
#define DELIVER_STORM_MESSAGES 10
#define DELIVER_STORM_NS (600 * HBD_S_NS)
#define DELIVER_RUNS_MAX 8		/* tries under way at once */

struct deliver_target {
	const char *key;		/* "email:ops@example.org": in the spool and in the log */
	enum hbd_severity severity;	/* this and worse */
};

struct deliver_config {
	const char *cluster;
	const char *node;
	const struct deliver_target *targets;
	size_t target_count;		/* at most SPOOL_TARGETS_MAX */
	/* Starts a try; deliver_done() follows, not during this call, if it returns 0. */
	int (*start)(void *context, size_t target, json_t *facts);
	void *context;
};

struct deliver;

/* config's pointers and the spool must outlive it. 0 or -ENOMEM. */
int deliver_new(const struct deliver_config *config, struct spool *spool,
		struct deliver **ret_deliver);
void deliver_free(struct deliver *deliver);

/* Bits of the targets that an alert is for. For struct spool_config. */
uint64_t deliver_wanted(const struct deliver_config *config, const struct record_alert *alert);

/* Starts the tries that are due; to be called after every event. realtime_ns: for the text. */
void deliver_run(struct deliver *deliver, int64_t now_ns, int64_t realtime_ns);

/* A try ended: 0 or a negative errno; text says how, "exit status 1: 535 refused". */
void deliver_done(struct deliver *deliver, size_t target, int result, const char *text,
		  int64_t now_ns);

/* When deliver_run() is due again; HBD_NEVER_NS. */
int64_t deliver_deadline_ns(const struct deliver *deliver);

/* Somebody looks: targets that fail are tried at once, and what is said of them is news. */
void deliver_hurry(struct deliver *deliver);

/* From now on each target gets one more try, at once, unless what waits is held for a digest. */
void deliver_flush(struct deliver *deliver);

/* True while a try is under way. */
bool deliver_is_busy(const struct deliver *deliver);

/* Why the last try of a target that still fails failed, with its key; NULL = none does. */
const char *deliver_trouble(const struct deliver *deliver);
