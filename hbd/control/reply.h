/*
 * The documents the control socket answers with, apart from the status itself (snapshot.h).
 *
 *	{"schema": 1, "ok": true, "group": "web"}
 *	{"schema": 1, "error": {"code": "not-primary", "message": "..."}}
 *
 * Codes are stable and for programs; messages are for humans. Every function that makes a document
 * returns a new one that is the caller's, or NULL if out of memory.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLY_SCHEMA 1
#define REPLY_SENTENCE_BYTES 256

/* Codes that reply_error() is called with, besides those of reply_refusal_code(). */
#define REPLY_BAD_REQUEST "bad-request"
#define REPLY_NOT_ALLOWED "not-allowed"
#define REPLY_NO_SUCH_GROUP "no-such-group"
#define REPLY_TOO_MANY "too-many-clients"
#define REPLY_FAILED "failed"

json_t *reply_error(const char *code, const char *message);

/* The switchover of group has begun. */
json_t *reply_switchover(const char *group);

/* That maintenance begins or ends is being noted. */
json_t *reply_maintenance(bool on);

/* The test alert with this id went to the scribe. */
json_t *reply_alert_test(uint64_t id);

/*
 * What forbids a switchover, or maintenance, as a code and as one clause without a full stop: error
 * is what hbd_node_may_switch() says, not 0. Any other errno is told as "failed". sentence has
 * REPLY_SENTENCE_BYTES; it is returned.
 */
const char *reply_refusal_code(int error);
/* The errno of such a code: what "switchover" of a group in the status says. -EPROTO: none of them. */
int reply_refusal_error(const char *code);
const char *reply_refusal_sentence(int error, const char *group, const char *self,
				   const char *peer, char *sentence);
/* error is what hbd_node_may_maintain() says. */
const char *reply_maintenance_sentence(int error, const char *self, const char *peer,
				       char *sentence);
