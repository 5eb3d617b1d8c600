/*
 * The fence: the kernel mutes a virtual address when its group's lease is over.
 *
 * A program in the kernel (fence.bpf.c) sees every frame that enters or leaves an interface on
 * which the configuration has virtual addresses. It compares the kernel's CLOCK_BOOTTIME with the
 * group's deadline, a number in memory that the holder renews by storing a later one. Past it the
 * address is mute to the nanosecond, whatever became of the holder: hung, stopped, killed, or
 * swapped out. Renewing is no system call.
 *
 * What is dropped on an interface while the deadline of the address' group lies not ahead:
 *
 *	in	IPv4 and IPv6 to the address, fragments too; ARP for it and neighbor solicitation
 *		for it
 *	out	IPv4 and IPv6 from the address; ARP that speaks for it and neighbor advertisement of
 *		it
 *
 * each also within one or two VLAN tags. So the holder of a lapsed lease is neither asked nor heard:
 * packets that a client sent to it go nowhere, and what it still had to send, answers and
 * retransmissions of old connections included, stays here.
 *
 * What is not, on purpose: asking who has the address and connecting to it (out), another's claim to
 * it and another's packets from it (in), because a node without the lease is a client of the one
 * that has it; and everything that concerns no virtual address. Other programs attached to the
 * interface stay where they are and see every frame that is not dropped.
 *
 * What it cannot do: a frame is judged before it is queued for sending, so one that passed can leave
 * later by what it waited in the interface's queue. It does not see what bypasses the kernel (XDP,
 * DPDK), nor a frame that another program, in front of it, took; that is noticed and said. Frames
 * for an address on a loopback, dummy or VRF interface enter by other interfaces: there the fence is
 * not in force, and says so. An address on an interface with a fence is muted on every interface
 * with a fence, and on no other: one that clients reach by way of an interface without virtual
 * addresses (arp_ignore=0 and a second cable to the same LAN, or a router behind another interface)
 * can be heard there. And a node whose fence is closed does not forward, from such an interface,
 * frames to the one that holds the address.
 *
 * What it costs (make bench-fence), at each of the two hooks: some 25 ns for a frame of any other
 * address, 80 ns for one of a virtual address, half of it for the clock; a renewal 2 ns. It makes no
 * difference how many addresses there are.
 *
 * Who calls what, and when:
 *
 * guardian
 *   start	after its sweep of addresses and before it forks the engine: fence_open(), then
 *		fence_set(). Every group is closed. If either fails: fence_sweep(), or what an
 *		earlier life left would go on muting the addresses; the engine is to use lifetimes.
 *   loop	watch fence_fd() for reading and call fence_dispatch(); fence_check() every second
 *		or so. After each, and after fence_set(), look at fence_in_force() of every group
 *		and tell the engine what changed (it says so in its heartbeats), and the humans.
 *   death	of the engine, after its end is certain, since it could still renew before:
 *		fence_close_group() for every group, first of all; then sweep, last will ...
 *   reload	fence_set() with the new configuration; groups keep their index.
 *   stop	after the engine has ended and the addresses are gone: fence_close().
 *
 * engine (inherits the open fence by fork(); of this header it uses only what is marked so)
 *   renewal	fence_renew() whenever the group's lease is renewed and before its addresses are
 *		added: the deadline is the lease's end, or that of the long lease.
 *   release	fence_close_group() before the addresses are removed and before the peer is told.
 *   waking	a turn that ran late looks at the clock before it renews: a lease that lapsed is not
 *		to be renewed but lost.
 *   staging	an address may be added long before the group's first fence_renew().
 *
 * After kill -9 of both the programs stay attached and hold what they need: the deadlines pass and
 * the addresses stay mute until the next start replaces the programs, or fence_sweep(). Never is an
 * interface without one in between.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../conf/conf.h"

struct fence;

/* Why there can be no fence. */
enum fence_obstacle {
	FENCE_OBSTACLE_UNSET = 0,
	FENCE_BUILT_WITHOUT,	/* make FENCE=0 */
	FENCE_NO_PERMISSION,	/* no CAP_BPF or CAP_NET_ADMIN, a user namespace, a call filter */
	FENCE_LOCKDOWN,		/* the kernel is locked down */
	FENCE_KERNEL_TOO_OLD,	/* before Linux 5.8, or built without BPF */
	FENCE_NO_LOCKED_MEMORY, /* RLIMIT_MEMLOCK, before Linux 5.11 */
	FENCE_OTHER_CLOCK,	/* the process is in a time namespace of its own */
	FENCE_FAILED,		/* anything else */
};

#define FENCE_WHY_BYTES 200

struct fence_refusal {
	enum fence_obstacle obstacle;
	char why[FENCE_WHY_BYTES]; /* a sentence for humans, with the remedy if there is one */
};

/* What fence_dispatch() and fence_check() noticed of an interface. */
enum fence_news_type {
	FENCE_NEWS_UNSET = 0,
	FENCE_NEWS_ATTACHED, /* it came, or came back, or a failure ended: it has its fence */
	FENCE_NEWS_REPAIRED, /* someone had removed or displaced the programs; they are back */
	FENCE_NEWS_LOST,     /* the programs cannot be attached; tried again by fence_check() */
	FENCE_NEWS_GONE,     /* there is no interface of that name any more */
};

struct fence_news {
	enum fence_news_type type;
	const char *interface; /* its name in the configuration */
	const char *why;       /* LOST and REPAIRED: for humans; else "" */
};

typedef void (*fence_news_handler)(void *context, const struct fence_news *news);

/*
 * Loads the programs and tries them. Nothing is attached yet and every group is closed.
 *
 * instance: tells this daemon from another one on the machine and from nothing else: the path of
 * its run directory. What an earlier life of it left attached is replaced. addresses: room in the
 * kernel, of each family; more of them cannot be set later (32 bytes each while not in use).
 *
 * 0, or a negative errno (-EOPNOTSUPP: built without) with *ret_refusal filled. Logs nothing.
 */
int fence_open(const char *instance, size_t addresses, struct fence **ret_fence,
	       struct fence_refusal *ret_refusal);

/*
 * Detaches the programs from all interfaces, removes what was made for them and frees fence; NULL is
 * fine. A clsact qdisc stays if it was there before or if others use it now.
 */
void fence_close(struct fence *fence);

/* The same, but its programs stay attached, with their deadlines, until another fence replaces them. */
void fence_leave(struct fence *fence);

/*
 * Makes conf's addresses the ones that are fenced, and attaches the programs to conf's interfaces:
 * those that exist, the others when they come. An address that was fenced before stays so without a
 * moment in between, a new one is fenced before its interface is, and one that is not configured
 * any more is free at the end. The first call also detaches what an earlier life left elsewhere.
 *
 * 0, or -ENOSPC, -ENOMEM ... of the addresses, logged; then what was fenced before still is, and no
 * group is in force until a later call succeeds. An interface that refuses is no failure here:
 * fence_in_force() tells. conf need not live on.
 */
int fence_set(struct fence *fence, const struct hbd_conf *conf);

/* Poll this for reading and call fence_dispatch() then: it reads all that waits, never blocks,
 * attaches what is missing, logs it, and tells handler, if there is one. */
int fence_fd(const struct fence *fence);
void fence_dispatch(struct fence *fence, fence_news_handler handler, void *context);

/* The same without an event: looks at every interface. Also what the events could not tell. */
void fence_check(struct fence *fence, fence_news_handler handler, void *context);

/*
 * True if every address of the group is fenced on every interface of the group that exists, as of
 * the last look. Otherwise *ret_why (may be NULL) says what is wrong; it lives until the next call
 * of any function with this fence.
 */
bool fence_in_force(struct fence *fence, uint8_t group, const char **ret_why);

/* ---- also for processes that inherited the fence by fork() ------------------------------------ */

/* Opens the group until deadline_ns, CLOCK_BOOTTIME; HBD_NEVER_NS = for good. Two atomic stores. */
void fence_renew(struct fence *fence, uint8_t group, int64_t deadline_ns);

/*
 * After a planned move: packets to the group's addresses and from them pass until deadline_ns, but
 * nobody is told who has them: no ARP but questions, which are asked as nobody, and no neighbor
 * discovery. (Solicitations from an address pass: drain.h sees to them.) Two stores, the mute one
 * first.
 */
void fence_drain(struct fence *fence, uint8_t group, int64_t deadline_ns);

/* The group is mute from now on. */
void fence_close_group(struct fence *fence, uint8_t group);

/* What was stored last; 0 = closed. */
int64_t fence_deadline_ns(const struct fence *fence, uint8_t group);

/* Frames of the group's addresses since fence_open(). */
struct fence_tally {
	uint64_t passed_in, dropped_in;
	uint64_t passed_out, dropped_out;
};
void fence_count(const struct fence *fence, uint8_t group, struct fence_tally *ret_tally);

/* ---- without a fence -------------------------------------------------------------------------- */

/*
 * Detaches what an earlier life of the instance left attached, on all interfaces. For a start that
 * is to do without a fence; needs CAP_NET_ADMIN only, and is there in every build. Returns how many
 * programs were detached, or the first negative errno after trying all.
 */
int fence_sweep(const char *instance);
