/*
 * What the files of the engine share; not for others. engine.c builds it up and takes it down,
 * engine_turn.c runs it, engine_news.c takes what others than the peer have to say, engine_hold.c
 * lets another process go on.
 */
#pragma once

#include "../flight/recorder.h"
#include "engine.h"
#include "executor.h"
#include "executor_control.h"

/* Numbers of the loop's sources; those of the links are the links' own. */
enum engine_source {
	ENGINE_SOURCE_GUARDIAN = HBD_LINKS_MAX,
	ENGINE_SOURCE_HANDS,
	ENGINE_SOURCE_WITNESS,
};

struct engine {
	const struct engine_setup *setup;
	struct record_log log;
	struct hbd_node_config node_config;
	struct hbd_node node;
	struct hbd_actions actions; /* of the step under way */
	struct flight_recorder recorder;
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
	bool closed_told[HBD_LINKS_MAX]; /* without a socket, as it was last told */
	bool ready_told;
	bool paused; /* the state was written: another process goes on */
	int state_fd; /* memory for the state, while the node is to hold; -1 = it is not */
	bool leaves_links; /* whoever goes on wants the links' sockets */
	const struct flight_state *former; /* to go on from; NULL = an ordinary start */
	struct flight_state *awaited; /* that came with RESUME: ours to wipe and free */
	int link_fds[HBD_LINKS_MAX]; /* at the start */
	struct udp_datagram datagrams[UDP_BATCH];
};

/* engine_turn.c: a loop_handler; context is the engine. */
void engine_turn(void *context, const struct loop_turn *turn);

/* engine_news.c: what the hands and the guardian have to say; both only queue events. */
void engine_read_hands(struct engine *engine);
void engine_read_guardian(struct engine *engine, int64_t now_ns);

/* engine_hold.c: HOLD, with memory for the state in fd. */
void engine_take_hold(struct engine *engine, const struct message *message, int fd);
/* For another one's place: says that all else is done, and waits for what it is to go on from, which
 * blocks. 0 or a negative errno. */
int engine_await(struct engine *engine);
/* After a turn: true if the state was written, and this process is over. */
bool engine_pause(struct engine *engine);
/* Its addresses last for the pause. When the hands have ended. */
void engine_leave(struct engine *engine);
/* The node as it was in the process before: 0, or a negative errno: there was none that it may go on
 * from. Before the hands start, which engine_adopt() needs. */
int engine_resume(struct engine *engine);
void engine_adopt(struct engine *engine);
void engine_forget_former(struct engine *engine);

/* The faults that are there at the start. */
void engine_note_faults(struct engine *engine);
