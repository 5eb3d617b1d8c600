#include "suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Damerau's distance, neighbors swapped at most once, over three rows of the matrix. */
unsigned conf_distance(const char *a, const char *b)
{
	unsigned rows[3][CONF_SUGGEST_BYTES_MAX + 1];
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length > CONF_SUGGEST_BYTES_MAX || b_length > CONF_SUGGEST_BYTES_MAX)
		return CONF_SUGGEST_BYTES_MAX;
	for (unsigned j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a_length; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3];
		unsigned *second = rows[(i + 1) % 3];

		row[0] = i;
		for (unsigned j = 1; j <= b_length; j++) {
			bool equal = same_letter(a[i - 1], b[j - 1]);

			row[j] = least(above[j - 1] + !equal, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
			    same_letter(a[i - 2], b[j - 1]))
				row[j] = least(row[j], second[j - 2] + 1);
		}
	}
	return rows[a_length % 3][b_length];
}

unsigned conf_distance_allowed(const char *known)
{
	size_t length = strlen(known);

	if (length <= 2)
		return 0;
	return length <= 5 ? 1 : 2;
}

/* "timeout" for "timeout_ms", "refresh" for "refresh_s". */
static bool lacks_unit(const char *word, const char *known)
{
	size_t length = strlen(word);

	if (strncmp(word, known, length) != 0)
		return false;
	return !strcmp(known + length, "_ms") || !strcmp(known + length, "_s");
}

const char *conf_suggest(const char *word, const char *const *candidates, size_t count)
{
	const char *best = NULL;
	unsigned best_distance = CONF_SUGGEST_BYTES_MAX;

	for (size_t i = 0; i < count; i++) {
		unsigned distance;

		if (!candidates[i])
			continue;
		if (lacks_unit(word, candidates[i]))
			return candidates[i];
		distance = conf_distance(word, candidates[i]);
		if (distance <= conf_distance_allowed(candidates[i]) && distance < best_distance) {
			best = candidates[i];
			best_distance = distance;
		}
	}
	return best;
}
