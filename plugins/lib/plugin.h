/*
 * What the alert programs in C share: the contract's input, parameters by a table, the last word.
 *
 * A plugin has one table of its parameters. It checks what it was given, names what is wrong, and
 * prints the description that `describe` asks for. Not for plugins only: any program that keeps the
 * contract in ../README.md will do, in any language.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define PLUGIN_AGAIN 75		/* EX_TEMPFAIL: try again later */
#define PLUGIN_FAILED 1

enum plugin_type {
	PLUGIN_STRING = 0,
	PLUGIN_STRINGS,		/* one string, or a list of them */
	PLUGIN_NUMBER,
	PLUGIN_BOOLEAN,
	PLUGIN_WORD,		/* one of words */
};

struct plugin_parameter {
	const char *name;
	enum plugin_type type;
	bool required;
	const char *words;	/* WORD: "required optional off" */
	const char *preset;	/* shown, and used by plugin_string(); NULL = none */
	const char *help;
};

struct plugin_about {
	const char *kind;	/* NULL = "alert" */
	const char *action;	/* besides "describe"; NULL = "send" */
	const char *name;
	const char *summary;
	const struct plugin_parameter *parameters;	/* ends with a zeroed one */
};

/* What standard input said. All strings live as long as the document. */
struct plugin_input {
	const struct plugin_about *about;
	json_t *document;
	json_t *parameters;
};

/*
 * Deals with the arguments: `describe` is answered here and ends the program, as does everything
 * but `send` and whatever is wrong with the input or the parameters.
 */
void plugin_begin(int argc, char **argv, const struct plugin_about *about,
		  struct plugin_input *ret_input);

/* For programs of other kinds: true if the argument is `describe`, which then is answered. */
bool plugin_describes(int argc, char **argv, const struct plugin_about *about);

/* A fact of the message, "subject"; ends the program if it is missing. */
const char *plugin_fact(const struct plugin_input *input, const char *name);

/* A parameter of type STRING or WORD; its preset if it is not set. */
const char *plugin_string(const struct plugin_input *input, const char *name);
bool plugin_boolean(const struct plugin_input *input, const char *name, bool preset);

/* A parameter of type STRINGS: how many, and the one at index. */
size_t plugin_count(const struct plugin_input *input, const char *name);
const char *plugin_item(const struct plugin_input *input, const char *name, size_t index);

/* The first line of the file that the parameter names, without its end; NULL if it is not set. Ends
 * the program if it cannot be read. A secret that everybody may read is used, and said. */
char *plugin_secret(const struct plugin_input *input, const char *name);

/* Milliseconds that hbd leaves, less a margin to say why it failed; HBD_TIMEOUT_MS. */
long plugin_timeout_ms(void);

/* Says why, as the last line that hbd shows, and ends the program with that status. */
void plugin_end(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* Says something on the way. */
void plugin_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Of two ends: a permanent failure outweighs a temporary one, because somebody has to look. */
int plugin_worse(int a, int b);

/* strdup() that ends the program rather than fail. */
char *plugin_copy(const char *text);
