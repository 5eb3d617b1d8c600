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
		vip->links[i].usable_told = vip_link_usable(vip, i);
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
	return vip->links[link].device->usable && vip->links[link].present;
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

bool vip_forwards(const struct vip *vip, uint8_t group, size_t vip_index)
{
	return vip->groups[group].addresses[vip_index].device->forwards;
}
