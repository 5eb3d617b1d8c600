#include "plugin.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/socket.h>

#define PATH_TEXT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Facts and parameters together; a caller gives a dozen facts. */
#define ENVIRONMENT_MAX 96

struct plugin {
	enum plugin_kind kind;
	const char *extra_dir;
	char *name;
	char label[PROCESS_ID_BYTES];
	json_t *parameters;		/* object */
	json_t *addresses;		/* array of strings */
};

const char *plugin_kind_text(enum plugin_kind kind)
{
	switch (kind) {
	case PLUGIN_TAKEOVER:
		return "takeover";
	case PLUGIN_CHECK:
		return "check";
	case PLUGIN_ALERT:
		return "alert";
	case PLUGIN_WITNESS:
		return "witness";
	case PLUGIN_UNSET:
		break;
	}
	return "plugin";
}

const char *plugin_label(const struct plugin *plugin)
{
	return plugin->label;
}

static json_t *parameters_of(const struct hbd_conf_plugin *conf)
{
	json_t *object = json_object();

	for (uint8_t i = 0; i < conf->parameter_count; i++) {
		json_t *value = json_loads(conf->parameters[i].json, JSON_DECODE_ANY, NULL);

		if (json_object_set_new(object, conf->parameters[i].name, value) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *addresses_of(const struct hbd_conf_group *group)
{
	char text[INET6_ADDRSTRLEN];
	json_t *array = json_array();

	for (size_t i = 0; group && i < group->vip_count; i++) {
		const struct hbd_conf_vip *vip = &group->vips[i];
		json_t *item = json_sprintf("%s/%u dev %s", hbd_address_text(&vip->address, text),
					    vip->prefix, vip->interface);

		if (json_array_append_new(array, item) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

int plugin_new(enum plugin_kind kind, const char *extra_dir, const struct hbd_conf_plugin *conf,
	       const struct hbd_conf_group *group, struct plugin **ret_plugin)
{
	struct plugin *plugin = calloc(1, sizeof(*plugin));

	if (!plugin)
		return -ENOMEM;
	plugin->kind = kind;
	plugin->extra_dir = extra_dir;
	plugin->name = strdup(conf->name);
	plugin->parameters = parameters_of(conf);
	plugin->addresses = addresses_of(group);
	if (!plugin->name || !plugin->parameters || !plugin->addresses) {
		plugin_free(plugin);
		return -ENOMEM;
	}
	snprintf(plugin->label, sizeof(plugin->label), "%s/%s", plugin_kind_text(kind), conf->name);
	*ret_plugin = plugin;
	return 0;
}

void plugin_free(struct plugin *plugin)
{
	if (!plugin)
		return;
	json_decref(plugin->parameters);
	json_decref(plugin->addresses);
	free(plugin->name);
	free(plugin);
}

/* What is told: one object for standard input, and the environment made from it. */
static json_t *make_document(const struct plugin *plugin, const struct plugin_call *call,
			     const char *run_id)
{
	bool lasts = call->timeout_ns == HBD_NEVER_NS;
	json_t *timeout = lasts ? NULL : json_integer((json_int_t)(call->timeout_ns / HBD_MS_NS));
	json_t *object = json_pack("{s:i, s:s, s:s, s:o*}", "contract", PLUGIN_CONTRACT, "action",
				   call->action, "run_id", run_id, "timeout_ms", timeout);

	if (!object)
		return NULL;
	/* What hbd says itself is not overruled by a fact of the same name. */
	if (json_object_update_missing(object, call->facts) < 0 ||
	    json_object_set(object, "parameters", plugin->parameters) < 0 ||
	    json_object_set(object, "addresses", plugin->addresses) < 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

struct environment {
	size_t count;
	char *items[ENVIRONMENT_MAX + 1];	/* ends with NULL */
};

static void environment_free(struct environment *environment)
{
	for (size_t i = 0; i < environment->count; i++)
		free(environment->items[i]);
}

/* Takes text over. */
static int environment_add(struct environment *environment, char *text)
{
	if (!text)
		return -ENOMEM;
	if (environment->count == ENVIRONMENT_MAX) {
		free(text);
		return -E2BIG;
	}
	environment->items[environment->count++] = text;
	return 0;
}

/* PREFIXNAME=value, the name in upper case, what no shell allows in it as '_'. */
static int environment_add_value(struct environment *environment, const char *prefix,
				 const char *name, const json_t *value)
{
	size_t prefix_length = strlen(prefix), name_length = strlen(name);
	char *scalar = json_is_string(value) ? strdup(json_string_value(value))
					     : json_dumps(value, JSON_ENCODE_ANY);
	char *text = NULL;
	int length = scalar ? asprintf(&text, "%s%s=%s", prefix, name, scalar) : -1;

	free(scalar);
	if (length < 0)
		return -ENOMEM;
	for (size_t i = prefix_length; i < prefix_length + name_length; i++)
		text[i] = isalnum((unsigned char)text[i]) ? (char)toupper((unsigned char)text[i])
							  : '_';
	return environment_add(environment, text);
}

static int environment_add_object(struct environment *environment, const char *prefix,
				  json_t *object)
{
	const char *name;
	json_t *value;
	int result = 0;

	json_object_foreach(object, name, value) {
		if (json_is_object(value) || json_is_array(value) || json_is_null(value))
			continue;
		result = environment_add_value(environment, prefix, name, value);
		if (result < 0)
			break;
	}
	return result;
}

static int environment_make(const struct plugin *plugin, json_t *document,
			    struct environment *environment)
{
	int result = environment_add(environment, strdup(PATH_TEXT));

	if (result == 0)
		result = environment_add_object(environment, "HBD_", document);
	if (result == 0 && (plugin->kind == PLUGIN_TAKEOVER || plugin->kind == PLUGIN_CHECK))
		result = environment_add_object(environment, "HBD_PARAMETER_", plugin->parameters);
	return result;
}

static int resolve(const void *context, char *ret_path, char *ret_why)
{
	const struct plugin *plugin = context;

	return plugin_find(plugin->extra_dir, plugin->kind, plugin->name, ret_path, ret_why);
}

static int start(struct process_runner *runner, const struct plugin *plugin,
		 const struct plugin_call *call, const char *run_id, struct process **ret_process)
{
	struct environment environment = { 0 };
	json_t *document = make_document(plugin, call, run_id);
	char *input = document ? json_dumps(document, 0) : NULL;
	char *action = strdup(call->action);
	int result = -ENOMEM;

	if (input && action)
		result = environment_make(plugin, document, &environment);
	if (result == 0 && call->channel_fd > 0 &&
	    send(call->own_fd, input, strlen(input), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		result = -errno;
	if (result == 0)
		result = process_start(runner, &(struct process_request){
			.label = plugin->label,
			.group = json_string_value(json_object_get(document, "group")),
			.id = run_id,
			.resolve = resolve,
			.resolve_context = plugin,
			.argv = (char *[]){ plugin->name, action, NULL },
			.environment = environment.items,
			.input = input,
			.input_bytes = strlen(input),
			.channel_fd = call->channel_fd,
			.user = call->user,
			.timeout_ns = call->timeout_ns,
			.output_priority = call->output_priority,
			.handler = call->handler,
			.context = call->context,
		}, ret_process);
	environment_free(&environment);
	json_decref(document);
	free(input);
	free(action);
	return result;
}

int plugin_start(struct process_runner *runner, const struct plugin *plugin,
		 const struct plugin_call *call, struct process **ret_process)
{
	char run_id[PROCESS_ID_BYTES];

	return start(runner, plugin, call, process_id(runner, plugin->label, run_id), ret_process);
}

json_t *plugin_facts_json(const struct plugin_facts *facts)
{
	return json_pack("{s:s*, s:s*, s:s*, s:o*, s:s*, s:s*, s:s*}", "group", facts->group, "node",
			 facts->node, "peer", facts->peer, "epoch",
			 facts->epoch ? json_integer((json_int_t)facts->epoch) : NULL, "reason",
			 facts->reason, "role", facts->role, "previous", facts->previous);
}
