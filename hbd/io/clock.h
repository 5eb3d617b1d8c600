/* The clock of the daemon: CLOCK_BOOTTIME, which never goes back and counts suspend. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Both clocks read together, to convert the kernel's receive times, which are CLOCK_REALTIME. */
struct clock_pair {
	int64_t boot_ns;
	int64_t real_ns;
};

/* In real_ns: not known, so that a stamp is of now. */
#define CLOCK_REAL_UNKNOWN INT64_MIN

int64_t clock_now_ns(void);
struct clock_pair clock_read_pair(void);

/* CLOCK_REALTIME was set between two readings: a stamp from before that cannot be converted by a reading
 * after it, and would seem older than it is. A promise must not seem to begin too early. */
bool clock_was_set(const struct clock_pair *before, const struct clock_pair *now);

/* A kernel time stamp on CLOCK_BOOTTIME, clamped to [not_before_ns, pair->boot_ns]. */
int64_t clock_from_real(const struct clock_pair *pair, int64_t real_ns, int64_t not_before_ns);
