/*
 * The other end of the control socket: one question, one answer. Blocks, for hbctl only.
 */
#pragma once

#include <jansson.h>

#include "../core/time.h"

#define CLIENT_SOCKET_DEFAULT "/run/hbd/hbd.sock"
#define CLIENT_TIMEOUT_NS (5 * HBD_S_NS)
#define CLIENT_REPLY_BYTES_MAX (16 * 1024 * 1024)
#define CLIENT_WORDS_BYTES 256

/*
 * Asks the daemon that listens on path. request is taken over; a daemon that has too many clients
 * is asked again until the time is over. 0 with the reply, which may be an error document;
 * -ENOENT or -ECONNREFUSED if nobody listens, -EACCES, -ETIMEDOUT, -ENAMETOOLONG, -EBADMSG if the
 * reply is not JSON, or another negative errno.
 */
int client_ask(const char *path, json_t *request, json_t **ret_reply);

/* Why there was no reply, and what to do about it; each CLIENT_WORDS_BYTES. */
void client_explain(int error, const char *path, char *ret_sentence, char *ret_advice);

/* The message of an error document, or NULL if reply is none. */
const char *client_error_message(const json_t *reply);
