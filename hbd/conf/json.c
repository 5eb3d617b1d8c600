#include "json.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "loader.h"

static int convert(const config_setting_t *value, unsigned depth, json_t **ret_json);

static int convert_elements(const config_setting_t *value, unsigned depth, json_t *into)
{
	int count = config_setting_length(value);

	if (depth == CONF_NESTING_MAX)
		return -E2BIG;
	for (int i = 0; i < count; i++) {
		const config_setting_t *element = config_setting_get_elem(value, (unsigned)i);
		json_t *json;
		int result = convert(element, depth + 1, &json);

		if (result < 0)
			return result;
		if (json_is_object(into))
			result = json_object_set_new(into, config_setting_name(element), json);
		else
			result = json_array_append_new(into, json);
		if (result < 0)
			return -ENOMEM;
	}
	return 0;
}

static int convert_string(const char *text, json_t **ret_json)
{
	json_t *json;

	if (conf_string_problem(text, true))
		return -EILSEQ;
	json = json_string(text);
	if (!json)
		return -ENOMEM;
	*ret_json = json;
	return 0;
}

static int convert_aggregate(const config_setting_t *value, unsigned depth, json_t **ret_json)
{
	json_t *json = config_setting_is_group(value) ? json_object() : json_array();
	int result;

	if (!json)
		return -ENOMEM;
	result = convert_elements(value, depth, json);
	if (result < 0) {
		json_decref(json);
		return result;
	}
	*ret_json = json;
	return 0;
}

static int convert(const config_setting_t *value, unsigned depth, json_t **ret_json)
{
	json_t *json;

	if (config_setting_is_aggregate(value))
		return convert_aggregate(value, depth, ret_json);
	switch (config_setting_type(value)) {
	case CONFIG_TYPE_STRING:
		return convert_string(config_setting_get_string(value), ret_json);
	case CONFIG_TYPE_BOOL:
		json = json_boolean(config_setting_get_bool(value));
		break;
	case CONFIG_TYPE_FLOAT:
		if (!isfinite(config_setting_get_float(value)))
			return -ERANGE;
		json = json_real(config_setting_get_float(value));
		break;
	default:
		json = json_integer(config_setting_get_int64(value));
		break;
	}
	if (!json)
		return -ENOMEM;
	*ret_json = json;
	return 0;
}

int conf_json_from_setting(const config_setting_t *value, char **ret_json)
{
	json_t *json;
	int result = convert(value, 0, &json);
	char *text;

	if (result < 0)
		return result;
	text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
	json_decref(json);
	if (!text)
		return -ENOMEM;
	*ret_json = text;
	return 0;
}

void conf_string_print(const char *text, FILE *stream)
{
	fputc('"', stream);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(stream, "\\%c", *text);
		else if (*text == '\n')
			fputs("\\n", stream);
		else if (*text == '\t')
			fputs("\\t", stream);
		else
			fputc(*text, stream);
	}
	fputc('"', stream);
}

static void print_value(const json_t *json, FILE *stream);

static void print_object(json_t *object, FILE *stream)
{
	const char *name;
	json_t *value;

	fputs("{ ", stream);
	json_object_foreach(object, name, value) {
		fprintf(stream, "%s = ", name);
		print_value(value, stream);
		fputs("; ", stream);
	}
	fputc('}', stream);
}

static void print_array(const json_t *array, FILE *stream)
{
	fputc('(', stream);
	for (size_t i = 0; i < json_array_size(array); i++) {
		fputs(i > 0 ? ", " : " ", stream);
		print_value(json_array_get(array, i), stream);
	}
	fputs(" )", stream);
}

static void print_integer(long long number, FILE *stream)
{
	bool wide = number < INT_MIN || number > INT_MAX;

	fprintf(stream, "%lld%s", number, wide ? "L" : "");
}

static void print_value(const json_t *json, FILE *stream)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		print_object((json_t *)(uintptr_t)json, stream);
		break;
	case JSON_ARRAY:
		print_array(json, stream);
		break;
	case JSON_STRING:
		conf_string_print(json_string_value(json), stream);
		break;
	case JSON_INTEGER:
		print_integer(json_integer_value(json), stream);
		break;
	case JSON_REAL:
		json_dumpf(json, stream, JSON_ENCODE_ANY);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		fputs(json_is_true(json) ? "true" : "false", stream);
		break;
	}
}

void conf_json_print(const char *json, FILE *stream)
{
	json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);

	if (value)
		print_value(value, stream);
	json_decref(value);
}
