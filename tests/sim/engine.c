/* The engine: the real core, driven as the loop drives it. */
#include "world.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../hbd/core/resume.h"
#include "../../hbd/flight/sound.h"
#include "../../hbd/flight/state.h"

#define ORIGIN "this machine"
#define PLUGIN_NS_MAX (50 * HBD_MS_NS)
#define EPOCHS_RESERVED 1024
#define STATION_NS_MAX (20 * HBD_MS_NS)

static void trace(const struct world *world, uint8_t machine, const struct hbd_action *action)
{
	double ms = (double)world->now_ns / (double)HBD_MS_NS;

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

/* The guardian ends one that is called off or takes too long. */
static void run_plugin(struct world *world, uint8_t machine, const struct hbd_action *action)
{
	struct world_machine *m = &world->machines[machine];
	int64_t left_ns = hbd_time_max(action->run.deadline_ns - world_clock(world, machine), 1);
	int64_t span_ns = world_between(&world->random, HBD_MS_NS, PLUGIN_NS_MAX);
	bool hangs = world_chance(&world->random, world->plugin_hang_permille);
	bool again = world_chance(&world->random, world->plugin_again_permille);
	bool fails = world_chance(&world->random, world->plugin_failure_permille);
	struct hbd_event event = {
		.type = HBD_EVENT_DONE,
		.done = {
			.id = action->id,
			.result = m->guardian.life == WORLD_DEAD ? -EPIPE :
				  hangs || span_ns >= left_ns ? -ETIMEDOUT :
				  again ? -EAGAIN : fails ? -EIO : 0,
		},
	};

	span_ns = hangs ? left_ns : hbd_time_min(span_ns, left_ns);
	m->plugin_ends_ns[action->group] = world->now_ns + span_ns;
	m->plugin_due_ns[action->group] = action->run.deadline_ns;
	job_add(world, (struct world_job){
		.kind = JOB_EVENT,
		.ends_ns = world->now_ns + (world->mutant.hasty_guardian ? 1 : span_ns),
		.machine = machine,
		.event = event,
	});
}

static void forward(struct world *world, uint8_t machine, const struct hbd_action *action)
{
	job_add(world, (struct world_job){
		.kind = JOB_EVENT,
		.ends_ns = world->now_ns + world_between(&world->random, HBD_MS_NS, 30 * HBD_MS_NS),
		.machine = machine,
		.life = world->machines[machine].lives,
		.event = { .type = HBD_EVENT_DONE, .done = { .id = action->id } },
	});
}

static void store_will(struct world *world, uint8_t machine, const struct hbd_action *action)
{
	const struct hbd_packet *packet = &world->actions.packets[action->packet];
	struct world_machine *m = &world->machines[machine];

	m->wills[action->link].length = packet->length;
	memcpy(m->wills[action->link].bytes, packet->bytes, packet->length);
}

static void carry_out(struct world *world, uint8_t machine, const struct hbd_action *action)
{
	struct world_machine *m = &world->machines[machine];

	switch (action->type) {
	case HBD_ACTION_SEND:
		flight_transmit(world, machine, action->link,
				&world->actions.packets[action->packet]);
		break;
	case HBD_ACTION_WILL:
		store_will(world, machine, action);
		break;
	case HBD_ACTION_LEASE:
		if (!world->mutant.deaf_fence || !m->kernel[action->group].present)
			kernel_lease(world, machine, action->group, action->lease.until_ns,
				     action->lease.accept_ns);
		break;
	case HBD_ACTION_ACQUIRE:
		kernel_acquire(world, machine, action->group, action->id);
		break;
	case HBD_ACTION_RELEASE:
		kernel_release(world, machine, action->group, action->id);
		break;
	case HBD_ACTION_RESTORE:
		kernel_restore(world, machine, action->group);
		break;
	case HBD_ACTION_ANNOUNCE:
		kernel_announce(world, machine, action->group);
		break;
	case HBD_ACTION_ASK:
		lan_ask(world, machine, action->group);
		break;
	case HBD_ACTION_DEFEND:
		kernel_announce_once(world, machine, action->group);
		lan_ask(world, machine, action->group);
		break;
	case HBD_ACTION_FORWARD:
		forward(world, machine, action);
		break;
	case HBD_ACTION_WITNESS:
		witness_request(world, machine, action);
		break;
	case HBD_ACTION_RUN:
		/* the guardian runs nothing without a reason */
		assert(action->reason > HBD_REASON_UNSET && action->reason < HBD_REASON_COUNT);
		run_plugin(world, machine, action);
		break;
	case HBD_ACTION_CANCEL:
		m->plugin_ends_ns[action->group] = 0;
		break;
	case HBD_ACTION_CHANGED:
		world->changes++;
		world_note(world, (uint64_t)action->changed.to << 8 | machine);
		break;
	case HBD_ACTION_REBORN:
		m->reborn = true;
		world_kill(world, machine, false);
		break;
	case HBD_ACTION_STOPPED:
		m->stopped = true;
		break;
	case HBD_ACTION_LEFT:
		m->left = true;
		break;
	case HBD_ACTION_HELD:
		m->paused = action->result == 0;
		break;
	case HBD_ACTION_ALERT:
	case HBD_ACTION_UNSET:
	case HBD_ACTION_TYPE_COUNT:
		break;
	}
}

static void note_step(struct world *world, uint8_t machine, const struct hbd_event *event)
{
	const struct hbd_node *node = &world->machines[machine].node;

	if (!world->recorders[machine])
		return;
	if (world->recorded_steps[machine]++ == world->recorded_steps_max)
		world->recorders[machine] = NULL;
	else
		flight_recorder_note(world->recorders[machine], node, event, node->now_ns,
				     &world->actions);
}

/* Nothing that it knows changes from now on. */
static void write_state(struct world_machine *m)
{
	m->paused = false;
	free(m->state);
	m->state = NULL;
	if (flight_state_write(ORIGIN, &m->node, &m->state, &m->state_bytes) < 0)
		abort();
}

static void step(struct world *world, uint8_t machine, const struct hbd_event *event)
{
	struct world_machine *m = &world->machines[machine];
	struct hbd_actions *actions = &world->actions;

	if (m->life != WORLD_RUNNING)
		return;
	if (event->type == HBD_EVENT_MAINTENANCE)
		m->abstains = event->maintenance;
	if (event->type == HBD_EVENT_MAINTENANCE && world->mutant.disobedient)
		return;
	if (world->recorders[machine])
		flight_recorder_expect(world->recorders[machine], event,
				       world_clock(world, machine));
	hbd_node_step(&m->node, event, world_clock(world, machine), actions);
	note_step(world, machine, event);
	m->progress_ns = world->now_ns;
	world->steps++;
	world_note(world, (uint64_t)world->now_ns << 8 | (uint64_t)event->type);
	world_note(world, actions->count);
	for (size_t i = 0; i < actions->count; i++) {
		if (world->watch)
			world->watch(world->watch_context, world, machine, &actions->items[i]);
		if (world->trace)
			trace(world, machine, &actions->items[i]);
		carry_out(world, machine, &actions->items[i]);
	}
	if (m->paused) {
		write_state(m);
		machine_pause(world, machine);
	}
	if (!m->stopped)
		return;
	engine_die(world, machine);
	/* its guardian sees a clean end, and ends too */
	if (m->guarded == m->guardian.lives)
		m->guardian.life = WORLD_DEAD;
}

void engine_plan(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];

	m->deadline_ns = sim_clock_reaches(&m->clock, hbd_node_deadline_ns(&m->node),
					   world->now_ns);
}

/* The end of a turn: time passes; and now and then the scheduler lets the engine wait. */
static void finish_turn(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];

	step(world, machine, &(struct hbd_event){ .type = HBD_EVENT_TICK });
	if (m->left && m->leaving)
		step(world, machine, &(struct hbd_event){ .type = HBD_EVENT_STOP });
	m->left = false;
	engine_plan(world, machine);
	if (m->life == WORLD_RUNNING && world_chance(&world->random, m->stall_permille))
		world_freeze(world, machine, world_between(&world->random, 1, m->stall_ns));
}

void engine_tick(struct world *world, uint8_t machine)
{
	finish_turn(world, machine);
}

void world_event(struct world *world, uint8_t machine, struct hbd_event event)
{
	struct world_machine *m = &world->machines[machine];

	/* one that waited while it slept, and another one came since */
	if (event.type == HBD_EVENT_MAINTENANCE)
		event.maintenance = m->maintained;
	if (event.type == HBD_EVENT_LEAVE)
		event.leave.on = m->leaving;
	if (m->power == WORLD_ON && m->life == WORLD_RUNNING) {
		step(world, machine, &event);
		finish_turn(world, machine);
	} else if (m->power != WORLD_OFF && m->life != WORLD_DEAD) {
		/* it waits in a socket */
		job_add(world, (struct world_job){
			.kind = JOB_EVENT,
			.ends_ns = world->now_ns,
			.machine = machine,
			.event = event,
		});
	}
}

static void take_in(struct world *world, const struct world_flight *flight, int64_t received_ns)
{
	struct hbd_event event = {
		.type = HBD_EVENT_PACKET,
		.link = flight->link,
		.packet = { flight->bytes, flight->length, received_ns },
	};

	if (world->packet_watch)
		world->packet_watch(world->watch_context, world, flight, received_ns, false);
	step(world, flight->to, &event);
	if (world->packet_watch)
		world->packet_watch(world->watch_context, world, flight, received_ns, true);
}

void machine_receive(struct world *world, const struct world_flight *flight)
{
	struct world_machine *m = &world->machines[flight->to];
	int64_t now_ns = world_clock(world, flight->to);

	if (m->power == WORLD_ON && m->life == WORLD_RUNNING) {
		take_in(world, flight, now_ns);
		finish_turn(world, flight->to);
		return;
	}
	/* the kernel goes on dating what arrives while the process sleeps; not while it sleeps too */
	if (m->life == WORLD_DEAD || m->inbox_count == WORLD_INBOX_MAX ||
	    m->power == WORLD_OFF || (m->power == WORLD_ASLEEP && !m->keeps_mail))
		return;
	m->inbox[m->inbox_count] = *flight;
	m->inbox[m->inbox_count++].arrives_ns = m->power == WORLD_ON ? now_ns : HBD_NEVER_NS;
}

/* As the loop does it: say that it ran late, drain, then judge. */
void engine_wake(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];
	int64_t now_ns = world_clock(world, machine);
	int64_t late_ns = now_ns - hbd_node_deadline_ns(&m->node);

	m->life = WORLD_RUNNING;
	world->stalls += late_ns > m->config.profile.interval_ns / 4;
	if (late_ns > m->config.profile.interval_ns / 4)
		step(world, machine,
		     &(struct hbd_event){ .type = HBD_EVENT_STALLED,
					  .stalled = { .late_ns = late_ns } });
	for (size_t i = 0; i < m->inbox_count; i++) {
		const struct world_flight *flight = &m->inbox[i];

		take_in(world, flight, hbd_time_min(flight->arrives_ns, now_ns));
	}
	m->inbox_count = 0;
	finish_turn(world, machine);
}

/* The high-water file: above all that a former life used or saw. */
static void reserve_epochs(struct world *world, struct world_machine *m)
{
	for (uint8_t i = 0; i < world->group_count; i++) {
		const struct hbd_group *group = &m->node.groups[i];

		if (group->epoch > m->config.epoch_floor)
			m->config.epoch_floor = group->epoch;
		if (group->epoch_seen > m->config.epoch_floor)
			m->config.epoch_floor = group->epoch_seen;
	}
	m->config.epoch_floor += EPOCHS_RESERVED;
	if (world->mutant.no_epoch_file)
		m->config.epoch_floor = 0;
}

/* What an engine finds out before its first turn ends. */
static void tell_group(struct world *world, uint8_t machine, uint8_t group)
{
	uint8_t faults = world->machines[machine].faults[group];
	struct hbd_event event = { .type = HBD_EVENT_FAULT, .group = group };

	/* this by the thread beside it, so that it may take a while */
	job_add(world, (struct world_job){
		.kind = JOB_EVENT,
		.ends_ns = world->now_ns + world_between(&world->random, 0, STATION_NS_MAX),
		.machine = machine,
		.event = { .type = HBD_EVENT_STATION,
			   .group = group,
			   .station = { 2, 0, 0, 0, 0, machine } },
	});
	event.fault.present = true;
	for (unsigned bit = HBD_FAULT_INTERFACE; bit <= HBD_FAULT_PARTLY; bit <<= 1) {
		event.fault.fault = (enum hbd_fault)bit;
		if (faults & bit & HBD_FAULTS_TOLD)
			step(world, machine, &event);
	}
}

/* Programs come and go in any order, the present one and the next; no chance is drawn for it. */
static uint8_t version_max(const struct world *world, const struct world_machine *m)
{
	struct world_random random = { world->versions + 2 * m->lives + (m == world->machines) };

	return world->versions != 0 && world_chance(&random, 500) ? HBD_VERSION_MAX + 1
								    : HBD_VERSION_MAX;
}

static void prepare(struct world *world, struct world_machine *m)
{
	m->lives++;
	m->guarded = m->guardian.lives;
	m->stopped = false;
	m->inbox_count = 0;
	memset(m->wills, 0, sizeof(m->wills));
	memset(m->plugin_ends_ns, 0, sizeof(m->plugin_ends_ns));
	for (size_t i = 0; i < HBD_SEED_BYTES; i++)
		m->config.seed[i] = (uint8_t)world_random(&world->random);
	reserve_epochs(world, m);
	m->config.version_max = version_max(world, m);
	m->config.witness = world->witness.present;
	m->config.maintenance = m->maintained && !world->mutant.disobedient;
	m->abstains = m->maintained;
}

static void begin(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];

	m->life = WORLD_RUNNING;
	if (world->recorders[machine])
		flight_recorder_start(world->recorders[machine], world->recorders[machine]->ring,
				      &m->node);
	for (uint8_t i = 0; i < WORLD_LINKS; i++)
		step(world, machine,
		     &(struct hbd_event){ .type = HBD_EVENT_LINK,
					  .link = i,
					  .link_state = { .usable = true } });
	for (uint8_t i = 0; i < world->group_count; i++)
		tell_group(world, machine, i);
	finish_turn(world, machine);
}

void engine_start(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];

	prepare(world, m);
	m->leaving = false;
	hbd_node_init(&m->node, &m->config, world_clock(world, machine));
	begin(world, machine);
}

void engine_forget(struct world *world, uint8_t machine)
{
	free(world->machines[machine].state);
	world->machines[machine].state = NULL;
}

/* What was deleted meanwhile. */
static void find_missing(struct world *world, uint8_t machine)
{
	const struct world_machine *m = &world->machines[machine];

	for (uint8_t i = 0; i < world->group_count; i++)
		if (hbd_node_holds(&m->node, i) && !m->kernel[i].present)
			job_add(world, (struct world_job){
				.kind = JOB_EVENT,
				.ends_ns = world->now_ns,
				.machine = machine,
				.event = { .type = HBD_EVENT_MISSING, .group = i },
			});
}

/* Fence and addresses are as the former process left them. */
bool engine_resume(struct world *world, uint8_t machine)
{
	struct world_machine *m = &world->machines[machine];
	/* what the judge is tried with may be no configuration at all, and then no state is one */
	bool sound = flight_config_is_sound(&m->config);
	struct flight_state *former = m->state && sound ? calloc(1, sizeof(*former)) : NULL;
	char why[FLIGHT_WHY_BYTES];
	bool resumed = false;

	if (!former)
		return false;
	if (flight_state_read(m->state, m->state_bytes, ORIGIN, former, why) < 0)
		abort();
	engine_forget(world, machine);
	prepare(world, m);
	resumed = hbd_node_resume(&m->node, &m->config, &former->node,
				  world_clock(world, machine)) == 0;
	free(former);
	if (!resumed)
		return false;
	begin(world, machine);
	find_missing(world, machine);
	return true;
}

void engine_die(struct world *world, uint8_t machine)
{
	world->machines[machine].life = WORLD_DEAD;
	world->machines[machine].deadline_ns = HBD_NEVER_NS;
	kernel_drop_hands(world, machine);
}
