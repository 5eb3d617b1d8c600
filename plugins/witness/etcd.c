/*
 * Witness "etcd": records in an etcd of version 3, asked by its JSON gateway (../README.md, "witness").
 * Lines of JSON come in, etcd_client.h does the rest, lines of JSON go out.
 */
#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/etcd_client.h"
#include "../lib/plugin.h"

#define LINE_BYTES (64 * 1024)

/* Takes the reference. One write() is one line, and one message of the socket. */
static void say(json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	size_t length = text ? strlen(text) : 0;

	json_decref(object);
	if (!text)
		return;
	/* in place of the final NUL, which is not sent */
	text[length] = '\n';
	if (write(STDOUT_FILENO, text, length + 1) < 0)
		exit(errno == EPIPE || errno == ECONNRESET ? EXIT_SUCCESS : EXIT_FAILURE);
	free(text);
}

static void say_error(int64_t id, const char *error)
{
	say(json_pack("{s:I, s:s}", "id", (json_int_t)id, "error", error));
}

static void say_answer(int64_t id, enum etcd_call call, const struct etcd_answer *answer)
{
	json_t *object;

	if (answer->result == ETCD_FAILED) {
		say_error(id, answer->error);
		return;
	}
	object = json_pack("{s:I, s:I}", "id", (json_int_t)id, "revision",
			   (json_int_t)answer->revision);
	if (call == ETCD_SWAP)
		json_object_set_new(object, "swapped",
				    json_boolean(answer->result == ETCD_SWAPPED));
	if (answer->result == ETCD_SHOWN && answer->value)
		json_object_set_new(object, "value", json_string(answer->value));
	say(object);
}

struct line {
	int64_t id;
	enum etcd_call call;
	const char *key;
	int64_t revision;
	const char *expected;	/* by a swap of what is there, else NULL */
	const char *value;	/* of a swap, else NULL */
};

/* False for what is no request. */
static bool read_line(const json_t *object, struct line *ret_line)
{
	const char *call = json_string_value(json_object_get(object, "call"));
	const json_t *revision = json_object_get(object, "revision");
	struct line line = {
		.id = json_integer_value(json_object_get(object, "id")),
		.key = json_string_value(json_object_get(object, "key")),
		.revision = json_integer_value(revision),
	};

	if (line.id <= 0 || !line.key || !call)
		return false;
	line.call = !strcmp(call, "read") ? ETCD_READ : ETCD_SWAP;
	if (line.call == ETCD_SWAP) {
		line.value = json_string_value(json_object_get(object, "value"));
		line.expected = json_string_value(json_object_get(object, "expected"));
	}
	*ret_line = line;
	return line.call == ETCD_READ ||
	       (!strcmp(call, "swap") && line.value && json_is_integer(revision) &&
		!line.expected == (line.revision == 0));
}

static void take_line(struct etcd_client *client, const char *prefix, const char *text,
		      size_t length)
{
	json_t *object = json_loadb(text, length, 0, NULL);
	struct line line;
	char *key = NULL;

	if (!object || !read_line(object, &line))
		fprintf(stderr, "ignoring a line that is no request: %.*s\n",
			(int)(length < 100 ? length : 100), text);
	else if (asprintf(&key, "%s%s", prefix, line.key) < 0 ||
		 !etcd_client_begin(client, line.id, line.call, key, line.revision, line.expected,
				    line.value))
		say_error(line.id, "too many requests at once");
	free(key);
	json_decref(object);
}

/* One message of hbd's socket, or lines of a pipe. False at the end. */
static bool read_lines(struct etcd_client *client, const char *prefix)
{
	char bytes[LINE_BYTES];
	ssize_t count = read(STDIN_FILENO, bytes, sizeof(bytes));
	const char *line = bytes, *end = bytes + (count > 0 ? count : 0);

	if (count < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((newline ? newline : end) - line);

		if (length > 0)
			take_line(client, prefix, line, length);
		line += length + 1;
	}
	return count > 0;
}

/* As etcd_settings.c reads them. */
static const struct plugin_about about = {
	.kind = "witness",
	.action = "witness",
	.name = "etcd",
	.summary = "keeps the records of a witness in an etcd",
	.parameters = (const struct plugin_parameter[]){
		{ "endpoints", PLUGIN_STRINGS, true, NULL, NULL,
		  "http://HOST:PORT or https://HOST:PORT; addresses rather than names" },
		{ "prefix", PLUGIN_STRING, false, NULL, "/hbd/", "of the keys" },
		{ "ca", PLUGIN_STRING, false, NULL, NULL,
		  "file of the authority that signed the servers' certificates; the system's "
		  "without it" },
		{ "cert", PLUGIN_STRING, false, NULL, NULL, "file of this node's certificate" },
		{ "key", PLUGIN_STRING, false, NULL, NULL, "file of the key that belongs to it" },
		{ "user", PLUGIN_STRING, false, NULL, NULL,
		  "where etcd's authentication is on: a role that may read and write below "
		  "the prefix" },
		{ "password_file", PLUGIN_STRING, false, NULL, NULL,
		  "file whose first line is that user's password" },
		{ "timeout_ms", PLUGIN_NUMBER, false, NULL, "450", "of a request, over all endpoints" },
		{ 0 },
	},
};

int main(int argc, char **argv)
{
	char line[LINE_BYTES];
	struct etcd_settings settings;
	struct etcd_client *client;
	int readable = 0;
	bool open = true;
	ssize_t length;

	if (plugin_describes(argc, argv, &about))
		return EXIT_SUCCESS;
	length = read(STDIN_FILENO, line, sizeof(line));
	if (length <= 0)
		return EXIT_FAILURE;
	etcd_settings_read(line, (size_t)length, &settings);
	client = etcd_client_new(&settings, say_answer);
	if (sodium_init() < 0 || !client) {
		fprintf(stderr, "libsodium or libcurl cannot be used\n");
		return EXIT_FAILURE;
	}
	while (open && readable >= 0) {
		readable = etcd_client_poll(client, STDIN_FILENO);
		if (readable > 0)
			open = read_lines(client, settings.prefix);
	}
	etcd_client_free(client);
	etcd_settings_clear(&settings);
	return readable < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
