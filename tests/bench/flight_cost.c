/*
 * What the flight recorder costs: time for each event, and how far back its memory reaches, for each
 * profile and number of groups, while two nodes exchange heartbeats on two links. Prints a table.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../hbd/core/time.h"
#include "../../hbd/flight/recorder.h"

#define LINKS 2
#define SIMULATED_NS (20 * HBD_S_NS)
#define WAY_NS (60 * HBD_US_NS)

struct pair {
	struct hbd_node_config config[HBD_NODES];
	struct hbd_node nodes[HBD_NODES];
	struct hbd_actions actions;
	struct flight_recorder recorder;
	bool recording;
	int64_t now_ns;
	uint64_t events;	/* of node 0 */
	int64_t noting_ns;	/* of them */
	uint64_t bytes;
};

static int64_t real_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * HBD_S_NS + now.tv_nsec;
}

static void configure(struct hbd_node_config *config, uint8_t self, enum hbd_profile_name profile,
		      uint8_t groups)
{
	*config = (struct hbd_node_config){
		.self = self,
		.cluster_id = 7,
		.profile = hbd_profile_get(profile),
		.link_count = LINKS,
		.group_count = groups,
		.key_count = 1,
		.keys = { { .id = 1 } },
		.seed = { (uint8_t)(self + 1) },
	};
	for (uint8_t i = 0; i < groups; i++) {
		config->groups[i].id = 100u + i;
		config->groups[i].retry_ns = HBD_S_NS;
	}
}

/* Also what the clock costs, here and below; it is taken off at the end. */
static void expect(struct pair *pair, const struct hbd_event *event)
{
	int64_t start_ns = real_now_ns();

	flight_recorder_expect(&pair->recorder, event, pair->now_ns);
	pair->noting_ns += real_now_ns() - start_ns;
}

static void note(struct pair *pair, const struct hbd_event *event)
{
	struct flight_recorder *recorder = &pair->recorder;
	const struct flight_segment *segment = recorder->segment;
	size_t length = recorder->writer.length;
	int64_t start_ns = real_now_ns();

	flight_recorder_note(recorder, &pair->nodes[0], event, pair->now_ns, &pair->actions);
	pair->noting_ns += real_now_ns() - start_ns;
	pair->events++;
	if (recorder->segment == segment)
		pair->bytes += recorder->writer.length - length;
}

static void step(struct pair *pair, uint8_t node, const struct hbd_event *event);

static void deliver(struct pair *pair, uint8_t to, const struct hbd_action *action,
		    const struct hbd_packet *packet)
{
	const struct hbd_event event = {
		.type = HBD_EVENT_PACKET,
		.link = action->link,
		.packet = { packet->bytes, packet->length, pair->now_ns },
	};
	const struct hbd_event tick = { .type = HBD_EVENT_TICK };

	pair->now_ns += WAY_NS;
	step(pair, to, &event);
	step(pair, to, &tick);
}

/* One event, and all that follows from it. */
static void step(struct pair *pair, uint8_t node, const struct hbd_event *event)
{
	struct hbd_actions *done;

	if (node == 0 && pair->recording)
		expect(pair, event);
	hbd_node_step(&pair->nodes[node], event, pair->now_ns, &pair->actions);
	if (node == 0 && pair->recording)
		note(pair, event);
	if (pair->actions.count == 0)
		return;
	done = malloc(sizeof(*done));
	if (!done)
		abort();
	memcpy(done, &pair->actions, sizeof(*done));
	for (size_t i = 0; i < done->count; i++) {
		const struct hbd_action *action = &done->items[i];
		const struct hbd_event end = { .type = HBD_EVENT_DONE, .done = { action->id, 0 } };

		if (action->type == HBD_ACTION_SEND)
			deliver(pair, (uint8_t)(1 - node), action, &done->packets[action->packet]);
		else if (action->id != 0)
			step(pair, node, &end);
	}
	free(done);
}

static void run(struct pair *pair, int64_t duration_ns)
{
	const struct hbd_event tick = { .type = HBD_EVENT_TICK };
	int64_t until_ns = pair->now_ns + duration_ns;

	while (pair->now_ns < until_ns) {
		int64_t next_ns = hbd_time_min(hbd_node_deadline_ns(&pair->nodes[0]),
					       hbd_node_deadline_ns(&pair->nodes[1]));

		pair->now_ns = hbd_time_max(pair->now_ns, next_ns);
		for (uint8_t i = 0; i < HBD_NODES; i++)
			if (hbd_node_deadline_ns(&pair->nodes[i]) <= pair->now_ns)
				step(pair, i, &tick);
	}
}

static int64_t clock_cost_ns(void)
{
	int64_t start_ns = real_now_ns();

	for (int i = 0; i < 100000; i++)
		real_now_ns();
	return (real_now_ns() - start_ns) / 100000;
}

static void measure(enum hbd_profile_name profile, uint8_t groups, struct flight_ring *ring)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	const size_t room = FLIGHT_SEGMENTS * (FLIGHT_SEGMENT_BYTES - FLIGHT_RECORD_BYTES_MAX);
	double seconds = (double)SIMULATED_NS / (double)HBD_S_NS;

	if (!pair)
		abort();
	pair->now_ns = HBD_S_NS;
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		configure(&pair->config[i], i, profile, groups);
		hbd_node_init(&pair->nodes[i], &pair->config[i], pair->now_ns);
	}
	run(pair, 10 * HBD_S_NS);
	flight_recorder_start(&pair->recorder, ring, &pair->nodes[0]);
	pair->recording = true;
	run(pair, SIMULATED_NS);
	printf("%-8s %6u %10.0f %10" PRId64 " %12.0f %10.1f %9.0f s\n", hbd_profile_text(profile),
	       groups, (double)pair->events / seconds,
	       pair->noting_ns / (int64_t)pair->events - 2 * clock_cost_ns(),
	       (double)pair->bytes / seconds, (double)pair->bytes / (double)pair->events,
	       (double)room / ((double)pair->bytes / seconds));
	free(pair);
}

int main(void)
{
	struct flight_ring *ring = flight_ring_new();

	if (sodium_init() < 0 || !ring)
		return 1;
	memset(ring, 0, sizeof(*ring));
	printf("%-8s %6s %10s %10s %12s %10s %11s\n", "profile", "groups", "events/s", "ns/event",
	       "bytes/s", "per event", "reaches");
	for (int profile = HBD_PROFILE_WAN; profile <= HBD_PROFILE_TURBO; profile++) {
		measure((enum hbd_profile_name)profile, 1, ring);
		measure((enum hbd_profile_name)profile, HBD_GROUPS_MAX, ring);
	}
	flight_ring_free(ring);
	return 0;
}
