#include "rtnl_private.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <stdio.h>
#include <string.h>

/* IFA_PROTO of our addresses, 'h'; the kernel's own numbers are small (linux/if_addr.h). */
#define MARK_PROTO 0x68
/* Where the kernel has no IFA_PROTO (before 5.18), the end of an IPv4 address' label. */
#define MARK_LABEL ":hbd"

static int address_bytes(int family)
{
	return family == AF_INET ? 4 : 16;
}

int rtnl_put_address(struct nl_msg *message, int type, const struct hbd_address *address)
{
	const void *bytes = address->family == AF_INET ? (const void *)&address->v4
						       : (const void *)&address->v6;

	return nla_put(message, type, address_bytes(address->family), bytes);
}

static int put_mark(struct nl_msg *message, const struct rtnl_request *request, bool knows_mark)
{
	char label[IFNAMSIZ + sizeof(MARK_LABEL)];

	if (knows_mark)
		return nla_put_u8(message, IFA_PROTO, MARK_PROTO);
	if (request->address.family != AF_INET || !request->interface)
		return 0;
	snprintf(label, sizeof(label), "%s" MARK_LABEL, request->interface);
	return strlen(label) < IFNAMSIZ ? nla_put_string(message, IFA_LABEL, label) : 0;
}

/*
 * IPv6: deprecated (preferred for 0 s), so that the node itself does not choose it as a source for
 * what it sends, since that would break when the address moves. IPv4 has no such thing: there the
 * first address of the subnet is the source, and ours is a later one.
 */
static int put_new(struct nl_msg *message, const struct rtnl_request *request, bool knows_mark)
{
	bool v6 = request->address.family == AF_INET6;
	struct ifa_cacheinfo times = {
		.ifa_valid = request->lifetime_s,
		.ifa_prefered = v6 || request->deprecated ? 0 : request->lifetime_s,
	};
	uint32_t flags = v6 ? IFA_F_NODAD : 0;
	int error;

	if (v6 && request->no_prefix_route)
		flags |= IFA_F_NOPREFIXROUTE;
	error = nla_put(message, IFA_CACHEINFO, sizeof(times), &times);
	if (error == 0)
		error = nla_put_u32(message, IFA_FLAGS, flags);
	if (error == 0)
		error = put_mark(message, request, knows_mark);
	return error;
}

static int fill(struct nl_msg *message, const struct rtnl_request *request, bool knows_mark)
{
	struct ifaddrmsg body = {
		.ifa_family = (uint8_t)request->address.family,
		.ifa_prefixlen = request->prefix,
		.ifa_index = (uint32_t)request->ifindex,
	};
	int error = nlmsg_append(message, &body, sizeof(body), NLMSG_ALIGNTO);

	if (error == 0)
		error = rtnl_put_address(message, IFA_LOCAL, &request->address);
	/* Without IFA_ADDRESS the kernel removes a local IPv4 address whatever its prefix. */
	if (error == 0 && !(request->verb == RTNL_REMOVE && request->any_prefix))
		error = rtnl_put_address(message, IFA_ADDRESS, &request->address);
	if (error == 0 && request->verb == RTNL_ADD)
		error = put_new(message, request, knows_mark);
	return error;
}

int rtnl_message_put(void *bytes, const struct rtnl_request *request, uint32_t sequence,
		     bool knows_mark)
{
	bool add = request->verb == RTNL_ADD;
	struct nl_msg *message = nlmsg_alloc_size(RTNL_MESSAGE_BYTES);
	struct nlmsghdr *header;
	int length = -ENOMEM;

	if (!message)
		return -ENOMEM;
	header = nlmsg_put(message, 0, sequence, add ? RTM_NEWADDR : RTM_DELADDR, 0,
			   NLM_F_REQUEST | NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_REPLACE : 0));
	if (!header || fill(message, request, knows_mark) != 0)
		goto out;
	header = nlmsg_hdr(message);
	length = (int)NLMSG_ALIGN(header->nlmsg_len);
	memcpy(bytes, header, header->nlmsg_len);
	memset((uint8_t *)bytes + header->nlmsg_len, 0, (size_t)length - header->nlmsg_len);
out:
	nlmsg_free(message);
	return length;
}

struct nl_msg *rtnl_message_promote(int ifindex)
{
	struct nl_msg *message = nlmsg_alloc_simple(RTM_SETLINK, NLM_F_REQUEST | NLM_F_ACK);
	struct ifinfomsg body = { .ifi_index = ifindex };
	struct nlattr *families, *family, *settings;

	if (!message)
		return NULL;
	if (nlmsg_append(message, &body, sizeof(body), NLMSG_ALIGNTO) != 0)
		goto full;
	families = nla_nest_start(message, IFLA_AF_SPEC);
	family = families ? nla_nest_start(message, AF_INET) : NULL;
	settings = family ? nla_nest_start(message, IFLA_INET_CONF) : NULL;
	if (!settings || nla_put_u32(message, IPV4_DEVCONF_PROMOTE_SECONDARIES, 1) != 0)
		goto full;
	nla_nest_end(message, settings);
	nla_nest_end(message, family);
	nla_nest_end(message, families);
	return message;
full:
	nlmsg_free(message);
	return NULL;
}

/* No interface, no address, and a mark of no bytes, which is the first thing that is checked. */
struct nl_msg *rtnl_message_probe_mark(void)
{
	struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWADDR, NLM_F_REQUEST | NLM_F_ACK);
	struct ifaddrmsg body = { .ifa_family = AF_INET };

	if (!message)
		return NULL;
	if (nlmsg_append(message, &body, sizeof(body), NLMSG_ALIGNTO) == 0 &&
	    nla_put(message, IFA_PROTO, 0, "") == 0)
		return message;
	nlmsg_free(message);
	return NULL;
}

struct nl_msg *rtnl_message_try_v6(int ifindex)
{
	const struct hbd_address any = { .family = AF_INET6 };
	struct nl_msg *message =
		nlmsg_alloc_simple(RTM_NEWADDR, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE);
	struct ifaddrmsg body = {
		.ifa_family = AF_INET6, .ifa_prefixlen = 128, .ifa_index = (uint32_t)ifindex
	};

	if (!message)
		return NULL;
	if (nlmsg_append(message, &body, sizeof(body), NLMSG_ALIGNTO) == 0 &&
	    rtnl_put_address(message, IFA_LOCAL, &any) == 0)
		return message;
	nlmsg_free(message);
	return NULL;
}

/* The kernel tells all IPv6 settings of an interface in one array with each interface message. */
static void read_forwarding(struct nlattr *families, struct rtnl_interface *interface)
{
	struct nlattr *family = families ? nla_find(nla_data(families), nla_len(families), AF_INET6)
					 : NULL;
	struct nlattr *settings =
		family ? nla_find(nla_data(family), nla_len(family), IFLA_INET6_CONF) : NULL;
	int32_t forwarding;

	if (!settings ||
	    nla_memcpy(&forwarding, settings, sizeof(forwarding)) < (int)sizeof(forwarding))
		return;
	interface->forwards_known = true;
	interface->forwards = forwarding != 0;
}

static void tell_interface(struct nlmsghdr *header, bool gone, const struct rtnl_handlers *handlers)
{
	const unsigned usable = IFF_UP | IFF_LOWER_UP | IFF_RUNNING;
	struct rtnl_interface interface = { 0 };
	struct nlattr *found[IFLA_MAX + 1];
	const struct ifinfomsg *body = nlmsg_data(header);

	if (nlmsg_parse(header, sizeof(*body), found, IFLA_MAX, NULL) != 0 || !found[IFLA_IFNAME])
		return;
	if (body->ifi_family == AF_INET6 && !gone && handlers->ready)
		handlers->ready(handlers->context, body->ifi_index);
	/* A bridge tells of its ports in messages of its own; their DELLINK deletes no interface. */
	if (body->ifi_family != AF_UNSPEC)
		return;
	interface.ifindex = body->ifi_index;
	nla_strlcpy(interface.name, found[IFLA_IFNAME], sizeof(interface.name));
	interface.usable = (body->ifi_flags & usable) == usable;
	if (body->ifi_type == ARPHRD_ETHER && !(body->ifi_flags & IFF_NOARP) &&
	    found[IFLA_ADDRESS] && nla_len(found[IFLA_ADDRESS]) == sizeof(interface.mac)) {
		interface.ethernet = true;
		nla_memcpy(interface.mac, found[IFLA_ADDRESS], sizeof(interface.mac));
	}
	if (found[IFLA_MTU] && nla_len(found[IFLA_MTU]) == sizeof(uint32_t))
		interface.mtu = nla_get_u32(found[IFLA_MTU]);
	read_forwarding(found[IFLA_AF_SPEC], &interface);
	handlers->interface(handlers->context, &interface, gone);
}

static bool has_mark(struct nlattr *const *found, bool knows_mark)
{
	const char *label;
	size_t length;

	if (knows_mark)
		return found[IFA_PROTO] && nla_len(found[IFA_PROTO]) == 1 &&
		       nla_get_u8(found[IFA_PROTO]) == MARK_PROTO;
	if (!found[IFA_LABEL])
		return false;
	label = nla_get_string(found[IFA_LABEL]);
	length = strnlen(label, (size_t)nla_len(found[IFA_LABEL]));
	return length > strlen(MARK_LABEL) &&
	       memcmp(label + length - strlen(MARK_LABEL), MARK_LABEL, strlen(MARK_LABEL)) == 0;
}

static void tell_address(struct nlmsghdr *header, bool gone, bool knows_mark,
			 const struct rtnl_handlers *handlers)
{
	struct nlattr *found[IFA_MAX + 1], *local;
	const struct ifaddrmsg *body = nlmsg_data(header);
	struct rtnl_address address = { 0 };
	uint32_t flags;

	if (nlmsg_parse(header, sizeof(*body), found, IFA_MAX, NULL) != 0 ||
	    (body->ifa_family != AF_INET && body->ifa_family != AF_INET6))
		return;
	local = found[IFA_LOCAL] ? found[IFA_LOCAL] : found[IFA_ADDRESS];
	if (!local || nla_len(local) != address_bytes(body->ifa_family))
		return;
	flags = found[IFA_FLAGS] && nla_len(found[IFA_FLAGS]) == sizeof(flags)
			? nla_get_u32(found[IFA_FLAGS])
			: body->ifa_flags;
	address.ifindex = (int)body->ifa_index;
	address.address.family = body->ifa_family;
	nla_memcpy(&address.address.v6, local, nla_len(local));
	address.prefix = body->ifa_prefixlen;
	address.marked = has_mark(found, knows_mark);
	address.secondary = body->ifa_family == AF_INET && (flags & IFA_F_SECONDARY);
	address.tentative = (flags & IFA_F_DADFAILED) ||
			    ((flags & IFA_F_TENTATIVE) && !(flags & IFA_F_OPTIMISTIC));
	handlers->address(handlers->context, &address, gone);
}

static void tell_forwarding(struct nlmsghdr *header, const struct rtnl_handlers *handlers)
{
	struct nlattr *found[NETCONFA_MAX + 1];
	const struct netconfmsg *body = nlmsg_data(header);

	if (nlmsg_parse(header, sizeof(*body), found, NETCONFA_MAX, NULL) != 0 ||
	    body->ncm_family != AF_INET6 || !found[NETCONFA_IFINDEX] ||
	    !found[NETCONFA_FORWARDING] || nla_len(found[NETCONFA_IFINDEX]) != sizeof(uint32_t) ||
	    nla_len(found[NETCONFA_FORWARDING]) != sizeof(uint32_t))
		return;
	handlers->forwarding(handlers->context, (int)nla_get_u32(found[NETCONFA_IFINDEX]),
			     nla_get_u32(found[NETCONFA_FORWARDING]) != 0);
}

void rtnl_message_tell(struct nlmsghdr *header, bool knows_mark,
		       const struct rtnl_handlers *handlers)
{
	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (handlers->interface)
			tell_interface(header, header->nlmsg_type == RTM_DELLINK, handlers);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		if (handlers->address)
			tell_address(header, header->nlmsg_type == RTM_DELADDR, knows_mark,
				     handlers);
		break;
	case RTM_NEWNETCONF:
		if (handlers->forwarding)
			tell_forwarding(header, handlers);
		break;
	}
}
