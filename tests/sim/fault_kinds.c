/* Every kind of fault: what it does to the world, and how that ends. */
#include "faults.h"

#include <assert.h>
#include <string.h>

#define REPLAYED 50
#define BEGIN(name) static void name(struct world *world, const struct fault *fault, \
				     struct world_random *random)
#define END(name) static void name(struct world *world, const struct fault *fault)

static int64_t interval_ns(const struct world *world)
{
	return world->machines[0].config.profile.interval_ns;
}

static int64_t length_ns(const struct fault *fault)
{
	return fault->ends_ns - fault->begins_ns;
}

static struct world_path *path_of(struct world *world, const struct fault *fault)
{
	return &world->paths[fault->machine][fault->link];
}

/* ---- machines and processes -------------------------------------------------------------------- */

BEGIN(power_off)
{
	(void)random;
	world_power_off(world, fault->machine);
}

END(start)
{
	world_start(world, fault->machine);
}

BEGIN(kill_engine)
{
	(void)random;
	world_kill(world, fault->machine, false);
}

BEGIN(kill_guardian)
{
	(void)random;
	world_kill_guardian(world, fault->machine);
}

BEGIN(kill_both)
{
	(void)random;
	world_kill(world, fault->machine, true);
}

BEGIN(stop)
{
	(void)random;
	world_stop(world, fault->machine);
}

BEGIN(restart)
{
	world_restart(world, fault->machine, world_between(random, HBD_MS_NS, 1500 * HBD_MS_NS));
}

BEGIN(restart_late)
{
	world_restart(world, fault->machine, world_between(random, 1500 * HBD_MS_NS, 8 * HBD_S_NS));
}

BEGIN(freeze)
{
	(void)random;
	world_freeze(world, fault->machine, length_ns(fault));
}

BEGIN(freeze_both)
{
	(void)random;
	world_freeze(world, fault->machine, length_ns(fault));
	world_freeze_guardian(world, fault->machine, length_ns(fault));
}

BEGIN(stall)
{
	struct world_machine *m = &world->machines[fault->machine];

	m->stall_permille = (int)world_between(random, 1, 50);
	m->stall_ns = world_between(random, 1, 2 * m->config.profile.grant_ns);
}

BEGIN(hiccup)
{
	struct world_machine *m = &world->machines[fault->machine];

	m->stall_permille = (int)world_between(random, 1, 200);
	m->stall_ns = m->config.profile.interval_ns / 3;
}

END(end_stalls)
{
	world->machines[fault->machine].stall_permille = 0;
}

BEGIN(suspend)
{
	(void)random;
	world_sleep(world, fault->machine, length_ns(fault), false, false);
}

BEGIN(pause_machine)
{
	(void)random;
	world_sleep(world, fault->machine, length_ns(fault), true, false);
}

BEGIN(pause_with_mail)
{
	(void)random;
	world_sleep(world, fault->machine, length_ns(fault), true, true);
}

BEGIN(leap)
{
	int64_t shortest_ns = 2 * interval_ns(world);

	world_leap(world, fault->machine, world_between(random, shortest_ns, 100 * shortest_ns));
}

BEGIN(drift)
{
	int32_t ppm = (int32_t)world_between(random, -1000, 1000);

	sim_clock_set_rate(&world->machines[fault->machine].clock, ppm, world->now_ns);
	engine_plan(world, fault->machine);
}

/* ---- heartbeat links --------------------------------------------------------------------------- */

static void set_cut(struct world *world, uint8_t machine, bool cut)
{
	for (uint8_t link = 0; link < WORLD_LINKS; link++)
		world->paths[machine][link].cut = cut;
}

BEGIN(cut)
{
	(void)random;
	path_of(world, fault)->cut = true;
}

END(mend)
{
	path_of(world, fault)->cut = false;
}

BEGIN(cut_direction)
{
	(void)random;
	set_cut(world, fault->machine, true);
}

END(mend_direction)
{
	set_cut(world, fault->machine, false);
}

BEGIN(part)
{
	(void)random;
	set_cut(world, 0, true);
	set_cut(world, 1, true);
	(void)fault;
}

END(join)
{
	set_cut(world, 0, false);
	set_cut(world, 1, false);
	(void)fault;
}

/* 30 % on one link, or 10 % on both: the drawn node says which. */
static void set_loss(struct world *world, const struct fault *fault, bool present)
{
	for (uint8_t i = 0; i < HBD_NODES; i++)
		for (uint8_t link = 0; link < WORLD_LINKS; link++) {
			int loss = fault->machine == 0 ? 100 : link == fault->link ? 300 : 0;

			world->paths[i][link].loss_permille = present ? loss : 0;
		}
}

BEGIN(lose)
{
	(void)random;
	set_loss(world, fault, true);
}

END(lose_no_more)
{
	set_loss(world, fault, false);
}

BEGIN(burst)
{
	path_of(world, fault)->burst_begin_permille = (int)world_between(random, 1, 100);
	path_of(world, fault)->burst_end_permille = (int)world_between(random, 20, 500);
}

END(end_bursts)
{
	path_of(world, fault)->burst_begin_permille = 0;
	path_of(world, fault)->in_burst = false;
}

static void set_delay(struct world *world, const struct fault *fault, int64_t delay_ns,
		      int64_t jitter_ns)
{
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		world->paths[i][fault->link].delay_ns = delay_ns;
		world->paths[i][fault->link].jitter_ns = jitter_ns;
	}
}

BEGIN(slow)
{
	(void)random;
	set_delay(world, fault, 3 * HBD_MS_NS, 5 * HBD_MS_NS);
}

END(end_slow)
{
	set_delay(world, fault, 100 * HBD_US_NS, 50 * HBD_US_NS);
}

BEGIN(reorder)
{
	path_of(world, fault)->reorder_permille = (int)world_between(random, 10, 300);
}

END(end_reorder)
{
	path_of(world, fault)->reorder_permille = 0;
}

BEGIN(duplicate)
{
	(void)random;
	path_of(world, fault)->duplicate_permille = 500;
}

END(end_duplicate)
{
	path_of(world, fault)->duplicate_permille = 0;
}

BEGIN(corrupt)
{
	path_of(world, fault)->corrupt_permille = (int)world_between(random, 10, 200);
}

END(end_corrupt)
{
	path_of(world, fault)->corrupt_permille = 0;
}

/* Old packets, some of them to where they came from. */
BEGIN(replay)
{
	const struct world_flights *flights = &world->flights;

	for (int i = 0; i < REPLAYED && flights->record_count > 0; i++) {
		int64_t which = world_between(random, 0, (int64_t)flights->record_count - 1);
		const struct world_flight *old = &flights->records[which];
		bool reflected = world_chance(random, 200);
		int64_t delay_ns = world_between(random, 0, HBD_S_NS);

		world_inject(world, reflected ? (uint8_t)(1 - old->to) : old->to, old->link,
			     old->bytes, old->length, true, delay_ns);
	}
	(void)fault;
}

BEGIN(junk)
{
	const struct world_flights *flights = &world->flights;
	uint8_t bytes[HBD_PACKET_BYTES_MAX];

	for (int i = 0; i < REPLAYED; i++) {
		size_t length = (size_t)world_between(random, 0, sizeof(bytes));

		for (size_t at = 0; at < length; at++)
			bytes[at] = (uint8_t)world_random(random);
		if (flights->record_count > 0 && world_chance(random, 700)) {
			const struct world_flight *old = &flights->records[0];

			length = old->length;
			memcpy(bytes, old->bytes, length);
			bytes[(size_t)world_between(random, 0, (int64_t)length - 1)] ^= 1;
		}
		world_inject(world, fault->machine, fault->link, bytes, length, true,
			     world_between(random, 0, HBD_S_NS));
	}
}

/* ---- clients' LAN ------------------------------------------------------------------------------ */

/* The gateway is on one side. */
BEGIN(part_lan)
{
	(void)random;
	world->lan.apart = true;
	world->lan.strayed[fault->machine] = true;
}

END(join_lan)
{
	world->lan.apart = false;
	world->lan.strayed[fault->machine] = false;
}

BEGIN(cut_port)
{
	(void)random;
	world->lan.cut[fault->machine] = true;
}

END(mend_port)
{
	world->lan.cut[fault->machine] = false;
}

BEGIN(lose_frames)
{
	(void)random;
	(void)fault;
	world->lan.loss_permille = 300;
}

END(lose_no_frames)
{
	(void)fault;
	world->lan.loss_permille = 0;
}

BEGIN(intrude)
{
	(void)random;
	lan_intrude(world, fault->group);
}

END(leave)
{
	world->lan.stranger[fault->group] = false;
}

/* ---- witness ----------------------------------------------------------------------------------- */

BEGIN(cut_witness)
{
	(void)random;
	world->witness.cut[fault->machine] = true;
}

END(mend_witness)
{
	world->witness.cut[fault->machine] = false;
}

BEGIN(fail_witness)
{
	(void)random;
	(void)fault;
	world->witness.down = true;
}

END(raise_witness)
{
	(void)fault;
	world->witness.down = false;
}

BEGIN(slow_witness)
{
	(void)random;
	(void)fault;
	world->witness.slow = true;
}

END(end_slow_witness)
{
	(void)fault;
	world->witness.slow = false;
}

BEGIN(lose_answers)
{
	(void)random;
	(void)fault;
	world->witness.lost_permille = 300;
}

END(lose_no_answers)
{
	(void)fault;
	world->witness.lost_permille = 0;
}

/* ---- addresses, plugins, operators ------------------------------------------------------------- */

BEGIN(lose_carrier)
{
	(void)random;
	world_set_fault(world, fault->machine, fault->group, HBD_FAULT_INTERFACE, true);
}

END(regain_carrier)
{
	world_set_fault(world, fault->machine, fault->group, HBD_FAULT_INTERFACE, false);
}

BEGIN(fail_check)
{
	(void)random;
	world_set_fault(world, fault->machine, fault->group, HBD_FAULT_CHECK, true);
}

END(pass_check)
{
	world_set_fault(world, fault->machine, fault->group, HBD_FAULT_CHECK, false);
}

BEGIN(delete_address)
{
	(void)random;
	world_delete(world, fault->machine, fault->group);
}

BEGIN(add_address)
{
	(void)random;
	world_add(world, fault->machine, fault->group);
}

BEGIN(slow_kernel)
{
	world->machines[fault->machine].hands.slowest_ns =
		world_between(random, HBD_MS_NS, 300 * HBD_MS_NS);
}

END(end_slow_kernel)
{
	world->machines[fault->machine].hands.slowest_ns = 0;
}

BEGIN(fail_kernel)
{
	(void)random;
	world->machines[fault->machine].hands.failure_permille = 200;
}

END(end_fail_kernel)
{
	world->machines[fault->machine].hands.failure_permille = 0;
}

static void set_plugins(struct world *world, int permille)
{
	world->plugin_failure_permille = permille;
	world->plugin_hang_permille = permille;
	world->plugin_again_permille = permille;
}

BEGIN(break_plugins)
{
	(void)fault;
	set_plugins(world, (int)world_between(random, 10, 300));
}

END(mend_plugins)
{
	(void)fault;
	set_plugins(world, 0);
}

BEGIN(switch_over)
{
	(void)random;
	world_event(world, fault->machine,
		    (struct hbd_event){ .type = HBD_EVENT_SWITCHOVER, .group = fault->group });
}

BEGIN(begin_maintenance)
{
	(void)random;
	world_maintain(world, fault->machine, true);
}

END(end_maintenance)
{
	world_maintain(world, fault->machine, false);
}

/* ---- the table --------------------------------------------------------------------------------- */

#define S HBD_S_NS
#define MOMENT HBD_MS_NS

#define ROW(kind, ...) [FAULT_##kind] = { #kind, __VA_ARGS__ }

static const struct fault_row rows[FAULT_COUNT] = {
	ROW(POWER, "power loss", 8 * S, false, power_off, start),
	ROW(KILL, "engine killed", MOMENT, false, kill_engine, NULL),
	ROW(KILL_GUARDIAN, "guardian killed", MOMENT, false, kill_guardian, NULL),
	ROW(KILL_BOTH, "engine and guardian killed", MOMENT, false, kill_both, NULL),
	ROW(STOP, "clean stop", 8 * S, false, stop, start),
	ROW(RESTART, "restart", MOMENT, true, restart, NULL),
	ROW(RESTART_LATE, "restart that takes long", MOMENT, false, restart_late, NULL),
	ROW(FREEZE, "engine frozen", 12 * S, false, freeze, NULL),
	ROW(FREEZE_BOTH, "engine and guardian frozen", 12 * S, false, freeze_both, NULL),
	ROW(STALLS, "stalls", 8 * S, false, stall, end_stalls),
	ROW(HICCUPS, "hiccups", 20 * S, true, hiccup, end_stalls),
	ROW(SUSPEND, "machine suspended", 12 * S, false, suspend, NULL),
	ROW(PAUSE, "machine paused, its clock too", 8 * S, false, pause_machine, NULL),
	ROW(PAUSE_MAIL, "paused, packets wait", 8 * S, false, pause_with_mail, NULL),
	ROW(LEAP, "clock leaps", MOMENT, false, leap, NULL),
	ROW(DRIFT, "clock drifts", MOMENT, true, drift, NULL),
	ROW(CUT, "one direction of a link cut", 8 * S, true, cut, mend),
	ROW(DEAF, "one direction of all links cut", 8 * S, false, cut_direction,
			 mend_direction),
	ROW(APART, "all links cut", 20 * S, false, part, join),
	ROW(LOSSY, "loss", 8 * S, true, lose, lose_no_more),
	ROW(BURSTS, "bursts of loss", 8 * S, true, burst, end_bursts),
	ROW(SLOW, "delay", 8 * S, true, slow, end_slow),
	ROW(REORDERS, "reordering", 8 * S, true, reorder, end_reorder),
	ROW(DOUBLES, "duplicates", 8 * S, true, duplicate, end_duplicate),
	ROW(CORRUPTS, "corruption", 8 * S, true, corrupt, end_corrupt),
	ROW(REPLAY, "replay", MOMENT, true, replay, NULL),
	ROW(JUNK, "junk", MOMENT, true, junk, NULL),
	ROW(LAN, "LAN cut", 20 * S, true, part_lan, join_lan),
	ROW(PORT, "LAN port cut", 8 * S, true, cut_port, mend_port),
	ROW(LAN_LOSSY, "loss on the LAN", 8 * S, true, lose_frames, lose_no_frames),
	ROW(STRANGER, "stranger answers", 8 * S, true, intrude, leave),
	ROW(WITNESS_CUT, "witness not reached", 20 * S, true, cut_witness, mend_witness),
	ROW(WITNESS_DOWN, "witness down", 8 * S, true, fail_witness, raise_witness),
	ROW(WITNESS_SLOW, "witness slow", 8 * S, true, slow_witness, end_slow_witness),
	ROW(WITNESS_LOSSY, "answers of the witness lost", 8 * S, true, lose_answers,
				  lose_no_answers),
	ROW(CARRIER, "carrier lost", 8 * S, false, lose_carrier, regain_carrier),
	ROW(CHECK, "check fails", 8 * S, false, fail_check, pass_check),
	ROW(DELETED, "address deleted", MOMENT, true, delete_address, NULL),
	ROW(ADDED, "address added", MOMENT, true, add_address, NULL),
	ROW(KERNEL_SLOW, "slow kernel", 8 * S, true, slow_kernel, end_slow_kernel),
	ROW(KERNEL_FAILS, "kernel refuses", 8 * S, false, fail_kernel, end_fail_kernel),
	ROW(PLUGINS, "plugins fail", 8 * S, false, break_plugins, mend_plugins),
	ROW(SWITCHOVER, "switchover", MOMENT, false, switch_over, NULL),
	ROW(MAINTENANCE, "maintenance", 20 * S, false, begin_maintenance, end_maintenance),
};

const struct fault_row *fault_row(enum fault_kind kind)
{
	assert(kind > FAULT_UNSET && kind < FAULT_COUNT);
	return &rows[kind];
}
