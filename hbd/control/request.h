/*
 * What a client of the control socket may ask: one JSON object on one line.
 *
 *	{"command": "status"}
 *	{"command": "switchover", "group": "web"}
 *	{"command": "alert-test"}
 *	{"command": "maintenance", "on": true, "force": false}
 *
 * Pure text to struct; whether the client is allowed to, and whether the group exists, is not
 * judged here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "../core/limits.h"

#define REQUEST_ERROR_BYTES 160

enum request_command {
	REQUEST_UNSET = 0,
	REQUEST_STATUS,
	REQUEST_SWITCHOVER,
	REQUEST_ALERT_TEST,
	REQUEST_MAINTENANCE,
	REQUEST_COMMAND_COUNT
};

struct request {
	enum request_command command;
	char group[HBD_NAME_BYTES];	/* SWITCHOVER */
	bool on, force;			/* MAINTENANCE; force may be left out */
};

/*
 * Reads a line of length bytes, its newline not included. 0, or -EINVAL with what is wrong in
 * ret_error (REQUEST_ERROR_BYTES). Unknown commands and members are mistakes, not ignored.
 */
int request_parse(const char *line, size_t length, struct request *ret_request, char *ret_error);

/* True if the command changes anything, and so needs more than the right to connect. */
bool request_is_privileged(enum request_command command);

/* "status", "switchover", "alert-test", "maintenance"; command must be one of them. */
const char *request_command_text(enum request_command command);
