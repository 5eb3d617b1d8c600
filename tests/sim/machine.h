/*
 * A machine: power, a clock, a kernel, and the processes of hbd as far as they matter here.
 *
 * The engine runs the real core. The guardian starts it, looks for its progress, and when it is
 * dead closes the fence, removes the addresses, sends the last will three times and starts another
 * after a pause that doubles. The service manager starts a guardian that died. An engine whose
 * guardian is gone hands over and ends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../hbd/core/node.h"
#include "clock.h"
#include "flight.h"
#include "kernel.h"
#include "lan.h"

#define WORLD_INBOX_MAX 256

struct world;

enum world_power {
	WORLD_OFF = 0,		/* what the kernel knew is lost */
	WORLD_ON,
	WORLD_ASLEEP,		/* suspended or paused: nothing runs, nothing answers */
};

enum world_life {
	WORLD_UNSET = 0,
	WORLD_DEAD,		/* no such process */
	WORLD_RUNNING,
	WORLD_FROZEN,		/* it does not run; the kernel does */
};

struct world_guardian {
	enum world_life life;
	uint64_t lives;			/* how often it was started */
	int64_t wakes_ns;		/* FROZEN: until then, world time */
	int64_t back_off_ns;		/* last pause before an engine was started */
	int64_t engine_began_ns;
	int64_t stale_ns;		/* progress that was found too old once; 0 = none */
};

struct world_machine {
	enum world_power power;
	int64_t resumes_ns;		/* ASLEEP: until then, world time */
	bool keeps_mail;		/* ASLEEP: packets wait for it */
	enum world_life life;		/* of the engine */
	uint64_t lives;			/* how often it was started ... */
	uint64_t guarded;		/* ... and by which guardian's life */
	int64_t wakes_ns;		/* FROZEN: until then, world time */
	int stall_permille;		/* so often the engine is not scheduled in time ... */
	int64_t stall_ns;		/* ... for up to so long */
	struct sim_clock clock;
	int64_t deadline_ns;		/* when the engine wants to run, world time */
	int64_t progress_ns;		/* when it last did */
	size_t inbox_count;
	struct world_flight *inbox;	/* arrived while frozen, as in a socket buffer */
	struct world_kernel kernel[WORLD_GROUPS_MAX];
	struct world_hands hands;
	struct world_guardian guardian;
	struct hbd_packet wills[WORLD_LINKS];
	int64_t plugin_ends_ns[WORLD_GROUPS_MAX];	/* of the plugin that runs, world time ... */
	int64_t plugin_due_ns[WORLD_GROUPS_MAX];	/* ... at the latest, own clock */
	uint8_t faults[WORLD_GROUPS_MAX];	/* bits of enum hbd_fault, found again after a start */
	bool maintained;		/* in maintenance, as its disk has it ... */
	bool abstains;			/* ... and as the engine was told */
	bool leaving;			/* its guardian stops it once it has handed over ... */
	bool left;			/* ... as it just said */
	bool stopped;			/* said STOPPED */
	bool paused;			/* said HELD: another process goes on ... */
	int64_t pause_ns;		/* ... so much later */
	uint8_t *state;			/* as the service manager keeps it; NULL = nothing */
	size_t state_bytes;
	bool reborn;			/* said REBORN once */
	struct hbd_node_config config;
	struct hbd_node node;
};

/* Guardian and engine are started, if the machine is awake and there is no guardian. */
void world_start(struct world *world, uint8_t machine);
void world_power_off(struct world *world, uint8_t machine);
/* The engine is killed; with or without its guardian. */
void world_kill(struct world *world, uint8_t machine, bool guardian_too);
void world_kill_guardian(struct world *world, uint8_t machine);
/* The process does not run for a while (SIGSTOP); its kernel does. */
void world_freeze(struct world *world, uint8_t machine, int64_t duration_ns);
void world_freeze_guardian(struct world *world, uint8_t machine, int64_t duration_ns);
/* The operator restarts it, and the next process begins pause_ns after the engine's end. */
void world_restart(struct world *world, uint8_t machine, int64_t pause_ns);
/* The operator stops the service. */
void world_stop(struct world *world, uint8_t machine);
/* The whole machine does not run; with clock_stops as a virtual machine that is paused. */
void world_sleep(struct world *world, uint8_t machine, int64_t duration_ns, bool clock_stops,
		 bool keeps_mail);
/* The clock skips ahead while all runs. */
void world_leap(struct world *world, uint8_t machine, int64_t ahead_ns);

/* Something happens to the engine, if it runs. */
void world_event(struct world *world, uint8_t machine, struct hbd_event event);

/* Carrier and checks: told to the engine, and to the next one. */
void world_set_fault(struct world *world, uint8_t machine, uint8_t group, enum hbd_fault fault,
		     bool present);

/* The operator puts it into maintenance, whether or not the other can serve, or ends it. */
void world_maintain(struct world *world, uint8_t machine, bool on);

/* When something happens next to the machine by itself, world time. */
int64_t machine_next_ns(const struct world_machine *machine);

/* Does it: an engine's TICK, a process that wakes, a machine that resumes. */
void machine_continue(struct world *world, uint8_t machine);

void machine_receive(struct world *world, const struct world_flight *flight);

/* guardian.c: JOB_LOOK, JOB_BURY, JOB_WILL, JOB_ENGINE, JOB_UNIT */
void guardian_look(struct world *world, uint8_t machine);
void guardian_bury(struct world *world, uint8_t machine);
void guardian_send_will(struct world *world, uint8_t machine, uint32_t round);
void guardian_start_engine(struct world *world, uint8_t machine, uint32_t tries);
void guardian_start(struct world *world, uint8_t machine);

/* engine.c */
/* The next process, from what the one before left: false if it cannot. */
bool engine_resume(struct world *world, uint8_t machine);
void machine_pause(struct world *world, uint8_t machine);
void engine_forget(struct world *world, uint8_t machine);
void engine_start(struct world *world, uint8_t machine);
void engine_die(struct world *world, uint8_t machine);
void engine_wake(struct world *world, uint8_t machine);
void engine_tick(struct world *world, uint8_t machine);
/* The instant at which the engine wants to run may be another one on the world's time. */
void engine_plan(struct world *world, uint8_t machine);
