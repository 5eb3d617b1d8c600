/*
 * Numbers in recordings: seven bits a byte, the lowest first, so that small ones are short.
 *
 * A writer that is full, and a reader that is at its end, say so once (failed) and do no harm.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FLIGHT_NUMBER_BYTES_MAX 10

struct flight_writer {
	uint8_t *bytes;
	size_t room;
	size_t length;		/* written so far */
	bool failed;
};

struct flight_reader {
	const uint8_t *bytes;
	size_t length;
	size_t at;
	bool failed;
};

static inline void flight_put_bytes(struct flight_writer *writer, const void *bytes, size_t count)
{
	if (writer->failed || count > writer->room - writer->length) {
		writer->failed = true;
		return;
	}
	memcpy(writer->bytes + writer->length, bytes, count);
	writer->length += count;
}

static inline void flight_put(struct flight_writer *writer, uint64_t number)
{
	uint8_t bytes[FLIGHT_NUMBER_BYTES_MAX];
	size_t count = 0;

	for (; number >= 0x80; number >>= 7)
		bytes[count++] = (uint8_t)(number | 0x80);
	bytes[count++] = (uint8_t)number;
	flight_put_bytes(writer, bytes, count);
}

/* Small negative numbers are short too. */
static inline void flight_put_signed(struct flight_writer *writer, int64_t number)
{
	flight_put(writer, (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0));
}

static inline const uint8_t *flight_get_bytes(struct flight_reader *reader, size_t count)
{
	const uint8_t *bytes = reader->bytes + reader->at;

	if (reader->failed || count > reader->length - reader->at) {
		reader->failed = true;
		return NULL;
	}
	reader->at += count;
	return bytes;
}

static inline uint64_t flight_get(struct flight_reader *reader)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		const uint8_t *byte = flight_get_bytes(reader, 1);

		if (!byte)
			return 0;
		/* the tenth byte has room for one bit */
		if (shift == 63 && *byte > 1)
			break;
		number |= (uint64_t)(*byte & 0x7f) << shift;
		if (!(*byte & 0x80))
			return number;
	}
	reader->failed = true;
	return 0;
}

static inline int64_t flight_get_signed(struct flight_reader *reader)
{
	uint64_t number = flight_get(reader);

	return (int64_t)(number >> 1 ^ (number & 1 ? UINT64_MAX : 0));
}
