#include "schema_parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tables.h"

static bool keep_name(char to[SCHEMA_NAME_BYTES], const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length >= SCHEMA_NAME_BYTES)
		return false;
	memcpy(to, name, length + 1);
	return true;
}

/* ---- words --------------------------------------------------------------------------------------- */

static const struct flight_words *known_words(const char *name)
{
	for (size_t i = 0; flight_all_words[i]; i++)
		if (strcmp(flight_all_words[i]->name, name) == 0)
			return flight_all_words[i];
	return NULL;
}

static int known_value(const struct flight_words *words, const char *text)
{
	for (unsigned i = 0; words && i < words->count; i++)
		if (strcmp(words->text(i), text) == 0)
			return (int)i;
	return -1;
}

static bool parse_words(struct flight_schema *schema, const char *name, const json_t *texts)
{
	struct flight_file_words *words = &schema->words[schema->word_count];

	if (schema->word_count == SCHEMA_WORDS_MAX || !keep_name(words->name, name) ||
	    !json_is_array(texts) || json_array_size(texts) > SCHEMA_VALUES_MAX)
		return false;
	words->known = known_words(name);
	words->texts = texts;
	words->count = (unsigned)json_array_size(texts);
	for (unsigned i = 0; i < words->count; i++) {
		const char *text = json_string_value(json_array_get(texts, i));

		if (!text)
			return false;
		words->values[i] = known_value(words->known, text);
	}
	schema->word_count++;
	return true;
}

static const struct flight_file_words *find_words(const struct flight_schema *schema,
						  const char *name)
{
	for (size_t i = 0; i < schema->word_count; i++)
		if (strcmp(schema->words[i].name, name) == 0)
			return &schema->words[i];
	return NULL;
}

/* ---- types --------------------------------------------------------------------------------------- */

static const struct flight_type *find_named(const struct flight_type *types, size_t count,
					    const char *name)
{
	for (size_t i = 1; i < count; i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

static const struct flight_type *known_type(const char *name)
{
	if (strncmp(name, "event.", 6) == 0)
		return find_named(flight_event_types, HBD_EVENT_TYPE_COUNT, name + 6);
	if (strncmp(name, "action.", 7) == 0)
		return find_named(flight_action_types, HBD_ACTION_TYPE_COUNT, name + 7);
	for (size_t i = 0; flight_all_types[i]; i++)
		if (strcmp(flight_all_types[i]->name, name) == 0)
			return flight_all_types[i];
	return NULL;
}

static const struct flight_file_type *find_type(const struct flight_schema *schema,
						const char *name)
{
	for (size_t i = 0; i < schema->type_count; i++)
		if (strcmp(schema->types[i].name, name) == 0)
			return &schema->types[i];
	return NULL;
}

static enum flight_kind parse_kind(char letter)
{
	switch (letter) {
	case 'u':
		return FLIGHT_UNSIGNED;
	case 'i':
		return FLIGHT_SIGNED;
	case 't':
		return FLIGHT_INSTANT;
	case 'w':
		return FLIGHT_WORD;
	case 'b':
		return FLIGHT_BYTES;
	case 's':
		return FLIGHT_STRUCT;
	}
	return FLIGHT_KIND_UNSET;
}

/* "kind", "kind*", "kind:name" or "kind:name*" */
static bool parse_form(const struct flight_schema *schema, char *form,
		       struct flight_file_field *field)
{
	size_t length = strlen(form);
	const char *name;

	field->kind = parse_kind(form[0]);
	field->array = length > 1 && form[length - 1] == '*';
	if (field->array)
		form[--length] = '\0';
	name = length > 2 && form[1] == ':' ? form + 2 : NULL;
	if (field->kind == FLIGHT_WORD)
		field->words = name ? find_words(schema, name) : NULL;
	else if (field->kind == FLIGHT_STRUCT)
		field->type = name ? find_type(schema, name) : NULL;
	else
		return field->kind != FLIGHT_KIND_UNSET && length == 1;
	return field->words || field->type;
}

/* What this program has under that name, if it is of the same make. */
static const struct flight_field *known_field(const struct flight_type *type, const char *name,
					      const struct flight_file_field *field)
{
	for (size_t i = 0; type && i < type->field_count; i++) {
		const struct flight_field *known = &type->fields[i];

		if (strcmp(known->name, name) != 0)
			continue;
		if (known->kind != field->kind || (known->count > 0) != field->array ||
		    (known->words && known->words != field->words->known) ||
		    (known->type && known->type != field->type->known))
			return NULL;
		return known;
	}
	return NULL;
}

static bool parse_field(struct flight_schema *schema, struct flight_file_type *type, char *text)
{
	struct flight_file_field *field = &schema->fields[schema->field_count];
	char *colon = strchr(text, ':');

	if (!colon || colon == text || schema->field_count == SCHEMA_FIELDS_MAX)
		return false;
	*colon = '\0';
	if (!parse_form(schema, colon + 1, field))
		return false;
	field->known = known_field(type->known, text, field);
	schema->field_count++;
	type->field_count++;
	return true;
}

static bool parse_type(struct flight_schema *schema, const char *name, const json_t *fields)
{
	struct flight_file_type *type = &schema->types[schema->type_count];
	char *text = NULL, *rest = NULL;
	bool good = json_is_string(fields) && schema->type_count < SCHEMA_TYPES_MAX &&
		    keep_name(type->name, name);

	if (!good)
		return false;
	type->known = known_type(name);
	type->fields = &schema->fields[schema->field_count];
	text = strdup(json_string_value(fields));
	good = text != NULL;
	for (char *at = good ? strtok_r(text, " ", &rest) : NULL; at && good;
	     at = strtok_r(NULL, " ", &rest))
		good = parse_field(schema, type, at);
	free(text);
	/* from now on others may be made of it */
	schema->type_count++;
	return good;
}

static bool parse(struct flight_schema *schema)
{
	json_t *words = json_object_get(schema->json, "words");
	json_t *types = json_object_get(schema->json, "types");
	const char *name;
	json_t *value;

	if (!json_is_object(words) || !json_is_object(types))
		return false;
	json_object_foreach(words, name, value) {
		if (!parse_words(schema, name, value))
			return false;
	}
	json_object_foreach(types, name, value) {
		if (!parse_type(schema, name, value))
			return false;
	}
	return true;
}

int flight_schema_new(const json_t *object, char why[FLIGHT_WHY_BYTES],
		      struct flight_schema **ret_schema)
{
	struct flight_schema *schema = calloc(1, sizeof(*schema));

	if (!schema)
		return -ENOMEM;
	schema->json = json_deep_copy(object);
	if (schema->json && parse(schema)) {
		*ret_schema = schema;
		return 0;
	}
	flight_schema_free(schema);
	snprintf(why, FLIGHT_WHY_BYTES, "its description of itself makes no sense");
	return -EBADMSG;
}

void flight_schema_free(struct flight_schema *schema)
{
	if (schema)
		json_decref(schema->json);
	free(schema);
}

const struct flight_file_type *flight_schema_find(const struct flight_schema *schema,
						  const char *prefix,
						  const struct flight_type *type)
{
	char name[SCHEMA_NAME_BYTES];

	snprintf(name, sizeof(name), "%s%s", prefix, type->name);
	return find_type(schema, name);
}
