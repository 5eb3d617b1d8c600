#include "stalls.h"

#include <assert.h>

bool stalls_add(struct stalls *stalls, size_t processor, struct stalls_span stall,
		struct stalls_span *ret_machine)
{
	struct stalls_span machine = stall;

	assert(processor < stalls->processors && stalls->processors <= STALLS_PROCESSORS_MAX);
	stalls->latest[processor] = stall;
	stalls->count++;
	if (stall.end_ns - stall.begin_ns > stalls->longest_ns)
		stalls->longest_ns = stall.end_ns - stall.begin_ns;
	for (size_t i = 0; i < stalls->processors; i++) {
		if (stalls->latest[i].begin_ns > machine.begin_ns)
			machine.begin_ns = stalls->latest[i].begin_ns;
		if (stalls->latest[i].end_ns < machine.end_ns)
			machine.end_ns = stalls->latest[i].end_ns;
	}
	if (machine.end_ns <= machine.begin_ns)
		return false;
	stalls->machine_count++;
	if (machine.end_ns - machine.begin_ns > stalls->machine_longest_ns)
		stalls->machine_longest_ns = machine.end_ns - machine.begin_ns;
	*ret_machine = machine;
	return true;
}
