#include "scribe_targets.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct hbd_conf_parameter *find_parameter(const struct hbd_conf_plugin *plugin,
						       const char *name)
{
	for (uint8_t i = 0; i < plugin->parameter_count; i++)
		if (!strcmp(plugin->parameters[i].name, name))
			return &plugin->parameters[i];
	return NULL;
}

/* Of an alert without "to": its parameters tell it from others of the same plugin. */
static uint64_t hash_parameters(const struct hbd_conf_plugin *plugin)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (uint8_t i = 0; i < plugin->parameter_count; i++) {
		const char *parts[] = { plugin->parameters[i].name, plugin->parameters[i].json };

		for (size_t part = 0; part < 2; part++)
			for (const char *c = parts[part]; *c; c++)
				hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	}
	return hash;
}

static bool key_is_taken(const struct scribe_targets *targets, const char *key)
{
	for (size_t i = 0; i < targets->count; i++)
		if (!strcmp(targets->keys[i], key))
			return true;
	return false;
}

/* "email:ops@example.org"; the same recipient once more gets "#2". */
static char *make_key(const struct scribe_targets *targets, const struct hbd_conf_plugin *plugin,
		      const char *to)
{
	char *base = NULL, *key = NULL;
	int length;

	if (to)
		length = asprintf(&base, "%s:%s", plugin->name, to);
	else if (plugin->parameter_count)
		length = asprintf(&base, "%s:%08" PRIx32, plugin->name,
				  (uint32_t)hash_parameters(plugin));
	else
		length = asprintf(&base, "%s", plugin->name);
	if (length < 0)
		return NULL;
	if (!key_is_taken(targets, base))
		return base;
	for (unsigned number = 2; number <= SPOOL_TARGETS_MAX + 1; number++) {
		free(key);
		if (asprintf(&key, "%s#%u", base, number) < 0)
			key = NULL;
		if (!key || !key_is_taken(targets, key))
			break;
	}
	free(base);
	return key;
}

static int add(struct scribe_targets *targets, const struct hbd_conf_alert *alert,
	       const struct hbd_conf_plugin *plugin, const char *to, const char *plugin_dir)
{
	char *key = make_key(targets, plugin, to);
	int result = key ? plugin_new(PLUGIN_ALERT, plugin_dir, plugin, NULL,
				      &targets->plugins[targets->count]) : -ENOMEM;

	if (result < 0) {
		free(key);
		return result;
	}
	targets->keys[targets->count] = key;
	targets->timeouts_ns[targets->count] = alert->timeout_ns;
	targets->items[targets->count] = (struct deliver_target){ key, alert->severity };
	targets->count++;
	return 0;
}

/* The plugin's settings with a "to" of one entry. */
static int add_one(struct scribe_targets *targets, const struct hbd_conf_alert *alert,
		   const json_t *entry, const char *plugin_dir)
{
	struct hbd_conf_plugin plugin = alert->plugin;
	json_t *list = json_pack("[O]", entry);
	char *text = list ? json_dumps(list, 0) : NULL;
	int result = -ENOMEM;

	json_decref(list);
	if (text) {
		for (uint8_t i = 0; i < plugin.parameter_count; i++)
			if (!strcmp(plugin.parameters[i].name, "to"))
				plugin.parameters[i].json = text;
		result = add(targets, alert, &plugin, json_string_value(entry), plugin_dir);
	}
	free(text);
	return result;
}

static bool is_list_of_strings(const json_t *to)
{
	for (size_t i = 0; i < json_array_size(to); i++)
		if (!json_is_string(json_array_get(to, i)))
			return false;
	return json_array_size(to) > 0;
}

/* room: what may be used without taking it from the alerts that follow. */
static int add_alert(struct scribe_targets *targets, const struct hbd_conf_alert *alert,
		     size_t room, const char *plugin_dir)
{
	const struct hbd_conf_parameter *to = find_parameter(&alert->plugin, "to");
	json_t *value = to ? json_loads(to->json, JSON_DECODE_ANY, NULL) : NULL;
	int result = 0;

	if (is_list_of_strings(value) && json_array_size(value) <= room)
		for (size_t i = 0; i < json_array_size(value) && result == 0; i++)
			result = add_one(targets, alert, json_array_get(value, i), plugin_dir);
	else
		result = add(targets, alert, &alert->plugin,
			     json_is_string(value) ? json_string_value(value) : NULL, plugin_dir);
	json_decref(value);
	return result;
}

int scribe_targets_init(struct scribe_targets *targets, const struct hbd_conf *conf,
			const char *plugin_dir)
{
	int result = 0;

	static_assert(HBD_ALERTS_MAX <= SPOOL_TARGETS_MAX, "each alert is at least one target");
	*targets = (struct scribe_targets){ .count = 0 };
	for (uint8_t i = 0; i < conf->alert_count && result == 0; i++) {
		size_t others = conf->alert_count - i - 1u;

		result = add_alert(targets, &conf->alerts[i],
				   SPOOL_TARGETS_MAX - targets->count - others, plugin_dir);
	}
	return result;
}

void scribe_targets_free(struct scribe_targets *targets)
{
	for (size_t i = 0; i < targets->count; i++) {
		plugin_free(targets->plugins[i]);
		free((char *)(uintptr_t)targets->keys[i]);
	}
}
