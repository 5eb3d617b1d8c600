/* Reading objects as the recording describes them. */
#include "schema_parse.h"

#include <stdio.h>

#include "../core/time.h"

#define ELEMENTS_MAX 100000	/* of one object: more than any has, and soon counted */
#define INSTANT_NS_MAX ((int64_t)1 << 60)

/* An object under way. */
struct reading {
	const struct flight_schema *schema;
	struct flight_reader *reader;
	int64_t base_ns;
	unsigned budget;
	char *why;
};

static bool refuse(const struct reading *reading, const char *type, const char *name,
		   const char *what)
{
	snprintf(reading->why, FLIGHT_WHY_BYTES, "%s: %s %s", type, name, what);
	return false;
}

static bool fits(uint64_t value, const struct flight_field *field)
{
	bool below_limit = field->limit == 0 || value < field->limit;

	return below_limit && (field->size >= 8 || value >> (8 * field->size) == 0);
}

static bool fits_signed(int64_t value, const struct flight_field *field)
{
	if (field->limit != 0)
		return value >= 0 && (uint64_t)value < field->limit;
	return field->size >= 8 || (value >= INT32_MIN && value <= INT32_MAX);
}

static bool read_bytes(struct reading *reading, const struct flight_field *known, void *element)
{
	uint64_t length = flight_get(reading->reader);
	const uint8_t *bytes = flight_get_bytes(reading->reader, length);

	if (!bytes)
		return false;
	if (known && length != known->size)
		return false;
	if (known)
		memcpy(element, bytes, length);
	return true;
}

static bool read_word(struct reading *reading, const struct flight_file_field *field, void *element)
{
	unsigned value;

	if (!field->known) {
		flight_get(reading->reader);
		return true;
	}
	if (!flight_get_word(reading->schema, reading->reader, field->known->words, &value,
			     reading->why))
		return false;
	flight_store(field->known, element, value);
	return true;
}

static bool read_number(struct reading *reading, const struct flight_file_field *field,
			void *element)
{
	const struct flight_field *known = field->known;
	uint64_t value;
	bool good;

	if (field->kind == FLIGHT_UNSIGNED) {
		value = flight_get(reading->reader);
		good = !known || fits(value, known);
	} else {
		value = (uint64_t)flight_get_signed(reading->reader);
		if (field->kind == FLIGHT_INSTANT)
			value += (uint64_t)reading->base_ns;
		good = !known || (field->kind == FLIGHT_SIGNED
					  ? fits_signed((int64_t)value, known)
					  : value == HBD_NEVER_NS ||
						    ((int64_t)value > -INSTANT_NS_MAX &&
						     (int64_t)value < INSTANT_NS_MAX));
	}
	if (good && known)
		flight_store(known, element, value);
	return good;
}

static bool read_struct(struct reading *reading, const struct flight_file_type *type,
			uint8_t *object);

static bool read_element(struct reading *reading, const struct flight_file_type *type,
			 const struct flight_file_field *field, uint8_t *element)
{
	const char *name = field->known ? field->known->name : "a member";
	bool good = false;

	if (reading->budget-- == 0)
		return refuse(reading, type->name, name, "has no end");
	reading->why[0] = '\0';
	switch (field->kind) {
	case FLIGHT_UNSIGNED:
	case FLIGHT_SIGNED:
	case FLIGHT_INSTANT:
		good = read_number(reading, field, element);
		break;
	case FLIGHT_WORD:
		good = read_word(reading, field, element);
		break;
	case FLIGHT_BYTES:
		good = read_bytes(reading, field->known, element);
		break;
	case FLIGHT_STRUCT:
		good = read_struct(reading, field->type, field->known ? element : NULL);
		break;
	case FLIGHT_KIND_UNSET:
		break;
	}
	if (reading->reader->failed)
		return refuse(reading, type->name, name, "is cut off");
	if (!good && !reading->why[0])
		return refuse(reading, type->name, name, "has a value that cannot be");
	return good;
}

/* What was left out of an array is 0. */
static void clear_rest(const struct flight_field *known, uint8_t *object, uint64_t count)
{
	if (count < known->count)
		memset(object + known->offset + count * known->size, 0,
		       (known->count - count) * known->size);
}

static bool read_struct(struct reading *reading, const struct flight_file_type *type,
			uint8_t *object)
{
	for (size_t i = 0; i < type->field_count; i++) {
		struct flight_file_field field = type->fields[i];
		const struct flight_field *known = object ? field.known : NULL;
		uint64_t count = field.array ? flight_get(reading->reader) : 1;

		for (uint64_t at = 0; at < count; at++) {
			bool kept = known && (at == 0 || at < known->count);

			field.known = kept ? known : NULL;
			if (!read_element(reading, type, &field,
					  kept ? object + known->offset + at * known->size : NULL))
				return false;
		}
		if (reading->reader->failed)
			return refuse(reading, type->name, "it", "is cut off");
		if (known)
			clear_rest(known, object, count);
	}
	return true;
}

bool flight_get_struct(const struct flight_schema *schema, struct flight_reader *reader,
		       const struct flight_file_type *type, void *object, int64_t base_ns,
		       char why[FLIGHT_WHY_BYTES])
{
	struct reading reading = { schema, reader, base_ns, ELEMENTS_MAX, why };

	return !type || read_struct(&reading, type, object);
}

static const struct flight_file_field *find_field(const struct flight_file_type *type,
						  const struct flight_field *known)
{
	for (size_t i = 0; type && i < type->field_count; i++)
		if (type->fields[i].known == known)
			return &type->fields[i];
	return NULL;
}

void flight_lend_struct(const struct flight_type *known, const struct flight_file_type *type,
			const void *lender, void *object)
{
	for (size_t i = 0; i < known->field_count; i++) {
		const struct flight_field *field = &known->fields[i];
		const struct flight_file_field *found = find_field(type, field);
		const uint8_t *from = (const uint8_t *)lender + field->offset;
		uint8_t *to = (uint8_t *)object + field->offset;
		size_t count = field->count ? field->count : 1;

		if (!found)
			memcpy(to, from, field->size * count);
		else if (field->kind == FLIGHT_STRUCT)
			for (size_t at = 0; at < count; at++)
				flight_lend_struct(field->type, found->type,
						   from + at * field->size, to + at * field->size);
	}
}

bool flight_get_word(const struct flight_schema *schema, struct flight_reader *reader,
		     const struct flight_words *words, unsigned *ret_value,
		     char why[FLIGHT_WHY_BYTES])
{
	uint64_t value = flight_get(reader);

	for (size_t i = 0; i < schema->word_count; i++) {
		const struct flight_file_words *list = &schema->words[i];

		if (list->known != words)
			continue;
		if (value >= list->count)
			break;
		if (list->values[value] < 0) {
			snprintf(why, FLIGHT_WHY_BYTES, "it has the %s \"%s\", which this version of "
				 "hbd-replay does not know", words->name,
				 json_string_value(json_array_get(list->texts, value)));
			return false;
		}
		*ret_value = (unsigned)list->values[value];
		return true;
	}
	snprintf(why, FLIGHT_WHY_BYTES, "a %s has no word", words->name);
	return false;
}
