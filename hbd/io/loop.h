/*
 * The engine's clockwork: it waits for a planned instant or for a descriptor that is ready, and
 * calls for one turn per wake-up, whatever woke it.
 *
 * It knows when it was to wake, so it knows whether it ran late: the machine was busy, the process
 * was stopped, the virtual machine was paused. Sources of lesser importance, such as the control
 * socket, hang on the same sd-event loop and are served when no turn is due.
 *
 * What happens in a turn, and in which order, is engine_turn.c's affair.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "clock.h"

/* sd-event priorities: smaller is served first. */
#define LOOP_PRIORITY_TURN (-100)
#define LOOP_PRIORITY_CONTROL 100

/* Watched descriptors have numbers of the caller's below this. */
#define LOOP_SOURCES 31

struct loop_turn {
	struct clock_pair clock; /* its instant: read before any descriptor is */
	int64_t previous_ns;	 /* instant of the turn before; of loop_open() in the first */
	int64_t late_ns;	 /* behind the plan by more than the tolerance; 0 = in time */
	uint32_t ready;		 /* bit n: source n could be read after the clock was */
};

struct loop_statistics {
	uint64_t turns, late_turns;
	int64_t longest_late_ns; /* of all turns, tolerated ones too */
};

typedef void (*loop_handler)(void *context, const struct loop_turn *turn);

struct loop;

/* tolerance_ns: how late a turn may be without being called late. 0 or a negative errno. */
int loop_open(int64_t tolerance_ns, loop_handler handler, void *context, struct loop **ret_loop);
void loop_close(struct loop *loop);

/* A turn whenever fd can be read. 0 or a negative errno. To be ended before fd is closed, since
 * another process may hold the same socket, which then stays watched. */
int loop_watch(struct loop *loop, uint8_t source, int fd);
void loop_unwatch(struct loop *loop, int fd);

/* No turn for a watched fd while it rests, nor does one say that it is ready. */
void loop_rest(struct loop *loop, uint8_t source, int fd, bool rest);

static inline bool loop_is_ready(const struct loop_turn *turn, uint8_t source)
{
	return turn->ready >> source & 1;
}

/* The next turn is due at deadline_ns, or at once if that has passed; HBD_NEVER_NS: only when a
 * descriptor is ready. */
void loop_plan(struct loop *loop, int64_t deadline_ns);

/* Turns until loop_stop(). 0 or the negative errno that ended it. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* For sources beside the turns; they must never wait. */
sd_event *loop_event(struct loop *loop);

const struct loop_statistics *loop_statistics(const struct loop *loop);
