#include "announce_frame.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <string.h>

#define OPTION_BYTES 8 /* target link-layer address */
#define ADVERTISEMENT_BYTES (sizeof(struct nd_neighbor_advert) + OPTION_BYTES)

static const uint8_t broadcast[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t nobody[ETH_ALEN] = { 0 };
static const uint8_t all_nodes_mac[ETH_ALEN] = { 0x33, 0x33, 0, 0, 0, 1 };
static const struct in6_addr all_nodes = {
	.s6_addr = { 0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
};

static void put_ethernet(uint8_t *frame, const uint8_t to[6], const uint8_t from[6], uint16_t type)
{
	struct ether_header header = { .ether_type = htons(type) };

	memcpy(header.ether_dhost, to, ETH_ALEN);
	memcpy(header.ether_shost, from, ETH_ALEN);
	memcpy(frame, &header, sizeof(header));
}

static size_t put_arp(uint8_t *frame, const uint8_t mac[6], struct in_addr sender,
		      struct in_addr target, uint16_t operation, const uint8_t target_mac[6])
{
	struct ether_arp arp = {
		.ea_hdr = {
			.ar_hrd = htons(ARPHRD_ETHER),
			.ar_pro = htons(ETHERTYPE_IP),
			.ar_hln = ETH_ALEN,
			.ar_pln = sizeof(sender),
			.ar_op = htons(operation),
		},
	};

	memcpy(arp.arp_sha, mac, ETH_ALEN);
	memcpy(arp.arp_spa, &sender, sizeof(sender));
	memcpy(arp.arp_tha, target_mac, ETH_ALEN);
	memcpy(arp.arp_tpa, &target, sizeof(target));
	put_ethernet(frame, broadcast, mac, ETHERTYPE_ARP);
	memcpy(frame + sizeof(struct ether_header), &arp, sizeof(arp));
	return sizeof(struct ether_header) + sizeof(arp);
}

size_t announce_frame_request(uint8_t *frame, const uint8_t mac[6], struct in_addr address)
{
	return put_arp(frame, mac, address, address, ARPOP_REQUEST, nobody);
}

size_t announce_frame_probe(uint8_t *frame, const uint8_t mac[6], struct in_addr address)
{
	const struct in_addr unspecified = { INADDR_ANY };

	return put_arp(frame, mac, unspecified, address, ARPOP_REQUEST, nobody);
}

size_t announce_frame_reply(uint8_t *frame, const uint8_t mac[6], struct in_addr address)
{
	return put_arp(frame, mac, address, address, ARPOP_REPLY, mac);
}

static uint32_t add_words(uint32_t sum, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(at[i] << 8 | at[i + 1]);
	return sum;
}

/* RFC 8200 8.1: over the addresses, the length, the next header and the message itself. */
static uint16_t checksum(const struct ip6_hdr *ip, const uint8_t *message, size_t length)
{
	uint32_t sum = (uint32_t)length + IPPROTO_ICMPV6;

	sum = add_words(sum, &ip->ip6_src, sizeof(ip->ip6_src));
	sum = add_words(sum, &ip->ip6_dst, sizeof(ip->ip6_dst));
	sum = add_words(sum, message, length);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

size_t announce_frame_advertisement(uint8_t *frame, const uint8_t mac[6],
				    const struct in6_addr *address, bool router)
{
	uint8_t *message = frame + sizeof(struct ether_header) + sizeof(struct ip6_hdr);
	uint8_t *option = message + sizeof(struct nd_neighbor_advert);
	struct nd_neighbor_advert advert = { .nd_na_type = ND_NEIGHBOR_ADVERT };
	struct ip6_hdr ip = {
		.ip6_flow = htonl(6U << 28),
		.ip6_plen = htons(ADVERTISEMENT_BYTES),
		.ip6_nxt = IPPROTO_ICMPV6,
		.ip6_hlim = 255,
		.ip6_src = *address,
		.ip6_dst = all_nodes,
	};

	advert.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
	if (router)
		advert.nd_na_flags_reserved |= ND_NA_FLAG_ROUTER;
	advert.nd_na_target = *address;
	option[0] = ND_OPT_TARGET_LINKADDR;
	option[1] = 1;
	memcpy(option + 2, mac, ETH_ALEN);
	memcpy(message, &advert, sizeof(advert));
	advert.nd_na_cksum = htons(checksum(&ip, message, ADVERTISEMENT_BYTES));
	memcpy(message, &advert, sizeof(advert));
	memcpy(frame + sizeof(struct ether_header), &ip, sizeof(ip));
	put_ethernet(frame, all_nodes_mac, mac, ETHERTYPE_IPV6);
	return sizeof(struct ether_header) + sizeof(ip) + ADVERTISEMENT_BYTES;
}

/* RFC 4291 2.7.1 and RFC 2464 7. */
size_t announce_frame_solicitation(uint8_t *frame, const uint8_t mac[6],
				   const struct in6_addr *address)
{
	const uint8_t *low = address->s6_addr + 13;
	const uint8_t to[ETH_ALEN] = { 0x33, 0x33, 0xff, low[0], low[1], low[2] };
	uint8_t *message = frame + sizeof(struct ether_header) + sizeof(struct ip6_hdr);
	struct nd_neighbor_solicit solicit = { .nd_ns_type = ND_NEIGHBOR_SOLICIT };
	struct ip6_hdr ip = {
		.ip6_flow = htonl(6U << 28),
		.ip6_plen = htons(sizeof(solicit)),
		.ip6_nxt = IPPROTO_ICMPV6,
		.ip6_hlim = 255,
		.ip6_dst.s6_addr = { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, low[0], low[1],
				     low[2] },
	};

	solicit.nd_ns_target = *address;
	memcpy(message, &solicit, sizeof(solicit));
	solicit.nd_ns_cksum = htons(checksum(&ip, message, sizeof(solicit)));
	memcpy(message, &solicit, sizeof(solicit));
	memcpy(frame + sizeof(struct ether_header), &ip, sizeof(ip));
	put_ethernet(frame, to, mac, ETHERTYPE_IPV6);
	return sizeof(struct ether_header) + sizeof(ip) + sizeof(solicit);
}
