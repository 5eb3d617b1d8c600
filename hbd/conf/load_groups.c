#include "loader.h"

#include <stdlib.h>
#include <string.h>

#include "suggest.h"

static void load_address(struct conf_loader *loader, struct hbd_conf_group *group,
			 const config_setting_t *element)
{
	unsigned line = config_setting_source_line(element);
	struct hbd_conf_vip *vip = &group->vips[group->vip_count];
	struct conf_sighting sighting = { .line = line, .owner = group->name };
	const char *text = conf_good_string(element);

	if (!text || !conf_parse_vip(loader, line, text, vip))
		return;
	group->vip_count++;
	sighting.address = vip->address;
	memcpy(sighting.interface, vip->interface, sizeof(sighting.interface));
	conf_saw_address(loader, &sighting);
}

static void load_addresses(struct conf_loader *loader, const config_setting_t *from,
			   struct hbd_conf_group *group)
{
	const config_setting_t *list = conf_list(CONF_GROUP, from, "addresses");
	int count = list ? config_setting_length(list) : 0;

	if (count > HBD_ADDRESSES_MAX)
		count = HBD_ADDRESSES_MAX;
	if (count == 0)
		return;
	group->vips = calloc((size_t)count, sizeof(*group->vips));
	if (!group->vips) {
		loader->no_memory = true;
		return;
	}
	for (int i = 0; i < count; i++)
		load_address(loader, group, config_setting_get_elem(list, (unsigned)i));
}

static void load_prefer(struct conf_loader *loader, const config_setting_t *from,
			struct hbd_conf_group *group)
{
	const struct hbd_conf_node *nodes = loader->conf->nodes;
	const char *names[HBD_NODES] = { nodes[0].name, nodes[1].name };
	unsigned line;
	const char *text = conf_string(from, "prefer", &line);
	const char *suggestion;

	group->prefer = HBD_NO_PREFERENCE;
	if (!text || !loader->peer_names_known)
		return;
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		if (!strcmp(names[i], text)) {
			group->prefer = i;
			return;
		}
	}
	suggestion = conf_suggest(text, names, HBD_NODES);
	if (suggestion)
		conf_mistake(loader, line, "prefer: there is no node \"%.64s\"; did you mean "
			     "\"%s\"?", text, suggestion);
	else
		conf_mistake(loader, line, "prefer: there is no node \"%.64s\"; the nodes are "
			     "\"%s\" and \"%s\"", text, names[0], names[1]);
}

static void load_gateway(struct conf_loader *loader, const config_setting_t *from,
			 unsigned group)
{
	unsigned *line = &loader->gateway_lines[group];
	const char *text = conf_string(from, "gateway", line);

	if (text)
		conf_parse_gateway(loader, *line, text, &loader->conf->groups[group].gateway);
}

/* What was promoted here is not to be used there any longer, whoever is still connected. */
static bool takes_before(const struct hbd_conf_group *group)
{
	for (uint8_t i = 0; i < group->takeover_count; i++)
		if (group->takeover[i].step.order == HBD_ORDER_BEFORE)
			return true;
	return false;
}

/* Where would it go? */
static void check_failback(struct conf_loader *loader, const config_setting_t *from,
			   const struct hbd_conf_group *group)
{
	unsigned line = 0;

	if (!group->failback || config_setting_get_member(from, "prefer"))
		return;
	conf_string(from, "failback", &line);
	conf_mistake(loader, line, "failback: \"auto\" needs to know the node to go back to; name it "
		     "with prefer");
}

static void load_group(struct conf_loader *loader, const config_setting_t *from)
{
	struct hbd_conf *conf = loader->conf;
	struct hbd_conf_group *group = &conf->groups[conf->group_count];

	loader->group_lines[conf->group_count++] = config_setting_source_line(from);
	conf_load_section(loader, CONF_GROUP, from, group);
	load_prefer(loader, from, group);
	check_failback(loader, from, group);
	load_addresses(loader, from, group);
	load_gateway(loader, from, conf->group_count - 1u);
	conf_load_checks(loader, from, group);
	conf_load_takeover(loader, from, group);
	if (!config_setting_get_member(from, "drain_s") && takes_before(group))
		group->drain_ns = 0;
}

void conf_load_groups(struct conf_loader *loader, const config_setting_t *root)
{
	const config_setting_t *groups = conf_list(CONF_FILE, root, "groups");
	int count = groups ? config_setting_length(groups) : 0;

	for (int i = 0; i < count && loader->conf->group_count < HBD_GROUPS_MAX; i++) {
		const config_setting_t *from = config_setting_get_elem(groups, (unsigned)i);

		if (config_setting_is_group(from))
			load_group(loader, from);
	}
}
