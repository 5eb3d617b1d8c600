#include "loader.h"

#include <string.h>

static const char *family_text(int family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

static void check_names(struct conf_loader *loader)
{
	const struct hbd_conf_node *nodes = loader->conf->nodes;

	if (loader->peer_names_known && !strcmp(nodes[0].name, nodes[1].name))
		conf_mistake(loader, loader->node_lines[1],
			     "name: the node of line %u is called \"%s\", too",
			     loader->node_lines[0], nodes[0].name);
}

static void check_pair(struct conf_loader *loader, unsigned link_index)
{
	const struct hbd_conf_node *nodes = loader->conf->nodes;
	int family = nodes[0].links[link_index].address.family;
	int other_family = nodes[1].links[link_index].address.family;

	if (family != other_family)
		conf_mistake(loader, loader->link_lines[1][link_index],
			     "links: number %u is %s here and %s on line %u; the ends of a link "
			     "stand at the same place of both lists", link_index + 1,
			     family_text(other_family), family_text(family),
			     loader->link_lines[0][link_index]);
}

void conf_check_nodes(struct conf_loader *loader)
{
	const struct hbd_conf_node *nodes = loader->conf->nodes;

	check_names(loader);
	if (loader->link_errors[0] || loader->link_errors[1])
		return;
	if (nodes[0].link_count != nodes[1].link_count && loader->node_lines[1])
		conf_mistake(loader, loader->node_lines[1],
			     "links: %u here and %u at the node of line %u; each needs an end on "
			     "both nodes", nodes[1].link_count, nodes[0].link_count,
			     loader->node_lines[0]);
	for (unsigned i = 0; i < nodes[0].link_count && i < nodes[1].link_count; i++)
		check_pair(loader, i);
}
