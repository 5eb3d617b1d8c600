#include "engine.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "../base/log.h"
#include "../core/time.h"
#include "engine_parts.h"
#include "epoch.h"
#include "privilege.h"

/* A turn that is later than this is a stall: what was slept through is no evidence. */
#define TOLERANCE_PARTS 4 /* of the interval between heartbeats */
#define TOLERANCE_NS_MIN (500 * HBD_US_NS)

#define LAST_ALERTS_MS 1000

/* The guardian says when to stop, also when a terminal or systemd signals everybody at once. */
static void ignore_signals(void)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2 };
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Nothing of the guardian's may stay open here: its sockets would never come to their end. */
static void close_others(const struct engine_setup *setup)
{
	int kept[6 + HBD_LINKS_MAX] = { setup->guardian_fd, setup->scribe_fd,
					setup->control_fd,  setup->announce_fd,
					setup->ask.arp,	    setup->ask.nd };
	unsigned from = STDERR_FILENO + 1;

	for (int i = 0; i < HBD_LINKS_MAX; i++)
		kept[6 + i] = setup->link_fds[i];
	for (;;) {
		unsigned next = UINT_MAX;

		for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
			if (kept[i] >= (int)from && (unsigned)kept[i] < next)
				next = (unsigned)kept[i];
		}
		if (next > from)
			close_range(from, next == UINT_MAX ? UINT_MAX : next - 1, 0);
		if (next == UINT_MAX)
			return;
		from = next + 1;
	}
}

static void prepare_process(const struct engine_setup *setup)
{
	ignore_signals();
	close_others(setup);
	prctl(PR_SET_NAME, "hbd-engine");
	/* read the time zone now, from its file */
	tzset();
}

static int prepare_node(struct engine *engine)
{
	const struct engine_setup *setup = engine->setup;

	if (sodium_init() < 0) {
		log_error("engine: libsodium cannot be used on this machine; giving up");
		return -ENOSYS;
	}
	conf_node_config(setup->conf, setup->self, &engine->node_config);
	engine->node_config.fence = HBD_FENCE_LIFETIME;
	engine->node_config.epoch_floor = setup->epoch_floor;
	engine->node_config.maintenance = setup->maintenance;
	if (getrandom(engine->node_config.seed, HBD_SEED_BYTES, 0) != HBD_SEED_BYTES) {
		log_error("engine: the kernel gives no random seed: %s; giving up",
			  log_strerror(errno));
		return -EIO;
	}
	return 0;
}

/* What needs privileges, then without them for good. */
static int open_privileged(struct engine *engine)
{
	const struct engine_setup *setup = engine->setup;
	int r;

	engine->control.realtime = privilege_realtime();
	engine->control.memory_locked = privilege_lock_memory();
	r = vip_open(setup->conf, setup->self, &engine->vip);
	if (r < 0) {
		log_error("engine: cannot watch interfaces and addresses: %s; giving up",
			  log_strerror(r));
		return r;
	}
	r = announce_open(setup->conf, engine->vip, setup->announce_fd, &engine->announce);
	if (r < 0) {
		log_error("engine: cannot prepare announcements: %s; giving up", log_strerror(r));
		return r;
	}
	r = ask_open(setup->conf, engine->vip, setup->announce_fd, &setup->ask, &engine->ask);
	if (r < 0) {
		log_error("engine: cannot prepare questions: %s; giving up", log_strerror(r));
		return r;
	}
	return privilege_drop(setup->user);
}

static int64_t tolerance_ns(const struct hbd_profile *profile)
{
	return hbd_time_max(profile->interval_ns / TOLERANCE_PARTS, TOLERANCE_NS_MIN);
}

static int open_loop(struct engine *engine)
{
	const struct engine_setup *setup = engine->setup;
	int r = loop_open(tolerance_ns(&setup->conf->profile), engine_turn, engine, &engine->loop);

	if (r == 0)
		r = links_open(&engine->links, setup->conf, setup->self, engine->link_fds,
			       engine->loop);
	if (r == 0)
		r = loop_watch(engine->loop, ENGINE_SOURCE_GUARDIAN, setup->guardian_fd);
	if (r < 0)
		log_error("engine: cannot set up the loop: %s; giving up", log_strerror(r));
	return r;
}

static void wire(struct engine *engine)
{
	struct executor *executor = &engine->executor;

	outbox_init(&engine->outbox, engine->setup->guardian_fd, engine->setup->scribe_fd);
	executor->conf = engine->setup->conf;
	executor->self = engine->setup->self;
	executor->node = &engine->node;
	executor->shared = engine->setup->shared;
	executor->links = &engine->links;
	executor->outbox = &engine->outbox;
	executor->fence = engine->setup->fence;
	executor->events = &engine->events;
	witness_init(&executor->witness, executor->conf, executor->self, executor->events,
		     engine->loop, ENGINE_SOURCE_WITNESS);
	executor_init(executor);
	executor->epoch_told = engine->setup->epoch_floor + EPOCH_LIFE;
	engine->control.executor = executor;
	engine->control.loop = engine->loop;
	engine->control.spool.configured = engine->setup->conf->alert_count;
}

/* Without the control socket the engine serves all the same. */
static void open_control(struct engine *engine)
{
	int r;

	if (engine->setup->control_fd < 0)
		return;
	r = executor_control_open(&engine->control, engine->setup->control_fd,
				  engine->setup->owner);
	if (r == 0)
		return;
	log_error(
		"engine: cannot serve the control socket: %s; hbctl will not work until a restart",
		log_strerror(r));
	close(engine->setup->control_fd);
}

/* Last of all: from now on addresses are the thread's. */
static int start_hands(struct engine *engine)
{
	const struct hands_tools tools = { engine->vip, engine->announce, engine->ask };
	struct hands **hands = &engine->executor.hands;
	int r = hands_open(engine->setup->conf, &tools, engine->control.realtime, hands);

	if (r == 0)
		r = loop_watch(engine->loop, ENGINE_SOURCE_HANDS, hands_fd(*hands));
	if (r < 0)
		log_error("engine: cannot start the thread for addresses: %s; giving up",
			  log_strerror(r));
	return r;
}

static int start(struct engine *engine)
{
	int r = prepare_node(engine);

	if (r == 0)
		r = open_privileged(engine);
	if (r == 0 && engine->setup->awaits)
		r = engine_await(engine);
	if (r == 0)
		r = open_loop(engine);
	if (r < 0)
		return r;
	wire(engine);
	open_control(engine);
	for (uint8_t i = 0; i < engine->links.count; i++)
		links_note(&engine->links, i, vip_link_lacks(engine->vip, i), false, clock_now_ns());
	engine_note_faults(engine);
	r = engine_resume(engine);
	/* what another one left is to be removed first, which the guardian does */
	if (r < 0 && engine->setup->awaits)
		return r;
	if (r < 0)
		hbd_node_init(&engine->node, &engine->node_config, clock_now_ns());
	r = start_hands(engine);
	if (r < 0)
		return r;
	engine_adopt(engine);
	engine_forget_former(engine);
	flight_recorder_start(&engine->recorder, engine->setup->flight, &engine->node);
	loop_plan(engine->loop, engine->node.now_ns);
	return 0;
}

/* Nothing is served any more, so this may wait a little for a busy scribe. */
static void send_last_alerts(struct engine *engine)
{
	struct pollfd scribe = { .fd = engine->setup->scribe_fd, .events = POLLOUT };
	int64_t until_ns = hbd_time_add(clock_now_ns(), LAST_ALERTS_MS * HBD_MS_NS);

	outbox_flush(&engine->outbox);
	while (engine->outbox.alert_count > 0 && clock_now_ns() < until_ns) {
		if (poll(&scribe, 1, LAST_ALERTS_MS) <= 0 || !(scribe.revents & POLLOUT))
			break;
		outbox_flush(&engine->outbox);
	}
	if (engine->outbox.alert_count > 0)
		log_error("engine: the scribe did not take the last %zu alerts; they are lost",
			  engine->outbox.alert_count);
}

static void finish(struct engine *engine)
{
	executor_control_close(&engine->control);
	if (engine->links.loop)
		links_close(&engine->links);
	hands_close(engine->executor.hands);
	engine_leave(engine);
	witness_close(&engine->executor.witness);
	ask_close(engine->ask);
	announce_close(engine->announce);
	vip_close(engine->vip);
	loop_close(engine->loop);
	engine_forget_former(engine);
	sodium_memzero(&engine->node_config, sizeof(engine->node_config));
	sodium_memzero(&engine->node, sizeof(engine->node));
}

int engine_run(const struct engine_setup *setup)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	int r;

	prepare_process(setup);
	if (!engine)
		return EXIT_FAILURE;
	engine->setup = setup;
	engine->state_fd = -1;
	engine->former = setup->former;
	memcpy(engine->link_fds, setup->link_fds, sizeof(engine->link_fds));
	engine->log.socket = setup->scribe_fd;
	log_set_sink(record_log_sink, &engine->log);
	r = start(engine);
	if (r == 0) {
		r = loop_run(engine->loop);
		if (r < 0)
			log_error("engine: the loop failed: %s; giving up", log_strerror(r));
		send_last_alerts(engine);
	}
	/* not a clean end: the guardian mutes what is held, and starts another */
	if (r == 0 && engine->executor.reborn)
		r = -ESTALE;
	finish(engine);
	log_set_sink(NULL, NULL);
	free(engine);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
