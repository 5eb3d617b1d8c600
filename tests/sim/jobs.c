#include "world.h"

#include <assert.h>

enum owner {
	OWNER_ENGINE,
	OWNER_GUARDIAN,
	OWNER_MACHINE,
	OWNER_NOBODY,
};

static enum owner owner_of(enum world_job_kind kind)
{
	switch (kind) {
	case JOB_EVENT:
	case JOB_HANDS:
	case JOB_ANNOUNCE:
		return OWNER_ENGINE;
	case JOB_LOOK:
	case JOB_BURY:
	case JOB_WILL:
	case JOB_ENGINE:
		return OWNER_GUARDIAN;
	case JOB_UNIT:
		return OWNER_MACHINE;
	case JOB_REQUEST:
	case JOB_CLIENT:
		return OWNER_NOBODY;
	case JOB_UNSET:
		break;
	}
	assert(!"a job has a kind");
	return OWNER_NOBODY;
}

static uint64_t life_of(const struct world *world, const struct world_job *job)
{
	switch (owner_of(job->kind)) {
	case OWNER_ENGINE:
		return world->machines[job->machine].lives;
	case OWNER_GUARDIAN:
		return world->machines[job->machine].guardian.lives;
	case OWNER_MACHINE:
	case OWNER_NOBODY:
		break;
	}
	return 0;
}

void job_add(struct world *world, struct world_job job)
{
	struct world_jobs *jobs = &world->jobs;

	assert(jobs->count < WORLD_JOBS_MAX);
	if (job.life == 0)
		job.life = life_of(world, &job);
	jobs->next_ns = hbd_time_min(jobs->next_ns, job.ends_ns);
	jobs->items[jobs->count++] = job;
}

static void find_next(struct world_jobs *jobs)
{
	jobs->next_ns = HBD_NEVER_NS;
	for (size_t i = 0; i < jobs->count; i++)
		jobs->next_ns = hbd_time_min(jobs->next_ns, jobs->items[i].ends_ns);
}

void job_drop(struct world *world, uint8_t machine, enum world_job_kind kind, uint8_t group)
{
	struct world_jobs *jobs = &world->jobs;
	size_t kept = 0;

	for (size_t i = 0; i < jobs->count; i++) {
		const struct world_job *job = &jobs->items[i];

		if (job->machine != machine || job->kind != kind || job->group != group)
			jobs->items[kept++] = *job;
	}
	jobs->count = kept;
	find_next(jobs);
}

/* When the process runs again; HBD_NEVER_NS if it is gone, 0 if it runs. */
static int64_t runs_again_ns(const struct world *world, const struct world_job *job)
{
	const struct world_machine *m = &world->machines[job->machine];
	enum owner owner = owner_of(job->kind);
	bool guardian = owner == OWNER_GUARDIAN;
	enum world_life life = guardian ? m->guardian.life : m->life;

	if (owner == OWNER_NOBODY)
		return 0;
	if (m->power == WORLD_OFF || life_of(world, job) != job->life)
		return HBD_NEVER_NS;
	if (m->power == WORLD_ASLEEP)
		return m->resumes_ns + 1;
	if (owner == OWNER_MACHINE)
		return 0;
	if (life == WORLD_DEAD)
		return HBD_NEVER_NS;
	if (life == WORLD_FROZEN)
		return (guardian ? m->guardian.wakes_ns : m->wakes_ns) + 1;
	return 0;
}

static void carry_out(struct world *world, const struct world_job *job)
{
	switch (job->kind) {
	case JOB_EVENT:
		world_event(world, job->machine, job->event);
		break;
	case JOB_HANDS:
		kernel_finish(world, job->machine);
		break;
	case JOB_ANNOUNCE:
		kernel_announce_round(world, job->machine, job->group, job->round);
		break;
	case JOB_LOOK:
		guardian_look(world, job->machine);
		break;
	case JOB_BURY:
		guardian_bury(world, job->machine);
		break;
	case JOB_WILL:
		guardian_send_will(world, job->machine, job->round);
		break;
	case JOB_ENGINE:
		guardian_start_engine(world, job->machine, job->round);
		break;
	case JOB_UNIT:
		guardian_start(world, job->machine);
		break;
	case JOB_REQUEST:
		witness_arrive(world, job);
		break;
	case JOB_CLIENT:
		lan_client_due(world, job->machine, job->group);
		break;
	case JOB_UNSET:
		break;
	}
}

void job_finish(struct world *world)
{
	struct world_jobs *jobs = &world->jobs;
	struct world_job job;
	int64_t again_ns;
	size_t i = 0;

	while (jobs->items[i].ends_ns != jobs->next_ns)
		i++;
	job = jobs->items[i];
	/* in their order: of two that end at once the first added comes first */
	for (jobs->count--; i < jobs->count; i++)
		jobs->items[i] = jobs->items[i + 1];
	find_next(jobs);
	again_ns = runs_again_ns(world, &job);
	if (again_ns == HBD_NEVER_NS)
		return;
	if (again_ns == 0) {
		carry_out(world, &job);
		return;
	}
	/* it waits in a socket, or for a timer of a process that does not run */
	job.ends_ns = hbd_time_max(again_ns, world->now_ns + 1);
	jobs->items[jobs->count++] = job;
	jobs->next_ns = hbd_time_min(jobs->next_ns, job.ends_ns);
}
