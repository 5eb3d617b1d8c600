#include "plugin.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CONTRACT 1
#define SECRET_BYTES 4096
#define MARGIN_MS 200

void plugin_say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

void plugin_end(int status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	exit(status);
}

char *plugin_copy(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		plugin_end(PLUGIN_AGAIN, "out of memory");
	return copy;
}

int plugin_worse(int a, int b)
{
	if (a == PLUGIN_FAILED || b == PLUGIN_FAILED)
		return PLUGIN_FAILED;
	return a ? a : b;
}

static const char *type_text(enum plugin_type type)
{
	switch (type) {
	case PLUGIN_STRING:
		return "string";
	case PLUGIN_STRINGS:
		return "strings";
	case PLUGIN_NUMBER:
		return "number";
	case PLUGIN_BOOLEAN:
		return "boolean";
	case PLUGIN_WORD:
		return "word";
	}
	return "";
}

static json_t *describe_words(const char *words)
{
	json_t *list = json_array();

	while (words && *words) {
		size_t length = strcspn(words, " ");

		json_array_append_new(list, json_stringn(words, length));
		words += length + (words[length] == ' ');
	}
	return list;
}

static void describe(const struct plugin_about *about)
{
	json_t *parameters = json_array();
	json_t *document;

	for (const struct plugin_parameter *p = about->parameters; p->name; p++)
		json_array_append_new(parameters, json_pack(
			"{s:s, s:s, s:b, s:o*, s:s*, s:s}", "name", p->name, "type",
			type_text(p->type), "required", p->required, "words",
			p->words ? describe_words(p->words) : NULL, "default", p->preset, "help",
			p->help));
	document = json_pack("{s:i, s:s, s:s, s:s, s:[s, s], s:o}", "contract", CONTRACT, "kind",
			     about->kind ? about->kind : "alert", "name", about->name, "summary",
			     about->summary, "actions", about->action ? about->action : "send",
			     "describe", "parameters", parameters);
	json_dumpf(document, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(document);
}

static const struct plugin_parameter *find(const struct plugin_about *about, const char *name)
{
	for (const struct plugin_parameter *p = about->parameters; p->name; p++)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

static bool is_strings(const json_t *value)
{
	if (json_is_string(value))
		return true;
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!json_is_string(json_array_get(value, i)))
			return false;
	return json_array_size(value) > 0;
}

static bool is_word(const struct plugin_parameter *parameter, const json_t *value)
{
	json_t *words = describe_words(parameter->words);
	bool found = false;

	for (size_t i = 0; i < json_array_size(words); i++)
		found |= json_equal(json_array_get(words, i), value);
	json_decref(words);
	return found;
}

/* What a value should have been; NULL if it is that. */
static const char *mistake(const struct plugin_parameter *parameter, const json_t *value)
{
	switch (parameter->type) {
	case PLUGIN_STRING:
		return json_is_string(value) ? NULL : "a string";
	case PLUGIN_STRINGS:
		return is_strings(value) ? NULL : "a string or a list of strings";
	case PLUGIN_NUMBER:
		return json_is_number(value) ? NULL : "a number";
	case PLUGIN_BOOLEAN:
		return json_is_boolean(value) ? NULL : "true or false";
	case PLUGIN_WORD:
		return is_word(parameter, value) ? NULL : parameter->words;
	}
	return NULL;
}

/* An alert is worth more than a misspelt option: what is not known is said and ignored. */
static void check_parameters(const struct plugin_input *input)
{
	const char *name;
	json_t *value;

	json_object_foreach(input->parameters, name, value) {
		const struct plugin_parameter *parameter = find(input->about, name);
		const char *wanted = parameter ? mistake(parameter, value) : NULL;

		if (!parameter)
			plugin_say("parameter %s is not known and ignored; %s describe lists them",
				   name, input->about->name);
		if (wanted)
			plugin_end(PLUGIN_FAILED, "parameter %s must be %s%s", name,
				   parameter->type == PLUGIN_WORD ? "one of: " : "", wanted);
	}
	for (const struct plugin_parameter *p = input->about->parameters; p->name; p++)
		if (p->required && !json_object_get(input->parameters, p->name))
			plugin_end(PLUGIN_FAILED, "parameter %s is missing: %s", p->name, p->help);
}

bool plugin_describes(int argc, char **argv, const struct plugin_about *about)
{
	bool asked = argc == 2 && strcmp(argv[1], "describe") == 0;

	if (asked)
		describe(about);
	return asked;
}

void plugin_begin(int argc, char **argv, const struct plugin_about *about,
		  struct plugin_input *ret_input)
{
	const char *action = argc == 2 ? argv[1] : "";
	json_error_t error;
	json_t *contract;

	/* in order with what is printed by a program that this one runs */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(action, "describe")) {
		describe(about);
		exit(EXIT_SUCCESS);
	}
	if (strcmp(action, "send"))
		plugin_end(PLUGIN_FAILED, "usage: %s send|describe, with the message on standard "
			   "input", about->name);
	*ret_input = (struct plugin_input){ .about = about };
	ret_input->document = json_loadf(stdin, 0, &error);
	if (!json_is_object(ret_input->document))
		plugin_end(PLUGIN_FAILED, "standard input is not a JSON object: %s (line %d)",
			   error.text, error.line);
	contract = json_object_get(ret_input->document, "contract");
	if (json_integer_value(contract) != CONTRACT)
		plugin_end(PLUGIN_FAILED, "contract version %lld is not %d",
			   (long long)json_integer_value(contract), CONTRACT);
	ret_input->parameters = json_object_get(ret_input->document, "parameters");
	check_parameters(ret_input);
}

const char *plugin_fact(const struct plugin_input *input, const char *name)
{
	const char *value = json_string_value(json_object_get(input->document, name));

	if (!value)
		plugin_end(PLUGIN_FAILED, "the message has no \"%s\"", name);
	return value;
}

const char *plugin_string(const struct plugin_input *input, const char *name)
{
	const char *value = json_string_value(json_object_get(input->parameters, name));

	return value ? value : find(input->about, name)->preset;
}

bool plugin_boolean(const struct plugin_input *input, const char *name, bool preset)
{
	const json_t *value = json_object_get(input->parameters, name);

	return value ? json_is_true(value) : preset;
}

size_t plugin_count(const struct plugin_input *input, const char *name)
{
	const json_t *value = json_object_get(input->parameters, name);

	return json_is_string(value) ? 1 : json_array_size(value);
}

const char *plugin_item(const struct plugin_input *input, const char *name, size_t index)
{
	const json_t *value = json_object_get(input->parameters, name);

	return json_string_value(json_is_string(value) ? value : json_array_get(value, index));
}

char *plugin_secret(const struct plugin_input *input, const char *name)
{
	const char *path = plugin_string(input, name);
	char line[SECRET_BYTES];
	struct stat info;
	FILE *file;

	if (!path)
		return NULL;
	file = fopen(path, "re");
	if (!file)
		plugin_end(PLUGIN_FAILED, "%s: %s: %s; alert plugins run as the user that hbd.conf "
			   "names", name, path, strerror(errno));
	if (fstat(fileno(file), &info) == 0 && (info.st_mode & S_IROTH))
		plugin_say("%s: everybody may read %s; chmod o-r it", name, path);
	if (!fgets(line, sizeof(line), file) || !line[strspn(line, "\r\n")])
		plugin_end(PLUGIN_FAILED, "%s: %s has no first line", name, path);
	fclose(file);
	line[strcspn(line, "\r\n")] = '\0';
	return plugin_copy(line);
}

long plugin_timeout_ms(void)
{
	const char *text = getenv("HBD_TIMEOUT_MS");
	long timeout_ms = text ? atol(text) : 0;

	if (timeout_ms <= 0)
		timeout_ms = 30000;
	return timeout_ms > 2 * MARGIN_MS ? timeout_ms - MARGIN_MS : timeout_ms;
}
