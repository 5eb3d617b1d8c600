/*
 * What goes wrong, and when: a schedule drawn from the seed. Each seed draws the kinds of faults it
 * uses, so that some runs are stormy in one way only (swarm testing).
 */
#pragma once

#include "world.h"

#define FAULTS_MAX 64

enum fault_kind {
	FAULT_UNSET = 0,
	FAULT_POWER,		/* a machine loses power; later it starts again */
	FAULT_KILL,		/* its engine is killed; the guardian starts it again */
	FAULT_KILL_BOTH,	/* engine and guardian; started again by systemd */
	FAULT_STOP,		/* clean stop; later a start */
	FAULT_FREEZE,		/* its engine does not run for a while */
	FAULT_CUT,		/* one direction of one link */
	FAULT_DEAF,		/* one direction of all links */
	FAULT_APART,		/* all links, both directions */
	FAULT_LAN,		/* the clients' LAN does not carry questions either */
	FAULT_LOSSY,		/* 30 % on one link, or 10 % on both */
	FAULT_SLOW,		/* delay and jitter on a link */
	FAULT_DOUBLES,		/* duplicates */
	FAULT_CARRIER,		/* the interface of a group's addresses loses carrier */
	FAULT_CHECK,		/* a health check fails */
	FAULT_DELETED,		/* somebody deletes an address */
	FAULT_SWITCHOVER,	/* the operator moves a group */
	FAULT_REPLAY,		/* recorded packets are sent again */
	FAULT_JUNK,		/* random and mangled packets */
	FAULT_COUNT
};

struct fault {
	enum fault_kind kind;
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
	struct world_random random;
	size_t record_count;		/* packets recorded for replay */
	struct world_flight *records;
};

/* Draws a schedule for [from_ns, until_ns); all faults are over at until_ns. */
void faults_draw(struct faults *faults, uint64_t seed, int64_t from_ns, int64_t until_ns,
		 uint8_t group_count);
void faults_free(struct faults *faults);

/* Begins and ends what is due; returns when it wants to be called next. */
int64_t faults_apply(struct faults *faults, struct world *world);

/* Heals everything and starts what is not running. */
void faults_heal(struct faults *faults, struct world *world);

void faults_print(const struct faults *faults);
