#include "process_output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Not in the middle of a UTF-8 character. */
static size_t cut_length(const char *text, size_t length, size_t length_max)
{
	if (length <= length_max)
		return length;
	length = length_max;
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return length;
}

static bool may_be_logged(struct process_output *output, int64_t now_ns)
{
	if (now_ns - output->window_ns >= HBD_S_NS) {
		output->window_ns = now_ns;
		output->window_lines = 0;
	}
	if (output->window_lines >= PROCESS_LINES_PER_S)
		return false;
	if (output->lines >= PROCESS_LINES_MAX && (!output->lasting || output->window_lines > 0))
		return false;
	output->window_lines++;
	output->lines++;
	return true;
}

static void end_line(struct process_output *output, int64_t now_ns, process_line_handler handler,
		     void *context)
{
	size_t length = output->length, kept;

	while (length > 0 && output->line[length - 1] == ' ')
		length--;
	output->line[length] = '\0';
	if (length > 0) {
		kept = cut_length(output->line, length, sizeof(output->last) - 1);
		memcpy(output->last, output->line, kept);
		output->last[kept] = '\0';
		if (output->cut)
			strcpy(output->line + cut_length(output->line, length, PROCESS_LINE_BYTES),
			       " ...");
		if (may_be_logged(output, now_ns))
			handler(context, output->line);
		else
			output->suppressed++;
	}
	output->length = 0;
	output->cut = false;
}

/* A terminal or a journal shows what was written, it does not obey it. */
static char printable(char byte)
{
	if (byte == '\t' || byte == '\r')
		return ' ';
	return (unsigned char)byte < ' ' || byte == 0x7f ? '?' : byte;
}

void process_output_take(struct process_output *output, const char *bytes, size_t count,
			 int64_t now_ns, process_line_handler handler, void *context)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] == '\n')
			end_line(output, now_ns, handler, context);
		else if (output->length <= PROCESS_LINE_BYTES)
			output->line[output->length++] = printable(bytes[i]);
		else
			output->cut = true;
	}
}

void process_output_end(struct process_output *output, int64_t now_ns,
			process_line_handler handler, void *context)
{
	char text[PROCESS_LINE_BYTES];

	end_line(output, now_ns, handler, context);
	if (output->suppressed == 0)
		return;
	snprintf(text, sizeof(text), "(%" PRIu64 " lines more are not shown; the last one was: %s)",
		 output->suppressed, output->last);
	handler(context, text);
	output->suppressed = 0;
}
