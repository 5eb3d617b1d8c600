/*
 * Inputs that are a head and then rows of the same length, mutated and crossed row by row: what
 * libFuzzer does by itself to bytes would shift all rows behind a place.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rows {
	size_t head_bytes;
	size_t row_bytes;	/* at most ROWS_BYTES_MAX */
};

#define ROWS_BYTES_MAX 16

/* Likewise LLVMFuzzerCustomMutator and LLVMFuzzerCustomCrossOver; what libFuzzer calls is these. */
size_t rows_mutate(const struct rows *rows, uint8_t *data, size_t size, size_t size_max,
		   unsigned seed);
size_t rows_cross(const struct rows *rows, const uint8_t *first, size_t first_size,
		  const uint8_t *second, size_t second_size, uint8_t *to, size_t to_size,
		  unsigned seed);

/* For a fuzzer whose inputs are such: names what libFuzzer looks for, which has no header. */
#define ROWS_MUTATOR(head, row)                                                                    \
	size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,                \
				       unsigned seed);                                             \
	size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed) \
	{                                                                                          \
		return rows_mutate(&(struct rows){ head, row }, data, size, size_max, seed);       \
	}                                                                                          \
	size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size,                  \
					 const uint8_t *second, size_t second_size, uint8_t *to,   \
					 size_t to_size, unsigned seed);                           \
	size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size,                  \
					 const uint8_t *second, size_t second_size, uint8_t *to,   \
					 size_t to_size, unsigned seed)                            \
	{                                                                                          \
		return rows_cross(&(struct rows){ head, row }, first, first_size, second,          \
				  second_size, to, to_size, seed);                                 \
	}
