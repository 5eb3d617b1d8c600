/*
 * responder NODE [PORT]: answers every probe (tests/lib/probe.h) to any address of this machine,
 * IPv4 and IPv6, from the address that was asked, with the node's name. Says "ready"; runs until
 * SIGTERM.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/frame.h"
#include "../lib/probe.h"
#include "../lib/tool.h"

#define SOCKET_BUFFER_BYTES (8 << 20)

static int open_socket(const char *any, uint16_t port)
{
	union frame_address address;
	int on = 1, bytes = SOCKET_BUFFER_BYTES, fd;

	if (frame_address_parse(any, port, &address) < 0)
		return -1;
	fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		tool_fail("socket for %s", any);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	if (address.any.sa_family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &address.any, frame_address_bytes(&address)) < 0)
		tool_fail("bind to %s port %u", any, port);
	return fd;
}

/* The address that was asked becomes the one that answers; the route decides the interface. */
static void answer_from_asked(struct msghdr *message)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(message);

	if (!cmsg)
		return;
	if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(cmsg);

		info->ipi_spec_dst = info->ipi_addr;
		info->ipi_ifindex = 0;
	}
}

static void answer_waiting(int fd, const char *node)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control;
	struct probe_answer answer = {.node = ""};
	union frame_address client;
	struct iovec data = {&answer.probe, sizeof(answer.probe)};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};

	strncpy(answer.node, node, sizeof(answer.node) - 1);
	for (;;) {
		message.msg_name = &client;
		message.msg_namelen = sizeof(client);
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		data.iov_len = sizeof(answer.probe);
		ssize_t length = recvmsg(fd, &message, 0);
		if (length < 0 && errno != EINTR)
			return;
		if (length != sizeof(answer.probe) || answer.probe.magic != PROBE_MAGIC)
			continue;
		answer_from_asked(&message);
		data.iov_len = sizeof(answer);
		/* An address that has just gone cannot be answered from: that is an unanswered probe. */
		if (sendmsg(fd, &message, 0) < 0)
			continue;
	}
}

int main(int argc, char **argv)
{
	const volatile bool *stop = tool_stop_flag(NULL);
	struct pollfd sockets[2] = {{.events = POLLIN}, {.events = POLLIN}};
	uint16_t port;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: responder NODE [PORT]\n");
		return 2;
	}
	port = (uint16_t)(argc > 2 ? tool_number("PORT", argv[2], 1, 65535) : PROBE_PORT);
	sockets[0].fd = open_socket("0.0.0.0", port);
	sockets[1].fd = open_socket("::", port);
	tool_realtime(1);
	puts("ready");
	fflush(stdout);
	while (!*stop) {
		if (poll(sockets, 2, -1) < 0)
			continue;
		answer_waiting(sockets[0].fd, argv[1]);
		answer_waiting(sockets[1].fd, argv[1]);
	}
	return 0;
}
