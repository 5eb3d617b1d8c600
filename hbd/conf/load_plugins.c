#include "loader.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

static char *copy_string(struct conf_loader *loader, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		loader->no_memory = true;
	return copy;
}

static void bad_parameter(struct conf_loader *loader, const config_setting_t *value, int error)
{
	const char *name = config_setting_name(value);
	unsigned line = config_setting_source_line(value);

	if (error == -EILSEQ)
		conf_mistake(loader, line, "%s: holds a control character or a byte that is not "
			     "UTF-8", name);
	else if (error == -ERANGE)
		conf_mistake(loader, line, "%s: is too large for a number", name);
	else if (error == -E2BIG)
		conf_mistake(loader, line, "%s: is nested deeper than %d levels", name,
			     CONF_NESTING_MAX);
	else
		loader->no_memory = true;
}

static void load_parameter(struct conf_loader *loader, const config_setting_t *value,
			   struct hbd_conf_plugin *plugin)
{
	struct hbd_conf_parameter *parameter = &plugin->parameters[plugin->parameter_count];
	int result = conf_json_from_setting(value, &parameter->json);

	if (result < 0) {
		bad_parameter(loader, value, result);
		return;
	}
	parameter->name = copy_string(loader, config_setting_name(value));
	parameter->line = config_setting_source_line(value);
	plugin->parameter_count++;
}

void conf_load_parameters(struct conf_loader *loader, enum conf_section section,
			  const config_setting_t *from, struct hbd_conf_plugin *plugin)
{
	for (int i = 0; i < config_setting_length(from); i++) {
		const config_setting_t *value = config_setting_get_elem(from, (unsigned)i);

		if (conf_schema_find(section, config_setting_name(value)))
			continue;
		if (plugin->parameter_count == HBD_PARAMETERS_MAX) {
			conf_mistake(loader, config_setting_source_line(value),
				     "%s: a plugin has at most %d parameters",
				     config_setting_name(value), HBD_PARAMETERS_MAX);
			return;
		}
		load_parameter(loader, value, plugin);
	}
}

/* Takes the plugin's name from key; plugins are found by name, never by path. */
static void load_plugin_name(struct conf_loader *loader, const config_setting_t *from,
			     const char *key, struct hbd_conf_plugin *plugin)
{
	unsigned line;
	const char *text = conf_string(from, key, &line);

	if (!text)
		return;
	if (strchr(text, '/'))
		conf_mistake(loader, line, "%s: \"%.64s\" is a path; give the plugin's name, "
			     "\"%.64s\"", key, text, strrchr(text, '/') + 1);
	else if (!conf_is_name(text))
		conf_mistake(loader, line, "%s: \"%.64s\" is not the name of a plugin", key, text);
	else
		plugin->name = copy_string(loader, text);
	plugin->line = line;
}

static void load_step(struct conf_loader *loader, const config_setting_t *from,
		      struct hbd_conf_plugin *plugin)
{
	conf_load_section(loader, CONF_TAKEOVER, from, plugin);
	load_plugin_name(loader, from, "plugin", plugin);
	conf_load_parameters(loader, CONF_TAKEOVER, from, plugin);
	if (plugin->step.on_failure == HBD_ON_FAILURE_UNSET)
		plugin->step.on_failure = plugin->step.order == HBD_ORDER_BEFORE ?
					  HBD_ON_FAILURE_ABORT : HBD_ON_FAILURE_CONTINUE;
}

void conf_load_takeover(struct conf_loader *loader, const config_setting_t *from,
			struct hbd_conf_group *group)
{
	const config_setting_t *list = conf_list(CONF_GROUP, from, "takeover");
	int count = list ? config_setting_length(list) : 0;

	for (int i = 0; i < count && group->takeover_count < HBD_STEPS_MAX; i++) {
		const config_setting_t *step = config_setting_get_elem(list, (unsigned)i);

		if (config_setting_is_group(step))
			load_step(loader, step, &group->takeover[group->takeover_count++]);
	}
}

static void load_alert(struct conf_loader *loader, const config_setting_t *from,
		       struct hbd_conf_alert *alert)
{
	conf_load_section(loader, CONF_ALERT, from, alert);
	load_plugin_name(loader, from, "plugin", &alert->plugin);
	conf_load_parameters(loader, CONF_ALERT, from, &alert->plugin);
}

void conf_load_witness(struct conf_loader *loader, const config_setting_t *root)
{
	const config_setting_t *list = conf_list(CONF_FILE, root, "witness");
	const config_setting_t *from = list ? config_setting_get_elem(list, 0) : NULL;
	struct hbd_conf_witness *witness = &loader->conf->witness;

	if (!from || !config_setting_is_group(from))
		return;
	witness->present = true;
	conf_load_section(loader, CONF_WITNESS, from, witness);
	load_plugin_name(loader, from, "plugin", &witness->plugin);
	conf_load_parameters(loader, CONF_WITNESS, from, &witness->plugin);
}

void conf_load_alerts(struct conf_loader *loader, const config_setting_t *root)
{
	const config_setting_t *list = conf_list(CONF_FILE, root, "alerts");
	int count = list ? config_setting_length(list) : 0;
	struct hbd_conf *conf = loader->conf;

	for (int i = 0; i < count && conf->alert_count < HBD_ALERTS_MAX; i++) {
		const config_setting_t *alert = config_setting_get_elem(list, (unsigned)i);

		if (config_setting_is_group(alert))
			load_alert(loader, alert, &conf->alerts[conf->alert_count++]);
	}
}
