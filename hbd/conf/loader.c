#include "loader.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static bool check_key_path(struct conf_loader *loader, unsigned line, const char *path)
{
	struct hbd_conf *conf = loader->conf;

	if (path[0] != '/') {
		conf_mistake(loader, line, "keys: \"%.64s\" is not a path from the root; begin it "
			     "with '/'", path);
		return false;
	}
	for (unsigned i = 0; i < conf->key_path_count; i++) {
		if (!strcmp(conf->key_paths[i], path)) {
			conf_mistake(loader, line, "keys: %s stands on line %u, too", path,
				     conf->key_lines[i]);
			return false;
		}
	}
	return true;
}

static void load_key_paths(struct conf_loader *loader, const config_setting_t *root)
{
	const config_setting_t *keys = conf_list(CONF_FILE, root, "keys");
	int count = keys ? config_setting_length(keys) : 0;
	struct hbd_conf *conf = loader->conf;

	for (int i = 0; i < count && conf->key_path_count < HBD_KEYS_MAX; i++) {
		const config_setting_t *key = config_setting_get_elem(keys, (unsigned)i);
		unsigned line = config_setting_source_line(key);
		const char *path = conf_good_string(key);
		char *copy;

		if (!path || !check_key_path(loader, line, path))
			continue;
		copy = strdup(path);
		if (!copy) {
			loader->no_memory = true;
			return;
		}
		conf->key_lines[conf->key_path_count] = line;
		conf->key_paths[conf->key_path_count++] = copy;
	}
}

/* The order matters: groups name nodes. */
static void load_root(struct conf_loader *loader, const config_setting_t *root)
{
	struct hbd_conf *conf = loader->conf;

	conf_load_section(loader, CONF_FILE, root, conf);
	conf_string(root, "user", &conf->user_line);
	conf_string(root, "plugin_user", &conf->plugin_user_line);
	conf->profile = hbd_profile_get(conf->profile_name);
	load_key_paths(loader, root);
	conf_load_nodes(loader, root);
	conf_load_groups(loader, root);
	conf_load_witness(loader, root);
	conf_load_alerts(loader, root);
	conf_check_nodes(loader);
	conf_check_groups(loader);
	conf_check_addresses(loader);
	conf_check_gateways(loader);
}

/* True if there was nothing that libconfig refused, or if it is of no use to try again. */
static bool parse_once(struct conf_loader *loader, config_t *config, char *text)
{
	if (config_read_string(config, text)) {
		conf_fix_lines(config, text);
		load_root(loader, config_root_setting(config));
		return true;
	}
	if (!strcmp(config_error_text(config), "duplicate setting name") &&
	    conf_mend_duplicate(loader, (unsigned)config_error_line(config), text))
		return false;
	conf_explain(loader, config, text);
	return true;
}

/* @include is refused before; /dev/null as its directory makes sure that nothing is opened. */
static void parse(struct conf_loader *loader, char *text)
{
	bool done = false;

	while (!done) {
		config_t config;

		config_init(&config);
		config_set_include_dir(&config, "/dev/null");
		done = parse_once(loader, &config, text);
		config_destroy(&config);
	}
}

static void load_text(struct conf_loader *loader, const char *text, size_t bytes)
{
	char *mended;

	if (bytes == 0) {
		conf_mistake(loader, 0, "is empty");
		return;
	}
	if (!conf_is_text(loader, text, bytes))
		return;
	mended = conf_lint(loader, text, bytes);
	if (mended)
		parse(loader, mended);
	free(mended);
}

static int begin(struct conf_loader *loader, const char *path)
{
	loader->conf = calloc(1, sizeof(*loader->conf));
	if (!loader->conf)
		return -ENOMEM;
	loader->conf->path = strdup(path);
	return loader->conf->path ? 0 : -ENOMEM;
}

/* Hands over the configuration, or the mistakes. */
static int finish(struct conf_loader *loader, int result, struct hbd_conf **ret_conf,
		  struct conf_errors *ret_errors)
{
	free(loader->sightings);
	if (loader->no_memory)
		result = -ENOMEM;
	else if (result == 0 && loader->errors.count > 0)
		result = -EINVAL;
	if (result == 0)
		result = conf_digest(loader->conf, &loader->conf->digest);
	if (result == 0) {
		*ret_conf = loader->conf;
		return 0;
	}
	conf_errors_sort(&loader->errors);
	*ret_errors = loader->errors;
	conf_free(loader->conf);
	return result;
}

int conf_load_text(const char *path, const char *text, size_t bytes, struct hbd_conf **ret_conf,
		   struct conf_errors *ret_errors)
{
	struct conf_loader loader = { 0 };
	int result = begin(&loader, path);

	if (result == 0)
		load_text(&loader, text, bytes);
	return finish(&loader, result, ret_conf, ret_errors);
}

static int load_file(const char *path, bool with_keys, struct hbd_conf **ret_conf,
		     struct conf_errors *ret_errors)
{
	struct conf_loader loader = { 0 };
	int result = begin(&loader, path);
	char *text = NULL;
	size_t bytes;

	if (result == 0)
		result = conf_read_file(&loader, path, &text, &bytes);
	if (result == 0)
		load_text(&loader, text, bytes);
	free(text);
	if (result == 0 && with_keys)
		conf_load_key_files(&loader);
	return finish(&loader, result, ret_conf, ret_errors);
}

int conf_load(const char *path, struct hbd_conf **ret_conf, struct conf_errors *ret_errors)
{
	return load_file(path, false, ret_conf, ret_errors);
}

int conf_load_with_keys(const char *path, struct hbd_conf **ret_conf,
			struct conf_errors *ret_errors)
{
	return load_file(path, true, ret_conf, ret_errors);
}

static void free_plugin(struct hbd_conf_plugin *plugin)
{
	free(plugin->name);
	for (unsigned i = 0; i < plugin->parameter_count; i++) {
		free(plugin->parameters[i].name);
		free(plugin->parameters[i].json);
	}
}

static void free_group(struct hbd_conf_group *group)
{
	free(group->vips);
	for (unsigned i = 0; i < group->takeover_count; i++)
		free_plugin(&group->takeover[i]);
	for (unsigned i = 0; i < group->check_count; i++) {
		free(group->checks[i].name);
		free_plugin(&group->checks[i].plugin);
	}
}

void conf_free(struct hbd_conf *conf)
{
	if (!conf)
		return;
	free(conf->path);
	for (unsigned i = 0; i < conf->key_path_count; i++)
		free(conf->key_paths[i]);
	for (unsigned i = 0; i < conf->group_count; i++)
		free_group(&conf->groups[i]);
	free_plugin(&conf->witness.plugin);
	for (unsigned i = 0; i < conf->alert_count; i++)
		free_plugin(&conf->alerts[i].plugin);
	sodium_memzero(conf->keys, sizeof(conf->keys));
	free(conf);
}
