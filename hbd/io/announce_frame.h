/* The frames that announce.c sends, byte by byte; pure. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANNOUNCE_FRAME_BYTES 86 /* no frame is longer */

/*
 * Gratuitous ARP to all: sender and target address are the VIP. As a request (RFC 5227 2.3), or as a
 * reply whose target hardware address is ours as well, for only then does a Linux neighbor take it
 * at once even if it updated its entry within the last second. Both are needed: there are switches
 * and hosts that ignore either. Returns the length.
 */
size_t announce_frame_request(uint8_t *frame, const uint8_t mac[6], struct in_addr address);
size_t announce_frame_reply(uint8_t *frame, const uint8_t mac[6], struct in_addr address);

/* Unsolicited neighbour advertisement to all nodes, override set; router: its R flag. */
size_t announce_frame_advertisement(uint8_t *frame, const uint8_t mac[6],
				    const struct in6_addr *address, bool router);
