#include "frame.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tool.h"

int frame_address_parse(const char *text, uint16_t port, union frame_address *ret_address)
{
	union frame_address address;

	memset(&address, 0, sizeof(address));
	if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1) {
		address.v4.sin_family = AF_INET;
		address.v4.sin_port = htons(port);
	} else if (inet_pton(AF_INET6, text, &address.v6.sin6_addr) == 1) {
		address.v6.sin6_family = AF_INET6;
		address.v6.sin6_port = htons(port);
	} else {
		return -EINVAL;
	}
	*ret_address = address;
	return 0;
}

socklen_t frame_address_bytes(const union frame_address *address)
{
	return address->any.sa_family == AF_INET ? sizeof(address->v4) : sizeof(address->v6);
}

void frame_address_add(union frame_address *address, uint32_t count)
{
	uint32_t *last = address->any.sa_family == AF_INET ? &address->v4.sin_addr.s_addr
							   : &address->v6.sin6_addr.s6_addr32[3];

	*last = htonl(ntohl(*last) + count);
}

static uint32_t sum_words(uint32_t sum, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	if (length % 2)
		sum += (uint32_t)bytes[length - 1] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* The pseudo header's part of a UDP checksum. */
static uint32_t pseudo_sum(const struct frame_udp *udp, size_t udp_bytes)
{
	uint32_t sum = IPPROTO_UDP + (uint32_t)udp_bytes;

	if (udp->to->any.sa_family == AF_INET) {
		sum = sum_words(sum, &udp->from->v4.sin_addr, 4);
		return sum_words(sum, &udp->to->v4.sin_addr, 4);
	}
	sum = sum_words(sum, &udp->from->v6.sin6_addr, 16);
	return sum_words(sum, &udp->to->v6.sin6_addr, 16);
}

static size_t make_ip4(const struct frame_udp *udp, size_t udp_bytes, uint8_t *bytes)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)(sizeof(ip) + udp_bytes)),
		.frag_off = htons(IP_DF),
		.ttl = udp->hops,
		.protocol = IPPROTO_UDP,
		.saddr = udp->from->v4.sin_addr.s_addr,
		.daddr = udp->to->v4.sin_addr.s_addr,
	};

	ip.check = fold(sum_words(0, &ip, sizeof(ip)));
	memcpy(bytes, &ip, sizeof(ip));
	return sizeof(ip);
}

static size_t make_ip6(const struct frame_udp *udp, size_t udp_bytes, uint8_t *bytes)
{
	struct ip6_hdr ip = {.ip6_src = udp->from->v6.sin6_addr, .ip6_dst = udp->to->v6.sin6_addr};

	ip.ip6_flow = htonl(6u << 28);
	ip.ip6_plen = htons((uint16_t)udp_bytes);
	ip.ip6_nxt = IPPROTO_UDP;
	ip.ip6_hlim = udp->hops;
	memcpy(bytes, &ip, sizeof(ip));
	return sizeof(ip);
}

size_t frame_make_udp(const struct frame_udp *udp, uint8_t *frame)
{
	bool is_v4 = udp->to->any.sa_family == AF_INET;
	struct ether_header ether = {.ether_type = htons(is_v4 ? ETHERTYPE_IP : ETHERTYPE_IPV6)};
	struct udphdr header = {0};
	size_t bytes = sizeof(header) + udp->payload_bytes, at = sizeof(ether);

	assert(udp->to->any.sa_family == udp->from->any.sa_family && bytes < 65500);
	memcpy(ether.ether_dhost, udp->to_mac, FRAME_MAC_BYTES);
	memcpy(ether.ether_shost, udp->from_mac, FRAME_MAC_BYTES);
	memcpy(frame, &ether, sizeof(ether));
	at += is_v4 ? make_ip4(udp, bytes, frame + at) : make_ip6(udp, bytes, frame + at);
	/* The port is at the same place in both kinds of address. */
	header.uh_sport = udp->from->v4.sin_port;
	header.uh_dport = udp->to->v4.sin_port;
	header.uh_ulen = htons((uint16_t)bytes);
	header.uh_sum = fold(sum_words(sum_words(pseudo_sum(udp, bytes), &header, sizeof(header)),
				       udp->payload, udp->payload_bytes));
	if (!header.uh_sum)
		header.uh_sum = 0xffff;
	memcpy(frame + at, &header, sizeof(header));
	memcpy(frame + at + sizeof(header), udp->payload, udp->payload_bytes);
	return at + bytes;
}

int frame_socket(const char *interface, uint16_t protocol)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	address.sll_ifindex = (int)if_nametoindex(interface);
	if (fd < 0 || !address.sll_ifindex ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		tool_fail("packet socket on %s", interface);
	return fd;
}

void frame_mac_of(const char *interface, uint8_t *ret_mac)
{
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strncpy(request.ifr_name, interface, sizeof(request.ifr_name) - 1);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		tool_fail("hardware address of %s", interface);
	close(fd);
	memcpy(ret_mac, request.ifr_hwaddr.sa_data, FRAME_MAC_BYTES);
}
