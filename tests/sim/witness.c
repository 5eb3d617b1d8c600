#include "world.h"

static int64_t trip_ns(struct world *world)
{
	int64_t longest_ns = 4 * HBD_MS_NS;

	if (world->witness.slow)
		longest_ns = world_chance(&world->random, 300) ? 3 * HBD_S_NS : 50 * HBD_MS_NS;
	return world_between(&world->random, 200 * HBD_US_NS, longest_ns);
}

static bool is_lost(struct world *world, uint8_t machine)
{
	return world->witness.cut[machine] ||
	       world_chance(&world->random, world->witness.lost_permille);
}

void witness_request(struct world *world, uint8_t machine, const struct hbd_action *action)
{
	struct world_job job = {
		.kind = JOB_REQUEST,
		.ends_ns = world->now_ns + trip_ns(world),
		.machine = machine,
		.group = action->group,
		.life = world->machines[machine].lives,
		.request = *action,
	};

	if (!is_lost(world, machine))
		job_add(world, job);
}

static bool apply(struct world_witness *witness, const struct hbd_action *action)
{
	struct world_register *record = &witness->records[action->group];

	if (action->witness.call != HBD_WITNESS_SWAP ||
	    action->witness.revision != record->revision)
		return false;
	record->revision = ++witness->revision;
	record->record = action->witness.record;
	return true;
}

void witness_arrive(struct world *world, const struct world_job *request)
{
	const struct hbd_action *action = &request->request;
	struct world_witness *witness = &world->witness;
	const struct world_register *record = &witness->records[action->group];
	struct world_job job = {
		.kind = JOB_EVENT,
		.ends_ns = world->now_ns + trip_ns(world),
		.machine = request->machine,
		.life = request->life,
		.event = { .type = HBD_EVENT_WITNESS, .group = action->group },
	};

	job.event.witness.id = action->id;
	if (witness->down) {
		job.event.witness.result = HBD_WITNESS_UNKNOWN;
	} else {
		job.event.witness.result = apply(witness, action) ? HBD_WITNESS_SWAPPED :
								    HBD_WITNESS_SHOWN;
		job.event.witness.revision = record->revision;
		job.event.witness.record = record->record;
	}
	if (!is_lost(world, request->machine))
		job_add(world, job);
}
