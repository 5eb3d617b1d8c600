#include "hands.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../core/time.h"
#include "clock.h"
#include "hands_state.h"
#include "privilege.h"

#define STACK_BYTES (256 * 1024)

static bool is_empty(const struct orders *orders)
{
	return orders->acquire_id == 0 && orders->release_id == 0 && !orders->stage &&
	       !orders->restore && !orders->announce && !orders->hush && !orders->ask &&
	       !orders->defend;
}

/* A group to be released, or else any for which something is to be done; -1 = none. */
static int choose_group(const struct hands *hands)
{
	int chosen = -1;

	for (uint8_t i = 0; i < hands->conf->group_count; i++) {
		if (hands->orders[i].release_id != 0)
			return i;
		if (chosen < 0 && !is_empty(&hands->orders[i]))
			chosen = i;
	}
	return chosen;
}

static int take_orders(struct hands *hands, struct orders *ret_orders)
{
	int group;

	pthread_mutex_lock(&hands->lock);
	group = choose_group(hands);
	if (group >= 0) {
		*ret_orders = hands->orders[group];
		hands->orders[group] = (struct orders){ 0 };
	}
	pthread_mutex_unlock(&hands->lock);
	return group;
}

static void wait_for_work(struct hands *hands)
{
	struct pollfd wait[] = {
		{ .fd = hands->wake_fd, .events = POLLIN },
		{ .fd = vip_fd(hands->vip), .events = POLLIN },
		{ .fd = ask_fds(hands->ask)->arp, .events = POLLIN },
		{ .fd = ask_fds(hands->ask)->nd, .events = POLLIN },
	};
	int64_t now_ns = clock_now_ns();
	int64_t until_ns = hands_deadline_ns(hands, now_ns);
	int64_t left_ns = hbd_time_max(until_ns - now_ns, 0);
	const struct timespec timeout = { left_ns / HBD_S_NS, left_ns % HBD_S_NS };
	uint64_t count;

	if (ppoll(wait, sizeof(wait) / sizeof(wait[0]),
		  until_ns == HBD_NEVER_NS ? NULL : &timeout, NULL) <= 0)
		return;
	/* it was readable, and nobody else reads it */
	if ((wait[0].revents & POLLIN) && read(hands->wake_fd, &count, sizeof(count)) < 0)
		assert(errno == EINTR || errno == EAGAIN);
}

static void *run(void *context)
{
	struct hands *hands = context;
	struct orders orders;
	int group;

	prctl(PR_SET_NAME, "hbd-hands");
	if (hands->realtime)
		privilege_realtime_below();
	hands_report_stations(hands);
	while (!atomic_load(&hands->ending)) {
		wait_for_work(hands);
		ask_read(hands->ask, hands_report_sign, hands);
		while ((group = take_orders(hands, &orders)) >= 0)
			hands_carry_out(hands, (uint8_t)group, &orders);
		vip_dispatch(hands->vip, hands_report_news, hands);
		vip_expel(hands->vip, clock_now_ns(), hands_report_news, hands);
		hands_report_stations(hands);
		hands_keep(hands);
	}
	return NULL;
}

static void init_lock(struct hands *hands)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&hands->lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

static int start_thread(struct hands *hands)
{
	pthread_attr_t attributes;
	int r;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	r = -pthread_create(&hands->thread, &attributes, run, hands);
	pthread_attr_destroy(&attributes);
	hands->started = r == 0;
	return r;
}

static int open_descriptors(struct hands *hands)
{
	hands->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (hands->wake_fd < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, hands->reports) < 0)
		return -errno;
	return 0;
}

int hands_open(const struct hbd_conf *conf, const struct hands_tools *tools, bool realtime,
	       struct hands **ret_hands)
{
	struct hands *hands = calloc(1, sizeof(*hands));
	int r;

	if (!hands)
		return -ENOMEM;
	hands->conf = conf;
	hands->vip = tools->vip;
	hands->announce = tools->announce;
	hands->ask = tools->ask;
	hands->realtime = realtime;
	hands->wake_fd = hands->reports[0] = hands->reports[1] = -1;
	init_lock(hands);
	r = open_descriptors(hands);
	if (r == 0)
		r = start_thread(hands);
	if (r < 0) {
		hands_close(hands);
		return r;
	}
	*ret_hands = hands;
	return 0;
}

/* The counter would have to be full to refuse it. */
static void wake(struct hands *hands)
{
	const uint64_t one = 1;
	ssize_t written = write(hands->wake_fd, &one, sizeof(one));

	assert(written == sizeof(one));
}

void hands_close(struct hands *hands)
{
	if (!hands)
		return;
	if (hands->started) {
		atomic_store(&hands->ending, true);
		/* it may be waiting for reports to be read */
		shutdown(hands->reports[0], SHUT_RDWR);
		wake(hands);
		pthread_join(hands->thread, NULL);
	}
	for (size_t i = 0; i < 2; i++) {
		if (hands->reports[i] >= 0)
			close(hands->reports[i]);
	}
	if (hands->wake_fd >= 0)
		close(hands->wake_fd);
	pthread_mutex_destroy(&hands->lock);
	free(hands);
}

int hands_fd(const struct hands *hands)
{
	return hands->reports[0];
}

bool hands_take(struct hands *hands, struct hands_report *ret_report)
{
	struct hands_report report;

	if (recv(hands->reports[0], &report, sizeof(report), MSG_DONTWAIT) != sizeof(report))
		return false;
	*ret_report = report;
	return true;
}

void hands_lease(struct hands *hands, uint8_t group, int64_t until_ns)
{
	atomic_store(&hands->lease_until_ns[group], until_ns);
}

void hands_acquire(struct hands *hands, uint8_t group, uint64_t id)
{
	assert(id != 0);
	pthread_mutex_lock(&hands->lock);
	hands->orders[group].acquire_id = id;
	pthread_mutex_unlock(&hands->lock);
	wake(hands);
}

void hands_release(struct hands *hands, uint8_t group, uint64_t id)
{
	assert(id != 0);
	pthread_mutex_lock(&hands->lock);
	hands->orders[group] = (struct orders){ .release_id = id };
	pthread_mutex_unlock(&hands->lock);
	wake(hands);
}

void hands_stage(struct hands *hands, uint8_t group, bool staged)
{
	atomic_store(&hands->staged[group], staged);
	pthread_mutex_lock(&hands->lock);
	hands->orders[group].stage = true;
	pthread_mutex_unlock(&hands->lock);
	wake(hands);
}

void hands_restore(struct hands *hands, uint8_t group)
{
	pthread_mutex_lock(&hands->lock);
	hands->orders[group].restore = true;
	pthread_mutex_unlock(&hands->lock);
	wake(hands);
}

void hands_announce(struct hands *hands, uint8_t group)
{
	pthread_mutex_lock(&hands->lock);
	hands->orders[group].announce = true;
	hands->orders[group].hush = false;
	pthread_mutex_unlock(&hands->lock);
	wake(hands);
}

void hands_hush(struct hands *hands, uint8_t group)
{
	pthread_mutex_lock(&hands->lock);
	hands->orders[group].announce = false;
	hands->orders[group].defend = false;
	hands->orders[group].hush = true;
	pthread_mutex_unlock(&hands->lock);
	wake(hands);
}

void hands_defend(struct hands *hands, uint8_t group, size_t vip_index)
{
	pthread_mutex_lock(&hands->lock);
	hands->orders[group].defend = true;
	hands->orders[group].defended_vip = vip_index;
	pthread_mutex_unlock(&hands->lock);
	wake(hands);
}

void hands_ask(struct hands *hands, uint8_t group)
{
	pthread_mutex_lock(&hands->lock);
	hands->orders[group].ask = true;
	pthread_mutex_unlock(&hands->lock);
	wake(hands);
}
