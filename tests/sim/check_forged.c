/* S4: what is forged, mangled or sent again changes no role, no timer, no address and no session. */
#include "checker.h"

static uint64_t stir(uint64_t hash, uint64_t what)
{
	return (hash ^ what) * UINT64_C(0x100000001b3);
}

static uint64_t group_state(const struct hbd_group *group)
{
	uint64_t hash = (uint64_t)group->role;

	hash = stir(hash, group->epoch);
	hash = stir(hash, group->epoch_seen);
	hash = stir(hash, group->lease.held);
	hash = stir(hash, (uint64_t)group->lease.held_until_ns);
	hash = stir(hash, (uint64_t)group->lease.promised_until_ns);
	hash = stir(hash, (uint64_t)group->hold_until_ns);
	hash = stir(hash, (uint64_t)group->peer.role);
	hash = stir(hash, group->peer.epoch);
	return stir(hash, group->peer.flags);
}

static uint64_t node_state(const struct world *world, uint8_t machine)
{
	const struct hbd_node *node = &world->machines[machine].node;
	uint64_t hash = node->peer_hb_seq;

	hash = stir(hash, node->peer_acked);
	hash = stir(hash, node->heard);
	hash = stir(hash, node->stopped);
	hash = stir(hash, (uint64_t)node->detector.last_rx_ns);
	hash = stir(hash, node->detector.gone);
	hash = stir(hash, node->session.running.peer_session);
	for (uint8_t i = 0; i < world->group_count; i++) {
		hash = stir(hash, group_state(&node->groups[i]));
		hash = stir(hash, (uint64_t)world->machines[machine].kernel[i].until_ns);
	}
	return hash;
}

void check_forged(struct checker *checker, const struct world *world,
		  const struct world_flight *flight, bool taken)
{
	uint64_t state = node_state(world, flight->to);

	if (!taken)
		checker->before_forged = state;
	else if (checker->before_forged != state)
		check_violated(checker, world, CHECK_S4, 0, "a forged packet changed something");
}
