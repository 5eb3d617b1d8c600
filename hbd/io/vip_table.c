#include "vip_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool vip_same_address(const struct hbd_address *a, const struct hbd_address *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == AF_INET)
		return a->v4.s_addr == b->v4.s_addr;
	return memcmp(&a->v6, &b->v6, sizeof(a->v6)) == 0;
}

const char *vip_text(const struct hbd_conf_vip *conf, char *text)
{
	char address[INET6_ADDRSTRLEN];

	snprintf(text, VIP_TEXT_BYTES, "%s/%u on %s", hbd_address_text(&conf->address, address),
		 conf->prefix, conf->interface);
	return text;
}

static int compare_addresses(const struct hbd_address *a, const struct hbd_address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(&a->v6, &b->v6, a->family == AF_INET ? sizeof(a->v4) : sizeof(a->v6));
}

static int compare(const void *left, const void *right)
{
	const struct vip_address *a = *(struct vip_address *const *)left;
	const struct vip_address *b = *(struct vip_address *const *)right;
	int order = compare_addresses(&a->conf->address, &b->conf->address);

	if (order != 0 || a->device == b->device)
		return order;
	return a->device < b->device ? -1 : 1;
}

struct vip_address *vip_table_address(const struct vip *vip, const struct vip_device *device,
				      const struct hbd_address *address)
{
	size_t low = 0, high = vip->address_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct vip_address *found = vip->sorted[middle];
		int order = compare_addresses(address, &found->conf->address);

		if (order == 0 && found->device == device)
			return found;
		if (order < 0 || (order == 0 && device < found->device))
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

struct vip_address *vip_table_find(const struct vip *vip, const struct hbd_address *address)
{
	size_t low = 0, high = vip->address_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_addresses(address, &vip->sorted[middle]->conf->address) <= 0)
			high = middle;
		else
			low = middle + 1;
	}
	if (low < vip->address_count &&
	    vip_same_address(address, &vip->sorted[low]->conf->address))
		return vip->sorted[low];
	return NULL;
}

struct vip_group *vip_table_group(struct vip *vip, const struct vip_address *address)
{
	uint8_t i = 0;

	while (address >= vip->groups[i].addresses + vip->groups[i].count)
		i++;
	return &vip->groups[i];
}

struct vip_device *vip_table_device(const struct vip *vip, int ifindex)
{
	for (size_t i = 0; ifindex != 0 && i < vip->device_count; i++) {
		if (vip->devices[i].ifindex == ifindex)
			return &vip->devices[i];
	}
	return NULL;
}

struct vip_device *vip_table_device_by_name(const struct vip *vip, const char *name)
{
	for (size_t i = 0; i < vip->device_count; i++) {
		if (strcmp(vip->devices[i].name, name) == 0)
			return &vip->devices[i];
	}
	return NULL;
}

/* There is room for one device per address and link. */
static struct vip_device *name_device(struct vip *vip, const char *name)
{
	struct vip_device *device = vip_table_device_by_name(vip, name);

	if (device)
		return device;
	device = &vip->devices[vip->device_count++];
	snprintf(device->name, sizeof(device->name), "%s", name);
	return device;
}

static void fill_group(struct vip *vip, uint8_t index)
{
	const struct hbd_conf_group *conf = &vip->conf->groups[index];
	struct vip_group *group = &vip->groups[index];

	group->addresses = &vip->addresses[vip->address_count];
	group->count = conf->vip_count;
	for (size_t i = 0; i < conf->vip_count; i++) {
		struct vip_address *address = &vip->addresses[vip->address_count];

		address->conf = &conf->vips[i];
		group->v6_count += conf->vips[i].address.family == AF_INET6;
		address->device = name_device(vip, conf->vips[i].interface);
		if (conf->vips[i].address.family == AF_INET6)
			address->device->carries_v6 = true;
		address->prefix = conf->vips[i].prefix;
		vip->sorted[vip->address_count++] = address;
	}
}

static void fill_links(struct vip *vip, const struct hbd_conf_node *node,
		       const struct hbd_conf_node *peer)
{
	vip->link_count = node->link_count;
	for (uint8_t i = 0; i < node->link_count; i++) {
		vip->links[i].conf = &node->links[i];
		vip->links[i].device = name_device(vip, node->links[i].interface);
		vip->links[i].peer = &peer->links[i];
	}
}

int vip_table_build(struct vip *vip, uint8_t self)
{
	size_t total = 0, largest = 0;

	for (uint8_t i = 0; i < vip->conf->group_count; i++) {
		size_t count = vip->conf->groups[i].vip_count;

		total += count;
		largest = count > largest ? count : largest;
	}
	vip->devices = calloc(total + HBD_LINKS_MAX, sizeof(*vip->devices));
	vip->addresses = calloc(total + 1, sizeof(*vip->addresses));
	vip->sorted = calloc(total + 1, sizeof(struct vip_address *));
	vip->requests = calloc(largest + 1, sizeof(*vip->requests));
	vip->chosen = calloc(largest + 1, sizeof(struct vip_address *));
	if (!vip->devices || !vip->addresses || !vip->sorted || !vip->requests || !vip->chosen)
		return -ENOMEM;
	for (uint8_t i = 0; i < vip->conf->group_count; i++)
		fill_group(vip, i);
	fill_links(vip, &vip->conf->nodes[self], &vip->conf->nodes[!self]);
	qsort(vip->sorted, total, sizeof(struct vip_address *), compare);
	return 0;
}

void vip_table_free(struct vip *vip)
{
	free(vip->neighbors);
	free(vip->chosen);
	free(vip->requests);
	free(vip->sorted);
	free(vip->addresses);
	free(vip->devices);
}
