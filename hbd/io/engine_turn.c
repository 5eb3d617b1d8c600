/*
 * One turn: say if it ran late, read every socket, take all news, and only then let time pass.
 * The instant of the turn is read before the sockets are, and holds for all of it, so nobody is
 * judged by a deadline at which there may have been unread mail.
 */
#include "engine_parts.h"

#include <errno.h>

#include "../base/log.h"
#include "../core/time.h"

#define FLUSH_AGAIN_NS (10 * HBD_MS_NS)
#define HOPS_OF_A_NEIGHBOR 255

static void step(struct engine *engine, const struct hbd_event *event, int64_t now_ns)
{
	flight_recorder_expect(&engine->recorder, event, now_ns);
	hbd_node_step(&engine->node, event, now_ns, &engine->actions);
	flight_recorder_note(&engine->recorder, &engine->node, event, now_ns, &engine->actions);
	executor_carry_out(&engine->executor, &engine->actions, now_ns);
}

static void tell_stall(struct engine *engine, const struct loop_turn *turn)
{
	const struct hbd_event event = {
		.type = HBD_EVENT_STALLED,
		.stalled.late_ns = turn->late_ns,
	};

	if (turn->late_ns > 0)
		step(engine, &event, turn->clock.boot_ns);
}

static void take_datagram(struct engine *engine, uint8_t link, const struct udp_datagram *datagram,
			  int64_t now_ns)
{
	const struct hbd_event event = {
		.type = HBD_EVENT_PACKET,
		.link = link,
		.packet = {
			.bytes = datagram->bytes,
			.length = datagram->length,
			.received_ns = datagram->received_ns,
		},
	};

	if (datagram->ttl == HOPS_OF_A_NEIGHBOR)
		step(engine, &event, now_ns);
	else
		engine->node.detector.links[link].dropped[HBD_DROP_HOPS]++;
}

/* One batch; false when nothing more waited. */
static bool read_batch(struct engine *engine, uint8_t link, const struct loop_turn *turn,
		       size_t *count)
{
	int n = links_receive(&engine->links, link, turn, engine->datagrams);

	for (int i = 0; i < n; i++)
		take_datagram(engine, link, &engine->datagrams[i], turn->clock.boot_ns);
	*count += (size_t)n;
	return n == UDP_BATCH && *count < UDP_QUEUE_MAX;
}

/* In rounds of a batch of each link, so that no link waits for the end of a flood on another. */
static void read_links(struct engine *engine, const struct loop_turn *turn)
{
	bool more[HBD_LINKS_MAX], any = true;
	size_t counts[HBD_LINKS_MAX] = { 0 };

	for (uint8_t i = 0; i < engine->links.count; i++)
		more[i] = true;
	while (any) {
		any = false;
		for (uint8_t i = 0; i < engine->links.count; i++) {
			if (more[i])
				more[i] = read_batch(engine, i, turn, &counts[i]);
			any = any || more[i];
		}
	}
	for (uint8_t i = 0; i < engine->links.count; i++)
		links_pace(&engine->links, i, counts[i]);
}

/* What became of the links by sending, receiving and news. */
static void tell_links(struct engine *engine, int64_t now_ns)
{
	for (uint8_t i = 0; i < engine->links.count; i++) {
		struct hbd_event event = { .type = HBD_EVENT_UNREACHABLE, .link = i };
		bool usable = links_usable(&engine->links, i);
		bool closed = links_closed(&engine->links, i);

		if (links_take_refusal(&engine->links, i))
			step(engine, &event, now_ns);
		if (usable == engine->links_told[i] && closed == engine->closed_told[i])
			continue;
		engine->links_told[i] = usable;
		engine->closed_told[i] = closed;
		event.type = HBD_EVENT_LINK;
		event.link_state.usable = usable;
		event.link_state.closed = closed;
		step(engine, &event, now_ns);
	}
}

/* Events that events bring about included. */
static void take_events(struct engine *engine, int64_t now_ns)
{
	struct hbd_event event;

	while (event_queue_take(&engine->events, &event))
		step(engine, &event, now_ns);
}

/* Time passes; and once more when what it brought about is done. */
static void tick(struct engine *engine, int64_t now_ns)
{
	const struct hbd_event event = { .type = HBD_EVENT_TICK };

	step(engine, &event, now_ns);
	while (engine->events.count > 0) {
		take_events(engine, now_ns);
		step(engine, &event, now_ns);
	}
}

static void ask_for_sockets(struct engine *engine, int64_t now_ns)
{
	struct message message = { .type = MESSAGE_LINK_OPEN };
	int link;

	while ((link = links_due(&engine->links, now_ns)) >= 0) {
		message.link = (uint8_t)link;
		if (outbox_tell(&engine->outbox, &message) < 0)
			links_take(&engine->links, message.link, -1, -EAGAIN, now_ns);
	}
}

static void tell_ready(struct engine *engine)
{
	const struct message message = { .type = MESSAGE_READY };

	if (!engine->ready_told)
		engine->ready_told = outbox_tell(&engine->outbox, &message) == 0;
}

static int64_t next_turn_ns(const struct engine *engine, int64_t now_ns)
{
	int64_t deadline_ns = hbd_node_deadline_ns(&engine->node);

	deadline_ns = hbd_time_min(deadline_ns, links_deadline_ns(&engine->links, now_ns));
	if (outbox_waits(&engine->outbox))
		deadline_ns = hbd_time_min(deadline_ns, now_ns + FLUSH_AGAIN_NS);
	return deadline_ns;
}

void engine_turn(void *context, const struct loop_turn *turn)
{
	struct engine *engine = context;
	int64_t now_ns = turn->clock.boot_ns;

	tell_stall(engine, turn);
	read_links(engine, turn);
	if (loop_is_ready(turn, ENGINE_SOURCE_HANDS))
		engine_read_hands(engine);
	take_events(engine, now_ns);
	if (loop_is_ready(turn, ENGINE_SOURCE_GUARDIAN))
		engine_read_guardian(engine, now_ns);
	take_events(engine, now_ns);
	if (loop_is_ready(turn, ENGINE_SOURCE_WITNESS))
		witness_read(&engine->executor.witness);
	take_events(engine, now_ns);
	tell_links(engine, now_ns);
	tick(engine, now_ns);
	links_tell(&engine->links, now_ns);
	ask_for_sockets(engine, now_ns);
	executor_run(&engine->executor, now_ns);
	outbox_flush(&engine->outbox);
	tell_ready(engine);
	atomic_store(&engine->setup->shared->progress_ns, now_ns);
	if (engine_pause(engine) || engine->executor.stopped || engine->executor.reborn)
		loop_stop(engine->loop);
	else
		loop_plan(engine->loop, next_turn_ns(engine, now_ns));
}
