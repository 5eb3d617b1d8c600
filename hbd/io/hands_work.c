#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "../core/time.h"
#include "clock.h"
#include "hands_state.h"

/* What is refused for so long is told. */
#define REFUSAL_TOLD_NS (240 * HBD_MS_NS)
/* So soon a lease that became shorter, or came back, is noticed. */
#define LOOK_AGAIN_NS (500 * HBD_MS_NS)

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

void hands_report_stations(struct hands *hands)
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

/* The loop knows nothing of addresses that are only staged. */
static bool is_only_staged(const struct hands *hands, uint8_t group)
{
	return atomic_load(&hands->staged[group]) && !hands->acquired[group];
}

/* An interface that is back and can be asked on must not be one that nobody can be asked on yet. */
void hands_report_news(void *context, const struct vip_news *news)
{
	const struct hands_report told = { .type = HANDS_NEWS, .news = *news };
	struct hands *hands = context;

	hands_report_stations(hands);
	if (news->type == VIP_NEWS_MISSING && is_only_staged(hands, news->group))
		hands_restore(hands, news->group);
	else
		report(hands, &told);
}

static int64_t lease_left_ns(const struct hands *hands, uint8_t group)
{
	return atomic_load(&hands->lease_until_ns[group]) - clock_now_ns();
}

/* Who uses what this node does not hold is the holder's business. */
void hands_report_sign(void *context, const struct ask_sign *sign)
{
	struct hands *hands = context;
	struct hands_report answer = {
		.type = sign->type == ASK_GATEWAY ? HANDS_GATEWAY : HANDS_ANSWER,
		.group = sign->group,
		.address = sign->address,
	};

	if (sign->type == ASK_SIGHT && lease_left_ns(hands, sign->group) <= 0)
		return;
	memcpy(answer.station, sign->station, sizeof(answer.station));
	report(hands, &answer);
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
	hands->acquired[group] = r == 0;
	if (r == 0)
		ask_about_all(hands->ask, group, clock_now_ns());
}

/* Mute it may stay as it is, and whatever cannot be added then is no failure of the release. */
static int let_go(struct hands *hands, uint8_t group, size_t *ret_failed)
{
	hands->acquired[group] = false;
	if (!atomic_load(&hands->staged[group]))
		return vip_release(hands->vip, group, ret_failed);
	vip_stage(hands->vip, group, lifetime_ns(hands, group));
	return 0;
}

static void release(struct hands *hands, uint8_t group, uint64_t id)
{
	size_t failed = 0;
	int r;

	announce_stop(hands->announce, group);
	ask_about_none(hands->ask, group);
	r = let_go(hands, group, &failed);
	report_done(hands, group, id, r, failed);
}

static void restore(struct hands *hands, uint8_t group)
{
	const struct hands_report restored = { .type = HANDS_RESTORED, .group = group };

	if (vip_restore(hands->vip, group, lifetime_ns(hands, group), NULL) == 0 &&
	    !is_only_staged(hands, group))
		report(hands, &restored);
}

/* What the kernel refuses for a moment only is nobody's business. */
static void report_refusal(struct hands *hands, uint8_t group, int64_t now_ns)
{
	struct vip_refusal *told = &hands->refusals[group];
	struct hands_report refusal = { .type = HANDS_REFUSAL, .group = group };

	vip_refusal(hands->vip, group, &refusal.refusal);
	if (refusal.refusal.count <= told->count)
		hands->refused_ns[group] = 0;
	else if (hands->refused_ns[group] == 0)
		hands->refused_ns[group] = now_ns;
	if (hands->refused_ns[group] != 0 && now_ns - hands->refused_ns[group] < REFUSAL_TOLD_NS)
		return;
	if (refusal.refusal.count == told->count && strcmp(refusal.refusal.why, told->why) == 0)
		return;
	hands->refused_ns[group] = 0;
	*told = refusal.refusal;
	report(hands, &refusal);
}

void hands_carry_out(struct hands *hands, uint8_t group, const struct orders *orders)
{
	if (orders->ask)
		ask_send(hands->ask, group);
	if (orders->release_id != 0)
		release(hands, group, orders->release_id);
	if (orders->stage && !hands->acquired[group])
		let_go(hands, group, NULL);
	if (orders->acquire_id != 0)
		acquire(hands, group, orders->acquire_id);
	if (orders->restore)
		restore(hands, group);
	if (orders->hush)
		announce_stop(hands->announce, group);
	if (orders->announce)
		announce_start(hands->announce, group, clock_now_ns());
	if (orders->defend) {
		announce_once(hands->announce, group, orders->defended_vip);
		ask_about(hands->ask, group, orders->defended_vip);
	}
}

/* What is there has a right to be: while its lease lasts, or staged. */
static bool are_kept(const struct hands *hands, uint8_t group)
{
	return lease_left_ns(hands, group) > 0 || is_only_staged(hands, group);
}

void hands_keep(struct hands *hands)
{
	int64_t now_ns = clock_now_ns();

	vip_look(hands->vip, now_ns);
	vip_keep_peers(hands->vip, now_ns);
	for (uint8_t i = 0; i < hands->conf->group_count; i++) {
		/* a failure was logged, and is tried again with the next renewal */
		if (are_kept(hands, i))
			vip_renew(hands->vip, i, lifetime_ns(hands, i), now_ns);
		if (are_kept(hands, i) && now_ns >= vip_try_ns(hands->vip, i))
			restore(hands, i);
		report_refusal(hands, i, now_ns);
	}
	announce_run(hands->announce, now_ns);
	ask_run(hands->ask, now_ns);
}

/* Of what is refused: to try again, or to tell. */
static int64_t retry_ns(const struct hands *hands, uint8_t group, int64_t now_ns)
{
	int64_t try_ns = vip_try_ns(hands->vip, group);

	if (try_ns <= now_ns && !are_kept(hands, group))
		try_ns = now_ns + LOOK_AGAIN_NS;
	return hands->refused_ns[group] == 0
		       ? try_ns
		       : hbd_time_min(try_ns, hands->refused_ns[group] + REFUSAL_TOLD_NS);
}

int64_t hands_deadline_ns(const struct hands *hands, int64_t now_ns)
{
	int64_t deadline_ns = hbd_time_min(announce_deadline_ns(hands->announce),
					   ask_deadline_ns(hands->ask));

	deadline_ns = hbd_time_min(deadline_ns, vip_look_ns(hands->vip));
	deadline_ns = hbd_time_min(deadline_ns, vip_keep_peers_ns(hands->vip));
	deadline_ns = hbd_time_min(deadline_ns, vip_expel_ns(hands->vip));
	for (uint8_t i = 0; i < hands->conf->group_count; i++) {
		int64_t renewal_ns = vip_renewal_ns(hands->vip, i);

		/* due, but without a lease: until there is one, or a release */
		if (renewal_ns <= now_ns && !are_kept(hands, i))
			renewal_ns = now_ns + LOOK_AGAIN_NS;
		if (renewal_ns != HBD_NEVER_NS)
			renewal_ns = hbd_time_min(renewal_ns, now_ns + LOOK_AGAIN_NS);
		deadline_ns = hbd_time_min(deadline_ns, renewal_ns);
		deadline_ns = hbd_time_min(deadline_ns, retry_ns(hands, i, now_ns));
	}
	return deadline_ns;
}
