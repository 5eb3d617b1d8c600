#include "rows.h"

#include <assert.h>
#include <string.h>

#include "../sim/random.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);

/* Anywhere between rows, or after the last one. */
static size_t choose_place(const struct rows *rows, struct world_random *random, size_t size)
{
	int64_t count = (int64_t)((size - rows->head_bytes) / rows->row_bytes);

	return rows->head_bytes + (size_t)world_between(random, 0, count) * rows->row_bytes;
}

/* A new row, or a copy of another. */
static size_t insert_row(const struct rows *rows, struct world_random *random, uint8_t *data,
			 size_t size)
{
	size_t at = choose_place(rows, random, size);
	size_t from = choose_place(rows, random, size);
	uint8_t row[ROWS_BYTES_MAX];

	for (size_t i = 0; i < rows->row_bytes; i++)
		row[i] = (uint8_t)world_random(random);
	if (from < size && world_chance(random, 500))
		memcpy(row, data + from, rows->row_bytes);
	memmove(data + at + rows->row_bytes, data + at, size - at);
	memcpy(data + at, row, rows->row_bytes);
	return size + rows->row_bytes;
}

static size_t remove_row(const struct rows *rows, uint8_t *data, size_t size, size_t at)
{
	memmove(data + at, data + at + rows->row_bytes, size - at - rows->row_bytes);
	return size - rows->row_bytes;
}

size_t rows_mutate(const struct rows *rows, uint8_t *data, size_t size, size_t size_max,
		   unsigned seed)
{
	struct world_random random = { .state = seed };
	int64_t choice = world_between(&random, 0, 7);
	size_t at;

	assert(rows->row_bytes <= ROWS_BYTES_MAX);
	if (size < rows->head_bytes)
		return LLVMFuzzerMutate(data, size, size_max);
	size -= (size - rows->head_bytes) % rows->row_bytes;
	at = choose_place(rows, &random, size);
	if (choice == 0) {
		LLVMFuzzerMutate(data, rows->head_bytes, rows->head_bytes);
		return size;
	}
	if (choice <= 3 && size + rows->row_bytes <= size_max)
		return insert_row(rows, &random, data, size);
	if (at == size)
		return size;
	if (choice == 4)
		return remove_row(rows, data, size, at);
	LLVMFuzzerMutate(data + at, rows->row_bytes, rows->row_bytes);
	return size;
}

/* What happens first in the one, and then what happens last in the other. */
size_t rows_cross(const struct rows *rows, const uint8_t *first, size_t first_size,
		  const uint8_t *second, size_t second_size, uint8_t *to, size_t to_size,
		  unsigned seed)
{
	struct world_random random = { .state = seed };
	size_t end, from, count;

	if (first_size < rows->head_bytes || second_size < rows->head_bytes || to_size < first_size)
		return 0;
	end = choose_place(rows, &random, first_size);
	from = choose_place(rows, &random, second_size);
	count = second_size - from;
	if (count > to_size - end)
		count = to_size - end;
	memcpy(to, first, end);
	memcpy(to + end, second + from, count);
	return end + count;
}
