#include "log.h"

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <systemd/sd-journal.h>

#define LINE_BYTES 1024
#define FIELD_BYTES 160
#define FIELDS_MAX 9

/* Of the process, because a line can come from anywhere in it. */
static struct {
	log_sink sink;
	void *context;
	int level;
} state = { .sink = log_direct, .level = LOG_INFO };

void log_set_sink(log_sink sink, void *context)
{
	state.sink = sink ? sink : log_direct;
	state.context = sink ? context : NULL;
}

void log_set_level(int priority)
{
	state.level = priority;
}

/* systemd names the stream that it connected us to; later redirections do not match it. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat info;
	unsigned long long device, inode;
	char rest;

	if (!stream || sscanf(stream, "%llu:%llu%c", &device, &inode, &rest) != 2)
		return false;
	return fstat(STDERR_FILENO, &info) == 0 && info.st_dev == device && info.st_ino == inode;
}

struct entry {
	int count;
	struct iovec items[FIELDS_MAX];
	char text[FIELDS_MAX][FIELD_BYTES];
};

static void entry_add(struct entry *entry, const char *name, const char *value)
{
	char *text = entry->text[entry->count];
	int length;

	if (!value || !value[0])
		return;
	length = snprintf(text, FIELD_BYTES, "%s=%s", name, value);
	if (length >= FIELD_BYTES)
		length = FIELD_BYTES - 1;
	entry->items[entry->count++] = (struct iovec){ text, (size_t)length };
}

static int write_journal(int priority, const struct log_fields *fields, const char *text)
{
	struct entry entry = { .count = 0 };
	char message[LINE_BYTES + FIELD_BYTES], number[24];
	int length;

	length = snprintf(message, sizeof(message), "MESSAGE=%s%s%s",
			  fields && fields->plugin ? fields->plugin : "",
			  fields && fields->plugin ? ": " : "", text);
	if (length >= (int)sizeof(message))
		length = (int)sizeof(message) - 1;
	entry.items[entry.count++] = (struct iovec){ message, (size_t)length };
	snprintf(number, sizeof(number), "%d", priority);
	entry_add(&entry, "PRIORITY", number);
	entry_add(&entry, "SYSLOG_IDENTIFIER", "hbd");
	if (fields) {
		snprintf(number, sizeof(number), "%llu", (unsigned long long)fields->epoch);
		entry_add(&entry, "MESSAGE_ID", fields->message_id);
		entry_add(&entry, "HBD_GROUP", fields->group);
		entry_add(&entry, "HBD_REASON", fields->reason);
		entry_add(&entry, "HBD_PLUGIN", fields->plugin);
		entry_add(&entry, "HBD_EPOCH", fields->epoch ? number : NULL);
	}
	return sd_journal_sendv(entry.items, entry.count);
}

/* The journal has its own, and so may what reads a pipe; who looks on at a terminal has none. */
static void time_of_day(char *ret, size_t bytes)
{
	struct timespec now;
	struct tm local;

	ret[0] = '\0';
	if (!isatty(STDERR_FILENO) || clock_gettime(CLOCK_REALTIME, &now) < 0 ||
	    !localtime_r(&now.tv_sec, &local))
		return;
	snprintf(ret, bytes, "%02d:%02d:%02d.%03ld ", local.tm_hour, local.tm_min, local.tm_sec,
		 now.tv_nsec / 1000000);
}

/* In one call, so that lines of several processes do not mix. */
static void write_stderr(const struct log_fields *fields, const char *text)
{
	bool named = fields && fields->plugin;
	char line[LINE_BYTES + FIELD_BYTES], time[64];
	int length;

	time_of_day(time, sizeof(time));
	length = snprintf(line, sizeof(line), "%shbd: %s%s%s", time, named ? fields->plugin : "",
			  named ? ": " : "", text);

	if (length >= (int)sizeof(line))
		length = (int)sizeof(line) - 1;
	line[length] = '\n';
	/* there is nowhere left to tell a failure of this */
	if (write(STDERR_FILENO, line, (size_t)length + 1) < 0)
		return;
}

void log_direct(void *context, int priority, const struct log_fields *fields, const char *text)
{
	(void)context;
	if (stderr_is_journal() && write_journal(priority, fields, text) >= 0)
		return;
	write_stderr(fields, text);
}

void log_line(int priority, const struct log_fields *fields, const char *format, ...)
{
	char text[LINE_BYTES];
	va_list arguments;

	if (priority > state.level)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	/* part of it may come from a plugin or the network: no new lines, no terminal controls */
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	state.sink(state.context, priority, fields, text);
}

const char *log_strerror(int error)
{
	static _Thread_local char text[96];

	/* the least of all has no counterpart; another process may have sent it */
	return strerror_r(error < 0 && error != INT_MIN ? -error : error, text, sizeof(text));
}
