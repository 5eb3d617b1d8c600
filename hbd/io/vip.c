#include "vip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vip_state.h"

int vip_open(const struct hbd_conf *conf, uint8_t self, struct vip **ret_vip)
{
	struct vip *vip = calloc(1, sizeof(*vip));
	int error;

	if (!vip)
		return -ENOMEM;
	vip->conf = conf;
	error = vip_table_build(vip, self);
	if (error == 0)
		error = rtnl_open(true, 0, &vip->rtnl);
	if (error == 0)
		error = vip_read_all(vip);
	if (error != 0) {
		vip_close(vip);
		return error;
	}
	for (uint8_t i = 0; i < conf->group_count; i++)
		vip->groups[i].usable_told = vip_interfaces_usable(vip, i);
	for (uint8_t i = 0; i < vip->link_count; i++) {
		vip->links[i].lacks_told = vip_link_lacks(vip, i);
		vip->links[i].ifindex_told = vip->links[i].device->ifindex;
	}
	*ret_vip = vip;
	return 0;
}

void vip_close(struct vip *vip)
{
	if (!vip)
		return;
	rtnl_close(vip->rtnl);
	vip_table_free(vip);
	free(vip);
}

int vip_fd(const struct vip *vip)
{
	return rtnl_event_fd(vip->rtnl);
}

bool vip_interfaces_usable(const struct vip *vip, uint8_t group)
{
	const struct vip_group *wanted = &vip->groups[group];

	for (size_t i = 0; i < wanted->count; i++) {
		if (!wanted->addresses[i].device->usable)
			return false;
	}
	return true;
}

bool vip_link_usable(const struct vip *vip, uint8_t link)
{
	return vip_link_lacks(vip, link) == NULL;
}

const char *vip_link_lacks(const struct vip *vip, uint8_t link)
{
	static const char *const interface = "there is no such interface";
	static const char *const carrier = "its interface is down or without carrier";
	static const char *const address = "its address is not on its interface";
	const struct vip_link *item = &vip->links[link];

	if (item->device->ifindex == 0)
		return interface;
	if (!item->device->usable)
		return carrier;
	return item->present ? NULL : address;
}

int vip_interface(const struct vip *vip, uint8_t group, size_t vip_index, int *ret_ifindex,
		  uint8_t ret_mac[6])
{
	const struct vip_device *device = vip->groups[group].addresses[vip_index].device;

	if (device->ifindex == 0 || !device->ethernet)
		return -ENODEV;
	*ret_ifindex = device->ifindex;
	memcpy(ret_mac, device->mac, sizeof(device->mac));
	return 0;
}

int vip_find(const struct vip *vip, int ifindex, const struct hbd_address *address,
	     uint8_t *ret_group, size_t *ret_index)
{
	const struct vip_device *device = vip_table_device(vip, ifindex);
	const struct vip_address *found = device ? vip_table_address(vip, device, address) : NULL;

	for (uint8_t i = 0; found && i < vip->conf->group_count; i++) {
		const struct vip_group *group = &vip->groups[i];

		if (found < group->addresses || found >= group->addresses + group->count)
			continue;
		*ret_group = i;
		*ret_index = (size_t)(found - group->addresses);
		return 0;
	}
	return -ENOENT;
}

bool vip_forwards(const struct vip *vip, uint8_t group, size_t vip_index)
{
	return vip->groups[group].addresses[vip_index].device->forwards;
}
