#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../hbd/conf/suggest.h"

struct distance_case {
	const char *a, *b;
	unsigned distance;
};

static const struct distance_case distances[] = {
	{ "", "", 0 },
	{ "order", "order", 0 },
	{ "Order", "ORDER", 0 },	/* case is no difference */
	{ "", "abc", 3 },
	{ "abc", "", 3 },
	{ "oder", "order", 1 },		/* missing */
	{ "orrder", "order", 1 },	/* too many */
	{ "orter", "order", 1 },	/* other */
	{ "odrer", "order", 1 },	/* swapped */
	{ "rodre", "order", 2 },	/* swapped twice */
	{ "time-out-ms", "timeout_ms", 2 },
	{ "kitten", "sitting", 3 },
	{ "ca", "abc", 3 },		/* nothing is inserted between swapped letters */
	{ "123456789012345678901234567890123456789012345678", "1", 47 },
	{ "1234567890123456789012345678901234567890123456789", "1", CONF_SUGGEST_BYTES_MAX },
};

static void distances_are_counted_in_letters(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(distances) / sizeof(distances[0]); i++) {
		const struct distance_case *row = &distances[i];

		if (conf_distance(row->a, row->b) != row->distance ||
		    conf_distance(row->b, row->a) != row->distance)
			fail_msg("\"%s\" \"%s\": %u, expected %u", row->a, row->b,
				 conf_distance(row->a, row->b), row->distance);
	}
}

static const char *const known[] = {
	"unit", "http", "tcp", "file", "check", NULL, "interval_ms", "timeout_ms", "rise", "fall",
	"refresh_s", "id", "lb1", "lb2",
};

struct suggestion_case {
	const char *word, *suggestion;
};

static const struct suggestion_case suggestions[] = {
	{ "unti", "unit" },
	{ "https", "http" },
	{ "host", NULL },		/* two letters of four is another word */
	{ "udp", NULL },
	{ "inteval_ms", "interval_ms" },
	{ "intervall-ms", "interval_ms" },
	{ "intervals", "interval_ms" },
	{ "intervening", NULL },
	{ "interval", "interval_ms" },	/* the unit is missing */
	{ "interval_s", "interval_ms" },
	{ "timeout", "timeout_ms" },
	{ "refresh", "refresh_s" },
	{ "time", NULL },
	{ "RISE", "rise" },
	{ "if", NULL },			/* words of two letters are never near */
	{ "ID", "id" },
	{ "lb3", "lb1" },		/* the first of equally near ones */
	{ "", NULL },
	{ "ttp", "http" },
};

static void the_nearest_known_word_is_suggested(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(suggestions) / sizeof(suggestions[0]); i++) {
		const struct suggestion_case *row = &suggestions[i];
		const char *suggestion = conf_suggest(row->word, known,
						      sizeof(known) / sizeof(known[0]));

		if (!suggestion != !row->suggestion ||
		    (suggestion && strcmp(suggestion, row->suggestion) != 0))
			fail_msg("\"%s\": \"%s\", expected \"%s\"", row->word,
				 suggestion ? suggestion : "nothing",
				 row->suggestion ? row->suggestion : "nothing");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distances_are_counted_in_letters),
		cmocka_unit_test(the_nearest_known_word_is_suggested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
