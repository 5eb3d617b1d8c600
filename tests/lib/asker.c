#include "asker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

/* The address that the kernel would send from to that one. */
static union frame_address source_for(const union frame_address *to)
{
	union frame_address from;
	socklen_t bytes = sizeof(from);
	int fd = socket(to->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, &to->any, frame_address_bytes(to)) < 0 ||
	    getsockname(fd, &from.any, &bytes) < 0)
		tool_fail("find the address to ask from");
	close(fd);
	return from;
}

void asker_open(struct asker *asker, const char *interface, const union frame_address *address,
		int answers)
{
	union frame_address bound;
	socklen_t bytes = sizeof(bound);

	if (getsockname(answers, &bound.any, &bytes) < 0)
		tool_fail("port of the answers");
	asker->from = source_for(address);
	asker->from.v4.sin_port = bound.v4.sin_port;
	frame_mac_of(interface, asker->mac);
	asker->packet_socket = frame_socket(interface, 0);
}

int asker_ask(const struct asker *asker, const union frame_address *address, const uint8_t *mac,
	      const struct probe *probe)
{
	static const uint8_t all_v4[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t all_v6[] = {0x33, 0x33, 0, 0, 0, 1};
	struct frame_udp udp = {.to = address, .from = &asker->from, .hops = 64, .payload = probe,
				.payload_bytes = sizeof(*probe)};
	uint8_t frame[FRAME_HEADERS_MAX + sizeof(*probe)];
	size_t length;

	if (!mac)
		mac = address->any.sa_family == AF_INET ? all_v4 : all_v6;
	memcpy(udp.to_mac, mac, FRAME_MAC_BYTES);
	memcpy(udp.from_mac, asker->mac, FRAME_MAC_BYTES);
	length = frame_make_udp(&udp, frame);
	return send(asker->packet_socket, frame, length, 0) < 0 ? -errno : 0;
}
