/*
 * The UDP socket of one link: bound to its own address, port and interface, connected to the
 * peer's, so that the kernel drops strangers; IPv4 and IPv6.
 *
 * Sends with TTL / hop limit 255, DF set, and class selector 6; receives with the kernel's receive
 * time and the TTL, which must be 255 (RFC 5082). Opening needs privilege (low port, interface) and
 * is the guardian's; sending and receiving are the engine's. Nothing blocks.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../conf/conf.h"
#include "clock.h"

/* One received datagram. */
struct udp_datagram {
	size_t length;			/* true length; only a part is there of a longer one */
	int64_t received_ns;		/* on hbd's clock */
	int ttl;			/* -1 = not reported */
	uint8_t bytes[HBD_PACKET_BYTES_MAX + 8];
};

#define UDP_BATCH 32

/* More datagrams than the receive buffer of a link can hold: who has read so many in a row has seen
 * all that waited when it began, however fast new ones come. */
#define UDP_QUEUE_MAX 1024

/* 0 with *ret_fd, or a negative errno; ret_what names the failed call. conf: for the port. */
int udp_open(const struct hbd_conf *conf, uint8_t self, uint8_t link, int *ret_fd,
	     const char **ret_what);

/* 0 or a negative errno; -ECONNREFUSED: the peer's kernel said of an earlier datagram that nobody
 * listens; this one was sent all the same. */
int udp_send(int fd, const uint8_t *bytes, size_t length);

/*
 * Reads up to UDP_BATCH datagrams: their count, 0 if none waits, or a negative errno as of
 * udp_send(). Receive times are clamped to [not_before_ns, clock->boot_ns]; one that the kernel did
 * not note is clock->boot_ns. *ret_overflow, if the kernel told: how many it had to drop for lack
 * of buffer since the socket was opened.
 */
int udp_receive(int fd, const struct clock_pair *clock, int64_t not_before_ns,
		struct udp_datagram *datagrams, uint32_t *ret_overflow);
