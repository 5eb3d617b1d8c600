/*
 * "Did you mean ...?": the nearest known word by edit distance. Pure; no table of its own.
 */
#pragma once

#include <stddef.h>

/* Longer words are never near anything. */
#define CONF_SUGGEST_BYTES_MAX 48

/*
 * Letters to insert, delete, change, or swap with their neighbor, to make a into b; upper and
 * lower case count as equal. CONF_SUGGEST_BYTES_MAX if either is longer than that.
 */
unsigned conf_distance(const char *a, const char *b);

/*
 * How far a misspelling of a known word of that length may be from it: the shorter, the nearer,
 * or every short word would be taken for every other.
 */
unsigned conf_distance_allowed(const char *known);

/*
 * The candidate that word was probably meant to be, or NULL: the nearest within the distance
 * allowed, else one that is word with a unit appended ("timeout" for "timeout_ms"). The first of
 * equally near ones. candidates may hold NULLs; they are skipped.
 */
const char *conf_suggest(const char *word, const char *const *candidates, size_t count);
