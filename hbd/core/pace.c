#include "pace.h"

#include "profile.h"
#include "time.h"

#define WINDOW_NS (10 * HBD_S_NS)
#define NONE INT64_MIN
#define LEAD_NS_MAX (INT64_MAX / 4)	/* a larger one is of no clock, but of a damaged recording */

void hbd_pace_init(struct hbd_pace *pace)
{
	*pace = (struct hbd_pace){ .lead_ns = { NONE, NONE } };
}

static int64_t larger(int64_t a_ns, int64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

/* What both clocks may err in rate since the largest lead was seen. */
static int64_t drift_ns(const struct hbd_pace *pace, int64_t received_ns)
{
	return 2 * ((received_ns - pace->checked_ns) / HBD_RHO_INVERSE);
}

static void turn_window(struct hbd_pace *pace, int64_t received_ns)
{
	if (received_ns - pace->began_ns < WINDOW_NS)
		return;
	pace->lead_ns[1] = pace->lead_ns[0];
	pace->lead_ns[0] = NONE;
	pace->began_ns = received_ns;
}

int64_t hbd_pace_take(struct hbd_pace *pace, int64_t peer_ns, int64_t received_ns,
		      int64_t tolerance_ns)
{
	int64_t lead_ns = peer_ns - received_ns;
	int64_t before_ns = larger(pace->lead_ns[0], pace->lead_ns[1]);
	int64_t stood_ns = 0;

	/* packets of several links come in any order */
	if (before_ns > -LEAD_NS_MAX && before_ns < LEAD_NS_MAX &&
	    received_ns >= pace->checked_ns)
		stood_ns = lead_ns - before_ns - drift_ns(pace, received_ns);
	turn_window(pace, received_ns);
	pace->lead_ns[0] = larger(pace->lead_ns[0], lead_ns);
	pace->checked_ns = larger(pace->checked_ns, received_ns);
	return stood_ns >= tolerance_ns ? stood_ns : 0;
}
