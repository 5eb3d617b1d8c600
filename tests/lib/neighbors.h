/*
 * A neighbor cache of its own, for IPv4: what a router with thousands of entries has. The kernel's
 * holds 1024 for all namespaces together.
 *
 * As in the kernel's, an entry comes from an answer to a question, and any ARP packet of a
 * neighbor updates it at once, gratuitous ones of both forms included. Entries do not expire: an
 * address whose new owner does not announce it stays at the old one's hardware address.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "frame.h"

struct neighbor {
	uint32_t address;	/* network byte order; the table is sorted by it */
	uint8_t mac[FRAME_MAC_BYTES];
	bool known;
};

struct neighbors {
	struct neighbor *entries;
	size_t count;
	uint32_t own_address;
	uint8_t own_mac[FRAME_MAC_BYTES];
	int socket;		/* to poll for reading */
};

/* Exits on failure. own: the address to ask from. */
void neighbors_open(struct neighbors *neighbors, const char *interface,
		    const union frame_address *own);

/* Before the first neighbors_find(); twice the same address is one entry. */
void neighbors_add(struct neighbors *neighbors, const union frame_address *address);

/* The entry of an address that was added. Unknown yet: the question is asked, NULL returned. */
const struct neighbor *neighbors_find(struct neighbors *neighbors,
				      const union frame_address *address);

void neighbors_close(struct neighbors *neighbors);

/* Takes in all ARP packets that wait. */
void neighbors_dispatch(struct neighbors *neighbors);
