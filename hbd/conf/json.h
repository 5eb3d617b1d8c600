/*
 * Plugin parameters between libconfig's notation and JSON's. Lists and arrays become JSON arrays,
 * sections become objects; the order of the file is kept.
 */
#pragma once

#include <libconfig.h>
#include <stdio.h>

/*
 * value as JSON text; the caller frees it. -EILSEQ if a string is not UTF-8 or holds a control
 * character other than tab and newline, -ERANGE if a number is not finite, -E2BIG if it is nested
 * too deeply, -ENOMEM.
 */
int conf_json_from_setting(const config_setting_t *value, char **ret_json);

/* Prints JSON text, as made above, in libconfig's notation. */
void conf_json_print(const char *json, FILE *stream);

/* Prints a string in quotes, escaped as libconfig wants it. */
void conf_string_print(const char *text, FILE *stream);
