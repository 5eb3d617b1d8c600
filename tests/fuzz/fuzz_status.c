/* Any document that calls itself a status: hbctl judges and prints it, as plain text. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../hbd/control/judge.h"
#include "../../hbd/control/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct judgement judgement;
	const struct text_style style = {.now_s = 1795410301};
	json_t *status = json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL);
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);

	judge(status, &judgement);
	text_print(status, &judgement, &style, stream);
	fclose(stream);
	assert(length > 0);
	for (size_t i = 0; i < length; i++)
		assert(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
	json_t *health = judge_json(&judgement);
	assert(json_array_size(json_object_get(health, "findings")) == judgement.count);
	json_decref(health);
	json_decref(status);
	free(text);
	return 0;
}
