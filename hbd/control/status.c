#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool status_is_known(const json_t *status)
{
	return status_number(status, "schema") == STATUS_SCHEMA &&
	       json_is_object(json_object_get(status, "peer")) &&
	       json_is_array(json_object_get(status, "groups")) &&
	       json_is_array(json_object_get(status, "links"));
}

const char *status_string(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

int64_t status_number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

bool status_flag(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

bool status_is(const json_t *object, const char *name, const char *word)
{
	return strcmp(status_string(object, name), word) == 0;
}

bool status_lists(const json_t *object, const char *name, const char *word)
{
	size_t i;
	json_t *value;

	json_array_foreach(json_object_get(object, name), i, value) {
		if (json_is_string(value) && strcmp(json_string_value(value), word) == 0)
			return true;
	}
	return false;
}

bool status_has(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return value && !json_is_null(value);
}

bool status_peer_is_heard(const json_t *status)
{
	const json_t *peer = json_object_get(status, "peer");

	return status_is(peer, "state", "alive") || status_is(peer, "state", "suspicious");
}

bool status_owns(const json_t *role_holder)
{
	return status_is(role_holder, "role", "primary") ||
	       status_is(role_holder, "role", "claiming");
}

const char *status_duration(int64_t duration_ms, char *text)
{
	int64_t seconds = duration_ms / 1000, minutes = seconds / 60, hours = minutes / 60;

	if (seconds == 0)
		snprintf(text, STATUS_DURATION_BYTES, "%" PRId64 " ms", duration_ms);
	else if (minutes == 0)
		snprintf(text, STATUS_DURATION_BYTES, "%" PRId64 " s", seconds);
	else if (hours == 0)
		snprintf(text, STATUS_DURATION_BYTES, "%" PRId64 " min", minutes);
	else if (hours < 24)
		snprintf(text, STATUS_DURATION_BYTES, "%" PRId64 " h %" PRId64 " min", hours,
			 minutes % 60);
	else
		snprintf(text, STATUS_DURATION_BYTES, "%" PRId64 " d %" PRId64 " h", hours / 24,
			 hours % 24);
	return text;
}

void status_clean(const char *source, char *ret, size_t bytes)
{
	size_t i;

	for (i = 0; i + 1 < bytes && source[i]; i++) {
		unsigned char c = (unsigned char)source[i];

		ret[i] = c < ' ' || c >= 0x7f ? '?' : source[i];
	}
	ret[i] = '\0';
}
