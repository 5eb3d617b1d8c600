/*
 * What the program in the kernel (fence.bpf.c) and the process that loads it agree on. Of the
 * kernel's types only, because both include it.
 */
#pragma once

#include <linux/types.h>

#define FENCE_GROUPS 32 /* HBD_GROUPS_MAX */

/* Deadlines: one for each group, CLOCK_BOOTTIME in ns, 0 = closed; and one that only the test at
 * start uses. First those of who speaks for an address and hears who asks for it, ARP and neighbor
 * discovery; behind them those of the packets to and from it. */
#define FENCE_TEST_GROUP FENCE_GROUPS
#define FENCE_SLOTS (FENCE_GROUPS + 1)
#define FENCE_PACKETS FENCE_SLOTS
#define FENCE_DEADLINES (2 * FENCE_SLOTS)

/* Where a program is attached, as seen by the interface. */
enum fence_side {
	FENCE_IN = 0,
	FENCE_OUT,
	FENCE_SIDES,
};

/* Frames that concerned an address of a group, since the fence was opened. */
struct fence_counts {
	__u64 passed[FENCE_SIDES];
	__u64 dropped[FENCE_SIDES];
};

/* An address of either family is a key, its group the value. */
struct fence_key4 {
	__u8 bytes[4];
} __attribute__((aligned(4)));

struct fence_key6 {
	__u8 bytes[16];
} __attribute__((aligned(8)));
