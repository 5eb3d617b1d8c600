#include "print.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "schema.h"

/* The digest is made of what stands here: another form of it is another digest, and a pair of two
 * releases would complain that its configurations differ. */

/* How a section is printed: how deep it stands and whether as a whole. */
struct printer {
	FILE *stream;
	bool agreed_only;
	unsigned depth;
};

static void indent(const struct printer *printer)
{
	for (unsigned i = 0; i < printer->depth; i++)
		fputc('\t', printer->stream);
}

static int64_t number_at(const struct conf_setting *setting, const char *object)
{
	const void *member = object + setting->offset;
	int64_t wide;
	unsigned narrow;
	uint16_t small;

	if (setting->bytes == sizeof(wide)) {
		memcpy(&wide, member, sizeof(wide));
		return wide / conf_unit_ns(setting->unit);
	}
	if (setting->bytes == sizeof(narrow)) {
		memcpy(&narrow, member, sizeof(narrow));
		return narrow;
	}
	memcpy(&small, member, sizeof(small));
	return small;
}

/* A word that is not stored can only have its default. */
static const char *word_at(const struct conf_setting *setting, const char *object)
{
	int value;

	if (!setting->bytes)
		return setting->preset_text;
	if (setting->bytes == sizeof(bool))
		value = *(const bool *)(object + setting->offset);
	else
		memcpy(&value, object + setting->offset, sizeof(value));
	for (const struct conf_word *word = setting->words; word->text; word++) {
		if (word->value == value)
			return word->text;
	}
	return "";
}

/* Releases that do not know the setting do as it says now. */
static bool is_understood(const struct conf_setting *row, const void *object)
{
	if (!row->late)
		return false;
	if (row->type == CONF_NUMBER)
		return number_at(row, object) == row->preset;
	return !strcmp(word_at(row, object), row->preset_text);
}

/* Settings that the table describes in full; the others are the sections' own. */
static void print_plain(const struct printer *printer, enum conf_section section,
			const void *object)
{
	size_t count;
	const struct conf_setting *rows = conf_schema(&count);

	for (size_t i = 0; i < count; i++) {
		const struct conf_setting *row = &rows[i];

		if (row->section != section || (printer->agreed_only && !row->agreed))
			continue;
		if (row->type != CONF_NAME && row->type != CONF_NUMBER && row->type != CONF_WORD)
			continue;
		if (printer->agreed_only && is_understood(row, object))
			continue;
		indent(printer);
		if (row->type == CONF_NUMBER)
			fprintf(printer->stream, "%s = %lld;\n", row->name,
				(long long)number_at(row, object));
		else
			fprintf(printer->stream, "%s = \"%s\";\n", row->name,
				row->type == CONF_WORD ? word_at(row, object) :
				(const char *)object + row->offset);
	}
}

static void open_list(struct printer *printer, const char *name)
{
	indent(printer);
	fprintf(printer->stream, "%s = (", name);
	printer->depth++;
}

static void next_element(const struct printer *printer, bool first)
{
	fputs(first ? "\n" : ",\n", printer->stream);
	indent(printer);
}

static void close_list(struct printer *printer, bool empty)
{
	printer->depth--;
	fputs(empty ? " " : "\n", printer->stream);
	if (!empty)
		indent(printer);
	fputs(");\n", printer->stream);
}

static void open_section(struct printer *printer, bool first)
{
	next_element(printer, first);
	fputs("{\n", printer->stream);
	printer->depth++;
}

static void close_section(struct printer *printer)
{
	printer->depth--;
	indent(printer);
	fputs("}", printer->stream);
}

static void print_string(const struct printer *printer, const char *name, const char *text)
{
	indent(printer);
	fprintf(printer->stream, "%s = ", name);
	conf_string_print(text, printer->stream);
	fputs(";\n", printer->stream);
}

static void print_parameters(const struct printer *printer, const struct hbd_conf_plugin *plugin)
{
	for (unsigned i = 0; i < plugin->parameter_count; i++) {
		indent(printer);
		fprintf(printer->stream, "%s = ", plugin->parameters[i].name);
		conf_json_print(plugin->parameters[i].json, printer->stream);
		fputs(";\n", printer->stream);
	}
}

/* An interface's name may hold a quote, so even these go the way of all strings. */
static void print_link(const struct printer *printer, const struct hbd_conf_link *link)
{
	char address[INET6_ADDRSTRLEN], text[sizeof(address) + IF_NAMESIZE + 2];

	snprintf(text, sizeof(text), "%s%%%s", hbd_address_text(&link->address, address),
		 link->interface);
	conf_string_print(text, printer->stream);
}

static void print_vip(const struct printer *printer, const struct hbd_conf_vip *vip)
{
	char address[INET6_ADDRSTRLEN], text[sizeof(address) + IF_NAMESIZE + 16];

	snprintf(text, sizeof(text), "%s/%u dev %s", hbd_address_text(&vip->address, address),
		 vip->prefix, vip->interface);
	conf_string_print(text, printer->stream);
}

static void print_node(struct printer *printer, const struct hbd_conf_node *node, bool first)
{

	open_section(printer, first);
	print_plain(printer, CONF_NODE, node);
	indent(printer);
	fputs("links = (", printer->stream);
	for (unsigned i = 0; i < node->link_count; i++) {
		fputs(i ? ", " : " ", printer->stream);
		print_link(printer, &node->links[i]);
	}
	fputs(" );\n", printer->stream);
	close_section(printer);
}

static void print_addresses(struct printer *printer, const struct hbd_conf_group *group)
{
	open_list(printer, "addresses");
	for (size_t i = 0; i < group->vip_count; i++) {
		next_element(printer, i == 0);
		print_vip(printer, &group->vips[i]);
	}
	close_list(printer, false);
}

/* A check by its kind is its plugin's parameter of the plugin's name. */
static bool is_own_kind(const struct hbd_conf_plugin *plugin)
{
	return plugin->parameter_count > 0 && !strcmp(plugin->name, plugin->parameters[0].name) &&
	       strcmp(plugin->name, "check") != 0 && conf_schema_find(CONF_CHECK, plugin->name);
}

static void print_check(struct printer *printer, const struct hbd_conf_check *check, bool first)
{
	open_section(printer, first);
	if (!is_own_kind(&check->plugin))
		print_string(printer, "check", check->plugin.name);
	print_parameters(printer, &check->plugin);
	print_plain(printer, CONF_CHECK, check);
	close_section(printer);
}

static void print_step(struct printer *printer, const struct hbd_conf_plugin *plugin, bool first)
{
	open_section(printer, first);
	print_string(printer, "plugin", plugin->name);
	print_plain(printer, CONF_TAKEOVER, plugin);
	print_parameters(printer, plugin);
	close_section(printer);
}

static void print_gateway(struct printer *printer, const struct hbd_conf_group *group)
{
	char address[INET6_ADDRSTRLEN];

	if (group->gateway.family != 0)
		print_string(printer, "gateway", hbd_address_text(&group->gateway, address));
}

static void print_group(struct printer *printer, const struct hbd_conf *conf, unsigned index)
{
	const struct hbd_conf_group *group = &conf->groups[index];

	open_section(printer, index == 0);
	print_plain(printer, CONF_GROUP, group);
	if (group->prefer != HBD_NO_PREFERENCE)
		print_string(printer, "prefer", conf->nodes[group->prefer].name);
	print_gateway(printer, group);
	print_addresses(printer, group);
	open_list(printer, "checks");
	for (unsigned i = 0; i < group->check_count; i++)
		print_check(printer, &group->checks[i], i == 0);
	close_list(printer, group->check_count == 0);
	open_list(printer, "takeover");
	for (unsigned i = 0; i < group->takeover_count; i++)
		print_step(printer, &group->takeover[i], i == 0);
	close_list(printer, group->takeover_count == 0);
	close_section(printer);
}

static void print_keys(const struct printer *printer, const struct hbd_conf *conf)
{
	fputs("keys = (", printer->stream);
	for (unsigned i = 0; i < conf->key_path_count; i++) {
		fputs(i ? ", " : " ", printer->stream);
		conf_string_print(conf->key_paths[i], printer->stream);
	}
	fputs(" );\n", printer->stream);
}

static void print_alerts(struct printer *printer, const struct hbd_conf *conf)
{
	open_list(printer, "alerts");
	for (unsigned i = 0; i < conf->alert_count; i++) {
		const struct hbd_conf_alert *alert = &conf->alerts[i];

		open_section(printer, i == 0);
		print_string(printer, "plugin", alert->plugin.name);
		print_plain(printer, CONF_ALERT, alert);
		print_parameters(printer, &alert->plugin);
		close_section(printer);
	}
	close_list(printer, conf->alert_count == 0);
}

/* The nodes must agree that there is one, and on its kind; its settings may differ. */
static void print_witness(struct printer *printer, const struct hbd_conf_witness *witness)
{
	open_list(printer, "witness");
	if (witness->present) {
		open_section(printer, true);
		print_string(printer, "plugin", witness->plugin.name);
		print_plain(printer, CONF_WITNESS, witness);
		if (!printer->agreed_only)
			print_parameters(printer, &witness->plugin);
		close_section(printer);
	}
	close_list(printer, !witness->present);
}

static void print_file(struct printer *printer, const struct hbd_conf *conf)
{
	print_plain(printer, CONF_FILE, conf);
	if (!printer->agreed_only)
		print_keys(printer, conf);
	open_list(printer, "nodes");
	for (unsigned i = 0; i < HBD_NODES; i++)
		print_node(printer, &conf->nodes[i], i == 0);
	close_list(printer, false);
	open_list(printer, "groups");
	for (unsigned i = 0; i < conf->group_count; i++)
		print_group(printer, conf, i);
	close_list(printer, false);
	/* where there is none the digest is that of a release that knew none */
	if (!printer->agreed_only || conf->witness.present)
		print_witness(printer, &conf->witness);
	if (!printer->agreed_only)
		print_alerts(printer, conf);
}

void conf_print(const struct hbd_conf *conf, FILE *stream)
{
	struct printer printer = { .stream = stream };

	print_file(&printer, conf);
}

void conf_print_agreed(const struct hbd_conf *conf, FILE *stream)
{
	struct printer printer = { .stream = stream, .agreed_only = true };

	print_file(&printer, conf);
}
