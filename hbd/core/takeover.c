#include "takeover.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "time.h"

#define TRY_AGAIN_NS HBD_S_NS	/* pause after a plugin said "try again" */
#define OVERDUE_NS (2 * HBD_S_NS)	/* past a deadline at which somebody else was to kill it */

void hbd_takeover_init(struct hbd_takeover *plan, const struct hbd_step_config *steps,
		       uint8_t step_count)
{
	assert(step_count <= HBD_STEPS_MAX);
	*plan = (struct hbd_takeover){
		.steps = steps,
		.step_count = step_count,
		.deadline_ns = HBD_NEVER_NS,
		.retry_at_ns = HBD_NEVER_NS,
	};
}

static void rewind_to(struct hbd_takeover *plan, enum hbd_plan_kind kind)
{
	plan->kind = kind;
	plan->position = 0;
	plan->pending_id = 0;
	plan->pending_run = false;
	plan->deadline_ns = HBD_NEVER_NS;
	plan->retry_at_ns = HBD_NEVER_NS;
}

void hbd_takeover_begin(struct hbd_takeover *plan)
{
	rewind_to(plan, HBD_PLAN_TAKEOVER);
}

void hbd_takeover_begin_prepare(struct hbd_takeover *plan)
{
	rewind_to(plan, HBD_PLAN_PREPARE);
}

void hbd_takeover_begin_release(struct hbd_takeover *plan)
{
	rewind_to(plan, HBD_PLAN_RELEASE);
}

void hbd_takeover_abandon(struct hbd_takeover *plan)
{
	rewind_to(plan, HBD_PLAN_NONE);
}

#define STEP_NONE HBD_STEPS_MAX			/* nothing at this position */
#define STEP_ADDRESSES (HBD_STEPS_MAX + 1)
#define STEP_END (HBD_STEPS_MAX + 2)

/*
 * What stands at a position. Prepare: every step that can be. Takeover: every step if it is "before",
 * the addresses, every step if it is "after". Release: every step in reverse, if it is owed.
 */
static int position_step(const struct hbd_takeover *plan, uint8_t position)
{
	int count = plan->step_count;
	int step;

	if (plan->kind == HBD_PLAN_PREPARE) {
		if (position >= count)
			return STEP_END;
		return plan->steps[position].prepares ? position : STEP_NONE;
	}
	if (plan->kind == HBD_PLAN_RELEASE) {
		if (position >= count)
			return STEP_END;
		step = count - 1 - position;
		return plan->started[step] ? step : STEP_NONE;
	}
	if (position == count)
		return STEP_ADDRESSES;
	if (position > 2 * count)
		return STEP_END;
	step = position < count ? position : position - count - 1;
	return plan->steps[step].order ==
	       (position < count ? HBD_ORDER_BEFORE : HBD_ORDER_AFTER) ? step : STEP_NONE;
}

static void advance(struct hbd_takeover *plan)
{
	plan->position++;
	plan->deadline_ns = HBD_NEVER_NS;
	plan->retry_at_ns = HBD_NEVER_NS;
}

static enum hbd_plugin_call call_of(enum hbd_plan_kind kind)
{
	switch (kind) {
	case HBD_PLAN_PREPARE:
		return HBD_CALL_PREPARE;
	case HBD_PLAN_TAKEOVER:
		return HBD_CALL_TAKEOVER;
	case HBD_PLAN_RELEASE:
		return HBD_CALL_RELEASE;
	case HBD_PLAN_NONE:
		break;
	}
	return HBD_CALL_UNSET;
}

struct hbd_plan_next hbd_takeover_next(struct hbd_takeover *plan, int64_t now_ns)
{
	struct hbd_plan_next next = { .want = HBD_WANT_NOTHING, .deadline_ns = HBD_NEVER_NS };
	int step;

	if (plan->kind == HBD_PLAN_NONE || plan->pending_id != 0)
		return next;
	if (plan->retry_at_ns != HBD_NEVER_NS && now_ns < plan->retry_at_ns)
		return next;
	while ((step = position_step(plan, plan->position)) == STEP_NONE)
		advance(plan);
	if (step == STEP_END) {
		plan->kind = HBD_PLAN_NONE;
		next.want = HBD_WANT_FINISH;
		return next;
	}
	if (step == STEP_ADDRESSES) {
		next.want = HBD_WANT_ACQUIRE;
		return next;
	}
	if (plan->deadline_ns == HBD_NEVER_NS)
		plan->deadline_ns = hbd_time_add(now_ns, plan->steps[step].timeout_ns);
	next.want = HBD_WANT_RUN;
	next.step = (uint8_t)step;
	next.call = call_of(plan->kind);
	next.deadline_ns = plan->deadline_ns;
	return next;
}

void hbd_takeover_asked(struct hbd_takeover *plan, const struct hbd_plan_next *next, uint64_t id)
{
	assert(id != 0);
	assert(next->want == HBD_WANT_ACQUIRE || next->want == HBD_WANT_RUN);
	plan->pending_id = id;
	plan->pending_run = next->want == HBD_WANT_RUN;
	plan->retry_at_ns = HBD_NEVER_NS;
	if (next->want == HBD_WANT_RUN && plan->kind != HBD_PLAN_RELEASE)
		plan->started[next->step] = true;
}

static enum hbd_plan_outcome step_failed(struct hbd_takeover *plan, int step)
{
	/* whatever was not let go of properly: the release goes on with the rest */
	if (plan->kind == HBD_PLAN_RELEASE)
		plan->started[step] = false;
	if (plan->kind == HBD_PLAN_RELEASE ||
	    (step != STEP_ADDRESSES && plan->steps[step].on_failure == HBD_ON_FAILURE_CONTINUE)) {
		advance(plan);
		return HBD_OUTCOME_FAILED_ON;
	}
	plan->kind = HBD_PLAN_NONE;
	return HBD_OUTCOME_FAILED;
}

enum hbd_plan_outcome hbd_takeover_done(struct hbd_takeover *plan, uint64_t id, int result,
					int64_t now_ns, uint8_t *ret_step)
{
	if (plan->kind == HBD_PLAN_NONE || id == 0 || id != plan->pending_id)
		return HBD_OUTCOME_IGNORED;

	int step = position_step(plan, plan->position);

	assert(step != STEP_NONE && step != STEP_END);
	plan->pending_id = 0;
	plan->pending_run = false;
	*ret_step = step == STEP_ADDRESSES ? HBD_STEPS_MAX : (uint8_t)step;
	if (result == 0) {
		if (plan->kind == HBD_PLAN_RELEASE)
			plan->started[step] = false;
		advance(plan);
		return HBD_OUTCOME_OK;
	}
	if (result == -EAGAIN && step != STEP_ADDRESSES &&
	    hbd_time_add(now_ns, TRY_AGAIN_NS) < plan->deadline_ns) {
		plan->retry_at_ns = hbd_time_add(now_ns, TRY_AGAIN_NS);
		return HBD_OUTCOME_RETRY;
	}
	return step_failed(plan, step);
}

bool hbd_takeover_is_overdue(const struct hbd_takeover *plan, int64_t now_ns)
{
	return plan->kind != HBD_PLAN_NONE && plan->pending_run &&
	       now_ns >= hbd_time_add(plan->deadline_ns, OVERDUE_NS);
}

int64_t hbd_takeover_deadline_ns(const struct hbd_takeover *plan)
{
	if (plan->kind == HBD_PLAN_NONE)
		return HBD_NEVER_NS;
	if (plan->pending_run)
		return hbd_time_add(plan->deadline_ns, OVERDUE_NS);
	return plan->retry_at_ns;
}

uint8_t hbd_takeover_step(const struct hbd_takeover *plan)
{
	int step = plan->kind == HBD_PLAN_NONE ? STEP_NONE : position_step(plan, plan->position);

	return step < HBD_STEPS_MAX ? (uint8_t)step : HBD_STEPS_MAX;
}
