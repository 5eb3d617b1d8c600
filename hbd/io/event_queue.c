#include "event_queue.h"

#include <assert.h>

void event_queue_put(struct event_queue *queue, const struct hbd_event *event)
{
	assert(queue->count < EVENT_QUEUE_MAX);
	assert(event->type != HBD_EVENT_PACKET);
	queue->items[(queue->first + queue->count++) % EVENT_QUEUE_MAX] = *event;
}

bool event_queue_take(struct event_queue *queue, struct hbd_event *ret_event)
{
	if (queue->count == 0)
		return false;
	*ret_event = queue->items[queue->first];
	queue->first = (queue->first + 1) % EVENT_QUEUE_MAX;
	queue->count--;
	return true;
}
