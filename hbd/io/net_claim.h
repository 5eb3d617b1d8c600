/*
 * What this daemon uses of its network namespace, made known to every other hbd in it: the addresses
 * and ports of its links, and its virtual addresses.
 *
 * Two daemons with the same address would take it from each other, and the second one would begin by
 * removing it as a leftover of the first. A lock on a file does not tell, since each may have a
 * folder of its own; the port does not either, since who finds it taken has cleaned up before. So
 * each holds a name in the abstract namespace of unix sockets, of which every network namespace has
 * one and which the kernel takes away with the process, and that name leads to a list in memory.
 * Daemons that share nothing do not disturb each other.
 *
 * A list counts only if it is of a process of root, or of this one's user: anybody may take a name.
 * Of a process that another pid namespace hides nothing can be read, and nothing is known.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "../conf/conf.h"

struct net_claim;

#define NET_CLAIM_TEXT_BYTES 128

/* Who is in the way. */
struct net_claim_holder {
	pid_t pid;
	char who[NET_CLAIM_TEXT_BYTES];		/* "node lb1 of cluster web" */
	char what[NET_CLAIM_TEXT_BYTES];	/* "the address 10.77.0.100%eth0" */
};

/*
 * 0; -EEXIST with *ret_holder if another daemon uses any of it; or another negative errno: then
 * others will not notice this one. To be called before anything is cleaned up.
 */
int net_claim_take(const struct hbd_conf *conf, uint8_t self, struct net_claim **ret_claim,
		   struct net_claim_holder *ret_holder);

/*
 * From now on it is that which this daemon uses. As net_claim_take(), but that what it had stays
 * claimed if this fails; ret_holder may be NULL: then nobody is looked for. claim may be NULL.
 */
int net_claim_change(struct net_claim *claim, const struct hbd_conf *conf, uint8_t self,
		     struct net_claim_holder *ret_holder);

/* There was another daemon, with other addresses: what has hbd's mark may be its. */
bool net_claim_has_neighbors(const struct net_claim *claim);

/* NULL is fine. */
void net_claim_release(struct net_claim *claim);
