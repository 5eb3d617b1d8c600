/*
 * The words of libconfig's notation with the lines they stand on, for messages that libconfig
 * does not give. libconfig remains the judge of what is legal.
 */
#pragma once

#include <stddef.h>

enum conf_token_type {
	CONF_TOKEN_UNSET = 0,
	CONF_TOKEN_END,
	CONF_TOKEN_WORD,	/* a name, number, true or false */
	CONF_TOKEN_STRING,
	CONF_TOKEN_SIGN,	/* one of = : , ; ( ) [ ] { } */
	CONF_TOKEN_OTHER,	/* one character that libconfig knows nothing of */
	CONF_TOKEN_OPEN_STRING,	/* the text ends within a string */
	CONF_TOKEN_OPEN_COMMENT,
};

struct conf_token {
	enum conf_token_type type;
	unsigned line;		/* of its first character */
	const char *text;	/* into the text that is read; a string with its quotes */
	size_t length;
};

struct conf_tokens {
	const char *next, *end;
	unsigned line;
};

void conf_tokens_init(struct conf_tokens *tokens, const char *text, size_t bytes);

/* The next one; CONF_TOKEN_END again and again once there is none. */
struct conf_token conf_tokens_next(struct conf_tokens *tokens);
