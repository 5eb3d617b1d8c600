#include "drain.h"

#include <arpa/inet.h>
#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <drain.skel.h>
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/log.h"
#include "fence_tc_private.h"

/* Behind the fence, which decides first whether there is anything to drain. */
#define PRIORITY 2

/* A filter's handle tells the instance, the group, and whether the qdisc is ours to remove: so the
 * kernel remembers what a killed process would forget. */
#define MADE_QDISC 1u
#define HANDLES (2u * HBD_GROUPS_MAX)

static_assert((HANDLES & (HANDLES - 1)) == 0, "handles of an instance are a block");

struct place {
	int ifindex;
	uint32_t handle;
};

struct drain {
	struct drain_bpf *skeleton;
	struct fence_tc *tc;
	enum fence_side side;
	size_t place_count;
	struct place places[]; /* where it is attached */
};

__attribute__((format(printf, 3, 4)))
static int fail(char ret_why[DRAIN_WHY_BYTES], int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(ret_why, DRAIN_WHY_BYTES, format, arguments);
	va_end(arguments);
	return error;
}

/* ---- one interface ----------------------------------------------------------------------------- */

static uint32_t first_handle(const struct fence_tc *tc)
{
	return tc->handle & ~(HANDLES - 1);
}

static struct bpf_tc_hook hook_of(int ifindex, enum fence_side side)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = ifindex,
		.attach_point = side == FENCE_IN ? BPF_TC_INGRESS : BPF_TC_EGRESS,
	};
}

/* 1 = it was there, 0 = none; or 1 program of the instance is not there any more. */
static int detach(int ifindex, enum fence_side side, uint32_t handle)
{
	const struct bpf_tc_hook hook = hook_of(ifindex, side);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = handle, .priority = PRIORITY);
	int error = bpf_tc_detach(&hook, &options);

	if (error == -ENOENT || error == -ENODEV || error == -EINVAL)
		return 0;
	return error == 0 ? 1 : error;
}

static bool is_attached(int ifindex, enum fence_side side, uint32_t handle)
{
	const struct bpf_tc_hook hook = hook_of(ifindex, side);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = handle, .priority = PRIORITY);

	return bpf_tc_query(&hook, &options) == 0;
}

/* What remains of a qdisc that was made for a drain. */
static void drop_qdisc(struct fence_tc *tc, int ifindex)
{
	struct fence_tc_hook hook;

	for (enum fence_side side = FENCE_IN; side < FENCE_SIDES; side++) {
		if (fence_tc_look(tc, ifindex, side, &hook) != 0 || hook.count + hook.others > 0)
			return;
	}
	fence_tc_delete_qdisc(tc, ifindex);
}

/* Detaches all of the instance from a hook, of one group or of every; adds up what it did. */
static int clear_hook(struct fence_tc *tc, int ifindex, enum fence_side side, uint32_t from,
		      uint32_t count, bool *ret_made)
{
	int detached = 0, error = 0;

	for (uint32_t handle = first_handle(tc) + from; count > 0; handle++, count--) {
		int result = is_attached(ifindex, side, handle) ? detach(ifindex, side, handle) : 0;

		if (result > 0 && (handle & MADE_QDISC))
			*ret_made = true;
		if (result > 0)
			detached++;
		else if (result < 0 && error == 0)
			error = result;
	}
	return error != 0 ? error : detached;
}

static int choose_qdisc(struct drain *drain, int ifindex, bool *ret_made,
			char ret_why[DRAIN_WHY_BYTES])
{
	enum fence_tc_qdisc qdisc;
	enum fence_tc_link link;
	int error = fence_tc_look_link(drain->tc, ifindex, &link);

	if (error == 0 && link != FENCE_TC_LINK_ETHERNET)
		return fail(ret_why, -EOPNOTSUPP, "interface %d is no Ethernet", ifindex);
	if (error == 0)
		error = fence_tc_look_qdisc(drain->tc, ifindex, &qdisc);
	if (error == 0 && qdisc == FENCE_TC_QDISC_OTHER)
		return fail(ret_why, -EBUSY, "interface %d has an ingress qdisc; make it a clsact qdisc",
			    ifindex);
	if (error == 0 && qdisc == FENCE_TC_QDISC_NONE) {
		error = fence_tc_add_qdisc(drain->tc, ifindex);
		*ret_made = error == 0;
	}
	if (error != 0)
		return fail(ret_why, error, "interface %d: %s", ifindex, log_strerror(error));
	return 0;
}

/* The one of the group that is not in use: what is there is replaced, not interrupted. */
static int attach(struct drain *drain, const struct drain_plan *plan, int ifindex, int fd,
		  char ret_why[DRAIN_WHY_BYTES])
{
	const struct bpf_tc_hook hook = hook_of(ifindex, drain->side);
	struct place *place = &drain->places[drain->place_count];
	uint32_t base = first_handle(drain->tc) + 2u * plan->group;
	LIBBPF_OPTS(bpf_tc_opts, options, .priority = PRIORITY, .prog_fd = fd);
	bool made = false;
	int error = choose_qdisc(drain, ifindex, &made, ret_why);

	if (error != 0)
		return error;
	made |= is_attached(ifindex, drain->side, base | MADE_QDISC);
	options.handle = base | (made ? MADE_QDISC : 0);
	if (is_attached(ifindex, drain->side, options.handle))
		options.flags = BPF_TC_F_REPLACE;
	error = bpf_tc_attach(&hook, &options);
	if (error == 0) {
		*place = (struct place){ .ifindex = ifindex, .handle = options.handle };
		drain->place_count++;
		return 0;
	}
	if (made)
		drop_qdisc(drain->tc, ifindex);
	return fail(ret_why, error, "interface %d: cannot attach the program: %s", ifindex,
		    log_strerror(error));
}

/* ---- loading ----------------------------------------------------------------------------------- */

static void put_address(const struct hbd_address *address, struct drain_address *ret_key)
{
	*ret_key = (struct drain_address){ 0 };
	if (address->family == AF_INET6) {
		memcpy(ret_key->bytes, &address->v6, sizeof(address->v6));
		return;
	}
	ret_key->bytes[10] = ret_key->bytes[11] = 0xff;
	memcpy(&ret_key->bytes[12], &address->v4, sizeof(address->v4));
}

static int fill(struct drain_bpf *skeleton, const struct drain_plan *plan)
{
	int addresses = bpf_map__fd(skeleton->maps.drain_addresses);
	int ways = bpf_map__fd(skeleton->maps.drain_ways), error = 0;
	const uint8_t one = 1;

	for (size_t i = 0; i < plan->address_count && error == 0; i++) {
		struct drain_address key;

		put_address(&plan->addresses[i], &key);
		error = bpf_map_update_elem(addresses, &key, &one, BPF_ANY);
	}
	for (size_t i = 0; i < plan->leg_count && error == 0; i++) {
		const struct drain_leg *leg = &plan->legs[i];
		const uint32_t key = (uint32_t)leg->ifindex;
		struct drain_way way = { .own_known = !IN6_IS_ADDR_UNSPECIFIED(&leg->own) };

		memcpy(way.peer, leg->peer, sizeof(way.peer));
		memcpy(way.own.bytes, &leg->own, sizeof(way.own.bytes));
		error = bpf_map_update_elem(ways, &key, &way, BPF_ANY);
	}
	return error;
}

static int load(struct drain *drain, const struct drain_plan *plan)
{
	struct drain_bpf *skeleton;
	int error;

	/* What went wrong is told to the caller, once and in words. */
	libbpf_set_print(NULL);
	skeleton = drain_bpf__open();
	if (!skeleton)
		return -errno;
	drain->skeleton = skeleton;
	skeleton->rodata->drain_until_ns = plan->until_ns;
	error = bpf_map__set_max_entries(skeleton->maps.drain_addresses,
					 (uint32_t)plan->address_count);
	if (error == 0)
		error = bpf_map__set_max_entries(skeleton->maps.drain_ways,
						 (uint32_t)plan->leg_count);
	/* Only who forwards has flows. */
	if (error == 0 && drain->side == FENCE_OUT)
		error = bpf_map__set_max_entries(skeleton->maps.drain_flows, 1);
	if (error == 0)
		error = drain_bpf__load(skeleton);
	return error == 0 ? fill(skeleton, plan) : error;
}

/* ---- both sides -------------------------------------------------------------------------------- */

static int check(const struct drain_plan *plan, enum fence_side side,
		 char ret_why[DRAIN_WHY_BYTES])
{
	static const uint8_t nobody[DRAIN_MAC_BYTES];

	assert(plan->group < HBD_GROUPS_MAX);
	if (plan->address_count == 0 || plan->address_count > UINT32_MAX)
		return fail(ret_why, -EINVAL, "there is no address to drain");
	if (plan->leg_count == 0 || plan->leg_count > UINT32_MAX)
		return fail(ret_why, -EINVAL, "there is no interface to drain on");
	for (size_t i = 0; i < plan->leg_count && side == FENCE_IN; i++) {
		if (memcmp(plan->legs[i].peer, nobody, sizeof(nobody)) == 0)
			return fail(ret_why, -EINVAL, "the peer's Ethernet address is not known");
	}
	return 0;
}

static int start(struct drain *drain, const struct drain_plan *plan, char ret_why[DRAIN_WHY_BYTES])
{
	const struct bpf_program *program;
	int error = fence_tc_open(plan->instance, &drain->tc);

	if (error == 0)
		error = load(drain, plan);
	if (error != 0)
		return fail(ret_why, error, "cannot load the program: %s", log_strerror(error));
	program = drain->side == FENCE_IN ? drain->skeleton->progs.hbd_drain_in
					  : drain->skeleton->progs.hbd_drain_out;
	for (size_t i = 0; i < plan->leg_count && error == 0; i++)
		error = attach(drain, plan, plan->legs[i].ifindex, bpf_program__fd(program), ret_why);
	return error;
}

static int begin(const struct drain_plan *plan, enum fence_side side, struct drain **ret_drain,
		 char ret_why[DRAIN_WHY_BYTES])
{
	int error = check(plan, side, ret_why);
	struct drain *drain;

	if (error != 0)
		return error;
	drain = calloc(1, sizeof(*drain) + plan->leg_count * sizeof(drain->places[0]));
	if (!drain)
		return fail(ret_why, -ENOMEM, "no memory");
	drain->side = side;
	error = start(drain, plan, ret_why);
	if (error != 0) {
		drain_end(drain);
		return error;
	}
	*ret_drain = drain;
	return 0;
}

int drain_forward(const struct drain_plan *plan, struct drain **ret_drain,
		  char ret_why[DRAIN_WHY_BYTES])
{
	return begin(plan, FENCE_IN, ret_drain, ret_why);
}

int drain_hold(const struct drain_plan *plan, struct drain **ret_drain,
	       char ret_why[DRAIN_WHY_BYTES])
{
	return begin(plan, FENCE_OUT, ret_drain, ret_why);
}

int drain_end(struct drain *drain)
{
	int error = 0;

	if (!drain)
		return 0;
	for (size_t i = 0; i < drain->place_count; i++) {
		const struct place *place = &drain->places[i];
		int result = detach(place->ifindex, drain->side, place->handle);

		if (result < 0 && error == 0)
			error = result;
		if (result > 0 && (place->handle & MADE_QDISC))
			drop_qdisc(drain->tc, place->ifindex);
	}
	drain_bpf__destroy(drain->skeleton);
	fence_tc_close(drain->tc);
	free(drain);
	return error;
}

void drain_tally(const struct drain *drain, struct drain_tally *ret_tally)
{
	const volatile struct drain_bpf__bss *shared = drain->skeleton->bss;

	*ret_tally = (struct drain_tally){
		.forwarded = shared->drain_forwarded,
		.last_ns = shared->drain_last_ns,
	};
}

/* ---- what an earlier life left ----------------------------------------------------------------- */

static int sweep_interface(struct fence_tc *tc, int ifindex)
{
	struct fence_tc_hook hook;
	bool made = false;
	int swept = 0;

	for (enum fence_side side = FENCE_IN; side < FENCE_SIDES; side++) {
		int result = fence_tc_look(tc, ifindex, side, &hook);

		if (result == 0 && hook.others > 0)
			result = clear_hook(tc, ifindex, side, 0, HANDLES, &made);
		if (result < 0)
			return result;
		swept += result;
	}
	if (made)
		drop_qdisc(tc, ifindex);
	return swept;
}

int drain_sweep(const char *instance)
{
	struct if_nameindex *interfaces = if_nameindex();
	struct fence_tc *tc = NULL;
	int error = interfaces ? fence_tc_open(instance, &tc) : -errno, swept = 0;

	libbpf_set_print(NULL);
	for (size_t i = 0; error == 0 && interfaces[i].if_index != 0; i++) {
		int result = sweep_interface(tc, (int)interfaces[i].if_index);

		if (result > 0)
			swept += result;
		else if (result < 0 && result != -ENODEV)
			error = result;
	}
	fence_tc_close(tc);
	if_freenameindex(interfaces);
	return error != 0 ? error : swept;
}
