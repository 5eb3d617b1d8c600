/*
 * The commands of hbctl. Each prints to standard output what was asked for, complaints to standard
 * error, and returns hbctl's exit status.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of every command but status, which has the four of judge_exit_code(). */
#define EXIT_DONE 0
#define EXIT_REFUSED 1		/* the daemon said no, or it did not work out */
#define EXIT_CANNOT_ASK 3	/* wrong usage, no daemon, no permission */

struct command_options {
	const char *socket;
	bool json;
	bool wait;
	bool dry_run;
	bool force;
	const char *to;		/* the node that is to be primary; NULL = whoever is not */
	uint8_t key_id;		/* 1..255 */
};

/* argument: the command's own, or NULL. */
int command_status(const struct command_options *options, const char *argument);
int command_switchover(const struct command_options *options, const char *group);
int command_maintenance(const struct command_options *options, const char *word);
int command_alert(const struct command_options *options, const char *what);
int command_genkey(const struct command_options *options, const char *file);

/* What the commands share: */

/* CLOCK_MONOTONIC. */
int64_t command_now_ns(void);

/*
 * Asks the daemon; request is taken over. The reply, the caller's, if it is no error; else NULL,
 * after saying why on standard error, and ret_exit is set.
 */
json_t *command_ask(const char *socket, json_t *request, int *ret_exit);

/* "there is no WHAT 'x'; did you mean 'y'?" to standard error; candidates may hold NULLs. */
void command_complain_unknown(const char *what, const char *word, const char *const *candidates,
			      size_t count);

/* One line of JSON to standard output; takes json over. */
void command_print_json(json_t *json);
