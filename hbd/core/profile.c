#include "profile.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "time.h"

/* Lh and Lg as DESIGN.md promises them; the rest follows from them in hbd_profile_get(). */
static const struct {
	const char *text;
	int64_t interval_ns;
	int64_t hold_ns;
	int64_t grant_ns;
	int64_t alone_ns;
} profiles[] = {
	[HBD_PROFILE_WAN] = { "wan", 1000 * HBD_MS_NS, 4500 * HBD_MS_NS, 4600 * HBD_MS_NS,
			      15 * HBD_S_NS },
	[HBD_PROFILE_LAN] = { "lan", 100 * HBD_MS_NS, 450 * HBD_MS_NS, 460 * HBD_MS_NS,
			      5 * HBD_S_NS },
	[HBD_PROFILE_FAST] = { "fast", 10 * HBD_MS_NS, 27500 * HBD_US_NS, 28 * HBD_MS_NS,
			       5 * HBD_S_NS },
	[HBD_PROFILE_TURBO] = { "turbo", 2 * HBD_MS_NS, 6500 * HBD_US_NS, 7 * HBD_MS_NS,
				5 * HBD_S_NS },
};

/* Four probes, and a fifth gap for the answer to the last one, fit into the second half of Lg. */
#define PROBE_GAPS 5

struct hbd_profile hbd_profile_get(enum hbd_profile_name name)
{
	assert(name >= HBD_PROFILE_WAN && name <= HBD_PROFILE_TURBO);

	int64_t interval_ns = profiles[name].interval_ns;
	int64_t hold_ns = profiles[name].hold_ns;
	int64_t grant_ns = profiles[name].grant_ns;
	int64_t suspect_ns = hbd_time_max(grant_ns / 2, interval_ns * 3 / 2);

	return (struct hbd_profile){
		.interval_ns = interval_ns,
		.hold_ns = hold_ns,
		.grant_ns = grant_ns,
		.suspect_ns = suspect_ns,
		.probe_gap_ns = (grant_ns - suspect_ns) / PROBE_GAPS,
		.quiet_ns = hbd_time_max(grant_ns, 100 * HBD_MS_NS),
		.alone_ns = profiles[name].alone_ns,
		/* over, by any clock within rho, before a node that woke up alone may claim */
		.long_ns = profiles[name].alone_ns * 4 / 5,
		.grant_at_once = hold_ns < 4 * interval_ns,
	};
}

enum hbd_profile_name hbd_profile_parse(const char *text)
{
	for (int name = HBD_PROFILE_WAN; name <= HBD_PROFILE_TURBO; name++)
		if (strcmp(text, profiles[name].text) == 0)
			return (enum hbd_profile_name)name;
	return HBD_PROFILE_UNSET;
}

const char *hbd_profile_text(enum hbd_profile_name name)
{
	assert(name >= HBD_PROFILE_WAN && name <= HBD_PROFILE_TURBO);
	return profiles[name].text;
}

int64_t hbd_profile_promise_ns(int64_t term_ns)
{
	const int64_t rho = HBD_RHO_INVERSE;

	assert(term_ns >= 0 && term_ns < HBD_NEVER_NS / (rho + 1));
	return (term_ns * (rho + 1) + rho - 2) / (rho - 1);
}

bool hbd_profile_is_safe(const struct hbd_profile *profile)
{
	return profile->grant_ns >= hbd_profile_promise_ns(profile->hold_ns) &&
	       profile->quiet_ns >= profile->grant_ns &&
	       profile->alone_ns >= hbd_profile_promise_ns(profile->long_ns) &&
	       profile->long_ns >= profile->hold_ns &&
	       2 * profile->suspect_ns >= 3 * profile->interval_ns &&
	       profile->suspect_ns + 4 * profile->probe_gap_ns < profile->grant_ns &&
	       profile->probe_gap_ns > 0;
}
