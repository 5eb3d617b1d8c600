/* The tables of this program, as JSON. */
#include "schema.h"

#include <errno.h>
#include <stdio.h>

#include "tables.h"

#define TYPE_TEXT_BYTES 4096

static int describe_words(json_t *object, const struct flight_words *words)
{
	json_t *list = json_array();
	int result = list ? 0 : -1;

	for (unsigned i = 0; i < words->count && result == 0; i++)
		result = json_array_append_new(list, json_string(words->text(i)));
	if (result == 0)
		return json_object_set_new(object, words->name, list);
	json_decref(list);
	return result;
}

static size_t describe_field(const struct flight_field *field, char *text, size_t room)
{
	static const char letters[] = {
		[FLIGHT_UNSIGNED] = 'u', [FLIGHT_SIGNED] = 'i', [FLIGHT_INSTANT] = 't',
		[FLIGHT_WORD] = 'w',	 [FLIGHT_BYTES] = 'b',	[FLIGHT_STRUCT] = 's',
	};
	const char *name = field->words ? field->words->name : field->type ? field->type->name : "";
	int length = snprintf(text, room, "%s:%c%s%s%s ", field->name, letters[field->kind],
			      name[0] ? ":" : "", name, field->count > 0 ? "*" : "");

	return length < 0 || (size_t)length >= room ? 0 : (size_t)length;
}

static int describe_type(json_t *object, const char *prefix, const struct flight_type *type)
{
	char text[TYPE_TEXT_BYTES] = "", name[64];
	size_t length = 0;

	for (size_t i = 0; i < type->field_count; i++) {
		size_t more = describe_field(&type->fields[i], text + length,
					     sizeof(text) - length);

		if (more == 0)
			return -1;
		length += more;
	}
	snprintf(name, sizeof(name), "%s%s", prefix, type->name);
	return json_object_set_new(object, name, json_string(text));
}

static int describe_types(json_t *object)
{
	int result = 0;

	for (size_t i = 0; flight_all_types[i] && result == 0; i++)
		result = describe_type(object, "", flight_all_types[i]);
	for (size_t i = 1; i < HBD_EVENT_TYPE_COUNT && result == 0; i++)
		result = describe_type(object, "event.", &flight_event_types[i]);
	for (size_t i = 1; i < HBD_ACTION_TYPE_COUNT && result == 0; i++)
		result = describe_type(object, "action.", &flight_action_types[i]);
	return result;
}

int flight_schema_describe(json_t *object)
{
	json_t *words = json_object(), *types = json_object();
	int result = words && types ? 0 : -1;

	for (size_t i = 0; flight_all_words[i] && result == 0; i++)
		result = describe_words(words, flight_all_words[i]);
	if (result == 0)
		result = describe_types(types);
	if (result == 0)
		result = json_object_set(object, "words", words);
	if (result == 0)
		result = json_object_set(object, "types", types);
	json_decref(words);
	json_decref(types);
	return result == 0 ? 0 : -ENOMEM;
}
