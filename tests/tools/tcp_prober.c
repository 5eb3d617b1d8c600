/*
 * tcp_prober [OPTION...] ADDRESS...: clients of a service over TCP (tcp_service), of each address alike.
 *
 *	--connections N		that stay open, with a request every period; default 200; one that
 *				fails is begun anew
 *	--period-ms N		default 10
 *	--fresh-per-s N		that begin, ask once and end; default 100
 *	--port N		default 7778
 *
 * Says "ready" when all are open and were answered; at SIGTERM, or SIGINT, it waits for the answers
 * that are due and prints one JSON object: broken are connections that ended, or gave no answer for
 * 5 s; refused are those that never began.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/frame.h"
#include "../lib/tool.h"

#define EVENTS 256
#define PATIENCE_NS (5 * TOOL_S_NS)
#define ANEW_NS (100 * TOOL_MS_NS) /* from the last try of a connection that failed */
#define FRESH_MAX 4096

enum state { FREE = 0, CONNECTING, IDLE, ASKED };

struct client {
	enum state state;
	bool fresh;		/* it asks once */
	int fd;
	int64_t since_ns;	/* of the state */
	int64_t next_ns;	/* request, or try */
	char node;		/* that answered last; 0 = none */
};

struct options {
	int64_t connections, period_ns, fresh_per_s;
	uint16_t port;
};

struct figures {
	size_t requests, answers, broken, refused, begun, moved;
	int64_t slowest_ns;
	char why[128];		/* of the first that failed */
};

struct prober {
	struct options options;
	struct figures figures;
	size_t address_count, client_count, next_address;
	union frame_address *addresses;
	struct client *clients;
	int epoll;
	int64_t next_fresh_ns;
};

static void note_failure(struct figures *figures, size_t *count, const char *what, int error)
{
	(*count)++;
	if (figures->why[0] == '\0')
		snprintf(figures->why, sizeof(figures->why), "%s: %s", what, strerror(error));
}

static void end(struct client *client)
{
	close(client->fd);
	*client = (struct client){ .fd = -1, .next_ns = client->since_ns + ANEW_NS };
}

static void begin(struct prober *prober, struct client *client, bool fresh, int64_t now_ns)
{
	const union frame_address *to =
		&prober->addresses[prober->next_address++ % prober->address_count];
	struct epoll_event wanted = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = client };
	int on = 1;

	*client = (struct client){ .state = CONNECTING, .fresh = fresh, .since_ns = now_ns };
	client->fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		tool_fail("socket");
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	prober->figures.begun++;
	if (epoll_ctl(prober->epoll, EPOLL_CTL_ADD, client->fd, &wanted) < 0)
		tool_fail("epoll_ctl");
	if (connect(client->fd, &to->any, frame_address_bytes(to)) < 0 && errno != EINPROGRESS) {
		note_failure(&prober->figures, &prober->figures.refused, "connect", errno);
		end(client);
	}
}

static void ask(struct prober *prober, struct client *client, int64_t now_ns)
{
	if (send(client->fd, "?", 1, MSG_NOSIGNAL) != 1) {
		note_failure(&prober->figures, &prober->figures.broken, "send", errno);
		end(client);
		return;
	}
	prober->figures.requests++;
	client->state = ASKED;
	client->since_ns = now_ns;
	client->next_ns = now_ns + prober->options.period_ns;
}

static void take_answer(struct prober *prober, struct client *client, int64_t now_ns)
{
	struct figures *figures = &prober->figures;
	char answer;
	ssize_t n = recv(client->fd, &answer, 1, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		note_failure(figures, &figures->broken, "recv", n < 0 ? errno : EPIPE);
		end(client);
		return;
	}
	figures->answers++;
	if (now_ns - client->since_ns > figures->slowest_ns)
		figures->slowest_ns = now_ns - client->since_ns;
	figures->moved += client->node != 0 && client->node != answer;
	client->node = answer;
	client->state = IDLE;
	if (client->fresh)
		end(client);
}

static void take_connection(struct prober *prober, struct client *client, int64_t now_ns)
{
	socklen_t length = sizeof(int);
	int error = 0;

	getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error == 0) {
		ask(prober, client, now_ns);
		return;
	}
	note_failure(&prober->figures, &prober->figures.refused, "connect", error);
	end(client);
}

static void take_event(struct prober *prober, struct client *client, uint32_t events, int64_t now_ns)
{
	if (client->state == CONNECTING && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
		take_connection(prober, client, now_ns);
	else if (client->state != FREE && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		take_answer(prober, client, now_ns);
}

static void look(struct prober *prober, struct client *client, int64_t now_ns, bool ending)
{
	bool waits = client->state == CONNECTING || client->state == ASKED;

	if (waits && now_ns - client->since_ns > PATIENCE_NS) {
		note_failure(&prober->figures,
			     client->state == ASKED ? &prober->figures.broken : &prober->figures.refused,
			     "no answer", ETIMEDOUT);
		end(client);
	} else if (client->state == IDLE && now_ns >= client->next_ns && !ending) {
		ask(prober, client, now_ns);
	}
}

static void begin_fresh(struct prober *prober, int64_t now_ns)
{
	struct client *fresh = prober->clients + prober->options.connections;

	if (prober->options.fresh_per_s == 0 || now_ns < prober->next_fresh_ns)
		return;
	prober->next_fresh_ns = now_ns + TOOL_S_NS / prober->options.fresh_per_s;
	for (size_t i = 0; i < FRESH_MAX; i++) {
		if (fresh[i].state != FREE)
			continue;
		begin(prober, &fresh[i], true, now_ns);
		return;
	}
}

static void begin_anew(struct prober *prober, int64_t now_ns)
{
	for (int64_t i = 0; i < prober->options.connections; i++)
		if (prober->clients[i].state == FREE && now_ns >= prober->clients[i].next_ns)
			begin(prober, &prober->clients[i], false, now_ns);
}

static bool all_answered(const struct prober *prober)
{
	for (size_t i = 0; i < prober->client_count; i++)
		if (prober->clients[i].state == CONNECTING || prober->clients[i].state == ASKED)
			return false;
	return true;
}

static void turn(struct prober *prober, bool ending)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(prober->epoll, events, EVENTS, 1);
	int64_t now_ns = tool_now_ns();

	for (int i = 0; i < count; i++)
		take_event(prober, events[i].data.ptr, events[i].events, now_ns);
	for (size_t i = 0; i < prober->client_count; i++)
		look(prober, &prober->clients[i], now_ns, ending);
}

static void run(struct prober *prober, const volatile bool *stop)
{
	bool ready = false;

	while (!*stop) {
		begin_anew(prober, tool_now_ns());
		turn(prober, false);
		if (!ready && prober->figures.answers >= (size_t)prober->options.connections) {
			fprintf(stderr, "ready\n");
			ready = true;
		}
		if (ready)
			begin_fresh(prober, tool_now_ns());
	}
	while (!all_answered(prober))
		turn(prober, true);
}

static void report(const struct figures *figures)
{
	printf("{\"begun\":%zu,\"requests\":%zu,\"answers\":%zu,\"broken\":%zu,\"refused\":%zu,"
	       "\"moved\":%zu,\"slowest_ms\":%.3f,\"why\":\"%s\"}\n", figures->begun,
	       figures->requests, figures->answers, figures->broken, figures->refused,
	       figures->moved, (double)figures->slowest_ns / (double)TOOL_MS_NS, figures->why);
}

static void parse(struct prober *prober, int argc, char **argv)
{
	static const struct option known[] = {
		{ "connections", required_argument, NULL, 'c' },
		{ "period-ms", required_argument, NULL, 'p' },
		{ "fresh-per-s", required_argument, NULL, 'f' },
		{ "port", required_argument, NULL, 'P' },
		{ 0 },
	};
	struct options *options = &prober->options;
	int option;

	*options = (struct options){ 200, 10 * TOOL_MS_NS, 100, 7778 };
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'c')
			options->connections = tool_number("connections", optarg, 0, 4096);
		else if (option == 'p')
			options->period_ns = TOOL_MS_NS * tool_number("period", optarg, 1, 10000);
		else if (option == 'f')
			options->fresh_per_s = tool_number("rate", optarg, 0, 1000);
		else if (option == 'P')
			options->port = (uint16_t)tool_number("port", optarg, 1, UINT16_MAX);
		else
			exit(2);
	}
	prober->address_count = (size_t)(argc - optind);
	prober->addresses = calloc(prober->address_count + 1, sizeof(*prober->addresses));
	prober->client_count = (size_t)options->connections + FRESH_MAX;
	prober->clients = calloc(prober->client_count, sizeof(*prober->clients));
	if (prober->address_count == 0 || !prober->addresses || !prober->clients)
		tool_fail("usage: tcp_prober [OPTION...] ADDRESS...");
	for (size_t i = 0; i < prober->address_count; i++)
		if (frame_address_parse(argv[optind + (int)i], options->port,
					&prober->addresses[i]) < 0)
			tool_fail("%s is no address", argv[optind + (int)i]);
}

int main(int argc, char **argv)
{
	const volatile bool *stop = tool_stop_flag(NULL);
	struct prober prober = { .epoll = epoll_create1(EPOLL_CLOEXEC) };

	if (prober.epoll < 0)
		tool_fail("epoll_create1");
	parse(&prober, argc, argv);
	run(&prober, stop);
	report(&prober.figures);
	free(prober.clients);
	free(prober.addresses);
	close(prober.epoll);
	return 0;
}
