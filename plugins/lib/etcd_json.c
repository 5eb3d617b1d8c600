#include "etcd_json.h"

#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_OK 200
#define CODE_UNAUTHENTICATED 16	/* gRPC */

const char *etcd_path(enum etcd_call call)
{
	switch (call) {
	case ETCD_READ:
		return "/v3/kv/range";
	case ETCD_SWAP:
		return "/v3/kv/txn";
	case ETCD_AUTHENTICATE:
		return "/v3/auth/authenticate";
	}
	return "/";
}

static char *encode(const char *text)
{
	size_t length = strlen(text);
	size_t bytes = sodium_base64_ENCODED_LEN(length, sodium_base64_VARIANT_ORIGINAL);
	char *base64 = malloc(bytes);

	return base64 ? sodium_bin2base64(base64, bytes, (const unsigned char *)text, length,
					  sodium_base64_VARIANT_ORIGINAL) : NULL;
}

/* NULL for what is not base64, or holds a NUL. */
static char *decode(const char *base64)
{
	size_t bytes = strlen(base64) + 1, length;
	char *text = malloc(bytes);

	if (!text)
		return NULL;
	if (sodium_base642bin((unsigned char *)text, bytes - 1, base64, strlen(base64), NULL, &length,
			      NULL, sodium_base64_VARIANT_ORIGINAL) < 0 ||
	    memchr(text, '\0', length)) {
		free(text);
		return NULL;
	}
	text[length] = '\0';
	return text;
}

/* Takes the reference. */
static char *dump(json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	return text;
}

char *etcd_read_body(const char *key)
{
	char *key64 = encode(key);
	char *body = dump(json_pack("{s:s}", "key", key64));

	free(key64);
	return body;
}

/* The revision alone is not enough: an etcd that lost its memory counts anew. */
char *etcd_swap_body(const char *key, int64_t revision, const char *expected, const char *value)
{
	char number[24], *key64 = encode(key), *value64 = encode(value), *body = NULL;
	char *expected64 = expected ? encode(expected) : NULL;
	json_t *compare, *document = NULL;

	snprintf(number, sizeof(number), "%" PRId64, revision);
	compare = json_pack("[{s:s, s:s, s:s, s:s}]", "key", key64, "target", "MOD", "result", "EQUAL",
			    "modRevision", number);
	if (expected64)
		json_array_append_new(compare, json_pack("{s:s, s:s, s:s, s:s}", "key", key64, "target",
							 "VALUE", "result", "EQUAL", "value",
							 expected64));
	if (json_array_size(compare) == (expected ? 2 : 1))
		document = json_pack("{s:O, s:[{s:{s:s, s:s}}], s:[{s:{s:s}}]}", "compare", compare,
				     "success", "requestPut", "key", key64, "value", value64,
				     "failure", "requestRange", "key", key64);
	body = dump(document);
	json_decref(compare);
	free(expected64);
	free(key64);
	free(value64);
	return body;
}

char *etcd_authenticate_body(const char *user, const char *password)
{
	return dump(json_pack("{s:s, s:s}", "name", user, "password", password));
}

static void fail(struct etcd_answer *answer, const char *why)
{
	answer->result = ETCD_FAILED;
	snprintf(answer->error, sizeof(answer->error), "%s", why);
}

/* A 64-bit number, as a string or not; -1 if it is none. */
static int64_t number_of(const json_t *json)
{
	const char *text = json_string_value(json);
	char *end;
	long long value;

	if (json_is_integer(json))
		return json_integer_value(json);
	if (!text || !*text)
		return -1;
	value = strtoll(text, &end, 10);
	return *end ? -1 : value;
}

/* The answer to a range of one key. */
static void take_range(const json_t *range, struct etcd_answer *answer)
{
	const json_t *pairs = json_object_get(range, "kvs"), *pair = json_array_get(pairs, 0);
	const char *value64 = json_string_value(json_object_get(pair, "value"));

	answer->result = ETCD_SHOWN;
	answer->revision = 0;
	if (json_array_size(pairs) == 0)
		return;
	answer->revision = number_of(json_object_get(pair, "mod_revision"));
	/* an empty value is left out */
	answer->value = decode(value64 ? value64 : "");
	if (answer->revision <= 0 || !answer->value)
		fail(answer, "the key's revision or value cannot be read");
}

static void take_swap(const json_t *document, const char *written, struct etcd_answer *answer)
{
	const json_t *responses = json_object_get(document, "responses");
	const json_t *range = json_object_get(json_array_get(responses, 0), "response_range");

	if (json_is_true(json_object_get(document, "succeeded"))) {
		answer->result = ETCD_SWAPPED;
		answer->revision = number_of(json_object_get(json_object_get(document, "header"),
							     "revision"));
		if (answer->revision <= 0)
			fail(answer, "the answer has no revision");
		return;
	}
	if (!range) {
		fail(answer, "the answer to a transaction shows nothing");
		return;
	}
	take_range(range, answer);
	if (answer->result == ETCD_SHOWN && answer->value && !strcmp(answer->value, written))
		answer->result = ETCD_SWAPPED;
}

static void take_token(const json_t *document, struct etcd_answer *answer)
{
	const char *token = json_string_value(json_object_get(document, "token"));

	answer->result = ETCD_TOKEN;
	answer->value = token ? strdup(token) : NULL;
	if (!answer->value)
		fail(answer, "there is no token in the answer");
}

static void take_error(long status, const json_t *document, struct etcd_answer *answer)
{
	const char *message = json_string_value(json_object_get(document, "message"));
	char text[ETCD_ERROR_BYTES];

	if (!message)
		message = json_string_value(json_object_get(document, "error"));
	snprintf(text, sizeof(text), "%.150s (HTTP status %ld)", message ? message : "no reason given",
		 status);
	fail(answer, text);
	if (number_of(json_object_get(document, "code")) == CODE_UNAUTHENTICATED)
		answer->result = ETCD_TOKEN_REFUSED;
}

void etcd_parse(enum etcd_call call, long status, const char *body, size_t length,
		const char *written, struct etcd_answer *ret_answer)
{
	json_t *document = json_loadb(body, length, 0, NULL);

	*ret_answer = (struct etcd_answer){ .result = ETCD_FAILED };
	if (status != STATUS_OK)
		take_error(status, document, ret_answer);
	else if (!json_is_object(document))
		fail(ret_answer, "the answer is no JSON: is this an etcd of version 3?");
	else if (call == ETCD_READ)
		take_range(document, ret_answer);
	else if (call == ETCD_SWAP)
		take_swap(document, written, ret_answer);
	else
		take_token(document, ret_answer);
	json_decref(document);
}

void etcd_answer_clear(struct etcd_answer *answer)
{
	free(answer->value);
	answer->value = NULL;
}
