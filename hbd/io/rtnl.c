#include "rtnl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "netlink_why.h"
#include "rtnl_private.h"

/* Waiting answers must fit the socket's buffer, about 1 KiB of the kernel's memory each. If they do
 * not, what was not answered is sent again in smaller portions: every request is idempotent. */
static const size_t chunks[] = { RTNL_CHUNK_MAX, 16, 1 };
#define REQUEST_BUFFER_BYTES ((size_t)1 << 20)

/* 4096 addresses added at once are 4096 events of about the same size. */
#define EVENT_BUFFER_BYTES ((size_t)8 << 20)

/* The kernel answers while it takes the request; later than this it is not coming. */
#define ANSWER_MS 200

/* Result of a request that was not answered yet. */
#define UNANSWERED 1

static void set_receive_buffer(int fd, size_t wanted)
{
	int bytes = (int)wanted;

	/* Past the system's limit only with privilege; what can be had is good enough otherwise. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

static int open_socket(size_t receive_bytes, struct nl_sock **ret_socket)
{
	struct nl_sock *socket = nl_socket_alloc();

	if (!socket)
		return -ENOMEM;
	errno = 0;
	if (nl_connect(socket, NETLINK_ROUTE) != 0 || nl_socket_set_nonblocking(socket) != 0) {
		int error = errno != 0 ? -errno : -ENOMEM;

		nl_socket_free(socket);
		return error;
	}
	set_receive_buffer(nl_socket_get_fd(socket), receive_bytes);
	*ret_socket = socket;
	return 0;
}

static int open_events(struct rtnl *rtnl)
{
	int error = open_socket(EVENT_BUFFER_BYTES, &rtnl->events);

	if (error != 0)
		return error;
	errno = 0;
	if (nl_socket_add_memberships(rtnl->events, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
				      RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_NETCONF,
				      RTNLGRP_IPV6_IFINFO, 0) != 0)
		return errno != 0 ? -errno : -EINVAL;
	return 0;
}

int rtnl_receive(struct rtnl *rtnl, struct nl_sock *socket)
{
	struct sockaddr_nl sender = { 0 };
	struct iovec vector = { .iov_base = rtnl->received, .iov_len = sizeof(rtnl->received) };
	struct msghdr message = {
		.msg_name = &sender,
		.msg_namelen = sizeof(sender),
		.msg_iov = &vector,
		.msg_iovlen = 1,
	};
	ssize_t length;

	do
		length = recvmsg(nl_socket_get_fd(socket), &message, MSG_DONTWAIT);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return -errno;
	if (message.msg_flags & MSG_TRUNC)
		return -ENOBUFS;
	return sender.nl_pid == 0 ? (int)length : 0;
}

int rtnl_receive_soon(struct rtnl *rtnl)
{
	struct pollfd wait = { .fd = nl_socket_get_fd(rtnl->requests), .events = POLLIN };
	int length = rtnl_receive(rtnl, rtnl->requests);

	if (length != -EAGAIN)
		return length;
	if (poll(&wait, 1, ANSWER_MS) <= 0)
		return -ETIMEDOUT;
	length = rtnl_receive(rtnl, rtnl->requests);
	return length == -EAGAIN ? -ETIMEDOUT : length;
}

int rtnl_send(struct rtnl *rtnl, const void *bytes, size_t length)
{
	ssize_t sent = send(nl_socket_get_fd(rtnl->requests), bytes, length, MSG_DONTWAIT);

	return sent < 0 ? -errno : 0;
}

/* Notes the answers in one datagram; returns how many requests they answered. */
static size_t take_answers(struct rtnl *rtnl, int length, uint32_t base,
			   struct rtnl_request *requests, size_t count)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(void *)rtnl->received;
	size_t answered = 0;

	for (; nlmsg_ok(header, length); header = nlmsg_next(header, &length)) {
		const struct nlmsgerr *error = nlmsg_data(header);
		uint32_t index = header->nlmsg_seq - base;

		if (header->nlmsg_type != NLMSG_ERROR || index >= count ||
		    nlmsg_datalen(header) < (int)sizeof(*error) ||
		    requests[index].result != UNANSWERED)
			continue;
		requests[index].result = error->error;
		answered++;
		if (error->error != 0)
			netlink_why(header, rtnl->why, sizeof(rtnl->why));
	}
	return answered;
}

/* Reads the answers to what was sent. 0 also if some of them were lost; -ETIMEDOUT ... */
static int collect(struct rtnl *rtnl, uint32_t base, struct rtnl_request *requests, size_t count,
		   size_t waiting)
{
	bool lost = false;

	while (waiting > 0) {
		int length = lost ? rtnl_receive(rtnl, rtnl->requests) : rtnl_receive_soon(rtnl);

		if (lost && length == -EAGAIN)
			break;
		if (length == -ENOBUFS)
			lost = true;
		else if (length < 0)
			return length;
		else
			waiting -= take_answers(rtnl, length, base, requests, count);
	}
	return 0;
}

/* Sends up to chunk of the unanswered requests from *at on. Returns how many, or an error. */
static int send_chunk(struct rtnl *rtnl, uint32_t base, const struct rtnl_request *requests,
		      size_t count, size_t chunk, size_t *at)
{
	size_t length = 0;
	int sent = 0, error;

	for (; *at < count && (size_t)sent < chunk; (*at)++) {
		if (requests[*at].result != UNANSWERED)
			continue;
		error = rtnl_message_put(rtnl->batch + length, &requests[*at], base + (uint32_t)*at,
					 rtnl->knows_mark);
		if (error < 0)
			return error;
		length += (size_t)error;
		sent++;
	}
	error = sent > 0 ? rtnl_send(rtnl, rtnl->batch, length) : 0;
	return error < 0 ? error : sent;
}

/* One try of all that is unanswered. */
static int try_unanswered(struct rtnl *rtnl, struct rtnl_request *requests, size_t count,
			  size_t chunk)
{
	uint32_t base = rtnl->sequence;
	size_t at = 0;

	rtnl->sequence += (uint32_t)count;
	while (at < count) {
		int sent = send_chunk(rtnl, base, requests, count, chunk, &at);
		int error = sent > 0 ? collect(rtnl, base, requests, count, (size_t)sent) : sent;

		if (error < 0)
			return error;
	}
	return 0;
}

void rtnl_apply(struct rtnl *rtnl, struct rtnl_request *requests, size_t count)
{
	int error = 0;

	rtnl->why[0] = '\0';
	for (size_t i = 0; i < count; i++)
		requests[i].result = UNANSWERED;
	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]) && error == 0; i++)
		error = try_unanswered(rtnl, requests, count, chunks[i]);
	for (size_t i = 0; i < count; i++) {
		if (requests[i].result == UNANSWERED)
			requests[i].result = error < 0 ? error : -ETIMEDOUT;
	}
}

const char *rtnl_why(const struct rtnl *rtnl)
{
	return rtnl->why;
}

bool rtnl_is_gone(int result)
{
	return result == 0 || result == -EADDRNOTAVAIL || result == -ENODEV || result == -ENXIO;
}

int rtnl_transact(struct rtnl *rtnl, struct nl_msg *message)
{
	struct rtnl_request answer = { .result = UNANSWERED };
	uint32_t base = rtnl->sequence++;
	struct nlmsghdr *header;
	int error;

	if (!message)
		return -ENOMEM;
	header = nlmsg_hdr(message);
	header->nlmsg_seq = base;
	error = rtnl_send(rtnl, header, header->nlmsg_len);
	nlmsg_free(message);
	if (error == 0)
		error = collect(rtnl, base, &answer, 1, 1);
	if (error != 0)
		return error;
	return answer.result == UNANSWERED ? -ETIMEDOUT : answer.result;
}

int rtnl_promote_secondaries(struct rtnl *rtnl, int ifindex)
{
	return rtnl_transact(rtnl, rtnl_message_promote(ifindex));
}

int rtnl_try_v6(struct rtnl *rtnl, int ifindex)
{
	int error;

	rtnl->why[0] = '\0';
	error = rtnl_transact(rtnl, rtnl_message_try_v6(ifindex));
	return error == -EADDRNOTAVAIL ? 0 : error;
}

static int open_requests(struct rtnl *rtnl, size_t receive_bytes)
{
	const int on = 1;
	int error = open_socket(receive_bytes != 0 ? receive_bytes : REQUEST_BUFFER_BYTES,
				&rtnl->requests);

	if (error != 0)
		return error;
	/* Answers with the kernel's words and without our request in them; older kernels go without. */
	setsockopt(nl_socket_get_fd(rtnl->requests), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(nl_socket_get_fd(rtnl->requests), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	error = rtnl_transact(rtnl, rtnl_message_probe_mark());
	rtnl->knows_mark = error == -ERANGE;
	return error == -EPERM || error == -ETIMEDOUT ? error : 0;
}

int rtnl_open(bool events, size_t receive_bytes, struct rtnl **ret_rtnl)
{
	struct rtnl *rtnl = calloc(1, sizeof(*rtnl));
	int error;

	if (!rtnl)
		return -ENOMEM;
	rtnl->sequence = 1;
	error = open_requests(rtnl, receive_bytes);
	if (error == 0 && events)
		error = open_events(rtnl);
	if (error != 0) {
		rtnl_close(rtnl);
		return error;
	}
	*ret_rtnl = rtnl;
	return 0;
}

void rtnl_close(struct rtnl *rtnl)
{
	if (!rtnl)
		return;
	nl_socket_free(rtnl->events);
	nl_socket_free(rtnl->requests);
	free(rtnl);
}
