/* What there is of drain.h in a build without libbpf: a drain that does not begin. */
#include <errno.h>
#include <stdio.h>

#include "drain.h"

static int refuse(char ret_why[DRAIN_WHY_BYTES])
{
	snprintf(ret_why, DRAIN_WHY_BYTES, "this hbd was built without it (make FENCE=0)");
	return -EOPNOTSUPP;
}

int drain_forward(const struct drain_plan *plan, struct drain **ret_drain,
		  char ret_why[DRAIN_WHY_BYTES])
{
	(void)plan;
	(void)ret_drain;
	return refuse(ret_why);
}

int drain_hold(const struct drain_plan *plan, struct drain **ret_drain,
	       char ret_why[DRAIN_WHY_BYTES])
{
	(void)plan;
	(void)ret_drain;
	return refuse(ret_why);
}

int drain_end(struct drain *drain)
{
	(void)drain;
	return 0;
}

void drain_tally(const struct drain *drain, struct drain_tally *ret_tally)
{
	(void)drain;
	*ret_tally = (struct drain_tally){ 0 };
}

int drain_sweep(const char *instance)
{
	(void)instance;
	return 0;
}
