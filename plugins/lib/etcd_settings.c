#include "etcd_settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 450	/* hbd gives a request up after 500 */

static void refuse(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void refuse(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

static void add_endpoint(struct etcd_settings *settings, const json_t *item)
{
	const char *url = json_string_value(item);

	if (!url || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0))
		refuse("endpoints: \"%s\" is no URL; write \"https://HOST:2379\"", url ? url : "?");
	if (url[strlen(url) - 1] == '/')
		refuse("endpoints: \"%s\" ends with a slash; leave it out", url);
	if (settings->endpoint_count == ETCD_ENDPOINTS_MAX)
		refuse("endpoints: more than %d", ETCD_ENDPOINTS_MAX);
	settings->endpoints[settings->endpoint_count++] = url;
}

static void read_endpoints(struct etcd_settings *settings, const json_t *value)
{
	const json_t *item;
	size_t i;

	if (json_is_string(value))
		add_endpoint(settings, value);
	json_array_foreach(value, i, item)
		add_endpoint(settings, item);
	if (settings->endpoint_count == 0)
		refuse("endpoints: which etcd is to be asked? Write (\"https://HOST:2379\")");
}

static const char *read_string(const char *name, const json_t *value)
{
	if (!json_is_string(value) || !*json_string_value(value))
		refuse("%s: must be a string", name);
	return json_string_value(value);
}

static void read_password(struct etcd_settings *settings, const json_t *value)
{
	const char *path = read_string("password_file", value);
	char line[256];
	FILE *file = fopen(path, "re");

	if (!file)
		refuse("password_file: %s: %m", path);
	if (!fgets(line, sizeof(line), file))
		refuse("password_file: %s is empty", path);
	fclose(file);
	line[strcspn(line, "\r\n")] = '\0';
	settings->password = strdup(line);
	if (!settings->password)
		refuse("out of memory");
}

static void read_timeout(struct etcd_settings *settings, const json_t *value)
{
	if (!json_is_integer(value) || json_integer_value(value) < 10 ||
	    json_integer_value(value) > 10000)
		refuse("timeout_ms: must be a number from 10 to 10000");
	settings->timeout_ms = (long)json_integer_value(value);
}

static void read_parameter(struct etcd_settings *settings, const char *name, const json_t *value)
{
	if (!strcmp(name, "endpoints"))
		read_endpoints(settings, value);
	else if (!strcmp(name, "prefix"))
		settings->prefix = read_string(name, value);
	else if (!strcmp(name, "ca"))
		settings->ca = read_string(name, value);
	else if (!strcmp(name, "cert"))
		settings->cert = read_string(name, value);
	else if (!strcmp(name, "key"))
		settings->key = read_string(name, value);
	else if (!strcmp(name, "user"))
		settings->user = read_string(name, value);
	else if (!strcmp(name, "password_file"))
		read_password(settings, value);
	else if (!strcmp(name, "timeout_ms"))
		read_timeout(settings, value);
	else
		refuse("%s: no such setting; there are endpoints, prefix, ca, cert, key, user, "
		       "password_file and timeout_ms", name);
}

void etcd_settings_read(const char *line, size_t length, struct etcd_settings *ret_settings)
{
	struct etcd_settings *settings = ret_settings;
	json_t *parameters, *value;
	const char *name;

	*settings = (struct etcd_settings){ .prefix = "/hbd/", .timeout_ms = TIMEOUT_MS };
	settings->document = json_loadb(line, length, 0, NULL);
	parameters = json_object_get(settings->document, "parameters");
	if (!json_is_object(parameters))
		refuse("the first line is no JSON object with parameters; hbd starts this program");
	json_object_foreach(parameters, name, value)
		read_parameter(settings, name, value);
	if (settings->endpoint_count == 0)
		read_endpoints(settings, NULL);
	if (!settings->cert != !settings->key)
		refuse("cert and key: one is of no use without the other");
	if (!settings->user != !settings->password)
		refuse("user and password_file: one is of no use without the other");
}

void etcd_settings_clear(struct etcd_settings *settings)
{
	free(settings->password);
	json_decref(settings->document);
}
