#include "token.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

void conf_tokens_init(struct conf_tokens *tokens, const char *text, size_t bytes)
{
	*tokens = (struct conf_tokens){ .next = text, .end = text + bytes, .line = 1 };
}

static bool at(const struct conf_tokens *tokens, const char *sign)
{
	size_t length = strlen(sign);

	return (size_t)(tokens->end - tokens->next) >= length &&
	       !memcmp(tokens->next, sign, length);
}

static void step(struct conf_tokens *tokens)
{
	if (*tokens->next++ == '\n')
		tokens->line++;
}

/* False if the comment does not end. */
static bool skip_comment(struct conf_tokens *tokens)
{
	bool block = at(tokens, "/*");

	step(tokens);
	if (block)
		step(tokens);
	while (tokens->next < tokens->end) {
		if (!block && *tokens->next == '\n')
			return true;
		if (block && at(tokens, "*/")) {
			tokens->next += 2;
			return true;
		}
		step(tokens);
	}
	return !block;
}

static bool is_comment(const struct conf_tokens *tokens)
{
	return at(tokens, "#") || at(tokens, "//") || at(tokens, "/*");
}

/* Up to and with the closing quote; false if there is none. */
static bool skip_string(struct conf_tokens *tokens)
{
	step(tokens);
	while (tokens->next < tokens->end) {
		bool escape = at(tokens, "\\\"") || at(tokens, "\\\\");
		bool end = *tokens->next == '"';

		step(tokens);
		if (escape)
			step(tokens);
		if (end)
			return true;
	}
	return false;
}

/* One run of the letters of names and numbers; a sign belongs to the number that it begins. */
static void skip_word(struct conf_tokens *tokens)
{
	while (tokens->next < tokens->end && *tokens->next &&
	       (isalnum((unsigned char)*tokens->next) || strchr("_*.+-", *tokens->next)))
		step(tokens);
}

static enum conf_token_type read_token(struct conf_tokens *tokens)
{
	char letter = *tokens->next;

	if (letter == '"')
		return skip_string(tokens) ? CONF_TOKEN_STRING : CONF_TOKEN_OPEN_STRING;
	if (letter && (isalnum((unsigned char)letter) || strchr("*.+-", letter))) {
		skip_word(tokens);
		return CONF_TOKEN_WORD;
	}
	step(tokens);
	return letter && strchr("=:,;()[]{}", letter) ? CONF_TOKEN_SIGN : CONF_TOKEN_OTHER;
}

struct conf_token conf_tokens_next(struct conf_tokens *tokens)
{
	struct conf_token token = { .type = CONF_TOKEN_END };

	while (tokens->next < tokens->end) {
		token.line = tokens->line;
		token.text = tokens->next;
		if (is_comment(tokens)) {
			if (!skip_comment(tokens)) {
				token.type = CONF_TOKEN_OPEN_COMMENT;
				return token;
			}
			continue;
		}
		if (strchr(" \t\r\n\f", *tokens->next) && *tokens->next) {
			step(tokens);
			continue;
		}
		token.type = read_token(tokens);
		token.length = (size_t)(tokens->next - token.text);
		return token;
	}
	token.line = tokens->line;
	token.text = tokens->end;
	return token;
}
