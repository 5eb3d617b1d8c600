/*
 * Announces addresses to the LAN: gratuitous ARP in both forms (request, and reply with THA = SHA;
 * RFC 5227 2.3, PROTOCOL-NOTES 3.1) and unsolicited neighbour advertisements (RFC 4861 7.2.6, O=1,
 * R = the interface's forwarding state, hop limit 255).
 *
 * Schedule after announce_start(): 0, 10, 50, 200 ms, 1, 2, 5, 10 s, then every refresh_ns if set.
 * Every address' first frame goes before any address' second; frames after the first round are
 * paced. Frames are sent from raw packet sockets and never block; a frame that could not be sent
 * is tried again in the next round and the error is logged once.
 */
#pragma once

#include <stdint.h>

#include "vip.h"

struct announce;

/*
 * The raw socket. Closing the last reference to it takes the kernel up to 30 ms (it waits until no
 * CPU uses it any more), also when its process is killed, and nobody hears of that death before; so
 * whoever watches an engine opens it and keeps a reference. 0 with *ret_fd, or a negative errno.
 */
int announce_socket(int *ret_fd);

/* fd: from announce_socket(), becomes this module's unless it fails. 0 or -ENOMEM. */
int announce_open(const struct hbd_conf *conf, const struct vip *vip, int fd,
		  struct announce **ret);
void announce_close(struct announce *announce);

/* (Re)starts the group's schedule: the first round is sent before this returns. */
void announce_start(struct announce *announce, uint8_t group, int64_t now_ns);

/* Announces one address once, whatever the schedule. */
void announce_once(struct announce *announce, uint8_t group, size_t vip_index);

/* Ends it; nothing more is sent for the group. */
void announce_stop(struct announce *announce, uint8_t group);

/* Sends what is due at now_ns. */
void announce_run(struct announce *announce, int64_t now_ns);

/* When announce_run() is next due; HBD_NEVER_NS if never. */
int64_t announce_deadline_ns(const struct announce *announce);
