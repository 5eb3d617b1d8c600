/*
 * Programs on an interface's two tc hooks, for fence*.c alone: put there, looked for, put back,
 * taken away. By rtnetlink; only fence_tc*.c know its types.
 *
 * The hooks belong to a clsact qdisc, which is made where there is none. A program is attached with
 * the highest priority, before others of that priority, so that it sees a frame first. It is
 * recognised by its name and handle, which tell the instance, and the name also tells whether
 * the qdisc is ours to remove: so the kernel remembers what a killed process would forget.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fence_shared.h"

struct fence_tc;

/* A loaded program: a descriptor, and the number by which the kernel tells of it. */
struct fence_tc_program {
	int fd;
	uint32_t id;
};

/* What fence_tc_ensure() found. */
enum fence_tc_found {
	FENCE_TC_INTACT = 0,
	FENCE_TC_MISSING,   /* one was not attached, or another was in its place */
	FENCE_TC_DISPLACED, /* another program saw frames first */
};

struct fence_tc_programs {
	struct fence_tc_program ethernet[FENCE_SIDES];
	struct fence_tc_program payload[FENCE_SIDES]; /* for interfaces without Ethernet headers */
};

/* 0, or a negative errno. instance as in fence_open(). */
int fence_tc_open(const char *instance, struct fence_tc **ret_tc);
void fence_tc_close(struct fence_tc *tc);

/*
 * Makes the programs be attached to both hooks, and first. Returns what was found before that (enum
 * fence_tc_found, the later one if both), or a negative errno: -ENODEV, no interface; -EOPNOTSUPP,
 * frames for its addresses enter elsewhere; -EBUSY, something is in the way. fence_tc_why() says
 * what was wrong. may_displace: false = programs that are there but not first are left so, and are
 * -EBUSY.
 */
int fence_tc_ensure(struct fence_tc *tc, int ifindex, const struct fence_tc_programs *programs,
		    bool may_displace);

/* Detaches programs of the instance, whichever they are, and the qdisc if it was made for them and
 * nobody else uses it. Returns how many were detached, or a negative errno. */
int fence_tc_remove(struct fence_tc *tc, int ifindex);

/* What was wrong last; "" if nothing was. Always the same place. */
const char *fence_tc_why(const struct fence_tc *tc);

/* ---- events ----------------------------------------------------------------------------------- */

struct fence_tc_events;

int fence_tc_events_open(struct fence_tc_events **ret_events);
void fence_tc_events_close(struct fence_tc_events *events);
int fence_tc_events_fd(const struct fence_tc_events *events);

/* Reads what waits, up to many. True if an interface came, went or changed, or a hook of one did;
 * also if some events were lost. */
bool fence_tc_events_read(struct fence_tc_events *events);
