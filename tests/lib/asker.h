/*
 * Requests as Ethernet frames made by hand.
 *
 * To everyone on the LAN: the frame goes to the broadcast address (or that of all IPv6 nodes), the
 * packet in it to the virtual address, so that every machine that has this address answers,
 * whatever neighbor caches and switches believe. Two answers are two owners.
 *
 * To one machine: to a hardware address that neighbors.h knows.
 */
#pragma once

#include "frame.h"
#include "probe.h"

struct asker {
	union frame_address from;
	uint8_t mac[FRAME_MAC_BYTES];
	int packet_socket;
};

/*
 * Frames leave by the interface, from the address that the kernel would use to ask that one.
 * answers: the UDP socket, bound to a port, at which the answers shall arrive. Exits on failure.
 */
void asker_open(struct asker *asker, const char *interface, const union frame_address *address,
		int answers);

/* 0 or a negative errno. mac NULL: everyone. */
int asker_ask(const struct asker *asker, const union frame_address *address, const uint8_t *mac,
	      const struct probe *probe);
