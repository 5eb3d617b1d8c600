/*
 * What prober and responder say to each other, in host byte order: both run on one machine.
 */
#pragma once

#include <stdint.h>

#define PROBE_MAGIC 0x70726f62u
#define PROBE_PORT 7777
#define PROBE_NODE_BYTES 16

enum probe_kind {
	PROBE_UNSET = 0,
	PROBE_SERVICE,	/* as any client asks: to the first address, through the neighbor cache */
	PROBE_OWNERS,	/* to everyone on the LAN at once: whoever has the first address answers */
	PROBE_SWEEP,	/* to one of the other addresses; number is which */
};

struct probe {
	uint32_t magic;
	uint32_t kind;
	uint64_t number;
};

struct probe_answer {
	struct probe probe;
	char node[PROBE_NODE_BYTES];	/* with its NUL */
};
