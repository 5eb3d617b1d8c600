/* "text={text}&to={to}": texts with placeholders, each value escaped as its surroundings ask for. */
#pragma once

#include <stddef.h>

enum template_escape {
	TEMPLATE_URL = 0,	/* everything but letters, digits and -._~ as %XX */
	TEMPLATE_JSON,		/* inside of a JSON string */
	TEMPLATE_LINE,		/* as it is; the program ends if it has a control character */
};

struct template_value {
	const char *name;	/* without braces */
	const char *value;	/* NULL: a template that asks for it is a mistake */
};

/*
 * name: of the parameter that the template is, for messages. values ends with a zeroed one. free() what
 * it returns. Ends the program if a placeholder has no value; braces around anything else stay.
 */
char *template_fill(const char *name, const char *template, enum template_escape escape,
		    const struct template_value *values);
