/*
 * Ethernet frames made by hand, and the packet socket that sends and sees them.
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define FRAME_HEADERS_MAX 62	/* Ethernet, IPv6, UDP */
#define FRAME_MAC_BYTES 6

union frame_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct frame_udp {
	uint8_t to_mac[FRAME_MAC_BYTES];
	uint8_t from_mac[FRAME_MAC_BYTES];
	const union frame_address *to;		/* with port; both of one family */
	const union frame_address *from;
	uint8_t hops;				/* TTL or hop limit */
	const void *payload;
	size_t payload_bytes;
};

/* Reads "10.77.0.100" or "fd77::100", with that port. 0, -EINVAL. */
int frame_address_parse(const char *text, uint16_t port, union frame_address *ret_address);
socklen_t frame_address_bytes(const union frame_address *address);

/* Adds that many to the address; stays within its last 32 bits. */
void frame_address_add(union frame_address *address, uint32_t count);

/* Writes the frame, checksums included, into FRAME_HEADERS_MAX + payload_bytes; returns its length. */
size_t frame_make_udp(const struct frame_udp *udp, uint8_t *frame);

/* A packet socket for protocol (ETH_P_...; 0 = only to send) on an interface. Exits if it cannot. */
int frame_socket(const char *interface, uint16_t protocol);
void frame_mac_of(const char *interface, uint8_t *ret_mac);
