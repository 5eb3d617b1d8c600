#include "loader.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "token.h"

#define DEPTH_MAX 512

/* What the notation wants next. */
enum want {
	WANT_NAME,		/* of a setting, or the end of the section */
	WANT_EQUALS,
	WANT_VALUE,
	WANT_ELEMENT,		/* of a list, or its end */
	WANT_SEPARATOR,		/* after a value */
};

struct bracket {
	char sign;
	unsigned line;
};

struct explainer {
	struct conf_loader *loader;
	enum want want;
	struct conf_token name;		/* of the setting under way */
	struct conf_token before;
	unsigned long_string_line;	/* of the last string that spans lines; 0 = none */
	unsigned depth;
	struct bracket open[DEPTH_MAX];
};

static int shown(const struct conf_token *token)
{
	return (int)(token->length < 40 ? token->length : 40);
}

/* A quote that was forgotten shows as a string over several lines, and then as nonsense. */
__attribute__((format(printf, 3, 4)))
static bool tell(struct explainer *explainer, unsigned line, const char *format, ...)
{
	struct conf_loader *loader = explainer->loader;
	va_list list;

	if (explainer->long_string_line) {
		conf_mistake(loader, explainer->long_string_line, "the string that begins here "
			     "does not end on its line; is a quote missing?");
		return false;
	}
	va_start(list, format);
	if (conf_errors_add(&loader->errors, line, format, list) < 0)
		loader->no_memory = true;
	va_end(list);
	return false;
}

static bool is_sign(const struct conf_token *token, const char *signs)
{
	return token->type == CONF_TOKEN_SIGN && strchr(signs, *token->text);
}

static bool in_list(const struct explainer *explainer)
{
	return explainer->depth > 0 && explainer->open[explainer->depth - 1].sign != '{';
}

static bool open_bracket(struct explainer *explainer, const struct conf_token *token)
{
	if (explainer->depth == DEPTH_MAX)
		return tell(explainer, token->line, "nested deeper than %d levels", DEPTH_MAX);
	explainer->open[explainer->depth++] = (struct bracket){ *token->text, token->line };
	explainer->want = *token->text == '{' ? WANT_NAME : WANT_ELEMENT;
	return true;
}

static bool close_bracket(struct explainer *explainer, const struct conf_token *token)
{
	struct bracket open;

	if (explainer->depth == 0)
		return tell(explainer, token->line, "'%c' closes nothing", *token->text);
	open = explainer->open[explainer->depth - 1];
	if (*token->text != (open.sign == '(' ? ')' : open.sign == '[' ? ']' : '}'))
		return tell(explainer, token->line, "'%c' cannot close the '%c' of line %u",
			    *token->text, open.sign, open.line);
	explainer->depth--;
	explainer->want = WANT_SEPARATOR;
	return true;
}

static bool at_end(struct explainer *explainer, const struct conf_token *token)
{
	struct bracket open;

	if (explainer->depth == 0)
		return tell(explainer, token->line, "the file ends within a setting");
	open = explainer->open[explainer->depth - 1];
	return tell(explainer, open.line, "the '%c' that stands here is never closed", open.sign);
}

static bool unexpected(struct explainer *explainer, const struct conf_token *token)
{
	if (token->type == CONF_TOKEN_END)
		return at_end(explainer, token);
	if (token->type == CONF_TOKEN_OPEN_STRING)
		return tell(explainer, token->line, "the string that begins here is never closed");
	if (*token->text == '\'')
		return tell(explainer, token->line, "strings are written in double quotes");
	return tell(explainer, token->line, "%.*s is not expected here", shown(token), token->text);
}

static bool want_name(struct explainer *explainer, const struct conf_token *token)
{
	if (token->type == CONF_TOKEN_WORD && (isalpha((unsigned char)*token->text) ||
					       *token->text == '*')) {
		explainer->name = *token;
		explainer->want = WANT_EQUALS;
		return true;
	}
	if (token->type == CONF_TOKEN_END && explainer->depth == 0)
		return true;
	if (is_sign(token, ")]}"))
		return close_bracket(explainer, token);
	if (is_sign(token, ";,"))
		return tell(explainer, token->line, "'%c' ends no setting; remove it",
			    *token->text);
	if (token->type == CONF_TOKEN_STRING)
		return tell(explainer, token->line, "%.*s stands where the name of a setting is "
			    "expected; names have no quotes", shown(token), token->text);
	return unexpected(explainer, token);
}

static bool want_equals(struct explainer *explainer, const struct conf_token *token)
{
	const struct conf_token *name = &explainer->name;

	if (memchr(name->text, '.', name->length) || memchr(name->text, '+', name->length))
		return tell(explainer, name->line, "'%.*s' is not the name of a setting",
			    shown(name), name->text);
	if (is_sign(token, "=:")) {
		explainer->want = WANT_VALUE;
		return true;
	}
	return tell(explainer, name->line, "'=' is missing after '%.*s'", shown(name), name->text);
}

static bool is_word(const struct conf_token *token, const char *word)
{
	return token->length == strlen(word) && !strncasecmp(token->text, word, token->length);
}

/* Numbers, true and false stand without quotes; nothing else does. */
static bool plain_value(struct explainer *explainer, const struct conf_token *token)
{
	size_t digits = strspn(token->text, "+-0123456789");
	char *end;

	strtod(token->text, &end);
	if (is_word(token, "true") || is_word(token, "false") ||
	    (end >= token->text + token->length && !isalpha((unsigned char)*token->text)) ||
	    (digits < token->length && token->text[digits] == 'L')) {
		explainer->want = WANT_SEPARATOR;
		return true;
	}
	if (digits > 0 && digits < token->length && isalpha((unsigned char)token->text[digits]))
		return tell(explainer, token->line, "%.*s is not a number; write %.*s, the unit "
			    "is part of the setting's name", shown(token), token->text,
			    (int)digits, token->text);
	return tell(explainer, token->line, "%.*s must stand in double quotes", shown(token),
		    token->text);
}

static bool want_value(struct explainer *explainer, const struct conf_token *token)
{
	if (token->type == CONF_TOKEN_STRING) {
		explainer->want = WANT_SEPARATOR;
		return true;
	}
	if (is_sign(token, "([{"))
		return open_bracket(explainer, token);
	if (token->type == CONF_TOKEN_WORD)
		return plain_value(explainer, token);
	if (explainer->want == WANT_ELEMENT && is_sign(token, ")]}")) {
		if (is_sign(&explainer->before, ","))
			return tell(explainer, explainer->before.line, "the comma before '%c' "
				    "must go: no element follows it", *token->text);
		return close_bracket(explainer, token);
	}
	if (explainer->want == WANT_VALUE && (is_sign(token, ";,)]}") ||
					      token->type == CONF_TOKEN_END))
		return tell(explainer, explainer->name.line, "'%.*s' has no value",
			    shown(&explainer->name), explainer->name.text);
	return unexpected(explainer, token);
}

static bool want_separator(struct explainer *explainer, const struct conf_token *token)
{
	if (token->type == CONF_TOKEN_STRING && explainer->before.type == CONF_TOKEN_STRING)
		return true;
	if (!in_list(explainer)) {
		explainer->want = WANT_NAME;
		return is_sign(token, ";,") || want_name(explainer, token);
	}
	if (is_sign(token, ",")) {
		explainer->want = WANT_ELEMENT;
		return true;
	}
	if (is_sign(token, ")]}"))
		return close_bracket(explainer, token);
	if (is_sign(token, "({[") || token->type == CONF_TOKEN_WORD)
		return tell(explainer, explainer->before.line, "a comma is missing after '%.*s'",
			    shown(&explainer->before), explainer->before.text);
	if (is_sign(token, ";"))
		return tell(explainer, token->line, "elements of a list are separated by ',' and "
			    "not by ';'; or is the '%c' of line %u not closed?",
			    explainer->open[explainer->depth - 1].sign,
			    explainer->open[explainer->depth - 1].line);
	return unexpected(explainer, token);
}

static bool read_token(struct explainer *explainer, const struct conf_token *token)
{
	switch (explainer->want) {
	case WANT_NAME:
		return want_name(explainer, token);
	case WANT_EQUALS:
		return want_equals(explainer, token);
	case WANT_VALUE:
	case WANT_ELEMENT:
		return want_value(explainer, token);
	case WANT_SEPARATOR:
		return want_separator(explainer, token);
	}
	return false;
}

/* True if nothing was found to be wrong. */
static bool explain(struct explainer *explainer, const char *text)
{
	struct conf_tokens tokens;
	struct conf_token token;

	conf_tokens_init(&tokens, text, strlen(text));
	do {
		token = conf_tokens_next(&tokens);
		if (!read_token(explainer, &token))
			return false;
		if (token.type == CONF_TOKEN_STRING && memchr(token.text, '\n', token.length))
			explainer->long_string_line = token.line;
		explainer->before = token;
	} while (token.type != CONF_TOKEN_END);
	return true;
}

void conf_explain(struct conf_loader *loader, const config_t *config, const char *text)
{
	struct explainer explainer = { .loader = loader, .want = WANT_NAME };
	unsigned line = (unsigned)config_error_line(config);
	const char *problem = config_error_text(config);

	if (!strcmp(problem, "mismatched element type in array"))
		conf_mistake(loader, line, "the elements of an array [ ] must be of one type; "
			     "a list ( ) may mix them");
	else if (explain(&explainer, text))
		conf_mistake(loader, line, "%s", problem);
}
