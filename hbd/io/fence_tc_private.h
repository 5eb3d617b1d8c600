/* What fence_tc*.c share: requests to the kernel, and what a hook looks like. */
#pragma once

#include <linux/rtnetlink.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/socket.h>
#include <stddef.h>

#include "fence_tc.h"

/* Handles of an instance: so many from a base that comes of its name. A replacement has another
 * handle than what it replaces, so that both can be there for a moment. */
#define FENCE_TC_HANDLES 8

/* By these names `tc filter show` and we know a program of ours. */
#define FENCE_TC_NAME "hbd-fence"
#define FENCE_TC_NAME_MADE_QDISC "hbd-fence-qdisc"

#define FENCE_TC_PRIORITY 1 /* the highest that there is */
#define FENCE_TC_WHY_BYTES 128

struct fence_tc {
	struct nl_sock *socket;
	uint32_t handle; /* the first of the instance's */
	char why[FENCE_TC_WHY_BYTES];
};

/* A program of this instance on a hook. */
struct fence_tc_filter {
	uint32_t handle;
	uint32_t program;
	bool made_qdisc; /* its name says so */
};

struct fence_tc_hook {
	size_t count;
	struct fence_tc_filter ours[FENCE_TC_HANDLES];
	size_t others;	   /* of everybody else, other instances of hbd included */
	bool decided;	   /* who sees a frame first, other instances not counted: */
	uint32_t first;	   /* a handle of ours; or 0, a stranger's, */
	char stranger[80]; /* described here */
};

enum fence_tc_qdisc {
	FENCE_TC_QDISC_NONE = 0,
	FENCE_TC_QDISC_CLSACT,
	FENCE_TC_QDISC_OTHER, /* ingress: without a hook for what leaves */
};

/* How frames look there. */
enum fence_tc_link {
	FENCE_TC_LINK_UNSET = 0,
	FENCE_TC_LINK_ETHERNET,
	FENCE_TC_LINK_PAYLOAD,	 /* no Ethernet header */
	FENCE_TC_LINK_ELSEWHERE, /* loopback, dummy, VRF: they enter by other interfaces */
};

/* ---- fence_tc_ask.c: all return 0 or a negative errno, with the kernel's words in tc->why ----- */

/* Connects anew. */
int fence_tc_connect(struct fence_tc *tc);

/* A request about a qdisc or filter; NULL without memory. */
struct nl_msg *fence_tc_request(int type, int flags, const struct tcmsg *about);

/* Sends message, which may be NULL (no memory), frees it, and calls on_answer (may be NULL) for
 * everything that is told in answer. -EAGAIN: a dump that was overtaken by a change. */
int fence_tc_ask(struct fence_tc *tc, struct nl_msg *message, nl_recvmsg_msg_cb_t on_answer,
		 void *context);

/* ---- fence_tc_look.c --------------------------------------------------------------------------- */

uint32_t fence_tc_parent(enum fence_side side);
int fence_tc_look(struct fence_tc *tc, int ifindex, enum fence_side side,
		  struct fence_tc_hook *ret_hook);
int fence_tc_look_qdisc(struct fence_tc *tc, int ifindex, enum fence_tc_qdisc *ret_qdisc);
int fence_tc_look_link(struct fence_tc *tc, int ifindex, enum fence_tc_link *ret_link);

/* ---- fence_tc_change.c ------------------------------------------------------------------------- */

int fence_tc_add_qdisc(struct fence_tc *tc, int ifindex);
int fence_tc_delete_qdisc(struct fence_tc *tc, int ifindex);
int fence_tc_add(struct fence_tc *tc, int ifindex, enum fence_side side, int fd,
		 const struct fence_tc_filter *filter);
int fence_tc_delete(struct fence_tc *tc, int ifindex, enum fence_side side, uint32_t handle);
