/*
 * Logging: one line per fact, to the journal with fields, or to a terminal.
 *
 * Only io/, control/ and main log; lower layers return errors. The engine and the guardian must
 * not block on a full pipe or a stuck journal, so after start-up they hand their lines to the
 * scribe process through a sink that never blocks; lines that do not fit are counted and the
 * count is logged. Repeating messages are rate-limited where they are made.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <syslog.h>

/* Optional fields of a line; zeroed means absent. */
struct log_fields {
	const char *message_id;		/* 128-bit hex id of this kind of event, see log_ids.h */
	const char *group;		/* HBD_GROUP */
	const char *reason;		/* HBD_REASON */
	const char *plugin;		/* HBD_PLUGIN: the line is this program's output */
	uint64_t epoch;			/* HBD_EPOCH; 0 = absent */
};

/* A line on its way: where it goes is the sink's affair. text has no newline. */
typedef void (*log_sink)(void *context, int priority, const struct log_fields *fields,
			 const char *text);

/* Where lines go from now on, in this process; NULL restores the direct sink (journal or stderr). */
void log_set_sink(log_sink sink, void *context);

/* Lines of a larger (less important) priority number than this are dropped; LOG_INFO at start. */
void log_set_level(int priority);

/* Writes directly: to the journal if stderr is connected to it, else to stderr. */
void log_direct(void *context, int priority, const struct log_fields *fields, const char *text);

void log_line(int priority, const struct log_fields *fields, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(...) log_line(LOG_ERR, NULL, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, NULL, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, NULL, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, NULL, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, NULL, __VA_ARGS__)

/* strerror() of a negative or positive errno, in a static buffer per thread; never NULL. */
const char *log_strerror(int error);
