#include "loader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int conf_errors_add(struct conf_errors *errors, unsigned line, const char *format, va_list list)
{
	struct conf_error *items;
	char *text;

	if (errors->count > CONF_MISTAKES_MAX)
		return 0;
	if (vasprintf(&text, format, list) < 0)
		return -ENOMEM;
	items = reallocarray(errors->items, errors->count + 1, sizeof(*items));
	if (!items) {
		free(text);
		return -ENOMEM;
	}
	conf_defuse(text);
	errors->items = items;
	errors->items[errors->count++] = (struct conf_error){ .line = line, .text = text };
	return 0;
}

void conf_mistake(struct conf_loader *loader, unsigned line, const char *format, ...)
{
	va_list list;

	if (loader->errors.count == CONF_MISTAKES_MAX) {
		line = UINT32_MAX;
		format = "too many mistakes; the others are not shown";
	}
	va_start(list, format);
	if (conf_errors_add(&loader->errors, line, format, list) < 0)
		loader->no_memory = true;
	va_end(list);
}

/* Insertion keeps mistakes of one line in the order in which they were found. */
void conf_errors_sort(struct conf_errors *errors)
{
	for (size_t i = 1; i < errors->count; i++) {
		struct conf_error error = errors->items[i];
		size_t j = i;

		for (; j > 0 && errors->items[j - 1].line > error.line; j--)
			errors->items[j] = errors->items[j - 1];
		errors->items[j] = error;
	}
}

void conf_errors_free(struct conf_errors *errors)
{
	if (!errors)
		return;
	for (size_t i = 0; i < errors->count; i++)
		free(errors->items[i].text);
	free(errors->items);
	*errors = (struct conf_errors){ 0 };
}

void conf_errors_print(const struct conf_errors *errors, const char *path, FILE *stream)
{
	for (size_t i = 0; i < errors->count; i++) {
		const struct conf_error *error = &errors->items[i];

		if (error->line == 0 || error->line == UINT32_MAX)
			fprintf(stream, "%s: %s\n", path, error->text);
		else
			fprintf(stream, "%s:%u: %s\n", path, error->line, error->text);
	}
}
