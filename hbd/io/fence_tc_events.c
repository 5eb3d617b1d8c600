#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "fence_tc.h"

#define RECEIVE_BYTES 65536

/* Of one go: who floods us does not keep us from everything else. */
#define READS_MAX 256

struct fence_tc_events {
	struct nl_sock *socket;
	_Alignas(struct nlmsghdr) uint8_t received[RECEIVE_BYTES];
};

int fence_tc_events_open(struct fence_tc_events **ret_events)
{
	struct fence_tc_events *events = calloc(1, sizeof(*events));

	if (!events)
		return -ENOMEM;
	events->socket = nl_socket_alloc();
	errno = 0;
	if (!events->socket || nl_connect(events->socket, NETLINK_ROUTE) != 0 ||
	    nl_socket_set_nonblocking(events->socket) != 0 ||
	    nl_socket_add_memberships(events->socket, RTNLGRP_LINK, RTNLGRP_TC, 0) != 0) {
		int error = errno != 0 ? -errno : -ENOMEM;

		fence_tc_events_close(events);
		return error;
	}
	*ret_events = events;
	return 0;
}

void fence_tc_events_close(struct fence_tc_events *events)
{
	if (!events)
		return;
	nl_socket_free(events->socket);
	free(events);
}

int fence_tc_events_fd(const struct fence_tc_events *events)
{
	return nl_socket_get_fd(events->socket);
}

/* Classes of other qdiscs, actions and the like are not ours. */
static bool concerns_us(struct nlmsghdr *header)
{
	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
	case RTM_NEWQDISC:
	case RTM_DELQDISC:
	case RTM_NEWTFILTER:
	case RTM_DELTFILTER:
		return true;
	default:
		return false;
	}
}

static bool any_concerns_us(struct fence_tc_events *events, ssize_t length)
{
	struct nlmsghdr *header = (void *)events->received;
	int left = (int)length;
	bool concerned = false;

	for (; nlmsg_ok(header, left); header = nlmsg_next(header, &left))
		concerned |= concerns_us(header);
	return concerned;
}

bool fence_tc_events_read(struct fence_tc_events *events)
{
	bool concerned = false;

	for (int i = 0; i < READS_MAX; i++) {
		ssize_t length = recv(fence_tc_events_fd(events), events->received,
				      sizeof(events->received), MSG_DONTWAIT | MSG_TRUNC);

		if (length < 0 && errno == EAGAIN)
			break;
		/* Lost (ENOBUFS) or cut off: it may have been ours. */
		if (length < 0 || length > (ssize_t)sizeof(events->received))
			concerned = true;
		else
			concerned |= any_concerns_us(events, length);
	}
	return concerned;
}
