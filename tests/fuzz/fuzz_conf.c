/*
 * Any text as a configuration: it is either loaded, and then what is printed of it loads again
 * as the same, or refused with at least one mistake. libconfig sees what hbd's own lint made of it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../hbd/conf/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
const char *__lsan_default_suppressions(void);

/* libconfig loses the strings that it was reading when a mistake stopped it. */
const char *__lsan_default_suppressions(void)
{
	return "leak:strbuf_append\nleak:libconfig_yylex\n";
}

static char *printed(const struct hbd_conf *conf)
{
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	assert(stream);
	conf_print(conf, stream);
	assert(fclose(stream) == 0);
	return text;
}

static void check_round_trip(const struct hbd_conf *conf)
{
	struct conf_errors errors = { 0 };
	struct hbd_conf *again = NULL;
	char *once = printed(conf), *twice;

	assert(conf_load_text("again", once, strlen(once), &again, &errors) == 0);
	twice = printed(again);
	assert(strcmp(once, twice) == 0);
	assert(conf->digest == again->digest);
	free(once);
	free(twice);
	conf_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct conf_errors errors = { 0 };
	struct hbd_conf *conf = NULL;
	int result = conf_load_text("fuzz", (const char *)bytes, length, &conf, &errors);

	if (result == 0) {
		check_round_trip(conf);
	} else {
		assert(!conf && errors.count > 0);
		for (size_t i = 0; i < errors.count; i++)
			assert(errors.items[i].text[0]);
	}
	conf_errors_free(&errors);
	conf_free(conf);
	return 0;
}
