/*
 * Structs described by tables: what of them goes into a recording, and under which name.
 *
 * One row for each member. The names are in every recording, so that a program whose structs have
 * grown, shrunk or changed their order still reads it (schema.h). A member without a row is lost: a
 * test finds those.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "number.h"

enum flight_kind {
	FLIGHT_KIND_UNSET = 0,
	FLIGHT_UNSIGNED,	/* also bool */
	FLIGHT_SIGNED,		/* also durations */
	FLIGHT_INSTANT,		/* int64_t; written as the distance from the record's instant */
	FLIGHT_WORD,		/* an enum, whose words are written once for each recording */
	FLIGHT_BYTES,
	FLIGHT_STRUCT,
};

/* The words of an enum, by its values from 0. */
struct flight_words {
	const char *name;
	unsigned count;
	const char *(*text)(unsigned value);
};

struct flight_type;

struct flight_field {
	const char *name;
	enum flight_kind kind;
	bool passing;		/* not part of what a replay must arrive at */
	uint16_t offset;
	uint16_t size;		/* of one element */
	uint16_t count;		/* of elements; 0: it is no array */
	uint64_t limit;		/* UNSIGNED: values are below it; SIGNED: and not negative; 0 = any */
	const struct flight_words *words;	/* WORD */
	const struct flight_type *type;		/* STRUCT */
};

struct flight_type {
	const char *name;
	size_t size;
	const struct flight_field *fields;
	size_t field_count;
};

/* Durations and distances of instants that a replay accepts: sums and products stay in range. */
#define FLIGHT_SPAN_NS_MAX ((int64_t)1 << 52)

/* Rows. what: a struct without "struct"; the rest as in the struct above. */
#define FLIGHT_MEMBER(what, member) (((struct what *)0)->member)
#define FLIGHT_SCALAR(what, member, its_kind, ...)						\
	{ .name = #member, .kind = its_kind, .offset = offsetof(struct what, member),		\
	  .size = sizeof(FLIGHT_MEMBER(what, member)), __VA_ARGS__ }
#define FLIGHT_ARRAY(what, member, its_kind, ...)						\
	{ .name = #member, .kind = its_kind, .offset = offsetof(struct what, member),		\
	  .size = sizeof(FLIGHT_MEMBER(what, member)[0]),					\
	  .count = sizeof(FLIGHT_MEMBER(what, member)) /					\
		   sizeof(FLIGHT_MEMBER(what, member)[0]), __VA_ARGS__ }
#define FLIGHT_NUMBER(what, member, below)							\
	FLIGHT_SCALAR(what, member, FLIGHT_UNSIGNED, .limit = below)
#define FLIGHT_BOOL(what, member) FLIGHT_NUMBER(what, member, 2)
#define FLIGHT_TIME(what, member) FLIGHT_SCALAR(what, member, FLIGHT_INSTANT)
#define FLIGHT_SPAN(what, member)								\
	FLIGHT_SCALAR(what, member, FLIGHT_SIGNED, .limit = FLIGHT_SPAN_NS_MAX)
#define FLIGHT_ENUM(what, member, its_words)							\
	FLIGHT_SCALAR(what, member, FLIGHT_WORD, .words = &(its_words))
#define FLIGHT_PART(what, member, its_type)							\
	FLIGHT_SCALAR(what, member, FLIGHT_STRUCT, .type = &(its_type))
#define FLIGHT_PARTS(what, member, its_type)							\
	FLIGHT_ARRAY(what, member, FLIGHT_STRUCT, .type = &(its_type))

/* struct flight_type its_type of struct what, with rows its_fields. */
#define FLIGHT_TYPE(its_type, its_name, what, its_fields)					\
	const struct flight_type its_type = { its_name, sizeof(struct what), its_fields,	\
					      sizeof(its_fields) / sizeof((its_fields)[0]) }

/* Writes an object; its instants count from base_ns. Elements at the end that are 0 are left out. */
void flight_put_struct(struct flight_writer *writer, const struct flight_type *type,
		       const void *object, int64_t base_ns);

/*
 * Writes where two objects differ first, as "groups.2.lease.held_until_ns", and returns true; false
 * if they do not, apart from what is passing.
 */
bool flight_differ(const struct flight_type *type, const void *a, const void *b, char *ret_path,
		   size_t path_bytes);

/* An element's number, of the size and sign that the field says. */
uint64_t flight_load(const struct flight_field *field, const void *element);
void flight_store(const struct flight_field *field, void *element, uint64_t value);
