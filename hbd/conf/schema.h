/*
 * The table of settings: every key that hbd itself knows, once.
 *
 * The loader fills structures from it, the checker takes types, ranges and words from it, the
 * printer and the digest walk it, and hbd.conf(5) is tested against it. What a row cannot say
 * (that a name is unique, that two nodes' links fit together) is in check_*.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a setting stands in the file. */
enum conf_section {
	CONF_SECTION_UNSET = 0,
	CONF_FILE,		/* outside of any braces */
	CONF_NODE,		/* nodes = ( { here }, ... ) */
	CONF_GROUP,		/* groups = ( { here }, ... ) */
	CONF_CHECK,		/* checks = ( { here }, ... ) of a group */
	CONF_TAKEOVER,		/* takeover = ( { here }, ... ) of a group */
	CONF_ALERT,		/* alerts = ( { here }, ... ) */
	CONF_WITNESS,		/* witness = ( { here } ) */
	CONF_SECTION_COUNT
};

enum conf_type {
	CONF_TYPE_UNSET = 0,
	CONF_NAME,		/* string of letters, digits, '.', '_' and '-'; stored as char[] */
	CONF_NUMBER,		/* whole number */
	CONF_WORD,		/* string, one of words */
	CONF_STRING,		/* string with a syntax of its own, taken by the section's loader */
	CONF_STRINGS,		/* list of such strings */
	CONF_SECTIONS,		/* list of { } sections */
};

enum conf_unit {
	CONF_UNIT_NONE = 0,
	CONF_MS,
	CONF_S,
};

struct conf_word {
	const char *text;
	int value;
	const char *refusal;	/* not NULL: known, but not accepted, and this is why */
};

struct conf_setting {
	enum conf_section section;
	enum conf_type type;
	enum conf_unit unit;	/* of a number: stored as int64_t nanoseconds, else as it is */
	const char *name;
	bool required;
	bool agreed;		/* both nodes must have the same: part of the digest */
	bool late;		/* newer than others: at its default it does not count in the digest */
	int64_t preset;		/* default of a number */
	int64_t min, max;	/* of a number; of a list: how many elements */
	const char *preset_text; /* default of anything else, in words if it depends; may be NULL */
	const struct conf_word *words;	/* ends with a NULL text */
	size_t offset;		/* into the section's structure */
	size_t bytes;		/* of the member there; 0 = not stored by the generic loader */
	const char *help;	/* one clause, as in the manual page */
};

/* All rows, in the order in which they are printed and explained. */
const struct conf_setting *conf_schema(size_t *ret_count);

/* The row of name in section, or NULL. */
const struct conf_setting *conf_schema_find(enum conf_section section, const char *name);

/* The first section that knows name, or CONF_SECTION_UNSET. */
enum conf_section conf_schema_section_of(const char *name);

/* True for sections whose unknown keys are parameters of a plugin. */
bool conf_section_takes_parameters(enum conf_section section);

/* "a check", "the file": for messages; never NULL. */
const char *conf_section_text(enum conf_section section);

/* "ms", "s" or "". */
const char *conf_unit_text(enum conf_unit unit);

/* Nanoseconds in one unit; 1 for none. */
int64_t conf_unit_ns(enum conf_unit unit);
