#include "fence.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/log.h"
#include "../core/time.h"
#include "fence_state.h"

int fence_open(const char *instance, size_t addresses, struct fence **ret_fence,
	       struct fence_refusal *ret_refusal)
{
	struct fence *fence = calloc(1, sizeof(*fence));
	int error = -ENOMEM;

	*ret_refusal = (struct fence_refusal){ .obstacle = FENCE_FAILED };
	if (fence)
		error = fence_program_open(addresses, &fence->program, ret_refusal);
	if (error == 0)
		error = fence_tc_open(instance, &fence->tc);
	if (error == 0)
		error = fence_tc_events_open(&fence->events);
	if (error == 0) {
		*ret_fence = fence;
		return 0;
	}
	if (ret_refusal->why[0] == '\0')
		snprintf(ret_refusal->why, sizeof(ret_refusal->why), "cannot ask for interfaces: %s",
			 log_strerror(error));
	if (fence) {
		fence_tc_close(fence->tc);
		fence_program_close(&fence->program);
	}
	free(fence);
	return error;
}

void fence_close(struct fence *fence)
{
	if (fence)
		fence_watch_sweep(fence->tc, NULL);
	fence_leave(fence);
}

void fence_leave(struct fence *fence)
{
	if (!fence)
		return;
	fence_tc_events_close(fence->events);
	fence_tc_close(fence->tc);
	fence_program_close(&fence->program);
	fence_table_free(&fence->table);
	free(fence);
}

int fence_sweep(const char *instance)
{
	struct fence_tc *tc;
	int result = fence_tc_open(instance, &tc);

	if (result < 0)
		return result;
	result = fence_watch_sweep(tc, NULL);
	fence_tc_close(tc);
	return result;
}

/* ---- what is fenced ---------------------------------------------------------------------------- */

/* Those of one that the other has not. */
static void unset_missing(struct fence *fence, const struct fence_table *one,
			  const struct fence_table *other)
{
	for (size_t i = 0; i < one->entry_count; i++) {
		if (!fence_table_find(other, &one->entries[i].address))
			fence_program_unset(&fence->program, &one->entries[i].address);
	}
}

static int set_changed(struct fence *fence, const struct fence_table *old,
		       const struct fence_table *new)
{
	int error = 0;

	for (size_t i = 0; i < new->entry_count && error == 0; i++) {
		const struct fence_entry *entry = &new->entries[i];
		const struct fence_entry *before = fence_table_find(old, &entry->address);

		if (!before || before->group != entry->group)
			error = fence_program_set(&fence->program, &entry->address, entry->group);
	}
	return error;
}

static void keep_interfaces(const struct fence_table *old, struct fence_table *new)
{
	for (size_t i = 0; i < new->interface_count; i++) {
		struct fence_interface *interface = &new->interfaces[i];
		const struct fence_interface *before = fence_table_interface(old, interface->name);
		uint32_t groups = interface->groups;

		if (before) {
			*interface = *before;
			interface->groups = groups;
		}
	}
}

static void detach_missing(struct fence *fence, const struct fence_table *old,
			   const struct fence_table *new)
{
	for (size_t i = 0; i < old->interface_count; i++) {
		const struct fence_interface *interface = &old->interfaces[i];
		int result = 0;

		if (interface->ifindex != 0 && !fence_table_interface(new, interface->name))
			result = fence_tc_remove(fence->tc, interface->ifindex);
		if (result < 0)
			log_error("fence: %s stays fenced: %s; it is tried again at the end",
				  interface->name, fence_tc_why(fence->tc));
	}
}

static int refuse_set(struct fence *fence, const struct fence_table *wanted, int error)
{
	struct fence_table *old = &fence->table;

	/* Those that changed their group go back to it. */
	unset_missing(fence, wanted, old);
	set_changed(fence, wanted, old);
	fence->complete = false;
	log_error("fence: cannot set %zu addresses: %s; the %zu that were fenced still are",
		  wanted->entry_count, log_strerror(error), old->entry_count);
	return error;
}

int fence_set(struct fence *fence, const struct hbd_conf *conf)
{
	struct fence_table old = fence->table, new = { 0 };
	int error = fence_table_make(conf, &new);

	if (error == 0)
		error = set_changed(fence, &old, &new);
	if (error != 0) {
		refuse_set(fence, &new, error);
		fence_table_free(&new);
		return error;
	}
	keep_interfaces(&old, &new);
	fence->table = new;
	fence->complete = true;
	fence_check(fence, NULL, NULL);
	detach_missing(fence, &old, &new);
	unset_missing(fence, &old, &new);
	fence_table_free(&old);
	if (!fence->swept && fence_watch_sweep(fence->tc, &fence->table) >= 0)
		fence->swept = true;
	return 0;
}

bool fence_in_force(struct fence *fence, uint8_t group, const char **ret_why)
{
	assert(group < HBD_GROUPS_MAX);
	for (size_t i = 0; fence->complete && i < fence->table.interface_count; i++) {
		const struct fence_interface *interface = &fence->table.interfaces[i];

		if (!(interface->groups >> group & 1) || interface->ifindex == 0 ||
		    interface->attached)
			continue;
		snprintf(fence->why, sizeof(fence->why), "%s: %s", interface->name, interface->why);
		if (ret_why)
			*ret_why = fence->why;
		return false;
	}
	if (!fence->complete && ret_why)
		*ret_why = "its addresses could not be given to the kernel";
	return fence->complete;
}

/* ---- deadlines and counters -------------------------------------------------------------------- */

void fence_renew(struct fence *fence, uint8_t group, int64_t deadline_ns)
{
	assert(group < HBD_GROUPS_MAX);
	atomic_store_explicit(&fence->program.deadlines_ns[FENCE_PACKETS + group], deadline_ns,
			      memory_order_release);
	atomic_store_explicit(&fence->program.deadlines_ns[group], deadline_ns,
			      memory_order_release);
}

void fence_drain(struct fence *fence, uint8_t group, int64_t deadline_ns)
{
	assert(group < HBD_GROUPS_MAX);
	atomic_store(&fence->program.deadlines_ns[group], 0);
	atomic_store(&fence->program.deadlines_ns[FENCE_PACKETS + group], deadline_ns);
}

/* Seen by every processor before anything that comes after, such as a farewell to the peer. */
void fence_close_group(struct fence *fence, uint8_t group)
{
	assert(group < HBD_GROUPS_MAX);
	atomic_store(&fence->program.deadlines_ns[group], 0);
	atomic_store(&fence->program.deadlines_ns[FENCE_PACKETS + group], 0);
}

int64_t fence_deadline_ns(const struct fence *fence, uint8_t group)
{
	assert(group < HBD_GROUPS_MAX);
	return atomic_load(&fence->program.deadlines_ns[group]);
}

void fence_count(const struct fence *fence, uint8_t group, struct fence_tally *ret_tally)
{
	struct fence_tally tally = { 0 };

	assert(group < HBD_GROUPS_MAX);
	for (unsigned i = 0; i < fence->program.processors; i++) {
		const volatile struct fence_counts *counts =
			&fence->program.counts[i * FENCE_SLOTS + group];

		tally.passed_in += counts->passed[FENCE_IN];
		tally.dropped_in += counts->dropped[FENCE_IN];
		tally.passed_out += counts->passed[FENCE_OUT];
		tally.dropped_out += counts->dropped[FENCE_OUT];
	}
	*ret_tally = tally;
}
