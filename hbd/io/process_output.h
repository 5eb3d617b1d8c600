/*
 * A program's output as lines for the log: cut, made printable, and limited in number.
 *
 * What is over the limits is counted, and the count is said once at the end; the last line is kept
 * in any case, because it usually says what went wrong.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process.h"

typedef void (*process_line_handler)(void *context, const char *line);

struct process_output {
	size_t length;
	bool lasting;			/* of a program that is not to end */
	bool cut;			/* the rest of this line is dropped */
	int64_t window_ns;		/* when the present second began */
	unsigned window_lines;
	unsigned lines;			/* given to the handler */
	uint64_t suppressed;
	char line[PROCESS_LINE_BYTES + 8];
	char last[PROCESS_LAST_LINE_BYTES];
};

/* Zeroed is fresh. Gives every complete line within the limits to the handler. */
void process_output_take(struct process_output *output, const char *bytes, size_t count,
			 int64_t now_ns, process_line_handler handler, void *context);

/* There is no more: an unfinished last line counts as one, and what was suppressed is told. */
void process_output_end(struct process_output *output, int64_t now_ns,
			process_line_handler handler, void *context);
