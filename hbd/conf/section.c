#include "loader.h"

#include <string.h>

#include "suggest.h"

#define CANDIDATES_MAX 64

const char *conf_meant(enum conf_section section, const char *name)
{
	const char *candidates[CANDIDATES_MAX];
	size_t row_count, count = 0;
	const struct conf_setting *rows = conf_schema(&row_count);

	for (size_t i = 0; i < row_count && count < CANDIDATES_MAX; i++) {
		if (section == CONF_SECTION_UNSET || rows[i].section == section)
			candidates[count++] = rows[i].name;
	}
	return conf_suggest(name, candidates, count);
}

/* No section that is known here has it: it may stand at the wrong place, misspelt or not. */
static void misplaced_key(struct conf_loader *loader, enum conf_section section,
			  const config_setting_t *value)
{
	const char *name = config_setting_name(value), *where = conf_section_text(section);
	const char *suggestion = conf_meant(CONF_SECTION_UNSET, name);
	unsigned line = config_setting_source_line(value);
	const char *home;

	if (!suggestion) {
		conf_mistake(loader, line, "'%s' is not a setting of %s", name, where);
		return;
	}
	home = conf_section_text(conf_schema_section_of(suggestion));
	if (!strcmp(suggestion, name))
		conf_mistake(loader, line, "'%s' is not a setting of %s; it belongs in %s", name,
			     where, home);
	else
		conf_mistake(loader, line, "'%s' is not a setting of %s; did you mean '%s'? It "
			     "belongs in %s", name, where, suggestion, home);
}

static void unknown_key(struct conf_loader *loader, enum conf_section section,
			const config_setting_t *value)
{
	const char *name = config_setting_name(value);
	const char *suggestion = conf_meant(section, name), *where = conf_section_text(section);
	unsigned line = config_setting_source_line(value);

	if (suggestion)
		conf_mistake(loader, line, "'%s' is not a setting of %s; did you mean '%s'?", name,
			     where, suggestion);
	else if (!conf_section_takes_parameters(section))
		misplaced_key(loader, section, value);
}

/* A required setting that is only misspelt is one mistake, not two. */
static void missing_key(struct conf_loader *loader, const struct conf_setting *setting,
			const config_setting_t *from)
{
	for (int i = 0; i < config_setting_length(from); i++) {
		const char *name = config_setting_name(config_setting_get_elem(from, (unsigned)i));
		const char *suggestion;

		if (conf_schema_find(setting->section, name))
			continue;
		suggestion = conf_meant(setting->section, name);
		if (suggestion && !strcmp(suggestion, setting->name))
			return;
	}
	conf_mistake(loader, config_setting_source_line(from), "'%s' is missing in %s: %s",
		     setting->name, conf_section_text(setting->section), setting->help);
}

void conf_load_section(struct conf_loader *loader, enum conf_section section,
		       const config_setting_t *from, void *object)
{
	size_t count;
	const struct conf_setting *rows = conf_schema(&count);

	for (int i = 0; i < config_setting_length(from); i++) {
		const config_setting_t *value = config_setting_get_elem(from, (unsigned)i);

		if (!conf_schema_find(section, config_setting_name(value)))
			unknown_key(loader, section, value);
	}
	for (size_t i = 0; i < count; i++) {
		const config_setting_t *value;

		if (rows[i].section != section)
			continue;
		value = config_setting_get_member(from, rows[i].name);
		conf_load_preset(&rows[i], object);
		if (value)
			conf_load_value(loader, &rows[i], value, object);
		else if (rows[i].required)
			missing_key(loader, &rows[i], from);
	}
}
