#include "world_internal.h"

#include <assert.h>
#include <string.h>

static void swap(struct world_flight *a, struct world_flight *b)
{
	struct world_flight tmp = *a;

	*a = *b;
	*b = tmp;
}

/* A full queue drops, as a network does. */
static void push(struct world *world, const struct world_flight *flight)
{
	size_t i = world->flight_count;

	if (world->flight_count == WORLD_FLIGHTS_MAX)
		return;
	world->flights[world->flight_count++] = *flight;
	while (i > 0 && world->flights[(i - 1) / 2].arrives_ns > world->flights[i].arrives_ns) {
		swap(&world->flights[i], &world->flights[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

void flight_pop(struct world *world, struct world_flight *ret_flight)
{
	size_t i = 0;

	assert(world->flight_count > 0);
	*ret_flight = world->flights[0];
	world->flights[0] = world->flights[--world->flight_count];
	for (;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
			if (child < world->flight_count &&
			    world->flights[child].arrives_ns < world->flights[least].arrives_ns)
				least = child;
		if (least == i)
			return;
		swap(&world->flights[i], &world->flights[least]);
		i = least;
	}
}

void world_inject(struct world *world, uint8_t to, uint8_t link, const uint8_t *bytes,
		  size_t length, int64_t delay_ns)
{
	struct world_flight flight;

	assert(length <= HBD_PACKET_BYTES_MAX);
	flight.arrives_ns = world->now_ns + delay_ns;
	flight.to = to;
	flight.link = link;
	flight.length = (uint16_t)length;
	memcpy(flight.bytes, bytes, length);
	push(world, &flight);
}

void flight_transmit(struct world *world, uint8_t from, uint8_t link,
		     const struct hbd_packet *packet)
{
	const struct world_path *path = &world->paths[from][link];
	int copies = world_chance(&world->random, path->duplicate_permille) ? 2 : 1;

	if (path->cut)
		return;
	for (int i = 0; i < copies; i++) {
		if (world_chance(&world->random, path->loss_permille))
			continue;
		world_inject(world, (uint8_t)(1 - from), link, packet->bytes, packet->length,
			     path->delay_ns + world_between(&world->random, 0, path->jitter_ns));
	}
}
