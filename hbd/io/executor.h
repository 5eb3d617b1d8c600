/*
 * Carries out what the node wants done, and reports what became of it.
 *
 * It is where indices become names: the only place that knows the core's actions and everybody who
 * can do something about them. Addresses are the hands' affair, programs the guardian's; either way
 * the result comes back as an event in the queue, never as a call into the node.
 *
 * What it is not: it decides nothing, retries nothing and waits for nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../conf/conf.h"
#include "../core/node.h"
#include "../core/time.h"
#include "event_queue.h"
#include "hands.h"
#include "links.h"
#include "message.h"
#include "outbox.h"
#include "witness.h"

#define EXECUTOR_DETAIL_BYTES 120

/* What is known of a health check. */
struct executor_check {
	bool known; /* it has run */
	bool good;
	char detail[EXECUTOR_DETAIL_BYTES];
};

struct executor_group {
	uint64_t run_id;     /* of the plugin run that the guardian has; 0 = none */
	int failure;	     /* of the last takeover step; 0 = none */
	char done_why[MESSAGE_WHY_BYTES];   /* what the guardian said of the plugin that ended last */
	char failed_why[MESSAGE_WHY_BYTES]; /* of a plugin; for humans */
	uint8_t failed_step; /* HBD_STEPS_MAX = the addresses */
	size_t failed_vip;   /* of the last address that the kernel refused */
	struct vip_refusal refusal; /* the last that there was; its count 0: none now */
	bool forwards;	     /* the guardian was asked to hand on what belongs to the peer, */
	bool holds;	     /* to be silent and count, */
	int connections;     /* and found so many left; negative = not known */
	bool staged;	     /* its addresses are there, mute, while this node does not serve */
	struct executor_check checks[HBD_CHECKS_MAX];
};

struct executor {
	const struct hbd_conf *conf; /* this one to events: set before executor_init() */
	uint8_t self;
	const struct hbd_node *node;
	struct shared *shared;
	struct links *links;
	struct outbox *outbox;
	struct event_queue *events;
	struct hands *hands;
	struct witness witness; /* from witness_init() */
	struct fence *fence; /* NULL = none in the kernel */
	bool fence_in_force;
	char fence_why[MESSAGE_WHY_BYTES]; /* it is not */
	struct executor_group groups[HBD_GROUPS_MAX];
	uint64_t epoch_told;		/* the scribe was told of epochs up to this one */
	enum hbd_peer_state peer_state; /* that the status text tells */
	bool peer_maintained; /* ... and that it is in maintenance */
	bool stopping; /* ... and that this node is about to stop */
	bool status_due;
	bool flight_due;		/* the recorder is to be written, for: */
	struct record_flight flight;
	bool guardian_lost; /* executor_lose_guardian() was called */
	bool held;	    /* HELD was carried out */
	int held_result;    /* ... with that result */
	bool reborn;	    /* REBORN was carried out */
	bool stopped;	    /* STOPPED was carried out */
};

void executor_init(struct executor *executor);

/* Does all of actions in their order. */
void executor_carry_out(struct executor *executor, const struct hbd_actions *actions,
			int64_t now_ns);

/* What the guardian says of a plugin run and of a check, indices checked by the caller. */
void executor_take_done(struct executor *executor, uint8_t group, uint64_t id, int result,
			const char *why);
void executor_take_check(struct executor *executor, uint8_t group, uint8_t check, bool good,
			 const char *detail);

/* What the guardian says of old connections, index checked by the caller. */
void executor_take_draining(struct executor *executor, const struct message *message);

/* What the hands say of addresses: a report of type DONE. */
void executor_take_addresses(struct executor *executor, const struct hands_report *report);

/* Which addresses the kernel refuses: a report of type REFUSAL. */
void executor_take_refusal(struct executor *executor, const struct hands_report *report);

/* News of an address that somebody added: log and alert, nothing for the core. */
void executor_take_stray(struct executor *executor, const struct vip_news *news);

/* The guardian is gone: what it was to do is reported as failed. */
void executor_lose_guardian(struct executor *executor);

/* What is to be done when something changed: status text, epoch, recorder, staging, drains. Once a turn,
 * last. */
void executor_run(struct executor *executor, int64_t now_ns);
