#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../core/limits.h"
#include "../core/time.h"
#include "commands.h"
#include "status.h"

#define LOOK_USEC (10 * 1000)
#define WAIT_NS (120 * HBD_S_NS)

/* What is known while a switchover is under way. */
struct progress {
	const struct command_options *options;
	const char *group;
	int64_t begin_ns;
	char self[HBD_NAME_BYTES];
	char peer[HBD_NAME_BYTES];
};

/* The element of "groups" with that name, borrowed, or NULL. */
static const json_t *find_group(const json_t *status, const char *name)
{
	size_t i;
	json_t *group;

	json_array_foreach(json_object_get(status, "groups"), i, group) {
		if (status_is(group, "name", name))
			return group;
	}
	return NULL;
}

static void complain_group(const json_t *status, const char *name)
{
	const char *names[HBD_GROUPS_MAX] = {0};
	const json_t *groups = json_object_get(status, "groups");
	size_t count = json_array_size(groups);

	if (count > HBD_GROUPS_MAX)
		count = HBD_GROUPS_MAX;
	for (size_t i = 0; i < count; i++)
		names[i] = status_string(json_array_get(groups, i), "name");
	command_complain_unknown("group", name, names, count);
	fprintf(stderr, "The groups are:");
	for (size_t i = 0; i < count; i++)
		fprintf(stderr, " %s", names[i]);
	fputc('\n', stderr);
}

static int64_t elapsed_ms(const struct progress *progress)
{
	return (command_now_ns() - progress->begin_ns) / HBD_MS_NS;
}

static void print_result(const struct progress *progress, bool taken)
{
	int64_t took_us = (command_now_ns() - progress->begin_ns) / HBD_US_NS;
	double took_ms = (double)took_us / 1000.0;
	const char *owner = taken ? progress->peer : progress->self;

	if (progress->options->json)
		command_print_json(json_pack("{s:s, s:b, s:s, s:I}", "group", progress->group,
					     "taken", taken, "primary", owner, "us",
					     (json_int_t)took_us));
	else if (taken)
		printf("%s is primary for %s now; it took %.1f ms.\n", owner,
		       progress->group, took_ms);
	else
		printf("%s did not take %s; %s serves it again, after %.1f ms.\n"
		       "To do: run 'hbctl status' on %s, it says why.\n", progress->peer,
		       progress->group, owner, took_ms, progress->peer);
}

/* One look: true when the switchover is over, one way or the other. */
static bool is_over(const struct progress *progress, const json_t *status, bool *ret_taken)
{
	const json_t *group = find_group(status, progress->group);

	if (status_peer_is_heard(status) && !status_owns(group) &&
	    status_is(json_object_get(group, "peer"), "role", "primary")) {
		*ret_taken = true;
		return true;
	}
	/* an earlier switchover may have ended like that, too */
	if (status_is(group, "role", "primary") && status_is(group, "reason", "not-taken") &&
	    status_number(group, "role_age_ms") <= elapsed_ms(progress)) {
		*ret_taken = false;
		return true;
	}
	return false;
}

static int wait_for_result(const struct progress *progress)
{
	bool over = false, taken = false;
	int exit_status = EXIT_REFUSED;

	while (!over && command_now_ns() - progress->begin_ns < WAIT_NS) {
		json_t *status = command_ask(progress->options->socket,
				     json_pack("{s:s}", "command", "status"), &exit_status);

		if (!status)
			return exit_status;
		over = is_over(progress, status, &taken);
		json_decref(status);
		if (!over)
			usleep(LOOK_USEC);
	}
	if (over)
		print_result(progress, taken);
	else
		fprintf(stderr, "hbctl: the switchover of %s is not over after %d s: see 'hbctl "
				"status'.\n", progress->group, (int)(WAIT_NS / HBD_S_NS));
	return taken ? EXIT_DONE : EXIT_REFUSED;
}

static int start(struct progress *progress)
{
	int exit_status = EXIT_DONE;

	progress->begin_ns = command_now_ns();
	json_t *reply = command_ask(progress->options->socket,
			    json_pack("{s:s, s:s}", "command", "switchover", "group",
				      progress->group), &exit_status);
	if (!reply)
		return exit_status;
	if (progress->options->wait) {
		json_decref(reply);
		return wait_for_result(progress);
	}
	if (progress->options->json) {
		command_print_json(reply);
		return EXIT_DONE;
	}
	printf("%s hands %s over to %s. 'hbctl status' shows how it ends.\n", progress->self,
	       progress->group, progress->peer);
	json_decref(reply);
	return EXIT_DONE;
}

int command_switchover(const struct command_options *options, const char *group)
{
	struct progress progress = {.options = options, .group = group};
	int exit_status = EXIT_DONE;

	json_t *status = command_ask(options->socket, json_pack("{s:s}", "command", "status"),
			     &exit_status);
	if (!status)
		return exit_status;
	status_clean(status_string(status, "node"), progress.self, sizeof(progress.self));
	status_clean(status_string(json_object_get(status, "peer"), "name"), progress.peer,
		     sizeof(progress.peer));
	bool known = find_group(status, group) != NULL;
	if (!known)
		complain_group(status, group);
	json_decref(status);
	return known ? start(&progress) : EXIT_CANNOT_ASK;
}
