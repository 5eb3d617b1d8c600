/* The guardian: starts the engine, looks for its progress, buries it. */
#include "world.h"

#include <string.h>

#define BACK_OFF_FIRST_NS (100 * HBD_MS_NS)
#define BACK_OFF_MAX_NS (10 * HBD_S_NS)
#define GOOD_LIFE_NS (60 * HBD_S_NS)
#define PROGRESS_NS_MIN (100 * HBD_MS_NS)
#define LOOK_NS_MIN (20 * HBD_MS_NS)
#define SECOND_LOOK_NS (20 * HBD_MS_NS)
#define SURVIVOR_LOOK_NS (50 * HBD_MS_NS)	/* is the engine of a killed predecessor gone? */
#define SURVIVOR_TRIES 30
#define WILL_TIMES 3
#define WILL_GAP_NS (2 * HBD_MS_NS)
#define SWEEP_NS_MIN (60 * HBD_US_NS)
#define SWEEP_NS_MAX (200 * HBD_US_NS)

static void add_job(struct world *world, uint8_t machine, enum world_job_kind kind, uint32_t round,
		    int64_t after_ns)
{
	job_add(world, (struct world_job){
		.kind = kind,
		.ends_ns = world->now_ns + after_ns,
		.machine = machine,
		.round = round,
	});
}

static int64_t look_interval_ns(const struct world_machine *m)
{
	return hbd_time_max(m->config.profile.grant_ns / 2, LOOK_NS_MIN);
}

static void begin_engine(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];

	m->guardian.engine_began_ns = world->now_ns;
	m->guardian.stale_ns = 0;
	if (!engine_resume(world, machine)) {
		kernel_sweep(world, machine);
		engine_start(world, machine);
	}
	job_drop(world, machine, JOB_LOOK, 0);
	add_job(world, machine, JOB_LOOK, 0, look_interval_ns(m));
}

/* The engine of a killed predecessor gets some time to hand over. */
void guardian_start_engine(struct world *world, uint8_t machine, uint32_t tries)
{
	struct world_machine *m = &world->machines[machine];

	if (m->life != WORLD_DEAD && tries < SURVIVOR_TRIES) {
		add_job(world, machine, JOB_ENGINE, tries + 1, SURVIVOR_LOOK_NS);
		return;
	}
	if (m->life != WORLD_DEAD)
		engine_die(world, machine);
	begin_engine(world, machine);
}

void guardian_start(struct world *world, uint8_t machine)
{
	struct world_guardian *guardian = &world->machines[machine].guardian;

	if (guardian->life != WORLD_DEAD)
		return;
	guardian->lives++;
	guardian->life = WORLD_RUNNING;
	guardian->back_off_ns = 0;
	guardian_start_engine(world, machine, 0);
}

static void plan_restart(struct world *world, uint8_t machine)
{
	struct world_guardian *guardian = &world->machines[machine].guardian;
	bool afresh = guardian->back_off_ns == 0 ||
		      world->now_ns - guardian->engine_began_ns >= GOOD_LIFE_NS;

	guardian->back_off_ns = afresh ? BACK_OFF_FIRST_NS :
				hbd_time_min(2 * guardian->back_off_ns, BACK_OFF_MAX_NS);
	add_job(world, machine, JOB_ENGINE, 0, guardian->back_off_ns);
}

void guardian_bury(struct world *world, uint8_t machine)
{
	int64_t sweep_ns = world_between(&world->random, SWEEP_NS_MIN, SWEEP_NS_MAX);

	kernel_sweep(world, machine);
	add_job(world, machine, JOB_WILL, 0, sweep_ns);
	plan_restart(world, machine);
}

void guardian_send_will(struct world *world, uint8_t machine, uint32_t round)
{
	const struct world_machine *m = &world->machines[machine];

	for (uint8_t i = 0; i < WORLD_LINKS; i++)
		if (m->wills[i].length > 0)
			flight_transmit(world, machine, i, &m->wills[i]);
	if (round + 1 < WILL_TIMES)
		add_job(world, machine, JOB_WILL, round + 1, WILL_GAP_NS);
}

void guardian_look(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];
	int64_t limit_ns = hbd_time_max(m->config.profile.grant_ns, PROGRESS_NS_MIN);
	int64_t next_ns = look_interval_ns(m);

	if (m->life == WORLD_DEAD)
		return;
	if (world->now_ns - m->progress_ns <= limit_ns) {
		m->guardian.stale_ns = 0;
	} else if (m->guardian.stale_ns == m->progress_ns) {
		engine_die(world, machine);
		guardian_bury(world, machine);
		return;
	} else {
		/* perhaps it was all of them that did not run */
		m->guardian.stale_ns = m->progress_ns;
		next_ns = SECOND_LOOK_NS;
	}
	add_job(world, machine, JOB_LOOK, 0, next_ns);
}
