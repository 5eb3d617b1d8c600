#include "commands.h"

#include <stdio.h>
#include <time.h>

#include "../conf/suggest.h"
#include "client.h"
#include "status.h"

int64_t command_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * HBD_S_NS + now.tv_nsec;
}

json_t *command_ask(const char *socket, json_t *request, int *ret_exit)
{
	char sentence[CLIENT_WORDS_BYTES], advice[CLIENT_WORDS_BYTES];
	json_t *reply = NULL;
	int r = client_ask(socket, request, &reply);

	if (r < 0) {
		client_explain(r, socket, sentence, advice);
		fprintf(stderr, "hbctl: %s\nTo do: %s\n", sentence, advice);
		*ret_exit = EXIT_CANNOT_ASK;
	} else if (client_error_message(reply)) {
		status_clean(client_error_message(reply), sentence, sizeof(sentence));
		fprintf(stderr, "hbctl: %s.\n", sentence);
		*ret_exit = EXIT_REFUSED;
		json_decref(reply);
		reply = NULL;
	}
	return reply;
}

void command_complain_unknown(const char *what, const char *word, const char *const *candidates,
			      size_t count)
{
	const char *meant = conf_suggest(word, candidates, count);

	if (meant)
		fprintf(stderr, "hbctl: there is no %s '%s'; did you mean '%s'?\n", what, word,
			meant);
	else
		fprintf(stderr, "hbctl: there is no %s '%s'.\n", what, word);
}

void command_print_json(json_t *json)
{
	json_dumpf(json, stdout, 0);
	putchar('\n');
	json_decref(json);
}
