/* The frames that announce.c and ask.c send, byte by byte; pure. */
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

/* ARP probe to all for an address that is not (yet) ours: sender address 0.0.0.0 (RFC 5227 1.1). */
size_t announce_frame_probe(uint8_t *frame, const uint8_t mac[6], struct in_addr address);

/* Neighbour solicitation for it, from the unspecified address, so that all nodes get the answer. */
size_t announce_frame_solicitation(uint8_t *frame, const uint8_t mac[6],
				   const struct in6_addr *address);
