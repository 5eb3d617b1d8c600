/* Any line from a client: the answer is one JSON document, and readers cause nothing. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../hbd/base/log.h"
#include "../../hbd/control/answer.h"

struct engine {
	unsigned commands;
};

static json_t *snapshot(void *context)
{
	(void)context;
	return json_pack("{s:i}", "schema", 1);
}

static int switchover(void *context, uint8_t group)
{
	((struct engine *)context)->commands++;
	assert(group < 1);
	return 0;
}

static int maintenance(void *context, bool on, bool force)
{
	((struct engine *)context)->commands++;
	return on && !force ? -EHOSTDOWN : 0;
}

static uint64_t alert_test(void *context)
{
	return ++((struct engine *)context)->commands;
}

static void no_log(void *context, int priority, const struct log_fields *fields, const char *text)
{
	(void)context;
	(void)priority;
	(void)fields;
	assert(strlen(text) > 0);
}

static void ask(struct answerer *answerer, uid_t uid, const uint8_t *data, size_t size)
{
	const struct asker who = {.uid = uid, .pid = 1, .privileged = uid == 0};
	char *line = malloc(size + 1);	/* of its own, so that reading past it is noticed */

	memcpy(line, data, size);
	struct document *document = answer_line(answerer, &who, line, size, 1);
	free(line);
	assert(document && document->text[document->length - 1] == '\n');
	json_t *json = json_loadb(document->text, document->length, 0, NULL);
	assert(json_integer_value(json_object_get(json, "schema")) == 1);
	json_decref(json);
	document_unref(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hbd_conf conf = {
		.group_count = 1,
		.nodes = {{.name = "lb1"}, {.name = "lb2"}},
		.groups = {{.name = "web"}},
	};
	struct engine engine = {0};
	struct answerer answerer = {
		.config = {.conf = &conf, .owner = 1},
		.callbacks = {&engine, snapshot, switchover, maintenance, alert_test},
	};

	if (size > SERVER_REQUEST_BYTES_MAX)
		return 0;
	log_set_sink(no_log, NULL);
	ask(&answerer, 2, data, size);
	assert(engine.commands == 0);
	ask(&answerer, 0, data, size);
	assert(engine.commands <= 1);
	answer_close(&answerer);
	return 0;
}
