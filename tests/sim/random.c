#include "random.h"

#include <assert.h>

/* splitmix64 (Steele, Lea, Flood 2014) */
uint64_t world_random(struct world_random *random)
{
	uint64_t z = (random->state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

int64_t world_between(struct world_random *random, int64_t low, int64_t high)
{
	assert(low <= high);
	return low + (int64_t)(world_random(random) % (uint64_t)(high - low + 1));
}

bool world_chance(struct world_random *random, int permille)
{
	return permille > 0 && world_between(random, 0, 999) < permille;
}
