/*
 * The drain: after a planned move, connections that end on the old owner live on until they end.
 *
 * The new owner has the address, is asked for it and gets every packet to it. What it gets of a TCP
 * connection that is not its own it hands, by link-layer address, to the old owner, which still has
 * the address, is silent about it, and answers the client directly. Both are done by programs of
 * the kernel at tc clsact (drain.bpf.c), behind the fence's.
 *
 * A segment to a virtual address of the drain belongs to the new owner if
 *	- it has SYN; its connection is remembered from then on,
 *	- its connection is remembered,
 *	- the new owner has a socket for it that does not just listen, or
 *	- the old owner sent it (so nothing goes round between two that drain to each other),
 * and to the old owner otherwise. So nothing depends on how a service listens (on the address or on
 * all), nor on connection tracking, and connections that the new owner passes on (NAT, IPVS,
 * containers) stay with it too. Nothing else is touched: no other address, no UDP, no nftables, no
 * sysctl. UDP and SYNs that still arrive at the old owner are answered by it.
 *
 * What the old owner must not do is tell its neighbors that it has the address, and it would,
 * whenever the kernel looks for the client's link-layer address in the virtual address' name. So
 * it drops ARP and neighbor advertisement that speak for the address, and asks questions as somebody
 * else: ARP as a probe (sender 0.0.0.0), neighbor solicitation from an address of its own.
 *
 * What a drain cannot keep:
 *	- what is longer than the drain: at its end the new owner answers with RST;
 *	- connections whose client changes its address or port, and QUIC and other protocols over UDP
 *	  that keep state: their packets go to the new owner;
 *	- segments in IP fragments or behind IPv6 extension headers;
 *	- connections that need an ICMP error that comes during the drain (a path that became narrower);
 *	- connections of a forwarding node that neither ends nor began them (a router's, without NAT):
 *	  they go on at the new owner, by way of a detour over the old one;
 *	- all, where there is no Ethernet between the nodes, the interface has hardware LRO, a switch
 *	  lets no frame of the client's IP address in from the new owner's port (source guard), or the
 *	  build or kernel has no BPF: then a planned move breaks connections as a takeover does.
 *
 * Who calls what, and in which order:
 *
 *	new owner	drain_forward()		before it announces, else segments meet its RST
 *	old owner	drain_hold()		before it says that the other may announce
 *	old owner	drain_count()		every second or so: 0 = it may end
 *	new owner	drain_end()		when the old owner says that it is over
 *	old owner	drain_end()		after its addresses are removed or its fence is closed,
 *						or before it announces again
 *	both		drain_sweep()		at start; before fence_open()
 *
 * All of it needs CAP_NET_ADMIN and CAP_BPF, so it is the guardian's. It blocks for some
 * milliseconds (the verifier). A process that is killed leaves a forwarder that stops by itself at
 * until_ns, and a holder that keeps silent until drain_sweep() or drain_end().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../conf/conf.h"
#include "drain_shared.h"

#define DRAIN_WHY_BYTES 200

struct drain;

/* An interface of the group. */
struct drain_leg {
	int ifindex;
	uint8_t peer[DRAIN_MAC_BYTES]; /* drain_forward(): the old owner's there; not zero */
	/* drain_hold(): an address of this node itself there, link-local if need be; :: = it has none,
	 * then it looks for no neighbor over IPv6 in a virtual address' name. */
	struct in6_addr own;
};

struct drain_plan {
	const char *instance; /* as in fence_open() */
	uint8_t group;
	int64_t until_ns; /* drain_forward(): CLOCK_BOOTTIME */
	size_t address_count, leg_count;
	const struct hbd_address *addresses;
	const struct drain_leg *legs;
};

/*
 * The new owner's begin. What an earlier one for the group left is replaced without a gap.
 * 0, and segments are forwarded from now on; or, with nothing left behind and why in ret_why:
 * -EINVAL, no address, no leg or no peer; -EOPNOTSUPP, a build without BPF, or a leg that has no
 * Ethernet; -ENODEV, no such interface; -EBUSY, something is in the way there; -EPERM; -ENOMEM, or
 * what the kernel said.
 */
int drain_forward(const struct drain_plan *plan, struct drain **ret_drain,
		  char ret_why[DRAIN_WHY_BYTES]);

/* The old owner's begin: silent about the addresses, and still there. As drain_forward(). */
int drain_hold(const struct drain_plan *plan, struct drain **ret_drain,
	       char ret_why[DRAIN_WHY_BYTES]);

/* The end of either; accepts NULL. The programs are detached, and the qdisc removed if it was made
 * for them and nobody else uses it. An interface that is gone took them along. 0, or the first
 * negative errno after trying all: drain_sweep() may do it later. */
int drain_end(struct drain *drain);

struct drain_tally {
	uint64_t forwarded; /* segments handed to the old owner */
	int64_t last_ns;    /* when the last one was; 0 = none */
};
/* Of drain_forward(): also tells of connections that the old owner does not count. */
void drain_tally(const struct drain *drain, struct drain_tally *ret_tally);

/*
 * How many TCP connections to the addresses end on this node: sockets of its network namespace in
 * any state but listening, being over (TIME_WAIT) and just asked for by a SYN. Connections into
 * containers have none. The count, or a negative errno: it is not known.
 */
int drain_count(const struct hbd_address *addresses, size_t address_count);

/* Detaches what an earlier life of the instance left, on all interfaces. How many programs, or the
 * first negative errno after trying all. 0 in a build without BPF. */
int drain_sweep(const char *instance);
