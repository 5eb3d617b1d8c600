#include "world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define REORDER_INTERVALS 3
#define FLIPS_MAX 3

void flights_init(struct world_flights *flights)
{
	memset(flights, 0, sizeof(*flights));
	flights->slots = calloc(WORLD_FLIGHTS_MAX, sizeof(*flights->slots));
	assert(flights->slots != NULL);
	for (uint16_t i = 0; i < WORLD_FLIGHTS_MAX; i++)
		flights->free[i] = i;
}

void flights_free(struct world_flights *flights)
{
	free(flights->slots);
	free(flights->records);
}

void flights_record(struct world_flights *flights)
{
	if (flights->records != NULL)
		return;
	flights->records = calloc(WORLD_RECORDS_MAX, sizeof(*flights->records));
	assert(flights->records != NULL);
}

int64_t flights_next_ns(const struct world_flights *flights)
{
	return flights->count > 0 ? flights->heap[0].arrives_ns : HBD_NEVER_NS;
}

/* ---- the heap ---------------------------------------------------------------------------------- */

static bool is_before(const struct world_entry *a, const struct world_entry *b)
{
	return a->arrives_ns != b->arrives_ns ? a->arrives_ns < b->arrives_ns
					      : a->number < b->number;
}

/* A full network drops, as networks do. */
static struct world_flight *push(struct world_flights *flights, int64_t arrives_ns)
{
	struct world_entry entry = { arrives_ns, flights->sent++, 0 };
	size_t i = flights->count;

	if (flights->count == WORLD_FLIGHTS_MAX)
		return NULL;
	entry.slot = flights->free[flights->count++];
	for (; i > 0 && is_before(&entry, &flights->heap[(i - 1) / 2]); i = (i - 1) / 2)
		flights->heap[i] = flights->heap[(i - 1) / 2];
	flights->heap[i] = entry;
	flights->slots[entry.slot].arrives_ns = arrives_ns;
	return &flights->slots[entry.slot];
}

/* The packet stays where it is until the next push. */
static const struct world_flight *pop(struct world_flights *flights)
{
	struct world_entry first = flights->heap[0];
	struct world_entry last = flights->heap[--flights->count];
	size_t i = 0, child;

	assert(flights->count < WORLD_FLIGHTS_MAX);
	for (; (child = 2 * i + 1) < flights->count; i = child) {
		if (child + 1 < flights->count &&
		    is_before(&flights->heap[child + 1], &flights->heap[child]))
			child++;
		if (!is_before(&flights->heap[child], &last))
			break;
		flights->heap[i] = flights->heap[child];
	}
	flights->heap[i] = last;
	flights->free[flights->count] = first.slot;
	return &flights->slots[first.slot];
}

/* ---- what a link does to a packet -------------------------------------------------------------- */

void world_inject(struct world *world, uint8_t to, uint8_t link, const uint8_t *bytes,
		  size_t length, bool forged, int64_t delay_ns)
{
	struct world_flight *flight = push(&world->flights, world->now_ns + delay_ns);

	assert(length <= HBD_PACKET_BYTES_MAX);
	if (flight == NULL)
		return;
	flight->sent_ns = world->now_ns;
	flight->to = to;
	flight->link = link;
	flight->forged = forged;
	flight->length = (uint16_t)length;
	memcpy(flight->bytes, bytes, length);
}

static void corrupt(struct world *world, struct hbd_packet *packet)
{
	int64_t flips = world_between(&world->random, 0, FLIPS_MAX);

	if (flips == 0)
		packet->length = (uint16_t)world_between(&world->random, 0, packet->length - 1);
	for (; flips > 0; flips--) {
		int64_t bit = world_between(&world->random, 0, packet->length * 8 - 1);

		packet->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* Flipped twice, a bit is what it was. */
static bool differs(const struct hbd_packet *a, const struct hbd_packet *b)
{
	return a->length != b->length || memcmp(a->bytes, b->bytes, a->length) != 0;
}

static bool is_lost(struct world *world, struct world_path *path)
{
	if (path->burst_begin_permille > 0 || path->in_burst) {
		int turn = path->in_burst ? path->burst_end_permille : path->burst_begin_permille;

		if (world_chance(&world->random, turn))
			path->in_burst = !path->in_burst;
	}
	return path->in_burst || world_chance(&world->random, path->loss_permille);
}

static int64_t trip_ns(struct world *world, uint8_t from, const struct world_path *path)
{
	int64_t trip_ns = path->delay_ns + world_between(&world->random, 0, path->jitter_ns);

	if (world_chance(&world->random, path->reorder_permille))
		trip_ns += world_between(&world->random, 0, REORDER_INTERVALS *
					 world->machines[from].config.profile.interval_ns);
	return trip_ns;
}

void flight_transmit(struct world *world, uint8_t from, uint8_t link,
		     const struct hbd_packet *packet)
{
	struct world_path *path = &world->paths[from][link];
	uint8_t to = (uint8_t)(1 - from);
	int copies = world_chance(&world->random, path->duplicate_permille) ? 2 : 1;

	if (path->cut)
		return;
	for (int i = 0; i < copies; i++) {
		struct hbd_packet copy;

		if (is_lost(world, path))
			continue;
		if (!world_chance(&world->random, path->corrupt_permille)) {
			world_inject(world, to, link, packet->bytes, packet->length,
				     world->mutant.forger && world_chance(&world->random, 10),
				     trip_ns(world, from, path));
			continue;
		}
		copy = *packet;
		corrupt(world, &copy);
		world_inject(world, to, link, copy.bytes, copy.length, differs(&copy, packet),
			     trip_ns(world, from, path));
	}
}

/* Every packet that was ever delivered has the same chance to be among the recorded. */
static void record(struct world *world, const struct world_flight *flight)
{
	struct world_flights *flights = &world->flights;
	int64_t slot;

	flights->delivered++;
	if (flights->record_count < WORLD_RECORDS_MAX) {
		flights->records[flights->record_count++] = *flight;
		return;
	}
	slot = world_between(&world->random, 0, (int64_t)flights->delivered - 1);
	if (slot < WORLD_RECORDS_MAX)
		flights->records[slot] = *flight;
}

static bool runs(const struct world *world, uint8_t machine)
{
	return world->machines[machine].power == WORLD_ON &&
	       world->machines[machine].life == WORLD_RUNNING;
}

void flight_arrive(struct world *world)
{
	const struct world_flight *flight = pop(&world->flights);
	struct world_flight arrived;

	arrived.arrives_ns = flight->arrives_ns;
	arrived.sent_ns = flight->sent_ns;
	arrived.to = flight->to;
	arrived.link = flight->link;
	arrived.forged = flight->forged;
	arrived.length = flight->length;
	memcpy(arrived.bytes, flight->bytes, flight->length);
	if (world->flights.records != NULL && !flight->forged && runs(world, flight->to))
		record(world, flight);
	machine_receive(world, &arrived);
}
