#include "shrink.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shrinking {
	struct run_plan plan;
	enum check violated;
	size_t count;
	uint32_t *kept;		/* with these it is still violated */
	uint32_t *tried;
	unsigned runs;
};

static bool still_violated(struct shrinking *shrinking, size_t tried_count)
{
	struct run_plan plan = shrinking->plan;

	plan.kept = shrinking->tried;
	plan.kept_count = tried_count;
	shrinking->runs++;
	return run_seed(&plan).violated == shrinking->violated;
}

/* Leaves out the part [from, to); true if that could be done without. */
static bool leave_out(struct shrinking *shrinking, size_t from, size_t to)
{
	size_t tried_count = 0;

	for (size_t i = 0; i < shrinking->count; i++)
		if (i < from || i >= to)
			shrinking->tried[tried_count++] = shrinking->kept[i];
	if (!still_violated(shrinking, tried_count))
		return false;
	memcpy(shrinking->kept, shrinking->tried, tried_count * sizeof(*shrinking->kept));
	shrinking->count = tried_count;
	return true;
}

/* Ever smaller parts, until not a single one can be left out. */
static void shrink(struct shrinking *shrinking)
{
	size_t size = (shrinking->count + 1) / 2;

	while (size > 0 && shrinking->count > 0) {
		bool smaller = false;

		for (size_t from = 0; from < shrinking->count;) {
			size_t to = from + size < shrinking->count ? from + size : shrinking->count;

			if (leave_out(shrinking, from, to))
				smaller = true;
			else
				from = to;
		}
		if (!smaller)
			size /= 2;
		else if (size > shrinking->count)
			size = shrinking->count;
	}
}

static void print(const struct shrinking *shrinking)
{
	struct run_plan plan = shrinking->plan;

	printf("# %zu faults are enough (%u runs): test_seeds -n 1 -f %llu -p %s%s", shrinking->count,
	       shrinking->runs, (unsigned long long)plan.seed, hbd_profile_text(plan.profile),
	       shrinking->count > 0 ? " -k " : "");
	for (size_t i = 0; i < shrinking->count; i++)
		printf("%s%u", i > 0 ? "," : "", shrinking->kept[i]);
	printf(" -v\n");
	plan.kept = shrinking->kept;
	plan.kept_count = shrinking->count;
	plan.trace = plan.rows = true;
	run_seed(&plan);
}

void shrink_and_print(const struct run_plan *plan, const struct run_result *result)
{
	struct shrinking shrinking = {
		.plan = *plan,
		.violated = result->violated,
		.count = plan->kept ? plan->kept_count : result->faults,
	};

	shrinking.plan.trace = false;
	shrinking.kept = calloc(shrinking.count + 1, sizeof(*shrinking.kept));
	shrinking.tried = calloc(shrinking.count + 1, sizeof(*shrinking.tried));
	assert(shrinking.kept != NULL && shrinking.tried != NULL);
	for (uint32_t i = 0; i < shrinking.count; i++)
		shrinking.kept[i] = plan->kept ? plan->kept[i] : i + 1;
	shrink(&shrinking);
	print(&shrinking);
	free(shrinking.kept);
	free(shrinking.tried);
}
