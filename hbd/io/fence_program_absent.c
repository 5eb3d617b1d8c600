/* What there is of fence_program.h in a build without libbpf: a fence that does not open. */
#include <errno.h>
#include <stdio.h>

#include "fence_program.h"

int fence_program_open(size_t addresses, struct fence_program *ret_program,
		       struct fence_refusal *ret_refusal)
{
	(void)addresses;
	(void)ret_program;
	ret_refusal->obstacle = FENCE_BUILT_WITHOUT;
	snprintf(ret_refusal->why, sizeof(ret_refusal->why),
		 "this hbd was built without it (make FENCE=0)");
	return -EOPNOTSUPP;
}

void fence_program_close(struct fence_program *program)
{
	(void)program;
}

int fence_program_set(struct fence_program *program, const struct hbd_address *address,
		      uint8_t group)
{
	(void)program;
	(void)address;
	(void)group;
	return -EOPNOTSUPP;
}

void fence_program_unset(struct fence_program *program, const struct hbd_address *address)
{
	(void)program;
	(void)address;
}

unsigned fence_program_count_before(int ifindex, enum fence_side side)
{
	(void)ifindex;
	(void)side;
	return 0;
}
