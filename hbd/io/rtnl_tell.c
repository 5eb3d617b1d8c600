#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

#include "rtnl_private.h"

/* Tables that change all the time are read again so many times. */
#define DUMP_TRIES 8

/* After so many events the caller's other work has its turn. */
#define EVENTS_MAX 8192

static int send_dump(struct rtnl *rtnl, int type, uint32_t sequence)
{
	struct nl_msg *message = nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_DUMP);
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct ifaddrmsg address = { .ifa_family = AF_UNSPEC };
	int error = -ENOMEM;

	if (!message)
		return -ENOMEM;
	nlmsg_hdr(message)->nlmsg_seq = sequence;
	if (type == RTM_GETLINK
		    ? nlmsg_append(message, &link, sizeof(link), NLMSG_ALIGNTO) == 0 &&
			      nla_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) == 0
		    : nlmsg_append(message, &address, sizeof(address), NLMSG_ALIGNTO) == 0)
		error = rtnl_send(rtnl, nlmsg_hdr(message), nlmsg_hdr(message)->nlmsg_len);
	nlmsg_free(message);
	return error;
}

/* Tells one datagram of a dump. 1 = that was the end, 0 = more comes, or an error; *changed: the
 * kernel's tables changed meanwhile, so that something may have been left out. */
static int tell_dump(struct rtnl *rtnl, int length, uint32_t sequence, bool *changed,
		     const struct rtnl_handlers *handlers)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(void *)rtnl->received;

	for (; nlmsg_ok(header, length); header = nlmsg_next(header, &length)) {
		if (header->nlmsg_seq != sequence)
			continue;
		if (header->nlmsg_flags & NLM_F_DUMP_INTR)
			*changed = true;
		if (header->nlmsg_type == NLMSG_DONE)
			return 1;
		if (header->nlmsg_type == NLMSG_ERROR)
			return nlmsg_datalen(header) >= (int)sizeof(int)
				       ? *(const int *)nlmsg_data(header)
				       : -EIO;
		rtnl_message_tell(header, rtnl->knows_mark, handlers);
	}
	return 0;
}

static int dump(struct rtnl *rtnl, int type, const struct rtnl_handlers *handlers)
{
	for (unsigned i = 0; i < DUMP_TRIES; i++) {
		uint32_t sequence = rtnl->sequence++;
		int error = send_dump(rtnl, type, sequence);
		bool changed = false;

		while (error == 0) {
			int length = rtnl_receive_soon(rtnl);

			error = length < 0 ? length
					   : tell_dump(rtnl, length, sequence, &changed, handlers);
		}
		if (error == 1 && !changed)
			return 0;
		if (error < 0 && error != -ENOBUFS && error != -EBUSY)
			return error;
	}
	return -EAGAIN;
}

int rtnl_dump_interfaces(struct rtnl *rtnl, const struct rtnl_handlers *handlers)
{
	return dump(rtnl, RTM_GETLINK, handlers);
}

int rtnl_dump_addresses(struct rtnl *rtnl, const struct rtnl_handlers *handlers)
{
	return dump(rtnl, RTM_GETADDR, handlers);
}

int rtnl_event_fd(const struct rtnl *rtnl)
{
	return rtnl->events ? nl_socket_get_fd(rtnl->events) : -1;
}

int rtnl_read_events(struct rtnl *rtnl, const struct rtnl_handlers *handlers)
{
	bool lost = false;

	for (unsigned i = 0; i < EVENTS_MAX; i++) {
		struct nlmsghdr *header = (struct nlmsghdr *)(void *)rtnl->received;
		int length = rtnl_receive(rtnl, rtnl->events);

		if (length == -EAGAIN)
			return lost ? -ENOBUFS : 0;
		if (length < 0)
			lost = true;
		for (; length > 0 && nlmsg_ok(header, length); header = nlmsg_next(header, &length))
			rtnl_message_tell(header, rtnl->knows_mark, handlers);
	}
	return lost ? -ENOBUFS : -EAGAIN;
}
