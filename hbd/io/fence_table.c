#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fence_state.h"

/* The two families never meet: memcmp() of one against the other is not asked for. */
static int compare_addresses(const struct hbd_address *a, const struct hbd_address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->family == AF_INET)
		return memcmp(&a->v4, &b->v4, sizeof(a->v4));
	return memcmp(&a->v6, &b->v6, sizeof(a->v6));
}

static int compare_entries(const void *a, const void *b)
{
	const struct fence_entry *left = a, *right = b;

	return compare_addresses(&left->address, &right->address);
}

static size_t count_vips(const struct hbd_conf *conf)
{
	size_t count = 0;

	for (uint8_t i = 0; i < conf->group_count; i++)
		count += conf->groups[i].vip_count;
	return count;
}

static void add_interface(struct fence_table *table, const char *name, uint8_t group)
{
	struct fence_interface *interface = fence_table_interface(table, name);

	if (!interface) {
		interface = &table->interfaces[table->interface_count++];
		memcpy(interface->name, name, sizeof(interface->name));
	}
	interface->groups |= (uint32_t)1 << group;
}

/* An address may be on several interfaces, and is checked to belong to one group only. */
static void drop_doubles(struct fence_table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->entry_count; i++) {
		if (kept == 0 || compare_entries(&table->entries[kept - 1], &table->entries[i]) != 0)
			table->entries[kept++] = table->entries[i];
	}
	table->entry_count = kept;
}

int fence_table_make(const struct hbd_conf *conf, struct fence_table *ret_table)
{
	size_t count = count_vips(conf);
	struct fence_table table = {
		.entries = calloc(count + 1, sizeof(*table.entries)),
		.interfaces = calloc(count + 1, sizeof(*table.interfaces)),
	};

	if (!table.entries || !table.interfaces) {
		fence_table_free(&table);
		return -ENOMEM;
	}
	for (uint8_t i = 0; i < conf->group_count; i++) {
		for (size_t k = 0; k < conf->groups[i].vip_count; k++) {
			const struct hbd_conf_vip *vip = &conf->groups[i].vips[k];

			table.entries[table.entry_count++] =
				(struct fence_entry){ .address = vip->address, .group = i };
			add_interface(&table, vip->interface, i);
		}
	}
	qsort(table.entries, table.entry_count, sizeof(*table.entries), compare_entries);
	drop_doubles(&table);
	*ret_table = table;
	return 0;
}

void fence_table_free(struct fence_table *table)
{
	free(table->entries);
	free(table->interfaces);
	*table = (struct fence_table){ 0 };
}

const struct fence_entry *fence_table_find(const struct fence_table *table,
					   const struct hbd_address *address)
{
	const struct fence_entry key = { .address = *address };

	if (table->entry_count == 0)
		return NULL;
	return bsearch(&key, table->entries, table->entry_count, sizeof(key), compare_entries);
}

struct fence_interface *fence_table_interface(const struct fence_table *table, const char *name)
{
	for (size_t i = 0; i < table->interface_count; i++) {
		if (strcmp(table->interfaces[i].name, name) == 0)
			return &table->interfaces[i];
	}
	return NULL;
}
