#include "hands.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../core/time.h"
#include "clock.h"
#include "privilege.h"

#define STACK_BYTES (256 * 1024)
#define RESTORE_AGAIN_NS HBD_S_NS
/* So soon a lease that became shorter, or came back, is noticed. */
#define LOOK_AGAIN_NS (500 * HBD_MS_NS)

/* What waits to be done for a group. */
struct orders {
	uint64_t acquire_id; /* 0 = none */
	uint64_t release_id;
	bool restore;
	bool announce;
	bool ask;
};

struct hands {
	const struct hbd_conf *conf;
	/* shared with the loop's thread */
	pthread_mutex_t lock; /* of orders; held for moments, with priority inheritance */
	struct orders orders[HBD_GROUPS_MAX];
	_Atomic int64_t lease_until_ns[HBD_GROUPS_MAX];
	atomic_bool ending;
	int wake_fd;
	int reports[2]; /* the loop's end, the thread's end */
	bool realtime;
	pthread_t thread;
	bool started;
	/* the thread's */
	struct vip *vip;
	struct announce *announce;
	struct ask *ask;
	uint8_t stations[HBD_GROUPS_MAX][HBD_STATION_BYTES]; /* as they were told */
	int64_t restore_ns[HBD_GROUPS_MAX]; /* putting back is tried again then */
};

static bool is_empty(const struct orders *orders)
{
	return orders->acquire_id == 0 && orders->release_id == 0 && !orders->restore &&
	       !orders->announce && !orders->ask;
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

/* Waits while the loop has not read earlier ones; it is gone for good when that fails. */
static void report(struct hands *hands, const struct hands_report *report)
{
	while (send(hands->reports[1], report, sizeof(*report), MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

static void report_done(struct hands *hands, uint8_t group, uint64_t id, int result, size_t failed)
{
	const struct hands_report done = {
		.type = HANDS_DONE,
		.group = group,
		.id = id,
		.result = result,
		.failed_vip = failed,
	};

	report(hands, &done);
}

static void report_news(void *context, const struct vip_news *news)
{
	const struct hands_report told = { .type = HANDS_NEWS, .news = *news };

	report(context, &told);
}

static void report_answer(void *context, uint8_t group, const uint8_t *station)
{
	struct hands_report answer = { .type = HANDS_ANSWER, .group = group };

	memcpy(answer.station, station, sizeof(answer.station));
	report(context, &answer);
}

static void report_stations(struct hands *hands)
{
	for (uint8_t i = 0; i < hands->conf->group_count; i++) {
		struct hands_report told = { .type = HANDS_STATION, .group = i };

		ask_station(hands->ask, i, told.station);
		if (memcmp(told.station, hands->stations[i], sizeof(told.station)) == 0)
			continue;
		memcpy(hands->stations[i], told.station, sizeof(told.station));
		report(hands, &told);
	}
}

static int64_t lease_left_ns(const struct hands *hands, uint8_t group)
{
	return atomic_load(&hands->lease_until_ns[group]) - clock_now_ns();
}

static int64_t lifetime_ns(const struct hands *hands, uint8_t group)
{
	return hbd_time_max(lease_left_ns(hands, group), vip_lifetime_min_ns(hands->vip, group));
}

static void acquire(struct hands *hands, uint8_t group, uint64_t id)
{
	size_t failed = 0;
	int r = -ETIME;

	/* the thread was kept waiting: the loop will have noticed, and release */
	if (lease_left_ns(hands, group) > 0)
		r = vip_acquire(hands->vip, group, lifetime_ns(hands, group), &failed);
	report_done(hands, group, id, r, failed);
}

static void release(struct hands *hands, uint8_t group, uint64_t id)
{
	size_t failed = 0;
	int r;

	announce_stop(hands->announce, group);
	hands->restore_ns[group] = HBD_NEVER_NS;
	r = vip_release(hands->vip, group, &failed);
	report_done(hands, group, id, r, failed);
}

static void restore(struct hands *hands, uint8_t group)
{
	size_t failed;
	int r = vip_restore(hands->vip, group, lifetime_ns(hands, group), &failed);

	hands->restore_ns[group] = r < 0 ? hbd_time_add(clock_now_ns(), RESTORE_AGAIN_NS)
					 : HBD_NEVER_NS;
}

static void carry_out(struct hands *hands, uint8_t group, const struct orders *orders)
{
	if (orders->ask)
		ask_send(hands->ask, group);
	if (orders->release_id != 0)
		release(hands, group, orders->release_id);
	if (orders->acquire_id != 0)
		acquire(hands, group, orders->acquire_id);
	if (orders->restore)
		restore(hands, group);
	if (orders->announce)
		announce_start(hands->announce, group, clock_now_ns());
}

/* What nobody asks for anew: lifetimes, addresses that could not be put back, announcements. */
static void keep(struct hands *hands)
{
	int64_t now_ns = clock_now_ns();

	for (uint8_t i = 0; i < hands->conf->group_count; i++) {
		/* a failure was logged, and is tried again with the next renewal */
		if (lease_left_ns(hands, i) > 0)
			vip_renew(hands->vip, i, lifetime_ns(hands, i), now_ns);
		if (now_ns >= hands->restore_ns[i])
			restore(hands, i);
	}
	announce_run(hands->announce, now_ns);
}

static int64_t deadline_ns(const struct hands *hands, int64_t now_ns)
{
	int64_t deadline_ns = announce_deadline_ns(hands->announce);

	for (uint8_t i = 0; i < hands->conf->group_count; i++) {
		int64_t renewal_ns = vip_renewal_ns(hands->vip, i);

		/* due, but without a lease: until there is one, or a release */
		if (renewal_ns <= now_ns && lease_left_ns(hands, i) <= 0)
			renewal_ns = now_ns + LOOK_AGAIN_NS;
		if (renewal_ns != HBD_NEVER_NS)
			renewal_ns = hbd_time_min(renewal_ns, now_ns + LOOK_AGAIN_NS);
		deadline_ns = hbd_time_min(deadline_ns, renewal_ns);
		deadline_ns = hbd_time_min(deadline_ns, hands->restore_ns[i]);
	}
	return deadline_ns;
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
	int64_t until_ns = deadline_ns(hands, now_ns);
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
	report_stations(hands);
	while (!atomic_load(&hands->ending)) {
		wait_for_work(hands);
		ask_read(hands->ask, report_answer, hands);
		while ((group = take_orders(hands, &orders)) >= 0)
			carry_out(hands, (uint8_t)group, &orders);
		vip_dispatch(hands->vip, report_news, hands);
		report_stations(hands);
		keep(hands);
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
	for (uint8_t i = 0; i < HBD_GROUPS_MAX; i++)
		hands->restore_ns[i] = HBD_NEVER_NS;
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
