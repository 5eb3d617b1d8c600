/*
 * What the programs in the kernel (drain.bpf.c) and the process that loads them agree on. Of the
 * kernel's types only, because both include it.
 */
#pragma once

#include <linux/types.h>

#define DRAIN_MAC_BYTES 6
#define DRAIN_FLOWS 65536 /* connections that began during the drain and are remembered */

/* An address of either family as a key: IPv4 in its mapped form, ::ffff:a.b.c.d. */
struct drain_address {
	__u8 bytes[16];
} __attribute__((aligned(8)));

/* One interface of the group. */
struct drain_way {
	__u8 peer[DRAIN_MAC_BYTES]; /* forwarding: of the old owner */
	__u8 own_known;		    /* holding: own is an address */
	__u8 reserved;
	struct drain_address own;   /* holding: an IPv6 address of this node itself */
};

/* A connection as the one who answers sees it. */
struct drain_flow {
	struct drain_address client, vip;
	__be16 client_port, vip_port;
	__u32 reserved;
};
