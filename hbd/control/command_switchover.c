#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../core/limits.h"
#include "../core/time.h"
#include "commands.h"
#include "reply.h"
#include "status.h"

#define LOOK_USEC (10 * 1000)
#define WAIT_NS (120 * HBD_S_NS)
#define BEGIN_MS 1000

/* What is known while a switchover is under way. */
struct progress {
	const struct command_options *options;
	const char *group;
	int64_t begin_ns;
	bool seen;		/* the switchover under way was seen */
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
		printf("%s did not take %s; %s serves it, after %.1f ms.\n"
		       "To do: run 'hbctl status' on %s, it says why.\n", progress->peer,
		       progress->group, owner, took_ms, progress->peer);
}

/* One look: true when the switchover is over, one way or the other. */
static bool is_over(struct progress *progress, const json_t *status, bool *ret_taken)
{
	const json_t *group = find_group(status, progress->group);

	if (status_peer_is_heard(status) && !status_owns(group) &&
	    status_is(json_object_get(group, "peer"), "role", "primary")) {
		*ret_taken = true;
		return true;
	}
	*ret_taken = false;
	/* an earlier switchover may have ended like that, too */
	if (status_is(group, "role", "primary") && status_is(group, "reason", "not-taken") &&
	    status_number(group, "role_age_ms") <= elapsed_ms(progress))
		return true;
	/* given up before anything moved; the first look may come before it begins */
	if (status_has(group, "handover"))
		progress->seen = true;
	return status_is(group, "role", "primary") && !status_has(group, "handover") &&
	       (progress->seen || elapsed_ms(progress) > BEGIN_MS);
}

static int wait_for_result(struct progress *progress)
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

/* What a request would be answered now. */
static int foretell(const struct progress *progress, const json_t *group)
{
	const char *code = status_string(group, "switchover");
	bool possible = strcmp(code, "possible") == 0;
	char sentence[REPLY_SENTENCE_BYTES] = "";

	if (!possible)
		reply_refusal_sentence(reply_refusal_error(code), progress->group, progress->self,
				       progress->peer, sentence);
	if (progress->options->json)
		command_print_json(json_pack("{s:s, s:b, s:s, s:s}", "group", progress->group,
					     "possible", possible, "code", code, "message",
					     sentence));
	else if (possible)
		printf("%s can hand %s over to %s now. Nothing was done.\n", progress->self,
		       progress->group, progress->peer);
	else
		printf("It would not work: %s. Nothing was done.\n", sentence);
	return possible ? EXIT_DONE : EXIT_REFUSED;
}

/* The node that is wanted has it already. */
static int tell_content(const struct progress *progress)
{
	if (progress->options->json)
		command_print_json(json_pack("{s:s, s:b, s:s}", "group", progress->group, "taken",
					     false, "primary", progress->options->to));
	else
		printf("%s is primary for %s already: nothing to do.\n", progress->options->to,
		       progress->group);
	return EXIT_DONE;
}

static bool is_node(const struct progress *progress, const char *name)
{
	const char *const names[] = { progress->self, progress->peer };

	if (strcmp(name, names[0]) == 0 || strcmp(name, names[1]) == 0)
		return true;
	command_complain_unknown("node", name, names, 2);
	fprintf(stderr, "The nodes are: %s %s\n", names[0], names[1]);
	return false;
}

static bool is_primary(const struct progress *progress, const json_t *status,
		       const json_t *group, const char *name)
{
	if (strcmp(name, progress->self) == 0)
		return status_is(group, "role", "primary");
	return status_peer_is_heard(status) && !status_owns(group) &&
	       status_is(json_object_get(group, "peer"), "role", "primary");
}

static int decide(struct progress *progress, const json_t *status)
{
	const char *to = progress->options->to;
	const json_t *group = find_group(status, progress->group);

	if (!group) {
		complain_group(status, progress->group);
		return EXIT_CANNOT_ASK;
	}
	if (to && !is_node(progress, to))
		return EXIT_CANNOT_ASK;
	if (to && is_primary(progress, status, group, to))
		return tell_content(progress);
	return progress->options->dry_run ? foretell(progress, group) : start(progress);
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
	exit_status = decide(&progress, status);
	json_decref(status);
	return exit_status;
}
