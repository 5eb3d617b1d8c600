#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../core/limits.h"
#include "../core/time.h"
#include "commands.h"
#include "status.h"

#define LOOK_USEC (20 * 1000)
#define WAIT_NS (10 * HBD_S_NS)	/* for a disk */

static const json_t *state_of(const json_t *status)
{
	return json_object_get(status, "maintenance");
}

/* The names of the groups that this node serves, "web, db"; empty if none. */
static void name_served(const json_t *status, char *text, size_t bytes)
{
	size_t i, length = 0;
	json_t *group;

	text[0] = '\0';
	json_array_foreach(json_object_get(status, "groups"), i, group) {
		char name[HBD_NAME_BYTES];

		if (!status_owns(group) || length >= bytes)
			continue;
		status_clean(status_string(group, "name"), name, sizeof(name));
		length += (size_t)snprintf(text + length, bytes - length, "%s%s",
					   length > 0 ? ", " : "", name);
	}
}

static void print_state(const json_t *status, bool json)
{
	char self[HBD_NAME_BYTES], age[STATUS_DURATION_BYTES], served[256];
	const json_t *state = state_of(status);
	bool on = status_flag(state, "on");

	status_clean(status_string(status, "node"), self, sizeof(self));
	name_served(status, served, sizeof(served));
	if (json)
		command_print_json(json_pack("{s:s, s:b, s:s}", "node", self, "maintenance", on,
					     "serves", served));
	else if (!on)
		printf("%s is not in maintenance.\n", self);
	else if (served[0])
		printf("%s is in maintenance, for %s, and hands over what it serves: %s.\n", self,
		       status_duration(status_number(state, "age_ms"), age), served);
	else
		printf("%s is in maintenance, for %s, and serves nothing.\n", self,
		       status_duration(status_number(state, "age_ms"), age));
}

static int show(const struct command_options *options, int *ret_exit)
{
	json_t *status = command_ask(options->socket, json_pack("{s:s}", "command", "status"),
				     ret_exit);

	if (!status)
		return *ret_exit;
	print_state(status, options->json);
	json_decref(status);
	return EXIT_DONE;
}

/* It is on the disk and in force, or it could not be. */
static bool is_settled(const json_t *state, bool on)
{
	return !status_flag(state, "changing") &&
	       (status_has(state, "error") || status_flag(state, "on") == on);
}

/* Acknowledged is what a power loss does not undo. */
static int wait_until_noted(const struct command_options *options, bool on, int *ret_exit)
{
	int64_t begin_ns = command_now_ns();
	char error[256];

	while (command_now_ns() - begin_ns < WAIT_NS) {
		json_t *status = command_ask(options->socket,
					     json_pack("{s:s}", "command", "status"), ret_exit);

		if (!status)
			return *ret_exit;
		if (is_settled(state_of(status), on)) {
			status_clean(status_string(state_of(status), "error"), error, sizeof(error));
			if (error[0])
				fprintf(stderr, "hbctl: it could not be noted in the state folder: "
						"%s. Nothing changed.\n", error);
			else
				print_state(status, options->json);
			json_decref(status);
			return error[0] ? EXIT_REFUSED : EXIT_DONE;
		}
		json_decref(status);
		usleep(LOOK_USEC);
	}
	fprintf(stderr, "hbctl: it is not on the disk after %d s: see 'hbctl status'.\n",
		(int)(WAIT_NS / HBD_S_NS));
	return EXIT_REFUSED;
}

int command_maintenance(const struct command_options *options, const char *word)
{
	static const char *const words[] = { "on", "off" };
	int exit_status = EXIT_DONE;
	bool on;
	json_t *reply;

	if (!word)
		return show(options, &exit_status);
	on = strcmp(word, "on") == 0;
	if (!on && strcmp(word, "off") != 0) {
		command_complain_unknown("maintenance", word, words, 2);
		return EXIT_CANNOT_ASK;
	}
	reply = command_ask(options->socket,
			    json_pack("{s:s, s:b, s:b}", "command", "maintenance", "on", on,
				      "force", options->force), &exit_status);
	if (!reply)
		return exit_status;
	json_decref(reply);
	return wait_until_noted(options, on, &exit_status);
}
