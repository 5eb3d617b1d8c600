/* Power, sleep, and what is done to processes from outside. */
#include "world.h"

#include <string.h>

#define LEAVE_NS (2 * HBD_S_NS)		/* so long a stop waits for old connections */
#define BOOTED_NS_MIN HBD_S_NS
#define BOOTED_NS_MAX (100 * HBD_S_NS)
#define UNIT_NS (500 * HBD_MS_NS)	/* the unit's RestartSec */
#define NOTICED_NS_MIN (50 * HBD_US_NS)	/* until a guardian sees that its engine is dead */
#define NOTICED_NS_MAX (200 * HBD_US_NS)

/* A clock counts from the boot on. */
static void boot(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];

	m->clock = (struct sim_clock){
		.world_ns = world->now_ns,
		.own_ns = world_between(&world->random, BOOTED_NS_MIN, BOOTED_NS_MAX),
		.ppm = m->clock.ppm,
	};
	m->power = WORLD_ON;
}

static void leave(struct world *world, uint8_t machine, bool on)
{
	world->machines[machine].leaving = on;
	world_event(world, machine, (struct hbd_event){
		.type = HBD_EVENT_LEAVE,
		.leave.patience_ns = LEAVE_NS,
	});
}

void world_start(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];

	if (m->power == WORLD_OFF)
		boot(world, machine);
	/* the stop is called off */
	if (m->leaving)
		leave(world, machine, false);
	if (m->power == WORLD_ON && m->guardian.life == WORLD_DEAD)
		guardian_start(world, machine);
}

void world_power_off(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];

	engine_die(world, machine);
	m->guardian.life = WORLD_DEAD;
	m->power = WORLD_OFF;
	memset(m->kernel, 0, sizeof(m->kernel));
	engine_forget(world, machine);
}

static void restart_unit(struct world *world, uint8_t machine)
{
	job_drop(world, machine, JOB_UNIT, 0);
	job_add(world, (struct world_job){
		.kind = JOB_UNIT,
		.ends_ns = world->now_ns + UNIT_NS,
		.machine = machine,
	});
}

void world_kill(struct world *world, uint8_t machine, bool guardian_too)
{
	struct world_machine *m = &world->machines[machine];

	if (m->life != WORLD_DEAD) {
		int64_t span_ns = world_between(&world->random, NOTICED_NS_MIN, NOTICED_NS_MAX);

		engine_die(world, machine);
		job_add(world, (struct world_job){
			.kind = JOB_BURY,
			.ends_ns = world->now_ns + span_ns,
			.machine = machine,
		});
	}
	/* without a guardian the addresses stay until the fence mutes them */
	if (!guardian_too || m->guardian.life == WORLD_DEAD)
		return;
	m->guardian.life = WORLD_DEAD;
	restart_unit(world, machine);
}

void world_kill_guardian(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];

	if (m->guardian.life == WORLD_DEAD)
		return;
	m->guardian.life = WORLD_DEAD;
	restart_unit(world, machine);
	world_event(world, machine, (struct hbd_event){ .type = HBD_EVENT_STOP });
}

void world_freeze(struct world *world, uint8_t machine, int64_t duration_ns)
{
	struct world_machine *m = &world->machines[machine];

	if (m->life == WORLD_DEAD || m->power != WORLD_ON)
		return;
	m->wakes_ns = hbd_time_max(m->life == WORLD_FROZEN ? m->wakes_ns : 0,
				   world->now_ns + duration_ns);
	m->life = WORLD_FROZEN;
}

void world_freeze_guardian(struct world *world, uint8_t machine, int64_t duration_ns)
{
	struct world_guardian *guardian = &world->machines[machine].guardian;

	if (guardian->life == WORLD_DEAD || world->machines[machine].power != WORLD_ON)
		return;
	guardian->wakes_ns = hbd_time_max(guardian->life == WORLD_FROZEN ? guardian->wakes_ns : 0,
					  world->now_ns + duration_ns);
	guardian->life = WORLD_FROZEN;
}

void world_restart(struct world *world, uint8_t machine, int64_t pause_ns)
{
	struct world_machine *m = &world->machines[machine];

	if (m->guardian.life != WORLD_RUNNING || m->life != WORLD_RUNNING || m->power != WORLD_ON)
		return;
	m->pause_ns = pause_ns;
	world_event(world, machine,
		    (struct hbd_event){ .type = HBD_EVENT_HOLD, .hold.term_ns = 2 * HBD_S_NS });
}

/* The engine has written down what it knows. */
void machine_pause(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];

	engine_die(world, machine);
	m->guardian.life = WORLD_DEAD;
	job_drop(world, machine, JOB_UNIT, 0);
	job_add(world, (struct world_job){
		.kind = JOB_UNIT,
		.ends_ns = world->now_ns + m->pause_ns,
		.machine = machine,
	});
}

void world_stop(struct world *world, uint8_t machine)
{
	const struct world_machine *m = &world->machines[machine];

	if (m->life != WORLD_DEAD && m->power != WORLD_OFF)
		leave(world, machine, true);
}

void world_sleep(struct world *world, uint8_t machine, int64_t duration_ns, bool clock_stops,
		 bool keeps_mail)
{
	struct world_machine *m = &world->machines[machine];

	if (m->power != WORLD_ON)
		return;
	m->power = WORLD_ASLEEP;
	m->resumes_ns = world->now_ns + duration_ns;
	m->keeps_mail = keeps_mail;
	sim_clock_stop(&m->clock, clock_stops, world->now_ns);
}

void world_leap(struct world *world, uint8_t machine, int64_t ahead_ns)
{
	struct world_machine *m = &world->machines[machine];

	if (m->power == WORLD_OFF)
		return;
	sim_clock_leap(&m->clock, ahead_ns, world->now_ns);
	if (m->power == WORLD_ON && m->life == WORLD_RUNNING)
		engine_wake(world, machine);
}

static void resume(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];

	m->power = WORLD_ON;
	sim_clock_stop(&m->clock, false, world->now_ns);
	/* its timers, and what waited for it, are next */
	if (m->life == WORLD_RUNNING)
		engine_wake(world, machine);
}

void world_set_fault(struct world *world, uint8_t machine, uint8_t group, enum hbd_fault fault,
		     bool present)
{
	uint8_t *faults = &world->machines[machine].faults[group];

	*faults = (uint8_t)(present ? *faults | fault : *faults & ~(unsigned)fault);
	world_event(world, machine,
		    (struct hbd_event){ .type = HBD_EVENT_FAULT,
					.group = group,
					.fault = { .fault = fault, .present = present } });
}

void world_maintain(struct world *world, uint8_t machine, bool on)
{
	world->machines[machine].maintained = on;
	world_event(world, machine,
		    (struct hbd_event){ .type = HBD_EVENT_MAINTENANCE, .maintenance = on });
}

int64_t machine_next_ns(const struct world_machine *machine)
{
	int64_t next_ns = HBD_NEVER_NS;

	if (machine->power == WORLD_ASLEEP)
		return machine->resumes_ns;
	if (machine->power == WORLD_OFF)
		return HBD_NEVER_NS;
	if (machine->life == WORLD_RUNNING)
		next_ns = machine->deadline_ns;
	else if (machine->life == WORLD_FROZEN)
		next_ns = machine->wakes_ns;
	if (machine->guardian.life == WORLD_FROZEN)
		next_ns = hbd_time_min(next_ns, machine->guardian.wakes_ns);
	return next_ns;
}

void machine_continue(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];

	if (m->power == WORLD_ASLEEP)
		resume(world, machine);
	else if (m->guardian.life == WORLD_FROZEN && world->now_ns >= m->guardian.wakes_ns)
		m->guardian.life = WORLD_RUNNING;
	else if (m->life == WORLD_FROZEN)
		engine_wake(world, machine);
	else
		engine_tick(world, machine);
}
