#include "loader.h"

#include <stdlib.h>
#include <string.h>

void conf_saw_address(struct conf_loader *loader, const struct conf_sighting *sighting)
{
	if (loader->sighting_count == loader->sighting_room) {
		size_t room = loader->sighting_room ? 2 * loader->sighting_room : 64;
		struct conf_sighting *grown = reallocarray(loader->sightings, room, sizeof(*grown));

		if (!grown) {
			loader->no_memory = true;
			return;
		}
		loader->sightings = grown;
		loader->sighting_room = room;
	}
	loader->sightings[loader->sighting_count++] = *sighting;
}

/* Link-local addresses are told apart by their interface as well (RFC 4007). */
static int compare_addresses(const struct conf_sighting *a, const struct conf_sighting *b)
{
	int order = a->address.family - b->address.family;

	if (order)
		return order;
	if (a->address.family == AF_INET)
		return memcmp(&a->address.v4, &b->address.v4, sizeof(a->address.v4));
	order = memcmp(&a->address.v6, &b->address.v6, sizeof(a->address.v6));
	if (!order && IN6_IS_ADDR_LINKLOCAL(&a->address.v6))
		order = strcmp(a->interface, b->interface);
	return order;
}

static int compare_sightings(const void *a_void, const void *b_void)
{
	const struct conf_sighting *a = a_void, *b = b_void;
	int order = compare_addresses(a, b);

	return order ? order : (a->line > b->line) - (a->line < b->line);
}

/* The later one of two is the mistake. */
static void tell_conflict(struct conf_loader *loader, const struct conf_sighting *first,
			  const struct conf_sighting *second)
{
	const struct conf_sighting *link = first->is_link ? first : second;
	const struct conf_sighting *vip = first->is_link ? second : first;
	char text[INET6_ADDRSTRLEN];

	hbd_address_text(&second->address, text);
	if (first->is_link && second->is_link && first->owner != second->owner)
		conf_mistake(loader, second->line, "link address %s: node \"%s\" has the same on "
			     "line %u; the ends of a link must differ", text, first->owner,
			     first->line);
	else if (first->is_link && second->is_link)
		conf_mistake(loader, second->line, "link address %s: the same as on line %u",
			     text, first->line);
	else if (first->is_link || second->is_link)
		conf_mistake(loader, vip->line, "address %s: node \"%s\" has it as its own, for a "
			     "link (line %u); it cannot move", text, link->owner, link->line);
	else if (first->owner != second->owner)
		conf_mistake(loader, second->line, "address %s: group \"%s\" has it already, on "
			     "line %u", text, first->owner, first->line);
	else
		conf_mistake(loader, second->line, "address %s: the same as on line %u", text,
			     first->line);
}

void conf_check_addresses(struct conf_loader *loader)
{
	struct conf_sighting *sightings = loader->sightings;

	if (loader->sighting_count == 0)
		return;
	qsort(sightings, loader->sighting_count, sizeof(*sightings), compare_sightings);
	for (size_t i = 1; i < loader->sighting_count; i++) {
		if (compare_addresses(&sightings[i - 1], &sightings[i]) == 0)
			tell_conflict(loader, &sightings[i - 1], &sightings[i]);
	}
}
