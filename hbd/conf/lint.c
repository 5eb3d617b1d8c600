#include "loader.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "token.h"

#define DEPTH_MAX 512

/* The corrected text while it is made, and the brackets that are open. */
struct lint {
	const char *copied;	/* all before it is in out */
	char *out;
	size_t out_bytes;
	unsigned depth;
	char open[DEPTH_MAX];
};

static void insert(struct lint *lint, const struct conf_token *after, char letter)
{
	size_t length = (size_t)(after->text + after->length - lint->copied);

	memcpy(lint->out + lint->out_bytes, lint->copied, length);
	lint->out_bytes += length;
	lint->out[lint->out_bytes++] = letter;
	lint->copied += length;
}

/* True for an integer of either notation, with or without L. */
static bool is_integer(const struct conf_token *token, bool *ret_hex, bool *ret_long)
{
	const char *text = token->text, *end = text + token->length;
	bool hex = token->length > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

	if (hex)
		text += 2;
	else if (*text == '-' || *text == '+')
		text++;
	*ret_hex = hex;
	*ret_long = end[-1] == 'L';
	while (end > text && end[-1] == 'L')
		end--;
	for (const char *p = text; p < end; p++) {
		if (hex ? !isxdigit((unsigned char)*p) : !isdigit((unsigned char)*p))
			return false;
	}
	return text < end;
}

/*
 * Of a number beyond 32 bits libconfig 1.5 keeps the low bits and says nothing, unless it ends in
 * L; later versions take it as it is.
 */
static void lint_number(struct conf_loader *loader, struct lint *lint,
			const struct conf_token *token)
{
	char copy[32];
	long long number;
	bool hex, is_long;

	if (!is_integer(token, &hex, &is_long))
		return;
	snprintf(copy, sizeof(copy), "%.*s", (int)token->length, token->text);
	errno = 0;
	number = strtoll(copy, NULL, hex ? 16 : 10);
	if (errno == ERANGE || number == LLONG_MAX || number == LLONG_MIN ||
	    token->length >= sizeof(copy))
		conf_mistake(loader, token->line, "the number %.24s%s is too large", copy,
			     token->length > 24 ? "..." : "");
	if (!is_long && (number < INT_MIN || number > INT_MAX))
		insert(lint, token, 'L');
}

static void lint_sign(struct lint *lint, char sign)
{
	if (strchr("([{", sign)) {
		if (lint->depth < DEPTH_MAX)
			lint->open[lint->depth] = sign;
		lint->depth++;
	} else if (strchr(")]}", sign) && lint->depth > 0) {
		lint->depth--;
	}
}

static bool in_list(const struct lint *lint)
{
	return lint->depth > 0 && lint->depth <= DEPTH_MAX && lint->open[lint->depth - 1] != '{';
}

/* libconfig joins strings that follow each other; in a list a comma was forgotten. */
static void lint_string(struct conf_loader *loader, struct lint *lint,
			const struct conf_token *before)
{
	if (before->type != CONF_TOKEN_STRING || !in_list(lint))
		return;
	conf_mistake(loader, before->line, "a comma is missing after %.*s",
		     (int)(before->length < 80 ? before->length : 80), before->text);
	insert(lint, before, ',');
}

/* False if what follows cannot be understood any more. */
static bool lint_token(struct conf_loader *loader, struct lint *lint,
		       const struct conf_token *token, const struct conf_token *before)
{
	switch (token->type) {
	case CONF_TOKEN_WORD:
		lint_number(loader, lint, token);
		return true;
	case CONF_TOKEN_STRING:
		lint_string(loader, lint, before);
		return true;
	case CONF_TOKEN_SIGN:
		lint_sign(lint, *token->text);
		return true;
	case CONF_TOKEN_OTHER:
		if (*token->text != '@')
			return true;
		conf_mistake(loader, token->line, "@include is refused: hbd reads one file, so "
			     "that both nodes can be compared by it; put the text here");
		return false;
	case CONF_TOKEN_OPEN_COMMENT:
		conf_mistake(loader, token->line, "the comment that begins here with /* is never "
			     "closed with */");
		return false;
	case CONF_TOKEN_OPEN_STRING:
	case CONF_TOKEN_END:
	case CONF_TOKEN_UNSET:
		break;
	}
	return true;
}

char *conf_lint(struct conf_loader *loader, const char *text, size_t bytes)
{
	struct lint lint = { .copied = text, .out = malloc(2 * bytes + 1) };
	struct conf_token token, before = { .type = CONF_TOKEN_UNSET };
	struct conf_tokens tokens;
	size_t rest;

	if (!lint.out) {
		loader->no_memory = true;
		return NULL;
	}
	conf_tokens_init(&tokens, text, bytes);
	do {
		token = conf_tokens_next(&tokens);
		if (!lint_token(loader, &lint, &token, &before)) {
			free(lint.out);
			return NULL;
		}
		before = token;
	} while (token.type != CONF_TOKEN_END);
	rest = (size_t)(text + bytes - lint.copied);
	memcpy(lint.out + lint.out_bytes, lint.copied, rest);
	lint.out[lint.out_bytes + rest] = '\0';
	return lint.out;
}

/* The line of the next string, of several that are joined the first; 0 if there is none. */
static unsigned next_string_line(struct conf_tokens *tokens)
{
	struct conf_token token;
	struct conf_tokens ahead;

	do
		token = conf_tokens_next(tokens);
	while (token.type != CONF_TOKEN_STRING && token.type != CONF_TOKEN_END);
	if (token.type == CONF_TOKEN_END)
		return 0;
	for (ahead = *tokens; conf_tokens_next(&ahead).type == CONF_TOKEN_STRING;)
		*tokens = ahead;
	return token.line;
}

static void fix_lines(config_setting_t *setting, struct conf_tokens *tokens)
{
	unsigned line;

	if (config_setting_is_aggregate(setting)) {
		for (int i = 0; i < config_setting_length(setting); i++)
			fix_lines(config_setting_get_elem(setting, (unsigned)i), tokens);
		return;
	}
	if (config_setting_type(setting) != CONFIG_TYPE_STRING)
		return;
	line = next_string_line(tokens);
	if (line && !config_setting_name(setting))
		setting->line = line;
}

void conf_fix_lines(config_t *config, const char *text)
{
	struct conf_tokens tokens;

	conf_tokens_init(&tokens, text, strlen(text));
	fix_lines(config_root_setting(config), &tokens);
}
