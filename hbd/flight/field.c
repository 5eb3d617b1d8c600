#include "field.h"

#include <assert.h>
#include <stdio.h>

uint64_t flight_load(const struct flight_field *field, const void *element)
{
	bool negative = field->kind == FLIGHT_SIGNED || field->kind == FLIGHT_INSTANT;
	union {
		uint8_t u1;
		uint16_t u2;
		uint32_t u4;
		uint64_t u8;
	} value;

	memcpy(&value, element, field->size);
	switch (field->size) {
	case 1:
		return value.u1;
	case 2:
		return value.u2;
	case 4:
		return negative ? (uint64_t)(int64_t)(int32_t)value.u4 : value.u4;
	default:
		assert(field->size == 8);
		return value.u8;
	}
}

void flight_store(const struct flight_field *field, void *element, uint64_t value)
{
	uint32_t u4 = (uint32_t)value;
	uint16_t u2 = (uint16_t)value;
	uint8_t u1 = (uint8_t)value;

	switch (field->size) {
	case 1:
		memcpy(element, &u1, sizeof(u1));
		break;
	case 2:
		memcpy(element, &u2, sizeof(u2));
		break;
	case 4:
		memcpy(element, &u4, sizeof(u4));
		break;
	default:
		assert(field->size == 8);
		memcpy(element, &value, sizeof(value));
	}
}

static void put_element(struct flight_writer *writer, const struct flight_field *field,
			const uint8_t *element, int64_t base_ns)
{
	switch (field->kind) {
	case FLIGHT_UNSIGNED:
	case FLIGHT_WORD:
		flight_put(writer, flight_load(field, element));
		break;
	case FLIGHT_SIGNED:
		flight_put_signed(writer, (int64_t)flight_load(field, element));
		break;
	case FLIGHT_INSTANT:
		/* wraps around for "never", and back again when it is read */
		flight_put_signed(writer,
				  (int64_t)(flight_load(field, element) - (uint64_t)base_ns));
		break;
	case FLIGHT_BYTES:
		flight_put(writer, field->size);
		flight_put_bytes(writer, element, field->size);
		break;
	case FLIGHT_STRUCT:
		flight_put_struct(writer, field->type, element, base_ns);
		break;
	case FLIGHT_KIND_UNSET:
		assert(!"a field has a kind");
	}
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

static size_t count_used(const struct flight_field *field, const uint8_t *elements)
{
	size_t count = field->count;

	while (count > 0 && is_zero(elements + (count - 1) * field->size, field->size))
		count--;
	return count;
}

void flight_put_struct(struct flight_writer *writer, const struct flight_type *type,
		       const void *object, int64_t base_ns)
{
	for (size_t i = 0; i < type->field_count; i++) {
		const struct flight_field *field = &type->fields[i];
		const uint8_t *element = (const uint8_t *)object + field->offset;
		size_t count = 1;

		if (field->count > 0) {
			count = count_used(field, element);
			flight_put(writer, count);
		}
		for (size_t at = 0; at < count; at++)
			put_element(writer, field, element + at * field->size, base_ns);
	}
}

static bool elements_differ(const struct flight_field *field, const uint8_t *a, const uint8_t *b,
			    char *path, size_t path_bytes)
{
	path[0] = '\0';
	if (field->kind == FLIGHT_STRUCT)
		return flight_differ(field->type, a, b, path, path_bytes);
	return memcmp(a, b, field->size) != 0;
}

bool flight_differ(const struct flight_type *type, const void *a, const void *b, char *ret_path,
		   size_t path_bytes)
{
	char rest[128];

	for (size_t i = 0; i < type->field_count; i++) {
		const struct flight_field *field = &type->fields[i];
		size_t count = field->count > 0 ? field->count : 1;

		for (size_t at = 0; at < count && !field->passing; at++) {
			size_t offset = field->offset + at * field->size;
			char index[24] = "";

			if (!elements_differ(field, (const uint8_t *)a + offset,
					     (const uint8_t *)b + offset, rest, sizeof(rest)))
				continue;
			if (field->count > 0)
				snprintf(index, sizeof(index), ".%zu", at);
			snprintf(ret_path, path_bytes, "%s%s%s%s", field->name, index,
				 rest[0] ? "." : "", rest);
			return true;
		}
	}
	return false;
}
