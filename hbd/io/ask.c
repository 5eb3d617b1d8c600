#include "ask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/log.h"
#include "announce_frame.h"

#define NO_VIP SIZE_MAX
#define NEIGHBOR_HOPS 255
#define ADVERT_BYTES_MAX 512
#define READS_MAX 256 /* of one call: a flood of answers must not keep the thread */

static_assert(HBD_STATION_BYTES == ETH_ALEN, "a station is an Ethernet address");

struct ask {
	const struct hbd_conf *conf;
	const struct vip *vip;
	int raw_fd;
	struct ask_sockets sockets;
	bool failure_told[HBD_GROUPS_MAX];
};

/* The kernel hands us ARP replies and nothing else: offset of the operation in an ARP message. */
static int filter_replies(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct arphdr, ar_op)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPOP_REPLY, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, sizeof(struct ether_arp)),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int open_arp(void)
{
	/* protocol 0 first, so that nothing comes in unfiltered */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr_ll any = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
	};
	int error;

	if (fd < 0)
		return -errno;
	if (filter_replies(fd) == 0 && bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

static int open_nd(void)
{
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	struct icmp6_filter filter;
	const int on = 1;
	int error;

	if (fd < 0)
		return -errno;
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ND_NEIGHBOR_ADVERT, &filter);
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) == 0 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) == 0 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on)) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int ask_sockets_open(struct ask_sockets *ret_sockets)
{
	struct ask_sockets sockets = { .arp = open_arp(), .nd = -1 };

	if (sockets.arp < 0)
		return sockets.arp;
	sockets.nd = open_nd();
	if (sockets.nd == -EAFNOSUPPORT)
		sockets.nd = -1;
	if (sockets.nd < -1) {
		close(sockets.arp);
		return sockets.nd;
	}
	*ret_sockets = sockets;
	return 0;
}

void ask_sockets_close(struct ask_sockets *sockets)
{
	if (sockets->arp >= 0)
		close(sockets->arp);
	if (sockets->nd >= 0)
		close(sockets->nd);
	sockets->arp = sockets->nd = -1;
}

int ask_open(const struct hbd_conf *conf, const struct vip *vip, int raw_fd,
	     const struct ask_sockets *sockets, struct ask **ret_ask)
{
	struct ask *ask = calloc(1, sizeof(*ask));

	if (!ask)
		return -ENOMEM;
	ask->conf = conf;
	ask->vip = vip;
	ask->raw_fd = raw_fd;
	ask->sockets = *sockets;
	*ret_ask = ask;
	return 0;
}

void ask_close(struct ask *ask)
{
	if (!ask)
		return;
	ask_sockets_close(&ask->sockets);
	free(ask);
}

const struct ask_sockets *ask_fds(const struct ask *ask)
{
	return &ask->sockets;
}

/* Index of the first address of a family that can be asked for, with its interface. */
static size_t find_vip(const struct ask *ask, uint8_t group, int family, int *ret_ifindex,
		       uint8_t *ret_mac)
{
	const struct hbd_conf_group *conf = &ask->conf->groups[group];

	for (size_t i = 0; i < conf->vip_count; i++)
		if (conf->vips[i].address.family == family &&
		    vip_interface(ask->vip, group, i, ret_ifindex, ret_mac) == 0)
			return i;
	return NO_VIP;
}

static size_t choose_vip(const struct ask *ask, uint8_t group, int *ret_ifindex, uint8_t *ret_mac)
{
	size_t index = find_vip(ask, group, AF_INET, ret_ifindex, ret_mac);

	if (index == NO_VIP && ask->sockets.nd >= 0)
		index = find_vip(ask, group, AF_INET6, ret_ifindex, ret_mac);
	return index;
}

void ask_station(const struct ask *ask, uint8_t group, uint8_t ret_station[HBD_STATION_BYTES])
{
	uint8_t mac[ETH_ALEN] = { 0 };
	int ifindex;

	choose_vip(ask, group, &ifindex, mac);
	memcpy(ret_station, mac, ETH_ALEN);
}

static void note_sent(struct ask *ask, uint8_t group, int error)
{
	const struct log_fields fields = { .group = ask->conf->groups[group].name };

	if (error != 0 && !ask->failure_told[group])
		log_line(LOG_WARNING, &fields,
			 "ask: group %s: cannot ask the LAN who answers for it: %s; going on as if "
			 "nobody did", fields.group, log_strerror(error));
	ask->failure_told[group] = error != 0;
}

void ask_send(struct ask *ask, uint8_t group)
{
	uint8_t frame[ANNOUNCE_FRAME_BYTES], mac[ETH_ALEN];
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = ETH_ALEN };
	size_t index = choose_vip(ask, group, &to.sll_ifindex, mac), length;
	const struct hbd_address *address;

	if (index == NO_VIP)
		return;
	address = &ask->conf->groups[group].vips[index].address;
	if (address->family == AF_INET)
		length = announce_frame_probe(frame, mac, address->v4);
	else
		length = announce_frame_solicitation(frame, mac, &address->v6);
	memcpy(&to.sll_protocol, frame + 2 * ETH_ALEN, sizeof(to.sll_protocol));
	memcpy(to.sll_addr, frame, ETH_ALEN);
	note_sent(ask, group,
		  sendto(ask->raw_fd, frame, length, MSG_DONTWAIT, (const struct sockaddr *)&to,
			 sizeof(to)) < 0 ? errno : 0);
}

static bool is_asked(const struct ask *ask, uint8_t group, const struct hbd_address *address,
		     int ifindex)
{
	uint8_t mac[ETH_ALEN];
	int own_ifindex;
	size_t index = choose_vip(ask, group, &own_ifindex, mac);
	const struct hbd_address *own;

	if (index == NO_VIP || own_ifindex != ifindex)
		return false;
	own = &ask->conf->groups[group].vips[index].address;
	if (own->family != address->family)
		return false;
	return own->family == AF_INET ? own->v4.s_addr == address->v4.s_addr
				      : memcmp(&own->v6, &address->v6, sizeof(own->v6)) == 0;
}

static void tell(const struct ask *ask, const struct hbd_address *address, int ifindex,
		 const uint8_t *station, ask_handler handler, void *context)
{
	for (uint8_t i = 0; i < ask->conf->group_count; i++)
		if (is_asked(ask, i, address, ifindex))
			handler(context, i, station);
}

static void read_arp(const struct ask *ask, ask_handler handler, void *context)
{
	struct sockaddr_ll from;
	struct ether_arp arp;

	for (int i = 0; i < READS_MAX; i++) {
		struct hbd_address address = { .family = AF_INET };
		socklen_t from_length = sizeof(from);
		ssize_t length = recvfrom(ask->sockets.arp, &arp, sizeof(arp), MSG_DONTWAIT,
					  (struct sockaddr *)&from, &from_length);

		if (length < 0 && errno != EINTR)
			return;
		if (length != sizeof(arp) || arp.arp_hln != ETH_ALEN ||
		    arp.arp_pln != sizeof(address.v4))
			continue;
		memcpy(&address.v4, arp.arp_spa, sizeof(address.v4));
		tell(ask, &address, from.sll_ifindex, arp.arp_sha, handler, context);
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

static void take_advert(const struct ask *ask, struct msghdr *message, size_t length,
			ask_handler handler, void *context)
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
		tell(ask, &address, arrival_ifindex(message), station, handler, context);
}

static void read_nd(const struct ask *ask, ask_handler handler, void *context)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
	} control;
	uint8_t bytes[ADVERT_BYTES_MAX];
	struct iovec vector = { bytes, sizeof(bytes) };

	for (int i = 0; i < READS_MAX && ask->sockets.nd >= 0; i++) {
		struct msghdr message = {
			.msg_iov = &vector,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		ssize_t length = recvmsg(ask->sockets.nd, &message, MSG_DONTWAIT);

		if (length < 0 && errno != EINTR)
			return;
		if (length > 0)
			take_advert(ask, &message, (size_t)length, handler, context);
	}
}

void ask_read(struct ask *ask, ask_handler handler, void *context)
{
	read_arp(ask, handler, context);
	read_nd(ask, handler, context);
}
