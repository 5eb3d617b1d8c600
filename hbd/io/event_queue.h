/*
 * Events that wait for the node: results of actions and news from the kernel, the guardian and the
 * operator. Packets never wait here. First in, first out; the loop empties it after every source,
 * so that its size only has to hold what one source can bring.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "../core/event.h"

#define EVENT_QUEUE_MAX 256

struct event_queue {
	size_t first, count;
	struct hbd_event items[EVENT_QUEUE_MAX];
};

/* There must be room (asserted). The event is no packet. */
void event_queue_put(struct event_queue *queue, const struct hbd_event *event);

/* False if there is none. */
bool event_queue_take(struct event_queue *queue, struct hbd_event *ret_event);
