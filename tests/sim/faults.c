#include "faults.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define PARTING_PARTS 6		/* one storm of so many draws only those below */
#define HARMLESS_PARTS 8	/* one seed of so many draws only harmless kinds */

/* Short ones are as likely as long ones: every order of magnitude gets its share. */
static int64_t draw_duration(struct world_random *random, enum fault_kind kind)
{
	int64_t duration_ns = fault_row(kind)->longest_ns;

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

#define KIND(name) (UINT64_C(1) << FAULT_##name)

/* One of two nodes that restarts and a witness that fails are two votes of three. */
static const uint64_t votes = KIND(WITNESS_CUT) | KIND(WITNESS_DOWN) | KIND(WITNESS_SLOW) |
			      KIND(WITNESS_LOSSY);

static uint64_t harmless_kinds(struct world_random *random)
{
	uint64_t kinds = 0;

	for (int kind = FAULT_UNSET + 1; kind < FAULT_COUNT; kind++)
		if (fault_row((enum fault_kind)kind)->harmless)
			kinds |= UINT64_C(1) << kind;
	return kinds & ~(world_between(random, 0, 1) == 0 ? votes : KIND(RESTART));
}

/* What makes it hard to know who else serves. */
static const uint64_t parting = KIND(APART) | KIND(DEAF) | KIND(LAN) | KIND(FREEZE_BOTH) |
				KIND(KILL) | KIND(SWITCHOVER) | KIND(WITNESS_CUT) |
				KIND(WITNESS_SLOW) | KIND(WITNESS_LOSSY);

/* About half of the kinds; few seeds have all, many have few. */
static uint64_t draw_kinds(struct world_random *random)
{
	uint64_t kinds = world_random(random);

	if (world_between(random, 1, PARTING_PARTS) == 1)
		return parting;
	for (int64_t n = world_between(random, 0, 2); n > 0; n--)
		kinds &= world_random(random);
	return kinds | UINT64_C(1) << world_between(random, 1, FAULT_COUNT - 1);
}

/* Of two links that are cut or lossy at once nothing is left. */
static void spare_a_link(struct fault *fault)
{
	fault->link = 0;
	if (fault->kind == FAULT_LOSSY)
		fault->machine = 1;
}

void faults_init(struct faults *faults, uint64_t seed)
{
	memset(faults, 0, sizeof(*faults));
	faults->seed = seed ^ 0x6661756c7473u;
	faults->random.state = faults->seed;
	faults->harmless = world_between(&faults->random, 1, HARMLESS_PARTS) == 1;
}

void faults_draw(struct faults *faults, int64_t from_ns, int64_t until_ns, uint8_t group_count)
{
	struct world_random *random = &faults->random;
	uint64_t kinds = faults->harmless ? harmless_kinds(random) : draw_kinds(random);
	size_t count = (size_t)world_between(random, 3, FAULTS_MAX);

	faults->count = 0;
	while (faults->count < count) {
		struct fault fault = draw_fault(random, from_ns, until_ns, group_count);

		if (!(kinds & UINT64_C(1) << fault.kind))
			continue;
		if (faults->harmless)
			spare_a_link(&fault);
		fault.number = ++faults->drawn;
		faults->items[faults->count++] = fault;
	}
}

void faults_give(struct faults *faults, const struct fault *given, size_t count)
{
	assert(count <= FAULTS_MAX);
	faults->harmless = false;
	for (faults->count = 0; faults->count < count; faults->count++) {
		faults->items[faults->count] = given[faults->count];
		faults->items[faults->count].number = ++faults->drawn;
	}
}

void faults_keep(struct faults *faults, const uint32_t *kept, size_t count)
{
	size_t left = 0;

	for (size_t i = 0; i < faults->count; i++)
		for (size_t k = 0; k < count; k++)
			if (faults->items[i].number == kept[k]) {
				faults->items[left++] = faults->items[i];
				break;
			}
	faults->count = left;
}

/* How bad it is depends on nothing but the fault: it is the same when others are left out. */
static void begin(struct faults *faults, struct world *world, struct fault *fault)
{
	struct world_random random = {
		.state = faults->seed ^ (uint64_t)fault->begins_ns ^ (uint64_t)fault->kind << 56,
	};

	fault->begun = true;
	world->faults_begun++;
	fault_row(fault->kind)->begin(world, fault, &random);
}

static void end(struct world *world, struct fault *fault)
{
	const struct fault_row *row = fault_row(fault->kind);

	fault->over = true;
	world->faults_over++;
	if (row->end)
		row->end(world, fault);
}

int64_t faults_apply(struct faults *faults, struct world *world)
{
	int64_t next_ns = HBD_NEVER_NS;

	for (size_t i = 0; i < faults->count; i++) {
		struct fault *fault = &faults->items[i];

		if (!fault->begun && world->now_ns >= fault->begins_ns)
			begin(faults, world, fault);
		if (fault->begun && !fault->over && world->now_ns >= fault->ends_ns)
			end(world, fault);
		if (!fault->over)
			next_ns = hbd_time_min(next_ns, fault->begun ? fault->ends_ns
								      : fault->begins_ns);
	}
	return next_ns;
}

void faults_heal(struct faults *faults, struct world *world)
{
	for (size_t i = 0; i < faults->count; i++)
		if (faults->items[i].begun && !faults->items[i].over)
			end(world, &faults->items[i]);
	for (uint8_t machine = 0; machine < HBD_NODES; machine++)
		world_start(world, machine);
	faults->count = 0;
}

void faults_print(const struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->items[i];

		printf("  #%-4u %12.3f .. %12.3f ms  %s: node %u, link %u, group %u\n",
		       fault->number, (double)fault->begins_ns / 1e6, (double)fault->ends_ns / 1e6,
		       fault_row(fault->kind)->text, fault->machine, fault->link, fault->group);
	}
}

void faults_print_rows(const struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->items[i];

		printf("\t\tROW(%s, %lld, %lld, %u, %u, %u),\n", fault_row(fault->kind)->name,
		       (long long)fault->begins_ns, (long long)fault->ends_ns, fault->machine,
		       fault->link, fault->group);
	}
}
