#include "states.h"

#define STATES 16384

/* a section of this name: what changes in it counts */
static uint8_t states[STATES] __attribute__((section("__libfuzzer_extra_counters")));

uint32_t states_mix(uint32_t hash, unsigned word)
{
	return (hash ^ word) * 16777619u;
}

uint32_t states_mix_group(uint32_t hash, const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	hash = states_mix(hash, (unsigned)group->role);
	hash = states_mix(hash, (unsigned)hbd_node_peer_state(node));
	hash = states_mix(hash, (unsigned)group->handover.state);
	hash = states_mix(hash, hbd_lease_is_promised(&group->lease, node->now_ns));
	hash = states_mix(hash, (unsigned)(group->awaits_vote | group->resigned << 1 |
					   group->rival << 2));
	return states_mix(hash, hbd_node_is_held_back(node, index));
}

void states_note(uint32_t hash)
{
	states[(hash ^ hash >> 14) % STATES] = 1;
}
