/*
 * Stalls of single processors, and from them stalls of the whole machine: the times when every
 * processor stood still at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STALLS_PROCESSORS_MAX 256

struct stalls_span {
	int64_t begin_ns;
	int64_t end_ns;
};

struct stalls {
	size_t processors;	/* set before the first stall */
	size_t count;
	int64_t longest_ns;
	size_t machine_count;
	int64_t machine_longest_ns;
	struct stalls_span latest[STALLS_PROCESSORS_MAX];
};

/* Notes a stall of processor 0..processors-1. True: the whole machine stalled with it, for
 * *ret_machine, in which each processor's latest stall overlaps. */
bool stalls_add(struct stalls *stalls, size_t processor, struct stalls_span stall,
		struct stalls_span *ret_machine);
