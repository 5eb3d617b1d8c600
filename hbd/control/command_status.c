#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "client.h"
#include "commands.h"
#include "judge.h"
#include "text.h"

static json_t *status_request(void)
{
	return json_pack("{s:s}", "command", "status");
}

/* Judges the daemon's answer, or that there is none. ret_status: NULL or the caller's. */
static void ask_and_judge(const char *socket, struct judgement *judgement, json_t **ret_status)
{
	char sentence[CLIENT_WORDS_BYTES], advice[CLIENT_WORDS_BYTES];
	json_t *status = NULL;
	int r = client_ask(socket, status_request(), &status);

	if (r < 0) {
		client_explain(r, socket, sentence, advice);
		judge_unknown(sentence, advice, judgement);
	} else if (client_error_message(status)) {
		snprintf(sentence, sizeof(sentence), "hbd refused to tell its status: %.180s.",
			 client_error_message(status));
		judge_unknown(sentence, "Try again, with the hbctl of the daemon's version.",
			      judgement);
	} else {
		judge(status, judgement);
	}
	*ret_status = status;
}

/* The daemon's document with what hbctl makes of it. */
static void print_json(json_t *status, const struct judgement *judgement)
{
	json_t *document = status ? json_incref(status) : json_object();

	json_object_set_new(document, "health", judge_json(judgement));
	json_dumpf(document, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(document);
}

int command_status(const struct command_options *options, const char *argument)
{
	static struct judgement judgement;	/* too large for a stack */
	struct text_style style = {.color = text_wants_color(stdout), .now_s = time(NULL)};
	json_t *status = NULL;

	(void)argument;
	ask_and_judge(options->socket, &judgement, &status);
	if (options->json)
		print_json(status, &judgement);
	else
		text_print(status, &judgement, &style, stdout);
	json_decref(status);
	return judge_exit_code(judgement.level);
}
