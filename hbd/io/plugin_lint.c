#include "plugin_lint.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/log.h"
#include "../conf/suggest.h"
#include "clock.h"
#include "plugin.h"
#include "plugin_describe.h"

#define DESCRIBE_NS_MAX (2 * HBD_S_NS)
#define ALL_NS_MAX (6 * HBD_S_NS)	/* of all plugins together */
#define NAMES_MAX 256
#define PARAMETERS_MAX 64

struct lint {
	const struct hbd_conf *conf;
	const char *extra_dir;
	int64_t until_ns;
	plugin_finding_handler handler;
	void *context;
};

/* One mention of a plugin. */
struct mention {
	enum plugin_kind kind;
	const struct hbd_conf_plugin *plugin;
};

static void tell(const struct lint *lint, bool mistake, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void tell(const struct lint *lint, bool mistake, unsigned line, const char *format, ...)
{
	struct plugin_finding finding = { .line = line, .mistake = mistake };
	va_list list;
	char *text;

	va_start(list, format);
	if (vasprintf(&text, format, list) < 0)
		text = NULL;
	va_end(list);
	finding.text = text ? text : "no memory to say what is wrong";
	lint->handler(lint->context, &finding);
	free(text);
}

/* ---- the program --------------------------------------------------------------------------------- */

static size_t list_names(const char *dir, enum plugin_kind kind, char *names[], size_t count)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *folder;

	if (!dir || snprintf(path, sizeof(path), "%s/%s", dir, plugin_kind_text(kind)) >= PATH_MAX)
		return count;
	folder = opendir(path);
	while (folder && count < NAMES_MAX && (entry = readdir(folder))) {
		if (entry->d_name[0] != '.')
			names[count] = strdup(entry->d_name);
		count += entry->d_name[0] != '.' && names[count];
	}
	if (folder)
		closedir(folder);
	return count;
}

static void tell_missing(const struct lint *lint, const struct mention *mention, const char *why)
{
	const char *kind = plugin_kind_text(mention->kind), *name = mention->plugin->name, *meant;
	char *names[NAMES_MAX];
	size_t count = list_names(lint->extra_dir, mention->kind, names, 0);

	for (size_t i = 0; plugin_dir_at(i); i++)
		count = list_names(plugin_dir_at(i), mention->kind, names, count);
	meant = conf_suggest(name, (const char *const *)names, count);
	if (meant)
		tell(lint, true, mention->plugin->line, "there is no %s plugin \"%s\"; did you mean "
		     "\"%s\"?", kind, name, meant);
	else
		tell(lint, false, mention->plugin->line, "%s; without it on the node it would fail",
		     why);
	for (size_t i = 0; i < count; i++)
		free(names[i]);
}

/* ---- its parameters ------------------------------------------------------------------------------ */

static bool is_of_type(const json_t *value, const char *type)
{
	if (strcmp(type, "strings") == 0)
		return json_is_string(value) || json_is_array(value);
	if (strcmp(type, "string") == 0 || strcmp(type, "word") == 0)
		return json_is_string(value);
	if (strcmp(type, "number") == 0)
		return json_is_number(value);
	return strcmp(type, "boolean") != 0 || json_is_boolean(value);
}

/* words: a JSON array; a description without any leaves the choice free. */
static void check_word(const struct lint *lint, const struct hbd_conf_parameter *parameter,
		       const char *value, const json_t *words)
{
	const char *candidates[PARAMETERS_MAX], *meant;
	size_t count = 0, i;
	json_t *word;

	json_array_foreach(words, i, word) {
		if (json_is_string(word) && strcmp(json_string_value(word), value) == 0)
			return;
		if (json_is_string(word) && count < PARAMETERS_MAX)
			candidates[count++] = json_string_value(word);
	}
	meant = conf_suggest(value, candidates, count);
	if (count > 0)
		tell(lint, true, parameter->line, "%s: \"%s\" is none of its words; %s \"%s\"%s",
		     parameter->name, value, meant ? "did you mean" : "one is",
		     meant ? meant : candidates[0], meant ? "?" : "");
}

static void check_value(const struct lint *lint, const struct hbd_conf_parameter *parameter,
			const json_t *about)
{
	const char *type = json_string_value(json_object_get(about, "type"));
	json_t *value = json_loads(parameter->json, JSON_DECODE_ANY, NULL);

	if (value && type && !is_of_type(value, type))
		tell(lint, true, parameter->line, "%s: is not a %s", parameter->name,
		     strcmp(type, "strings") == 0 ? "list of strings" :
		     strcmp(type, "word") == 0 ? "string" : type);
	else if (json_is_string(value))
		check_word(lint, parameter, json_string_value(value), json_object_get(about, "words"));
	json_decref(value);
}

static const json_t *find_about(const json_t *parameters, const char *name)
{
	json_t *about;
	size_t i;

	json_array_foreach(parameters, i, about) {
		const char *known = json_string_value(json_object_get(about, "name"));

		if (known && strcmp(known, name) == 0)
			return about;
	}
	return NULL;
}

static void tell_unknown(const struct lint *lint, const struct mention *mention,
			 const struct hbd_conf_parameter *parameter, const json_t *parameters)
{
	const char *candidates[PARAMETERS_MAX], *meant;
	const char *kind = plugin_kind_text(mention->kind), *name = mention->plugin->name;
	size_t count = 0, i;
	json_t *about;

	json_array_foreach(parameters, i, about) {
		if (count < PARAMETERS_MAX)
			candidates[count++] = json_string_value(json_object_get(about, "name"));
	}
	meant = conf_suggest(parameter->name, candidates, count);
	tell(lint, true, parameter->line, "'%s' is not a setting of the %s plugin \"%s\"%s%s%s",
	     parameter->name, kind, name, meant ? "; did you mean '" : "", meant ? meant : "",
	     meant ? "'?" : "");
}

static bool is_given(const struct hbd_conf_plugin *plugin, const char *name)
{
	for (uint8_t i = 0; i < plugin->parameter_count; i++) {
		if (strcmp(plugin->parameters[i].name, name) == 0)
			return true;
	}
	return false;
}

static void check_parameters(const struct lint *lint, const struct mention *mention,
			     const json_t *parameters)
{
	const struct hbd_conf_plugin *plugin = mention->plugin;
	json_t *about;
	size_t i;

	for (uint8_t k = 0; k < plugin->parameter_count; k++) {
		const json_t *known = find_about(parameters, plugin->parameters[k].name);

		if (known)
			check_value(lint, &plugin->parameters[k], known);
		else
			tell_unknown(lint, mention, &plugin->parameters[k], parameters);
	}
	json_array_foreach(parameters, i, about) {
		const char *name = json_string_value(json_object_get(about, "name"));
		const char *help = json_string_value(json_object_get(about, "help"));

		if (name && json_is_true(json_object_get(about, "required")) && !is_given(plugin, name))
			tell(lint, true, plugin->line, "the %s plugin \"%s\" needs '%s'%s%s",
			     plugin_kind_text(mention->kind), plugin->name, name, help ? ": " : "",
			     help ? help : "");
	}
}

/* Whom it would run as; NULL = nobody else, or nobody that is known here. */
static const struct process_user *find_user(const struct lint *lint, enum plugin_kind kind,
					    struct process_user *user)
{
	const char *name = kind == PLUGIN_ALERT ? lint->conf->user : lint->conf->plugin_user;

	return geteuid() == 0 && process_user_find(name, user) == 0 ? user : NULL;
}

static void check_plugin(const struct lint *lint, const struct mention *mention)
{
	char path[PATH_MAX], why[PROCESS_TEXT_BYTES];
	int64_t left_ns = lint->until_ns - clock_now_ns();
	struct process_user user;
	json_t *description, *parameters;
	int result = plugin_find(lint->extra_dir, mention->kind, mention->plugin->name, path, why);

	if (result == -ENOENT) {
		tell_missing(lint, mention, why);
		return;
	}
	if (result < 0) {
		tell(lint, false, mention->plugin->line, "%s; as it is, it would not be run", why);
		return;
	}
	result = left_ns <= 0 ? -ETIMEDOUT
			      : plugin_describe(path, find_user(lint, mention->kind, &user),
						hbd_time_min(left_ns, DESCRIBE_NS_MAX), &description);
	if (result == -ETIMEDOUT)
		tell(lint, false, mention->plugin->line, "the %s plugin \"%s\" does not say in time "
		     "what settings it has ('%s describe'): they are not checked",
		     plugin_kind_text(mention->kind), mention->plugin->name, path);
	if (result < 0)
		return;
	parameters = json_object_get(description, "parameters");
	if (json_is_array(parameters))
		check_parameters(lint, mention, parameters);
	json_decref(description);
}

/* ---- everything ---------------------------------------------------------------------------------- */

static void check_user(const struct lint *lint, const char *setting, const char *name, unsigned line)
{
	struct process_user user;

	if (process_user_find(name, &user) == -ENOENT)
		tell(lint, false, line, "%s: there is no user \"%s\" on this machine%s", setting, name,
		     line == 0 ? ", which is the default" : "");
}

static void check_group(const struct lint *lint, const struct hbd_conf_group *group)
{
	for (uint8_t i = 0; i < group->check_count; i++)
		check_plugin(lint, &(struct mention){ PLUGIN_CHECK, &group->checks[i].plugin });
	for (uint8_t i = 0; i < group->takeover_count; i++)
		check_plugin(lint, &(struct mention){ PLUGIN_TAKEOVER, &group->takeover[i] });
}

void plugin_lint(const struct hbd_conf *conf, const char *extra_dir, plugin_finding_handler handler,
		 void *context)
{
	const struct lint lint = {
		.conf = conf,
		.extra_dir = extra_dir,
		.until_ns = clock_now_ns() + ALL_NS_MAX,
		.handler = handler,
		.context = context,
	};

	check_user(&lint, "user", conf->user, conf->user_line);
	check_user(&lint, "plugin_user", conf->plugin_user, conf->plugin_user_line);
	for (uint8_t i = 0; i < conf->group_count; i++)
		check_group(&lint, &conf->groups[i]);
	if (conf->witness.present)
		check_plugin(&lint, &(struct mention){ PLUGIN_WITNESS, &conf->witness.plugin });
	for (uint8_t i = 0; i < conf->alert_count; i++)
		check_plugin(&lint, &(struct mention){ PLUGIN_ALERT, &conf->alerts[i].plugin });
}
