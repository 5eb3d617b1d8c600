/*
 * The guardian's side of the drain: puts its programs into the kernel when the engine asks for them,
 * takes them out again, and counts the connections that are left. A node may forward for a group
 * and hold it at once, when it is to get it back before it is drained.
 */
#include "guardian_parts.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "../base/log.h"
#include "clock.h"
#include "drain.h"

/* Until then a client may not have been told where the address is now, and begin something here. */
#define COUNT_FIRST_NS (2 * HBD_S_NS)
#define COUNT_US 1000000
#define ACCURACY_US 10000
/* The holder ends first. */
#define FORWARD_EXTRA_NS (10 * HBD_S_NS)

static bool is_virtual(const struct hbd_conf_group *group, const struct in6_addr *address)
{
	for (size_t i = 0; i < group->vip_count; i++)
		if (group->vips[i].address.family == AF_INET6 &&
		    memcmp(&group->vips[i].address.v6, address, sizeof(*address)) == 0)
			return true;
	return false;
}

/* An address of this node itself there, to ask for neighbors with; :: = it has none. */
static struct in6_addr own_address(const struct hbd_conf_group *group, const char *interface)
{
	struct in6_addr own = IN6ADDR_ANY_INIT;
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all) < 0)
		return own;
	for (struct ifaddrs *item = all; item; item = item->ifa_next) {
		const struct sockaddr_in6 *found = (const void *)item->ifa_addr;

		if (!found || found->sin6_family != AF_INET6 ||
		    strcmp(item->ifa_name, interface) != 0 ||
		    is_virtual(group, &found->sin6_addr))
			continue;
		own = found->sin6_addr;
		if (IN6_IS_ADDR_LINKLOCAL(&own))
			break;
	}
	freeifaddrs(all);
	return own;
}

static bool has_leg(const struct drain_plan *plan, int ifindex)
{
	for (size_t i = 0; i < plan->leg_count; i++)
		if (plan->legs[i].ifindex == ifindex)
			return true;
	return false;
}

/* The peer's Ethernet address is known on the interface of the group's first address; the holder
 * is silent on all. */
static void add_leg(const struct hbd_conf_group *group, size_t vip, const struct message *asked,
		    struct drain_plan *plan, struct drain_leg *legs)
{
	const char *interface = group->vips[vip].interface;
	struct drain_leg *leg = &legs[plan->leg_count];
	int ifindex = (int)if_nametoindex(interface);
	bool forwards = asked->drain.call == MESSAGE_FORWARD;

	if (ifindex == 0 || has_leg(plan, ifindex) ||
	    (forwards && strcmp(interface, group->vips[0].interface) != 0))
		return;
	*leg = (struct drain_leg){ .ifindex = ifindex };
	memcpy(leg->peer, asked->drain.peer, sizeof(leg->peer));
	if (!forwards)
		leg->own = own_address(group, interface);
	plan->leg_count++;
}

/* 0, or a negative errno; ret_why is in words. */
static int begin(struct guardian *guardian, const struct message *asked, struct drain **ret_drain,
		 char ret_why[DRAIN_WHY_BYTES])
{
	const struct hbd_conf_group *group = &guardian->conf->groups[asked->group];
	struct hbd_address *addresses = calloc(group->vip_count, sizeof(*addresses));
	struct drain_leg *legs = calloc(group->vip_count, sizeof(*legs));
	struct drain_plan plan = {
		.instance = guardian->config->run_dir,
		.group = asked->group,
		.until_ns = clock_now_ns() + group->drain_ns + FORWARD_EXTRA_NS,
		.addresses = addresses,
		.legs = legs,
	};
	int result = -ENOMEM;

	snprintf(ret_why, DRAIN_WHY_BYTES, "%s", log_strerror(result));
	if (!addresses || !legs)
		goto out;
	for (size_t i = 0; i < group->vip_count; i++) {
		addresses[plan.address_count++] = group->vips[i].address;
		add_leg(group, i, asked, &plan, legs);
	}
	result = asked->drain.call == MESSAGE_FORWARD ? drain_forward(&plan, ret_drain, ret_why)
						      : drain_hold(&plan, ret_drain, ret_why);
out:
	free(legs);
	free(addresses);
	return result;
}

static void end(struct guardian *guardian, uint8_t group, struct drain **drain)
{
	int result = drain_end(*drain);

	*drain = NULL;
	if (result < 0)
		log_warning("%s: cannot take the drain's program out of the kernel: %s; the next start "
			    "does", guardian->conf->groups[group].name, log_strerror(result));
}

/* ---- counting ------------------------------------------------------------------------------------ */

static int count(const struct hbd_conf_group *group)
{
	struct hbd_address *addresses = calloc(group->vip_count, sizeof(*addresses));
	int result = -ENOMEM;

	for (size_t i = 0; addresses && i < group->vip_count; i++)
		addresses[i] = group->vips[i].address;
	if (addresses)
		result = drain_count(addresses, group->vip_count);
	free(addresses);
	return result;
}

static void tell_count(struct guardian *guardian, uint8_t group)
{
	const struct message told = {
		.type = MESSAGE_DRAINING,
		.group = group,
		.draining = { .connections = count(&guardian->conf->groups[group]) },
	};

	guardian_engine_tell(guardian, &told, -1);
}

static int on_timer(sd_event_source *source, uint64_t when_us, void *context)
{
	struct guardian *guardian = context;
	int64_t now_ns = clock_now_ns();
	bool again = false;

	(void)when_us;
	for (uint8_t i = 0; i < guardian->conf->group_count; i++) {
		const struct guardian_drain *drain = &guardian->drains[i];

		again |= drain->since_ns != 0;
		if (drain->since_ns != 0 && now_ns >= drain->since_ns + COUNT_FIRST_NS)
			tell_count(guardian, i);
	}
	if (!again)
		return 0;
	sd_event_source_set_time_relative(source, COUNT_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void count_from_now(struct guardian *guardian, uint8_t group)
{
	int result = 0;

	guardian->drains[group].since_ns = clock_now_ns();
	if (!guardian->drain_timer)
		result = sd_event_add_time_relative(guardian->loop, &guardian->drain_timer,
						    CLOCK_MONOTONIC, 0, ACCURACY_US, on_timer,
						    guardian);
	if (result == 0)
		result = sd_event_source_set_time_relative(guardian->drain_timer, COUNT_US);
	if (result >= 0)
		result = sd_event_source_set_enabled(guardian->drain_timer, SD_EVENT_ONESHOT);
	if (result < 0)
		log_warning("%s: nobody counts the old connections: %s; drain_s ends the drain",
			    guardian->conf->groups[group].name, log_strerror(result));
}

/* ---- what the engine asks for --------------------------------------------------------------------- */

static void forward(struct guardian *guardian, const struct message *asked)
{
	struct guardian_drain *state = &guardian->drains[asked->group];
	struct message answer = { .type = MESSAGE_DRAINING, .group = asked->group };
	char why[DRAIN_WHY_BYTES];

	if (state->forward)
		end(guardian, asked->group, &state->forward);
	answer.draining.id = asked->drain.id;
	answer.draining.error = begin(guardian, asked, &state->forward, why);
	if (answer.draining.error < 0)
		log_notice("%s: connections that are open at the peer will end when they come here: %s",
			   guardian->conf->groups[asked->group].name, why);
	guardian_engine_tell(guardian, &answer, -1);
}

static void hold(struct guardian *guardian, const struct message *asked)
{
	struct guardian_drain *state = &guardian->drains[asked->group];
	char why[DRAIN_WHY_BYTES];

	if (state->hold)
		end(guardian, asked->group, &state->hold);
	if (begin(guardian, asked, &state->hold, why) < 0)
		log_notice("%s: while its old connections end, routers may take this node for the "
			   "owner of an IPv6 address, until the owner announces: %s",
			   guardian->conf->groups[asked->group].name, why);
	count_from_now(guardian, asked->group);
}

void guardian_drain_take(struct guardian *guardian, const struct message *asked)
{
	struct guardian_drain *state;

	if (asked->group >= guardian->conf->group_count) {
		log_warning("guardian: the engine asks for a drain of group %u, which does not exist",
			    asked->group);
		return;
	}
	state = &guardian->drains[asked->group];
	switch (asked->drain.call) {
	case MESSAGE_FORWARD:
		forward(guardian, asked);
		break;
	case MESSAGE_FORWARD_END:
		end(guardian, asked->group, &state->forward);
		break;
	case MESSAGE_HOLD:
		hold(guardian, asked);
		break;
	case MESSAGE_HOLD_END:
		end(guardian, asked->group, &state->hold);
		state->since_ns = 0;
		break;
	case MESSAGE_DRAIN_UNSET:
		break;
	}
}

void guardian_drain_end(struct guardian *guardian)
{
	for (uint8_t i = 0; i < guardian->conf->group_count; i++) {
		end(guardian, i, &guardian->drains[i].forward);
		end(guardian, i, &guardian->drains[i].hold);
		guardian->drains[i].since_ns = 0;
	}
}

void guardian_drain_sweep(struct guardian *guardian)
{
	int swept = drain_sweep(guardian->config->run_dir);

	if (swept < 0)
		log_warning("cannot look for what an earlier drain left in the kernel: %s; if there is "
			    "anything: 'tc filter show dev INTERFACE egress'", log_strerror(swept));
	else if (swept > 0)
		log_info("removed what an earlier drain left in the kernel");
}
