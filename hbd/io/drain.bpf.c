/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The drain's two programs in the kernel. What they do and why is in drain.h. hbd_drain_in, on the
 * new owner, hands segments of connections that are not its own to the old one; hbd_drain_out, on
 * the old owner, keeps neighbors from learning that it still has the address.
 */
#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "drain_shared.h"

#define PACKET_TO_US 0 /* __sk_buff.pkt_type, PACKET_HOST */
#define FRAGMENT 0x3fff /* more of them follow, or it is not the first */
#define FLAG_SYN 0x02
#define TCP_FLAGS 13 /* offset in the header */
#define ARP_REQUEST 1
#define ICMP6_NEIGHBOR_SOLICITATION 135
#define ICMP6_NEIGHBOR_ADVERTISEMENT 136
#define ICMP6_CHECKSUM 2
#define ICMP6_TARGET 8

/* ARP for IPv4 on Ethernet. */
struct arp {
	__be16 hardware, protocol;
	__u8 hardware_bytes, protocol_bytes;
	__be16 operation;
	__u8 sender_mac[6], sender[4], target_mac[6], target[4];
} __attribute__((packed));

/* CLOCK_BOOTTIME; past it nothing is forwarded, whatever became of the process. */
const volatile __s64 drain_until_ns;

__u64 drain_forwarded;
__s64 drain_last_ns;

/* Sized before loading, all but the flows. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct drain_address);
	__type(value, __u8);
} drain_addresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32); /* the interface's index */
	__type(value, struct drain_way);
} drain_ways SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, DRAIN_FLOWS);
	__type(key, struct drain_flow);
	__type(value, __u8);
} drain_flows SEC(".maps");

static __always_inline void map_v4(struct drain_address *address, const void *v4)
{
	__builtin_memset(address, 0, sizeof(*address));
	address->bytes[10] = address->bytes[11] = 0xff;
	__builtin_memcpy(&address->bytes[12], v4, 4);
}

static __always_inline bool is_virtual(const struct drain_address *address)
{
	return bpf_map_lookup_elem(&drain_addresses, address) != NULL;
}

static __always_inline bool load(struct __sk_buff *skb, __u32 at, void *to, __u32 bytes)
{
	return bpf_skb_load_bytes(skb, at, to, bytes) == 0;
}

static __always_inline bool is_same_mac(const __u8 *one, const __u8 *other)
{
	__u8 difference = 0;

	for (int i = 0; i < ETH_ALEN; i++)
		difference |= one[i] ^ other[i];
	return difference == 0;
}

/* ---- the new owner ----------------------------------------------------------------------------- */

/* False for what is no whole segment to one of the addresses. */
static __always_inline bool read_flow4(struct __sk_buff *skb, struct drain_flow *flow, __u32 *ret_at)
{
	struct iphdr ip;

	if (!load(skb, ETH_HLEN, &ip, sizeof(ip)) || ip.protocol != IPPROTO_TCP ||
	    (ip.frag_off & bpf_htons(FRAGMENT)) != 0)
		return false;
	map_v4(&flow->client, &ip.saddr);
	map_v4(&flow->vip, &ip.daddr);
	*ret_at = ETH_HLEN + ip.ihl * 4;
	return true;
}

static __always_inline bool read_flow6(struct __sk_buff *skb, struct drain_flow *flow, __u32 *ret_at)
{
	struct ipv6hdr ip;

	if (!load(skb, ETH_HLEN, &ip, sizeof(ip)) || ip.nexthdr != IPPROTO_TCP)
		return false;
	__builtin_memcpy(&flow->client, &ip.saddr, sizeof(flow->client));
	__builtin_memcpy(&flow->vip, &ip.daddr, sizeof(flow->vip));
	*ret_at = ETH_HLEN + sizeof(ip);
	return true;
}

static __always_inline bool is_open(struct bpf_sock *sock)
{
	bool open;

	if (!sock)
		return false;
	open = sock->state != BPF_TCP_LISTEN;
	bpf_sk_release(sock);
	return open;
}

/* Also of what was there before the drain: connections to this node from when it last was owner. */
static __always_inline bool has_socket(struct __sk_buff *skb, const struct drain_flow *flow, bool v4)
{
	struct bpf_sock_tuple tuple = { 0 };
	__u32 bytes = v4 ? sizeof(tuple.ipv4) : sizeof(tuple.ipv6);

	if (v4) {
		__builtin_memcpy(&tuple.ipv4.saddr, &flow->client.bytes[12], 4);
		__builtin_memcpy(&tuple.ipv4.daddr, &flow->vip.bytes[12], 4);
		tuple.ipv4.sport = flow->client_port;
		tuple.ipv4.dport = flow->vip_port;
		return is_open(bpf_skc_lookup_tcp(skb, &tuple, bytes, BPF_F_CURRENT_NETNS, 0));
	}
	__builtin_memcpy(tuple.ipv6.saddr, &flow->client, sizeof(flow->client));
	__builtin_memcpy(tuple.ipv6.daddr, &flow->vip, sizeof(flow->vip));
	tuple.ipv6.sport = flow->client_port;
	tuple.ipv6.dport = flow->vip_port;
	return is_open(bpf_skc_lookup_tcp(skb, &tuple, bytes, BPF_F_CURRENT_NETNS, 0));
}

static __always_inline bool is_own(struct __sk_buff *skb, const struct drain_flow *flow, bool v4,
				   __u8 flags)
{
	const __u8 one = 1;

	if (flags & FLAG_SYN) {
		bpf_map_update_elem(&drain_flows, flow, &one, BPF_ANY);
		return true;
	}
	return bpf_map_lookup_elem(&drain_flows, flow) || has_socket(skb, flow, v4);
}

/* What came to us leaves from us, or switches would learn that the client is here. */
static __always_inline int forward(struct __sk_buff *skb, const struct drain_way *way,
				   struct ethhdr *ethernet)
{
	__builtin_memcpy(ethernet->h_source, ethernet->h_dest, ETH_ALEN);
	__builtin_memcpy(ethernet->h_dest, way->peer, ETH_ALEN);
	if (bpf_skb_store_bytes(skb, 0, ethernet, 2 * ETH_ALEN, 0) != 0)
		return TC_ACT_UNSPEC;
	__sync_fetch_and_add(&drain_forwarded, 1);
	drain_last_ns = (__s64)bpf_ktime_get_boot_ns();
	return (int)bpf_redirect(skb->ifindex, 0);
}

/* What the old owner itself sent or handed over is not handed back: it would go round for ever. */
SEC("tc")
int hbd_drain_in(struct __sk_buff *skb)
{
	__u32 interface = skb->ifindex, at;
	struct drain_way *way = bpf_map_lookup_elem(&drain_ways, &interface);
	bool v4 = skb->protocol == bpf_htons(ETH_P_IP);
	struct drain_flow flow = { 0 };
	struct ethhdr ethernet;
	__u8 flags;

	if (!way || skb->pkt_type != PACKET_TO_US ||
	    (!v4 && skb->protocol != bpf_htons(ETH_P_IPV6)) ||
	    (__s64)bpf_ktime_get_boot_ns() >= drain_until_ns)
		return TC_ACT_UNSPEC;
	if (!(v4 ? read_flow4(skb, &flow, &at) : read_flow6(skb, &flow, &at)) ||
	    !is_virtual(&flow.vip) || !load(skb, at, &flow.client_port, 4) ||
	    !load(skb, at + TCP_FLAGS, &flags, sizeof(flags)) ||
	    !load(skb, 0, &ethernet, sizeof(ethernet)) ||
	    is_same_mac(ethernet.h_source, way->peer) ||
	    is_own(skb, &flow, v4, flags))
		return TC_ACT_UNSPEC;
	return forward(skb, way, &ethernet);
}

/* ---- the old owner ----------------------------------------------------------------------------- */

/* A question becomes an ARP probe, whose answer is as good and from which nobody learns. */
static __always_inline int hush_arp(struct __sk_buff *skb)
{
	const __u8 nobody[4] = { 0 };
	struct drain_address sender;
	struct arp arp;

	if (!load(skb, ETH_HLEN, &arp, sizeof(arp)) || arp.protocol != bpf_htons(ETH_P_IP) ||
	    arp.hardware_bytes != ETH_ALEN || arp.protocol_bytes != sizeof(arp.sender))
		return TC_ACT_UNSPEC;
	map_v4(&sender, arp.sender);
	if (!is_virtual(&sender))
		return TC_ACT_UNSPEC;
	if (arp.operation != bpf_htons(ARP_REQUEST) ||
	    __builtin_memcmp(arp.sender, arp.target, sizeof(arp.sender)) == 0 ||
	    bpf_skb_store_bytes(skb, ETH_HLEN + __builtin_offsetof(struct arp, sender), nobody,
				sizeof(nobody), 0) != 0)
		return TC_ACT_SHOT;
	return TC_ACT_UNSPEC;
}

/* A question is asked in the name of the node itself: who answers needs somewhere to answer to. */
static __always_inline int ask_as_self(struct __sk_buff *skb, const struct ipv6hdr *ip)
{
	__u32 interface = skb->ifindex;
	struct drain_way *way = bpf_map_lookup_elem(&drain_ways, &interface);
	struct drain_address from, own;
	__s64 difference;

	if (!way || !way->own_known)
		return TC_ACT_SHOT;
	own = way->own;
	__builtin_memcpy(&from, &ip->saddr, sizeof(from));
	difference = bpf_csum_diff((__be32 *)&from, sizeof(from), (__be32 *)&own, sizeof(own), 0);
	if (difference < 0 ||
	    bpf_l4_csum_replace(skb, ETH_HLEN + sizeof(*ip) + ICMP6_CHECKSUM, 0,
				(__u64)difference, BPF_F_PSEUDO_HDR) != 0 ||
	    bpf_skb_store_bytes(skb, ETH_HLEN + __builtin_offsetof(struct ipv6hdr, saddr), &own,
				sizeof(own), 0) != 0)
		return TC_ACT_SHOT;
	return TC_ACT_UNSPEC;
}

static __always_inline int hush_neighbor(struct __sk_buff *skb)
{
	__u32 at = ETH_HLEN + sizeof(struct ipv6hdr);
	struct drain_address address;
	struct ipv6hdr ip;
	__u8 type;

	if (!load(skb, ETH_HLEN, &ip, sizeof(ip)) || ip.nexthdr != IPPROTO_ICMPV6 ||
	    !load(skb, at, &type, sizeof(type)))
		return TC_ACT_UNSPEC;
	__builtin_memcpy(&address, &ip.saddr, sizeof(address));
	if (type == ICMP6_NEIGHBOR_SOLICITATION && is_virtual(&address))
		return ask_as_self(skb, &ip);
	if (type == ICMP6_NEIGHBOR_ADVERTISEMENT &&
	    load(skb, at + ICMP6_TARGET, &address, sizeof(address)) && is_virtual(&address))
		return TC_ACT_SHOT;
	return TC_ACT_UNSPEC;
}

SEC("tc")
int hbd_drain_out(struct __sk_buff *skb)
{
	if (skb->protocol == bpf_htons(ETH_P_ARP))
		return hush_arp(skb);
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return hush_neighbor(skb);
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
