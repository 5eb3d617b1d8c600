#include "vip_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/log.h"

/* What was known of the addresses on an interface no longer holds. */
static void forget_addresses(struct vip *vip, const struct vip_device *device)
{
	size_t kept = 0;

	for (size_t i = 0; i < vip->address_count; i++) {
		if (vip->addresses[i].device == device)
			vip->addresses[i].present = vip->addresses[i].primary =
				vip->addresses[i].there = false;
	}
	for (uint8_t i = 0; i < vip->link_count; i++) {
		if (vip->links[i].device == device)
			vip->links[i].present = false;
	}
	for (size_t i = 0; i < vip->neighbor_count; i++) {
		if (vip->neighbors[i].device != device)
			vip->neighbors[kept++] = vip->neighbors[i];
	}
	vip->neighbor_count = kept;
}

static void forget_device(struct vip *vip, struct vip_device *device)
{
	forget_addresses(vip, device);
	device->ifindex = 0;
	device->usable = device->ethernet = device->forwards = false;
	device->mtu = 0;
	device->stirs++;
}

/* Interfaces are known by name; a renamed one leaves its old name and takes the new one's place. */
static void note_interface(void *context, const struct rtnl_interface *interface, bool gone)
{
	struct vip *vip = context;
	struct vip_device *device = vip_table_device(vip, interface->ifindex);

	vip->changed = true;
	if (device && (gone || strcmp(device->name, interface->name) != 0)) {
		forget_device(vip, device);
		device = NULL;
	}
	if (gone)
		return;
	if (!device) {
		device = vip_table_device_by_name(vip, interface->name);
		if (!device)
			return;
		if (device->ifindex != 0)
			forget_device(vip, device);
		device->ifindex = interface->ifindex;
		/* Addresses that it got under another name were not noted. */
		vip->incomplete = true;
	}
	if (device->usable != interface->usable || device->mtu != interface->mtu) {
		device->stirs++;
		vip_end_doubt(vip, device);
	}
	device->usable = interface->usable;
	device->mtu = interface->mtu;
	device->ethernet = interface->ethernet;
	memcpy(device->mac, interface->mac, sizeof(device->mac));
	if (interface->forwards_known)
		device->forwards = interface->forwards;
}

static void note_forwarding(void *context, int ifindex, bool forwards)
{
	struct vip_device *device = vip_table_device(context, ifindex);

	if (device)
		device->forwards = forwards;
}

static bool same_neighbor(const struct vip_neighbor *neighbor, const struct vip_device *device,
			  const struct in6_addr *address)
{
	return neighbor->device == device && memcmp(&neighbor->address, address, 16) == 0;
}

static void note_ready(void *context, int ifindex)
{
	struct vip_device *device = vip_table_device(context, ifindex);

	if (device)
		device->stirs++;
}

static void add_neighbor(struct vip *vip, const struct vip_neighbor *neighbor)
{
	if (vip->neighbor_count == vip->neighbor_room) {
		size_t room = vip->neighbor_room * 2 + 16;
		struct vip_neighbor *larger = realloc(vip->neighbors, room * sizeof(*larger));

		/* Without it a VIP brings its own route: no harm. */
		if (!larger)
			return;
		vip->neighbors = larger;
		vip->neighbor_room = room;
	}
	vip->neighbors[vip->neighbor_count++] = *neighbor;
}

static void note_neighbor(struct vip *vip, const struct vip_device *device,
			  const struct rtnl_address *address, bool gone)
{
	struct vip_neighbor neighbor = { device, address->address.v6, address->prefix };
	size_t i = 0;

	while (i < vip->neighbor_count &&
	       !same_neighbor(&vip->neighbors[i], device, &neighbor.address))
		i++;
	if (i < vip->neighbor_count)
		vip->neighbors[i] = vip->neighbors[--vip->neighbor_count];
	if (!gone)
		add_neighbor(vip, &neighbor);
}

static bool in_subnet(const struct in6_addr *a, const struct in6_addr *b, uint8_t prefix)
{
	unsigned rest = prefix % 8;

	if (memcmp(a, b, prefix / 8) != 0)
		return false;
	return rest == 0 || ((a->s6_addr[prefix / 8] ^ b->s6_addr[prefix / 8]) >> (8 - rest)) == 0;
}

bool vip_is_routed(const struct vip *vip, const struct vip_address *address)
{
	if (address->conf->address.family != AF_INET6)
		return false;
	if (address->conf->prefix == 128)
		return true;
	for (size_t i = 0; i < vip->neighbor_count; i++) {
		const struct vip_neighbor *neighbor = &vip->neighbors[i];

		if (neighbor->device == address->device &&
		    neighbor->prefix == address->conf->prefix &&
		    in_subnet(&neighbor->address, &address->conf->address.v6, neighbor->prefix))
			return true;
	}
	return false;
}

static void note_link_address(struct vip *vip, const struct vip_device *device,
			      const struct rtnl_address *address, bool gone)
{
	for (uint8_t i = 0; i < vip->link_count; i++) {
		struct vip_link *link = &vip->links[i];

		if (link->device == device &&
		    vip_same_address(&link->conf->address, &address->address))
			link->present = !gone && !address->tentative;
	}
}

static void note_address(void *context, const struct rtnl_address *address, bool gone)
{
	struct vip *vip = context;
	struct vip_device *device = vip_table_device(vip, address->ifindex);
	struct vip_address *ours;

	if (!device || !vip_table_address(vip, device, &address->address))
		vip_note_elsewhere(vip, address, gone);
	if (!device)
		return;
	vip->changed = true;
	note_link_address(vip, device, address, gone);
	ours = vip_table_address(vip, device, &address->address);
	/* one of another's, or one less: IPv6 may have begun there, or ended */
	if (!ours || gone)
		device->stirs++;
	if (!ours) {
		if (address->address.family == AF_INET6)
			note_neighbor(vip, device, address, gone);
		return;
	}
	vip_note_stray(vip, ours, address, gone);
	/* IPv4 may have the same address with another prefix beside ours. */
	if (address->address.family == AF_INET && address->prefix != ours->conf->prefix)
		return;
	ours->present = !gone;
	ours->prefix = gone ? ours->conf->prefix : address->prefix;
	ours->primary = !gone && address->address.family == AF_INET && !address->secondary &&
			address->prefix < 32;
	if (!gone)
		ours->told = false;
	vip->primary_seen = vip->primary_seen || ours->primary;
}

static struct rtnl_handlers note_all(struct vip *vip)
{
	return (struct rtnl_handlers){
		.context = vip,
		.interface = note_interface,
		.address = note_address,
		.forwarding = note_forwarding,
		.ready = note_ready,
	};
}

static int read_addresses(struct vip *vip)
{
	const struct rtnl_handlers handlers = note_all(vip);
	int error;

	vip->incomplete = true;
	for (size_t i = 0; i < vip->device_count; i++)
		forget_addresses(vip, &vip->devices[i]);
	vip_recount_elsewhere(vip);
	error = rtnl_dump_addresses(vip->rtnl, &handlers);
	if (error == 0)
		vip->incomplete = false;
	if (error == 0)
		vip_end_recount(vip);
	return error;
}

int vip_read_all(struct vip *vip)
{
	const struct rtnl_handlers handlers = note_all(vip);
	int error;

	vip->incomplete = true;
	for (size_t i = 0; i < vip->device_count; i++)
		forget_device(vip, &vip->devices[i]);
	error = rtnl_dump_interfaces(vip->rtnl, &handlers);
	return error != 0 ? error : read_addresses(vip);
}

/*
 * An IPv4 address that is the first of its subnet on an interface takes all others of that subnet
 * with it when it goes, also those that are not ours, unless the interface promotes secondaries.
 */
void vip_keep_secondaries(struct vip *vip, struct vip_address *address)
{
	struct vip_device *device = address->device;
	char text[VIP_TEXT_BYTES];
	int error;

	if (!address->primary || device->ifindex == 0 ||
	    device->promotes_ifindex == device->ifindex)
		return;
	device->promotes_ifindex = device->ifindex;
	error = rtnl_promote_secondaries(vip->rtnl, device->ifindex);
	if (error != 0)
		log_warning("vip: cannot set promote_secondaries of %s: %s; when %s goes, other "
			    "addresses of its subnet go as well",
			    device->name, log_strerror(error), vip_text(address->conf, text));
	else
		log_info("vip: set promote_secondaries of %s, because %s is the first address of "
			 "its subnet there and others must stay when it goes",
			 device->name, vip_text(address->conf, text));
}

static void keep_all_secondaries(struct vip *vip)
{
	vip->primary_seen = false;
	for (size_t i = 0; i < vip->address_count; i++)
		vip_keep_secondaries(vip, &vip->addresses[i]);
}

static void tell_links(struct vip *vip, vip_news_handler handler, void *context)
{
	for (uint8_t i = 0; i < vip->link_count; i++) {
		struct vip_link *link = &vip->links[i];
		struct vip_news news = {
			.type = VIP_NEWS_LINK,
			.link = i,
			.usable = vip_link_usable(vip, i),
			.lacks = vip_link_lacks(vip, i),
			.recreated = link->device->ifindex != 0 && link->ifindex_told != 0 &&
				     link->device->ifindex != link->ifindex_told,
		};
		bool changed = news.lacks != link->lacks_told || news.recreated;

		link->lacks_told = news.lacks;
		if (link->device->ifindex != 0)
			link->ifindex_told = link->device->ifindex;
		if (changed)
			handler(context, &news);
	}
}

static void tell_interfaces(struct vip *vip, vip_news_handler handler, void *context)
{
	for (uint8_t i = 0; i < vip->conf->group_count; i++) {
		struct vip_news news = {
			.type = VIP_NEWS_INTERFACE,
			.group = i,
			.usable = vip_interfaces_usable(vip, i),
		};

		if (news.usable == vip->groups[i].usable_told)
			continue;
		vip->groups[i].usable_told = news.usable;
		handler(context, &news);
	}
}

/* On an interface that is not usable nothing can be put back: that is INTERFACE's news. */
static bool is_missed(const struct vip_address *address)
{
	return !address->present && !address->told && address->device->usable;
}

static bool misses(const struct vip_group *group)
{
	for (size_t i = 0; group->held && i < group->count; i++) {
		if (is_missed(&group->addresses[i]))
			return true;
	}
	return false;
}

static bool any_misses(const struct vip *vip)
{
	for (uint8_t i = 0; i < vip->conf->group_count; i++) {
		if (misses(&vip->groups[i]))
			return true;
	}
	return false;
}

static void tell_missing(struct vip *vip, vip_news_handler handler, void *context)
{
	for (uint8_t i = 0; i < vip->conf->group_count; i++) {
		const struct vip_news news = { .type = VIP_NEWS_MISSING, .group = i };
		struct vip_group *group = &vip->groups[i];

		if (!misses(group))
			continue;
		for (size_t k = 0; k < group->count; k++)
			group->addresses[k].told |= is_missed(&group->addresses[k]);
		handler(context, &news);
	}
}

/*
 * Every event is noted first and judged when none is left: an address that went and came back is
 * not missed. The kernel tells of an added IPv6 address later than it answers, so what seems to be
 * missing is looked for before it is told.
 */
static int note_events(struct vip *vip)
{
	const struct rtnl_handlers handlers = note_all(vip);
	int error = rtnl_read_events(vip->rtnl, &handlers);

	if (error == -ENOBUFS || (error == 0 && vip->incomplete))
		return vip_read_all(vip);
	if (error == 0 && vip->changed && any_misses(vip))
		return read_addresses(vip);
	return error;
}

void vip_dispatch(struct vip *vip, vip_news_handler handler, void *context)
{
	int error = note_events(vip);

	if (error != 0) {
		if (error != -EAGAIN && !vip->failure_told)
			log_warning("vip: cannot read interfaces and addresses: %s; trying again",
				    log_strerror(error));
		vip->failure_told = vip->failure_told || error != -EAGAIN;
		return;
	}
	vip->failure_told = false;
	if (!vip->changed)
		return;
	vip->changed = false;
	if (vip->primary_seen)
		keep_all_secondaries(vip);
	tell_links(vip, handler, context);
	tell_interfaces(vip, handler, context);
	tell_missing(vip, handler, context);
}
