#include "faults.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX 256

static const char *const texts[FAULT_COUNT] = {
	[FAULT_UNSET] = "?",
	[FAULT_POWER] = "power loss",
	[FAULT_KILL] = "engine killed",
	[FAULT_KILL_BOTH] = "engine and guardian killed",
	[FAULT_STOP] = "clean stop",
	[FAULT_FREEZE] = "engine frozen",
	[FAULT_CUT] = "one direction of a link cut",
	[FAULT_DEAF] = "one direction of all links cut",
	[FAULT_APART] = "all links cut",
	[FAULT_LAN] = "LAN cut",
	[FAULT_LOSSY] = "loss",
	[FAULT_SLOW] = "delay",
	[FAULT_DOUBLES] = "duplicates",
	[FAULT_CARRIER] = "carrier lost",
	[FAULT_CHECK] = "check fails",
	[FAULT_DELETED] = "address deleted",
	[FAULT_SWITCHOVER] = "switchover",
	[FAULT_REPLAY] = "replay",
	[FAULT_JUNK] = "junk",
};

/* How long a fault of a kind lasts at most. */
static int64_t longest_ns(enum fault_kind kind)
{
	switch (kind) {
	case FAULT_FREEZE:
		return 12 * HBD_S_NS;
	case FAULT_DELETED:
	case FAULT_SWITCHOVER:
		return HBD_MS_NS;
	case FAULT_UNSET:
	case FAULT_POWER:
	case FAULT_KILL:
	case FAULT_KILL_BOTH:
	case FAULT_STOP:
	case FAULT_CUT:
	case FAULT_DEAF:
	case FAULT_APART:
	case FAULT_LAN:
	case FAULT_LOSSY:
	case FAULT_SLOW:
	case FAULT_DOUBLES:
	case FAULT_CARRIER:
	case FAULT_CHECK:
	case FAULT_REPLAY:
	case FAULT_JUNK:
	case FAULT_COUNT:
		break;
	}
	return 8 * HBD_S_NS;
}

/* Short ones are as likely as long ones: every order of magnitude gets its share. */
static int64_t draw_duration(struct world_random *random, enum fault_kind kind)
{
	int64_t duration_ns = longest_ns(kind);

	for (int64_t n = world_between(random, 0, 4); n > 0; n--)
		duration_ns /= 6;
	return world_between(random, duration_ns / 3, duration_ns);
}

/* One draw a statement: the order within an expression is the compiler's, and a seed must be the
 * same run everywhere. */
static struct fault draw_fault(struct world_random *random, int64_t from_ns, int64_t until_ns,
			       uint8_t group_count)
{
	struct fault fault = { 0 };

	fault.kind = (enum fault_kind)world_between(random, 1, FAULT_COUNT - 1);
	fault.begins_ns = world_between(random, from_ns, until_ns - 1);
	fault.machine = (uint8_t)world_between(random, 0, 1);
	fault.link = (uint8_t)world_between(random, 0, WORLD_LINKS - 1);
	fault.group = (uint8_t)world_between(random, 0, group_count - 1);
	fault.ends_ns = hbd_time_min(until_ns,
				     fault.begins_ns + draw_duration(random, fault.kind));
	return fault;
}

void faults_draw(struct faults *faults, uint64_t seed, int64_t from_ns, int64_t until_ns,
		 uint8_t group_count)
{
	uint64_t enabled;
	size_t count;

	memset(faults, 0, sizeof(*faults));
	faults->random.state = seed ^ 0x6661756c7473u;
	faults->records = calloc(RECORDS_MAX, sizeof(*faults->records));
	assert(faults->records != NULL);
	enabled = world_random(&faults->random);
	enabled |= UINT64_C(1) << world_between(&faults->random, 1, FAULT_COUNT - 1);
	count = (size_t)world_between(&faults->random, 3, FAULTS_MAX);
	while (faults->count < count) {
		struct fault fault = draw_fault(&faults->random, from_ns, until_ns, group_count);

		if (enabled & UINT64_C(1) << fault.kind)
			faults->items[faults->count++] = fault;
	}
}

void faults_free(struct faults *faults)
{
	free(faults->records);
	faults->records = NULL;
}

static void set_cut(struct world *world, uint8_t machine, bool cut)
{
	for (uint8_t link = 0; link < WORLD_LINKS; link++)
		world->paths[machine][link].cut = cut;
}

static void set_loss(struct world *world, const struct fault *fault, bool present)
{
	for (uint8_t i = 0; i < HBD_NODES; i++)
		for (uint8_t link = 0; link < WORLD_LINKS; link++) {
			int loss = fault->machine == 0 ? 100 : link == fault->link ? 300 : 0;

			world->paths[i][link].loss_permille = present ? loss : 0;
		}
}

static void set_delay(struct world *world, const struct fault *fault, bool present)
{
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		world->paths[i][fault->link].delay_ns = (present ? 3000 : 100) * HBD_US_NS;
		world->paths[i][fault->link].jitter_ns = (present ? 5000 : 50) * HBD_US_NS;
	}
}

static void set_group_fault(struct world *world, const struct fault *fault, enum hbd_fault kind,
			    bool present)
{
	world_event(world, fault->machine,
		    (struct hbd_event){ .type = HBD_EVENT_FAULT,
					.group = fault->group,
					.fault = { .fault = kind, .present = present } });
}

static void delete_address(struct world *world, const struct fault *fault)
{
	struct world_kernel *kernel = &world->machines[fault->machine].kernel[fault->group];

	/* news of it would wait for a frozen engine; that case is left to the network tests */
	if (!kernel->present || world->machines[fault->machine].life != WORLD_RUNNING)
		return;
	kernel->present = false;
	world_event(world, fault->machine,
		    (struct hbd_event){ .type = HBD_EVENT_MISSING, .group = fault->group });
}

static void record(struct faults *faults, const struct world *world)
{
	for (size_t i = 0; i < world->flight_count && faults->record_count < RECORDS_MAX; i++)
		faults->records[faults->record_count++] = world->flights[i];
}

/* Old packets, some of them to where they came from. */
static void replay(struct faults *faults, struct world *world)
{
	for (int i = 0; i < 50 && faults->record_count > 0; i++) {
		const struct world_flight *old =
			&faults->records[world_between(&faults->random, 0,
						       (int64_t)faults->record_count - 1)];
		bool reflect = world_chance(&faults->random, 200);

		world_inject(world, reflect ? (uint8_t)(1 - old->to) : old->to, old->link,
			     old->bytes, old->length,
			     world_between(&faults->random, 0, HBD_S_NS));
	}
}

static void send_junk(struct faults *faults, struct world *world, const struct fault *fault)
{
	uint8_t bytes[HBD_PACKET_BYTES_MAX];

	for (int i = 0; i < 50; i++) {
		size_t length = (size_t)world_between(&faults->random, 0, sizeof(bytes));

		for (size_t at = 0; at < length; at++)
			bytes[at] = (uint8_t)world_random(&faults->random);
		if (faults->record_count > 0 && faults->records[0].length > 0 &&
		    world_chance(&faults->random, 700)) {
			const struct world_flight *old = &faults->records[0];

			length = old->length;
			memcpy(bytes, old->bytes, length);
			bytes[(size_t)world_between(&faults->random, 0, (int64_t)length - 1)] ^= 1;
		}
		world_inject(world, fault->machine, fault->link, bytes, length,
			     world_between(&faults->random, 0, HBD_S_NS));
	}
}

static void begin(struct faults *faults, struct world *world, const struct fault *fault)
{
	struct world_path *path = &world->paths[fault->machine][fault->link];

	switch (fault->kind) {
	case FAULT_POWER:
		world_power_off(world, fault->machine);
		break;
	case FAULT_KILL:
	case FAULT_KILL_BOTH:
		world_kill(world, fault->machine, fault->kind == FAULT_KILL_BOTH);
		break;
	case FAULT_STOP:
		world_event(world, fault->machine, (struct hbd_event){ .type = HBD_EVENT_STOP });
		break;
	case FAULT_FREEZE:
		world_freeze(world, fault->machine, fault->ends_ns - fault->begins_ns);
		break;
	case FAULT_CUT:
		path->cut = true;
		break;
	case FAULT_DEAF:
		set_cut(world, fault->machine, true);
		break;
	case FAULT_APART:
		set_cut(world, 0, true);
		set_cut(world, 1, true);
		break;
	case FAULT_LAN:
		world->lan_cut = true;
		break;
	case FAULT_LOSSY:
		set_loss(world, fault, true);
		break;
	case FAULT_SLOW:
		set_delay(world, fault, true);
		break;
	case FAULT_DOUBLES:
		path->duplicate_permille = 500;
		break;
	case FAULT_CARRIER:
		set_group_fault(world, fault, HBD_FAULT_INTERFACE, true);
		break;
	case FAULT_CHECK:
		set_group_fault(world, fault, HBD_FAULT_CHECK, true);
		break;
	case FAULT_DELETED:
		delete_address(world, fault);
		break;
	case FAULT_SWITCHOVER:
		world_event(world, fault->machine,
			    (struct hbd_event){ .type = HBD_EVENT_SWITCHOVER,
						.group = fault->group });
		break;
	case FAULT_REPLAY:
		record(faults, world);
		break;
	case FAULT_JUNK:
		record(faults, world);
		send_junk(faults, world, fault);
		break;
	case FAULT_UNSET:
	case FAULT_COUNT:
		break;
	}
}

static void end(struct faults *faults, struct world *world, const struct fault *fault)
{
	struct world_path *path = &world->paths[fault->machine][fault->link];

	switch (fault->kind) {
	case FAULT_POWER:
	case FAULT_KILL:
	case FAULT_KILL_BOTH:
	case FAULT_STOP:
		world_start(world, fault->machine);
		break;
	case FAULT_CUT:
		path->cut = false;
		break;
	case FAULT_DEAF:
		set_cut(world, fault->machine, false);
		break;
	case FAULT_APART:
		set_cut(world, 0, false);
		set_cut(world, 1, false);
		break;
	case FAULT_LAN:
		world->lan_cut = false;
		break;
	case FAULT_LOSSY:
		set_loss(world, fault, false);
		break;
	case FAULT_SLOW:
		set_delay(world, fault, false);
		break;
	case FAULT_DOUBLES:
		path->duplicate_permille = 0;
		break;
	case FAULT_CARRIER:
		set_group_fault(world, fault, HBD_FAULT_INTERFACE, false);
		break;
	case FAULT_CHECK:
		set_group_fault(world, fault, HBD_FAULT_CHECK, false);
		break;
	case FAULT_REPLAY:
		replay(faults, world);
		break;
	case FAULT_FREEZE:
	case FAULT_DELETED:
	case FAULT_SWITCHOVER:
	case FAULT_JUNK:
	case FAULT_UNSET:
	case FAULT_COUNT:
		break;
	}
}

int64_t faults_apply(struct faults *faults, struct world *world)
{
	int64_t next_ns = HBD_NEVER_NS;

	for (size_t i = 0; i < faults->count; i++) {
		struct fault *fault = &faults->items[i];

		if (!fault->begun && world->now_ns >= fault->begins_ns) {
			begin(faults, world, fault);
			fault->begun = true;
		}
		if (fault->begun && !fault->over && world->now_ns >= fault->ends_ns) {
			end(faults, world, fault);
			fault->over = true;
		}
		if (!fault->over)
			next_ns = hbd_time_min(next_ns, fault->begun ? fault->ends_ns
								      : fault->begins_ns);
	}
	return next_ns;
}

void faults_heal(struct faults *faults, struct world *world)
{
	world->lan_cut = false;
	for (uint8_t machine = 0; machine < HBD_NODES; machine++) {
		set_cut(world, machine, false);
		for (uint8_t link = 0; link < WORLD_LINKS; link++) {
			world->paths[machine][link].loss_permille = 0;
			world->paths[machine][link].duplicate_permille = 0;
		}
		world_start(world, machine);
		for (uint8_t group = 0; group < world->group_count; group++) {
			const struct fault here = { .machine = machine, .group = group };

			set_group_fault(world, &here, HBD_FAULT_INTERFACE, false);
			set_group_fault(world, &here, HBD_FAULT_CHECK, false);
		}
	}
	faults->count = 0;
}

void faults_print(const struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->items[i];

		printf("  %10.3f .. %10.3f ms  %s: node %u, link %u, group %u\n",
		       (double)fault->begins_ns / 1e6, (double)fault->ends_ns / 1e6,
		       texts[fault->kind], fault->machine, fault->link, fault->group);
	}
}
