/*
 * The plan of one takeover or release: plugins and addresses in order, each with its deadline.
 *
 *	prepare:  plugins that can be prepared, in order
 *	takeover: plugins of order "before", the addresses, announce, plugins of order "after"
 *	release:  the addresses first and at once, then plugins in reverse order with "release"
 *
 * A plan asks for one step at a time and is told how it ended; results of a plan that was
 * abandoned carry an id nobody waits for and are ignored. It never blocks a heartbeat, because
 * it is data.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "action.h"
#include "limits.h"

enum hbd_step_order {
	HBD_ORDER_UNSET = 0,
	HBD_ORDER_BEFORE,	/* before the addresses are added */
	HBD_ORDER_AFTER,
};

enum hbd_on_failure {
	HBD_ON_FAILURE_UNSET = 0,
	HBD_ON_FAILURE_ABORT,	/* the takeover failed: let go, fault, retry later */
	HBD_ON_FAILURE_CONTINUE,	/* alert and go on */
};

struct hbd_step_config {
	enum hbd_step_order order;
	enum hbd_on_failure on_failure;
	int64_t timeout_ns;	/* > 0; whole time allowed, tries included */
	bool prepares;		/* it is called with "prepare" before a planned move */
};

enum hbd_plan_kind {
	HBD_PLAN_NONE = 0,
	HBD_PLAN_PREPARE,
	HBD_PLAN_TAKEOVER,
	HBD_PLAN_RELEASE,
};

struct hbd_takeover {
	enum hbd_plan_kind kind;
	uint8_t step_count;
	const struct hbd_step_config *steps;
	uint8_t position;	/* in the order above; see position_step() */
	bool started[HBD_STEPS_MAX];	/* it was prepared or took over, so a release is owed */
	uint64_t pending_id;	/* of the action under way; 0 = none */
	bool pending_run;	/* that action is a plugin run: it can be cancelled */
	int64_t deadline_ns;	/* of the present step, tries included; HBD_NEVER_NS = none */
	int64_t retry_at_ns;	/* a step said "try again"; HBD_NEVER_NS = none */
};

/* What the plan wants next. */
enum hbd_plan_want {
	HBD_WANT_UNSET = 0,
	HBD_WANT_NOTHING,	/* wait for pending_id, retry_at_ns or deadline_ns; or no plan */
	HBD_WANT_ACQUIRE,	/* add the addresses, under a new id */
	HBD_WANT_RUN,		/* run plugin step, under a new id */
	HBD_WANT_FINISH,	/* the plan is complete */
};

struct hbd_plan_next {
	enum hbd_plan_want want;
	uint8_t step;
	enum hbd_plugin_call call;
	int64_t deadline_ns;
};

/* How a completed action leaves the plan. */
enum hbd_plan_outcome {
	HBD_OUTCOME_UNSET = 0,
	HBD_OUTCOME_IGNORED,	/* an id this plan does not wait for */
	HBD_OUTCOME_OK,
	HBD_OUTCOME_RETRY,	/* -EAGAIN: asked for again after a pause */
	HBD_OUTCOME_FAILED_ON,	/* a step failed and its on_failure is continue */
	HBD_OUTCOME_FAILED,	/* the takeover failed */
};

void hbd_takeover_init(struct hbd_takeover *plan, const struct hbd_step_config *steps,
		       uint8_t step_count);

/* Begin a plan; one that was under way is abandoned. The caller cancels pending_id before. */
void hbd_takeover_begin_prepare(struct hbd_takeover *plan);
void hbd_takeover_begin(struct hbd_takeover *plan);
void hbd_takeover_begin_release(struct hbd_takeover *plan);

/* Abandons the plan under way, if any; what was started stays owed to a release. */
void hbd_takeover_abandon(struct hbd_takeover *plan);

/* The next thing to do at now_ns; the caller reports its id with hbd_takeover_asked(). */
struct hbd_plan_next hbd_takeover_next(struct hbd_takeover *plan, int64_t now_ns);
void hbd_takeover_asked(struct hbd_takeover *plan, const struct hbd_plan_next *next, uint64_t id);

/* Action id ended with result (0, -EAGAIN or another negative errno). ret_step: which step. */
enum hbd_plan_outcome hbd_takeover_done(struct hbd_takeover *plan, uint64_t id, int result,
					int64_t now_ns, uint8_t *ret_step);

/*
 * True when the present step's deadline passed a good while ago and nobody reported its end: the
 * caller then ends it with hbd_takeover_done(..., -ETIMEDOUT).
 */
bool hbd_takeover_is_overdue(const struct hbd_takeover *plan, int64_t now_ns);

/* The instant at which the plan needs a look; HBD_NEVER_NS if none. */
int64_t hbd_takeover_deadline_ns(const struct hbd_takeover *plan);

/* Index of the plugin that the plan stands at; HBD_STEPS_MAX: at the addresses, or no plan. */
uint8_t hbd_takeover_step(const struct hbd_takeover *plan);
