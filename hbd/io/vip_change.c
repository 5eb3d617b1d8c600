#include <assert.h>
#include <errno.h>

#include "../base/log.h"
#include "../core/time.h"
#include "clock.h"
#include "vip_state.h"

/* One call renews at least so many addresses, if so many are due, and the next is due after this. */
#define RENEW_MIN 8
#define RENEW_PAUSE_NS (10 * HBD_MS_NS)

#define LIFETIME_MIN_NS (2 * HBD_S_NS)
/* The kernel goes through all IPv6 addresses for each: so long for each of them. */
#define V6_COST_NS 300
/* Renewals twice in a lifetime cost a hundredth of it. */
#define LIFETIME_PER_COST 200

/* What became of a batch. */
struct outcome {
	int error; /* of the first that failed, in the group's order; or 0 */
	const struct vip_address *first;
	size_t failed;
	const char *why; /* the kernel's words on it, or "" */
};

/* The kernel counts whole seconds; for its "for ever", UINT32_MAX, hbd has no use. */
static uint32_t seconds(int64_t lifetime_ns)
{
	int64_t rounded = lifetime_ns / HBD_S_NS + (lifetime_ns % HBD_S_NS != 0);

	assert(lifetime_ns > 0);
	return rounded < UINT32_MAX ? (uint32_t)rounded : UINT32_MAX - 1;
}

static int64_t span_of(int64_t lifetime_ns)
{
	return (int64_t)seconds(lifetime_ns) * HBD_S_NS;
}

/* Logs a failed batch: what was attempted, and what happens next. */
static void log_outcome(const struct vip *vip, const struct vip_group *group, const char *what,
			const struct outcome *outcome, const char *next)
{
	const struct hbd_conf_group *conf = &vip->conf->groups[group - vip->groups];
	const struct log_fields fields = { .group = conf->name };
	char text[VIP_TEXT_BYTES];

	log_line(LOG_ERR, &fields, "vip: group %s: cannot %s %s: %s%s%s%s (%zu of %zu failed); %s",
		 conf->name, what, vip_text(outcome->first->conf, text),
		 log_strerror(outcome->error), outcome->why[0] != '\0' ? " (" : "", outcome->why,
		 outcome->why[0] != '\0' ? ")" : "", outcome->failed, group->count, next);
}

static void count_failure(struct outcome *outcome, const struct vip_address *address, int error)
{
	outcome->failed++;
	if (outcome->first && outcome->first < address)
		return;
	outcome->first = address;
	outcome->error = error;
}

static int hand_out(const struct vip_group *group, const struct outcome *outcome,
		    size_t *ret_failed)
{
	if (outcome->error != 0 && ret_failed)
		*ret_failed = (size_t)(outcome->first - group->addresses);
	return outcome->error;
}

static void ask_add(struct vip *vip, size_t index, struct vip_address *address, int64_t lifetime_ns,
		    bool mute)
{
	address->no_prefix_route = vip_is_routed(vip, address) ||
				   (address->present && address->no_prefix_route);
	vip->chosen[index] = address;
	vip->requests[index] = (struct rtnl_request){
		.verb = RTNL_ADD,
		.ifindex = address->device->ifindex,
		.interface = address->device->name,
		.address = address->conf->address,
		.prefix = address->conf->prefix,
		.no_prefix_route = address->no_prefix_route,
		.lifetime_s = seconds(lifetime_ns),
		.deprecated = mute,
	};
}

/* Adds or renews what was asked for. */
static struct outcome add_asked(struct vip *vip, size_t count, int64_t now_ns, int64_t lifetime_ns)
{
	struct outcome outcome = { .why = rtnl_why(vip->rtnl) };

	rtnl_apply(vip->rtnl, vip->requests, count);
	for (size_t i = 0; i < count; i++) {
		struct vip_address *address = vip->chosen[i];

		if (!address->present || vip->requests[i].result == 0)
			vip_note_answer(vip, address, vip->requests[i].result);
		if (vip->requests[i].result != 0) {
			count_failure(&outcome, address, vip->requests[i].result);
			continue;
		}
		address->present = true;
		address->told = false;
		address->mute = vip->requests[i].deprecated;
		address->until_ns = hbd_time_add(now_ns, span_of(lifetime_ns));
	}
	return outcome;
}

/* In reverse, so that the first address of a subnet goes last. */
static size_t ask_remove(struct vip *vip, struct vip_group *group)
{
	size_t count = 0;

	for (size_t i = group->count; i-- > 0;) {
		struct vip_address *address = &group->addresses[i];

		if (address->device->ifindex == 0)
			continue;
		vip_keep_secondaries(vip, address);
		vip->chosen[count] = address;
		vip->requests[count++] = (struct rtnl_request){
			.verb = RTNL_REMOVE,
			.ifindex = address->device->ifindex,
			.address = address->conf->address,
			.prefix = address->prefix,
			.any_prefix = address->conf->address.family == AF_INET,
		};
	}
	return count;
}

/*
 * An IPv4 address may be there twice, with two prefixes, if someone added it by hand. We must not
 * answer for it any more, so whatever was removed is removed once more.
 */
static void remove_twins(struct vip *vip, size_t count)
{
	size_t twins = 0;

	for (size_t i = 0; i < count; i++) {
		if (vip->requests[i].result == 0 && vip->requests[i].any_prefix)
			vip->requests[twins++] = vip->requests[i];
	}
	rtnl_apply(vip->rtnl, vip->requests, twins);
}

static struct outcome remove_group(struct vip *vip, struct vip_group *group)
{
	struct outcome outcome = { .why = rtnl_why(vip->rtnl) };
	size_t count = ask_remove(vip, group);

	rtnl_apply(vip->rtnl, vip->requests, count);
	for (size_t i = 0; i < count; i++) {
		if (!rtnl_is_gone(vip->requests[i].result))
			count_failure(&outcome, vip->chosen[i], vip->requests[i].result);
		else
			vip->chosen[i]->present = false;
	}
	if (outcome.error != 0)
		log_outcome(vip, group, "remove", &outcome,
			    "what stays vanishes when its lifetime ends");
	remove_twins(vip, count);
	return outcome;
}

static struct outcome find_missing_interface(const struct vip_group *group)
{
	struct outcome outcome = { .why = "" };

	for (size_t i = 0; i < group->count; i++) {
		if (group->addresses[i].device->ifindex == 0)
			count_failure(&outcome, &group->addresses[i], -ENODEV);
	}
	return outcome;
}

static void start_renewal(struct vip_group *group, int64_t now_ns, int64_t lifetime_ns)
{
	group->held = true;
	group->span_ns = span_of(lifetime_ns);
	group->renew_ns = hbd_time_add(now_ns, group->span_ns / 2);
	group->renew_called_ns = now_ns;
	group->renew_next = 0;
	group->renewal_failed = false;
}

/* What was held already gets its lifetime and its mark with the renewals that follow: at a takeover
 * there are more urgent things to do. */
static void hold(struct vip_group *group, int64_t now_ns, int64_t lifetime_ns)
{
	bool held = group->held;

	start_renewal(group, now_ns, lifetime_ns);
	if (held)
		group->renew_ns = now_ns;
}

static size_t ask_missing(struct vip *vip, struct vip_group *group, int64_t lifetime_ns, bool all)
{
	size_t count = 0;

	for (size_t i = 0; i < group->count; i++) {
		struct vip_address *address = &group->addresses[i];

		/* what is staged waits for its interface; MISSING tells of it */
		if (group->mute && address->device->ifindex == 0)
			continue;
		if (all || !address->present)
			ask_add(vip, count++, address, lifetime_ns, group->mute);
	}
	return count;
}

int vip_acquire(struct vip *vip, uint8_t group, int64_t lifetime_ns, size_t *ret_failed)
{
	struct vip_group *wanted = &vip->groups[group];
	struct outcome outcome = find_missing_interface(wanted);
	bool complete = outcome.error == 0;
	int64_t now_ns = clock_now_ns();

	wanted->mute = false;
	wanted->try_pause_ns = 0;
	if (complete) {
		size_t count = ask_missing(vip, wanted, lifetime_ns, !wanted->held);

		outcome = add_asked(vip, count, now_ns, lifetime_ns);
		vip_note_try(wanted, now_ns);
	}
	/* some are better than none */
	if (!complete || (outcome.error != 0 && outcome.failed == wanted->count)) {
		wanted->held = false;
		log_outcome(vip, wanted, "add", &outcome, "removing all of the group again");
		remove_group(vip, wanted);
		return hand_out(wanted, &outcome, ret_failed);
	}
	hold(wanted, now_ns, lifetime_ns);
	wanted->restore_failed = outcome.error != 0;
	if (wanted->restore_failed)
		log_outcome(vip, wanted, "add", &outcome, "holding the others, and trying again");
	return 0;
}

int vip_extend(struct vip *vip, uint8_t group, int64_t until_ns)
{
	struct vip_group *held = &vip->groups[group];
	int64_t now_ns = clock_now_ns();
	int64_t lifetime_ns = hbd_time_max(until_ns - now_ns, vip_lifetime_min_ns(vip, group));
	struct outcome outcome;
	size_t count = 0;

	for (size_t i = 0; held->held && i < held->count; i++)
		if (held->addresses[i].present && held->addresses[i].until_ns < until_ns)
			ask_add(vip, count++, &held->addresses[i], lifetime_ns, held->mute);
	outcome = add_asked(vip, count, now_ns, lifetime_ns);
	if (outcome.error != 0)
		log_outcome(vip, held, "renew", &outcome, "it may vanish during the restart");
	return outcome.error;
}

void vip_adopt(struct vip *vip, uint8_t group, int64_t lifetime_ns)
{
	hold(&vip->groups[group], clock_now_ns(), lifetime_ns);
}

void vip_stage(struct vip *vip, uint8_t group, int64_t lifetime_ns)
{
	struct vip_group *wanted = &vip->groups[group];
	int64_t now_ns = clock_now_ns();
	struct outcome outcome;
	size_t count;

	wanted->mute = true;
	wanted->try_pause_ns = 0;
	count = ask_missing(vip, wanted, lifetime_ns, !wanted->held);
	hold(wanted, now_ns, lifetime_ns);
	outcome = add_asked(vip, count, now_ns, lifetime_ns);
	vip_note_try(wanted, now_ns);
	wanted->restore_failed = outcome.error != 0;
	if (wanted->restore_failed)
		log_outcome(vip, wanted, "stage", &outcome, "staging the others, and trying again");
}

int vip_restore(struct vip *vip, uint8_t group, int64_t lifetime_ns, size_t *ret_failed)
{
	struct vip_group *wanted = &vip->groups[group];
	size_t count = ask_missing(vip, wanted, lifetime_ns, false);
	struct outcome outcome = add_asked(vip, count, clock_now_ns(), lifetime_ns);

	vip_note_try(wanted, clock_now_ns());
	if (outcome.error != 0 && !wanted->restore_failed)
		log_outcome(vip, wanted, "put back", &outcome, "keeping the others, and trying again");
	wanted->restore_failed = outcome.error != 0;
	return hand_out(wanted, &outcome, ret_failed);
}

int vip_release(struct vip *vip, uint8_t group, size_t *ret_failed)
{
	struct vip_group *wanted = &vip->groups[group];
	struct outcome outcome;

	wanted->held = wanted->mute = false;
	outcome = remove_group(vip, wanted);
	return hand_out(wanted, &outcome, ret_failed);
}

/*
 * Renewals are spread over many calls, for a thousand at once would take too long, but at most over
 * a quarter of the span: waited_ns is since the call before, or since they became due.
 */
static size_t renewals_per_call(const struct vip_group *group, int64_t waited_ns)
{
	int64_t quarter_ns = group->span_ns / 4;
	size_t share;

	if (waited_ns <= 0)
		return RENEW_MIN;
	if (waited_ns >= quarter_ns)
		return group->count;
	share = group->count / (size_t)(quarter_ns / waited_ns) + 1;
	return share > RENEW_MIN ? share : RENEW_MIN;
}

/* Less than half of its time is left; or clearly more than wanted, after the span became shorter. */
static bool is_due(const struct vip_group *group, const struct vip_address *address, int64_t now_ns)
{
	int64_t left_ns = address->until_ns - now_ns;
	bool marked = address->mute == group->mute || address->conf->address.family == AF_INET6;

	return address->present && (!marked || left_ns <= group->span_ns / 2 ||
				    left_ns > group->span_ns + HBD_S_NS);
}

/* Oldest first: they became so in turn. */
static size_t ask_renew(struct vip *vip, struct vip_group *group, int64_t lifetime_ns,
			int64_t now_ns, size_t limit)
{
	size_t start = group->renew_next, count = 0;

	for (size_t i = 0; i < group->count && count < limit; i++) {
		size_t index = (start + i) % group->count;

		if (!is_due(group, &group->addresses[index], now_ns))
			continue;
		ask_add(vip, count++, &group->addresses[index], lifetime_ns, group->mute);
		group->renew_next = (index + 1) % group->count;
	}
	return count;
}

static int64_t next_renewal_ns(const struct vip_group *group, int64_t now_ns)
{
	int64_t next_ns = hbd_time_add(now_ns, group->span_ns / 2);

	for (size_t i = 0; i < group->count; i++) {
		const struct vip_address *address = &group->addresses[i];

		if (is_due(group, address, now_ns))
			return now_ns;
		if (address->present)
			next_ns = hbd_time_min(next_ns, address->until_ns - group->span_ns / 2);
	}
	return next_ns;
}

int vip_renew(struct vip *vip, uint8_t group, int64_t lifetime_ns, int64_t now_ns)
{
	struct vip_group *wanted = &vip->groups[group];
	int64_t span_ns = span_of(lifetime_ns);
	int64_t waited_ns = now_ns - hbd_time_max(wanted->renew_called_ns, wanted->renew_ns);
	struct outcome outcome;
	size_t count;

	wanted->renew_called_ns = now_ns;
	if (!wanted->held || (now_ns < wanted->renew_ns && span_ns >= wanted->span_ns))
		return 0;
	wanted->span_ns = span_ns;
	count = ask_renew(vip, wanted, lifetime_ns, now_ns, renewals_per_call(wanted, waited_ns));
	outcome = add_asked(vip, count, now_ns, lifetime_ns);
	wanted->renew_ns = next_renewal_ns(wanted, now_ns);
	if (outcome.error != 0) {
		wanted->renew_ns = hbd_time_add(now_ns, span_ns / 16);
		if (!wanted->renewal_failed)
			log_outcome(vip, wanted, "renew", &outcome, "trying again");
	}
	wanted->renewal_failed = outcome.error != 0;
	return outcome.error;
}

int64_t vip_renewal_ns(const struct vip *vip, uint8_t group)
{
	const struct vip_group *held = &vip->groups[group];

	if (!held->held)
		return HBD_NEVER_NS;
	return hbd_time_max(held->renew_ns, hbd_time_add(held->renew_called_ns, RENEW_PAUSE_NS));
}

int64_t vip_lifetime_min_ns(const struct vip *vip, uint8_t group)
{
	int64_t count = (int64_t)vip->groups[group].v6_count;

	return hbd_time_max(LIFETIME_MIN_NS, LIFETIME_PER_COST * V6_COST_NS * count * count);
}
