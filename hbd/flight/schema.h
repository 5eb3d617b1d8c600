/*
 * The description of the tables that is in every recording, and reading by it.
 *
 * As JSON: {"words": {"role": ["unset", ...], ...}, "types": {"lease": "held:u held_until_ns:t", ...}}.
 * A type is its members in their order: name, ":", kind, and "*" for an array. Kinds: u unsigned, i
 * signed, t instant, b bytes, w:NAME one of the words NAME, s:NAME a struct of the type NAME, which
 * comes before. Types of events and actions are "event.NAME" and "action.NAME".
 *
 * What is known here under the same name and kind is taken; what is not is skipped; what the file
 * lacks stays as it was (flight_lend_struct()). A word that is not known cannot be skipped: then the
 * recording is refused.
 */
#pragma once

#include <jansson.h>

#include "field.h"

#define FLIGHT_WHY_BYTES 200

struct flight_schema;
struct flight_file_type;

/* Adds "words" and "types" of this program to an object. 0 or -ENOMEM. */
int flight_schema_describe(json_t *object);

/* Reads them. 0, -ENOMEM, or -EBADMSG with a sentence in why. */
int flight_schema_new(const json_t *object, char why[FLIGHT_WHY_BYTES],
		      struct flight_schema **ret_schema);
void flight_schema_free(struct flight_schema *schema);

/* How the file describes type, found by its name with a prefix ("event." or ""); NULL: not at all. */
const struct flight_file_type *flight_schema_find(const struct flight_schema *schema,
						  const char *prefix,
						  const struct flight_type *type);

/*
 * Reads an object of a type (NULL: one without members) into object, which is such a struct. False
 * if it makes no sense, or says what this program does not know, with a sentence in why.
 */
bool flight_get_struct(const struct flight_schema *schema, struct flight_reader *reader,
		       const struct flight_file_type *type, void *object, int64_t base_ns,
		       char why[FLIGHT_WHY_BYTES]);

/* Takes over from the struct lender into object what no object in the file has a member for. */
void flight_lend_struct(const struct flight_type *known, const struct flight_file_type *type,
			const void *lender, void *object);

/* Reads one of words. False, with a sentence in why, if it is none that is known. */
bool flight_get_word(const struct flight_schema *schema, struct flight_reader *reader,
		     const struct flight_words *words, unsigned *ret_value,
		     char why[FLIGHT_WHY_BYTES]);
