#include "reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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

json_t *reply_maintenance(bool on)
{
	return json_pack("{s:i, s:b, s:b}", "schema", REPLY_SCHEMA, "ok", 1, "on", on);
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
	case -EHOSTUNREACH:
		return "peer-in-maintenance";
	case -ESHUTDOWN:
		return "stopping";
	case -EBUSY:
	case -EALREADY:
		return "under-way";
	default:
		return REPLY_FAILED;
	}
}

int reply_refusal_error(const char *code)
{
	static const int errors[] = { -EPERM, -EHOSTDOWN, -EINVAL, -ENODEV, -EBUSY,
				      -EHOSTUNREACH };

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcmp(reply_refusal_code(errors[i]), code) == 0)
			return errors[i];
	return -EPROTO;
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
	case -EHOSTUNREACH:
		snprintf(sentence, REPLY_SENTENCE_BYTES,
			 "%s is in maintenance and takes nothing: 'hbctl maintenance off' there "
			 "ends it", peer);
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
	case -EALREADY:
		snprintf(sentence, REPLY_SENTENCE_BYTES,
			 "a switchover of %s is under way: 'hbctl status' shows it", group);
		break;
	default:
		snprintf(sentence, REPLY_SENTENCE_BYTES,
			 "the switchover of %s could not be started: %s", group,
			 log_strerror(error));
		break;
	}
	return sentence;
}

/* What an operator may overrule. */
#define FORCE "; --force begins it all the same, and goes on serving until that is over"

const char *reply_maintenance_sentence(int error, const char *self, const char *peer,
				       char *sentence)
{
	switch (error) {
	case -EHOSTDOWN:
		snprintf(sentence, REPLY_SENTENCE_BYTES,
			 "%s is not alive as seen from %s, so nobody could serve instead" FORCE,
			 peer, self);
		break;
	case -EHOSTUNREACH:
		snprintf(sentence, REPLY_SENTENCE_BYTES,
			 "%s is in maintenance itself, so nobody would be left to serve" FORCE,
			 peer);
		break;
	case -EINVAL:
		snprintf(sentence, REPLY_SENTENCE_BYTES,
			 "%s and %s run with different configurations: make them equal first" FORCE,
			 self, peer);
		break;
	case -ENODEV:
		snprintf(sentence, REPLY_SENTENCE_BYTES,
			 "a check or interface fails on %s, so it could not serve well: see 'hbctl "
			 "status' on it" FORCE, peer);
		break;
	case -EBUSY:
		snprintf(sentence, REPLY_SENTENCE_BYTES,
			 "%s is about to take a group: wait until that is over", self);
		break;
	case -ESHUTDOWN:
		snprintf(sentence, REPLY_SENTENCE_BYTES, "hbd is being stopped on %s", self);
		break;
	default:
		snprintf(sentence, REPLY_SENTENCE_BYTES, "it could not be begun on %s: %s", self,
			 log_strerror(error));
		break;
	}
	return sentence;
}
