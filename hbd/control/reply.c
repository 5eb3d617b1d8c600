#include "reply.h"

#include <errno.h>
#include <stdio.h>

#include "../base/log.h"

json_t *reply_error(const char *code, const char *message)
{
	return json_pack("{s:i, s:{s:s, s:s}}", "schema", REPLY_SCHEMA, "error", "code", code,
			 "message", message);
}

json_t *reply_switchover(const char *group)
{
	return json_pack("{s:i, s:b, s:s}", "schema", REPLY_SCHEMA, "ok", 1, "group", group);
}

json_t *reply_alert_test(uint64_t id)
{
	return json_pack("{s:i, s:b, s:I}", "schema", REPLY_SCHEMA, "ok", 1, "id", (json_int_t)id);
}

const char *reply_refusal_code(int error)
{
	switch (error) {
	case -EPERM:
		return "not-primary";
	case -EHOSTDOWN:
		return "peer-not-alive";
	case -EINVAL:
		return "configurations-differ";
	case -ENODEV:
		return "peer-not-ready";
	case -EBUSY:
		return "under-way";
	default:
		return REPLY_FAILED;
	}
}

const char *reply_refusal_sentence(int error, const char *group, const char *self,
				   const char *peer, char *sentence)
{
	switch (error) {
	case -EPERM:
		snprintf(sentence, REPLY_SENTENCE_BYTES,
			 "%s is not primary for %s, so it has nothing to hand over: ask on %s",
			 self, group, peer);
		break;
	case -EHOSTDOWN:
		snprintf(sentence, REPLY_SENTENCE_BYTES,
			 "%s is not alive as seen from %s, so nobody could take %s over", peer,
			 self, group);
		break;
	case -EINVAL:
		snprintf(sentence, REPLY_SENTENCE_BYTES,
			 "%s and %s run with different configurations: make them equal first",
			 self, peer);
		break;
	case -ENODEV:
		snprintf(sentence, REPLY_SENTENCE_BYTES,
			 "%s does not stand by for %s, or a check or interface fails there: see "
			 "'hbctl status' on it", peer, group);
		break;
	case -EBUSY:
		snprintf(sentence, REPLY_SENTENCE_BYTES,
			 "a takeover or release of %s is under way: wait until it is over", group);
		break;
	default:
		snprintf(sentence, REPLY_SENTENCE_BYTES,
			 "the switchover of %s could not be started: %s", group,
			 log_strerror(error));
		break;
	}
	return sentence;
}
