#include "loader.h"

#include <stdlib.h>
#include <string.h>

#include "token.h"

/* One name in one section. */
struct name {
	unsigned section;
	struct conf_token token;
};

/* All names up to one that is a duplicate. */
struct names {
	size_t count, room;
	struct name *items;
	unsigned section_count, depth, depth_room;
	unsigned *sections;		/* the open ones; 0 for a list */
};

static bool push_section(struct names *names, bool list)
{
	if (names->depth == names->depth_room) {
		unsigned room = names->depth_room ? 2 * names->depth_room : 64;
		unsigned *grown = reallocarray(names->sections, room, sizeof(*grown));

		if (!grown)
			return false;
		names->sections = grown;
		names->depth_room = room;
	}
	names->sections[names->depth++] = list ? 0 : ++names->section_count;
	return true;
}

static bool push_name(struct names *names, const struct conf_token *token)
{
	if (names->count == names->room) {
		size_t room = names->room ? 2 * names->room : 64;
		struct name *grown = reallocarray(names->items, room, sizeof(*grown));

		if (!grown)
			return false;
		names->items = grown;
		names->room = room;
	}
	names->items[names->count++] = (struct name){
		.section = names->sections[names->depth - 1],
		.token = *token,
	};
	return true;
}

/* The earlier name that equals the last one; NULL if there is none. */
static const struct conf_token *earlier(const struct names *names)
{
	const struct name *last = &names->items[names->count - 1];

	for (const struct name *item = names->items; item < last; item++) {
		if (item->section == last->section && item->token.length == last->token.length &&
		    !memcmp(item->token.text, last->token.text, last->token.length))
			return &item->token;
	}
	return NULL;
}

static bool is_sign(const struct conf_token *token, const char *signs)
{
	return token->type == CONF_TOKEN_SIGN && strchr(signs, *token->text);
}

/*
 * Reads on from tokens to the first duplicate on line. NULL if there is none or memory is out;
 * else the earlier name, with the later one as the last of names.
 */
static const struct conf_token *find(struct names *names, struct conf_tokens *tokens,
				     unsigned line)
{
	struct conf_token token, before = { .type = CONF_TOKEN_UNSET };
	const struct conf_token *first;

	do {
		token = conf_tokens_next(tokens);
		if (is_sign(&token, "{([") && !push_section(names, *token.text != '{'))
			return NULL;
		if (is_sign(&token, "})]") && --names->depth == 0)
			return NULL;
		if (is_sign(&token, "=:") && before.type == CONF_TOKEN_WORD) {
			if (!push_name(names, &before))
				return NULL;
			first = before.line == line ? earlier(names) : NULL;
			if (first)
				return first;
		}
		before = token;
	} while (token.type != CONF_TOKEN_END && token.line <= line);
	return NULL;
}

/* Where the value ends that comes next. */
static const char *value_end(struct conf_tokens *tokens)
{
	struct conf_tokens ahead;
	struct conf_token token;
	unsigned depth = 0;

	do {
		token = conf_tokens_next(tokens);
		if (is_sign(&token, "{(["))
			depth++;
		if (is_sign(&token, "})]") && depth > 0)
			depth--;
	} while (depth > 0 && token.type != CONF_TOKEN_END);
	for (;;) {
		ahead = *tokens;
		token = conf_tokens_next(&ahead);
		if (token.type != CONF_TOKEN_STRING && !is_sign(&token, ";,"))
			return tokens->next;
		*tokens = ahead;
		if (token.type == CONF_TOKEN_SIGN)
			return tokens->next;
	}
}

bool conf_mend_duplicate(struct conf_loader *loader, unsigned line, char *text)
{
	struct names names = { 0 };
	struct conf_tokens tokens;
	const struct conf_token *first = NULL;

	conf_tokens_init(&tokens, text, strlen(text));
	if (push_section(&names, false))
		first = find(&names, &tokens, line);
	if (first) {
		const struct conf_token *second = &names.items[names.count - 1].token;
		const char *end = value_end(&tokens);

		conf_mistake(loader, second->line, "'%.*s' is set on line %u already",
			     (int)second->length, second->text, first->line);
		for (char *p = text + (second->text - text); p < end; p++) {
			if (*p != '\n')
				*p = ' ';
		}
	}
	free(names.items);
	free(names.sections);
	return first;
}
