#include <errno.h>
#include <string.h>

#include "../base/log.h"
#include "../core/time.h"
#include "clock.h"
#include "vip_state.h"

/* An entry lasts for seconds after the kernel began to doubt it, so none is given up unseen. */
#define LOOK_NS (1000 * HBD_MS_NS)
#define LOOK_DOUBTED_NS (100 * HBD_MS_NS)

/* How soon to look again. */
static int64_t look(struct vip *vip, struct vip_link *link)
{
	struct rtnl_neighbor entry = {
		.ifindex = link->device->ifindex,
		.address = link->peer->address,
	};

	if (entry.ifindex == 0 || rtnl_neighbor_read(vip->rtnl, &entry) != 0)
		return LOOK_NS;
	if (entry.resolved) {
		memcpy(link->peer_mac, entry.mac, sizeof(link->peer_mac));
		link->peer_known = true;
	}
	if (entry.given_up && link->peer_known) {
		memcpy(entry.mac, link->peer_mac, sizeof(entry.mac));
		/* if that fails it goes on as without: the kernel asks once a second */
		rtnl_neighbor_suggest(vip->rtnl, &entry);
	}
	return entry.confirmed ? LOOK_NS : LOOK_DOUBTED_NS;
}

void vip_keep_peers(struct vip *vip, int64_t now_ns)
{
	for (uint8_t i = 0; i < vip->link_count; i++) {
		struct vip_link *link = &vip->links[i];

		if (now_ns >= link->look_ns)
			link->look_ns = now_ns + look(vip, link);
	}
}

int64_t vip_keep_peers_ns(const struct vip *vip)
{
	int64_t due_ns = HBD_NEVER_NS;

	for (uint8_t i = 0; i < vip->link_count; i++)
		due_ns = hbd_time_min(due_ns, vip->links[i].look_ns);
	return due_ns;
}
