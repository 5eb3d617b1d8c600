/*
 * A machine's clock (CLOCK_BOOTTIME): an offset, a rate within rho, and what virtual machines do to
 * it. Stopped, it goes on later where it stood; leaping, it skips ahead. It never goes back.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sim_clock {
	int64_t world_ns;	/* at this instant of the world ... */
	int64_t own_ns;		/* ... it showed this */
	int32_t ppm;		/* it gains so much */
	bool stopped;
};

int64_t sim_clock_read(const struct sim_clock *clock, int64_t world_ns);

/*
 * The instant of the world, not before world_ns (which is now), at which it shows own_ns or more:
 * a timer is never early. HBD_NEVER_NS for that, and of a clock that stands.
 */
int64_t sim_clock_reaches(const struct sim_clock *clock, int64_t own_ns, int64_t world_ns);

void sim_clock_set_rate(struct sim_clock *clock, int32_t ppm, int64_t world_ns);
void sim_clock_stop(struct sim_clock *clock, bool stopped, int64_t world_ns);
void sim_clock_leap(struct sim_clock *clock, int64_t ahead_ns, int64_t world_ns);
