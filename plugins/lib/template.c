#include "template.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

static void put_url(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (isalnum(byte) || strchr("-._~", byte))
			fputc(byte, out);
		else
			fprintf(out, "%%%02X", byte);
	}
}

/* jansson escapes; the quotes around it are the template's. */
static void put_json(FILE *out, const char *text)
{
	json_t *string = json_string(text);
	char *quoted = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;

	if (!quoted)
		plugin_end(PLUGIN_FAILED, "a value is not UTF-8");
	fprintf(out, "%.*s", (int)strlen(quoted) - 2, quoted + 1);
	free(quoted);
	json_decref(string);
}

static void put_line(FILE *out, const char *name, const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			plugin_end(PLUGIN_FAILED, "%s: a value has a control character", name);
	fputs(text, out);
}

static void put_value(FILE *out, const char *name, const struct template_value *value,
		      enum template_escape escape)
{
	if (!value->value)
		plugin_end(PLUGIN_FAILED, "%s: there is nothing to put in for {%s}", name,
			   value->name);
	switch (escape) {
	case TEMPLATE_URL:
		put_url(out, value->value);
		break;
	case TEMPLATE_JSON:
		put_json(out, value->value);
		break;
	case TEMPLATE_LINE:
		put_line(out, name, value->value);
		break;
	}
}

/* JSON has braces of its own: only known names between them are placeholders. */
static const struct template_value *find(const struct template_value *values, const char *at,
					 size_t *ret_length)
{
	for (; values->name; values++) {
		size_t length = strlen(values->name);

		if (!strncmp(at + 1, values->name, length) && at[length + 1] == '}') {
			*ret_length = length + 2;
			return values;
		}
	}
	return NULL;
}

char *template_fill(const char *name, const char *template, enum template_escape escape,
		    const struct template_value *values)
{
	char *text = NULL;
	size_t bytes, length;
	FILE *out = open_memstream(&text, &bytes);

	while (out && *template) {
		const struct template_value *value = *template == '{' ?
						     find(values, template, &length) : NULL;

		if (value) {
			put_value(out, name, value, escape);
			template += length;
		} else {
			fputc(*template++, out);
		}
	}
	if (!out || fclose(out) != 0)
		plugin_end(PLUGIN_AGAIN, "out of memory");
	return text;
}
