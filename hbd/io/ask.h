/*
 * Asks the LAN who answers for a group's address, and hears the answers (PROTOCOL.md 6.1).
 *
 * Questions are ARP probes (RFC 5227 1.1: sender address 0.0.0.0, so that no neighbor learns
 * anything from them) and, for a group without IPv4 addresses, neighbor solicitations from the
 * unspecified address (RFC 4862 5.4.2). One address of a group is asked for: the first one, IPv4 before
 * IPv6, whose interface has Ethernet addresses.
 *
 * What an answer means is the core's to say. Frames are sent from announce's raw socket.
 */
#pragma once

#include <stdint.h>

#include "../core/limits.h"
#include "vip.h"

struct ask;

/* What hears. To be opened and kept by whoever watches an engine, as announce_socket() says. */
struct ask_sockets {
	int arp; /* packet socket, ARP replies only */
	int nd;	 /* ICMPv6, neighbor advertisements only; -1 = the machine has no IPv6 */
};

/* Each of the two is called for; 0 or a negative errno, then nothing is open. */
int ask_sockets_open(struct ask_sockets *ret_sockets);
void ask_sockets_close(struct ask_sockets *sockets);

/* sockets become this module's unless it fails; raw_fd stays announce's. 0 or -ENOMEM. */
int ask_open(const struct hbd_conf *conf, const struct vip *vip, int raw_fd,
	     const struct ask_sockets *sockets, struct ask **ret_ask);
void ask_close(struct ask *ask);

/* Sends one question. A failure is no answer: logged once until one can be sent again. */
void ask_send(struct ask *ask, uint8_t group);

/* The Ethernet address that answers for the group if this node owns it; zeros = none. */
void ask_station(const struct ask *ask, uint8_t group, uint8_t ret_station[HBD_STATION_BYTES]);

/* station: who answered for an address of the group. */
typedef void (*ask_handler)(void *context, uint8_t group, const uint8_t *station);

/* Poll these for reading, -1 = none, and call ask_read() then: reads all that waits. */
const struct ask_sockets *ask_fds(const struct ask *ask);
void ask_read(struct ask *ask, ask_handler handler, void *context);
