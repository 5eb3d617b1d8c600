#include "clock.h"

#include <assert.h>
#include <time.h>

#include "../core/time.h"

#define PAIR_TRIES 4
#define PAIR_NS_MAX (20 * HBD_US_NS) /* two readings further apart were interrupted */
#define SLEW_INVERSE 1000	     /* a clock that is adjusted runs so much faster or slower */
#define SET_NS_MIN (100 * HBD_US_NS)

static int64_t read_clock(clockid_t id)
{
	struct timespec now;
	int r = clock_gettime(id, &now);

	assert(r == 0);
	return now.tv_sec * HBD_S_NS + now.tv_nsec;
}

int64_t clock_now_ns(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

struct clock_pair clock_read_pair(void)
{
	struct clock_pair pair;
	int64_t before_ns = clock_now_ns();

	for (int i = 0; i < PAIR_TRIES; i++) {
		pair.real_ns = read_clock(CLOCK_REALTIME);
		pair.boot_ns = clock_now_ns();
		if (pair.boot_ns - before_ns <= PAIR_NS_MAX)
			break;
		before_ns = pair.boot_ns;
	}
	return pair;
}

/* What is taken for set and was not costs nothing but the precision of one turn's receive times. */
bool clock_was_set(const struct clock_pair *before, const struct clock_pair *now)
{
	int64_t passed_ns = now->boot_ns - before->boot_ns;
	int64_t slewed_ns = SET_NS_MIN + passed_ns / SLEW_INVERSE, set_ns;

	if (__builtin_sub_overflow(now->real_ns, before->real_ns, &set_ns) ||
	    __builtin_sub_overflow(set_ns, passed_ns, &set_ns))
		return true;
	return set_ns > slewed_ns || set_ns < -slewed_ns;
}

int64_t clock_from_real(const struct clock_pair *pair, int64_t real_ns, int64_t not_before_ns)
{
	int64_t age_ns;

	if (real_ns >= pair->real_ns)
		return pair->boot_ns;
	if (__builtin_sub_overflow(pair->real_ns, real_ns, &age_ns) ||
	    age_ns > pair->boot_ns - not_before_ns)
		return hbd_time_min(not_before_ns, pair->boot_ns);
	return pair->boot_ns - age_ns;
}
