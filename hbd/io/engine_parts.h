/*
 * What the files of the engine share; not for others. engine.c builds it up and takes it down,
 * engine_turn.c runs it, engine_news.c takes what others than the peer have to say.
 */
#pragma once

#include "engine.h"
#include "executor.h"
#include "executor_control.h"

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
	struct executor executor;
	struct executor_control control;
	bool links_told[HBD_LINKS_MAX]; /* usable, as the node was last told */
	bool ready_told;
	struct udp_datagram datagrams[UDP_BATCH];
};

/* engine_turn.c: a loop_handler; context is the engine. */
void engine_turn(void *context, const struct loop_turn *turn);

/* engine_news.c: a vip_news_handler, and what the guardian sent; both only queue events. */
void engine_take_news(void *context, const struct vip_news *news);
void engine_read_guardian(struct engine *engine, int64_t now_ns);

/* The faults that are there at the start. */
void engine_note_faults(struct engine *engine);
