/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The fence's program in the kernel: mutes a virtual address once its group's deadline has passed.
 * What it drops and why is in fence.h. It keeps nothing but counts, changes nothing but questions of
 * a holder that drains, and lets every frame that it does not drop go on to whatever else is attached
 * to the interface.
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

#include "fence_shared.h"

/* What one can see of a frame: the whole of it, or what its link layer carries. */
enum view {
	VIEW_ETHERNET,
	VIEW_PAYLOAD,
};

/* Where the network header begins: counted from the frame's first byte, or from itself. */
struct place {
	struct __sk_buff *skb;
	enum view view;
	enum fence_side side;
	__u32 offset;
};

struct vlan_tag {
	__be16 tci;
	__be16 type;
};

struct arp_header {
	__be16 hardware, protocol;
	__u8 hardware_bytes, protocol_bytes;
	__be16 operation;
};

#define ARP_IPV4_BYTES 4
#define ARP_REQUEST 1
#define ICMP6_NEIGHBOR_SOLICITATION 135
#define ICMP6_NEIGHBOR_ADVERTISEMENT 136
#define ICMP6_NEIGHBOR_TARGET 8 /* offset of the address that it is about */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FENCE_DEADLINES);
	__type(key, __u32);
	__type(value, __s64);
} fence_deadlines SEC(".maps");

/* FENCE_SLOTS for each processor, so that none waits for another; sized before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FENCE_SLOTS);
	__type(key, __u32);
	__type(value, struct fence_counts);
} fence_counters SEC(".maps");

/* Sized before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct fence_key4);
	__type(value, __u32);
} fence_addresses4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct fence_key6);
	__type(value, __u32);
} fence_addresses6 SEC(".maps");

/* The deadline is read before the clock: a delay between the two closes the fence, never opens it. */
static __always_inline bool is_open(__u32 slot)
{
	const volatile __s64 *deadline_ns = bpf_map_lookup_elem(&fence_deadlines, &slot);
	__s64 until_ns = deadline_ns ? *deadline_ns : 0;

	return (__s64)bpf_ktime_get_boot_ns() < until_ns;
}

/* first: 0 for what asks or speaks for an address, FENCE_PACKETS for what goes to it or comes from it */
static __always_inline int judge(const struct place *place, __u32 group, __u32 first)
{
	__u32 slot = bpf_get_smp_processor_id() * FENCE_SLOTS + group;
	struct fence_counts *counts = bpf_map_lookup_elem(&fence_counters, &slot);
	bool open = is_open(first + group);

	if (counts && open)
		counts->passed[place->side]++;
	else if (counts)
		counts->dropped[place->side]++;
	return open ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

static __always_inline int judge4(const struct place *place, const void *address, __u32 first)
{
	const __u32 *group = bpf_map_lookup_elem(&fence_addresses4, address);

	return group ? judge(place, *group, first) : TC_ACT_UNSPEC;
}

static __always_inline int judge6(const struct place *place, const void *address, __u32 first)
{
	const __u32 *group = bpf_map_lookup_elem(&fence_addresses6, address);

	return group ? judge(place, *group, first) : TC_ACT_UNSPEC;
}

/*
 * Copies what lies that far behind the network header's begin; false if the frame ends before.
 * Mostly headers lie at hand, where a copy costs 20 ns less than the kernel's help does.
 */
static __always_inline bool load(const struct place *place, __u32 offset, void *to, __u32 bytes)
{
	const void *end = (const void *)(long)place->skb->data_end;
	const void *at = (const void *)(long)place->skb->data + place->offset + offset;

	if (place->view == VIEW_PAYLOAD)
		return bpf_skb_load_bytes_relative(place->skb, offset, to, bytes,
						   BPF_HDR_START_NET) == 0;
	if (at + bytes > end)
		return bpf_skb_load_bytes(place->skb, place->offset + offset, to, bytes) == 0;
	__builtin_memcpy(to, __builtin_assume_aligned(at, 2), bytes);
	return true;
}

/* Every fragment has the addresses. */
static __always_inline int judge_ipv4(const struct place *place)
{
	__u32 from = __builtin_offsetof(struct iphdr, saddr);
	__u32 to = __builtin_offsetof(struct iphdr, daddr);
	struct fence_key4 address;

	if (!load(place, place->side == FENCE_IN ? to : from, &address, sizeof(address)))
		return TC_ACT_UNSPEC;
	return judge4(place, &address, FENCE_PACKETS);
}

/* Neighbor discovery is about an address that need not be in the header. */
static __always_inline int judge_neighbor(const struct place *place)
{
	__u8 wanted = place->side == FENCE_IN ? ICMP6_NEIGHBOR_SOLICITATION
					      : ICMP6_NEIGHBOR_ADVERTISEMENT;
	__u32 at = sizeof(struct ipv6hdr);
	struct fence_key6 target;
	__u8 type;

	if (!load(place, at, &type, sizeof(type)) || type != wanted ||
	    !load(place, at + ICMP6_NEIGHBOR_TARGET, &target, sizeof(target)))
		return TC_ACT_UNSPEC;
	return judge6(place, &target, 0);
}

static __always_inline int judge_ipv6(const struct place *place)
{
	__u32 from = __builtin_offsetof(struct ipv6hdr, saddr);
	__u32 to = __builtin_offsetof(struct ipv6hdr, daddr);
	struct fence_key6 address;
	__u8 next = 0;
	int verdict;

	if (!load(place, place->side == FENCE_IN ? to : from, &address, sizeof(address)))
		return TC_ACT_UNSPEC;
	verdict = judge6(place, &address, FENCE_PACKETS);
	load(place, __builtin_offsetof(struct ipv6hdr, nexthdr), &next, sizeof(next));
	return verdict == TC_ACT_UNSPEC && next == IPPROTO_ICMPV6 ? judge_neighbor(place) : verdict;
}

/*
 * Past the address' time to be announced, but not yet past that of its packets, its holder may have
 * to ask where to send them: as nobody (an ARP probe), for whoever is asked learns from the sender.
 */
static __always_inline int judge_arp_out(const struct place *place, const struct arp_header *header,
					 const struct fence_key4 *sender)
{
	const __u32 *group = bpf_map_lookup_elem(&fence_addresses4, sender);
	__u32 at = sizeof(*header) + header->hardware_bytes;
	const struct fence_key4 nobody = { { 0 } };
	struct fence_key4 target;

	if (!group)
		return TC_ACT_UNSPEC;
	if (is_open(*group) || !is_open(FENCE_PACKETS + *group) || place->view == VIEW_PAYLOAD ||
	    header->operation != bpf_htons(ARP_REQUEST) ||
	    !load(place, at + ARP_IPV4_BYTES + header->hardware_bytes, &target, sizeof(target)) ||
	    __builtin_memcmp(&target, sender, sizeof(target)) == 0 ||
	    bpf_skb_store_bytes(place->skb, place->offset + at, &nobody, sizeof(nobody), 0) != 0)
		return judge(place, *group, 0);
	return judge(place, *group, FENCE_PACKETS);
}

/*
 * In: what asks for an address of ours, or is sent to it. A gratuitous one, where both are the
 * same, is another's claim, and must be heard. Out: what speaks for an address. To ask who has it
 * is allowed.
 */
static __always_inline int judge_arp(const struct place *place)
{
	struct fence_key4 sender, target;
	struct arp_header header;
	__u32 at = sizeof(header);

	if (!load(place, 0, &header, sizeof(header)) ||
	    header.protocol != bpf_htons(ETH_P_IP) || header.protocol_bytes != ARP_IPV4_BYTES)
		return TC_ACT_UNSPEC;
	at += header.hardware_bytes;
	if (!load(place, at, &sender, sizeof(sender)))
		return TC_ACT_UNSPEC;
	if (place->side == FENCE_OUT)
		return judge_arp_out(place, &header, &sender);
	at += ARP_IPV4_BYTES + header.hardware_bytes;
	if (!load(place, at, &target, sizeof(target)) ||
	    __builtin_memcmp(&target, &sender, sizeof(target)) == 0)
		return TC_ACT_UNSPEC;
	return judge4(place, &target, 0);
}

static __always_inline bool is_vlan(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

/* What an Ethernet frame carries, behind up to two tags (one more may be beside the frame). 0 if it
 * is cut off. */
static __always_inline __be16 skip_ethernet(struct place *place)
{
	__u32 at = __builtin_offsetof(struct ethhdr, h_proto);
	struct vlan_tag tag;
	__be16 type;

	if (!load(place, at, &type, sizeof(type)))
		return 0;
	place->offset = sizeof(struct ethhdr);
	for (int i = 0; i < 2 && is_vlan(type); i++) {
		if (!load(place, 0, &tag, sizeof(tag)))
			return 0;
		type = tag.type;
		place->offset += sizeof(tag);
	}
	return type;
}

static __always_inline int judge_frame(struct __sk_buff *skb, enum fence_side side, enum view view)
{
	struct place place = { .skb = skb, .view = view, .side = side, .offset = 0 };
	__be16 type = view == VIEW_ETHERNET ? skip_ethernet(&place) : (__be16)skb->protocol;

	if (type == bpf_htons(ETH_P_IP))
		return judge_ipv4(&place);
	if (type == bpf_htons(ETH_P_IPV6))
		return judge_ipv6(&place);
	if (type == bpf_htons(ETH_P_ARP))
		return judge_arp(&place);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int hbd_fence_in(struct __sk_buff *skb)
{
	return judge_frame(skb, FENCE_IN, VIEW_ETHERNET);
}

SEC("tc")
int hbd_fence_out(struct __sk_buff *skb)
{
	return judge_frame(skb, FENCE_OUT, VIEW_ETHERNET);
}

/* For interfaces without Ethernet headers: tunnels, PPP, WireGuard, InfiniBand. */
SEC("tc")
int hbd_fence_in_l3(struct __sk_buff *skb)
{
	return judge_frame(skb, FENCE_IN, VIEW_PAYLOAD);
}

SEC("tc")
int hbd_fence_out_l3(struct __sk_buff *skb)
{
	return judge_frame(skb, FENCE_OUT, VIEW_PAYLOAD);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
