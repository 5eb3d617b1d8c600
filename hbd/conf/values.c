#include "loader.h"

#include <ctype.h>
#include <string.h>

#include "suggest.h"

#define CANDIDATES_MAX 64

bool conf_is_name(const char *text)
{
	if (!isalnum((unsigned char)text[0]) && text[0] != '_')
		return false;
	for (; *text; text++) {
		if (!isalnum((unsigned char)*text) && !strchr("._-", *text))
			return false;
	}
	return true;
}

/* What stands in the file, for "must be ..., not ...". */
static const char *type_text(const config_setting_t *value)
{
	switch (config_setting_type(value)) {
	case CONFIG_TYPE_GROUP:
		return "a { } section";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "a number";
	case CONFIG_TYPE_FLOAT:
		return "a number with a fraction";
	case CONFIG_TYPE_STRING:
		return "a string";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_ARRAY:
		return "an array [ ]";
	default:
		return "a list";
	}
}

static bool want_string(struct conf_loader *loader, const config_setting_t *value,
			const char *name)
{
	unsigned line = config_setting_source_line(value);

	if (config_setting_type(value) == CONFIG_TYPE_STRING) {
		const char *text = config_setting_get_string(value);
		const char *problem = conf_string_problem(text, false);

		if (!problem && strlen(text) <= CONF_STRING_BYTES_MAX)
			return true;
		conf_mistake(loader, line, "%s: %s", name, problem ? problem :
			     "is longer than 4096 bytes");
		return false;
	}
	if (config_setting_is_aggregate(value))
		conf_mistake(loader, line, "%s: must be one string, not %s", name,
			     type_text(value));
	else
		conf_mistake(loader, line, "%s: must be a string, not %s; put it in double quotes",
			     name, type_text(value));
	return false;
}

static void load_name(struct conf_loader *loader, const struct conf_setting *setting,
		      const config_setting_t *value, char *object)
{
	unsigned line = config_setting_source_line(value);
	const char *text;

	if (!want_string(loader, value, setting->name))
		return;
	text = config_setting_get_string(value);
	if (strlen(text) >= setting->bytes)
		conf_mistake(loader, line, "%s: \"%.32s...\" is longer than %zu letters", setting->name,
			     text, setting->bytes - 1);
	else if (!text[0])
		conf_mistake(loader, line, "%s: is empty", setting->name);
	else if (!conf_is_name(text))
		conf_mistake(loader, line,
			     "%s: \"%s\" may hold only letters a-z, digits, '_', '.' and '-', and "
			     "must not begin with the last two", setting->name, text);
	else
		strcpy(object + setting->offset, text);
}

static void store_number(const struct conf_setting *setting, int64_t number, char *object)
{
	void *member = object + setting->offset;
	int64_t wide = number * conf_unit_ns(setting->unit);
	unsigned narrow = (unsigned)number;
	uint16_t small = (uint16_t)number;

	if (setting->bytes == sizeof(wide))
		memcpy(member, &wide, sizeof(wide));
	else if (setting->bytes == sizeof(narrow))
		memcpy(member, &narrow, sizeof(narrow));
	else if (setting->bytes == sizeof(small))
		memcpy(member, &small, sizeof(small));
}

static void out_of_range(struct conf_loader *loader, const struct conf_setting *setting,
			 unsigned line, long long number)
{
	const char *unit = conf_unit_text(setting->unit), *space = *unit ? " " : "";

	if (setting->unit == CONF_MS && number > 0 && number < setting->min &&
	    number * 1000 <= setting->max)
		conf_mistake(loader, line,
			     "%s: %lld is out of range (%lld..%lld ms); the unit is milliseconds: "
			     "%lld s are %lld000", setting->name, number, (long long)setting->min,
			     (long long)setting->max, number, number);
	else
		conf_mistake(loader, line, "%s: %lld is out of range (%lld..%lld%s%s)",
			     setting->name, number, (long long)setting->min,
			     (long long)setting->max, space, unit);
}

static void load_number(struct conf_loader *loader, const struct conf_setting *setting,
			const config_setting_t *value, char *object)
{
	unsigned line = config_setting_source_line(value);
	int type = config_setting_type(value);
	long long number;

	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) {
		conf_mistake(loader, line, "%s: must be a whole number, not %s%s", setting->name,
			     type_text(value),
			     type == CONFIG_TYPE_STRING ? "; write it without quotes" : "");
		return;
	}
	number = config_setting_get_int64(value);
	if (number == INT64_MAX || number == INT64_MIN)
		return;		/* lint told that it is too large */
	if (number < setting->min || number > setting->max)
		out_of_range(loader, setting, line, number);
	else
		store_number(setting, number, object);
}

static void unknown_word(struct conf_loader *loader, const struct conf_setting *setting,
			 unsigned line, const char *text)
{
	const char *candidates[CANDIDATES_MAX];
	const char *suggestion;
	char known[256] = "";
	size_t count = 0;

	for (const struct conf_word *word = setting->words; word->text; word++) {
		if (word->refusal)
			continue;
		snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s",
			 count ? ", " : "", word->text);
		candidates[count++] = word->text;
	}
	suggestion = conf_suggest(text, candidates, count);
	if (suggestion)
		conf_mistake(loader, line, "%s: \"%s\" is not one of %s; did you mean \"%s\"?",
			     setting->name, text, known, suggestion);
	else
		conf_mistake(loader, line, "%s: \"%s\" is not one of %s", setting->name, text,
			     known);
}

static void store_word(const struct conf_setting *setting, int value, char *object)
{
	if (setting->bytes == sizeof(bool))
		*(bool *)(object + setting->offset) = value;
	else if (setting->bytes)
		memcpy(object + setting->offset, &value, sizeof(value));
}

static void load_word(struct conf_loader *loader, const struct conf_setting *setting,
		      const config_setting_t *value, char *object)
{
	unsigned line = config_setting_source_line(value);
	const char *text;

	if (!want_string(loader, value, setting->name))
		return;
	text = config_setting_get_string(value);
	for (const struct conf_word *word = setting->words; word->text; word++) {
		if (strcmp(word->text, text) != 0)
			continue;
		if (word->refusal)
			conf_mistake(loader, line, "%s: \"%s\": %s", setting->name, text,
				     word->refusal);
		else
			store_word(setting, word->value, object);
		return;
	}
	unknown_word(loader, setting, line, text);
}

/* A list of strings may be written as a list or as an array. */
static void check_list(struct conf_loader *loader, const struct conf_setting *setting,
		       const config_setting_t *value)
{
	unsigned line = config_setting_source_line(value);
	bool sections = setting->type == CONF_SECTIONS;
	int count = config_setting_length(value);

	if (!config_setting_is_list(value) && !(config_setting_is_array(value) && !sections)) {
		conf_mistake(loader, line, "%s: must be a list, %s, not %s", setting->name,
			     sections ? "( { ... }, { ... } )" : "( \"...\", \"...\" )",
			     type_text(value));
		return;
	}
	if (setting->min == setting->max && count != setting->min)
		conf_mistake(loader, line, "%s: %d given; there must be exactly %d",
			     setting->name, count, (int)setting->min);
	else if (count < setting->min)
		conf_mistake(loader, line, "%s: is empty", setting->name);
	else if (count > setting->max)
		conf_mistake(loader, line, "%s: %d given; at most %d are possible", setting->name,
			     count, (int)setting->max);
	for (int i = 0; i < count; i++) {
		const config_setting_t *element = config_setting_get_elem(value, (unsigned)i);

		if (!sections)
			want_string(loader, element, setting->name);
		else if (!config_setting_is_group(element))
			conf_mistake(loader, config_setting_source_line(element),
				     "%s: every element must be a { } section, not %s",
				     setting->name, type_text(element));
	}
}

void conf_load_value(struct conf_loader *loader, const struct conf_setting *setting,
		     const config_setting_t *value, void *object)
{
	switch (setting->type) {
	case CONF_NAME:
		load_name(loader, setting, value, object);
		break;
	case CONF_NUMBER:
		load_number(loader, setting, value, object);
		break;
	case CONF_WORD:
		load_word(loader, setting, value, object);
		break;
	case CONF_STRING:
		want_string(loader, value, setting->name);
		break;
	case CONF_STRINGS:
	case CONF_SECTIONS:
		check_list(loader, setting, value);
		break;
	case CONF_TYPE_UNSET:
		break;
	}
}

void conf_load_preset(const struct conf_setting *setting, void *object)
{
	if (setting->type == CONF_NUMBER)
		store_number(setting, setting->preset, object);
	if (setting->type == CONF_NAME && setting->preset_text)
		strcpy((char *)object + setting->offset, setting->preset_text);
	for (const struct conf_word *word = setting->words; word && word->text; word++) {
		if (!strcmp(word->text, setting->preset_text))
			store_word(setting, word->value, object);
	}
}

const config_setting_t *conf_list(enum conf_section section, const config_setting_t *from,
				  const char *name)
{
	const config_setting_t *value = config_setting_get_member(from, name);
	bool sections = conf_schema_find(section, name)->type == CONF_SECTIONS;

	if (!value || config_setting_is_list(value))
		return value;
	return config_setting_is_array(value) && !sections ? value : NULL;
}

const char *conf_good_string(const config_setting_t *value)
{
	const char *text;

	if (!value || config_setting_type(value) != CONFIG_TYPE_STRING)
		return NULL;
	text = config_setting_get_string(value);
	return strlen(text) <= CONF_STRING_BYTES_MAX && !conf_string_problem(text, false) ? text :
												NULL;
}

const char *conf_string(const config_setting_t *from, const char *name, unsigned *ret_line)
{
	const config_setting_t *value = config_setting_get_member(from, name);
	const char *text = conf_good_string(value);

	if (text)
		*ret_line = config_setting_source_line(value);
	return text;
}
