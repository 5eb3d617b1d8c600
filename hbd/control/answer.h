/*
 * From one line of a client to the document it gets: parses, checks what the client may do, calls
 * back. No socket is known here; server.c moves the bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "server.h"

/* A rendered document, shared by the clients that are being sent it; ends in a newline. */
struct document {
	unsigned references;
	size_t length;
	char *text;
};

/* One reference less; frees it with the last. Accepts NULL. */
void document_unref(struct document *document);

/* A document of one reference from json, which is taken over; NULL if json is or out of memory. */
struct document *document_new(json_t *json);

struct answerer {
	struct server_config config;
	struct server_callbacks callbacks;
	struct document *status;	/* the last one rendered, or NULL */
	int64_t status_ns;		/* when it was */
	int64_t refusal_logged_ns;	/* 0 = never */
};

/* Who asks. */
struct asker {
	uid_t uid;
	pid_t pid;
	bool privileged;
};

/* True for root and for the user who started the daemon. */
bool answer_is_privileged(const struct answerer *answerer, uid_t uid);

/*
 * The answer to a line of length bytes, without its newline, at now_ns (any clock that never goes
 * back). The caller's to unref; NULL if out of memory.
 */
struct document *answer_line(struct answerer *answerer, const struct asker *asker,
			     const char *line, size_t length, int64_t now_ns);

/* Forgets the rendered status. */
void answer_close(struct answerer *answerer);
