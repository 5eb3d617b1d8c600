/* Runs a program of the operator's for each message, without a shell; its end is this one's. */
#include <stdlib.h>
#include <string.h>

#include "../lib/plugin.h"
#include "../lib/run.h"

#define WORDS_MAX 64

static const struct plugin_parameter parameters[] = {
	{ "command", PLUGIN_STRINGS, true, NULL, NULL,
	  "the program and its arguments, ( \"/usr/local/bin/page\", \"--team\", \"ops\" ); the "
	  "message is its standard input (JSON) and HBD_* in its environment" },
	{ "to", PLUGIN_STRINGS, false, NULL, NULL,
	  "recipients, if the program wants any: it finds them in the JSON under parameters.to" },
	{ .name = NULL },
};

static const struct plugin_about about = {
	.name = "exec",
	.summary = "runs a program for each alert message",
	.parameters = parameters,
};

int main(int argc, char **argv)
{
	const char *words[WORDS_MAX + 1] = { NULL };
	struct plugin_input input;
	char *document;
	size_t count;
	int status;

	plugin_begin(argc, argv, &about, &input);
	count = plugin_count(&input, "command");
	if (count > WORDS_MAX)
		plugin_end(PLUGIN_FAILED, "command has more than %d words", WORDS_MAX);
	for (size_t i = 0; i < count; i++)
		words[i] = plugin_item(&input, "command", i);
	document = json_dumps(input.document, 0);
	if (!document)
		plugin_end(PLUGIN_AGAIN, "out of memory");
	status = run_program(words, document, strlen(document));
	if (status != 0)
		plugin_say("%s ended with status %d", words[0], status);
	free(document);
	json_decref(input.document);
	return status;
}
