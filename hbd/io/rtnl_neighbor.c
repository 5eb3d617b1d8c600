#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <string.h>

#include "rtnl_private.h"

static struct nl_msg *new_message(int type, int flags, const struct rtnl_neighbor *neighbor)
{
	struct nl_msg *message = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);
	struct ndmsg body = {
		.ndm_family = (uint8_t)neighbor->address.family,
		.ndm_ifindex = neighbor->ifindex,
		.ndm_state = type == RTM_NEWNEIGH ? NUD_STALE : 0,
	};

	if (!message)
		return NULL;
	if (nlmsg_append(message, &body, sizeof(body), NLMSG_ALIGNTO) == 0 &&
	    rtnl_put_address(message, NDA_DST, &neighbor->address) == 0)
		return message;
	nlmsg_free(message);
	return NULL;
}

/* 0, or -EPROTO: that is none. */
static int read_entry(struct nlmsghdr *header, struct rtnl_neighbor *neighbor)
{
	const struct ndmsg *body = nlmsg_data(header);
	struct nlattr *found[NDA_MAX + 1];

	if (header->nlmsg_type != RTM_NEWNEIGH ||
	    nlmsg_parse(header, sizeof(*body), found, NDA_MAX, NULL) != 0)
		return -EPROTO;
	neighbor->given_up = body->ndm_state & (NUD_INCOMPLETE | NUD_FAILED);
	neighbor->confirmed = body->ndm_state & (NUD_REACHABLE | NUD_PERMANENT | NUD_NOARP);
	neighbor->resolved = !neighbor->given_up && found[NDA_LLADDR] &&
			     nla_len(found[NDA_LLADDR]) == sizeof(neighbor->mac);
	if (neighbor->resolved)
		nla_memcpy(neighbor->mac, found[NDA_LLADDR], sizeof(neighbor->mac));
	return 0;
}

static int receive_entry(struct rtnl *rtnl, uint32_t sequence, struct rtnl_neighbor *neighbor)
{
	for (;;) {
		int length = rtnl_receive_soon(rtnl);
		struct nlmsghdr *header = (struct nlmsghdr *)(void *)rtnl->received;

		if (length < 0)
			return length;
		if (!nlmsg_ok(header, length) || header->nlmsg_seq != sequence)
			continue;
		if (header->nlmsg_type == NLMSG_ERROR)
			return nlmsg_datalen(header) >= (int)sizeof(int)
				       ? *(const int *)nlmsg_data(header)
				       : -EIO;
		return read_entry(header, neighbor);
	}
}

int rtnl_neighbor_read(struct rtnl *rtnl, struct rtnl_neighbor *neighbor)
{
	struct nl_msg *message = new_message(RTM_GETNEIGH, 0, neighbor);
	uint32_t sequence = rtnl->sequence++;
	int error;

	if (!message)
		return -ENOMEM;
	nlmsg_hdr(message)->nlmsg_seq = sequence;
	error = rtnl_send(rtnl, nlmsg_hdr(message), nlmsg_hdr(message)->nlmsg_len);
	nlmsg_free(message);
	return error != 0 ? error : receive_entry(rtnl, sequence, neighbor);
}

int rtnl_neighbor_suggest(struct rtnl *rtnl, const struct rtnl_neighbor *neighbor)
{
	struct nl_msg *message = new_message(RTM_NEWNEIGH, NLM_F_REPLACE | NLM_F_ACK, neighbor);

	if (message && nla_put(message, NDA_LLADDR, sizeof(neighbor->mac), neighbor->mac) != 0) {
		nlmsg_free(message);
		return -ENOMEM;
	}
	return rtnl_transact(rtnl, message);
}
