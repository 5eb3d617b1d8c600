#include "alert_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 76		/* fits 80 columns also when it is quoted */

/* Characters of UTF-8, not bytes. */
static size_t columns_of(const char *text, size_t bytes)
{
	size_t columns = 0;

	for (size_t i = 0; i < bytes; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

/* One line, without its end; what does not fit goes on below where it began. */
static void write_wrapped(FILE *out, const char *line, size_t length)
{
	size_t indent = strspn(line, " "), column = 0, at = 0;

	while (at < length) {
		size_t blanks = strspn(line + at, " ");
		size_t word = strcspn(line + at + blanks, " \n");
		size_t columns = blanks + columns_of(line + at + blanks, word);

		if (column > indent && column + columns > COLUMNS_MAX) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
			at += blanks;
			columns -= blanks;
			blanks = 0;
		}
		fwrite(line + at, 1, blanks + word, out);
		column += columns;
		at += blanks + word;
	}
}

char *alert_wrap(const char *text)
{
	char *wrapped = NULL;
	size_t bytes;
	FILE *out = open_memstream(&wrapped, &bytes);

	if (!out)
		return NULL;
	while (*text) {
		size_t length = strcspn(text, "\n");

		if (columns_of(text, length) > COLUMNS_MAX)
			write_wrapped(out, text, length);
		else
			fwrite(text, 1, length, out);
		fputc('\n', out);
		text += length + (text[length] == '\n');
	}
	if (fclose(out) != 0) {
		free(wrapped);
		return NULL;
	}
	return wrapped;
}
