/* The small parts of the terminal's text: durations, wrapping, when there is color. The whole is
 * in tests/golden/status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../hbd/control/status.h"
#include "../../hbd/control/text.h"

#define MINUTE_MS ((int64_t)60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

static void durations_have_two_units_at_most(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{0, "0 ms"},
		{999, "999 ms"},
		{1000, "1 s"},
		{MINUTE_MS - 1, "59 s"},
		{MINUTE_MS, "1 min"},
		{HOUR_MS - 1, "59 min"},
		{HOUR_MS, "1 h 0 min"},
		{DAY_MS - 1, "23 h 59 min"},
		{DAY_MS, "1 d 0 h"},
		{400 * DAY_MS + 5 * HOUR_MS, "400 d 5 h"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[STATUS_DURATION_BYTES];

		assert_string_equal(status_duration(rows[i].ms, text), rows[i].text);
	}
}

#define TEN "0123456789"
#define SEVENTY TEN TEN TEN TEN TEN TEN TEN

static void text_stays_within_80_columns(void **state)
{
	static const struct {
		const char *prefix;
		int indent;
		const char *text;
		const char *result;
	} rows[] = {
		{"", 0, "", "\n"},
		{"", 0, "one word", "one word\n"},
		{"", 0, "two  spaces", "two spaces\n"},
		{"  x: ", 5, "", "  x: \n"},
		{"", 2, SEVENTY " 123456789", SEVENTY " 123456789\n"},
		{"", 2, SEVENTY " 1234567890", SEVENTY "\n  1234567890\n"},
		{"12345 ", 6, SEVENTY " 123", "12345 " SEVENTY " 123\n"},
		{"12345 ", 6, SEVENTY " 1234", "12345 " SEVENTY "\n      1234\n"},
		{"", 2, SEVENTY TEN "x", SEVENTY "01234567\n  89x\n"},
		{"", 0, SEVENTY TEN, SEVENTY TEN "\n"},
		{"", 0, "a " SEVENTY TEN " b", "a\n" SEVENTY TEN "\nb\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = NULL;
		size_t length = 0;
		FILE *stream = open_memstream(&text, &length);

		text_wrap(stream, rows[i].prefix, rows[i].indent, rows[i].text);
		fclose(stream);
		assert_string_equal(text, rows[i].result);
		free(text);
	}
}

static void color_is_for_terminals_that_want_it(void **state)
{
	static const struct {
		const char *no_color;	/* NULL = not set */
		const char *term;
		bool color;
	} rows[] = {
		{NULL, "xterm", true},
		{NULL, NULL, true},
		{"", "xterm", true},
		{"1", "xterm", false},
		{NULL, "dumb", false},
	};
	int master, terminal;

	(void)state;
	assert_int_equal(openpty(&master, &terminal, NULL, NULL, NULL), 0);
	FILE *stream = fdopen(terminal, "w");
	FILE *file = fopen("/dev/null", "w");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsetenv("NO_COLOR");
		unsetenv("TERM");
		if (rows[i].no_color)
			setenv("NO_COLOR", rows[i].no_color, 1);
		if (rows[i].term)
			setenv("TERM", rows[i].term, 1);
		assert_int_equal(text_wants_color(stream), rows[i].color);
		assert_false(text_wants_color(file));
	}
	fclose(file);
	fclose(stream);
	close(master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_have_two_units_at_most),
		cmocka_unit_test(text_stays_within_80_columns),
		cmocka_unit_test(color_is_for_terminals_that_want_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
