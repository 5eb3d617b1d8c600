/*
 * The programs of fence.bpf.c in the kernel, and the memory that is shared with them, for fence*.c
 * alone. Loaded, tried and filled by libbpf; only fence_program.c knows it. A build without it
 * (make FENCE=0) has fence_program_absent.c instead.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "fence.h"
#include "fence_shared.h"
#include "fence_tc.h"

struct fence_program {
	struct fence_bpf *skeleton;
	struct fence_tc_programs attach;
	_Atomic int64_t *deadlines_ns;	   /* FENCE_SLOTS; shared with the kernel */
	const struct fence_counts *counts; /* FENCE_SLOTS of each processor; likewise */
	unsigned processors;
};

/* As fence_open(). */
int fence_program_open(size_t addresses, struct fence_program *ret_program,
		       struct fence_refusal *ret_refusal);
/* Accepts a zeroed one. What is attached stays, and keeps what it needs. */
void fence_program_close(struct fence_program *program);

/* The address belongs to group from now on. 0, or a negative errno; -ENOSPC, no room. */
int fence_program_set(struct fence_program *program, const struct hbd_address *address,
		      uint8_t group);
/* And to none from now on. */
void fence_program_unset(struct fence_program *program, const struct hbd_address *address);

/* How many programs see a frame before every program on a tc hook does (tcx, since Linux 6.6). */
unsigned fence_program_count_before(int ifindex, enum fence_side side);
