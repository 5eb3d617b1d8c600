/*
 * A world for two real cores: a virtual clock, links that lose, delay, reorder and duplicate, and
 * per node a kernel with addresses, a fence that obeys the lease to the nanosecond, and a guardian.
 *
 * Everything random comes from one seed, so a seed repeats a run exactly. The world only carries
 * out; what may not happen is checked outside of it (checker.h), what goes wrong when is decided in
 * faults.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../hbd/core/node.h"
#include "../../hbd/core/time.h"

#define WORLD_LINKS 2
#define WORLD_GROUPS_MAX 4
#define WORLD_FLIGHTS_MAX 1024
#define WORLD_INBOX_MAX 256
#define WORLD_JOBS_MAX 64

struct world_random {
	uint64_t state;
};

uint64_t world_random(struct world_random *random);
/* Uniform in [low, high]. */
int64_t world_between(struct world_random *random, int64_t low, int64_t high);
/* True with a chance of permille / 1000. */
bool world_chance(struct world_random *random, int permille);

/* One direction of one link. */
struct world_path {
	int loss_permille;
	int duplicate_permille;
	int64_t delay_ns;
	int64_t jitter_ns;
	bool cut;
};

/* A packet under way. */
struct world_flight {
	int64_t arrives_ns;	/* world time; in an inbox: the receiver's clock */
	uint8_t to;
	uint8_t link;
	uint16_t length;
	uint8_t bytes[HBD_PACKET_BYTES_MAX];
};

/* What the kernel of a node does with a group's addresses. */
struct world_kernel {
	bool present;		/* the addresses are there */
	int64_t until_ns;	/* the fence lets them answer until then, on the node's own clock */
	int64_t announced_ns;	/* last announcement, world time; 0 = none in this life */
	uint64_t epoch;		/* of that announcement */
};

enum world_life {
	WORLD_UNSET = 0,
	WORLD_DEAD,		/* no daemon runs */
	WORLD_RUNNING,
	WORLD_FROZEN,		/* the process does not run, the kernel does */
};

struct world_machine {
	enum world_life life;
	bool powered;			/* off: the kernel's state is lost */
	int64_t clock_offset_ns;	/* own clock = offset + world clock * (1 + ppm / 1e6) */
	int32_t clock_ppm;
	int64_t wakes_ns;		/* FROZEN: until then, world time */
	size_t inbox_count;
	struct world_flight *inbox;	/* arrived while frozen, as in a socket buffer */
	struct world_kernel kernel[WORLD_GROUPS_MAX];
	struct hbd_packet wills[WORLD_LINKS];
	bool stopped;			/* said STOPPED */
	struct hbd_node_config config;
	struct hbd_node node;
};

/* A plugin, a netlink batch or a question on the LAN under way: what it will tell, and when. */
struct world_job {
	int64_t ends_ns;
	uint8_t machine;
	uint64_t life;			/* of the machine when it began */
	struct hbd_event event;
};

struct world;

/* Sees every action before it is carried out. */
typedef void (*world_watch)(void *context, const struct world *world, uint8_t machine,
			    const struct hbd_action *action);

struct world {
	int64_t now_ns;
	struct world_random random;
	enum hbd_profile_name profile;
	uint8_t group_count;
	struct world_machine machines[HBD_NODES];
	uint64_t lives[HBD_NODES];	/* how often each process was started */
	struct world_path paths[HBD_NODES][WORLD_LINKS];	/* by sender */
	size_t flight_count;
	struct world_flight *flights;	/* a heap by arrives_ns */
	size_t job_count;
	struct world_job jobs[WORLD_JOBS_MAX];
	struct hbd_actions actions;
	uint64_t steps;
	uint64_t changes;		/* of role */
	bool lan_cut;			/* the machines do not see each other on the clients' LAN */
	int lan_loss_permille;		/* of questions there */
	int refusal_permille;		/* of addresses by the kernel */
	int plugin_failure_permille;
	int plugin_again_permille;	/* "try again" */
	bool trace;			/* print changes and alerts */
	int64_t overtime_ns;		/* a mutant: addresses answer that long after their lease */
	bool deaf_to_announcements_after_first;	/* a mutant: only the first of a claim counts */
	world_watch watch;
	void *watch_context;
};

struct world *world_new(uint64_t seed, enum hbd_profile_name profile, uint8_t group_count);
void world_free(struct world *world);

/* Does the next thing that happens before until_ns; false, with the time set to it, if none. */
bool world_advance(struct world *world, int64_t until_ns);
void world_run(struct world *world, int64_t until_ns);

void world_start(struct world *world, uint8_t machine);
void world_power_off(struct world *world, uint8_t machine);
/* The engine is killed; a guardian that lives removes the addresses and sends the will. */
void world_kill(struct world *world, uint8_t machine, bool guardian_too);
void world_freeze(struct world *world, uint8_t machine, int64_t duration_ns);
void world_event(struct world *world, uint8_t machine, struct hbd_event event);

/* Puts a datagram on the wire now. */
void world_inject(struct world *world, uint8_t to, uint8_t link, const uint8_t *bytes,
		  size_t length, int64_t delay_ns);

/* The machine's own clock, and whether it answers for a group at this instant. */
int64_t world_clock(const struct world *world, uint8_t machine);
bool world_answers(const struct world *world, uint8_t machine, uint8_t group);
