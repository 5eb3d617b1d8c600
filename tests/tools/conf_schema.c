/*
 * conf_schema: one line for each setting, "section<TAB>name<TAB>what hbd.conf(5) says first".
 * conf_schema -d: "name = default;" for each setting that has one, "name =" for the others.
 */
#include <stdio.h>
#include <string.h>

#include "../../hbd/conf/schema.h"

static const char *requirement(const struct conf_setting *row)
{
	static char text[128];

	if (row->required)
		return "required.";
	if (row->type == CONF_NUMBER)
		snprintf(text, sizeof(text), "default %lld.", (long long)row->preset);
	else if (row->preset_text && strchr(row->preset_text, ' '))
		snprintf(text, sizeof(text), "default: %s.", row->preset_text);
	else if (row->preset_text)
		snprintf(text, sizeof(text), "default %s.", row->preset_text);
	else
		return "optional.";
	return text;
}

static void print_words(const struct conf_setting *row)
{
	const char *before = "One of ";

	for (const struct conf_word *word = row->words; word->text; word++) {
		if (word->refusal)
			continue;
		printf("%s%s", before, word->text);
		before = ", ";
	}
	printf("; %s\n", requirement(row));
}

static void print_list(const struct conf_setting *row, const char *what)
{
	if (row->min == row->max)
		printf("List of exactly %lld %s; %s\n", (long long)row->min, what,
		       requirement(row));
	else
		printf("List of %lld to %lld %s; %s\n", (long long)row->min, (long long)row->max,
		       what, requirement(row));
}

static void print_row(const struct conf_setting *row)
{
	switch (row->type) {
	case CONF_NUMBER:
		printf("Number%s%s, %lld to %lld; %s\n", row->unit ? " of " : "",
		       conf_unit_text(row->unit), (long long)row->min, (long long)row->max,
		       requirement(row));
		break;
	case CONF_WORD:
		print_words(row);
		break;
	case CONF_NAME:
		printf("Name; %s\n", requirement(row));
		break;
	case CONF_STRING:
		printf("String; %s\n", requirement(row));
		break;
	case CONF_STRINGS:
		print_list(row, "strings");
		break;
	case CONF_SECTIONS:
		print_list(row, "sections");
		break;
	case CONF_TYPE_UNSET:
		break;
	}
}

static void print_default(const struct conf_setting *row)
{
	if (row->type == CONF_NUMBER)
		printf("%s = %lld;\n", row->name, (long long)row->preset);
	else if ((row->type == CONF_WORD || row->type == CONF_NAME) && row->preset_text &&
		 !strchr(row->preset_text, ' '))
		printf("%s = \"%s\";\n", row->name, row->preset_text);
	else
		printf("%s =\n", row->name);
}

int main(int argc, char **argv)
{
	size_t count;
	const struct conf_setting *rows = conf_schema(&count);

	for (size_t i = 0; i < count; i++) {
		if (argc > 1 && !strcmp(argv[1], "-d")) {
			print_default(&rows[i]);
			continue;
		}
		printf("%s\t%s\t", conf_section_text(rows[i].section), rows[i].name);
		print_row(&rows[i]);
	}
	return 0;
}
