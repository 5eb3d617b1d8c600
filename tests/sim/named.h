/*
 * Bugs that were found, each with the faults that showed it. They stay here, and run with every seed
 * run; a new one is what test_seeds -s prints.
 */
#pragma once

#include "run.h"

struct named {
	const char *name;
	const char *bug;		/* what was wrong */
	uint64_t seed;			/* of the rest of the world */
	enum hbd_profile_name profile;
	const struct fault *faults;
	size_t count;
};

/* NULL past the last one. */
const struct named *named_get(size_t index);

/* The plan that runs it. */
struct run_plan named_plan(const struct named *named);
