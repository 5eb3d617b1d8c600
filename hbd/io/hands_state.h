/* What hands*.c share: the orders of the loop, and what the thread knows. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "hands.h"

/* What waits to be done for a group. */
struct orders {
	uint64_t acquire_id; /* 0 = none */
	uint64_t release_id;
	bool stage; /* look whether it is staged */
	bool restore;
	bool announce;
	bool hush; /* announce no more */
	bool ask;
	bool defend;
	size_t defended_vip;
};

struct hands {
	const struct hbd_conf *conf;
	/* shared with the loop's thread */
	pthread_mutex_t lock; /* of orders; held for moments, with priority inheritance */
	struct orders orders[HBD_GROUPS_MAX];
	_Atomic int64_t lease_until_ns[HBD_GROUPS_MAX];
	atomic_bool staged[HBD_GROUPS_MAX];
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
	bool acquired[HBD_GROUPS_MAX];
	struct vip_refusal refusals[HBD_GROUPS_MAX]; /* as they were told */
	int64_t refused_ns[HBD_GROUPS_MAX]; /* since then it is worse than that; 0 = it is not */
};

/* hands_work.c, all of it in the thread: */

void hands_carry_out(struct hands *hands, uint8_t group, const struct orders *orders);

/* What nobody asks for anew: lifetimes, addresses that could not be put back, announcements. */
void hands_keep(struct hands *hands);

/* When that is due next. */
int64_t hands_deadline_ns(const struct hands *hands, int64_t now_ns);

/* What vip and ask notice; context is the hands. */
void hands_report_news(void *context, const struct vip_news *news);
void hands_report_sign(void *context, const struct ask_sign *sign);
void hands_report_stations(struct hands *hands);
