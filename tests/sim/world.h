/*
 * A world for two real cores: one virtual time, per node a machine with a clock of its own, a
 * kernel with addresses and a fence, and the processes that hbd has there; links that lose, delay,
 * reorder, duplicate and corrupt; a switch with clients that remember who answered.
 *
 * Everything random comes from one seed, so a seed repeats a run exactly. The world only carries
 * out; what may not happen is checked outside of it (checker.h), what goes wrong when is decided in
 * faults.h.
 *
 *	flight.h	packets under way	kernel.h	addresses, fence, announcements
 *	machine.h	power and processes	lan.h		the switch and its clients
 *	jobs.h		what is due later	clock.h		a machine's clock
 *	witness.h	the register that breaks ties
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../hbd/core/node.h"
#include "../../hbd/core/time.h"
#include "../../hbd/flight/recorder.h"
#include "clock.h"
#include "flight.h"
#include "jobs.h"
#include "kernel.h"
#include "lan.h"
#include "machine.h"
#include "random.h"
#include "witness.h"

struct world;

/* Sees every action before it is carried out. */
typedef void (*world_watch)(void *context, const struct world *world, uint8_t machine,
			    const struct hbd_action *action);

/* Ways to break the world, to see that the checker notices. */
struct world_mutant {
	int64_t overtime_ns;		/* addresses answer that long after their lease */
	bool deaf_to_announcements_after_first;	/* of a claim's */
	bool deaf_fence;		/* it is told of no lease but the first */
	bool forger;			/* says of some packets that they are forged */
	bool disobedient;		/* engines do not learn of maintenance */
	bool hasty_guardian;		/* says that a plugin ended before it did */
	bool no_epoch_file;		/* numbers of a former life are used again */
};

/* Sees every packet before an engine takes it in, and after; received_ns: own clock of that node. */
typedef void (*world_packet_watch)(void *context, const struct world *world,
				   const struct world_flight *flight, int64_t received_ns,
				   bool taken);

struct world {
	int64_t now_ns;
	struct world_random random;
	uint64_t hash;			/* of all that happened */
	enum hbd_profile_name profile;
	uint64_t versions;		/* which process speaks which; 0 = all the first one */
	uint8_t group_count;
	struct world_machine machines[HBD_NODES];
	struct world_path paths[HBD_NODES][WORLD_LINKS];	/* by sender */
	struct world_flights flights;
	struct world_jobs jobs;
	struct world_lan lan;
	struct world_witness witness;
	struct hbd_actions actions;
	uint64_t steps;
	uint64_t changes;		/* of role */
	uint64_t faults_begun;
	uint64_t faults_over;
	uint64_t stalls;		/* of engines, by more than a quarter of T */
	int plugin_failure_permille;
	int plugin_again_permille;	/* "try again" */
	int plugin_hang_permille;	/* until it is killed */
	bool trace;			/* print changes and alerts */
	struct world_mutant mutant;
	struct flight_recorder *recorders[HBD_NODES];	/* with a ring; NULL = nothing is recorded */
	uint64_t recorded_steps[HBD_NODES];
	uint64_t recorded_steps_max;	/* in the next one the recorder ends, as if its process did */
	world_watch watch;
	world_packet_watch packet_watch;
	void *watch_context;		/* of both */
};

struct world *world_new(uint64_t seed, enum hbd_profile_name profile, uint8_t group_count);
void world_free(struct world *world);

/* Does the next thing that happens before until_ns; false, with the time set to it, if none. */
bool world_advance(struct world *world, int64_t until_ns);
void world_run(struct world *world, int64_t until_ns);

/* The machine's own clock. */
static inline int64_t world_clock(const struct world *world, uint8_t machine)
{
	return sim_clock_read(&world->machines[machine].clock, world->now_ns);
}

/* What the machine answers for at this instant: address there, fence open, machine awake. */
static inline bool world_answers(const struct world *world, uint8_t machine, uint8_t group)
{
	const struct world_machine *m = &world->machines[machine];
	const struct world_kernel *kernel = &m->kernel[group];

	return m->power == WORLD_ON && kernel->present &&
	       world_clock(world, machine) < kernel->until_ns;
}

/* What it takes in, and answers, of what is sent to it: more than it answers for, during a drain. */
static inline bool world_takes(const struct world *world, uint8_t machine, uint8_t group)
{
	const struct world_machine *m = &world->machines[machine];
	const struct world_kernel *kernel = &m->kernel[group];

	return world_answers(world, machine, group) ||
	       (m->power == WORLD_ON && kernel->present &&
		world_clock(world, machine) < kernel->accept_ns);
}

/* Stirs what happened into the world's hash. */
static inline void world_note(struct world *world, uint64_t what)
{
	world->hash = (world->hash ^ what) * UINT64_C(0x100000001b3);
}
