#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "../core/time.h"
#include "vip_state.h"

/* However often somebody adds an address, it is removed so often, and that is told so often. */
#define EXPEL_PAUSE_NS (100 * HBD_MS_NS)
#define TELL_PAUSE_NS (60 * HBD_S_NS)
/* The same IPv4 address may be there with as many prefixes. */
#define PREFIXES_MAX 33

void vip_note_stray(struct vip *vip, struct vip_address *address, const struct rtnl_address *told,
		    bool gone)
{
	address->there = !gone;
	address->foreign = !told->marked;
	if (!gone && !vip_table_group(vip, address)->held)
		vip->stray_seen = true;
}

static struct vip_elsewhere *find_elsewhere(struct vip *vip, const struct vip_address *address,
					    int ifindex)
{
	for (size_t i = 0; i < VIP_ELSEWHERE_MAX; i++) {
		struct vip_elsewhere *item = &vip->elsewhere[i];

		if (item->address == address && item->ifindex == ifindex)
			return item;
	}
	return NULL;
}

/* A free one, or that which was told longest ago of those that are gone; else there is no room. */
static struct vip_elsewhere *new_elsewhere(struct vip *vip)
{
	struct vip_elsewhere *oldest = NULL;

	for (size_t i = 0; i < VIP_ELSEWHERE_MAX; i++) {
		struct vip_elsewhere *item = &vip->elsewhere[i];

		if (!item->present && (!oldest || item->told_ns < oldest->told_ns))
			oldest = item;
	}
	return oldest;
}

void vip_note_elsewhere(struct vip *vip, const struct rtnl_address *told, bool gone)
{
	const struct vip_address *address = vip_table_find(vip, &told->address);
	struct vip_elsewhere *item =
		address ? find_elsewhere(vip, address, told->ifindex) : NULL;

	if (!address || (gone && !item))
		return;
	if (!item) {
		item = new_elsewhere(vip);
		if (!item)
			return;
		*item = (struct vip_elsewhere){ .address = address, .ifindex = told->ifindex };
	}
	item->told = item->told && item->present && !gone;
	item->present = !gone;
	item->noted = !gone;
}

void vip_recount_elsewhere(struct vip *vip)
{
	for (size_t i = 0; i < VIP_ELSEWHERE_MAX; i++)
		vip->elsewhere[i].noted = false;
}

void vip_end_recount(struct vip *vip)
{
	for (size_t i = 0; i < VIP_ELSEWHERE_MAX; i++)
		vip->elsewhere[i].present &= vip->elsewhere[i].noted;
}

static bool is_time(int64_t last_ns, int64_t pause_ns, int64_t now_ns)
{
	return last_ns == 0 || now_ns >= hbd_time_add(last_ns, pause_ns);
}

static void tell_elsewhere(struct vip *vip, struct vip_elsewhere *item, int64_t now_ns,
			   vip_news_handler handler, void *context)
{
	const struct vip_group *group = vip_table_group(vip, item->address);
	struct vip_news news = {
		.type = VIP_NEWS_ELSEWHERE,
		.group = (uint8_t)(group - vip->groups),
		.vip_index = (size_t)(item->address - group->addresses),
	};

	item->told = true;
	if (!is_time(item->told_ns, TELL_PAUSE_NS, now_ns))
		return;
	/* it went with its interface */
	if (!if_indextoname((unsigned)item->ifindex, news.interface))
		return;
	item->told_ns = now_ns;
	handler(context, &news);
}

/* 0 if it was removed, -ENOENT if it was not there, or why it could not be. */
static int expel(struct vip *vip, struct vip_address *address)
{
	bool v4 = address->conf->address.family == AF_INET;
	struct rtnl_request request = {
		.verb = RTNL_REMOVE,
		.ifindex = address->device->ifindex,
		.address = address->conf->address,
		.prefix = address->prefix,
		.any_prefix = v4,
	};
	size_t removed = 0;

	vip_keep_secondaries(vip, address);
	do {
		rtnl_apply(vip->rtnl, &request, 1);
		removed += request.result == 0;
	} while (request.result == 0 && v4 && removed < PREFIXES_MAX);
	if (!rtnl_is_gone(request.result))
		return request.result;
	address->there = address->present = false;
	return removed > 0 ? 0 : -ENOENT;
}

static void tell_group(struct vip *vip, struct vip_group *group, struct vip_address *first, int error,
		       vip_news_handler handler, void *context)
{
	struct vip_news news = {
		.type = VIP_NEWS_STRAY,
		.group = (uint8_t)(group - vip->groups),
		.vip_index = (size_t)(first - group->addresses),
		.error = error,
		.untold = group->stray_untold,
	};

	snprintf(news.interface, sizeof(news.interface), "%s", first->device->name);
	group->stray_untold = 0;
	handler(context, &news);
}

/* What hbd itself added, and could not remove, is removed without a word. */
static void expel_group(struct vip *vip, struct vip_group *group, int64_t now_ns,
			vip_news_handler handler, void *context)
{
	struct vip_address *first = NULL;
	int error = 0;

	for (size_t i = 0; i < group->count; i++) {
		struct vip_address *address = &group->addresses[i];
		int r;

		if (!address->there || address->device->ifindex == 0)
			continue;
		r = expel(vip, address);
		if (r == -ENOENT || !address->foreign)
			continue;
		group->stray_untold += r == 0;
		error = first ? error : r;
		first = first ? first : address;
	}
	group->expelled_ns = now_ns;
	if (!first || !is_time(group->stray_told_ns, TELL_PAUSE_NS, now_ns))
		return;
	group->stray_told_ns = now_ns;
	tell_group(vip, group, first, error, handler, context);
}

static bool has_stray(const struct vip_group *group)
{
	for (size_t i = 0; !group->held && i < group->count; i++) {
		if (group->addresses[i].there && group->addresses[i].device->ifindex != 0)
			return true;
	}
	return false;
}

void vip_expel(struct vip *vip, int64_t now_ns, vip_news_handler handler, void *context)
{
	bool left = false;

	for (uint8_t i = 0; vip->stray_seen && i < vip->conf->group_count; i++) {
		struct vip_group *group = &vip->groups[i];

		if (has_stray(group) && is_time(group->expelled_ns, EXPEL_PAUSE_NS, now_ns))
			expel_group(vip, group, now_ns, handler, context);
		left = left || has_stray(group);
	}
	vip->stray_seen = left;
	for (size_t i = 0; i < VIP_ELSEWHERE_MAX; i++) {
		if (vip->elsewhere[i].present && !vip->elsewhere[i].told)
			tell_elsewhere(vip, &vip->elsewhere[i], now_ns, handler, context);
	}
}

int64_t vip_expel_ns(const struct vip *vip)
{
	int64_t next_ns = HBD_NEVER_NS;

	for (uint8_t i = 0; vip->stray_seen && i < vip->conf->group_count; i++) {
		if (has_stray(&vip->groups[i]))
			next_ns = hbd_time_min(next_ns, hbd_time_add(vip->groups[i].expelled_ns,
								     EXPEL_PAUSE_NS));
	}
	return next_ns;
}
