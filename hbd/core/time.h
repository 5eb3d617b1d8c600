/*
 * Instants and durations.
 *
 * Every instant is a signed count of nanoseconds on one clock that never goes back and that counts
 * suspend (the daemon passes CLOCK_BOOTTIME); every duration is a signed count of nanoseconds.
 * Names end in _ns. This header reads no clock: an instant always comes in as an argument.
 */
#pragma once

#include <assert.h>
#include <stdint.h>

/* "No deadline"; later than every instant. */
#define HBD_NEVER_NS INT64_MAX

#define HBD_US_NS ((int64_t)1000)
#define HBD_MS_NS ((int64_t)1000000)
#define HBD_S_NS  ((int64_t)1000000000)

/* instant + duration, duration >= 0; saturates at HBD_NEVER_NS instead of wrapping. */
static inline int64_t hbd_time_add(int64_t instant_ns, int64_t duration_ns)
{
	assert(duration_ns >= 0);
	if (instant_ns > 0 && duration_ns > HBD_NEVER_NS - instant_ns)
		return HBD_NEVER_NS;
	return instant_ns + duration_ns;
}

static inline int64_t hbd_time_min(int64_t a_ns, int64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

static inline int64_t hbd_time_max(int64_t a_ns, int64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}
