/*
 * prober [OPTION...] ADDRESS[+COUNT]...: a client of a virtual address that measures its service.
 *
 *	--period-us N		between requests; default 1000
 *	--seconds N		ends by itself; otherwise at SIGTERM or SIGINT
 *	--interface NAME	through which frames are sent; default eth0
 *	--burst N		requests per period to addresses that have not moved; default 50
 *	--live FILE		ten times a second a line "MS SILENT_MS NODE=ANSWERS..."
 *	--port N		default 7777
 *
 * The first address is asked once a period, on an absolute schedule: as any program asks, through
 * the kernel's neighbor cache, and by a frame to everyone on the LAN, which two owners both answer.
 * Others, IPv4 only, are asked in turn, one a period, through a neighbor cache of the prober's
 * own. SIGUSR1 is the mark: "the event comes now". From then on an address has *moved* once another
 * node than before answers for it, and those that have not are asked in bursts.
 * Prints "ready" on standard error, at the end one JSON object on standard output; what its
 * figures mean is defined in tests/lib/series.h and tests/lib/prober_report.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../lib/asker.h"
#include "../lib/frame.h"
#include "../lib/neighbors.h"
#include "../lib/probe.h"
#include "../lib/prober_report.h"
#include "../lib/tool.h"

#define SETTLE_NS (200 * TOOL_MS_NS)
#define LIVE_NS (100 * TOOL_MS_NS)
#define SOCKET_BUFFER_BYTES (8 << 20)

struct options {
	int64_t period_ns;
	int64_t duration_ns;
	const char *interface;
	const char *live;
	size_t burst;
	uint16_t port;
};

struct prober {
	struct options options;
	struct prober_figures figures;
	struct asker asker;
	struct neighbors neighbors;
	struct pollfd sockets[2];	/* UDP, ARP */
	FILE *live;
	int64_t live_ns;
	size_t live_answers[SERIES_NODES_MAX];
	size_t next_target;
};

static int open_socket(const union frame_address *address)
{
	int bytes = SOCKET_BUFFER_BYTES, on = 1;
	int fd = socket(address->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* bound to a port, so that frames made by hand come from the same one */
	union frame_address any = {.any = {.sa_family = address->any.sa_family}};

	if (fd < 0 || bind(fd, &any.any, frame_address_bytes(&any)) < 0)
		tool_fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
		tool_fail("receive times");
	return fd;
}

/* A request that cannot be sent is one that is not answered. */
static void ask_service(struct prober *prober, uint64_t number)
{
	const struct prober_target *target = &prober->figures.targets[0];
	struct probe probe = {PROBE_MAGIC, PROBE_SERVICE, number};

	if (sendto(prober->sockets[0].fd, &probe, sizeof(probe), 0, &target->address.any,
		   frame_address_bytes(&target->address)) < 0)
		prober->figures.not_sent++;
}

static void ask_by_frame(struct prober *prober, size_t index, const uint8_t *mac,
			 struct probe probe)
{
	const struct prober_target *target = &prober->figures.targets[index];

	if (asker_ask(&prober->asker, &target->address, mac, &probe) < 0)
		prober->figures.not_sent++;
}

static void ask_sweep(struct prober *prober)
{
	struct prober_figures *figures = &prober->figures;
	size_t budget = figures->mark_ns ? prober->options.burst : 1;

	for (size_t i = 0; i < figures->target_count && budget > 0; i++) {
		size_t index = prober->next_target;
		struct prober_target *target = &figures->targets[index];
		const struct neighbor *neighbor;

		prober->next_target = (index + 1) % figures->target_count;
		if (index == 0 || target->moved_ns)
			continue;
		budget--;
		neighbor = neighbors_find(&prober->neighbors, &target->address);
		if (neighbor)
			ask_by_frame(prober, index, neighbor->mac,
				     (struct probe){PROBE_MAGIC, PROBE_SWEEP, index});
	}
}

static void ask_all(struct prober *prober, int64_t now_ns)
{
	struct prober_figures *figures = &prober->figures;

	ask_service(prober, series_send(&figures->service, now_ns));
	ask_by_frame(prober, 0, NULL, (struct probe){PROBE_MAGIC, PROBE_OWNERS,
						     series_send(&figures->owners, now_ns)});
	ask_sweep(prober);
}

/* When the kernel got it, however late this program is. */
static int64_t arrival_ns(struct msghdr *message)
{
	struct timespec wall, stamp;
	int64_t now_ns = tool_now_ns();
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(message);

	if (!cmsg || cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_TIMESTAMPNS)
		return now_ns;
	clock_gettime(CLOCK_REALTIME, &wall);
	memcpy(&stamp, CMSG_DATA(cmsg), sizeof(stamp));
	return now_ns - (wall.tv_sec - stamp.tv_sec) * TOOL_S_NS - (wall.tv_nsec - stamp.tv_nsec);
}

static void take_answers(struct prober *prober, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct timespec))];
	} control;
	struct probe_answer answer;
	struct iovec data = {&answer, sizeof(answer)};
	ssize_t length;

	for (;;) {
		struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1,
					 .msg_control = &control, .msg_controllen = sizeof(control)};

		length = recvmsg(fd, &message, 0);
		if (length < 0 && errno != EINTR)
			return;
		if (length == sizeof(answer) && answer.probe.magic == PROBE_MAGIC)
			prober_figures_answer(&prober->figures, &answer, arrival_ns(&message));
	}
}

static void wait_until(struct prober *prober, int64_t until_ns)
{
	int64_t left_ns = until_ns - tool_now_ns();
	struct timespec timeout = {0};

	if (left_ns > 0) {
		timeout.tv_sec = left_ns / TOOL_S_NS;
		timeout.tv_nsec = left_ns % TOOL_S_NS;
	}
	if (ppoll(prober->sockets, 2, &timeout, NULL) <= 0)
		return;
	neighbors_dispatch(&prober->neighbors);
	take_answers(prober, prober->sockets[0].fd);
}

static void say_live(struct prober *prober, int64_t now_ns)
{
	struct prober_figures *figures = &prober->figures;

	if (!prober->live || now_ns < prober->live_ns)
		return;
	prober->live_ns = now_ns + LIVE_NS;
	fprintf(prober->live, "%lld %lld", (long long)((now_ns - figures->start_ns) / TOOL_MS_NS),
		(long long)((now_ns - figures->latest_ns) / TOOL_MS_NS));
	for (size_t i = 0; i < figures->node_count; i++) {
		fprintf(prober->live, " %s=%zu", figures->nodes[i],
			figures->answers[i] - prober->live_answers[i]);
		prober->live_answers[i] = figures->answers[i];
	}
	fputc('\n', prober->live);
	fflush(prober->live);
}

static void run(struct prober *prober)
{
	const volatile bool *mark, *stop = tool_stop_flag(&mark);
	struct prober_figures *figures = &prober->figures;
	int64_t period_ns = prober->options.period_ns, due_ns = tool_now_ns(), end_ns;

	fputs("ready\n", stderr);
	figures->start_ns = figures->latest_ns = due_ns;
	end_ns = prober->options.duration_ns ? due_ns + prober->options.duration_ns : INT64_MAX;
	while (!*stop && due_ns < end_ns) {
		int64_t now_ns = tool_now_ns();

		if (*mark && !figures->mark_ns)
			prober_figures_mark(figures, now_ns);
		if (now_ns < due_ns) {
			wait_until(prober, due_ns);
			continue;
		}
		prober_figures_late(figures, now_ns - due_ns);
		ask_all(prober, now_ns);
		say_live(prober, now_ns);
		/* periods slept through are not made up for: their requests would be a burst */
		figures->skipped += (uint64_t)((now_ns - due_ns) / period_ns);
		due_ns += period_ns * ((now_ns - due_ns) / period_ns + 1);
	}
	end_ns = tool_now_ns() + SETTLE_NS;
	while (tool_now_ns() < end_ns)
		wait_until(prober, end_ns);
}

/* "10.79.0.1+999" are 999 addresses from that one on. */
static void add_targets(struct prober_figures *figures, char *text, uint16_t port)
{
	char *plus = strchr(text, '+');
	size_t count = plus ? (size_t)tool_number("COUNT", plus + 1, 1, 65536) : 1;
	union frame_address first;

	if (plus)
		*plus = '\0';
	if (frame_address_parse(text, port, &first) < 0) {
		fprintf(stderr, "prober: '%s' is not an IPv4 or IPv6 address\n", text);
		exit(2);
	}
	for (size_t i = 0; i < count; i++) {
		union frame_address address = first;

		frame_address_add(&address, (uint32_t)i);
		prober_figures_add(figures, &address);
	}
}

static void usage(void)
{
	fputs("usage: prober [--period-us N] [--seconds N] [--interface NAME] [--burst N] "
	      "[--live FILE] [--port N] ADDRESS[+COUNT]...\n", stderr);
	exit(2);
}

static struct options parse(int argc, char **argv)
{
	static const struct option names[] = {
		{"period-us", required_argument, NULL, 'p'}, {"seconds", required_argument, NULL, 's'},
		{"interface", required_argument, NULL, 'i'}, {"burst", required_argument, NULL, 'b'},
		{"live", required_argument, NULL, 'l'}, {"port", required_argument, NULL, 'P'},
		{NULL, 0, NULL, 0}};
	struct options options = {.period_ns = TOOL_MS_NS, .burst = 50, .port = PROBE_PORT,
				  .interface = "eth0"};
	int letter;

	while ((letter = getopt_long(argc, argv, "", names, NULL)) >= 0) {
		if (letter == 'p')
			options.period_ns = 1000 * tool_number("--period-us", optarg, 100, 10000000);
		else if (letter == 's')
			options.duration_ns = TOOL_S_NS * tool_number("--seconds", optarg, 1, 86400);
		else if (letter == 'i')
			options.interface = optarg;
		else if (letter == 'b')
			options.burst = (size_t)tool_number("--burst", optarg, 1, 1000);
		else if (letter == 'l')
			options.live = optarg;
		else if (letter == 'P')
			options.port = (uint16_t)tool_number("--port", optarg, 1, 65535);
		else
			usage();
	}
	if (optind == argc)
		usage();
	return options;
}

static void open_all(struct prober *prober)
{
	const struct prober_figures *figures = &prober->figures;
	const union frame_address *first = &figures->targets[0].address;
	const char *interface = prober->options.interface;

	prober->sockets[0] = (struct pollfd){.fd = open_socket(first), .events = POLLIN};
	asker_open(&prober->asker, interface, first, prober->sockets[0].fd);
	neighbors_open(&prober->neighbors, interface, &prober->asker.from);
	for (size_t i = 1; i < figures->target_count; i++) {
		if (first->any.sa_family != AF_INET ||
		    figures->targets[i].address.any.sa_family != AF_INET)
			tool_fail("more than one address only with IPv4");
		neighbors_add(&prober->neighbors, &figures->targets[i].address);
	}
	prober->sockets[1] = (struct pollfd){.fd = prober->neighbors.socket, .events = POLLIN};
	if (prober->options.live && !(prober->live = fopen(prober->options.live, "we")))
		tool_fail("%s", prober->options.live);
}

int main(int argc, char **argv)
{
	struct prober prober = {.options = parse(argc, argv)};

	prober.figures.service.period_ns = prober.options.period_ns;
	prober.figures.owners.period_ns = prober.options.period_ns;
	for (int i = optind; i < argc; i++)
		add_targets(&prober.figures, argv[i], prober.options.port);
	open_all(&prober);
	prober.figures.realtime = tool_realtime(1);
	run(&prober);
	prober_figures_print(&prober.figures, stdout);
	prober_figures_free(&prober.figures);
	neighbors_close(&prober.neighbors);
	return 0;
}
