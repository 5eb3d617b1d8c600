/*
 * Two cores in the simulator's world. What goes wrong, in which order and when, is the fuzzer's;
 * what may never happen, and what must in the end, is the simulator's (../sim/checker.h).
 *
 * A byte for the profile and four for the seed, which says what is left to chance; then a row of
 * six bytes for each fault. New combinations of what the two nodes are and believe count as
 * coverage, and inputs are mutated and crossed row by row.
 *
 * What it finds is printed as rows for ../sim/named.c, where it stays as a bug with a name.
 */
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sim/run.h"
#include "rows.h"
#include "states.h"

#define HEAD_BYTES 5
#define ROW_BYTES 6
#define STORM_INTERVALS 200
#define STORM_NS (6 * HBD_S_NS)	/* ... or so long, so that a lone node may claim */
#define TICKS 4096		/* of a row's times, to an interval */
#define EXPONENTS 14
#define CALM 0x80		/* in the first byte: what must happen in the end is waited for */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

ROWS_MUTATOR(HEAD_BYTES, ROW_BYTES)

/* ---- input ------------------------------------------------------------------------------------- */

/* A mantissa and an exponent: as many short times as long ones. */
static int64_t parse_time(const uint8_t *data, int64_t interval_ns)
{
	return interval_ns / TICKS * (data[0] + 1) << data[1] % EXPONENTS;
}

/* A fault begins some time after the one before. */
static struct fault parse_row(const uint8_t *data, int64_t interval_ns, int64_t before_ns)
{
	enum fault_kind kind = (enum fault_kind)(1 + data[0] % (FAULT_COUNT - 1));
	int64_t begins_ns = before_ns + parse_time(data + 2, interval_ns);
	int64_t length_ns = parse_time(data + 4, interval_ns);

	return (struct fault){
		.kind = kind,
		.begins_ns = begins_ns,
		.ends_ns = begins_ns + hbd_time_min(length_ns, fault_row(kind)->longest_ns),
		.machine = data[1] & 1,
		.link = data[1] >> 1 & 1,
		.group = data[1] >> 2 & 1,
	};
}

static void parse_rows(const uint8_t *data, size_t size, struct run_plan *plan,
		       struct fault *faults)
{
	int64_t interval_ns = hbd_profile_get(plan->profile).interval_ns;
	int64_t until_ns = hbd_time_max(STORM_INTERVALS * interval_ns, STORM_NS);
	int64_t now_ns = 0;

	plan->given = faults;
	plan->storm_ns = interval_ns;
	for (; size >= ROW_BYTES && plan->given_count < FAULTS_MAX; size -= ROW_BYTES) {
		struct fault fault = parse_row(data, interval_ns, now_ns);

		if (plan->seed % 2 == 0)
			fault.group = 0;	/* there is only one then */
		if (fault.ends_ns > until_ns)
			break;
		faults[plan->given_count++] = fault;
		plan->storm_ns = hbd_time_max(plan->storm_ns, fault.ends_ns);
		now_ns = fault.begins_ns;
		data += ROW_BYTES;
	}
}

/* ---- coverage ---------------------------------------------------------------------------------- */

static uint32_t mix_node(uint32_t hash, const struct world *world, uint8_t machine, uint8_t index)
{
	const struct world_machine *m = &world->machines[machine];

	hash = states_mix(hash, (unsigned)m->life);
	if (m->life == WORLD_DEAD)
		return hash;
	hash = states_mix_group(hash, &m->node, index);
	return states_mix(hash, world_answers(world, machine, index));
}

static void note_states(const struct world *world)
{
	for (uint8_t i = 0; i < world->group_count; i++) {
		uint32_t hash = STATES_BEGIN;

		for (uint8_t machine = 0; machine < HBD_NODES; machine++)
			hash = mix_node(hash, world, machine, i);
		states_note(hash);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum hbd_profile_name profiles[] = {
		HBD_PROFILE_LAN, HBD_PROFILE_FAST, HBD_PROFILE_WAN, HBD_PROFILE_LAN,
	};
	struct fault faults[FAULTS_MAX];
	struct run_plan plan = { .look = note_states };
	struct run_result result;
	uint32_t seed;

	assert(sodium_init() >= 0);
	if (size < HEAD_BYTES)
		return -1;
	memcpy(&seed, data + 1, sizeof(seed));
	plan.seed = seed;
	plan.profile = profiles[data[0] % 4];
	/* half a minute of calm takes too long at fast */
	plan.no_calm = !(data[0] & CALM) || plan.profile == HBD_PROFILE_FAST;
	parse_rows(data + HEAD_BYTES, size - HEAD_BYTES, &plan, faults);
	result = run_seed(&plan);
	if (!result.violation)
		return 0;
	plan.rows = true;
	plan.trace = true;
	run_seed(&plan);
	printf("seed %llu, %s: %s: %s, group %u, at %.3f ms\n", (unsigned long long)plan.seed,
	       hbd_profile_text(plan.profile), check_text(result.violated), result.violation,
	       result.group, (double)result.violated_ns / 1e6);
	fflush(stdout);
	abort();
}
