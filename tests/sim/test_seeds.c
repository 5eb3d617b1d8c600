/*
 * Two real cores in a hostile world, seed after seed.
 *
 *	test_seeds [-n COUNT] [-f FIRST] [-p PROFILE] [-h HOURS] [-k NUMBER,...] [-s] [-v]
 *	test_seeds -b NAME [-v]
 *
 * Without -p each seed draws its profile. -h runs each seed for so many hours of simulated time
 * instead of one storm; that is at lan, with other profiles for as many heartbeats. -v shows the
 * faults with their numbers, every change of role and every alert; -k lets only the faults of these
 * numbers happen; -s shrinks the list of faults of a seed that fails, and prints the command that
 * runs what is left. -b runs a bug of named.h. Every 50th seed is run twice, and must be the same
 * run. Without arguments all bugs of named.h run first, then 1000 seeds, or 300 with sanitizers.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "named.h"
#include "run.h"
#include "shrink.h"

#define SEEDS (RUN_IS_SLOW ? 300 : 1000)
#define KEPT_MAX 256
#define TWICE_EVERY 50
#define LAN_INTERVAL_NS (100 * HBD_MS_NS)

struct options {
	unsigned long count, first;
	enum hbd_profile_name profile;
	bool shrink;
	const char *bug;
	uint32_t kept[KEPT_MAX];
	struct run_plan plan;
};

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void parse_kept(struct options *options, const char *text)
{
	char *end = NULL;

	for (; options->plan.kept_count < KEPT_MAX; text = end + 1) {
		options->kept[options->plan.kept_count++] = (uint32_t)strtoul(text, &end, 10);
		if (*end != ',')
			break;
	}
	options->plan.kept = options->kept;
}

static bool parse(struct options *options, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "n:f:p:h:k:b:sv")) != -1) {
		if (option == 'n')
			options->count = strtoul(optarg, NULL, 10);
		else if (option == 'f')
			options->first = strtoul(optarg, NULL, 10);
		else if (option == 'p')
			options->profile = hbd_profile_parse(optarg);
		else if (option == 'h')
			options->plan.length_ns = (int64_t)(strtod(optarg, NULL) * 3600e9);
		else if (option == 'k')
			parse_kept(options, optarg);
		else if (option == 'b')
			options->bug = optarg;
		else if (option == 's')
			options->shrink = true;
		else if (option == 'v')
			options->plan.trace = true;
		else
			return false;
	}
	return true;
}

static void tell_violation(const struct run_plan *plan, const struct run_result *result)
{
	printf("not ok seed %llu: %s: %s, group %u, at %.3f ms; repeat: test_seeds -n 1 -f %llu -p %s"
	       " -v, or shrink it: -s\n", (unsigned long long)plan->seed,
	       check_text(result->violated), result->violation, result->group,
	       (double)result->violated_ns / 1e6, (unsigned long long)plan->seed,
	       hbd_profile_text(plan->profile));
}

/* True if all is well. */
static bool run_one(const struct options *options, const struct run_plan *plan,
		    struct run_result *ret_result)
{
	struct run_result result = run_seed(plan);

	*ret_result = result;
	if (result.violation != NULL) {
		tell_violation(plan, &result);
		if (options->shrink)
			shrink_and_print(plan, &result);
		return false;
	}
	if (plan->seed % TWICE_EVERY != 0 || run_seed(plan).hash == result.hash)
		return true;
	printf("not ok seed %llu is not the same run twice\n", (unsigned long long)plan->seed);
	return false;
}

/* How many of the bugs that were found are back. */
static unsigned long run_named(const struct options *options)
{
	const struct named *named;
	unsigned long failed = 0;

	for (size_t i = 0; (named = named_get(i)) != NULL; i++) {
		struct run_plan plan = named_plan(named);
		struct run_result result;

		if (options->bug && strcmp(options->bug, named->name) != 0)
			continue;
		plan.trace = options->plan.trace;
		result = run_seed(&plan);
		if (result.violation == NULL) {
			printf("ok %s: not that %s\n", named->name, named->bug);
			continue;
		}
		printf("not ok %s: %s: %s: is it again that %s?\n", named->name,
		       check_text(result.violated), result.violation, named->bug);
		failed++;
	}
	return failed;
}

static unsigned long run_seeds(const struct options *options)
{
	unsigned long failed = 0;
	double simulated_s = 0;
	double begun_s = seconds();

	for (unsigned long seed = options->first; seed < options->first + options->count; seed++) {
		struct run_plan plan = options->plan;
		struct run_result result;

		plan.seed = seed;
		plan.profile = options->profile ? options->profile : run_profile(seed);
		plan.length_ns = plan.length_ns / LAN_INTERVAL_NS *
				 hbd_profile_get(plan.profile).interval_ns;
		failed += !run_one(options, &plan, &result);
		simulated_s += (double)result.simulated_ns / 1e9;
	}
	if (failed == 0)
		printf("ok %lu seeds\n", options->count);
	printf("# %.0f simulated seconds, %.0f times real time\n", simulated_s,
	       simulated_s / (seconds() - begun_s));
	return failed;
}

int main(int argc, char **argv)
{
	struct options options = { .count = SEEDS, .first = 1 };
	unsigned long failed = 0;

	if (!parse(&options, argc, argv)) {
		fprintf(stderr, "usage: test_seeds [-n COUNT] [-f FIRST] [-p wan|lan|fast|turbo] "
				"[-h HOURS] [-k NUMBER,...] [-b NAME] [-s] [-v]\n");
		return 2;
	}
	if (sodium_init() < 0)
		return 1;
	if (argc == 1 || options.bug)
		failed = run_named(&options);
	if (!options.bug)
		failed += run_seeds(&options);
	return failed > 0;
}
