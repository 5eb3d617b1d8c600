/*
 * render_status [--color] FILE: prints a status document as hbctl would, at a fixed instant, and
 * ends with the exit code that monitoring would get. For the golden transcripts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../hbd/control/judge.h"
#include "../../hbd/control/text.h"

#define NOW_S 1795410301	/* 2026-11-23 05:05:01 UTC */

int main(int argc, char **argv)
{
	static struct judgement judgement;
	struct text_style style = {.now_s = NOW_S};
	json_error_t error;

	if (argc == 3 && strcmp(argv[1], "--color") == 0)
		style.color = true;
	else if (argc != 2)
		return 64;
	setenv("TZ", "UTC", 1);
	json_t *status = json_load_file(argv[argc - 1], 0, &error);
	if (!status) {
		fprintf(stderr, "%s:%d: %s\n", argv[argc - 1], error.line, error.text);
		return 65;
	}
	judge(status, &judgement);
	text_print(status, &judgement, &style, stdout);
	json_decref(status);
	return judge_exit_code(judgement.level);
}
