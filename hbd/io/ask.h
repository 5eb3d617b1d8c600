/*
 * Asks the LAN who answers for a group's address, and for its gateway, and hears the answers
 * (PROTOCOL.md 6.1); and hears who speaks for one of a group's addresses without being asked.
 *
 * Questions are ARP probes (RFC 5227 1.1: sender address 0.0.0.0, so that no neighbor learns
 * anything from them) and, for a group without IPv4 addresses, neighbor solicitations from the
 * unspecified address (RFC 4862 5.4.2). One address of a group is asked for: the first one, IPv4 before
 * IPv6, whose interface has Ethernet addresses. The gateway is asked for in the same way, on the
 * interface of the first address of its family that has them.
 *
 * What comes in is filtered in the kernel: only what names an address or a gateway of the
 * configuration wakes anybody. What was not asked for is told once a second for each group.
 *
 * What an answer means is the core's to say. Frames are sent from announce's raw socket.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../core/limits.h"
#include "vip.h"

struct ask;

/* What hears. To be opened and kept by whoever watches an engine, as announce_socket() says. */
struct ask_sockets {
	int arp; /* packet socket, ARP only */
	int nd;	 /* ICMPv6, neighbor advertisements only; -1 = the machine has no IPv6 */
};

/* Each of the two is called for; 0 or a negative errno, then nothing is open. */
int ask_sockets_open(struct ask_sockets *ret_sockets);
void ask_sockets_close(struct ask_sockets *sockets);

/* sockets become this module's unless it fails; raw_fd stays announce's. 0 or -ENOMEM. */
int ask_open(const struct hbd_conf *conf, const struct vip *vip, int raw_fd,
	     const struct ask_sockets *sockets, struct ask **ret_ask);
void ask_close(struct ask *ask);

/* Sends one question, and one for the group's gateway if it has one. A failure is no answer: logged
 * once until one can be sent again. */
void ask_send(struct ask *ask, uint8_t group);

/* Sends one question for that address of the group. */
void ask_about(struct ask *ask, uint8_t group, size_t vip_index);

/* Asks about each address of the group, some at a time, and then about one in a while, in turn; or
 * no longer. */
void ask_about_all(struct ask *ask, uint8_t group, int64_t now_ns);
void ask_about_none(struct ask *ask, uint8_t group);
void ask_run(struct ask *ask, int64_t now_ns);
/* When ask_run() is next due; HBD_NEVER_NS if never. */
int64_t ask_deadline_ns(const struct ask *ask);

/* The Ethernet address that answers for the group if this node owns it; zeros = none. */
void ask_station(const struct ask *ask, uint8_t group, uint8_t ret_station[HBD_STATION_BYTES]);

enum ask_sign_type {
	ASK_UNSET = 0,
	ASK_ANSWER,  /* to a question of ask_send() */
	ASK_GATEWAY, /* from the group's gateway */
	ASK_SIGHT,   /* not asked for by it: somebody uses an address */
};

struct ask_sign {
	enum ask_sign_type type;
	uint8_t group;
	uint16_t address; /* ANSWER, SIGHT: which of the group's */
	uint8_t station[HBD_STATION_BYTES]; /* who */
};

typedef void (*ask_handler)(void *context, const struct ask_sign *sign);

/* Poll these for reading, -1 = none, and call ask_read() then: reads all that waits. */
const struct ask_sockets *ask_fds(const struct ask *ask);
void ask_read(struct ask *ask, ask_handler handler, void *context);
