/*
 * Packets by what was not foreseen: in a heartbeat most of 32 bits each stay as they are, and counters
 * and times go on as they did between the two before.
 *
 *	how much longer it is, then again and again: how many words are as foreseen, and by how much
 *	the next one is not; the words as foreseen reach the end in the last place
 */
#include "recorder.h"

#define WORD_BYTES 4

static uint32_t get_word(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static void put_word(uint8_t *bytes, uint32_t word)
{
	for (int i = 0; i < WORD_BYTES; i++)
		bytes[i] = (uint8_t)(word >> (24 - 8 * i));
}

/* What is beyond the end of the shorter one counts as 0, and as steady. */
static void fit(struct flight_packet *last, size_t length)
{
	if (length > last->length) {
		memset(last->bytes + last->length, 0, sizeof(last->bytes) - last->length);
		for (size_t i = last->length / WORD_BYTES; i < FLIGHT_PACKET_WORDS; i++)
			last->steps[i] = 0;
	}
	last->length = length;
}

static uint32_t foreseen(const struct flight_packet *last, size_t word)
{
	return get_word(last->bytes + word * WORD_BYTES) + last->steps[word];
}

static void take_word(struct flight_packet *last, size_t word, uint32_t value)
{
	last->steps[word] = value - get_word(last->bytes + word * WORD_BYTES);
	put_word(last->bytes + word * WORD_BYTES, value);
}

void flight_put_packet(struct flight_writer *writer, struct flight_packet *last,
		       const uint8_t *bytes, size_t length)
{
	size_t count = length / WORD_BYTES, steady = 0;

	flight_put_signed(writer, (int64_t)length - (int64_t)last->length);
	fit(last, length);
	for (size_t word = 0; word < count; word++) {
		uint32_t value = get_word(bytes + word * WORD_BYTES);
		uint32_t surprise = value - foreseen(last, word);

		take_word(last, word, value);
		if (surprise == 0) {
			steady++;
			continue;
		}
		flight_put(writer, steady);
		flight_put_signed(writer, (int32_t)surprise);
		steady = 0;
	}
	flight_put(writer, steady);
}

bool flight_get_packet(struct flight_reader *reader, struct flight_packet *last)
{
	int64_t longer = flight_get_signed(reader);
	size_t count;

	if (longer < -(int64_t)HBD_PACKET_BYTES_MAX || longer > (int64_t)HBD_PACKET_BYTES_MAX)
		return false;

	int64_t length = (int64_t)last->length + longer;

	if (length < 0 || length > HBD_PACKET_BYTES_MAX || length % WORD_BYTES != 0)
		return false;
	fit(last, (size_t)length);
	count = (size_t)length / WORD_BYTES;
	for (size_t word = 0;; word++) {
		uint64_t steady = flight_get(reader);

		if (reader->failed || steady > count - word)
			return false;
		for (; steady > 0; steady--, word++)
			take_word(last, word, foreseen(last, word));
		if (word == count)
			return true;
		take_word(last, word, foreseen(last, word) + (uint32_t)flight_get_signed(reader));
	}
}
