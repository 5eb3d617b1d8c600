#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/log.h"
#include "../core/time.h"
#include "vip_state.h"

/* What is held and refused is tried again after this, then twice as long, up to the other. */
#define TRY_PAUSE_NS (250 * HBD_MS_NS)
#define TRY_PAUSE_MAX_NS (30 * HBD_S_NS)
/* However much happens to an interface. */
#define STIR_PAUSE_NS (50 * HBD_MS_NS)
/* Interfaces are looked at so often although nothing was told of them. */
#define LOOK_PAUSE_NS (10 * HBD_S_NS)
#define DOUBT_NS (60 * HBD_S_NS)
#define DOUBT_MAX_NS (3600 * HBD_S_NS)

#define V6_MTU_MIN 1280 /* RFC 8200; with less the kernel has no IPv6 on an interface */

static void set_refused(struct vip_group *group, struct vip_address *address, int error)
{
	group->refused_count += (error != 0) - (size_t)(address->refused != 0);
	address->refused = error;
}

void vip_note_answer(struct vip *vip, struct vip_address *address, int error)
{
	if (error == 0 && address->refused == 0)
		return;
	set_refused(vip_table_group(vip, address), address, error);
	address->explained = false;
}

static uint32_t stirs_of(const struct vip_group *group)
{
	uint32_t stirs = 0;

	for (size_t i = 0; i < group->count; i++)
		stirs += group->addresses[i].device->stirs;
	return stirs;
}

static int64_t twice(int64_t pause_ns, int64_t least_ns, int64_t most_ns)
{
	return pause_ns == 0 ? least_ns : hbd_time_min(2 * pause_ns, most_ns);
}

/* The first failure of several in a row counts for how long nothing is trusted. */
void vip_note_try(struct vip_group *group, int64_t now_ns)
{
	if (group->refused_count == 0) {
		group->try_pause_ns = group->doubt_pause_ns = 0;
		return;
	}
	if (group->try_pause_ns == 0 || !group->held)
		group->doubt_pause_ns = twice(group->doubt_pause_ns, DOUBT_NS, DOUBT_MAX_NS);
	group->doubt_until_ns = hbd_time_add(now_ns, group->doubt_pause_ns);
	group->try_pause_ns = twice(group->try_pause_ns, TRY_PAUSE_NS, TRY_PAUSE_MAX_NS);
	group->try_ns = hbd_time_add(now_ns, group->try_pause_ns);
	group->tried_ns = now_ns;
	group->tried_stirs = stirs_of(group);
}

void vip_end_doubt(struct vip *vip, const struct vip_device *device)
{
	for (uint8_t i = 0; i < vip->conf->group_count; i++) {
		struct vip_group *group = &vip->groups[i];

		for (size_t k = 0; group->refused_count > 0 && k < group->count; k++) {
			if (group->addresses[k].device != device)
				continue;
			group->doubt_until_ns = group->doubt_pause_ns = 0;
			group->try_pause_ns = 0;
		}
	}
}

int64_t vip_try_ns(const struct vip *vip, uint8_t group)
{
	const struct vip_group *wanted = &vip->groups[group];

	if (!wanted->held || wanted->refused_count == 0)
		return HBD_NEVER_NS;
	if (wanted->tried_stirs != stirs_of(wanted))
		return hbd_time_min(wanted->try_ns, hbd_time_add(wanted->tried_ns, STIR_PAUSE_NS));
	return wanted->try_ns;
}

static int64_t look_at_ns(const struct vip_device *device)
{
	if (!device->carries_v6 || !device->usable)
		return HBD_NEVER_NS;
	return hbd_time_add(device->looked_ns, device->stirs != device->looked_stirs
						       ? STIR_PAUSE_NS
						       : LOOK_PAUSE_NS);
}

static void look_at(struct vip *vip, struct vip_device *device, int64_t now_ns)
{
	int error;

	device->looked_ns = now_ns;
	device->looked_stirs = device->stirs;
	error = rtnl_try_v6(vip->rtnl, device->ifindex);
	/* no answer is none, and for an interface that went others care */
	if (error != -ETIMEDOUT && error != -ENODEV)
		device->v6_error = error;
}

static void judge(struct vip_group *group, struct vip_address *address, int64_t now_ns)
{
	const struct vip_device *device = address->device;
	bool v6 = address->conf->address.family == AF_INET6;

	if (v6 && device->usable && device->v6_error != 0) {
		set_refused(group, address, device->v6_error);
		address->explained = true;
	} else if (address->explained || now_ns >= group->doubt_until_ns) {
		set_refused(group, address, 0);
		address->explained = false;
	}
}

static void judge_group(struct vip_group *group, int64_t now_ns)
{
	for (size_t i = 0; i < group->count; i++)
		judge(group, &group->addresses[i], now_ns);
	if (now_ns >= group->doubt_until_ns)
		group->doubt_until_ns = 0;
}

void vip_look(struct vip *vip, int64_t now_ns)
{
	bool trouble = false;

	for (size_t i = 0; i < vip->device_count; i++) {
		struct vip_device *device = &vip->devices[i];

		if (now_ns >= look_at_ns(device))
			look_at(vip, device, now_ns);
		trouble = trouble || device->v6_error != 0;
	}
	for (uint8_t i = 0; i < vip->conf->group_count; i++) {
		struct vip_group *group = &vip->groups[i];

		if (!group->held && (trouble || group->refused_count > 0))
			judge_group(group, now_ns);
	}
}

int64_t vip_look_ns(const struct vip *vip)
{
	int64_t next_ns = HBD_NEVER_NS;

	for (size_t i = 0; i < vip->device_count; i++)
		next_ns = hbd_time_min(next_ns, look_at_ns(&vip->devices[i]));
	for (uint8_t i = 0; i < vip->conf->group_count; i++) {
		const struct vip_group *group = &vip->groups[i];

		if (!group->held && group->refused_count > 0 && group->doubt_until_ns > 0)
			next_ns = hbd_time_min(next_ns, group->doubt_until_ns);
	}
	return next_ns;
}

static void explain(const struct vip_address *address, struct vip_refusal *refusal)
{
	const struct vip_device *device = address->device;
	bool v6 = address->conf->address.family == AF_INET6;

	if (v6 && device->mtu != 0 && device->mtu < V6_MTU_MIN) {
		snprintf(refusal->why, sizeof(refusal->why),
			 "%s: IPv6 needs an MTU of %d, that of %s is %u",
			 log_strerror(address->refused), V6_MTU_MIN, device->name, device->mtu);
		snprintf(refusal->remedy, sizeof(refusal->remedy), "ip link set dev %s mtu 1500",
			 device->name);
	} else if (v6 && address->refused == -EACCES) {
		snprintf(refusal->why, sizeof(refusal->why), "%s: IPv6 is disabled on %s",
			 log_strerror(address->refused), device->name);
		snprintf(refusal->remedy, sizeof(refusal->remedy),
			 "sysctl net/ipv6/conf/%s/disable_ipv6=0", device->name);
	} else {
		snprintf(refusal->why, sizeof(refusal->why), "%s", log_strerror(address->refused));
	}
}

void vip_refusal(const struct vip *vip, uint8_t group, struct vip_refusal *ret_refusal)
{
	const struct vip_group *wanted = &vip->groups[group];

	memset(ret_refusal, 0, sizeof(*ret_refusal));
	for (size_t i = 0; wanted->refused_count > 0 && i < wanted->count; i++) {
		const struct vip_address *address = &wanted->addresses[i];

		/* on an interface that does not work nothing can be there: that is told as such */
		if (address->refused == 0 || !address->device->usable)
			continue;
		if (ret_refusal->count++ > 0)
			continue;
		ret_refusal->vip_index = i;
		ret_refusal->error = address->refused;
		explain(address, ret_refusal);
	}
}
