/*
 * What the files of the engine share; not for others. engine.c builds it up and takes it down,
 * engine_turn.c runs it, engine_news.c takes what others than the peer have to say.
 */
#pragma once

#include "engine.h"
#include "executor.h"
#include "executor_control.h"

/* Numbers of the loop's sources; those of the links are the links' own. */
enum engine_source {
	ENGINE_SOURCE_GUARDIAN = HBD_LINKS_MAX,
	ENGINE_SOURCE_HANDS,
};

struct engine {
	const struct engine_setup *setup;
	struct record_log log;
	struct hbd_node_config node_config;
	struct hbd_node node;
	struct hbd_actions actions; /* of the step under way */
	struct event_queue events;
	struct loop *loop;
	struct links links;
	struct outbox outbox;
	struct vip *vip;
	struct announce *announce;
	struct ask *ask;
	struct executor executor;
	struct executor_control control;
	bool links_told[HBD_LINKS_MAX]; /* usable, as the node was last told */
	bool ready_told;
	struct udp_datagram datagrams[UDP_BATCH];
};

/* engine_turn.c: a loop_handler; context is the engine. */
void engine_turn(void *context, const struct loop_turn *turn);

/* engine_news.c: what the hands and the guardian have to say; both only queue events. */
void engine_read_hands(struct engine *engine);
void engine_read_guardian(struct engine *engine, int64_t now_ns);

/* The faults that are there at the start. */
void engine_note_faults(struct engine *engine);
