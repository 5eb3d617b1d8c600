#include "clock.h"

#include "../../hbd/core/time.h"

#define MILLION 1000000

int64_t sim_clock_read(const struct sim_clock *clock, int64_t world_ns)
{
	int64_t passed_ns = world_ns - clock->world_ns;

	if (clock->stopped)
		return clock->own_ns;
	return clock->own_ns + passed_ns + passed_ns / 1000 * clock->ppm / (MILLION / 1000);
}

int64_t sim_clock_reaches(const struct sim_clock *clock, int64_t own_ns, int64_t world_ns)
{
	int64_t ahead_ns = own_ns - sim_clock_read(clock, world_ns);

	if (own_ns == HBD_NEVER_NS)
		return HBD_NEVER_NS;
	if (ahead_ns <= 0)
		return world_ns;
	if (clock->stopped)
		return HBD_NEVER_NS;
	/* the rate's first and second order, and a little more than what the divisions round off */
	return world_ns + ahead_ns - ahead_ns / 1000 * clock->ppm / (MILLION / 1000) +
	       ahead_ns / MILLION + 2 * HBD_US_NS;
}

static void rebase(struct sim_clock *clock, int64_t world_ns)
{
	clock->own_ns = sim_clock_read(clock, world_ns);
	clock->world_ns = world_ns;
}

void sim_clock_set_rate(struct sim_clock *clock, int32_t ppm, int64_t world_ns)
{
	rebase(clock, world_ns);
	clock->ppm = ppm;
}

void sim_clock_stop(struct sim_clock *clock, bool stopped, int64_t world_ns)
{
	rebase(clock, world_ns);
	clock->stopped = stopped;
}

void sim_clock_leap(struct sim_clock *clock, int64_t ahead_ns, int64_t world_ns)
{
	rebase(clock, world_ns);
	clock->own_ns += ahead_ns;
}
