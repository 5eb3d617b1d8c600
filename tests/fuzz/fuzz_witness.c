/*
 * Anything the witness's program says, and anything the register holds: every request has one
 * outcome, an answer makes no vote by itself, and what is read is what would be written.
 *
 * Input is lines. "!close" ends the program, "!start" starts a fresh one; every other line is a
 * message of it. Before each line both groups ask for what they do not wait for: group 0 begins with
 * id 1, group 1 with id 2. Every line is also taken for a record of the register.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../hbd/base/log.h"
#include "../../hbd/io/witness.h"

#define GROUPS 2
#define SELF 1
#define TERM_NS (4 * HBD_S_NS)

/* What the core made of the answers about one group. */
struct asker {
	uint64_t waits;			/* id of its request; 0 = none */
	int64_t swapped_ns;		/* when it last sent a swap that makes it the holder */
	struct hbd_witness vote;
};

struct world {
	struct hbd_conf conf;
	struct event_queue events;
	struct witness witness;
	struct asker askers[GROUPS];
	struct loop *loop;
	int program;			/* the other end; -1 = none */
	uint64_t next_id;
	int64_t now_ns;
};

static void no_log(void *context, int priority, const struct log_fields *fields, const char *text)
{
	(void)context;
	(void)priority;
	(void)fields;
	assert(strlen(text) > 0);
}

static void no_turn(void *context, const struct loop_turn *turn)
{
	(void)context;
	(void)turn;
}

static bool is_same(const struct hbd_record *a, const struct hbd_record *b)
{
	return a->holder == b->holder && a->epoch == b->epoch && a->count == b->count &&
	       a->life == b->life;
}

/* In memory of its own, so that reading past it is noticed. */
static void check_record(const struct hbd_conf *conf, const uint8_t *line, size_t length)
{
	const struct hbd_record canary = { .holder = 77, .epoch = 77, .count = 77, .life = 77 };
	struct hbd_record record = canary, again = canary;
	char *text = malloc(length + 1), *written;

	memcpy(text, line, length);
	text[length] = '\0';
	if (witness_record_parse(conf, text, &record)) {
		assert(record.holder <= HBD_NO_HOLDER && record.life != 0);
		written = witness_record_text(conf, &record);
		assert(written && witness_record_parse(conf, written, &again));
		assert(is_same(&record, &again));
		free(written);
	} else {
		assert(is_same(&record, &canary));
	}
	free(text);
}

/* Like the core: a first look, then swaps, now and then one that gives the vote back. */
static void ask(struct world *world, uint8_t group)
{
	struct asker *asker = &world->askers[group];
	struct hbd_action action = {
		.type = HBD_ACTION_WITNESS, .group = group, .id = ++world->next_id,
		.witness.call = HBD_WITNESS_READ,
	};

	if (asker->vote.known) {
		action.witness.call = HBD_WITNESS_SWAP;
		action.witness.revision = asker->vote.revision;
		action.witness.record = (struct hbd_record){
			.holder = action.id % 4 == 0 ? HBD_NO_HOLDER : SELF,
			.epoch = action.id,
			.life = 0xc0ffee,
		};
		if (action.witness.record.holder == SELF)
			asker->swapped_ns = world->now_ns;
	}
	hbd_witness_asked(&asker->vote, action.id,
			  asker->vote.known ? &action.witness.record : NULL, world->now_ns);
	action.witness.record.count = asker->vote.count;
	asker->waits = action.id;
	witness_ask(&world->witness, &action, world->now_ns);
}

static void check_event(struct world *world, const struct hbd_event *event)
{
	struct asker *asker;
	int64_t held_ns;

	assert(event->type == HBD_EVENT_WITNESS && event->group < GROUPS);
	asker = &world->askers[event->group];
	assert(event->witness.id != 0 && event->witness.id == asker->waits);
	asker->waits = 0;
	assert(event->witness.result == HBD_WITNESS_SWAPPED ||
	       event->witness.result == HBD_WITNESS_SHOWN ||
	       event->witness.result == HBD_WITNESS_UNKNOWN);
	if (event->witness.result == HBD_WITNESS_SWAPPED)
		assert(event->witness.revision != 0);
	if (event->witness.result == HBD_WITNESS_SHOWN && event->witness.revision != 0)
		assert(event->witness.record.holder <= HBD_NO_HOLDER);

	held_ns = asker->vote.held_until_ns;
	assert(hbd_witness_answered(&asker->vote, event->witness.id, event->witness.result,
				    event->witness.revision, &event->witness.record, SELF, TERM_NS,
				    world->now_ns));
	/* whatever is answered, a vote is counted from a swap that was sent */
	assert(asker->vote.held_until_ns >= held_ns);
	assert(asker->vote.held_until_ns == 0 || asker->swapped_ns != 0);
	assert(asker->vote.held_until_ns <= asker->swapped_ns + TERM_NS);
	assert(asker->vote.pending_id == 0);
}

static void take_events(struct world *world)
{
	struct hbd_event event;

	while (event_queue_take(&world->events, &event))
		check_event(world, &event);
}

static void end_program(struct world *world)
{
	if (world->program >= 0)
		close(world->program);
	world->program = -1;
}

static void start_program(struct world *world)
{
	int pair[2];

	end_program(world);
	assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	world->program = pair[1];
	witness_take(&world->witness, pair[0]);
	take_events(world);
	for (uint8_t i = 0; i < GROUPS; i++)
		assert(world->askers[i].waits == 0);
}

/* The program reads what it was asked: a line of JSON, each in a message. */
static void read_requests(const struct world *world)
{
	char line[WITNESS_LINE_BYTES];
	ssize_t n;

	while ((n = recv(world->program, line, sizeof(line), MSG_DONTWAIT)) > 0)
		assert(line[0] == '{' && line[n - 1] == '\n' && !memchr(line, '\0', (size_t)n));
}

static bool is(const uint8_t *line, size_t length, const char *word)
{
	return length == strlen(word) && memcmp(line, word, length) == 0;
}

static void play(struct world *world, const uint8_t *line, size_t length)
{
	world->now_ns += HBD_S_NS;
	for (uint8_t i = 0; i < GROUPS; i++)
		if (world->askers[i].waits == 0)
			ask(world, i);
	take_events(world);
	if (is(line, length, "!start")) {
		start_program(world);
		return;
	}
	if (world->program < 0)
		return;
	read_requests(world);
	if (is(line, length, "!close"))
		end_program(world);
	else if (length > 0)
		assert(send(world->program, line, length, MSG_NOSIGNAL) == (ssize_t)length);
	witness_read(&world->witness);
	take_events(world);
	for (uint8_t i = 0; i < GROUPS; i++)
		assert(world->program >= 0 || world->askers[i].waits == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;
	struct loop *loop = world.loop;	/* of all inputs */

	log_set_sink(no_log, NULL);
	if (!loop)
		assert(loop_open(HBD_S_NS, no_turn, NULL, &loop) == 0);
	world = (struct world){
		.conf = {
			.cluster = "edge",
			.nodes = { { .name = "lb1" }, { .name = "lb2" } },
			.group_count = GROUPS,
			.groups = { { .name = "web" }, { .name = "db" } },
		},
		.loop = loop, .program = -1, .now_ns = HBD_S_NS,
	};
	for (uint8_t i = 0; i < GROUPS; i++)
		hbd_witness_init(&world.askers[i].vote);
	witness_init(&world.witness, &world.conf, SELF, &world.events, loop, 0);
	start_program(&world);
	for (size_t at = 0, end; at < size; at = end + 1) {
		const uint8_t *newline = memchr(data + at, '\n', size - at);

		end = newline ? (size_t)(newline - data) : size;
		check_record(&world.conf, data + at, end - at);
		play(&world, data + at, end - at);
	}
	witness_take(&world.witness, -1);
	take_events(&world);
	end_program(&world);
	witness_close(&world.witness);
	return 0;
}
