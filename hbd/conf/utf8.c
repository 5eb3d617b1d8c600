#include "loader.h"

#include <string.h>

/* The length of the UTF-8 character at text, or 0 if it is none (RFC 3629). */
static size_t utf8_length(const unsigned char *text, size_t bytes)
{
	static const struct { unsigned char first, last, second_min, second_max; size_t length; }
	forms[] = {
		{ 0x00, 0x7f, 0, 0, 1 },	  { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },	  { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },	  { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },	  { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (text[0] < forms[i].first || text[0] > forms[i].last)
			continue;
		if (forms[i].length > bytes)
			return 0;
		if (forms[i].length > 1 &&
		    (text[1] < forms[i].second_min || text[1] > forms[i].second_max))
			return 0;
		for (size_t j = 2; j < forms[i].length; j++) {
			if ((text[j] & 0xc0) != 0x80)
				return 0;
		}
		return forms[i].length;
	}
	return 0;
}

bool conf_is_text(struct conf_loader *loader, const char *text, size_t bytes)
{
	unsigned line = 1;

	if (bytes >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		conf_mistake(loader, 1, "begins with a byte order mark; save the file as UTF-8 "
			     "without one");
		return false;
	}
	for (size_t i = 0; i < bytes;) {
		size_t length = utf8_length((const unsigned char *)text + i, bytes - i);

		if (text[i] == '\0' || length == 0) {
			conf_mistake(loader, line, "byte 0x%02x: this is not UTF-8 text",
				     (unsigned char)text[i]);
			return false;
		}
		if (text[i] == '\n')
			line++;
		i += length;
	}
	return true;
}

/* C0, DEL and C1: terminals obey them. */
static bool is_control(const char *text)
{
	unsigned char first = (unsigned char)text[0], second = (unsigned char)text[1];

	return first < ' ' || first == 0x7f || (first == 0xc2 && second < 0xa0);
}

const char *conf_string_problem(const char *text, bool for_plugin)
{
	size_t length;

	for (; *text; text += length) {
		length = utf8_length((const unsigned char *)text, 4);
		if (length == 0)
			return "holds a byte that is not UTF-8";
		if (for_plugin && (*text == '\n' || *text == '\t'))
			continue;
		if (is_control(text))
			return "holds a tab, a line break or another control character";
	}
	return NULL;
}

void conf_defuse(char *text)
{
	for (size_t length; *text; text += length) {
		length = utf8_length((const unsigned char *)text, 4);
		if (length > 0 && !is_control(text))
			continue;
		length = length > 0 ? length : 1;
		memset(text, '?', length);
	}
}
