/*
 * Recordings on a disk.
 *
 *	"hbdflight 1\n"
 *	a line of JSON: who recorded it when and why (struct flight_facts), and schema.h's description
 *	for each segment of the ring, oldest first: its length, 4 bytes, and what is in it
 *	4 bytes 0, and the BLAKE2b hash of all before, 32 bytes
 *
 * Numbers outside of segments are little-endian. The version is raised when that, or the order within
 * records, changes; what is in them may change without (schema.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../core/limits.h"
#include "../core/role.h"
#include "ring.h"
#include "schema.h"

#define FLIGHT_VERSION 1
#define FLIGHT_SUFFIX ".hbdflight"
#define FLIGHT_TEXT_BYTES 64
#define FLIGHT_FILE_BYTES_MAX (64 * 1024 * 1024)
#define FLIGHT_FILE_SEGMENTS_MAX 64

/* For humans, but for the clocks. */
struct flight_facts {
	char version[FLIGHT_TEXT_BYTES];	/* of the program that recorded */
	char cluster[FLIGHT_TEXT_BYTES];
	char node[FLIGHT_TEXT_BYTES];
	char peer[FLIGHT_TEXT_BYTES];
	char cause[FLIGHT_TEXT_BYTES];		/* why it was written */
	int64_t boot_ns, real_ns;		/* two clocks at one instant */
	uint8_t group_count;
	char groups[HBD_GROUPS_MAX][FLIGHT_TEXT_BYTES];
};

/* Writes a recording of what is in the ring to fd. 0 or a negative errno; -ENODATA: nothing is. */
int flight_file_write(int fd, const struct flight_facts *facts, const struct flight_ring *ring);

struct flight_piece {
	const uint8_t *bytes;
	size_t length;
};

struct flight_file {
	struct flight_facts facts;
	struct flight_schema *schema;
	size_t segment_count;
	struct flight_piece segments[FLIGHT_FILE_SEGMENTS_MAX];
};

/*
 * Takes a recording apart; bytes outlive the file. 0, -ENOMEM, or -EBADMSG with a sentence in why:
 * no recording at all, one of another version, cut off, or damaged.
 */
int flight_file_parse(const uint8_t *bytes, size_t length, char why[FLIGHT_WHY_BYTES],
		      struct flight_file **ret_file);
void flight_file_free(struct flight_file *file);

/* Sets the hash at the end of a recording that was changed on purpose, by a test. */
void flight_file_seal(uint8_t *bytes, size_t length);
