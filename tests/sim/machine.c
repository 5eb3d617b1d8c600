#include "world_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NETLINK_NS (100 * HBD_US_NS)	/* a batch of addresses */

int64_t world_clock(const struct world *world, uint8_t machine)
{
	const struct world_machine *m = &world->machines[machine];

	/* in this order the drift never makes the clock go back, and cannot overflow */
	return m->clock_offset_ns + world->now_ns + world->now_ns / 1000 * m->clock_ppm / 1000;
}

/* The first world time at which the machine's clock shows at least own_ns. */
static int64_t to_world(const struct world *world, uint8_t machine, int64_t own_ns)
{
	int64_t ahead_ns = own_ns - world_clock(world, machine);

	if (own_ns == HBD_NEVER_NS)
		return HBD_NEVER_NS;
	if (ahead_ns <= 0)
		return world->now_ns;
	/* a timer is never early: a microsecond more than the division above can round off */
	return world->now_ns + ahead_ns -
	       ahead_ns / 1000 * world->machines[machine].clock_ppm / 1000 + HBD_US_NS;
}

bool world_answers(const struct world *world, uint8_t machine, uint8_t group)
{
	const struct world_machine *m = &world->machines[machine];
	const struct world_kernel *kernel = &m->kernel[group];

	return m->powered && kernel->present && world_clock(world, machine) < kernel->until_ns;
}

static void add_job(struct world *world, uint8_t machine, int64_t duration_ns,
		    struct hbd_event event)
{
	assert(world->job_count < WORLD_JOBS_MAX);
	world->jobs[world->job_count++] = (struct world_job){
		.ends_ns = world->now_ns + duration_ns,
		.machine = machine,
		.life = world->lives[machine],
		.event = event,
	};
}

static void add_result(struct world *world, uint8_t machine, uint64_t id, int64_t duration_ns,
		       int result)
{
	add_job(world, machine, duration_ns,
		(struct hbd_event){ .type = HBD_EVENT_DONE, .done = { .id = id, .result = result } });
}

/* The kernel of the machine answers for what its fence lets through. */
static void ask_lan(struct world *world, uint8_t machine, uint8_t group)
{
	int64_t trip_ns = world_between(&world->random, 50 * HBD_US_NS, 400 * HBD_US_NS);
	uint8_t other = (uint8_t)(1 - machine);

	if (world->lan_cut || !world_answers(world, other, group) ||
	    world_chance(&world->random, world->lan_loss_permille))
		return;
	add_job(world, machine, trip_ns,
		(struct hbd_event){ .type = HBD_EVENT_ANSWER,
				    .group = group,
				    .station = { 2, 0, 0, 0, 0, other } });
}

static void trace(const struct world *world, uint8_t machine, const struct hbd_action *action)
{
	double ms = (double)world->now_ns / (double)HBD_MS_NS;

	if (!world->trace)
		return;
	if (action->type == HBD_ACTION_CHANGED)
		printf("%12.3f ms  node %u group %u  %s -> %s (%s) epoch %llu\n", ms, machine,
		       action->group, hbd_role_text(action->changed.from),
		       hbd_role_text(action->changed.to), hbd_reason_text(action->reason),
		       (unsigned long long)action->epoch);
	else if (action->type == HBD_ACTION_ALERT)
		printf("%12.3f ms  node %u alert %s (%s)\n", ms, machine,
		       hbd_alert_text(action->alert.kind),
		       hbd_severity_text(action->alert.severity));
}

static void run_plugin(struct world *world, uint8_t machine, const struct hbd_action *action)
{
	int64_t duration_ns = world_between(&world->random, HBD_MS_NS, 50 * HBD_MS_NS);

	add_result(world, machine, action->id, duration_ns,
		   world_chance(&world->random, world->plugin_again_permille) ? -EAGAIN :
		   world_chance(&world->random, world->plugin_failure_permille) ? -EIO : 0);
}

static void announce(const struct world *world, struct world_kernel *kernel, uint64_t epoch)
{
	if (world->deaf_to_announcements_after_first && kernel->epoch == epoch)
		return;
	kernel->announced_ns = world->now_ns;
	kernel->epoch = epoch;
}

static void carry_out(struct world *world, uint8_t machine, const struct hbd_action *action)
{
	struct world_machine *m = &world->machines[machine];
	struct world_kernel *kernel = &m->kernel[action->group % WORLD_GROUPS_MAX];

	switch (action->type) {
	case HBD_ACTION_SEND:
		flight_transmit(world, machine, action->link,
				&world->actions.packets[action->packet]);
		break;
	case HBD_ACTION_WILL:
		m->wills[action->link] = world->actions.packets[action->packet];
		break;
	case HBD_ACTION_LEASE:
		kernel->until_ns = action->until_ns + world->overtime_ns;
		break;
	case HBD_ACTION_ACQUIRE:
		kernel->present = !world_chance(&world->random, world->refusal_permille);
		add_result(world, machine, action->id, NETLINK_NS,
			   kernel->present ? 0 : -EADDRNOTAVAIL);
		break;
	case HBD_ACTION_RELEASE:
		kernel->present = false;
		add_result(world, machine, action->id, NETLINK_NS, 0);
		break;
	case HBD_ACTION_RESTORE:
		kernel->present = true;
		break;
	case HBD_ACTION_ANNOUNCE:
		announce(world, kernel, m->node.groups[action->group].epoch);
		break;
	case HBD_ACTION_ASK:
		ask_lan(world, machine, action->group);
		break;
	case HBD_ACTION_RUN:
		run_plugin(world, machine, action);
		break;
	case HBD_ACTION_CHANGED:
		world->changes++;
		break;
	case HBD_ACTION_STOPPED:
		m->stopped = true;
		break;
	case HBD_ACTION_ALERT:
	case HBD_ACTION_CANCEL:
		break;
	case HBD_ACTION_UNSET:
	case HBD_ACTION_TYPE_COUNT:
		assert(!"an action has a type");
	}
}

void machine_step(struct world *world, uint8_t machine, const struct hbd_event *event)
{
	struct world_machine *m = &world->machines[machine];

	hbd_node_step(&m->node, event, world_clock(world, machine), &world->actions);
	world->steps++;
	for (size_t i = 0; i < world->actions.count; i++) {
		const struct hbd_action *action = &world->actions.items[i];

		if (world->watch)
			world->watch(world->watch_context, world, machine, action);
		trace(world, machine, action);
		carry_out(world, machine, action);
	}
	if (m->stopped)
		m->life = WORLD_DEAD;
}

void machine_tick(struct world *world, uint8_t machine)
{
	if (world->machines[machine].life == WORLD_RUNNING)
		machine_step(world, machine, &(struct hbd_event){ .type = HBD_EVENT_TICK });
}

void machine_receive(struct world *world, const struct world_flight *flight)
{
	struct world_machine *m = &world->machines[flight->to];
	struct hbd_event event = {
		.type = HBD_EVENT_PACKET,
		.link = flight->link,
		.packet = { flight->bytes, flight->length, world_clock(world, flight->to) },
	};

	if (m->life == WORLD_RUNNING) {
		machine_step(world, flight->to, &event);
		machine_tick(world, flight->to);
	} else if (m->life == WORLD_FROZEN && m->inbox_count < WORLD_INBOX_MAX) {
		/* the kernel goes on dating what arrives while the process sleeps */
		m->inbox[m->inbox_count] = *flight;
		m->inbox[m->inbox_count++].arrives_ns = event.packet.received_ns;
	}
}

/* As the loop does it: say that it ran late, drain, then judge. */
void machine_wake(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];
	int64_t late_ns = world_clock(world, machine) - hbd_node_deadline_ns(&m->node);

	m->life = WORLD_RUNNING;
	if (late_ns > m->config.profile.interval_ns / 4)
		machine_step(world, machine,
			     &(struct hbd_event){ .type = HBD_EVENT_STALLED,
						  .stalled = { .late_ns = late_ns } });
	for (size_t i = 0; i < m->inbox_count && m->life == WORLD_RUNNING; i++) {
		const struct world_flight *flight = &m->inbox[i];

		machine_step(world, machine,
			     &(struct hbd_event){ .type = HBD_EVENT_PACKET,
						  .link = flight->link,
						  .packet = { flight->bytes, flight->length,
							      flight->arrives_ns } });
	}
	m->inbox_count = 0;
	machine_tick(world, machine);
}

void machine_end_job(struct world *world, size_t index)
{
	struct world_job job = world->jobs[index];

	world->jobs[index] = world->jobs[--world->job_count];
	if (world->lives[job.machine] != job.life)
		return;
	if (world->machines[job.machine].life == WORLD_FROZEN) {
		/* the result waits in a socket */
		job.ends_ns = world->machines[job.machine].wakes_ns + 1;
		world->jobs[world->job_count++] = job;
		return;
	}
	world_event(world, job.machine, job.event);
}

void world_event(struct world *world, uint8_t machine, struct hbd_event event)
{
	if (world->machines[machine].life != WORLD_RUNNING)
		return;
	machine_step(world, machine, &event);
	machine_tick(world, machine);
}

int64_t machine_next_ns(const struct world *world, uint8_t machine)
{
	const struct world_machine *m = &world->machines[machine];

	switch (m->life) {
	case WORLD_RUNNING:
		return to_world(world, machine, hbd_node_deadline_ns(&m->node));
	case WORLD_FROZEN:
		return m->wakes_ns;
	case WORLD_UNSET:
	case WORLD_DEAD:
		break;
	}
	return HBD_NEVER_NS;
}

void world_start(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];

	if (m->life != WORLD_DEAD)
		return;
	world->lives[machine]++;
	m->life = WORLD_RUNNING;
	m->powered = true;
	m->stopped = false;
	m->inbox_count = 0;
	memset(m->wills, 0, sizeof(m->wills));
	/* the guardian removes what a predecessor left before the engine starts */
	memset(m->kernel, 0, sizeof(m->kernel));
	for (size_t i = 0; i < HBD_SEED_BYTES; i++)
		m->config.seed[i] = (uint8_t)world_random(&world->random);
	/* the high-water file: above all that a former life used or saw */
	for (uint8_t i = 0; i < world->group_count; i++)
		if (m->node.groups[i].epoch > m->config.epoch_floor)
			m->config.epoch_floor = m->node.groups[i].epoch;
	m->config.epoch_floor += 1024;
	hbd_node_init(&m->node, &m->config, world_clock(world, machine));
	for (uint8_t i = 0; i < WORLD_LINKS; i++)
		world_event(world, machine,
			    (struct hbd_event){ .type = HBD_EVENT_LINK,
						.link = i,
						.link_state = { .usable = true } });
	for (uint8_t i = 0; i < world->group_count; i++)
		world_event(world, machine,
			    (struct hbd_event){ .type = HBD_EVENT_STATION,
						.group = i,
						.station = { 2, 0, 0, 0, 0, machine } });
}

void world_power_off(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];

	m->life = WORLD_DEAD;
	m->powered = false;
	memset(m->kernel, 0, sizeof(m->kernel));
}

void world_kill(struct world *world, uint8_t machine, bool guardian_too)
{
	struct world_machine *m = &world->machines[machine];

	if (m->life == WORLD_DEAD || m->life == WORLD_UNSET)
		return;
	m->life = WORLD_DEAD;
	/* without a guardian the addresses stay until the fence mutes them */
	if (guardian_too)
		return;
	memset(m->kernel, 0, sizeof(m->kernel));
	for (uint8_t i = 0; i < WORLD_LINKS; i++)
		if (m->wills[i].length > 0)
			flight_transmit(world, machine, i, &m->wills[i]);
}

void world_freeze(struct world *world, uint8_t machine, int64_t duration_ns)
{
	struct world_machine *m = &world->machines[machine];

	if (m->life != WORLD_RUNNING)
		return;
	m->life = WORLD_FROZEN;
	m->wakes_ns = world->now_ns + duration_ns;
}
