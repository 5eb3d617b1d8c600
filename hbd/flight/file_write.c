#include "file.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A file under way. */
struct output {
	int fd;
	int result;
	crypto_generichash_state hash;
};

static void put(struct output *output, const void *bytes, size_t length)
{
	const char *at = bytes;

	crypto_generichash_update(&output->hash, bytes, length);
	while (length > 0 && output->result == 0) {
		ssize_t n = write(output->fd, at, length);

		if (n < 0 && errno != EINTR)
			output->result = -errno;
		if (n > 0) {
			at += n;
			length -= (size_t)n;
		}
	}
}

static void put_length(struct output *output, size_t length)
{
	const uint8_t bytes[4] = { (uint8_t)length, (uint8_t)(length >> 8), (uint8_t)(length >> 16),
				   (uint8_t)(length >> 24) };

	put(output, bytes, sizeof(bytes));
}

static json_t *make_groups(const struct flight_facts *facts)
{
	json_t *groups = json_array();

	for (uint8_t i = 0; groups && i < facts->group_count; i++)
		json_array_append_new(groups, json_string(facts->groups[i]));
	return groups;
}

static char *make_head(const struct flight_facts *facts)
{
	json_t *head = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o}", "hbd", facts->version,
				 "cluster", facts->cluster, "node", facts->node, "peer",
				 facts->peer, "cause", facts->cause, "boot_ns",
				 (json_int_t)facts->boot_ns, "real_ns", (json_int_t)facts->real_ns,
				 "groups", make_groups(facts));
	char *text = NULL;

	if (head && flight_schema_describe(head) == 0)
		text = json_dumps(head, JSON_COMPACT);
	json_decref(head);
	return text;
}

static size_t put_segments(struct output *output, const struct flight_ring *ring, uint8_t *bytes)
{
	size_t length, count = 0;
	uint64_t number = 0;

	while ((number = flight_ring_copy(ring, number, bytes, &length)) != 0) {
		put_length(output, length);
		put(output, bytes, length);
		count++;
	}
	return count;
}

static void put_end(struct output *output)
{
	uint8_t hash[crypto_generichash_BYTES];

	put_length(output, 0);
	crypto_generichash_final(&output->hash, hash, sizeof(hash));
	put(output, hash, sizeof(hash));
}

int flight_file_write(int fd, const struct flight_facts *facts, const struct flight_ring *ring)
{
	struct output output = { .fd = fd };
	uint8_t *bytes = malloc(FLIGHT_SEGMENT_BYTES);
	char *head = make_head(facts), line[32];
	size_t count = 0;

	if (!bytes || !head) {
		output.result = -ENOMEM;
		goto out;
	}
	crypto_generichash_init(&output.hash, NULL, 0, crypto_generichash_BYTES);
	put(&output, line, (size_t)snprintf(line, sizeof(line), "hbdflight %d\n", FLIGHT_VERSION));
	put(&output, head, strlen(head));
	put(&output, "\n", 1);
	count = put_segments(&output, ring, bytes);
	put_end(&output);
	if (output.result == 0 && count == 0)
		output.result = -ENODATA;

out:
	free(head);
	free(bytes);
	return output.result;
}
