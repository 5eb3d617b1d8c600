/*
 * Two real cores in a hostile world, seed after seed.
 *
 *	test_seeds [-n COUNT] [-f FIRST] [-p PROFILE] [-v]
 *
 * Without -p each seed draws its profile. -v shows one seed in detail: the faults, every change of
 * role and every alert. A failing seed is printed with the command that repeats it.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

static enum hbd_profile_name profile_of(uint64_t seed)
{
	static const enum hbd_profile_name names[] = {
		HBD_PROFILE_LAN, HBD_PROFILE_LAN, HBD_PROFILE_LAN, HBD_PROFILE_LAN,
		HBD_PROFILE_LAN, HBD_PROFILE_WAN, HBD_PROFILE_WAN, HBD_PROFILE_FAST,
	};

	return names[seed / 7 % (sizeof(names) / sizeof(names[0]))];
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int usage(void)
{
	fprintf(stderr, "usage: test_seeds [-n COUNT] [-f FIRST] [-p wan|lan|fast|turbo] [-v]\n");
	return 2;
}

int main(int argc, char **argv)
{
	unsigned long count = 1000, first = 1, failed = 0;
	enum hbd_profile_name profile = HBD_PROFILE_UNSET;
	bool verbose = false;
	double simulated_s = 0;
	double begun_s = seconds();
	int option;

	while ((option = getopt(argc, argv, "n:f:p:v")) != -1) {
		if (option == 'n')
			count = strtoul(optarg, NULL, 10);
		else if (option == 'f')
			first = strtoul(optarg, NULL, 10);
		else if (option == 'p')
			profile = hbd_profile_parse(optarg);
		else if (option == 'v')
			verbose = true;
		else
			return usage();
	}
	if (sodium_init() < 0)
		return 1;
	for (unsigned long seed = first; seed < first + count; seed++) {
		enum hbd_profile_name name = profile ? profile : profile_of(seed);
		struct run_result result = run_seed(seed, name, MUTANT_NONE, verbose);

		simulated_s += (double)result.simulated_ns / 1e9;
		if (result.violation == NULL)
			continue;
		failed++;
		printf("not ok seed %lu: %s, group %u, at %.3f ms; repeat: "
		       "test_seeds -n 1 -f %lu -p %s -v\n", seed, result.violation, result.group,
		       (double)result.violated_ns / 1e6, seed, hbd_profile_text(name));
	}
	if (failed == 0)
		printf("ok %lu seeds\n", count);
	printf("# %.0f simulated seconds, %.0f times real time\n", simulated_s,
	       simulated_s / (seconds() - begun_s));
	return failed > 0;
}
