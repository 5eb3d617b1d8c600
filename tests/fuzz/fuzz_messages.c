/*
 * Anything on the socket between guardian and engine, at both ends, with any descriptors attached:
 * no index out of range is handed on, what is answered was asked for, and no descriptor is lost.
 *
 * Input is messages: a byte for the end and for how many descriptors, two for the length, then the
 * bytes, which zeros complete to a whole message unless the topmost bit says to send them as they
 * are.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../hbd/base/log.h"
#include "../../hbd/io/engine_parts.h"
#include "../../hbd/io/guardian_parts.h"

#define GROUPS 2
#define STEPS 2
#define LINKS 2
#define BUSY_ID 0x600dcafe	/* of a plugin that runs for ever, so that all others wait for it */
#define ATTACHED_MAX 3

enum side { TO_GUARDIAN, TO_ENGINE, SIDES };

struct chunk {
	enum side side;
	unsigned attached;
	size_t length;
	uint8_t bytes[2 * sizeof(struct message)];
};

struct world {
	struct hbd_conf conf;
	struct engine_setup setup;
	struct outbox outbox;
	struct engine engine;
	struct guardian guardian;
	int engine_side;	/* the other end of the guardian's socket, and the other way round */
	int guardian_side;
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

static void open_pair(int *ret_here, int *ret_there)
{
	int pair[2];

	assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	*ret_here = pair[0];
	*ret_there = pair[1];
}

static void configure(struct hbd_conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	conf->group_count = GROUPS;
	for (int i = 0; i < HBD_NODES; i++) {
		conf->nodes[i].link_count = LINKS;
		for (int link = 0; link < LINKS; link++) {
			conf->nodes[i].links[link].address.family = AF_INET;
			strcpy(conf->nodes[i].links[link].interface, "no-interface");
		}
	}
	for (int i = 0; i < GROUPS; i++)
		strcpy(conf->groups[i].name, i == 0 ? "web" : "db");
	/* group 0 has neither plugins nor checks */
	conf->groups[1].takeover_count = STEPS;
	conf->groups[1].check_count = 1;
}

static void start_guardian(struct world *world)
{
	struct guardian *guardian = &world->guardian;

	memset(guardian, 0, sizeof(*guardian));
	guardian->conf = &world->conf;
	guardian->notify.fd = -1;
	guardian->engine.state = ENGINE_STARTING;
	open_pair(&guardian->engine.socket, &world->engine_side);
	guardian->runs[0] = (struct run){
		.id = BUSY_ID, .group = 1, .call = HBD_CALL_TAKEOVER, .reason = HBD_REASON_START,
		.deadline_ns = 1, .process = (struct process *)guardian, .guardian = guardian,
	};
}

static void start_engine(struct world *world, struct loop *loop)
{
	const int none[LINKS] = { -1, -1 };
	struct engine *engine = &world->engine;

	memset(engine, 0, sizeof(*engine));
	open_pair(&world->setup.guardian_fd, &world->guardian_side);
	world->setup.conf = &world->conf;
	engine->setup = &world->setup;
	engine->loop = loop;
	assert(loop_watch(loop, ENGINE_SOURCE_GUARDIAN, world->setup.guardian_fd) == 0);
	assert(links_open(&engine->links, &world->conf, 0, none, loop) == 0);
	engine->executor.conf = &world->conf;
	engine->executor.events = &engine->events;
	engine->executor.outbox = &world->outbox;
	engine->executor.groups[1].run_id = 1;
	witness_init(&engine->executor.witness, &world->conf, 0, &engine->events, loop,
		     ENGINE_SOURCE_WITNESS);
}

/* ---- what the guardian makes of it ----------------------------------------------------------- */

static void check_runs(const struct guardian *guardian)
{
	assert(guardian->runs[0].id == BUSY_ID);
	for (size_t i = 1; i < RUNS_MAX; i++) {
		const struct run *run = &guardian->runs[i];

		if (run->id == 0)
			continue;
		assert(run->group == 1 && run->step < STEPS && !run->process);
		assert(run->call == HBD_CALL_TAKEOVER || run->call == HBD_CALL_RELEASE);
		assert(run->reason > HBD_REASON_UNSET && run->reason < HBD_REASON_COUNT);
		assert(run->deadline_ns > 0 && run->epoch <= INT64_MAX);
		for (size_t j = 0; j < i; j++)
			assert(guardian->runs[j].id != run->id);
	}
}

/* At most one answer, and to what was asked. */
static void check_answers(struct world *world, const struct message *sent)
{
	struct message answer;
	int fd;

	if (message_receive(world->engine_side, &answer, &fd) == -EAGAIN)
		return;
	if (answer.type == MESSAGE_DONE) {
		assert(sent->type == MESSAGE_RUN && answer.done.id == sent->run.id);
		assert(answer.group == sent->group && answer.group < GROUPS);
		assert(answer.done.result < 0);
	} else {
		assert(answer.type == MESSAGE_LINK_SOCKET && sent->type == MESSAGE_LINK_OPEN);
		assert(answer.link == sent->link && answer.link < LINKS);
		assert(answer.error < 0 && fd < 0);
	}
	assert(message_receive(world->engine_side, &answer, &fd) == -EAGAIN);
}

static bool names_busy_run(const struct message *message)
{
	return message->type == MESSAGE_CANCEL && message->run.id == BUSY_ID;
}

/* ---- what the engine makes of it ------------------------------------------------------------- */

static void check_event(const struct hbd_event *event, const struct message *sent)
{
	if (event->type == HBD_EVENT_DONE) {
		assert(sent->type == MESSAGE_DONE && sent->group < GROUPS);
		assert(event->done.id == sent->done.id && event->done.result <= 0);
	} else if (event->type == HBD_EVENT_FAULT) {
		assert(sent->type == MESSAGE_CHECK && sent->group == event->group);
		assert(event->group == 1 && event->fault.fault == HBD_FAULT_CHECK);
		assert(sent->check.check == 0);
	} else if (event->type == HBD_EVENT_FENCE) {
		assert(sent->type == MESSAGE_FENCE);
		assert(event->fence == HBD_FENCE_KERNEL || event->fence == HBD_FENCE_LIFETIME);
	} else if (event->type == HBD_EVENT_MAINTENANCE) {
		assert(sent->type == MESSAGE_MAINTENANCE && sent->maintenance.error == 0);
		assert(event->maintenance == sent->maintenance.on);
	} else {
		assert(event->type == HBD_EVENT_STOP && sent->type == MESSAGE_STOP);
	}
}

static void check_engine(struct engine *engine, const struct message *sent)
{
	static const struct executor_group untouched;
	struct hbd_event event;

	while (event_queue_take(&engine->events, &event))
		check_event(&event, sent);
	for (size_t i = 0; i < HBD_GROUPS_MAX; i++) {
		const struct executor_group *group = &engine->executor.groups[i];

		/* the only plugin, and the only check, are those of group 1 */
		assert(i == 1 || memcmp(group, &untouched, sizeof(untouched)) == 0);
		assert(memchr(group->checks[0].detail, '\0', EXECUTOR_DETAIL_BYTES));
		assert(!group->checks[1].known);
	}
	assert(memchr(engine->executor.fence_why, '\0', MESSAGE_WHY_BYTES));
	assert(memchr(engine->control.spool.detail, '\0', sizeof(engine->control.spool.detail)));
	assert(engine->links.items[LINKS].fd == 0);
}

/* ---- messages -------------------------------------------------------------------------------- */

static void send_chunk(int socket, const struct chunk *chunk)
{
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(ATTACHED_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec vector = { (void *)(uintptr_t)chunk->bytes, chunk->length };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };
	int fds[ATTACHED_MAX];

	for (unsigned i = 0; i < chunk->attached; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC);
	if (chunk->attached > 0) {
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(chunk->attached * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(chunk->attached * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, chunk->attached * sizeof(int));
	}
	assert(sendmsg(socket, &header, MSG_NOSIGNAL) == (ssize_t)chunk->length);
	for (unsigned i = 0; i < chunk->attached; i++)
		close(fds[i]);
}

static void play(struct world *world, const struct chunk *chunk)
{
	struct message message = { .type = MESSAGE_UNSET };

	memcpy(&message, chunk->bytes, sizeof(message));
	/* no bytes would be the end of it */
	if (chunk->length == 0 || (chunk->side == TO_GUARDIAN && names_busy_run(&message)))
		return;
	if (chunk->side == TO_GUARDIAN) {
		send_chunk(world->engine_side, chunk);
		guardian_on_message(NULL, world->guardian.engine.socket, 0, &world->guardian);
		check_answers(world, &message);
		check_runs(&world->guardian);
	} else {
		send_chunk(world->guardian_side, chunk);
		engine_read_guardian(&world->engine, HBD_S_NS);
		check_engine(&world->engine, &message);
	}
}

/* How many bytes of data it took; 0 at the end. */
static size_t take_chunk(const uint8_t *data, size_t size, struct chunk *ret_chunk)
{
	const size_t head = 3;
	size_t length;

	if (size < head)
		return 0;
	memset(ret_chunk, 0, sizeof(*ret_chunk));
	ret_chunk->side = (enum side)(data[0] % SIDES);
	ret_chunk->attached = (data[0] >> 2) % (ATTACHED_MAX + 1);
	length = (data[1] | (size_t)data[2] << 8) % sizeof(ret_chunk->bytes);
	length = length < size - head ? length : size - head;
	memcpy(ret_chunk->bytes, data + head, length);
	ret_chunk->length = data[0] & 0x80 ? length : sizeof(struct message);
	return head + length;
}

static void stop(struct world *world)
{
	struct message none = { .type = MESSAGE_UNSET };
	struct hbd_event event;

	close(world->guardian_side);
	if (!world->engine.executor.guardian_lost)
		engine_read_guardian(&world->engine, HBD_S_NS);
	/* what the guardian was to do is reported as failed, and then all is released */
	assert(world->engine.executor.guardian_lost);
	while (event_queue_take(&world->engine.events, &event))
		assert(event.type == HBD_EVENT_STOP || event.type == HBD_EVENT_DONE);
	check_engine(&world->engine, &none);
	witness_take(&world->engine.executor.witness, -1);
	links_close(&world->engine.links);
	close(world->setup.guardian_fd);
	close(world->guardian.engine.socket);
	close(world->engine_side);
}

static int first_free(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	close(fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;
	static struct loop *loop;	/* of all inputs */
	struct chunk chunk;
	int before;

	log_set_sink(no_log, NULL);
	if (!loop)
		assert(loop_open(HBD_S_NS, no_turn, NULL, &loop) == 0);
	before = first_free();
	configure(&world.conf);
	start_guardian(&world);
	start_engine(&world, loop);
	for (size_t took; (took = take_chunk(data, size, &chunk)) > 0; data += took, size -= took)
		play(&world, &chunk);
	stop(&world);
	assert(first_free() == before);
	return 0;
}
