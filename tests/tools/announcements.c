/*
 * announcements INTERFACE: who says that an address is his. One line for each gratuitous ARP packet
 * and unsolicited neighbor advertisement on that LAN:
 *
 *	NS FORM ADDRESS MAC
 *
 * NS is CLOCK_BOOTTIME at its receipt, FORM "request" or "reply" (ARP) or "advertisement". Says
 * "ready" on standard error; runs until SIGTERM.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../lib/frame.h"
#include "../lib/tool.h"

static void say(const char *form, int family, const void *address, const uint8_t *mac)
{
	char text[INET6_ADDRSTRLEN];

	printf("%lld %s %s %02x:%02x:%02x:%02x:%02x:%02x\n", (long long)tool_now_ns(), form,
	       inet_ntop(family, address, text, sizeof(text)), mac[0], mac[1], mac[2], mac[3],
	       mac[4], mac[5]);
}

/* Gratuitous: the sender asks, or answers, for his own address. */
static void see_arp(const uint8_t *frame, size_t length)
{
	struct ether_arp arp;

	if (length < sizeof(struct ether_header) + sizeof(arp))
		return;
	memcpy(&arp, frame + sizeof(struct ether_header), sizeof(arp));
	if (!memcmp(arp.arp_spa, arp.arp_tpa, sizeof(arp.arp_spa)))
		say(arp.arp_op == htons(ARPOP_REQUEST) ? "request" : "reply", AF_INET, arp.arp_spa,
		    arp.arp_sha);
}

/* Unsolicited: the flag S is not set. */
static void see_ipv6(const uint8_t *frame, size_t length)
{
	const size_t at = sizeof(struct ether_header) + sizeof(struct ip6_hdr);
	struct nd_neighbor_advert advert;
	struct ip6_hdr ip;

	if (length < at + sizeof(advert))
		return;
	memcpy(&ip, frame + sizeof(struct ether_header), sizeof(ip));
	memcpy(&advert, frame + at, sizeof(advert));
	if (ip.ip6_nxt == IPPROTO_ICMPV6 && advert.nd_na_type == ND_NEIGHBOR_ADVERT &&
	    !(advert.nd_na_flags_reserved & ND_NA_FLAG_SOLICITED))
		say("advertisement", AF_INET6, &advert.nd_na_target, frame + ETHER_ADDR_LEN);
}

int main(int argc, char **argv)
{
	const volatile bool *stop = tool_stop_flag(NULL);
	struct pollfd sockets[2];
	uint8_t frame[2048];
	ssize_t length;

	if (argc != 2) {
		fprintf(stderr, "usage: announcements INTERFACE\n");
		return 2;
	}
	sockets[0] = (struct pollfd){frame_socket(argv[1], ETHERTYPE_ARP), POLLIN, 0};
	sockets[1] = (struct pollfd){frame_socket(argv[1], ETHERTYPE_IPV6), POLLIN, 0};
	setvbuf(stdout, NULL, _IOLBF, 0);
	tool_realtime(1);
	fputs("ready\n", stderr);
	while (!*stop) {
		if (poll(sockets, 2, -1) < 0)
			continue;
		while ((length = recv(sockets[0].fd, frame, sizeof(frame), MSG_DONTWAIT)) > 0)
			see_arp(frame, (size_t)length);
		while ((length = recv(sockets[1].fd, frame, sizeof(frame), MSG_DONTWAIT)) > 0)
			see_ipv6(frame, (size_t)length);
	}
	return 0;
}
