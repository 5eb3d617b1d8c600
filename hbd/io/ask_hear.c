#include "ask_private.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <string.h>
#include <sys/socket.h>

#include "../core/time.h"
#include "clock.h"

#define NEIGHBOR_HOPS 255
#define ADVERT_BYTES_MAX 512
#define READS_MAX 256 /* of one call: a flood of answers must not keep the thread */
#define ANSWER_NS HBD_S_NS /* so long after a question what comes is an answer to it */
#define SIGHT_NS HBD_S_NS  /* between two sights that are told */
#define AGAIN_NS (200 * HBD_US_NS) /* between two answers of one station; questions are rarer */

/* Where messages go while they are read. */
struct hearing {
	struct ask *ask;
	ask_handler handler;
	void *context;
};

static bool is_gateway(const struct ask *ask, uint8_t group, const struct hbd_address *address,
		       int ifindex)
{
	uint8_t mac[ETH_ALEN];
	int own_ifindex;

	return ask_has_gateway(ask, group, &own_ifindex, mac) && own_ifindex == ifindex &&
	       hbd_address_equal(&ask->conf->groups[group].gateway, address);
}

static void tell_gateway(const struct hearing *hearing, const struct hbd_address *address,
			 int ifindex)
{
	struct ask_sign sign = { .type = ASK_GATEWAY };

	for (sign.group = 0; sign.group < hearing->ask->conf->group_count; sign.group++)
		if (is_gateway(hearing->ask, sign.group, address, ifindex))
			hearing->handler(hearing->context, &sign);
}

/* A kernel answers for an address on every interface that is asked, also for one of another. */
static bool is_of_this_machine(const uint8_t *station)
{
	struct ifaddrs *all, *one;

	if (getifaddrs(&all) < 0)
		return false;
	for (one = all; one; one = one->ifa_next) {
		const struct sockaddr_ll *link = (const struct sockaddr_ll *)(void *)one->ifa_addr;

		if (link && link->sll_family == AF_PACKET && link->sll_halen == ETH_ALEN &&
		    memcmp(link->sll_addr, station, ETH_ALEN) == 0)
			break;
	}
	freeifaddrs(all);
	return one != NULL;
}

/* Anybody may send as many as he likes: one in a while is enough. */
static bool is_worth_telling(struct ask_group *group, const struct ask_sign *sign)
{
	int64_t now_ns = clock_now_ns();

	if (memcmp(group->own, sign->station, sizeof(group->own)) == 0 ||
	    (group->sighted_ns != 0 && now_ns < hbd_time_add(group->sighted_ns, SIGHT_NS)))
		return false;
	if (is_of_this_machine(sign->station)) {
		memcpy(group->own, sign->station, sizeof(group->own));
		return false;
	}
	group->sighted_ns = now_ns;
	return true;
}

/* One of many of the same station. Of another it may be the one that matters. */
static bool is_repeated(struct ask_group *group, const struct ask_sign *sign)
{
	int64_t now_ns = clock_now_ns();

	if (memcmp(group->answered_by, sign->station, sizeof(group->answered_by)) == 0 &&
	    now_ns < hbd_time_add(group->answered_ns, AGAIN_NS))
		return true;
	group->answered_ns = now_ns;
	memcpy(group->answered_by, sign->station, sizeof(group->answered_by));
	return false;
}

static void tell_sign(const struct hearing *hearing, struct ask_sign *sign, int ifindex)
{
	struct ask_group *group = &hearing->ask->groups[sign->group];
	uint8_t mac[ETH_ALEN];
	int own_ifindex;

	if (sign->type == ASK_ANSWER &&
	    (group->asked_ns == 0 ||
	     clock_now_ns() >= hbd_time_add(group->asked_ns, ANSWER_NS) ||
	     ask_choose_vip(hearing->ask, sign->group, &own_ifindex, mac) != sign->address ||
	     own_ifindex != ifindex))
		sign->type = ASK_SIGHT;
	if (sign->type == ASK_ANSWER ? !is_repeated(group, sign) : is_worth_telling(group, sign))
		hearing->handler(hearing->context, sign);
}

/* answers: it may be one to a question. */
static void tell(const struct hearing *hearing, const struct hbd_address *address, int ifindex,
		 const uint8_t *station, bool answers)
{
	struct ask_sign sign = { .type = answers ? ASK_ANSWER : ASK_SIGHT };
	size_t index;

	if (answers)
		tell_gateway(hearing, address, ifindex);
	if (vip_find(hearing->ask->vip, ifindex, address, &sign.group, &index) != 0)
		return;
	sign.address = (uint16_t)index;
	memcpy(sign.station, station, sizeof(sign.station));
	tell_sign(hearing, &sign, ifindex);
}

static void read_arp(const struct hearing *hearing)
{
	struct sockaddr_ll from;
	struct ether_arp arp;

	for (int i = 0; i < READS_MAX; i++) {
		struct hbd_address address = { .family = AF_INET };
		socklen_t from_length = sizeof(from);
		ssize_t length = recvfrom(hearing->ask->sockets.arp, &arp, sizeof(arp), MSG_DONTWAIT,
					  (struct sockaddr *)&from, &from_length);

		if (length < 0 && errno != EINTR)
			return;
		if (length != sizeof(arp) || arp.arp_hln != ETH_ALEN ||
		    arp.arp_pln != sizeof(address.v4))
			continue;
		memcpy(&address.v4, arp.arp_spa, sizeof(address.v4));
		tell(hearing, &address, from.sll_ifindex, arp.arp_sha,
		     arp.arp_op == htons(ARPOP_REPLY));
	}
}

/* The target's link-layer address, RFC 4861 4.6.1; NULL if it is not told. */
static const uint8_t *find_station(const uint8_t *options, size_t length)
{
	while (length >= 8) {
		size_t option = (size_t)options[1] * 8;

		if (option == 0 || option > length)
			return NULL;
		if (options[0] == ND_OPT_TARGET_LINKADDR)
			return options + 2;
		options += option;
		length -= option;
	}
	return NULL;
}

/* The interface it came in on; 0 if it is not from this link. */
static int arrival_ifindex(struct msghdr *message)
{
	struct in6_pktinfo info = { 0 };
	int hops = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != IPPROTO_IPV6)
			continue;
		if (c->cmsg_type == IPV6_PKTINFO)
			memcpy(&info, CMSG_DATA(c), sizeof(info));
		else if (c->cmsg_type == IPV6_HOPLIMIT)
			memcpy(&hops, CMSG_DATA(c), sizeof(hops));
	}
	return hops == NEIGHBOR_HOPS ? (int)info.ipi6_ifindex : 0;
}

static void take_advert(const struct hearing *hearing, struct msghdr *message, size_t length)
{
	const uint8_t *bytes = message->msg_iov->iov_base;
	struct hbd_address address = { .family = AF_INET6 };
	struct nd_neighbor_advert advert;
	const uint8_t *station;

	if (length < sizeof(advert))
		return;
	memcpy(&advert, bytes, sizeof(advert));
	address.v6 = advert.nd_na_target;
	station = find_station(bytes + sizeof(advert), length - sizeof(advert));
	if (station)
		tell(hearing, &address, arrival_ifindex(message), station, true);
}

static void read_nd(const struct hearing *hearing)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
	} control;
	uint8_t bytes[ADVERT_BYTES_MAX];
	struct iovec vector = { bytes, sizeof(bytes) };

	for (int i = 0; i < READS_MAX && hearing->ask->sockets.nd >= 0; i++) {
		struct msghdr message = {
			.msg_iov = &vector,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		ssize_t length = recvmsg(hearing->ask->sockets.nd, &message, MSG_DONTWAIT);

		if (length < 0 && errno != EINTR)
			return;
		if (length > 0)
			take_advert(hearing, &message, (size_t)length);
	}
}

void ask_read(struct ask *ask, ask_handler handler, void *context)
{
	const struct hearing hearing = { ask, handler, context };

	read_arp(&hearing);
	read_nd(&hearing);
}
