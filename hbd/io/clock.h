/* The clock of the daemon: CLOCK_BOOTTIME, which never goes back and counts suspend. */
#pragma once

#include <stdint.h>

/* Both clocks read together, to convert the kernel's receive times, which are CLOCK_REALTIME. */
struct clock_pair {
	int64_t boot_ns;
	int64_t real_ns;
};

int64_t clock_now_ns(void);
struct clock_pair clock_read_pair(void);

/* A kernel time stamp on CLOCK_BOOTTIME, clamped to [not_before_ns, pair->boot_ns]. */
int64_t clock_from_real(const struct clock_pair *pair, int64_t real_ns, int64_t not_before_ns);
