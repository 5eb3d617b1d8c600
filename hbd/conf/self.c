#include "conf.h"

#include <errno.h>
#include <string.h>

static int by_name(const struct hbd_conf *conf, const char *name)
{
	for (int i = 0; i < HBD_NODES; i++) {
		if (!strcmp(conf->nodes[i].name, name))
			return i;
	}
	return -ENOENT;
}

/* "lb1" and "lb1.example.org" are the same machine, as long as only one node fits. */
static int by_short_name(const struct hbd_conf *conf, const char *host_name)
{
	size_t length = strcspn(host_name, ".");
	int found = -ENOENT;

	for (int i = 0; i < HBD_NODES; i++) {
		const char *name = conf->nodes[i].name;

		if (strcspn(name, ".") != length || strncmp(name, host_name, length) != 0)
			continue;
		if (found >= 0)
			return -ENOENT;
		found = i;
	}
	return found;
}

static bool equal(const struct hbd_address *a, const struct hbd_address *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == AF_INET)
		return a->v4.s_addr == b->v4.s_addr;
	return IN6_ARE_ADDR_EQUAL(&a->v6, &b->v6);
}

static bool has_links(const struct hbd_conf_node *node, const struct hbd_address *addresses,
		      size_t count)
{
	for (unsigned i = 0; i < node->link_count; i++) {
		size_t j = 0;

		while (j < count && !equal(&node->links[i].address, &addresses[j]))
			j++;
		if (j == count)
			return false;
	}
	return true;
}

static int by_addresses(const struct hbd_conf *conf, const struct hbd_address *addresses,
			size_t count)
{
	bool first = has_links(&conf->nodes[0], addresses, count);
	bool second = has_links(&conf->nodes[1], addresses, count);

	if (first == second)
		return -ENOENT;
	return first ? 0 : 1;
}

int conf_self(const struct hbd_conf *conf, const char *name, const char *host_name,
	      const struct hbd_address *addresses, size_t address_count)
{
	int self = -ENOENT;

	if (name)
		return by_name(conf, name);
	if (host_name)
		self = by_name(conf, host_name);
	if (host_name && self < 0)
		self = by_short_name(conf, host_name);
	return self >= 0 ? self : by_addresses(conf, addresses, address_count);
}
