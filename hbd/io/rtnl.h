/*
 * rtnetlink, for vip.c alone: address requests in batches with every answer matched to its request,
 * dumps, and events. Only rtnl*.c know netlink's types.
 *
 * Two sockets: one for requests and dumps, one for events, so that an answer never waits behind a
 * flood of events. The kernel works while it takes a request, so its answers are there when
 * sending returns; waiting for one is bounded all the same.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../conf/conf.h"

struct rtnl;

/* An interface as the kernel tells it. */
struct rtnl_interface {
	int ifindex;
	char name[IF_NAMESIZE];
	bool usable;   /* up, with carrier, operational */
	bool ethernet; /* has an Ethernet address: mac */
	uint8_t mac[6];
	uint32_t mtu;  /* 0 = not told */
	bool forwards_known; /* the kernel told whether it forwards IPv6: forwards */
	bool forwards;
};

/* An address as the kernel tells it. */
struct rtnl_address {
	int ifindex;
	struct hbd_address address;
	uint8_t prefix;
	bool marked;	/* added by some hbd */
	bool secondary; /* IPv4: goes when the first address of its subnet goes */
	bool tentative; /* IPv6: under or failed duplicate detection */
};

/* Called for everything that is there, comes, changes (gone = false) or goes. They only take notes:
 * nothing here may be called from them. NULL = not wanted. */
struct rtnl_handlers {
	void *context;
	void (*interface)(void *context, const struct rtnl_interface *interface, bool gone);
	void (*address)(void *context, const struct rtnl_address *address, bool gone);
	void (*forwarding)(void *context, int ifindex, bool forwards); /* IPv6 */
	void (*ready)(void *context, int ifindex); /* IPv6 began, or goes on, on an interface */
};

enum rtnl_verb {
	RTNL_UNSET = 0,
	RTNL_ADD, /* or take over and renew what is there */
	RTNL_REMOVE,
};

/* One address to add or remove. */
struct rtnl_request {
	enum rtnl_verb verb;
	int ifindex;
	const char *interface; /* its name, for the label; NULL = no label */
	struct hbd_address address;
	uint8_t prefix;
	bool any_prefix;      /* REMOVE, IPv4: whatever its prefix */
	bool no_prefix_route; /* ADD, IPv6: the route to its subnet is there already */
	uint32_t lifetime_s;  /* ADD */
	bool deprecated;      /* ADD: not for connections of this machine's own; IPv6 always is */
	int result;	      /* out: 0 or negative errno; -ETIMEDOUT = no answer */
};

/*
 * Opens the request socket, and the event socket if wanted. receive_bytes: of the request socket's
 * buffer; 0 = enough. -EPERM without CAP_NET_ADMIN.
 */
int rtnl_open(bool events, size_t receive_bytes, struct rtnl **ret_rtnl);
void rtnl_close(struct rtnl *rtnl);

/* Carries out all requests, each with its result. */
void rtnl_apply(struct rtnl *rtnl, struct rtnl_request *requests, size_t count);

/* The kernel's own words on the first request that the last rtnl_apply() could not do, or "". Always
 * the same place. */
const char *rtnl_why(const struct rtnl *rtnl);

/* True for a REMOVE's result if the address is not there any more, or was not or could not be. */
bool rtnl_is_gone(int result);

/* Whether the kernel would take an IPv6 address on the interface: 0, or its errno. Nothing is added: it
 * is asked for one that it refuses everywhere (::), but later than for want of IPv6. */
int rtnl_try_v6(struct rtnl *rtnl, int ifindex);

/* An entry of the kernel's neighbor table (ARP, neighbor discovery). */
struct rtnl_neighbor {
	int ifindex;
	struct hbd_address address;
	bool resolved; /* it has an Ethernet address that the kernel uses: mac */
	bool confirmed; /* and has no reason to doubt it */
	bool given_up; /* the kernel had no answer, or waits for one: it sends nothing there */
	uint8_t mac[6];
};

/* The entry for neighbor's address on its interface: 0, or a negative errno; -ENOENT: none. The second
 * gives such an entry neighbor's mac, which the kernel uses from then on, and asks for it again soon. */
int rtnl_neighbor_read(struct rtnl *rtnl, struct rtnl_neighbor *neighbor);
int rtnl_neighbor_suggest(struct rtnl *rtnl, const struct rtnl_neighbor *neighbor);

/* Makes the kernel keep an interface's secondary IPv4 addresses when their primary goes. */
int rtnl_promote_secondaries(struct rtnl *rtnl, int ifindex);

/* Tells all interfaces, or all addresses. -EAGAIN if they kept changing meanwhile. */
int rtnl_dump_interfaces(struct rtnl *rtnl, const struct rtnl_handlers *handlers);
int rtnl_dump_addresses(struct rtnl *rtnl, const struct rtnl_handlers *handlers);

/* Becomes readable with events; -1 if none are wanted. */
int rtnl_event_fd(const struct rtnl *rtnl);

/* Reads what waits. 0 when nothing waits any more; -EAGAIN after many, more wait; -ENOBUFS: some
 * were lost. */
int rtnl_read_events(struct rtnl *rtnl, const struct rtnl_handlers *handlers);
