#include "request.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *const command_texts[REQUEST_COMMAND_COUNT] = {
	[REQUEST_UNSET] = "",
	[REQUEST_STATUS] = "status",
	[REQUEST_SWITCHOVER] = "switchover",
	[REQUEST_ALERT_TEST] = "alert-test",
	[REQUEST_MAINTENANCE] = "maintenance",
};

const char *request_command_text(enum request_command command)
{
	assert(command > REQUEST_UNSET && command < REQUEST_COMMAND_COUNT);
	return command_texts[command];
}

bool request_is_privileged(enum request_command command)
{
	return command != REQUEST_STATUS;
}

/* What the client sent is repeated to it cut short, so as plain ASCII: no half characters. */
static int complain(char *ret_error, const char *what, const char *word)
{
	snprintf(ret_error, REQUEST_ERROR_BYTES, "%s%.64s", what, word);
	for (char *c = ret_error; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	return -EINVAL;
}

static int parse_command(const json_t *object, struct request *request, char *ret_error)
{
	const char *text = json_string_value(json_object_get(object, "command"));

	if (!text)
		return complain(ret_error, "\"command\" is missing or not a string", "");
	for (int i = REQUEST_UNSET + 1; i < REQUEST_COMMAND_COUNT; i++) {
		if (strcmp(text, command_texts[i]) == 0) {
			request->command = (enum request_command)i;
			return 0;
		}
	}
	return complain(ret_error, "unknown command: ", text);
}

static int parse_group(const json_t *object, struct request *request, char *ret_error)
{
	const char *text = json_string_value(json_object_get(object, "group"));

	if (!text)
		return complain(ret_error, "\"group\" is missing or not a string", "");
	if (strlen(text) >= sizeof(request->group))
		return complain(ret_error, "\"group\" is longer than any group's name", "");
	memcpy(request->group, text, strlen(text) + 1);
	return 0;
}

static int parse_maintenance(const json_t *object, struct request *request, char *ret_error)
{
	const json_t *on = json_object_get(object, "on");
	const json_t *force = json_object_get(object, "force");

	if (!json_is_boolean(on))
		return complain(ret_error, "\"on\" is missing or neither true nor false", "");
	if (force && !json_is_boolean(force))
		return complain(ret_error, "\"force\" is neither true nor false", "");
	request->on = json_is_true(on);
	request->force = json_is_true(force);
	return 0;
}

/* Beside "command". */
static bool knows_member(enum request_command command, const char *name)
{
	switch (command) {
	case REQUEST_SWITCHOVER:
		return strcmp(name, "group") == 0;
	case REQUEST_MAINTENANCE:
		return strcmp(name, "on") == 0 || strcmp(name, "force") == 0;
	case REQUEST_STATUS:
	case REQUEST_ALERT_TEST:
	case REQUEST_UNSET:
	case REQUEST_COMMAND_COUNT:
		break;
	}
	return false;
}

static int check_members(json_t *object, const struct request *request, char *ret_error)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value) {
		if (strcmp(name, "command") != 0 && !knows_member(request->command, name))
			return complain(ret_error, "unknown member: ", name);
	}
	return 0;
}

int request_parse(const char *line, size_t length, struct request *ret_request, char *ret_error)
{
	struct request request = {0};
	json_error_t error;
	int r = 0;

	json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(object))
		r = complain(ret_error, "the request is not a JSON object: ",
			     object ? "it is another kind of value" : error.text);
	if (r == 0)
		r = parse_command(object, &request, ret_error);
	if (r == 0 && request.command == REQUEST_SWITCHOVER)
		r = parse_group(object, &request, ret_error);
	if (r == 0 && request.command == REQUEST_MAINTENANCE)
		r = parse_maintenance(object, &request, ret_error);
	if (r == 0)
		r = check_members(object, &request, ret_error);
	if (r == 0)
		*ret_request = request;
	json_decref(object);
	return r;
}
