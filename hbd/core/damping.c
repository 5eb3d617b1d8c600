#include "damping.h"

#include "time.h"

uint32_t hbd_damping_merit(const struct hbd_damping *damping, int64_t now_ns)
{
	int64_t age_ns = hbd_time_max(now_ns - damping->counted_ns, 0);
	int64_t halves = age_ns / HBD_DAMPING_HALF_NS;
	int64_t merit;

	if (halves >= 31)
		return 0;
	merit = damping->merit >> halves;
	return (uint32_t)(merit - merit * (age_ns % HBD_DAMPING_HALF_NS) /
					  (2 * HBD_DAMPING_HALF_NS));
}

/* So long after it had this figure it has come down to the one at which damping ends. */
static int64_t decay_ns(uint32_t merit)
{
	int64_t after_ns = 0;

	for (; merit / 2 > HBD_DAMPING_END; merit /= 2)
		after_ns += HBD_DAMPING_HALF_NS;
	return after_ns + 2 * HBD_DAMPING_HALF_NS * (int64_t)(merit - HBD_DAMPING_END) / merit;
}

void hbd_damping_count(struct hbd_damping *damping, int64_t now_ns)
{
	uint32_t merit = hbd_damping_merit(damping, now_ns) + HBD_DAMPING_CHANGE;

	damping->merit = merit < HBD_DAMPING_MOST ? merit : HBD_DAMPING_MOST;
	damping->counted_ns = now_ns;
	if (damping->merit >= HBD_DAMPING_BEGIN || hbd_damping_holds(damping, now_ns))
		damping->until_ns = hbd_time_add(now_ns, decay_ns(damping->merit));
}
