#include "udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../core/time.h"

/* The kernel doubles it for its own bookkeeping: room for some 400 datagrams, whose headers weigh
 * 640 bytes at least. Unprivileged users may ask for as much, so it needs no privilege. */
#define RECEIVE_BUFFER_BYTES (128 * 1024)
static_assert(UDP_QUEUE_MAX > 2 * RECEIVE_BUFFER_BYTES / 640, "a queue is read in one go");

#define HOPS_MAX 255
#define CLASS_SELECTOR_6 0xc0
#define PRIORITY_INTERACTIVE 6 /* TC_PRIO_INTERACTIVE: the first band of pfifo_fast */

struct option {
	int level, name, value;
	const char *what;
};

static const struct option both[] = {
	/* clang-format off */
	{SOL_SOCKET, SO_TIMESTAMPNS, 1, "set SO_TIMESTAMPNS"},
	{SOL_SOCKET, SO_RXQ_OVFL, 1, "set SO_RXQ_OVFL"},
	{SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES, "set SO_RCVBUF"},
	/* clang-format on */
};

/* PROBE is DF without regard to what routers (or who pretends to be one) say of the path's MTU. */
static const struct option only_v4[] = {
	/* clang-format off */
	{IPPROTO_IP, IP_RECVTTL, 1, "set IP_RECVTTL"},
	{IPPROTO_IP, IP_TTL, HOPS_MAX, "set IP_TTL"},
	{IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, "set IP_MTU_DISCOVER"},
	{IPPROTO_IP, IP_TOS, CLASS_SELECTOR_6, "set IP_TOS"},
	/* after IP_TOS, which sets it as well */
	{SOL_SOCKET, SO_PRIORITY, PRIORITY_INTERACTIVE, "set SO_PRIORITY"},
	/* clang-format on */
};

/* FREEBIND lets it bind to an address that is still being probed for duplicates. IPv4 has it, too,
 * but would then refuse to connect. */
static const struct option only_v6[] = {
	/* clang-format off */
	{IPPROTO_IPV6, IPV6_V6ONLY, 1, "set IPV6_V6ONLY"},
	{IPPROTO_IPV6, IPV6_FREEBIND, 1, "set IPV6_FREEBIND"},
	{IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, "set IPV6_RECVHOPLIMIT"},
	{IPPROTO_IPV6, IPV6_UNICAST_HOPS, HOPS_MAX, "set IPV6_UNICAST_HOPS"},
	{IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE, "set IPV6_MTU_DISCOVER"},
	{IPPROTO_IPV6, IPV6_TCLASS, CLASS_SELECTOR_6, "set IPV6_TCLASS"},
	{SOL_SOCKET, SO_PRIORITY, PRIORITY_INTERACTIVE, "set SO_PRIORITY"},
	/* clang-format on */
};

static int set_options(int fd, const struct option *options, size_t count, const char **ret_what)
{
	for (size_t i = 0; i < count; i++) {
		const struct option *option = &options[i];

		if (setsockopt(fd, option->level, option->name, &option->value,
			       sizeof(option->value)) < 0) {
			*ret_what = option->what;
			return -errno;
		}
	}
	return 0;
}

/* The socket address of an end. Of link-local ones the bound interface says where they are. */
static socklen_t end_of_link(const struct hbd_address *address, uint16_t port,
			     struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (address->family == AF_INET) {
		struct sockaddr_in *v4 = (struct sockaddr_in *)ret;

		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		v4->sin_addr = address->v4;
		return sizeof(*v4);
	}

	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	v6->sin6_addr = address->v6;
	return sizeof(*v6);
}

static int attach(int fd, const struct hbd_conf_link *local, const struct hbd_conf_link *remote,
		  uint16_t port, const char **ret_what)
{
	struct sockaddr_storage end;
	socklen_t length = end_of_link(&local->address, port, &end);

	*ret_what = "bind to the interface";
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, local->interface,
		       (socklen_t)strlen(local->interface) + 1) < 0)
		return -errno;
	*ret_what = "bind to the address";
	if (bind(fd, (struct sockaddr *)&end, length) < 0)
		return -errno;
	length = end_of_link(&remote->address, port, &end);
	*ret_what = "connect";
	if (connect(fd, (struct sockaddr *)&end, length) < 0)
		return -errno;
	return 0;
}

static int set_all_options(int fd, int family, const char **ret_what)
{
	int r = set_options(fd, both, sizeof(both) / sizeof(both[0]), ret_what);

	if (r < 0)
		return r;
	if (family == AF_INET)
		return set_options(fd, only_v4, sizeof(only_v4) / sizeof(only_v4[0]), ret_what);
	return set_options(fd, only_v6, sizeof(only_v6) / sizeof(only_v6[0]), ret_what);
}

int udp_open(const struct hbd_conf *conf, uint8_t self, uint8_t link, int *ret_fd,
	     const char **ret_what)
{
	const struct hbd_conf_link *local = &conf->nodes[self].links[link];
	const struct hbd_conf_link *remote = &conf->nodes[1 - self].links[link];
	int family = local->address.family;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	*ret_what = "open a socket";
	if (fd < 0)
		return -errno;
	r = set_all_options(fd, family, ret_what);
	if (r == 0)
		r = attach(fd, local, remote, conf->port, ret_what);
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int udp_send(int fd, const uint8_t *bytes, size_t length)
{
	bool refused = false;

	if (send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	/* this tells of an earlier datagram and kept the kernel from sending the present one */
	if (errno == ECONNREFUSED) {
		refused = true;
		if (send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return -ECONNREFUSED;
	}
	return refused && errno == ECONNREFUSED ? -ECONNREFUSED : -errno;
}

/* Room for the ancillary data of one datagram. */
struct ancillary {
	_Alignas(struct cmsghdr)
		uint8_t bytes[CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(int)) +
			      CMSG_SPACE(sizeof(uint32_t))];
};

struct batch {
	struct mmsghdr headers[UDP_BATCH];
	struct iovec vectors[UDP_BATCH];
	struct ancillary ancillary[UDP_BATCH];
};

static void prepare(struct batch *batch, struct udp_datagram *datagrams)
{
	for (size_t i = 0; i < UDP_BATCH; i++) {
		batch->vectors[i] = (struct iovec){
			.iov_base = datagrams[i].bytes,
			.iov_len = sizeof(datagrams[i].bytes),
		};
		batch->headers[i] = (struct mmsghdr){
			.msg_hdr = {
				.msg_iov = &batch->vectors[i],
				.msg_iovlen = 1,
				.msg_control = batch->ancillary[i].bytes,
				.msg_controllen = sizeof(batch->ancillary[i].bytes),
			},
		};
	}
}

static int64_t stamp_ns(const struct cmsghdr *item)
{
	struct timespec stamp;

	memcpy(&stamp, CMSG_DATA(item), sizeof(stamp));
	return stamp.tv_sec * HBD_S_NS + stamp.tv_nsec;
}

static void read_ancillary(struct msghdr *header, const struct clock_pair *clock,
			   int64_t not_before_ns, struct udp_datagram *datagram,
			   uint32_t *ret_overflow)
{
	datagram->ttl = -1;
	datagram->received_ns = clock->boot_ns;
	for (struct cmsghdr *item = CMSG_FIRSTHDR(header); item; item = CMSG_NXTHDR(header, item)) {
		if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_TIMESTAMPNS)
			datagram->received_ns = clock_from_real(clock, stamp_ns(item),
								not_before_ns);
		else if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SO_RXQ_OVFL)
			memcpy(ret_overflow, CMSG_DATA(item), sizeof(*ret_overflow));
		else if ((item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_TTL) ||
			 (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_HOPLIMIT))
			memcpy(&datagram->ttl, CMSG_DATA(item), sizeof(datagram->ttl));
	}
}

int udp_receive(int fd, const struct clock_pair *clock, int64_t not_before_ns,
		struct udp_datagram *datagrams, uint32_t *ret_overflow)
{
	struct batch batch;
	int count;

	prepare(&batch, datagrams);
	/* with MSG_TRUNC the length of each is the true one */
	count = recvmmsg(fd, batch.headers, UDP_BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
	if (count < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
	for (int i = 0; i < count; i++) {
		datagrams[i].length = batch.headers[i].msg_len;
		read_ancillary(&batch.headers[i].msg_hdr, clock, not_before_ns, &datagrams[i],
			       ret_overflow);
	}
	return count;
}
