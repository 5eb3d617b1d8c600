#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <netlink/attr.h>

#include "fence_tc_private.h"

/* ---- the qdisc --------------------------------------------------------------------------------- */

static int change_qdisc(struct fence_tc *tc, int type, int flags, int ifindex)
{
	const struct tcmsg about = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = ifindex,
		.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
		.tcm_parent = TC_H_CLSACT,
	};
	struct nl_msg *message = fence_tc_request(type, NLM_F_ACK | flags, &about);

	if (message && nla_put_string(message, TCA_KIND, "clsact") != 0) {
		nlmsg_free(message);
		message = NULL;
	}
	return fence_tc_ask(tc, message, NULL, NULL);
}

int fence_tc_add_qdisc(struct fence_tc *tc, int ifindex)
{
	return change_qdisc(tc, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex);
}

int fence_tc_delete_qdisc(struct fence_tc *tc, int ifindex)
{
	return change_qdisc(tc, RTM_DELQDISC, 0, ifindex);
}

/* ---- programs ---------------------------------------------------------------------------------- */

static struct tcmsg about_filter(int ifindex, enum fence_side side, uint32_t handle)
{
	return (struct tcmsg){
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = ifindex,
		.tcm_handle = handle,
		.tcm_parent = fence_tc_parent(side),
		.tcm_info = TC_H_MAKE((uint32_t)FENCE_TC_PRIORITY << 16, htons(ETH_P_ALL)),
	};
}

/* Its return value is the verdict, and it stays in software: a network card that took it over would
 * not know the clock. */
static int put_program(struct nl_msg *message, int fd, bool made_qdisc)
{
	struct nlattr *options;
	int error = nla_put_string(message, TCA_KIND, "bpf");

	options = error == 0 ? nla_nest_start(message, TCA_OPTIONS) : NULL;
	if (!options)
		return -ENOMEM;
	error = nla_put_u32(message, TCA_BPF_FD, (uint32_t)fd);
	if (error == 0)
		error = nla_put_string(message, TCA_BPF_NAME,
				       made_qdisc ? FENCE_TC_NAME_MADE_QDISC : FENCE_TC_NAME);
	if (error == 0)
		error = nla_put_u32(message, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	if (error == 0)
		error = nla_put_u32(message, TCA_BPF_FLAGS_GEN, TCA_CLS_FLAGS_SKIP_HW);
	nla_nest_end(message, options);
	return error == 0 ? 0 : -ENOMEM;
}

int fence_tc_add(struct fence_tc *tc, int ifindex, enum fence_side side, int fd,
		 const struct fence_tc_filter *filter)
{
	const struct tcmsg about = about_filter(ifindex, side, filter->handle);
	struct nl_msg *message = fence_tc_request(
		RTM_NEWTFILTER, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &about);

	if (message && put_program(message, fd, filter->made_qdisc) != 0) {
		nlmsg_free(message);
		message = NULL;
	}
	return fence_tc_ask(tc, message, NULL, NULL);
}

int fence_tc_delete(struct fence_tc *tc, int ifindex, enum fence_side side, uint32_t handle)
{
	const struct tcmsg about = about_filter(ifindex, side, handle);
	struct nl_msg *message = fence_tc_request(RTM_DELTFILTER, NLM_F_ACK, &about);

	if (message && nla_put_string(message, TCA_KIND, "bpf") != 0) {
		nlmsg_free(message);
		message = NULL;
	}
	return fence_tc_ask(tc, message, NULL, NULL);
}
