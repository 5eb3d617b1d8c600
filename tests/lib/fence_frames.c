#include "fence_frames.h"

#include <arpa/inet.h>
#include <assert.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#define OUR_MAC "\x02\x00\x00\x77\x00\x09"

static bool is_v4(const char *address)
{
	return strchr(address, ':') == NULL;
}

static void put_address(void *to, const char *address)
{
	assert(inet_pton(is_v4(address) ? AF_INET : AF_INET6, address, to) == 1);
}

static uint16_t checksum(uint32_t sum, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* ---- what the packets carry -------------------------------------------------------------------- */

static size_t put_echo(const struct frame_shape *shape, bool v4, uint8_t *at)
{
	size_t length = sizeof(struct icmphdr) + sizeof(shape->mark);

	if (length < sizeof(struct icmphdr) + shape->payload_bytes)
		length = sizeof(struct icmphdr) + shape->payload_bytes;
	memset(at, 0, length);
	at[0] = v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	memcpy(at + sizeof(struct icmphdr), &shape->mark, sizeof(shape->mark));
	return length;
}

static size_t put_neighbor(const struct frame_shape *shape, uint8_t *at)
{
	struct nd_neighbor_solicit message = {
		.nd_ns_type = shape->kind == FRAME_SOLICITATION ? ND_NEIGHBOR_SOLICIT
								 : ND_NEIGHBOR_ADVERT,
	};
	static const uint8_t option[] = { ND_OPT_SOURCE_LINKADDR, 1, 2, 0, 0, 0x77, 0, 9 };

	put_address(&message.nd_ns_target, shape->about);
	memcpy(at, &message, sizeof(message));
	memcpy(at + sizeof(message), option, sizeof(option));
	return sizeof(message) + sizeof(option);
}

static size_t put_ipv4(const struct frame_shape *shape, uint8_t *at)
{
	size_t options = shape->kind == FRAME_OPTIONS ? 8 : 0;
	size_t header = sizeof(struct iphdr) + options;
	size_t length = put_echo(shape, true, at + header);
	uint16_t sum = checksum(0, at + header, length);
	struct iphdr ip = {
		.version = 4,
		.ihl = options == 0 ? 5 : 7,
		.tot_len = htons((uint16_t)(header + length)),
		.frag_off = htons(shape->kind == FRAME_FRAGMENT ? 64 : 0),
		.ttl = 64,
		.protocol = IPPROTO_ICMP,
	};

	memcpy(at + header + 2, &sum, sizeof(sum));
	put_address(&ip.saddr, shape->from);
	put_address(&ip.daddr, shape->to);
	memcpy(at, &ip, sizeof(ip));
	memset(at + sizeof(ip), IPOPT_NOP, options);
	sum = checksum(0, at, header);
	memcpy(at + offsetof(struct iphdr, check), &sum, sizeof(sum));
	return header + length;
}

static size_t put_ipv6(const struct frame_shape *shape, uint8_t *at)
{
	bool neighbor = shape->kind == FRAME_SOLICITATION || shape->kind == FRAME_ADVERTISEMENT;
	size_t extra = shape->kind == FRAME_FRAGMENT || shape->kind == FRAME_OPTIONS ? 8 : 0;
	uint8_t *body = at + sizeof(struct ip6_hdr) + extra;
	size_t length = neighbor ? put_neighbor(shape, body) : put_echo(shape, false, body);
	uint8_t *options = at + sizeof(struct ip6_hdr);
	struct ip6_hdr ip = { .ip6_flow = htonl(6u << 28) };
	uint8_t pseudo[40] = { 0 };
	uint16_t sum;

	ip.ip6_plen = htons((uint16_t)(extra + length));
	ip.ip6_nxt = IPPROTO_ICMPV6;
	ip.ip6_hlim = 255;
	put_address(&ip.ip6_src, shape->from);
	put_address(&ip.ip6_dst, shape->to);
	if (extra > 0) {
		memset(options, 0, extra);
		options[0] = IPPROTO_ICMPV6;
		ip.ip6_nxt = shape->kind == FRAME_OPTIONS ? IPPROTO_HOPOPTS : IPPROTO_FRAGMENT;
		options[shape->kind == FRAME_OPTIONS ? 2 : 3] = shape->kind == FRAME_OPTIONS ? 1 : 64;
		options[3] = 4;
	}
	memcpy(at, &ip, sizeof(ip));
	memcpy(pseudo, &ip.ip6_src, 32);
	pseudo[34] = (uint8_t)(length >> 8);
	pseudo[35] = (uint8_t)length;
	pseudo[39] = IPPROTO_ICMPV6;
	sum = checksum((uint16_t)~ntohs(checksum(0, pseudo, sizeof(pseudo))), body, length);
	memcpy(body + 2, &sum, sizeof(sum));
	return sizeof(ip) + extra + length;
}

static size_t put_arp(const struct frame_shape *shape, uint8_t *at)
{
	static const uint8_t header[] = { 0, 1, 8, 0, 6, 4, 0 };

	memset(at, 0, 28);
	memcpy(at, header, sizeof(header));
	at[7] = shape->kind == FRAME_ARP_REQUEST ? 1 : 2;
	memcpy(at + 8, OUR_MAC, 6);
	put_address(at + 14, shape->from);
	put_address(at + 24, shape->to);
	return 28;
}

/* ---- frames ------------------------------------------------------------------------------------ */

static bool is_arp(const struct frame_shape *shape)
{
	return shape->kind == FRAME_ARP_REQUEST || shape->kind == FRAME_ARP_REPLY;
}

static uint16_t type_of(const struct frame_shape *shape)
{
	if (shape->kind == FRAME_OTHER)
		return 0x88b5;
	if (is_arp(shape))
		return ETHERTYPE_ARP;
	return is_v4(shape->from) ? ETHERTYPE_IP : ETHERTYPE_IPV6;
}

size_t frame_make_payload(const struct frame_shape *shape, uint8_t *bytes)
{
	if (is_arp(shape))
		return put_arp(shape, bytes);
	return is_v4(shape->from) ? put_ipv4(shape, bytes) : put_ipv6(shape, bytes);
}

static void put_type(uint8_t *at, uint16_t type)
{
	at[0] = (uint8_t)(type >> 8);
	at[1] = (uint8_t)type;
}

size_t frame_make(const struct frame_shape *shape, uint8_t *bytes)
{
	size_t at = 12, length;

	memset(bytes, 0xff, 6);
	memcpy(bytes + 6, OUR_MAC, 6);
	for (unsigned tag = shape->tags; tag > 0; tag--) {
		put_type(bytes + at, tag > 1 ? 0x88a8 : ETHERTYPE_VLAN);
		put_type(bytes + at + 2, (uint16_t)(10 + tag));
		at += 4;
	}
	put_type(bytes + at, type_of(shape));
	length = at + 2 + frame_make_payload(shape, bytes + at + 2);
	return shape->cut > 0 && shape->cut < length ? shape->cut : length;
}

/* ---- what comes back --------------------------------------------------------------------------- */

static bool is_at(const uint8_t *bytes, size_t length, size_t offset, const char *address)
{
	uint8_t wanted[16];
	size_t size = is_v4(address) ? 4 : 16;

	put_address(wanted, address);
	return offset + size <= length && memcmp(bytes + offset, wanted, size) == 0;
}

bool frame_speaks_for(const uint8_t *bytes, size_t length, const char *address)
{
	unsigned type = length >= 14 ? (unsigned)bytes[12] << 8 | bytes[13] : 0;

	if (type == ETHERTYPE_ARP)
		return is_v4(address) && is_at(bytes, length, 28, address);
	if (type == ETHERTYPE_IP)
		return is_v4(address) && is_at(bytes, length, 26, address);
	if (type != ETHERTYPE_IPV6 || is_v4(address))
		return false;
	return is_at(bytes, length, 22, address) ||
	       (length > 62 && bytes[54] == ND_NEIGHBOR_ADVERT && is_at(bytes, length, 62, address));
}

uint64_t frame_echo_mark(const uint8_t *bytes, size_t length)
{
	bool v6 = length > 14 && bytes[12] == 0x86 && bytes[13] == 0xdd;
	size_t at = v6 ? 14 + sizeof(struct ip6_hdr) : 14 + sizeof(struct iphdr);
	uint64_t mark;

	if (length < at + sizeof(struct icmphdr) + sizeof(mark) ||
	    bytes[at] != (v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY))
		return 0;
	memcpy(&mark, bytes + at + sizeof(struct icmphdr), sizeof(mark));
	return mark;
}
