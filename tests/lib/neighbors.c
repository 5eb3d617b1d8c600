#include "neighbors.h"

#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

struct arp_frame {
	struct ether_header ether;
	struct ether_arp arp;
} __attribute__((packed));

void neighbors_open(struct neighbors *neighbors, const char *interface,
		    const union frame_address *own)
{
	neighbors->socket = frame_socket(interface, ETHERTYPE_ARP);
	neighbors->own_address = own->v4.sin_addr.s_addr;
	frame_mac_of(interface, neighbors->own_mac);
}

/* Where the address is, or belongs. */
static size_t place_of(const struct neighbors *neighbors, uint32_t address)
{
	size_t low = 0, high = neighbors->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (neighbors->entries[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct neighbor *entry_of(const struct neighbors *neighbors, uint32_t address)
{
	size_t place = place_of(neighbors, address);

	if (place == neighbors->count || neighbors->entries[place].address != address)
		return NULL;
	return &neighbors->entries[place];
}

void neighbors_add(struct neighbors *neighbors, const union frame_address *address)
{
	uint32_t key = address->v4.sin_addr.s_addr;
	size_t place = place_of(neighbors, key);

	if (entry_of(neighbors, key))
		return;
	neighbors->entries = reallocarray(neighbors->entries, neighbors->count + 1,
					  sizeof(*neighbors->entries));
	if (!neighbors->entries)
		tool_fail("remember %zu neighbors", neighbors->count + 1);
	memmove(&neighbors->entries[place + 1], &neighbors->entries[place],
		(neighbors->count - place) * sizeof(*neighbors->entries));
	neighbors->entries[place] = (struct neighbor){.address = key};
	neighbors->count++;
}

static void ask_who_has(const struct neighbors *neighbors, uint32_t address)
{
	struct arp_frame frame = {.ether = {.ether_type = htons(ETHERTYPE_ARP)}};

	memset(frame.ether.ether_dhost, 0xff, FRAME_MAC_BYTES);
	memcpy(frame.ether.ether_shost, neighbors->own_mac, FRAME_MAC_BYTES);
	frame.arp.arp_hrd = htons(ARPHRD_ETHER);
	frame.arp.arp_pro = htons(ETHERTYPE_IP);
	frame.arp.arp_hln = FRAME_MAC_BYTES;
	frame.arp.arp_pln = sizeof(address);
	frame.arp.arp_op = htons(ARPOP_REQUEST);
	memcpy(frame.arp.arp_sha, neighbors->own_mac, FRAME_MAC_BYTES);
	memcpy(frame.arp.arp_spa, &neighbors->own_address, sizeof(address));
	memcpy(frame.arp.arp_tpa, &address, sizeof(address));
	/* a question that is lost is asked again at the next use of the address */
	if (send(neighbors->socket, &frame, sizeof(frame), 0) < 0)
		return;
}

const struct neighbor *neighbors_find(struct neighbors *neighbors,
				      const union frame_address *address)
{
	struct neighbor *entry = entry_of(neighbors, address->v4.sin_addr.s_addr);

	if (entry && entry->known)
		return entry;
	if (entry)
		ask_who_has(neighbors, entry->address);
	return NULL;
}

void neighbors_dispatch(struct neighbors *neighbors)
{
	struct arp_frame frame;
	struct neighbor *entry;
	uint32_t sender;

	while (recv(neighbors->socket, &frame, sizeof(frame), MSG_DONTWAIT | MSG_TRUNC) >=
	       (ssize_t)sizeof(frame)) {
		memcpy(&sender, frame.arp.arp_spa, sizeof(sender));
		entry = entry_of(neighbors, sender);
		if (!entry || !memcmp(frame.arp.arp_sha, neighbors->own_mac, FRAME_MAC_BYTES))
			continue;
		memcpy(entry->mac, frame.arp.arp_sha, FRAME_MAC_BYTES);
		entry->known = true;
	}
}

void neighbors_close(struct neighbors *neighbors)
{
	free(neighbors->entries);
	close(neighbors->socket);
}
