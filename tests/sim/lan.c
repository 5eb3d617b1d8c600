#include "world.h"

#include <string.h>

#define TRIP_NS_MIN (50 * HBD_US_NS)	/* there and back */
#define TRIP_NS_MAX (400 * HBD_US_NS)
#define TRIES 3

/* How a client keeps what it knows (net/core/neighbour.c). */
static const struct {
	int64_t reachable_ns;	/* so long an entry is trusted, give or take a half */
	int64_t delay_ns;	/* so long a stale one is used before it is verified */
	int64_t again_ns;	/* between questions */
} times[WORLD_CLIENTS] = {
	{ 30 * HBD_S_NS, 5 * HBD_S_NS, HBD_S_NS },
	{ HBD_S_NS, 100 * HBD_MS_NS, HBD_S_NS },
};

static bool carries(struct world *world, uint8_t machine)
{
	return !world->lan.cut[machine] && !world_chance(&world->random, world->lan.loss_permille);
}

/* The kernel of the machine answers for what its fence lets through. */
static bool gives_answer(struct world *world, uint8_t machine, uint8_t group)
{
	return world_answers(world, machine, group) && carries(world, machine);
}

static void tell_answer(struct world *world, uint8_t machine, uint8_t group, uint8_t station)
{
	int64_t trip_ns = world_between(&world->random, TRIP_NS_MIN, TRIP_NS_MAX);

	job_add(world, (struct world_job){
		.kind = JOB_EVENT,
		.ends_ns = world->now_ns + trip_ns,
		.machine = machine,
		.event = {
			.type = HBD_EVENT_ANSWER,
			.group = group,
			.station = { 2, 0, 0, 0, 0, station },
		},
	});
}

void lan_intrude(struct world *world, uint8_t group)
{
	world->lan.stranger[group] = true;
	for (uint8_t i = 0; i < HBD_NODES; i++)
		if (carries(world, i))
			tell_answer(world, i, group, HBD_NODES);
}

bool lan_reaches_gateway(const struct world *world, uint8_t machine)
{
	const struct world_lan *lan = &world->lan;

	return lan->gateway && !lan->gateway_dead && !lan->cut[machine] && !lan->strayed[machine];
}

static void ask_gateway(struct world *world, uint8_t machine, uint8_t group)
{
	if (!world->machines[machine].config.groups[group].gateway ||
	    !lan_reaches_gateway(world, machine) || !carries(world, machine) ||
	    !carries(world, machine))
		return;
	job_add(world, (struct world_job){
		.kind = JOB_EVENT,
		.ends_ns = world->now_ns + world_between(&world->random, TRIP_NS_MIN, TRIP_NS_MAX),
		.machine = machine,
		.event = { .type = HBD_EVENT_GATEWAY, .group = group },
	});
}

void lan_ask(struct world *world, uint8_t machine, uint8_t group)
{
	uint8_t other = (uint8_t)(1 - machine);

	ask_gateway(world, machine, group);
	if (!carries(world, machine))
		return;
	if (!world->lan.apart && gives_answer(world, other, group))
		tell_answer(world, machine, group, other);
	if (world->lan.stranger[group])
		tell_answer(world, machine, group, HBD_NODES);
}

/* ---- clients ----------------------------------------------------------------------------------- */

static void set_state(struct world *world, uint8_t client, uint8_t group,
		      enum world_neighbor_state state, int64_t after_ns)
{
	struct world_neighbor *neighbor = &world->lan.neighbors[client][group];

	neighbor->state = state;
	job_drop(world, client, JOB_CLIENT, group);
	job_add(world, (struct world_job){
		.kind = JOB_CLIENT,
		.ends_ns = world->now_ns + after_ns,
		.machine = client,
		.group = group,
	});
}

static void trust(struct world *world, uint8_t client, uint8_t group, uint8_t station)
{
	int64_t base_ns = times[client].reachable_ns;
	int64_t span_ns = world_between(&world->random, base_ns / 2, base_ns + base_ns / 2);

	world->lan.neighbors[client][group].station = station;
	set_state(world, client, group, NEIGHBOR_REACHABLE, span_ns);
}

static void look_for(struct world *world, uint8_t client, uint8_t group)
{
	uint8_t found = WORLD_NOBODY;

	world->lan.neighbors[client][group].station = WORLD_NOBODY;
	for (uint8_t i = 0; i < HBD_NODES; i++)
		/* of two that answer the last is remembered, and either may be it */
		if (gives_answer(world, i, group) &&
		    (found == WORLD_NOBODY || world_chance(&world->random, 500)))
			found = i;
	if (world->lan.stranger[group] && world_chance(&world->random, 500))
		found = HBD_NODES;
	if (found == WORLD_NOBODY)
		set_state(world, client, group, NEIGHBOR_INCOMPLETE, times[client].again_ns);
	else
		trust(world, client, group, found);
}

static void verify(struct world *world, uint8_t client, uint8_t group)
{
	struct world_neighbor *neighbor = &world->lan.neighbors[client][group];
	uint8_t station = neighbor->station;
	bool answered = station < HBD_NODES ? gives_answer(world, station, group)
					    : world->lan.stranger[group];

	if (answered)
		trust(world, client, group, station);
	else if (++neighbor->tries < TRIES)
		set_state(world, client, group, NEIGHBOR_PROBE, times[client].again_ns);
	else
		set_state(world, client, group, NEIGHBOR_INCOMPLETE, times[client].again_ns);
}

void lan_client_due(struct world *world, uint8_t client, uint8_t group)
{
	struct world_neighbor *neighbor = &world->lan.neighbors[client][group];

	switch (neighbor->state) {
	case NEIGHBOR_REACHABLE:
		set_state(world, client, group, NEIGHBOR_DELAY, times[client].delay_ns);
		break;
	case NEIGHBOR_DELAY:
		neighbor->tries = 0;
		verify(world, client, group);
		break;
	case NEIGHBOR_PROBE:
		verify(world, client, group);
		break;
	case NEIGHBOR_INCOMPLETE:
		look_for(world, client, group);
		break;
	case NEIGHBOR_NONE:
		break;
	}
}

void lan_announce(struct world *world, uint8_t machine, uint8_t group)
{
	for (uint8_t client = 0; client < WORLD_CLIENTS; client++) {
		struct world_neighbor *neighbor = &world->lan.neighbors[client][group];

		if (neighbor->state == NEIGHBOR_NONE || !carries(world, machine))
			continue;
		neighbor->station = machine;
		set_state(world, client, group, NEIGHBOR_DELAY, times[client].delay_ns);
	}
}

void lan_start(struct world *world)
{
	for (uint8_t client = 0; client < WORLD_CLIENTS; client++)
		for (uint8_t group = 0; group < world->group_count; group++) {
			world->lan.neighbors[client][group].station = WORLD_NOBODY;
			set_state(world, client, group, NEIGHBOR_INCOMPLETE, 0);
		}
}

bool world_reaches(const struct world *world, uint8_t client, uint8_t group)
{
	uint8_t station = world->lan.neighbors[client][group].station;

	return station < HBD_NODES && world_takes(world, station, group) &&
	       !world->lan.cut[station];
}
