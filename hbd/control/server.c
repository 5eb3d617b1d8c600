#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/log.h"
#include "answer.h"
#include "reply.h"

/* A source that is ready more often than this is left alone for the rest of the time. */
#define RATE_USEC ((uint64_t)100 * 1000)
#define ACCEPT_BURST 20
#define CLIENT_BURST 64

/* A failing accept() is logged once in this time. */
#define ACCEPT_LOG_USEC ((uint64_t)10 * 1000 * 1000)

struct client {
	struct server *server;
	int fd;				/* -1 = a free place */
	uint64_t number;		/* in the order of accepting, from 1 */
	struct asker who;
	sd_event_source *io;
	sd_event_source *deadline;
	struct document *reply;		/* NULL while the request is being read */
	size_t sent;
	size_t received;
	char request[SERVER_REQUEST_BYTES_MAX];
};

struct server {
	sd_event *loop;
	int fd;
	int64_t priority;
	sd_event_source *listener;
	uint64_t accepted;
	uint64_t accept_logged_usec;	/* 0 = never */
	struct answerer answerer;
	struct client clients[SERVER_CLIENTS_MAX];
};

static uint64_t now_usec(const struct server *server)
{
	uint64_t now = 0;

	sd_event_now(server->loop, CLOCK_MONOTONIC, &now);
	return now;
}

static void drop(struct client *client)
{
	client->io = sd_event_source_disable_unref(client->io);
	client->deadline = sd_event_source_disable_unref(client->deadline);
	document_unref(client->reply);
	client->reply = NULL;
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

/* Sends what fits; the client is dropped when all is sent or it is gone. */
static void send_some(struct client *client)
{
	const struct document *reply = client->reply;
	ssize_t n = send(client->fd, reply->text + client->sent, reply->length - client->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0)
		client->sent += (size_t)n;
	if (client->sent == reply->length || (n < 0 && errno != EAGAIN && errno != EINTR))
		drop(client);
}

/* Takes reply over. */
static void begin_reply(struct client *client, struct document *reply)
{
	if (!reply) {
		log_error("control: out of memory, dropping process %d that asked",
			  client->who.pid);
		drop(client);
		return;
	}
	client->reply = reply;
	sd_event_source_set_time(client->deadline,
				 now_usec(client->server) + SERVER_REPLY_NS / HBD_US_NS);
	sd_event_source_set_io_events(client->io, EPOLLOUT);
	send_some(client);
}

static void begin_error(struct client *client, const char *message)
{
	begin_reply(client, document_new(reply_error(REPLY_BAD_REQUEST, message)));
}

/* Judges what was received so far; end_of_file: the client sends no more. */
static void look_at_request(struct client *client, bool end_of_file)
{
	const char *newline = memchr(client->request, '\n', client->received);
	size_t length = newline ? (size_t)(newline - client->request) : client->received;
	struct server *server = client->server;

	if (newline && length + 1 != client->received)
		begin_error(client, "more than one line was sent");
	else if (newline || end_of_file)
		begin_reply(client, answer_line(&server->answerer, &client->who, client->request,
						length, (int64_t)now_usec(server) * HBD_US_NS));
	else if (client->received == sizeof(client->request))
		begin_error(client, "the request is longer than 4096 bytes");
}

static void receive_some(struct client *client)
{
	ssize_t n = recv(client->fd, client->request + client->received,
			 sizeof(client->request) - client->received, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		client->received += (size_t)n;
	if (n < 0 || client->received == 0)
		drop(client);
	else
		look_at_request(client, n == 0);
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct client *client = context;

	(void)source;
	(void)fd;
	(void)events;
	if (client->reply)
		send_some(client);
	else
		receive_some(client);
	return 0;
}

/* Too slow in sending its request or in reading the reply. */
static int on_deadline(sd_event_source *source, uint64_t usec, void *context)
{
	(void)source;
	(void)usec;
	drop(context);
	return 0;
}

/* The oldest client who may only read, or NULL. */
static struct client *oldest_reader(struct server *server)
{
	struct client *oldest = NULL;

	for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++) {
		struct client *client = &server->clients[i];

		if (client->fd >= 0 && !client->who.privileged &&
		    (!oldest || client->number < oldest->number))
			oldest = client;
	}
	return oldest;
}

/*
 * A place for a new client, or NULL: readers cannot fill the places with one user's connections,
 * and never keep an operator out.
 */
static struct client *find_place(struct server *server, const struct asker *who)
{
	struct client *place = NULL;
	unsigned same_user = 0;

	for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++) {
		struct client *client = &server->clients[i];

		if (client->fd < 0)
			place = client;
		else if (client->who.uid == who->uid)
			same_user++;
	}
	if (!who->privileged && same_user >= SERVER_CLIENTS_PER_USER_MAX)
		return NULL;
	if (!place && who->privileged) {
		place = oldest_reader(server);
		if (place)
			drop(place);
	}
	return place;
}

static int watch_client(struct client *client)
{
	struct server *server = client->server;
	uint64_t deadline = now_usec(server) + SERVER_REQUEST_NS / HBD_US_NS;
	int r;

	r = sd_event_add_io(server->loop, &client->io, client->fd, EPOLLIN, on_client, client);
	if (r < 0)
		return r;
	r = sd_event_add_time(server->loop, &client->deadline, CLOCK_MONOTONIC, deadline,
			      HBD_MS_NS / HBD_US_NS, on_deadline, client);
	if (r < 0)
		return r;
	sd_event_source_set_priority(client->io, server->priority);
	sd_event_source_set_priority(client->deadline, server->priority);
	return sd_event_source_set_ratelimit(client->io, RATE_USEC, CLIENT_BURST);
}

/* Best effort: the socket buffer of a new connection holds it. */
static void turn_away(int fd)
{
	struct document *document =
		document_new(reply_error(REPLY_TOO_MANY, "too many clients, try again"));

	if (document)
		send(fd, document->text, document->length, MSG_DONTWAIT | MSG_NOSIGNAL);
	document_unref(document);
	close(fd);
}

/* Takes fd over. */
static void admit(struct server *server, int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) {
		close(fd);
		return;
	}
	struct asker who = {.uid = peer.uid, .pid = peer.pid};
	who.privileged = answer_is_privileged(&server->answerer, who.uid);
	struct client *client = find_place(server, &who);
	if (!client) {
		turn_away(fd);
		return;
	}
	client->fd = fd;
	client->number = ++server->accepted;
	client->who = who;
	client->sent = 0;
	client->received = 0;
	int r = watch_client(client);
	if (r < 0) {
		log_error("control: watch a client: %s; dropping it", log_strerror(r));
		drop(client);
	}
}

static void log_accept_error(struct server *server, int error)
{
	uint64_t now = now_usec(server);

	if (server->accept_logged_usec != 0 && now - server->accept_logged_usec < ACCEPT_LOG_USEC)
		return;
	log_error("control: accept a client: %s; it waits until that works", log_strerror(error));
	server->accept_logged_usec = now;
}

static int on_connection(sd_event_source *source, int listen_fd, uint32_t events, void *context)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)events;
	if (fd >= 0)
		admit(context, fd);
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		log_accept_error(context, errno);
	return 0;
}

int server_open(sd_event *loop, int listen_fd, const struct server_config *config,
		const struct server_callbacks *callbacks, struct server **ret_server)
{
	struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	server->loop = sd_event_ref(loop);
	server->fd = -1;
	server->priority = config->priority;
	server->answerer.config = *config;
	server->answerer.callbacks = *callbacks;
	for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++) {
		server->clients[i].server = server;
		server->clients[i].fd = -1;
	}
	r = fcntl(listen_fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
	if (r == 0)
		r = sd_event_add_io(loop, &server->listener, listen_fd, EPOLLIN, on_connection,
				    server);
	if (r >= 0)
		r = sd_event_source_set_priority(server->listener, config->priority);
	if (r >= 0)
		r = sd_event_source_set_ratelimit(server->listener, RATE_USEC, ACCEPT_BURST);
	if (r < 0) {
		server_close(server);
		return r;
	}
	server->fd = listen_fd;
	*ret_server = server;
	return 0;
}

void server_close(struct server *server)
{
	if (!server)
		return;
	for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++)
		drop(&server->clients[i]);
	sd_event_source_disable_unref(server->listener);
	if (server->fd >= 0)
		close(server->fd);
	answer_close(&server->answerer);
	sd_event_unref(server->loop);
	free(server);
}
