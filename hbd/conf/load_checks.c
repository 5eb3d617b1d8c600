#include "loader.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

/* A kind of check: the key that chooses it is the plugin's name and its first parameter. */
struct check_kind {
	const char *key;
	/* NULL if target is of the right form, else what is wrong. */
	const char *(*problem)(const char *target);
};

static const char *unit_problem(const char *target)
{
	const char *dot = strrchr(target, '.');

	return dot && dot[1] ? NULL : "is a unit's name without its type; write \"NAME.service\"";
}

static const char *http_problem(const char *target)
{
	bool http = !strncasecmp(target, "http://", 7) && target[7];
	bool https = !strncasecmp(target, "https://", 8) && target[8];

	return http || https ? NULL : "is not a URL; write \"http://HOST:PORT/PATH\"";
}

static const char *tcp_problem(const char *target)
{
	static const char wrong[] = "is not of the form \"HOST:PORT\" or \"[IPV6]:PORT\"";
	const char *colon = strrchr(target, ':');
	bool bracketed = target[0] == '[' && colon && colon[-1] == ']';
	unsigned long port;
	char *end;

	if (!colon || colon == target || !isdigit((unsigned char)colon[1]))
		return wrong;
	if (strchr(target, ':') != colon && !bracketed)
		return wrong;
	port = strtoul(colon + 1, &end, 10);
	return !*end && port >= 1 && port <= 65535 ? NULL : wrong;
}

static const char *file_problem(const char *target)
{
	return target[0] == '/' ? NULL : "is not a path from the root; begin it with '/'";
}

static const struct check_kind kinds[] = {
	{ "unit", unit_problem },
	{ "http", http_problem },
	{ "tcp", tcp_problem },
	{ "file", file_problem },
	{ "check", NULL },
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

/* True if a kind is there but misspelt, which is told already. */
static bool is_misspelt(const config_setting_t *from)
{
	for (int i = 0; i < config_setting_length(from); i++) {
		const char *name = config_setting_name(config_setting_get_elem(from, (unsigned)i));
		const char *suggestion = conf_meant(CONF_CHECK, name);

		for (size_t j = 0; suggestion && j < KIND_COUNT; j++) {
			if (!strcmp(suggestion, kinds[j].key))
				return true;
		}
	}
	return false;
}

/* Which one of the kinds the section chooses; NULL and a mistake if none or several. */
static const struct check_kind *choose_kind(struct conf_loader *loader,
					    const config_setting_t *from)
{
	const struct check_kind *chosen = NULL;

	for (size_t i = 0; i < KIND_COUNT; i++) {
		const config_setting_t *value = config_setting_get_member(from, kinds[i].key);

		if (!value)
			continue;
		if (chosen) {
			conf_mistake(loader, config_setting_source_line(value),
				     "'%s' and '%s' in one check; make two checks of them",
				     chosen->key, kinds[i].key);
			return NULL;
		}
		chosen = &kinds[i];
	}
	if (!chosen && !is_misspelt(from))
		conf_mistake(loader, config_setting_source_line(from), "a check needs one of "
			     "'unit', 'http', 'tcp', 'file' and 'check' to say what is checked");
	return chosen;
}

/* The first parameter that is one word, for people to tell checks of one plugin apart. */
static const char *telling_parameter(const config_setting_t *from)
{
	for (int i = 0; i < config_setting_length(from); i++) {
		const config_setting_t *value = config_setting_get_elem(from, (unsigned)i);

		if (!conf_schema_find(CONF_CHECK, config_setting_name(value)) &&
		    conf_good_string(value))
			return conf_good_string(value);
	}
	return NULL;
}

static void name_check(struct conf_loader *loader, const char *plugin, const char *target,
		       struct hbd_conf_check *check)
{
	check->plugin.name = strdup(plugin);
	if (asprintf(&check->name, "%s%s%.200s", plugin, target ? " " : "",
		     target ? target : "") < 0)
		check->name = NULL;
	if (!check->plugin.name || !check->name)
		loader->no_memory = true;
}

/* { http = "..." }: plugin "http" with the parameter "http". */
static void load_known_kind(struct conf_loader *loader, const struct check_kind *kind,
			    const config_setting_t *from, struct hbd_conf_check *check)
{
	struct hbd_conf_parameter *parameter = &check->plugin.parameters[0];
	const config_setting_t *value = config_setting_get_member(from, kind->key);
	unsigned line;
	const char *target = conf_string(from, kind->key, &line), *problem;

	if (!target)
		return;
	problem = kind->problem(target);
	if (problem) {
		conf_mistake(loader, line, "%s: \"%.64s\" %s", kind->key, target, problem);
		return;
	}
	parameter->name = strdup(kind->key);
	if (!parameter->name || conf_json_from_setting(value, &parameter->json) < 0)
		loader->no_memory = true;
	parameter->line = check->plugin.line = line;
	check->plugin.parameter_count = 1;
	name_check(loader, kind->key, target, check);
}

/* { check = "NAME"; ... }: plugin NAME. */
static void load_other_kind(struct conf_loader *loader, const config_setting_t *from,
			    struct hbd_conf_check *check)
{
	unsigned line;
	const char *name = conf_string(from, "check", &line);

	if (!name)
		return;
	if (!conf_is_name(name))
		conf_mistake(loader, line, "check: \"%.64s\" is not the name of a plugin%s", name,
			     strchr(name, '/') ? "; plugins are found by name, not by path" : "");
	else
		name_check(loader, name, telling_parameter(from), check);
	check->plugin.line = line;
}

static void load_check(struct conf_loader *loader, const config_setting_t *from,
		       struct hbd_conf_check *check)
{
	const struct check_kind *kind = choose_kind(loader, from);

	conf_load_section(loader, CONF_CHECK, from, check);
	if (kind && kind->problem)
		load_known_kind(loader, kind, from, check);
	else if (kind)
		load_other_kind(loader, from, check);
	conf_load_parameters(loader, CONF_CHECK, from, &check->plugin);
}

void conf_load_checks(struct conf_loader *loader, const config_setting_t *from,
		      struct hbd_conf_group *group)
{
	const config_setting_t *list = conf_list(CONF_GROUP, from, "checks");
	int count = list ? config_setting_length(list) : 0;

	for (int i = 0; i < count && group->check_count < HBD_CHECKS_MAX; i++) {
		const config_setting_t *check = config_setting_get_elem(list, (unsigned)i);

		if (config_setting_is_group(check))
			load_check(loader, check, &group->checks[group->check_count++]);
	}
}
