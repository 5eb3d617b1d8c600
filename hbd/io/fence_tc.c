#include "fence_tc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/log.h"
#include "fence_tc_private.h"

struct hooks {
	struct fence_tc_hook at[FENCE_SIDES];
};

/* A base that another instance hardly has (FNV-1a): not 0, room for the handles after it. */
static uint32_t handle_of(const char *instance)
{
	uint32_t hash = 2166136261u;

	for (; *instance != '\0'; instance++)
		hash = (hash ^ (uint8_t)*instance) * 16777619u;
	return (hash | 0x80000000u) & ~(uint32_t)(FENCE_TC_HANDLES - 1);
}

int fence_tc_open(const char *instance, struct fence_tc **ret_tc)
{
	struct fence_tc *tc = calloc(1, sizeof(*tc));
	int error = -ENOMEM;

	if (!tc)
		return -ENOMEM;
	tc->handle = handle_of(instance);
	tc->socket = nl_socket_alloc();
	if (tc->socket)
		error = fence_tc_connect(tc);
	if (error != 0) {
		fence_tc_close(tc);
		return error;
	}
	*ret_tc = tc;
	return 0;
}

void fence_tc_close(struct fence_tc *tc)
{
	if (!tc)
		return;
	nl_socket_free(tc->socket);
	free(tc);
}

const char *fence_tc_why(const struct fence_tc *tc)
{
	return tc->why;
}

__attribute__((format(printf, 3, 4)))
static int fail(struct fence_tc *tc, int error, const char *format, ...)
{
	char words[FENCE_TC_WHY_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	memcpy(tc->why, words, sizeof(words));
	return error;
}

/* The kernel's own words, or the error's. */
static const char *kernels_words(const struct fence_tc *tc, int error)
{
	return tc->why[0] != '\0' ? tc->why : log_strerror(error);
}

static int look(struct fence_tc *tc, int ifindex, struct hooks *ret_hooks)
{
	struct hooks hooks;
	int error = 0;

	for (enum fence_side side = FENCE_IN; side < FENCE_SIDES && error == 0; side++)
		error = fence_tc_look(tc, ifindex, side, &hooks.at[side]);
	if (error != 0)
		return fail(tc, error, "cannot read the filters: %s", kernels_words(tc, error));
	*ret_hooks = hooks;
	return 0;
}

static bool is_attached(const struct fence_tc_hook *hook, const struct fence_tc_program *program)
{
	return hook->count == 1 && hook->ours[0].program == program->id;
}

static bool is_intact(const struct fence_tc_hook *hook, const struct fence_tc_program *program)
{
	return is_attached(hook, program) && hook->first == hook->ours[0].handle;
}

/* True if the qdisc was made by this instance, in this life or an earlier one. */
static bool made_qdisc(const struct hooks *hooks)
{
	for (enum fence_side side = FENCE_IN; side < FENCE_SIDES; side++) {
		for (size_t i = 0; i < hooks->at[side].count; i++) {
			if (hooks->at[side].ours[i].made_qdisc)
				return true;
		}
	}
	return false;
}

/* 1 = it was there, 0 = it was made. */
static int have_qdisc(struct fence_tc *tc, int ifindex)
{
	enum fence_tc_qdisc qdisc;
	int error = fence_tc_look_qdisc(tc, ifindex, &qdisc);

	if (error != 0)
		return fail(tc, error, "cannot read the qdiscs: %s", kernels_words(tc, error));
	if (qdisc == FENCE_TC_QDISC_CLSACT)
		return 1;
	if (qdisc == FENCE_TC_QDISC_OTHER)
		return fail(tc, -EBUSY, "it has an ingress qdisc, which sees nothing of what leaves; "
			    "make it a clsact qdisc");
	error = fence_tc_add_qdisc(tc, ifindex);
	if (error == -EEXIST)
		return 1;
	if (error != 0)
		return fail(tc, error, "cannot add a clsact qdisc: %s", kernels_words(tc, error));
	return 0;
}

static bool has_handle(const struct fence_tc_hook *hook, uint32_t handle)
{
	for (size_t i = 0; i < hook->count; i++) {
		if (hook->ours[i].handle == handle)
			return true;
	}
	return false;
}

static int explain_add(struct fence_tc *tc, int error, const struct fence_tc_hook *hook)
{
	if (error == -EINVAL && hook->decided && hook->first == 0)
		return fail(tc, -EBUSY, "a %s is in the way; give it a lower one (a larger number)",
			    hook->stranger);
	return fail(tc, error, "cannot attach the program: %s", kernels_words(tc, error));
}

/* The new program comes before all of its priority; what it replaces goes after that. */
static int replace(struct fence_tc *tc, int ifindex, enum fence_side side,
		   const struct fence_tc_program *program, const struct fence_tc_hook *hook,
		   bool made)
{
	struct fence_tc_filter filter = { .program = program->id, .made_qdisc = made };
	int error = -EEXIST;

	for (uint32_t i = 0; i < FENCE_TC_HANDLES && error == -EEXIST; i++) {
		filter.handle = tc->handle + i;
		if (!has_handle(hook, filter.handle))
			error = fence_tc_add(tc, ifindex, side, program->fd, &filter);
	}
	if (error != 0)
		return explain_add(tc, error, hook);
	for (size_t i = 0; i < hook->count; i++) {
		error = fence_tc_delete(tc, ifindex, side, hook->ours[i].handle);
		if (error != 0 && error != -ENOENT)
			return fail(tc, error, "cannot detach the program that was there: %s",
				    kernels_words(tc, error));
	}
	return 0;
}

static int repair(struct fence_tc *tc, int ifindex, const struct fence_tc_program *programs,
		  const struct hooks *hooks)
{
	int there = have_qdisc(tc, ifindex), error = 0;
	bool made = there == 0 || made_qdisc(hooks);

	if (there < 0)
		return there;
	for (enum fence_side side = FENCE_IN; side < FENCE_SIDES && error == 0; side++) {
		if (!is_intact(&hooks->at[side], &programs[side]))
			error = replace(tc, ifindex, side, &programs[side], &hooks->at[side], made);
	}
	/* One that nobody uses must not stay behind. */
	if (error != 0 && there == 0)
		fence_tc_delete_qdisc(tc, ifindex);
	return error;
}

static int choose(struct fence_tc *tc, int ifindex, const struct fence_tc_programs *programs,
		  const struct fence_tc_program **ret_programs)
{
	enum fence_tc_link link;
	int error = fence_tc_look_link(tc, ifindex, &link);

	if (error != 0)
		return fail(tc, error, "cannot read the interface: %s", log_strerror(error));
	if (link == FENCE_TC_LINK_ELSEWHERE)
		return fail(tc, -EOPNOTSUPP, "frames for its addresses enter by other interfaces");
	*ret_programs = link == FENCE_TC_LINK_ETHERNET ? programs->ethernet : programs->payload;
	return 0;
}

/* enum fence_tc_found, with words unless all is well; or -EBUSY. */
static int judge_hook(struct fence_tc *tc, const struct fence_tc_hook *hook,
		      const struct fence_tc_program *program, bool may_displace)
{
	if (is_intact(hook, program))
		return FENCE_TC_INTACT;
	if (hook->count == 0)
		return fail(tc, FENCE_TC_MISSING, "its programs had been removed");
	if (!is_attached(hook, program))
		return fail(tc, FENCE_TC_MISSING, "other programs were in place of ours");
	if (may_displace)
		return fail(tc, FENCE_TC_DISPLACED, "a %s was in front", hook->stranger);
	return fail(tc, -EBUSY, "a %s puts itself in front time and again", hook->stranger);
}

static int judge(struct fence_tc *tc, const struct hooks *hooks,
		 const struct fence_tc_program *programs, bool may_displace)
{
	int found = FENCE_TC_INTACT;

	for (enum fence_side side = FENCE_IN; side < FENCE_SIDES && found >= 0; side++) {
		int result = judge_hook(tc, &hooks->at[side], &programs[side], may_displace);

		if (result < 0 || result > found)
			found = result;
	}
	return found;
}

int fence_tc_ensure(struct fence_tc *tc, int ifindex, const struct fence_tc_programs *programs,
		    bool may_displace)
{
	const struct fence_tc_program *chosen;
	char was_wrong[FENCE_TC_WHY_BYTES];
	struct hooks hooks;
	int error = choose(tc, ifindex, programs, &chosen), found;

	if (error == 0)
		error = look(tc, ifindex, &hooks);
	if (error != 0)
		return error;
	found = judge(tc, &hooks, chosen, may_displace);
	if (found <= FENCE_TC_INTACT)
		return found;
	memcpy(was_wrong, tc->why, sizeof(was_wrong));
	error = repair(tc, ifindex, chosen, &hooks);
	if (error != 0)
		return error;
	memcpy(tc->why, was_wrong, sizeof(was_wrong));
	return found;
}

int fence_tc_remove(struct fence_tc *tc, int ifindex)
{
	struct hooks hooks;
	int removed = 0, error = look(tc, ifindex, &hooks);

	if (error != 0)
		return error;
	for (enum fence_side side = FENCE_IN; side < FENCE_SIDES; side++) {
		for (size_t i = 0; i < hooks.at[side].count; i++) {
			int result = fence_tc_delete(tc, ifindex, side, hooks.at[side].ours[i].handle);

			if (result == 0)
				removed++;
			else if (result != -ENOENT && result != -ENODEV && error == 0)
				error = fail(tc, result, "cannot detach the program: %s",
					     kernels_words(tc, result));
		}
	}
	if (error == 0 && made_qdisc(&hooks) && hooks.at[FENCE_IN].others == 0 &&
	    hooks.at[FENCE_OUT].others == 0)
		fence_tc_delete_qdisc(tc, ifindex);
	return error != 0 ? error : removed;
}
