#include "world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tag.h"

#define PPM_MAX (1000000 / HBD_RHO_INVERSE)

static void fill_config(const struct world *world, uint8_t machine,
			struct hbd_node_config *config)
{
	memset(config, 0, sizeof(*config));
	config->self = machine;
	config->cluster_id = hbd_cluster_id("simulated");
	config->config_digest = 42;
	config->profile = hbd_profile_get(world->profile);
	config->link_count = WORLD_LINKS;
	config->group_count = world->group_count;
	config->key_count = 1;
	config->fence = HBD_FENCE_KERNEL;
	config->keys[0].id = 1;
	memset(config->keys[0].bytes, 0x5a, sizeof(config->keys[0].bytes));
	for (uint8_t i = 0; i < world->group_count; i++) {
		config->groups[i].id = 100u + i;
		config->groups[i].prefer = i % HBD_NODES;
		config->groups[i].retry_ns = 10 * HBD_S_NS;
		config->groups[i].drain_ns = HBD_S_NS;
		config->groups[i].failback_ns = i == 1 ? 5 * HBD_S_NS : 0;
		config->groups[i].step_count = 2;
		config->groups[i].steps[0] = (struct hbd_step_config){
			HBD_ORDER_BEFORE, HBD_ON_FAILURE_CONTINUE, HBD_S_NS, true };
		config->groups[i].steps[1] = (struct hbd_step_config){
			HBD_ORDER_AFTER, HBD_ON_FAILURE_ABORT, HBD_S_NS, false };
	}
}

static void new_machine(struct world *world, uint8_t index)
{
	struct world_machine *machine = &world->machines[index];

	machine->inbox = calloc(WORLD_INBOX_MAX, sizeof(*machine->inbox));
	assert(machine->inbox != NULL);
	machine->life = WORLD_DEAD;
	machine->guardian.life = WORLD_DEAD;
	machine->deadline_ns = HBD_NEVER_NS;
	machine->clock.ppm = (int32_t)world_between(&world->random, -PPM_MAX, PPM_MAX);
	fill_config(world, index, &machine->config);
	for (uint8_t link = 0; link < WORLD_LINKS; link++)
		world->paths[index][link] = (struct world_path){
			.delay_ns = 100 * HBD_US_NS,
			.jitter_ns = 50 * HBD_US_NS,
		};
}

struct world *world_new(uint64_t seed, enum hbd_profile_name profile, uint8_t group_count)
{
	struct world *world = calloc(1, sizeof(*world));

	assert(world != NULL);
	assert(tag_is_quick());
	assert(group_count >= 1 && group_count <= WORLD_GROUPS_MAX);
	flights_init(&world->flights);
	world->jobs.next_ns = HBD_NEVER_NS;
	world->random.state = seed;
	world->profile = profile;
	world->group_count = group_count;
	for (uint8_t i = 0; i < HBD_NODES; i++)
		new_machine(world, i);
	lan_start(world);
	return world;
}

void world_free(struct world *world)
{
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		free(world->machines[i].inbox);
		free(world->machines[i].state);
	}
	flights_free(&world->flights);
	free(world);
}

bool world_advance(struct world *world, int64_t until_ns)
{
	int64_t machine_ns[HBD_NODES] = {
		machine_next_ns(&world->machines[0]),
		machine_next_ns(&world->machines[1]),
	};
	uint8_t first = machine_ns[1] < machine_ns[0];
	int64_t flight_ns = flights_next_ns(&world->flights);
	int64_t next_ns = hbd_time_min(hbd_time_min(machine_ns[first], flight_ns),
				       world->jobs.next_ns);

	if (next_ns >= until_ns) {
		world->now_ns = hbd_time_max(world->now_ns, until_ns);
		return false;
	}
	world->now_ns = hbd_time_max(world->now_ns, next_ns);
	if (next_ns == machine_ns[first])
		machine_continue(world, first);
	else if (next_ns == world->jobs.next_ns)
		job_finish(world);
	else
		flight_arrive(world);
	return true;
}

void world_run(struct world *world, int64_t until_ns)
{
	while (world_advance(world, until_ns))
		;
}
