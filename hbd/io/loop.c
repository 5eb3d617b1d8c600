#include "loop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "../core/time.h"

#define TIMER LOOP_SOURCES /* the timer's number among the sources */

/*
 * Timer and watched descriptors hang on an epoll of their own, which is one source of the sd-event
 * loop: so several that are ready at once make one turn, not one each.
 */
struct loop {
	sd_event *event;
	sd_event_source *source;
	int epoll_fd;
	int timer_fd;
	int64_t tolerance_ns;
	int64_t planned_ns;
	int64_t set_ns; /* what the timer is set to; HBD_NEVER_NS = it is stopped */
	bool expired;	/* since it was set */
	struct clock_pair previous; /* of the turn before */
	loop_handler handler;
	void *context;
	struct loop_statistics statistics;
};

/* How late this turn is, noted in the statistics. */
static int64_t take_lateness(struct loop *loop, int64_t now_ns)
{
	struct loop_statistics *statistics = &loop->statistics;
	int64_t late_ns = now_ns - loop->planned_ns;

	statistics->turns++;
	if (late_ns <= 0)
		return 0;
	statistics->longest_late_ns = hbd_time_max(statistics->longest_late_ns, late_ns);
	if (late_ns <= loop->tolerance_ns)
		return 0;
	statistics->late_turns++;
	return late_ns;
}

/* Which sources can be read. An expired timer is made unready by setting it, which saves reading. */
static uint32_t find_ready(struct loop *loop)
{
	struct epoll_event events[LOOP_SOURCES + 1];
	int count = epoll_wait(loop->epoll_fd, events, LOOP_SOURCES + 1, 0);
	uint32_t ready = 0;

	for (int i = 0; i < count; i++) {
		if (events[i].data.u32 == TIMER)
			loop->expired = true;
		else
			ready |= UINT32_C(1) << events[i].data.u32;
	}
	return ready;
}

static int on_ready(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct loop *loop = context;
	struct clock_pair now = clock_read_pair();
	struct loop_turn turn = { .clock = now, .previous_ns = loop->previous.boot_ns };

	(void)source, (void)fd, (void)events;
	if (clock_was_set(&loop->previous, &now))
		turn.clock.real_ns = CLOCK_REAL_UNKNOWN;
	turn.ready = find_ready(loop);
	turn.late_ns = take_lateness(loop, turn.clock.boot_ns);
	loop->previous = now;
	loop->planned_ns = HBD_NEVER_NS;
	loop->handler(loop->context, &turn);
	if (loop->planned_ns == HBD_NEVER_NS)
		loop_plan(loop, HBD_NEVER_NS);
	return 0;
}

static int watch(struct loop *loop, uint32_t source, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = source };

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_event(struct loop *loop)
{
	int r = sd_event_new(&loop->event);

	if (r < 0)
		return r;
	r = sd_event_add_io(loop->event, &loop->source, loop->epoll_fd, EPOLLIN, on_ready, loop);
	if (r < 0)
		return r;
	return sd_event_source_set_priority(loop->source, LOOP_PRIORITY_TURN);
}

int loop_open(int64_t tolerance_ns, loop_handler handler, void *context, struct loop **ret_loop)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		return -ENOMEM;
	loop->tolerance_ns = tolerance_ns;
	loop->planned_ns = loop->set_ns = HBD_NEVER_NS;
	loop->previous = clock_read_pair();
	loop->handler = handler;
	loop->context = context;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	r = loop->epoll_fd < 0 || loop->timer_fd < 0 ? -errno : 0;
	if (r == 0)
		r = watch(loop, TIMER, loop->timer_fd);
	if (r == 0)
		r = open_event(loop);
	if (r < 0) {
		loop_close(loop);
		return r;
	}
	*ret_loop = loop;
	return 0;
}

void loop_close(struct loop *loop)
{
	if (!loop)
		return;
	sd_event_source_disable_unref(loop->source);
	sd_event_unref(loop->event);
	if (loop->timer_fd >= 0)
		close(loop->timer_fd);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	free(loop);
}

int loop_watch(struct loop *loop, uint8_t source, int fd)
{
	assert(source < LOOP_SOURCES);
	return watch(loop, source, fd);
}

void loop_unwatch(struct loop *loop, int fd)
{
	int r = epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);

	assert(r == 0);
}

void loop_rest(struct loop *loop, uint8_t source, int fd, bool rest)
{
	struct epoll_event event = { .events = rest ? 0 : EPOLLIN, .data.u32 = source };
	int r = epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event);

	assert(r == 0);
}

void loop_plan(struct loop *loop, int64_t deadline_ns)
{
	struct itimerspec when = { 0 };
	int r;

	/* a turn cannot be late for what was due before the turn that planned it */
	loop->planned_ns = hbd_time_max(deadline_ns, loop->previous.boot_ns);
	if (deadline_ns == loop->set_ns && !loop->expired)
		return;
	loop->set_ns = deadline_ns;
	loop->expired = false;
	/* an instant that passed expires at once, but zero would stop the timer */
	if (deadline_ns != HBD_NEVER_NS) {
		deadline_ns = hbd_time_max(deadline_ns, 1);
		when.it_value.tv_sec = deadline_ns / HBD_S_NS;
		when.it_value.tv_nsec = deadline_ns % HBD_S_NS;
	}
	r = timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
	assert(r == 0);
}

int loop_run(struct loop *loop)
{
	int r = sd_event_loop(loop->event);

	return r < 0 ? r : 0;
}

void loop_stop(struct loop *loop)
{
	sd_event_exit(loop->event, 0);
}

sd_event *loop_event(struct loop *loop)
{
	return loop->event;
}

const struct loop_statistics *loop_statistics(const struct loop *loop)
{
	return &loop->statistics;
}
