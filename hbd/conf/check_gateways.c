#include "loader.h"

#include <string.h>

/* Where a group's gateway is asked for: at the first of its addresses of that family; NULL if
 * there is nobody to ask, and the mistake is told. */
static const char *find_interface(struct conf_loader *loader, unsigned line,
				  const struct hbd_conf_group *group)
{
	bool family = false;

	for (size_t i = 0; i < group->vip_count; i++) {
		if (group->vips[i].address.family != group->gateway.family)
			continue;
		family = true;
		if (strcmp(group->vips[i].interface, "lo") != 0)
			return group->vips[i].interface;
	}
	/* an address that was refused may have been the right one */
	if (group->vip_count == 0)
		return NULL;
	if (family)
		conf_mistake(loader, line, "gateway: the addresses of group \"%s\" are on lo, where "
			     "there is no router to ask", group->name);
	else
		conf_mistake(loader, line, "gateway: group \"%s\" has no %s address, so this says "
			     "nothing of its network", group->name,
			     group->gateway.family == AF_INET ? "IPv4" : "IPv6");
	return NULL;
}

/* Link-local addresses are told apart by their interface as well (RFC 4007). */
static bool is_same(const struct hbd_address *gateway, const char *interface,
		    const struct hbd_address *other, const char *other_interface)
{
	if (!hbd_address_equal(gateway, other))
		return false;
	return gateway->family == AF_INET || !IN6_IS_ADDR_LINKLOCAL(&gateway->v6) ||
	       !strcmp(interface, other_interface);
}

static void check_links(struct conf_loader *loader, unsigned line,
			const struct hbd_address *gateway, const char *interface)
{
	char text[INET6_ADDRSTRLEN];

	for (unsigned n = 0; n < HBD_NODES; n++) {
		const struct hbd_conf_node *node = &loader->conf->nodes[n];

		for (unsigned i = 0; i < node->link_count; i++) {
			if (is_same(gateway, interface, &node->links[i].address,
				    node->links[i].interface))
				conf_mistake(loader, line, "gateway: %s is node \"%s\"'s own, for "
					     "a link; write a router's",
					     hbd_address_text(gateway, text), node->name);
		}
	}
}

static void check_vips(struct conf_loader *loader, unsigned line,
		       const struct hbd_address *gateway, const char *interface)
{
	char text[INET6_ADDRSTRLEN];

	for (unsigned g = 0; g < loader->conf->group_count; g++) {
		const struct hbd_conf_group *group = &loader->conf->groups[g];

		for (size_t i = 0; i < group->vip_count; i++) {
			if (is_same(gateway, interface, &group->vips[i].address,
				    group->vips[i].interface))
				conf_mistake(loader, line, "gateway: %s is an address of group "
					     "\"%s\", which moves; write a router's",
					     hbd_address_text(gateway, text), group->name);
		}
	}
}

void conf_check_gateways(struct conf_loader *loader)
{
	for (unsigned i = 0; i < loader->conf->group_count; i++) {
		const struct hbd_conf_group *group = &loader->conf->groups[i];
		unsigned line = loader->gateway_lines[i];
		const char *interface;

		if (group->gateway.family == 0)
			continue;
		interface = find_interface(loader, line, group);
		if (!interface)
			continue;
		check_links(loader, line, &group->gateway, interface);
		check_vips(loader, line, &group->gateway, interface);
	}
}
