#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <net/if_arp.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/route/link.h>
#include <stdio.h>
#include <string.h>

#include "fence_tc_private.h"

/* Of a dump that changes overtake. */
#define TRIES 5

uint32_t fence_tc_parent(enum fence_side side)
{
	return TC_H_MAKE(TC_H_CLSACT, side == FENCE_IN ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

/* ---- a hook ------------------------------------------------------------------------------------ */

struct look {
	const struct fence_tc *tc;
	struct fence_tc_hook hook;
};

/* A filter as the kernel tells it. */
struct filter {
	const char *kind;
	const char *name; /* of a program; else "" */
	uint32_t handle, chain, program;
	unsigned priority;
};

/* False for what is no filter: a priority is told before the filters that have it, handle 0. */
static bool parse_filter(struct nl_msg *message, struct filter *ret_filter)
{
	struct nlattr *attributes[TCA_MAX + 1], *options[TCA_BPF_MAX + 1];
	struct nlmsghdr *header = nlmsg_hdr(message);
	const struct tcmsg *about = nlmsg_data(header);
	struct filter filter = { .name = "" };

	if (header->nlmsg_type != RTM_NEWTFILTER ||
	    nlmsg_parse(header, sizeof(*about), attributes, TCA_MAX, NULL) < 0 ||
	    about->tcm_handle == 0 || !attributes[TCA_KIND])
		return false;
	filter.kind = nla_get_string(attributes[TCA_KIND]);
	filter.handle = about->tcm_handle;
	filter.priority = TC_H_MAJ(about->tcm_info) >> 16;
	filter.chain = attributes[TCA_CHAIN] ? nla_get_u32(attributes[TCA_CHAIN]) : 0;
	if (strcmp(filter.kind, "bpf") == 0 && attributes[TCA_OPTIONS] &&
	    nla_parse_nested(options, TCA_BPF_MAX, attributes[TCA_OPTIONS], NULL) >= 0) {
		if (options[TCA_BPF_NAME])
			filter.name = nla_get_string(options[TCA_BPF_NAME]);
		if (options[TCA_BPF_ID])
			filter.program = nla_get_u32(options[TCA_BPF_ID]);
	}
	*ret_filter = filter;
	return true;
}

static bool is_hbd(const struct filter *filter)
{
	return strcmp(filter->name, FENCE_TC_NAME) == 0 ||
	       strcmp(filter->name, FENCE_TC_NAME_MADE_QDISC) == 0;
}

static void note_first(struct fence_tc_hook *hook, const struct filter *filter, bool ours)
{
	if (hook->decided || filter->chain != 0)
		return;
	hook->decided = true;
	if (ours)
		hook->first = filter->handle;
	else
		snprintf(hook->stranger, sizeof(hook->stranger), "%.16s filter%s%.32s of priority %u",
			 filter->kind, filter->name[0] != '\0' ? " " : "", filter->name,
			 filter->priority);
}

static int note_filter(struct nl_msg *message, void *context)
{
	struct look *look = context;
	struct fence_tc_hook *hook = &look->hook;
	struct filter filter;
	bool ours;

	if (!parse_filter(message, &filter))
		return NL_OK;
	ours = is_hbd(&filter) && filter.handle - look->tc->handle < FENCE_TC_HANDLES &&
	       hook->count < FENCE_TC_HANDLES;
	if (ours)
		hook->ours[hook->count++] = (struct fence_tc_filter){
			.handle = filter.handle,
			.program = filter.program,
			.made_qdisc = strcmp(filter.name, FENCE_TC_NAME_MADE_QDISC) == 0,
		};
	else
		hook->others++;
	if (ours || !is_hbd(&filter))
		note_first(hook, &filter, ours);
	return NL_OK;
}

/* Without a qdisc, or an interface, the kernel tells of no filter. */
int fence_tc_look(struct fence_tc *tc, int ifindex, enum fence_side side,
		  struct fence_tc_hook *ret_hook)
{
	const struct tcmsg about = { .tcm_ifindex = ifindex, .tcm_parent = fence_tc_parent(side) };
	struct look look;
	int error = -EAGAIN;

	for (int i = 0; i < TRIES && error == -EAGAIN; i++) {
		look = (struct look){ .tc = tc };
		error = fence_tc_ask(tc, fence_tc_request(RTM_GETTFILTER, NLM_F_DUMP, &about),
				     note_filter, &look);
	}
	if (error == 0)
		*ret_hook = look.hook;
	return error;
}

/* ---- a qdisc ----------------------------------------------------------------------------------- */

struct look_qdisc {
	int ifindex;
	enum fence_tc_qdisc qdisc;
};

static int note_qdisc(struct nl_msg *message, void *context)
{
	struct nlattr *attributes[TCA_MAX + 1];
	struct nlmsghdr *header = nlmsg_hdr(message);
	const struct tcmsg *about = nlmsg_data(header);
	struct look_qdisc *look = context;

	if (header->nlmsg_type != RTM_NEWQDISC ||
	    nlmsg_parse(header, sizeof(*about), attributes, TCA_MAX, NULL) < 0 ||
	    about->tcm_ifindex != look->ifindex || about->tcm_parent != TC_H_CLSACT ||
	    !attributes[TCA_KIND])
		return NL_OK;
	look->qdisc = strcmp(nla_get_string(attributes[TCA_KIND]), "clsact") == 0
			      ? FENCE_TC_QDISC_CLSACT
			      : FENCE_TC_QDISC_OTHER;
	return NL_OK;
}

/* All interfaces are told: to ask for one of them would be an event to whoever listens, us too. */
int fence_tc_look_qdisc(struct fence_tc *tc, int ifindex, enum fence_tc_qdisc *ret_qdisc)
{
	const struct tcmsg about = { .tcm_ifindex = ifindex };
	struct look_qdisc look;
	int error = -EAGAIN;

	for (int i = 0; i < TRIES && error == -EAGAIN; i++) {
		look = (struct look_qdisc){ .ifindex = ifindex };
		error = fence_tc_ask(tc, fence_tc_request(RTM_GETQDISC, NLM_F_DUMP, &about),
				     note_qdisc, &look);
	}
	if (error == 0)
		*ret_qdisc = look.qdisc;
	return error;
}

/* ---- an interface ------------------------------------------------------------------------------ */

static enum fence_tc_link link_of(struct rtnl_link *link)
{
	const char *kind = rtnl_link_get_type(link);
	unsigned hardware = rtnl_link_get_arptype(link);

	if (hardware == ARPHRD_LOOPBACK ||
	    (kind && (strcmp(kind, "dummy") == 0 || strcmp(kind, "vrf") == 0)))
		return FENCE_TC_LINK_ELSEWHERE;
	return hardware == ARPHRD_ETHER ? FENCE_TC_LINK_ETHERNET : FENCE_TC_LINK_PAYLOAD;
}

int fence_tc_look_link(struct fence_tc *tc, int ifindex, enum fence_tc_link *ret_link)
{
	struct rtnl_link *link = NULL;
	int error = rtnl_link_get_kernel(tc->socket, ifindex, NULL, &link);

	tc->why[0] = '\0';
	if (error == -NLE_NODEV || error == -NLE_OBJ_NOTFOUND)
		return -ENODEV;
	if (error < 0) {
		fence_tc_connect(tc);
		return -EIO;
	}
	*ret_link = link_of(link);
	rtnl_link_put(link);
	return 0;
}
