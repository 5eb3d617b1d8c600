/*
 * The control socket: answers hbctl and monitoring from inside the engine's loop.
 *
 * A client sends one line of JSON and gets one JSON document and the end of file (STATUS.md has
 * both). Who may connect is the file mode's affair; reading is for everybody who could, commands
 * are for root and for the user who started the daemon, by SO_PEERCRED.
 *
 * The server never waits and never lets a client make the engine work hard: few clients, one short
 * request each, a deadline on both directions, sources that are rate-limited, and a rendered
 * snapshot that serves everybody for SERVER_FRESH_NS. It decides nothing: the callbacks do.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "../conf/conf.h"
#include "../core/time.h"

#define SERVER_CLIENTS_MAX 16
#define SERVER_CLIENTS_PER_USER_MAX 4	/* of a user who may only read */
#define SERVER_REQUEST_BYTES_MAX 4096	/* with its newline */
#define SERVER_REQUEST_NS (2 * HBD_S_NS)	/* to send the request */
#define SERVER_REPLY_NS (5 * HBD_S_NS)		/* to read the reply */
#define SERVER_FRESH_NS (10 * HBD_MS_NS)

struct server_callbacks {
	void *context;

	/* snapshot_json() of this moment, the server's to json_decref(); NULL if out of memory. */
	json_t *(*snapshot)(void *context);

	/* Start handing the group over. 0, or what hbd_node_may_switch() says. */
	int (*switchover)(void *context, uint8_t group);

	/* Put the node into maintenance, or end it; force: though the peer cannot serve. 0, what
	 * hbd_node_may_maintain() says, or another negative errno. */
	int (*maintenance)(void *context, bool on, bool force);

	/* Raise a test alert. Its id, never 0, or 0 if it could not be handed to the scribe. */
	uint64_t (*alert_test)(void *context);
};

struct server_config {
	const struct hbd_conf *conf;	/* for names; outlives the server */
	uint8_t self;			/* node index */
	uid_t owner;			/* who started the daemon (the guardian's uid) */
	int64_t priority;		/* of the event sources: below the heartbeats' */
};

struct server;

/*
 * Serves the listening unix stream socket. It is made non-blocking and, once this succeeded, is
 * the server's to close. 0, or a negative errno of the event loop.
 */
int server_open(sd_event *loop, int listen_fd, const struct server_config *config,
		const struct server_callbacks *callbacks, struct server **ret_server);

/* Drops all clients. Accepts NULL. */
void server_close(struct server *server);
