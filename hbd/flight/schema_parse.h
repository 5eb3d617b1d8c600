/* What the files of the schema share; nobody else's. */
#pragma once

#include "schema.h"

#define SCHEMA_WORDS_MAX 32
#define SCHEMA_VALUES_MAX 256
#define SCHEMA_TYPES_MAX 128
#define SCHEMA_FIELDS_MAX 1024	/* of all types */
#define SCHEMA_NAME_BYTES 64

/* The words of an enum, as the file counts them. */
struct flight_file_words {
	char name[SCHEMA_NAME_BYTES];
	const struct flight_words *known;	/* NULL: not known here */
	unsigned count;
	int values[SCHEMA_VALUES_MAX];		/* of this program; -1: it has none */
	const json_t *texts;
};

struct flight_file_field {
	enum flight_kind kind;
	bool array;
	const struct flight_file_words *words;
	const struct flight_file_type *type;
	const struct flight_field *known;	/* NULL: to be skipped */
};

struct flight_file_type {
	char name[SCHEMA_NAME_BYTES];
	const struct flight_type *known;	/* NULL: not known here */
	size_t field_count;
	struct flight_file_field *fields;
};

struct flight_schema {
	json_t *json;
	size_t word_count, type_count, field_count;
	struct flight_file_words words[SCHEMA_WORDS_MAX];
	struct flight_file_type types[SCHEMA_TYPES_MAX];
	struct flight_file_field fields[SCHEMA_FIELDS_MAX];
};
