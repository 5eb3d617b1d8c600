#include "named.h"

#include <stddef.h>

/* clang-format off: one fault a line: kind, begin, end, node, link, group */
#define ROW(kind, begin, end, machine, link, group) \
	{ FAULT_##kind, 0, begin, end, machine, link, group, false, false }
#define NAMED(name, bug, seed, profile, ...) { name, bug, seed, profile, \
	(const struct fault[]){ __VA_ARGS__ }, \
	sizeof((const struct fault[]){ __VA_ARGS__ }) / sizeof(struct fault) }

static const struct named table[] = {
	NAMED("goodbye-renumbers", "an owner took the higher epoch that a leaving peer had reserved",
	      485, HBD_PROFILE_WAN,
		ROW(KILL, 6580126589, 6580127148, 1, 1, 1),
		ROW(KILL, 6837871887, 6837887968, 1, 1, 1),
		ROW(PLUGINS, 3352302612, 10833555864, 0, 0, 1)
	),
	NAMED("answer-not-read", "a standby that did not run while it asked claimed without the answer",
	      8419, HBD_PROFILE_LAN,
		ROW(HICCUPS, 30766447529, 31080879573, 0, 1, 1),
		ROW(ADDED, 23526844282, 23526844725, 0, 1, 1),
		ROW(SLOW, 1850034299, 8933393808, 1, 1, 1),
		ROW(HICCUPS, 40069352698, 58281647728, 0, 0, 1),
		ROW(SLOW, 36013878863, 40136463979, 1, 1, 1),
		ROW(APART, 37637426559, 38170385862, 1, 1, 0),
		ROW(HICCUPS, 10428374011, 12833613426, 0, 0, 0),
		ROW(APART, 18242149833, 18515868068, 0, 1, 0),
		ROW(HICCUPS, 23832330561, 23847649585, 0, 0, 0),
		ROW(HICCUPS, 14895929857, 14934281106, 1, 1, 0),
		ROW(APART, 50957517571, 61582200528, 1, 1, 1),
		ROW(APART, 37827470007, 37834892696, 0, 1, 0)
	),
};
/* clang-format on */

const struct named *named_get(size_t index)
{
	return index < sizeof(table) / sizeof(table[0]) ? &table[index] : NULL;
}

struct run_plan named_plan(const struct named *named)
{
	return (struct run_plan){
		.seed = named->seed,
		.profile = named->profile,
		.given = named->faults,
		.given_count = named->count,
	};
}
