/*
 * What goes wrong, and when: a schedule drawn from the seed. Each seed draws the kinds of faults it
 * uses, so that some runs are stormy in one way only (swarm testing); some draw only such as must
 * not move anything. What a kind does is in fault_kinds.c, one row of a table each.
 */
#pragma once

#include "world.h"

#define FAULTS_MAX 64

enum fault_kind {
	FAULT_UNSET = 0,
	/* machines and processes */
	FAULT_POWER,		/* a machine loses power; later it starts again */
	FAULT_KILL,		/* its engine is killed */
	FAULT_KILL_GUARDIAN,	/* its guardian is killed */
	FAULT_KILL_BOTH,	/* engine and guardian */
	FAULT_STOP,		/* clean stop; later a start */
	FAULT_RESTART,		/* stopped, and another process goes on within the pause */
	FAULT_RESTART_LATE,	/* ... or after it, or never in time */
	FAULT_FREEZE,		/* its engine does not run for a while */
	FAULT_FREEZE_BOTH,	/* nor its guardian */
	FAULT_STALLS,		/* the engine is scheduled late now and then, by up to 2 Lg */
	FAULT_HICCUPS,		/* ... by less than half of T */
	FAULT_SUSPEND,		/* the machine does not run, its clock does */
	FAULT_PAUSE,		/* nor does its clock (a virtual machine) */
	FAULT_PAUSE_MAIL,	/* ... and what was sent to it waits for it */
	FAULT_LEAP,		/* its clock skips ahead, by 2 T at least */
	FAULT_DRIFT,		/* its clock's rate becomes another one, within rho */
	/* heartbeat links */
	FAULT_CUT,		/* one direction of one link */
	FAULT_DEAF,		/* one direction of all links */
	FAULT_APART,		/* all links, both directions */
	FAULT_LOSSY,		/* 30 % on one link, or 10 % on both */
	FAULT_BURSTS,		/* all packets of a direction of a link, for some packets */
	FAULT_SLOW,		/* delay and jitter on a link */
	FAULT_REORDERS,		/* some packets take up to 3 T longer */
	FAULT_DOUBLES,		/* duplicates */
	FAULT_CORRUPTS,		/* flipped bits, short packets */
	FAULT_REPLAY,		/* recorded packets are sent again, those of former lives too */
	FAULT_JUNK,		/* random and mangled packets */
	/* clients' LAN */
	FAULT_LAN,		/* the machines do not see each other there, and one not the gateway */
	FAULT_PORT,		/* a machine's port carries nothing */
	FAULT_LAN_LOSSY,	/* 30 % of the frames */
	FAULT_STRANGER,		/* a third machine answers for a group's address */
	/* witness */
	FAULT_WITNESS_CUT,	/* a machine does not reach the witness */
	FAULT_WITNESS_DOWN,	/* nobody does: it answers with errors */
	FAULT_WITNESS_SLOW,	/* seconds now and then */
	FAULT_WITNESS_LOSSY,	/* requests and answers get lost: nobody knows what was done */
	/* addresses, plugins, operators */
	FAULT_CARRIER,		/* the interface of a group's addresses loses carrier */
	FAULT_CHECK,		/* a health check fails */
	FAULT_DELETED,		/* somebody deletes an address */
	FAULT_ADDED,		/* somebody adds one where it does not belong */
	FAULT_KERNEL_SLOW,	/* its kernel takes up to 300 ms for a request */
	FAULT_KERNEL_FAILS,	/* ... and refuses one of five */
	FAULT_PLUGINS,		/* plugins fail, hang, ask to be tried again */
	FAULT_SWITCHOVER,	/* the operator moves a group */
	FAULT_MAINTENANCE,	/* ... and puts a machine into maintenance for a while */
	FAULT_COUNT
};

struct fault {
	enum fault_kind kind;
	uint32_t number;	/* in all of the run, from 1 */
	int64_t begins_ns;
	int64_t ends_ns;
	uint8_t machine;
	uint8_t link;
	uint8_t group;
	bool begun;
	bool over;
};

struct faults {
	size_t count;
	struct fault items[FAULTS_MAX];
	uint32_t drawn;			/* in all of the run */
	bool harmless;			/* only kinds that move nothing */
	uint64_t seed;
	struct world_random random;	/* of the schedule */
};

/* What a kind is, begins and ends; end is NULL where it ends by itself. */
struct fault_row {
	const char *name;	/* "POWER" */
	const char *text;
	int64_t longest_ns;
	bool harmless;		/* alone or with others of these it moves no group */
	void (*begin)(struct world *world, const struct fault *fault, struct world_random *random);
	void (*end)(struct world *world, const struct fault *fault);
};

const struct fault_row *fault_row(enum fault_kind kind);

void faults_init(struct faults *faults, uint64_t seed);

/* Draws a schedule for [from_ns, until_ns) in place of the last; all are over at until_ns. */
void faults_draw(struct faults *faults, int64_t from_ns, int64_t until_ns, uint8_t group_count);

/* These, instead of drawn ones. */
void faults_give(struct faults *faults, const struct fault *given, size_t count);

/* Leaves only those whose numbers are among the count kept ones. */
void faults_keep(struct faults *faults, const uint32_t *kept, size_t count);

/* Begins and ends what is due; returns when it wants to be called next. */
int64_t faults_apply(struct faults *faults, struct world *world);

/* Ends all that has begun, and starts what does not run. */
void faults_heal(struct faults *faults, struct world *world);

void faults_print(const struct faults *faults);

/* As rows for named.c. */
void faults_print_rows(const struct faults *faults);
