/*
 * Carries out what the node wants done, and reports what became of it.
 *
 * It is where indices become names: the only place that knows the core's actions and everybody who
 * can do something about them. Addresses are added and removed before executor_carry_out() returns,
 * programs are run by the guardian; either way the result comes back as an event in the queue, never
 * as a call into the node.
 *
 * What it is not: it decides nothing and retries only what no one else can know to have failed
 * (putting an address back).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../conf/conf.h"
#include "../core/node.h"
#include "../core/time.h"
#include "announce.h"
#include "event_queue.h"
#include "links.h"
#include "message.h"
#include "outbox.h"
#include "vip.h"

#define EXECUTOR_DETAIL_BYTES 120

/* What is known of a health check. */
struct executor_check {
	bool known; /* it has run */
	bool good;
	char detail[EXECUTOR_DETAIL_BYTES];
};

struct executor_group {
	int64_t lease_until_ns; /* 0 = none */
	int64_t restore_ns;	/* putting addresses back is tried again then */
	uint64_t run_id;	/* of the plugin run that the guardian has; 0 = none */
	int failure;		/* of the last takeover step; 0 = none */
	uint8_t failed_step;	/* HBD_STEPS_MAX = the addresses */
	size_t failed_vip;	/* of the last address that the kernel refused */
	struct executor_check checks[HBD_CHECKS_MAX];
};

struct executor {
	const struct hbd_conf *conf; /* this one to vip: set before executor_init() */
	uint8_t self;
	const struct hbd_node *node;
	struct shared *shared;
	struct links *links;
	struct outbox *outbox;
	struct event_queue *events;
	struct vip *vip;
	struct announce *announce;
	struct executor_group groups[HBD_GROUPS_MAX];
	uint64_t epoch_told;		/* the scribe was told of epochs up to this one */
	enum hbd_peer_state peer_state; /* that the status text tells */
	bool status_due;
	bool guardian_lost; /* executor_lose_guardian() was called */
	bool stopped;	    /* STOPPED was carried out */
};

void executor_init(struct executor *executor);

/* Does all of actions in their order. */
void executor_carry_out(struct executor *executor, const struct hbd_actions *actions,
			int64_t now_ns);

/* What the guardian says of a plugin run and of a check, indices checked by the caller. */
void executor_take_done(struct executor *executor, uint8_t group, uint64_t id, int result);
void executor_take_check(struct executor *executor, uint8_t group, uint8_t check, bool good,
			 const char *detail);

/* The guardian is gone: what it was to do is reported as failed. */
void executor_lose_guardian(struct executor *executor);

/* What is due besides: addresses to be put back, the status text. Once a turn, last. */
void executor_run(struct executor *executor, int64_t now_ns);

/* HBD_NEVER_NS = nothing is due. */
int64_t executor_deadline_ns(const struct executor *executor);
