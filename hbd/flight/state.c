#include "state.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/time.h"
#include "sound.h"
#include "tables.h"

#define HASH_BYTES crypto_generichash_BYTES
#define NUMBER_MAX (UINT64_MAX / 4)	/* of counters, so that they can be advanced */

static void make_hash(const uint8_t *bytes, size_t length, uint8_t hash[HASH_BYTES])
{
	crypto_generichash(hash, HASH_BYTES, bytes, length, NULL, 0);
}

void flight_state_seal(uint8_t *bytes, size_t length)
{
	if (length >= HASH_BYTES)
		make_hash(bytes, length - HASH_BYTES, bytes + length - HASH_BYTES);
}

/* ---- what has no row in the tables --------------------------------------------------------------- */

static void put_channel(struct flight_writer *writer, const struct hbd_channel *channel)
{
	flight_put_bytes(writer, channel->tx.bytes, sizeof(channel->tx.bytes));
	flight_put_bytes(writer, channel->rx.bytes, sizeof(channel->rx.bytes));
	for (int i = 0; i < HBD_LINKS_MAX; i++) {
		flight_put(writer, channel->rx_window[i].newest);
		flight_put(writer, channel->rx_window[i].seen);
	}
}

static void put_secrets(struct flight_writer *writer, const struct hbd_session *session)
{
	put_channel(writer, &session->running);
	put_channel(writer, &session->previous);
	flight_put_bytes(writer, session->proven_nonce, sizeof(session->proven_nonce));
	flight_put(writer, session->offer_count);
	flight_put_bytes(writer, session->offers, sizeof(session->offers));
}

static void get_bytes(struct flight_reader *reader, void *to, size_t count)
{
	const uint8_t *from = flight_get_bytes(reader, count);

	if (from)
		memcpy(to, from, count);
}

static void get_channel(struct flight_reader *reader, struct hbd_channel *channel)
{
	get_bytes(reader, channel->tx.bytes, sizeof(channel->tx.bytes));
	get_bytes(reader, channel->rx.bytes, sizeof(channel->rx.bytes));
	for (int i = 0; i < HBD_LINKS_MAX; i++) {
		channel->rx_window[i].newest = flight_get(reader);
		channel->rx_window[i].seen = flight_get(reader);
	}
}

static void get_secrets(struct flight_reader *reader, struct hbd_session *session)
{
	get_channel(reader, &session->running);
	get_channel(reader, &session->previous);
	get_bytes(reader, session->proven_nonce, sizeof(session->proven_nonce));
	session->offer_count = (uint8_t)flight_get(reader);
	get_bytes(reader, session->offers, sizeof(session->offers));
}

/* ---- writing ------------------------------------------------------------------------------------- */

static char *make_head(const char *origin)
{
	json_t *head = json_pack("{s:s}", "origin", origin);
	char *text = NULL;

	if (head && flight_schema_describe(head) == 0)
		text = json_dumps(head, JSON_COMPACT);
	json_decref(head);
	return text;
}

static void put_state(struct flight_writer *writer, const char *head, const struct hbd_node *node)
{
	uint8_t hash[HASH_BYTES];
	char line[32];
	int length = snprintf(line, sizeof(line), "hbdstate %d\n", FLIGHT_STATE_VERSION);

	flight_put_bytes(writer, line, (size_t)length);
	flight_put_bytes(writer, head, strlen(head));
	flight_put_bytes(writer, "\n", 1);
	flight_put_signed(writer, node->now_ns);
	flight_put_struct(writer, &flight_config_type, node->config, node->now_ns);
	flight_put_struct(writer, &flight_node_type, node, node->now_ns);
	put_secrets(writer, &node->session);
	make_hash(writer->bytes, writer->length, hash);
	flight_put_bytes(writer, hash, sizeof(hash));
}

int flight_state_write(const char *origin, const struct hbd_node *node, uint8_t **ret_bytes,
		       size_t *ret_length)
{
	struct flight_writer writer = { .room = FLIGHT_STATE_BYTES_MAX };
	char *head = make_head(origin);
	int result = 0;

	writer.bytes = malloc(writer.room);
	if (!head || !writer.bytes)
		result = -ENOMEM;
	if (result == 0)
		put_state(&writer, head, node);
	if (result == 0 && writer.failed)
		result = -ENOBUFS;
	free(head);
	if (result < 0) {
		if (writer.bytes)
			sodium_memzero(writer.bytes, writer.length);
		free(writer.bytes);
		return result;
	}
	*ret_bytes = writer.bytes;
	*ret_length = writer.length;
	return 0;
}

/* ---- reading ------------------------------------------------------------------------------------- */

static int refuse(char *why, const char *sentence)
{
	snprintf(why, FLIGHT_WHY_BYTES, "%s", sentence);
	return -EBADMSG;
}

/* The line that begins at *at, without its newline; NULL if it has no end. */
static const char *take_line(const uint8_t *bytes, size_t length, size_t *at, size_t *ret_length)
{
	const uint8_t *begin = bytes + *at;
	const uint8_t *end = memchr(begin, '\n', length - *at);

	if (!end)
		return NULL;
	*ret_length = (size_t)(end - begin);
	*at += *ret_length + 1;
	return (const char *)begin;
}

static int check_magic(const char *line, size_t length, char *why)
{
	char expected[32];
	int count = snprintf(expected, sizeof(expected), "hbdstate %d", FLIGHT_STATE_VERSION);

	if (!line || length < 9 || memcmp(line, "hbdstate ", 9) != 0)
		return refuse(why, "it is not the state of an hbd");
	if (length != (size_t)count || memcmp(line, expected, length) != 0)
		return refuse(why, "it is of a version that this program does not read");
	return 0;
}

/* The hash is looked at before the head, which is read by a library. */
static int check_hash(const uint8_t *bytes, size_t length, char *why)
{
	uint8_t hash[HASH_BYTES];

	if (length < HASH_BYTES)
		return refuse(why, "it is cut off");
	make_hash(bytes, length - HASH_BYTES, hash);
	if (memcmp(hash, bytes + length - HASH_BYTES, HASH_BYTES) != 0)
		return refuse(why, "it is damaged: its checksum does not fit");
	return 0;
}

static int read_head(const char *text, size_t length, const char *origin,
		     struct flight_schema **ret_schema, char *why)
{
	json_t *head = text ? json_loadb(text, length, 0, NULL) : NULL;
	const char *from = json_string_value(json_object_get(head, "origin"));
	int result;

	if (!from)
		result = refuse(why, "its second line is damaged");
	else if (strcmp(from, origin) != 0)
		result = refuse(why, "it is of another node, another place or before the last boot");
	else
		result = flight_schema_new(head, why, ret_schema);
	json_decref(head);
	return result;
}

static bool counters_are_sound(const struct hbd_node *node)
{
	const struct hbd_channel *running = &node->session.running;
	bool sound = node->hb_seq == node->sent.newest && node->hb_seq < NUMBER_MAX &&
		     node->jitter != 0 && node->next_id < NUMBER_MAX &&
		     node->session.attempts < NUMBER_MAX &&
		     node->session.established < NUMBER_MAX &&
		     (!running->open || (running->peer_session != 0 && running->key_id != 0));

	for (int i = 0; i < HBD_LINKS_MAX && sound; i++)
		sound = running->tx_seq[i] < NUMBER_MAX;
	for (int i = 0; i < HBD_GROUPS_MAX && sound; i++)
		sound = node->groups[i].epoch < NUMBER_MAX &&
			node->groups[i].epoch_seen < NUMBER_MAX &&
			node->groups[i].witness.count < NUMBER_MAX;
	return sound;
}

/* What is in no table is as in a node that has just been made. */
static int read_body(const struct flight_schema *schema, struct flight_reader *reader,
		     struct flight_state *state, char *why)
{
	const struct flight_file_type *config = flight_schema_find(schema, "", &flight_config_type);
	const struct flight_file_type *node = flight_schema_find(schema, "", &flight_node_type);
	int64_t now_ns = flight_get_signed(reader);

	memset(state, 0, sizeof(*state));
	if (!config || !node || reader->failed || now_ns < 0 || now_ns > HBD_NEVER_NS / 16)
		return refuse(why, "it lacks the configuration, the node or their instant");
	if (!flight_get_struct(schema, reader, config, &state->config, now_ns, why))
		return -EBADMSG;
	if (!flight_config_is_sound(&state->config))
		return refuse(why, "its configuration cannot be");
	hbd_node_init(&state->node, &state->config, now_ns);
	if (!flight_get_struct(schema, reader, node, &state->node, now_ns, why))
		return -EBADMSG;
	get_secrets(reader, &state->node.session);
	if (reader->failed || reader->at != reader->length)
		return refuse(why, "its end is not where it should be");
	flight_node_wire(&state->node, &state->config);
	if (state->node.now_ns != now_ns || !counters_are_sound(&state->node) ||
	    !flight_node_is_sound(&state->node, &state->config))
		return refuse(why, "the state of its node cannot be");
	return 0;
}

/* What points into the state that it was copied from. */
static void point_here(struct flight_state *state)
{
	struct hbd_node *node = &state->node;

	node->config = &state->config;
	node->detector.profile = &state->config.profile;
	node->session.keys = state->config.keys;
	node->session.seed = state->config.seed;
	flight_node_wire(node, &state->config);
}

int flight_state_read(const uint8_t *bytes, size_t length, const char *origin,
		      struct flight_state *ret_state, char why[FLIGHT_WHY_BYTES])
{
	struct flight_state *state = calloc(1, sizeof(*state));
	struct flight_schema *schema = NULL;
	struct flight_reader reader = { .bytes = bytes };
	size_t line_bytes = 0;
	const char *line = take_line(bytes, length, &reader.at, &line_bytes);
	int result = state ? check_magic(line, line_bytes, why) : -ENOMEM;

	if (result == 0)
		result = check_hash(bytes, length, why);
	if (result == 0) {
		reader.length = length - HASH_BYTES;
		line = take_line(bytes, reader.length, &reader.at, &line_bytes);
		result = read_head(line, line_bytes, origin, &schema, why);
	}
	if (result == 0)
		result = read_body(schema, &reader, state, why);
	if (result == 0) {
		*ret_state = *state;
		point_here(ret_state);
	}
	flight_schema_free(schema);
	if (state)
		sodium_memzero(state, sizeof(*state));
	free(state);
	return result;
}
