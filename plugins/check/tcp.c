/* Health check { tcp = "HOST:PORT"; }: good if a connection is accepted. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../lib/plugin.h"

#define HOST_BYTES 256
/* Before hbd's own deadline, to have the last word. */
#define MARGIN_MS 20

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* "10.0.0.1:80", "[::1]:80" or "name:80" in two. */
static bool split(const char *target, char host[HOST_BYTES], const char **ret_port)
{
	const char *colon = strrchr(target, ':');
	size_t length;

	if (!colon || !colon[1])
		return false;
	length = (size_t)(colon - target);
	if (length >= 2 && target[0] == '[' && target[length - 1] == ']') {
		target++;
		length -= 2;
	}
	if (length == 0 || length >= HOST_BYTES)
		return false;
	memcpy(host, target, length);
	host[length] = '\0';
	*ret_port = colon + 1;
	return true;
}

/* 0 or a positive errno. */
static int try(const struct addrinfo *address, int64_t until_ms)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	int64_t left_ms = until_ms - now_ms();
	socklen_t size = sizeof(int);
	int error = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS)
		error = errno;
	else if (poll(&wait, 1, left_ms > 0 ? (int)left_ms : 0) != 1)
		error = ETIMEDOUT;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	close(fd);
	return error;
}

static const struct plugin_about about = {
	.kind = "check",
	.action = "check",
	.name = "tcp",
	.summary = "health check",
	.parameters = (const struct plugin_parameter[]){
		{ "tcp", PLUGIN_STRING, true, NULL, NULL, "HOST:PORT that must accept a connection" },
		{ 0 },
	},
};

int main(int argc, char **argv)
{
	const char *target = getenv("HBD_PARAMETER_TCP"), *timeout = getenv("HBD_TIMEOUT_MS");
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *addresses;
	int64_t start_ms = now_ms();
	int64_t until_ms = start_ms + (timeout ? atoi(timeout) : 1000) - MARGIN_MS;
	char host[HOST_BYTES];
	const char *port;
	int error;

	if (plugin_describes(argc, argv, &about))
		return EXIT_SUCCESS;
	if (!target || !split(target, host, &port)) {
		printf("tcp is not HOST:PORT: %s\n", target ? target : "(not set)");
		return EXIT_FAILURE;
	}
	error = getaddrinfo(host, port, &hints, &addresses);
	if (error != 0) {
		printf("%s: %s\n", target, gai_strerror(error));
		return EXIT_FAILURE;
	}
	for (const struct addrinfo *address = addresses; address; address = address->ai_next) {
		error = try(address, until_ms);
		if (error == 0)
			break;
	}
	freeaddrinfo(addresses);
	if (error != 0) {
		printf("%s: %s\n", target, strerror(error));
		return EXIT_FAILURE;
	}
	printf("%s accepted a connection in %lld ms\n", target, (long long)(now_ms() - start_ms));
	return EXIT_SUCCESS;
}
