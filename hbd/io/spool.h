/*
 * The alert spool: every alert is a file before anybody tries to send it, until everybody has it.
 *
 * One file per alert, written under another name, synced, renamed, its directory synced; who has
 * got it is appended to it. So a crash at any instant loses nothing and repeats at most what was
 * being sent. A file that makes no sense is set aside and said. When the disk is full or gone, that
 * is said loudly, the alert is kept in memory, and the disk is tried again: nothing is lost in
 * silence. More than SPOOL_EVENTS_MAX alerts are not kept: the oldest of the least bad is dropped,
 * said, and counted for those who never got it.
 *
 * Recipients ("targets") are known by a key that survives a change of their order or password.
 * Sending is deliver.h's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"

#define SPOOL_TARGETS_MAX 64
#define SPOOL_EVENTS_MAX 2000
#define SPOOL_ID_BYTES 48
#define SPOOL_RETRY_NS (10 * HBD_S_NS)	/* memory to disk */

struct spool_event {
	char id[SPOOL_ID_BYTES];	/* "1700000000000000000-0123456789abcdef" */
	struct record_alert alert;
	uint64_t missing;		/* bits: targets that have yet to get it; never 0 */
	uint64_t delivered;		/* bits: targets that have got it */
	uint64_t sending;		/* bits: targets that it is being sent to; the deliverer's */
	int64_t taken_ns;		/* instant; 0: found in the spool at start */
	bool durable;			/* it is on the disk */
	struct spool_event *next;
};

struct spool;

/*
 * Uses directory, which is made if it is missing, and reads what is in it. wanted() says which
 * targets an alert is for, as bits; alerts found that nobody wants any longer are removed and said.
 * keys: of the targets, at most SPOOL_TARGETS_MAX; all must outlive the spool. A directory that
 * cannot be used is said, and is no failure. 0 or -ENOMEM.
 */
struct spool_config {
	const char *directory;
	const char *const *keys;
	size_t key_count;
	uint64_t (*wanted)(const void *context, const struct record_alert *alert);
	const void *context;
};
int spool_open(const struct spool_config *config, struct spool **ret_spool);

/* Frees memory; files stay. Accepts NULL. */
void spool_close(struct spool *spool);

/*
 * Keeps an alert, on disk if possible. The same alert again is kept once. 0, also if nobody wants
 * it; -ENOMEM.
 */
int spool_add(struct spool *spool, const struct record_alert *alert, int64_t now_ns);

/* In the order in which they came; NULL = none. */
struct spool_event *spool_first(const struct spool *spool);

/* A target has got it. When all have, the event is removed: the pointer is no longer valid. */
void spool_delivered(struct spool *spool, struct spool_event *event, size_t target);

/* Alerts that a target never got because they were dropped; and that it was told so. */
uint64_t spool_dropped(const struct spool *spool, size_t target);
void spool_dropped_told(struct spool *spool, size_t target, uint64_t count);

/* Tries the disk again for what is only in memory; returns when to call next, HBD_NEVER_NS: not. */
int64_t spool_retry(struct spool *spool, int64_t now_ns);

size_t spool_count(const struct spool *spool);
