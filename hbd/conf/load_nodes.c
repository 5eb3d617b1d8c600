#include "loader.h"

#include <string.h>

static void load_link(struct conf_loader *loader, unsigned node_index,
		      const config_setting_t *element)
{
	struct hbd_conf_node *node = &loader->conf->nodes[node_index];
	unsigned line = config_setting_source_line(element);
	struct hbd_conf_link *link = &node->links[node->link_count];
	struct conf_sighting sighting = { .line = line, .is_link = true, .owner = node->name };
	const char *text = conf_good_string(element);

	if (!text || !conf_parse_link(loader, line, text, link)) {
		loader->link_errors[node_index]++;
		return;
	}
	loader->link_lines[node_index][node->link_count++] = line;
	sighting.address = link->address;
	memcpy(sighting.interface, link->interface, sizeof(sighting.interface));
	conf_saw_address(loader, &sighting);
}

static void load_node(struct conf_loader *loader, unsigned node_index,
		      const config_setting_t *from)
{
	const config_setting_t *links = conf_list(CONF_NODE, from, "links");

	loader->node_lines[node_index] = config_setting_source_line(from);
	conf_load_section(loader, CONF_NODE, from, &loader->conf->nodes[node_index]);
	if (!links) {
		loader->link_errors[node_index]++;
		return;
	}
	for (int i = 0; i < config_setting_length(links) && i < HBD_LINKS_MAX; i++)
		load_link(loader, node_index, config_setting_get_elem(links, (unsigned)i));
}

void conf_load_nodes(struct conf_loader *loader, const config_setting_t *root)
{
	const config_setting_t *nodes = conf_list(CONF_FILE, root, "nodes");

	for (unsigned i = 0; nodes && i < HBD_NODES; i++) {
		const config_setting_t *from = config_setting_get_elem(nodes, i);

		if (from && config_setting_is_group(from))
			load_node(loader, i, from);
	}
	loader->peer_names_known = loader->conf->nodes[0].name[0] && loader->conf->nodes[1].name[0];
}
