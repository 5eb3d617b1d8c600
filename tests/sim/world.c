#include "world_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

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
		config->groups[i].step_count = 2;
		config->groups[i].steps[0] = (struct hbd_step_config){
			HBD_ORDER_BEFORE, HBD_ON_FAILURE_CONTINUE, HBD_S_NS };
		config->groups[i].steps[1] = (struct hbd_step_config){
			HBD_ORDER_AFTER, HBD_ON_FAILURE_ABORT, HBD_S_NS };
	}
}

static void new_machine(struct world *world, uint8_t index)
{
	struct world_machine *machine = &world->machines[index];

	machine->inbox = calloc(WORLD_INBOX_MAX, sizeof(*machine->inbox));
	assert(machine->inbox != NULL);
	machine->life = WORLD_DEAD;
	machine->clock_offset_ns = world_between(&world->random, HBD_S_NS, 1000 * HBD_S_NS);
	machine->clock_ppm = (int32_t)world_between(&world->random, -500, 500);
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
	assert(group_count >= 1 && group_count <= WORLD_GROUPS_MAX);
	world->flights = calloc(WORLD_FLIGHTS_MAX, sizeof(*world->flights));
	assert(world->flights != NULL);
	world->random.state = seed;
	world->profile = profile;
	world->group_count = group_count;
	for (uint8_t i = 0; i < HBD_NODES; i++)
		new_machine(world, i);
	return world;
}

void world_free(struct world *world)
{
	for (uint8_t i = 0; i < HBD_NODES; i++)
		free(world->machines[i].inbox);
	free(world->flights);
	free(world);
}

static int soonest_machine(const struct world *world, int64_t *next_ns)
{
	int found = -1;

	for (uint8_t i = 0; i < HBD_NODES; i++) {
		int64_t at_ns = machine_next_ns(world, i);

		if (at_ns < *next_ns) {
			*next_ns = at_ns;
			found = i;
		}
	}
	return found;
}

static int soonest_job(const struct world *world, int64_t *next_ns)
{
	int found = -1;

	for (size_t i = 0; i < world->job_count; i++)
		if (world->jobs[i].ends_ns < *next_ns) {
			*next_ns = world->jobs[i].ends_ns;
			found = (int)i;
		}
	return found;
}

bool world_advance(struct world *world, int64_t until_ns)
{
	int64_t next_ns = until_ns;
	bool flight = world->flight_count > 0 && world->flights[0].arrives_ns < next_ns;
	struct world_flight arrived;

	if (flight)
		next_ns = world->flights[0].arrives_ns;

	int job = soonest_job(world, &next_ns);
	int machine = soonest_machine(world, &next_ns);

	world->now_ns = hbd_time_max(world->now_ns, next_ns);
	if (machine >= 0 && world->machines[machine].life == WORLD_FROZEN) {
		machine_wake(world, (uint8_t)machine);
	} else if (machine >= 0) {
		machine_tick(world, (uint8_t)machine);
	} else if (job >= 0) {
		machine_end_job(world, (size_t)job);
	} else if (flight) {
		flight_pop(world, &arrived);
		machine_receive(world, &arrived);
	} else {
		return false;
	}
	return true;
}

void world_run(struct world *world, int64_t until_ns)
{
	while (world_advance(world, until_ns))
		;
}
