/*
 * tcp_service NODE [PORT]: a service over TCP on every address of this machine, IPv4 and IPv6, port
 * 7778. To each byte it answers with the first letter that differs between nodes: the last one of
 * its name. Says "ready"; runs until SIGTERM.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/tool.h"

#define EVENTS 64
#define BACKLOG 1024

static int listen_on(uint16_t port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, off = 0;

	if (fd < 0)
		tool_fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, BACKLOG) < 0)
		tool_fail("listen on port %u", port);
	return fd;
}

static void watch(int epoll, int fd)
{
	struct epoll_event wanted = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted) < 0)
		tool_fail("epoll_ctl");
}

static void take_clients(int epoll, int listener)
{
	int on = 1, fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		watch(epoll, fd);
	}
}

static void serve(int fd, char name)
{
	char bytes[64];
	ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

	if (n > 0) {
		memset(bytes, name, (size_t)n);
		if (send(fd, bytes, (size_t)n, MSG_NOSIGNAL) == n)
			return;
	}
	if (n < 0 && errno == EAGAIN)
		return;
	close(fd);
}

int main(int argc, char **argv)
{
	const volatile bool *stop = tool_stop_flag(NULL);
	uint16_t port = argc > 2 ? (uint16_t)tool_number("port", argv[2], 1, UINT16_MAX) : 7778;
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC), listener;

	if (argc < 2 || epoll < 0)
		tool_fail("usage: tcp_service NODE [PORT]");
	listener = listen_on(port);
	watch(epoll, listener);
	fprintf(stderr, "ready\n");
	while (!*stop) {
		int count = epoll_wait(epoll, events, EVENTS, 1000);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == listener)
				take_clients(epoll, listener);
			else
				serve(events[i].data.fd, argv[1][strlen(argv[1]) - 1]);
		}
	}
	return 0;
}
