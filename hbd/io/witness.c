#include "witness.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/log.h"

#define ANSWERS_PER_TURN 64
#define LIFE_DIGITS 16

void witness_init(struct witness *witness, const struct hbd_conf *conf, uint8_t self,
		  struct event_queue *events, struct loop *loop, uint8_t source)
{
	*witness = (struct witness){
		.conf = conf, .self = self, .events = events, .loop = loop, .source = source, .fd = -1,
	};
}

/* ---- records ------------------------------------------------------------------------------------ */

char *witness_record_text(const struct hbd_conf *conf, const struct hbd_record *record)
{
	char life[LIFE_DIGITS + 1];
	json_t *holder = record->holder == HBD_NO_HOLDER ?
			 json_null() : json_string(conf->nodes[record->holder].name);
	json_t *object;
	char *text;

	snprintf(life, sizeof(life), "%016" PRIx64, record->life);
	object = json_pack("{s:o, s:I, s:I, s:s}", "holder", holder, "epoch",
			   (json_int_t)record->epoch, "count", (json_int_t)record->count, "life",
			   life);
	text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

static bool parse_holder(const struct hbd_conf *conf, const json_t *holder, uint8_t *ret_holder)
{
	if (json_is_null(holder)) {
		*ret_holder = HBD_NO_HOLDER;
		return true;
	}
	for (uint8_t i = 0; i < HBD_NODES && json_is_string(holder); i++) {
		*ret_holder = i;
		if (!strcmp(json_string_value(holder), conf->nodes[i].name))
			return true;
	}
	return false;
}

static bool parse_life(const char *text, uint64_t *ret_life)
{
	char *end;

	if (strlen(text) != LIFE_DIGITS || strspn(text, "0123456789abcdef") != LIFE_DIGITS)
		return false;
	*ret_life = strtoull(text, &end, 16);
	return *ret_life != 0;
}

bool witness_record_parse(const struct hbd_conf *conf, const char *text,
			  struct hbd_record *ret_record)
{
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *holder = NULL;
	struct hbd_record record = { 0 };
	json_int_t epoch = -1, count = -1;
	const char *life = "";
	bool good;

	good = object && json_unpack(object, "{s:o, s:I, s:I, s:s !}", "holder", &holder, "epoch",
				     &epoch, "count", &count, "life", &life) == 0 &&
	       epoch >= 0 && count >= 0 && parse_holder(conf, holder, &record.holder) &&
	       parse_life(life, &record.life);
	if (good) {
		record.epoch = (uint64_t)epoch;
		record.count = (uint64_t)count;
		*ret_record = record;
	}
	json_decref(object);
	return good;
}

/* ---- requests ----------------------------------------------------------------------------------- */

static void report(struct witness *witness, uint8_t group, struct hbd_event *event)
{
	event->type = HBD_EVENT_WITNESS;
	event->group = group;
	event->witness.id = witness->asked[group];
	witness->asked[group] = 0;
	event_queue_put(witness->events, event);
}

static void report_unknown(struct witness *witness, uint8_t group)
{
	struct hbd_event event = { .witness.result = HBD_WITNESS_UNKNOWN };

	report(witness, group, &event);
}

/* The engine asks for an id's text only here; names hold nothing that JSON would mind. */
static char *request_text(const struct witness *witness, const struct hbd_action *action)
{
	char key[2 * HBD_NAME_BYTES + 2];
	json_t *request;
	char *text;

	snprintf(key, sizeof(key), "%s/%s", witness->conf->cluster,
		 witness->conf->groups[action->group].name);
	if (action->witness.call == HBD_WITNESS_SWAP) {
		request = json_pack("{s:I, s:s, s:s, s:I, s:s*, s:s}", "id", (json_int_t)action->id,
				    "call", "swap", "key", key, "revision",
				    (json_int_t)action->witness.revision, "expected",
				    witness->shown[action->group], "value",
				    witness->wanted[action->group]);
	} else {
		request = json_pack("{s:I, s:s, s:s}", "id", (json_int_t)action->id, "call", "read",
				    "key", key);
	}
	text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	json_decref(request);
	return text;
}

static int send_line(const struct witness *witness, char *text)
{
	size_t length = strlen(text);

	if (witness->fd < 0)
		return -EPIPE;
	/* in place of the final NUL, which nobody needs any more */
	text[length] = '\n';
	if (send(witness->fd, text, length + 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

static void want(struct witness *witness, const struct hbd_action *action)
{
	char **wanted = &witness->wanted[action->group];

	free(*wanted);
	*wanted = NULL;
	if (action->witness.call != HBD_WITNESS_SWAP)
		return;
	assert((action->witness.revision != 0) == (witness->shown[action->group] != NULL));
	*wanted = witness_record_text(witness->conf, &action->witness.record);
}

bool witness_is_stuck(struct witness *witness, int64_t now_ns)
{
	bool stuck = witness->fd >= 0 && witness->silent_since_ns != 0 &&
		     now_ns - witness->silent_since_ns >= WITNESS_STUCK_NS;

	if (stuck)
		witness->silent_since_ns = 0;
	return stuck;
}

void witness_ask(struct witness *witness, const struct hbd_action *action, int64_t now_ns)
{
	char *text;
	int r;

	want(witness, action);
	text = request_text(witness, action);
	r = text ? send_line(witness, text) : -ENOMEM;

	free(text);
	witness->asked[action->group] = action->id;
	if (witness->silent_since_ns == 0)
		witness->silent_since_ns = now_ns;
	if (r == 0)
		return;
	if (r != -EPIPE)
		log_warning("%s: cannot ask the witness: %s; asking again",
			    witness->conf->groups[action->group].name, log_strerror(r));
	report_unknown(witness, action->group);
}

/* ---- answers ------------------------------------------------------------------------------------ */

/* What is not ours was put there by hand, or by another hbd: nobody takes it away unseen. */
static struct hbd_record strange_record(struct witness *witness, uint8_t group, const char *text)
{
	if (!witness->strange_told)
		log_error("%s: the witness holds \"%.100s\", which is no record of hbd; it counts as "
			  "the peer's vote", witness->conf->groups[group].name, text);
	witness->strange_told = true;
	return (struct hbd_record){ .holder = (uint8_t)(1 - witness->self) };
}

/* Takes text, which is what the register holds now. */
static void remember(struct witness *witness, uint8_t group, char *text)
{
	free(witness->shown[group]);
	witness->shown[group] = text;
}

static bool take_shown(struct witness *witness, uint8_t group, const json_t *answer,
		       struct hbd_event *event)
{
	const char *value = json_string_value(json_object_get(answer, "value"));

	event->witness.result = HBD_WITNESS_SHOWN;
	if (event->witness.revision == 0) {
		remember(witness, group, NULL);
		return true;
	}
	if (!value)
		return false;
	remember(witness, group, strdup(value));
	if (!witness->shown[group])
		return false;
	if (!witness_record_parse(witness->conf, value, &event->witness.record))
		event->witness.record = strange_record(witness, group, value);
	return true;
}

/* False for an answer that says nothing. */
static bool parse_answer(struct witness *witness, uint8_t group, const json_t *answer,
			 struct hbd_event *event)
{
	const json_t *revision = json_object_get(answer, "revision");

	if (json_object_get(answer, "error"))
		return false;
	if (!json_is_integer(revision) || json_integer_value(revision) < 0)
		return false;
	event->witness.revision = (uint64_t)json_integer_value(revision);
	if (!json_is_true(json_object_get(answer, "swapped")))
		return take_shown(witness, group, answer, event);
	/* an answer that nobody can have given: a read swaps nothing */
	if (!witness->wanted[group] || event->witness.revision == 0)
		return false;
	event->witness.result = HBD_WITNESS_SWAPPED;
	remember(witness, group, witness->wanted[group]);
	witness->wanted[group] = NULL;
	return true;
}

static void take_answer(struct witness *witness, const json_t *answer)
{
	struct hbd_event event = { 0 };
	json_int_t id = json_integer_value(json_object_get(answer, "id"));
	uint8_t group = 0;

	while (group < witness->conf->group_count && (id <= 0 ||
						     witness->asked[group] != (uint64_t)id))
		group++;
	/* one that is not waited for any more */
	if (group == witness->conf->group_count)
		return;
	if (parse_answer(witness, group, answer, &event))
		report(witness, group, &event);
	else
		report_unknown(witness, group);
}

static void lose(struct witness *witness)
{
	if (witness->fd < 0)
		return;
	loop_unwatch(witness->loop, witness->fd);
	close(witness->fd);
	witness->fd = -1;
	for (uint8_t i = 0; i < witness->conf->group_count; i++)
		if (witness->asked[i] != 0)
			report_unknown(witness, i);
}

void witness_close(struct witness *witness)
{
	if (!witness->conf)
		return;
	if (witness->fd >= 0)
		close(witness->fd);
	for (uint8_t i = 0; i < witness->conf->group_count; i++) {
		free(witness->shown[i]);
		free(witness->wanted[i]);
	}
}

void witness_take(struct witness *witness, int fd)
{
	int r;

	lose(witness);
	witness->silent_since_ns = 0;
	if (fd < 0)
		return;
	r = loop_watch(witness->loop, witness->source, fd);
	if (r < 0) {
		log_error("engine: cannot listen to the witness's program: %s; it is not asked until "
			  "it is started again", log_strerror(r));
		close(fd);
		return;
	}
	witness->fd = fd;
}

void witness_read(struct witness *witness)
{
	char line[WITNESS_LINE_BYTES];

	for (int i = 0; i < ANSWERS_PER_TURN && witness->fd >= 0; i++) {
		ssize_t n = recv(witness->fd, line, sizeof(line), MSG_DONTWAIT | MSG_TRUNC);
		json_t *answer;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			lose(witness);
			return;
		}
		witness->silent_since_ns = 0;
		answer = (size_t)n <= sizeof(line) ? json_loadb(line, (size_t)n, 0, NULL) : NULL;
		if (answer)
			take_answer(witness, answer);
		else
			log_warning("engine: the witness's program said what is no JSON; ignored");
		json_decref(answer);
	}
}
