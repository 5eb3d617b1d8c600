/*
 * Removing leftovers. What is configured is recognised by address and interface, whatever its
 * prefix, mark or lifetime; what is not configured any more by the mark. Where the kernel has no
 * IFA_PROTO (before 5.18), an IPv6 address, or an IPv4 one on an interface with a name too long
 * for a label, has no mark: if it is not configured either it vanishes with its lifetime.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/log.h"
#include "vip_state.h"

struct sweep_interface {
	int ifindex;
	char name[IF_NAMESIZE];
};

struct sweep {
	const struct hbd_conf *conf;
	bool marked;	/* also what has our mark and is not configured */
	uint32_t kept;	/* but nothing of these groups */
	struct rtnl *rtnl;
	bool no_memory;
	size_t interface_count, interface_room;
	struct sweep_interface *interfaces;
	size_t found_count, found_room;
	struct rtnl_address *found; /* to be removed */
};

/* Room for one more item of size bytes, or false. */
static bool grow(struct sweep *sweep, void **items, size_t size, size_t count, size_t *room)
{
	size_t wanted = *room * 2 + 64;
	void *larger;

	if (count < *room)
		return true;
	larger = reallocarray(*items, wanted, size);
	if (!larger) {
		sweep->no_memory = true;
		return false;
	}
	*items = larger;
	*room = wanted;
	return true;
}

static void note_interface(void *context, const struct rtnl_interface *interface, bool gone)
{
	struct sweep *sweep = context;
	void *items = sweep->interfaces;
	struct sweep_interface *noted;

	(void)gone;
	if (!grow(sweep, &items, sizeof(*noted), sweep->interface_count, &sweep->interface_room))
		return;
	sweep->interfaces = items;
	noted = &sweep->interfaces[sweep->interface_count++];
	noted->ifindex = interface->ifindex;
	snprintf(noted->name, sizeof(noted->name), "%s", interface->name);
}

static const char *name_of(const struct sweep *sweep, int ifindex)
{
	for (size_t i = 0; i < sweep->interface_count; i++) {
		if (sweep->interfaces[i].ifindex == ifindex)
			return sweep->interfaces[i].name;
	}
	return "";
}

/* The group that has it; -1 = none. */
static int find_group(const struct sweep *sweep, const struct rtnl_address *address)
{
	const char *name = name_of(sweep, address->ifindex);

	for (uint8_t i = 0; i < sweep->conf->group_count; i++) {
		const struct hbd_conf_group *group = &sweep->conf->groups[i];

		for (size_t k = 0; k < group->vip_count; k++) {
			if (vip_same_address(&group->vips[k].address, &address->address) &&
			    strcmp(group->vips[k].interface, name) == 0)
				return i;
		}
	}
	return -1;
}

static void note_address(void *context, const struct rtnl_address *address, bool gone)
{
	struct sweep *sweep = context;
	void *items = sweep->found;
	int group = find_group(sweep, address);

	(void)gone;
	if (group < 0 ? !(sweep->marked && address->marked) : (sweep->kept >> group & 1) != 0)
		return;
	if (!grow(sweep, &items, sizeof(*address), sweep->found_count, &sweep->found_room))
		return;
	sweep->found = items;
	sweep->found[sweep->found_count++] = *address;
}

/* As vip_keep_secondaries(): what others have must stay when ours goes. */
static void keep_secondaries(const struct sweep *sweep)
{
	int done = 0;

	for (size_t i = 0; i < sweep->found_count; i++) {
		const struct rtnl_address *found = &sweep->found[i];
		int error;

		if (found->address.family != AF_INET || found->secondary || found->prefix == 32 ||
		    found->ifindex == done)
			continue;
		done = found->ifindex;
		error = rtnl_promote_secondaries(sweep->rtnl, done);
		if (error != 0)
			log_warning("vip: cannot set promote_secondaries of %s: %s; removing our "
				    "leftover addresses may remove others of their subnet",
				    name_of(sweep, done), log_strerror(error));
	}
}

/* The kernel lists the first address of a subnet before those that hang on it: last comes first. */
static void ask_remove(const struct sweep *sweep, struct rtnl_request *requests)
{
	for (size_t i = 0; i < sweep->found_count; i++) {
		const struct rtnl_address *found = &sweep->found[sweep->found_count - 1 - i];

		requests[i] = (struct rtnl_request){
			.verb = RTNL_REMOVE,
			.ifindex = found->ifindex,
			.address = found->address,
			.prefix = found->prefix,
		};
	}
}

static int remove_all(const struct sweep *sweep)
{
	struct rtnl_request *requests = calloc(sweep->found_count + 1, sizeof(*requests));
	int removed = 0, error = 0;

	if (!requests)
		return -ENOMEM;
	keep_secondaries(sweep);
	ask_remove(sweep, requests);
	rtnl_apply(sweep->rtnl, requests, sweep->found_count);
	for (size_t i = 0; i < sweep->found_count; i++) {
		if (requests[i].result == 0)
			removed++;
		else if (!rtnl_is_gone(requests[i].result) && error == 0)
			error = requests[i].result;
	}
	free(requests);
	return error != 0 ? error : removed;
}

int vip_sweep(const struct hbd_conf *conf, bool marked)
{
	return vip_sweep_others(conf, marked, 0);
}

int vip_sweep_others(const struct hbd_conf *conf, bool marked, uint32_t kept)
{
	struct sweep sweep = { .conf = conf, .marked = marked, .kept = kept };
	const struct rtnl_handlers handlers = {
		.context = &sweep,
		.interface = note_interface,
		.address = note_address,
	};
	int error = rtnl_open(false, 0, &sweep.rtnl);

	if (error == 0)
		error = rtnl_dump_interfaces(sweep.rtnl, &handlers);
	if (error == 0)
		error = rtnl_dump_addresses(sweep.rtnl, &handlers);
	if (error == 0)
		error = remove_all(&sweep);
	if (error >= 0 && sweep.no_memory)
		error = -ENOMEM;
	rtnl_close(sweep.rtnl);
	free(sweep.found);
	free(sweep.interfaces);
	return error;
}
