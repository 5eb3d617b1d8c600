#include "file.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "hbdflight "
#define LENGTH_BYTES 4
#define INSTANT_NS_MAX ((int64_t)1 << 61)

static int refuse(char *why, const char *sentence)
{
	snprintf(why, FLIGHT_WHY_BYTES, "%s", sentence);
	return -EBADMSG;
}

/* The length of the line up to its newline; length if there is none. */
static size_t line_length(const uint8_t *bytes, size_t length)
{
	const uint8_t *end = memchr(bytes, '\n', length);

	return end ? (size_t)(end - bytes) : length;
}

static int parse_magic(const uint8_t *bytes, size_t length, size_t *ret_at, char *why)
{
	size_t magic = sizeof(MAGIC) - 1, line = line_length(bytes, length);
	char version[8] = "";

	if (line < magic || memcmp(bytes, MAGIC, magic) != 0)
		return refuse(why, "it is not a recording of hbd");
	if (line == length || line - magic >= sizeof(version))
		return refuse(why, "it is cut off or damaged in its first line");
	memcpy(version, bytes + magic, line - magic);
	if (atoi(version) != FLIGHT_VERSION) {
		snprintf(why, FLIGHT_WHY_BYTES, "it is a recording of version \"%.7s\", and this "
			 "hbd-replay reads version %d only", version, FLIGHT_VERSION);
		return -EBADMSG;
	}
	*ret_at = line + 1;
	return 0;
}

/* ---- facts --------------------------------------------------------------------------------------- */

/* What came over a mail may hold anything: nothing of it shall command a terminal. */
static void take_text(const json_t *value, char text[FLIGHT_TEXT_BYTES])
{
	const char *from = json_string_value(value);

	snprintf(text, FLIGHT_TEXT_BYTES, "%s", from ? from : "?");
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text >= 0x7f)
			*text = '?';
}

static int64_t take_clock(const json_t *value)
{
	json_int_t clock = json_integer_value(value);

	return clock > -INSTANT_NS_MAX && clock < INSTANT_NS_MAX ? clock : 0;
}

static void take_facts(const json_t *head, struct flight_facts *facts)
{
	const json_t *groups = json_object_get(head, "groups");

	take_text(json_object_get(head, "hbd"), facts->version);
	take_text(json_object_get(head, "cluster"), facts->cluster);
	take_text(json_object_get(head, "node"), facts->node);
	take_text(json_object_get(head, "peer"), facts->peer);
	take_text(json_object_get(head, "cause"), facts->cause);
	facts->boot_ns = take_clock(json_object_get(head, "boot_ns"));
	facts->real_ns = take_clock(json_object_get(head, "real_ns"));
	while (facts->group_count < HBD_GROUPS_MAX && facts->group_count < json_array_size(groups)) {
		take_text(json_array_get(groups, facts->group_count),
			  facts->groups[facts->group_count]);
		facts->group_count++;
	}
}

static int parse_head(struct flight_file *file, const char *text, size_t length, char *why)
{
	json_t *head = json_loadb(text, length, 0, NULL);
	int result;

	if (!json_is_object(head)) {
		json_decref(head);
		return refuse(why, "its second line is damaged");
	}
	take_facts(head, &file->facts);
	result = flight_schema_new(head, why, &file->schema);
	json_decref(head);
	return result;
}

/* ---- segments ------------------------------------------------------------------------------------ */

static size_t get_length(const uint8_t *bytes)
{
	return (size_t)bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 |
	       (size_t)bytes[3] << 24;
}

static int parse_segments(struct flight_file *file, const uint8_t *bytes, size_t length, size_t at,
			  size_t *ret_end, char *why)
{
	size_t piece;

	for (;;) {
		if (length - at < LENGTH_BYTES)
			return refuse(why, "it is cut off");
		piece = get_length(bytes + at);
		at += LENGTH_BYTES;
		if (piece == 0)
			break;
		if (piece > length - at)
			return refuse(why, "it is cut off");
		if (file->segment_count == FLIGHT_FILE_SEGMENTS_MAX)
			return refuse(why, "it has more segments than there can be");
		file->segments[file->segment_count++] = (struct flight_piece){ bytes + at, piece };
		at += piece;
	}
	*ret_end = at;
	return 0;
}

static void make_hash(const uint8_t *bytes, size_t length, uint8_t hash[crypto_generichash_BYTES])
{
	crypto_generichash(hash, crypto_generichash_BYTES, bytes, length, NULL, 0);
}

static int check_end(const uint8_t *bytes, size_t length, size_t end, char *why)
{
	uint8_t hash[crypto_generichash_BYTES];

	if (length - end < sizeof(hash))
		return refuse(why, "it is cut off");
	make_hash(bytes, end, hash);
	if (length - end > sizeof(hash) || memcmp(hash, bytes + end, sizeof(hash)) != 0)
		return refuse(why, "it is damaged: its checksum does not fit");
	return 0;
}

void flight_file_seal(uint8_t *bytes, size_t length)
{
	if (length >= crypto_generichash_BYTES)
		make_hash(bytes, length - crypto_generichash_BYTES,
			  bytes + length - crypto_generichash_BYTES);
}

/* The hash is looked at before the head, which is read by a library. */
static int parse(struct flight_file *file, const uint8_t *bytes, size_t length, char *why)
{
	size_t at = 0, line, end = 0;
	int result = parse_magic(bytes, length, &at, why);

	if (result < 0)
		return result;
	line = line_length(bytes + at, length - at);
	if (line == length - at)
		return refuse(why, "it is cut off");
	result = parse_segments(file, bytes, length, at + line + 1, &end, why);
	if (result == 0)
		result = check_end(bytes, length, end, why);
	if (result == 0)
		result = parse_head(file, (const char *)bytes + at, line, why);
	if (result == 0 && file->segment_count == 0)
		result = refuse(why, "there is nothing in it");
	return result;
}

int flight_file_parse(const uint8_t *bytes, size_t length, char why[FLIGHT_WHY_BYTES],
		      struct flight_file **ret_file)
{
	struct flight_file *file = calloc(1, sizeof(*file));
	int result;

	if (!file)
		return -ENOMEM;
	result = parse(file, bytes, length, why);
	if (result < 0)
		flight_file_free(file);
	else
		*ret_file = file;
	return result;
}

void flight_file_free(struct flight_file *file)
{
	if (file)
		flight_schema_free(file->schema);
	free(file);
}
