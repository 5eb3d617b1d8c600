#include "save.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What is under way or waits is saved without the empty places around it. */
struct save {
	struct world world;
	struct checker checker;
	struct world_flight *flights;		/* by place in the heap */
	struct world_flight *inboxes[HBD_NODES];
};

static struct world_flight *copy(const struct world_flight *from, size_t count)
{
	struct world_flight *to = calloc(count + 1, sizeof(*to));

	assert(to != NULL);
	memcpy(to, from, count * sizeof(*to));
	return to;
}

struct save *save_world(const struct world *world, const struct checker *checker)
{
	const struct world_flights *flights = &world->flights;
	struct save *save = calloc(1, sizeof(*save));

	assert(save != NULL);
	assert(flights->records == NULL);
	save->world = *world;
	save->checker = *checker;
	save->flights = calloc(flights->count + 1, sizeof(*save->flights));
	assert(save->flights != NULL);
	for (size_t i = 0; i < flights->count; i++)
		save->flights[i] = flights->slots[flights->heap[i].slot];
	for (uint8_t i = 0; i < HBD_NODES; i++)
		save->inboxes[i] = copy(world->machines[i].inbox, world->machines[i].inbox_count);
	return save;
}

void restore_world(const struct save *save, struct world *world, struct checker *checker)
{
	*world = save->world;
	*checker = save->checker;
	for (size_t i = 0; i < world->flights.count; i++)
		world->flights.slots[world->flights.heap[i].slot] = save->flights[i];
	for (uint8_t i = 0; i < HBD_NODES; i++)
		memcpy(world->machines[i].inbox, save->inboxes[i],
		       world->machines[i].inbox_count * sizeof(*save->inboxes[i]));
}

void save_free(struct save *save)
{
	free(save->flights);
	for (uint8_t i = 0; i < HBD_NODES; i++)
		free(save->inboxes[i]);
	free(save);
}
