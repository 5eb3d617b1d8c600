/*
 * A cursor over bytes: the only place where the wire's bytes are touched. Big-endian.
 *
 * Reading past the end sets failed and yields zeros from then on, so that a decoder checks once at
 * the end. Writing never checks: encoders know their length and the buffer's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wire_writer {
	uint8_t *bytes;
	size_t length;		/* written so far */
};

struct wire_reader {
	const uint8_t *bytes;
	size_t length;
	size_t at;
	bool failed;
};

static inline void wire_put_bytes(struct wire_writer *writer, const void *bytes, size_t count)
{
	memcpy(writer->bytes + writer->length, bytes, count);
	writer->length += count;
}

static inline void wire_put_number(struct wire_writer *writer, uint64_t number, size_t count)
{
	for (size_t i = 0; i < count; i++)
		writer->bytes[writer->length++] = (uint8_t)(number >> (8 * (count - 1 - i)));
}

static inline void wire_put_u8(struct wire_writer *writer, uint8_t number)
{
	wire_put_number(writer, number, 1);
}

static inline void wire_put_u16(struct wire_writer *writer, uint16_t number)
{
	wire_put_number(writer, number, 2);
}

static inline void wire_put_u32(struct wire_writer *writer, uint32_t number)
{
	wire_put_number(writer, number, 4);
}

static inline void wire_put_u64(struct wire_writer *writer, uint64_t number)
{
	wire_put_number(writer, number, 8);
}

static inline void wire_skip(struct wire_reader *reader, size_t count)
{
	if (count > reader->length - reader->at) {
		reader->failed = true;
		reader->at = reader->length;
		return;
	}
	reader->at += count;
}

static inline void wire_get_bytes(struct wire_reader *reader, void *ret, size_t count)
{
	const uint8_t *from = reader->bytes + reader->at;

	wire_skip(reader, count);
	if (reader->failed)
		memset(ret, 0, count);
	else
		memcpy(ret, from, count);
}

static inline uint64_t wire_get_number(struct wire_reader *reader, size_t count)
{
	uint8_t bytes[8];
	uint64_t number = 0;

	wire_get_bytes(reader, bytes, count);
	for (size_t i = 0; i < count; i++)
		number = number << 8 | bytes[i];
	return number;
}

static inline uint8_t wire_get_u8(struct wire_reader *reader)
{
	return (uint8_t)wire_get_number(reader, 1);
}

static inline uint16_t wire_get_u16(struct wire_reader *reader)
{
	return (uint16_t)wire_get_number(reader, 2);
}

static inline uint32_t wire_get_u32(struct wire_reader *reader)
{
	return (uint32_t)wire_get_number(reader, 4);
}

static inline uint64_t wire_get_u64(struct wire_reader *reader)
{
	return wire_get_number(reader, 8);
}

/* All of it was read and nothing more was asked for. */
static inline bool wire_is_at_end(const struct wire_reader *reader)
{
	return !reader->failed && reader->at == reader->length;
}
