#include "answer.h"

#include <stdlib.h>
#include <string.h>

#include "../base/log.h"
#include "reply.h"
#include "request.h"

/* Refused commands are logged once in this time. */
#define REFUSAL_LOG_NS (10 * HBD_S_NS)

void document_unref(struct document *document)
{
	if (!document || --document->references > 0)
		return;
	free(document->text);
	free(document);
}

struct document *document_new(json_t *json)
{
	struct document *document = NULL;
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	size_t length = text ? strlen(text) : 0;

	json_decref(json);
	char *line = text ? realloc(text, length + 2) : NULL;
	if (line)
		document = malloc(sizeof(*document));
	if (!document) {
		free(line ? line : text);
		return NULL;
	}
	memcpy(line + length, "\n", 2);
	*document = (struct document){.references = 1, .length = length + 1, .text = line};
	return document;
}

bool answer_is_privileged(const struct answerer *answerer, uid_t uid)
{
	return uid == 0 || uid == answerer->config.owner;
}

void answer_close(struct answerer *answerer)
{
	document_unref(answerer->status);
	answerer->status = NULL;
}

/* The status as of now or a moment ago: rendering it is the dearest thing a client can cause. */
static struct document *status_document(struct answerer *answerer, int64_t now_ns)
{
	const struct server_callbacks *callbacks = &answerer->callbacks;

	if (!answerer->status || now_ns - answerer->status_ns >= SERVER_FRESH_NS) {
		document_unref(answerer->status);
		answerer->status = document_new(callbacks->snapshot(callbacks->context));
		answerer->status_ns = now_ns;
	}
	if (answerer->status)
		answerer->status->references++;
	return answerer->status;
}

static json_t *do_switchover(struct answerer *answerer, const char *group)
{
	const struct hbd_conf *conf = answerer->config.conf;
	uint8_t self = answerer->config.self;
	char sentence[REPLY_SENTENCE_BYTES];
	uint8_t index = 0;

	while (index < conf->group_count && strcmp(conf->groups[index].name, group) != 0)
		index++;
	if (index == conf->group_count)
		return reply_error(REPLY_NO_SUCH_GROUP, "no group has this name");
	int r = answerer->callbacks.switchover(answerer->callbacks.context, index);
	if (r == 0)
		return reply_switchover(group);
	reply_refusal_sentence(r, group, conf->nodes[self].name, conf->nodes[1 - self].name,
			       sentence);
	return reply_error(reply_refusal_code(r), sentence);
}

static json_t *do_alert_test(struct answerer *answerer)
{
	uint64_t id = answerer->callbacks.alert_test(answerer->callbacks.context);

	if (id == 0)
		return reply_error(REPLY_FAILED, "the alert could not be handed to the process "
						 "that keeps the spool; see the journal");
	return reply_alert_test(id);
}

static json_t *do_maintenance(struct answerer *answerer, const struct request *request)
{
	const struct hbd_conf *conf = answerer->config.conf;
	uint8_t self = answerer->config.self;
	char sentence[REPLY_SENTENCE_BYTES];
	int r = answerer->callbacks.maintenance(answerer->callbacks.context, request->on,
						request->force);

	if (r == 0)
		return reply_maintenance(request->on);
	return reply_error(reply_refusal_code(r),
			   reply_maintenance_sentence(r, conf->nodes[self].name,
						      conf->nodes[1 - self].name, sentence));
}

static json_t *refuse_command(struct answerer *answerer, const struct asker *asker,
			      const struct request *request, int64_t now_ns)
{
	if (answerer->refusal_logged_ns == 0 ||
	    now_ns - answerer->refusal_logged_ns >= REFUSAL_LOG_NS) {
		log_warning("control: refused '%s' to uid %u (process %d): commands are for root "
			    "and for the user who started hbd",
			    request_command_text(request->command), asker->uid, asker->pid);
		answerer->refusal_logged_ns = now_ns;
	}
	return reply_error(REPLY_NOT_ALLOWED,
			   "commands are for root and for the user who started hbd");
}

static json_t *do_command(struct answerer *answerer, const struct asker *asker,
			  const struct request *request, int64_t now_ns)
{
	if (!asker->privileged)
		return refuse_command(answerer, asker, request, now_ns);
	log_notice("control: uid %u (process %d) asks for '%s%s%s'%s%s", asker->uid, asker->pid,
		   request_command_text(request->command),
		   request->command != REQUEST_MAINTENANCE ? "" : request->on ? " on" : " off",
		   request->force ? " --force" : "", request->group[0] ? " of group " : "",
		   request->group);
	answer_close(answerer); /* nobody is to be shown the state from before */
	if (request->command == REQUEST_SWITCHOVER)
		return do_switchover(answerer, request->group);
	if (request->command == REQUEST_MAINTENANCE)
		return do_maintenance(answerer, request);
	return do_alert_test(answerer);
}

struct document *answer_line(struct answerer *answerer, const struct asker *asker,
			     const char *line, size_t length, int64_t now_ns)
{
	struct request request;
	char error[REQUEST_ERROR_BYTES];

	if (request_parse(line, length, &request, error) < 0)
		return document_new(reply_error(REPLY_BAD_REQUEST, error));
	if (request_is_privileged(request.command))
		return document_new(do_command(answerer, asker, &request, now_ns));
	return status_document(answerer, now_ns);
}
