/* The only source of chance: splitmix64, the same everywhere. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct world_random {
	uint64_t state;
};

uint64_t world_random(struct world_random *random);
/* Uniform in [low, high]. */
int64_t world_between(struct world_random *random, int64_t low, int64_t high);
/* True with a chance of permille / 1000. Nothing is drawn for 0. */
bool world_chance(struct world_random *random, int permille);
