#include "ask_private.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/log.h"

/* Of a longer list only its bounds are compared: the kernel bounds the memory of a filter. */
#define LISTED_MAX 192
/* The last word of an address, in an ARP message and a neighbor advertisement. */
#define ARP_SENDER offsetof(struct ether_arp, arp_spa)
#define ND_TARGET (offsetof(struct nd_neighbor_advert, nd_na_target) + 12)
#define WHOLE 0xffff /* of the message is handed over */

struct words {
	size_t count;
	uint32_t least, most;
	uint32_t list[LISTED_MAX];
};

struct program {
	unsigned short count;
	struct sock_filter code[2 * LISTED_MAX + 16];
};

/* Until it is known what is wanted nothing is let in. */
static int filter_all(int fd)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	const struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int open_arp(void)
{
	/* protocol 0 first, so that nothing comes in unfiltered */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr_ll any = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
	};
	int error;

	if (fd < 0)
		return -errno;
	if (filter_all(fd) == 0 && bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

static int open_nd(void)
{
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	struct icmp6_filter filter;
	const int on = 1;
	int error;

	if (fd < 0)
		return -errno;
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ND_NEIGHBOR_ADVERT, &filter);
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) == 0 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) == 0 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on)) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int ask_sockets_open(struct ask_sockets *ret_sockets)
{
	struct ask_sockets sockets = { .arp = open_arp(), .nd = -1 };

	if (sockets.arp < 0)
		return sockets.arp;
	sockets.nd = open_nd();
	if (sockets.nd == -EAFNOSUPPORT)
		sockets.nd = -1;
	if (sockets.nd < -1) {
		close(sockets.arp);
		return sockets.nd;
	}
	*ret_sockets = sockets;
	return 0;
}

void ask_sockets_close(struct ask_sockets *sockets)
{
	if (sockets->arp >= 0)
		close(sockets->arp);
	if (sockets->nd >= 0)
		close(sockets->nd);
	sockets->arp = sockets->nd = -1;
}

static uint32_t last_word(const struct hbd_address *address)
{
	uint32_t word;

	if (address->family == AF_INET)
		memcpy(&word, &address->v4, sizeof(word));
	else
		memcpy(&word, &address->v6.s6_addr[12], sizeof(word));
	return ntohl(word);
}

static void add_word(struct words *words, const struct hbd_address *address, int family)
{
	uint32_t word = last_word(address);

	if (address->family != family)
		return;
	if (words->count == 0 || word < words->least)
		words->least = word;
	if (words->count == 0 || word > words->most)
		words->most = word;
	if (words->count < LISTED_MAX)
		words->list[words->count] = word;
	words->count++;
}

static void emit(struct program *program, struct sock_filter instruction)
{
	program->code[program->count++] = instruction;
}

/* Lets a message in whose word is one of these; goes on after it with any other. */
static void emit_words(struct program *program, uint32_t offset, const struct words *words)
{
	uint8_t left = (uint8_t)words->count;

	if (words->count == 0)
		return;
	emit(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
	if (words->count > LISTED_MAX) {
		emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, words->least,
							   0, 2));
		emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, words->most,
							   1, 0));
	} else {
		for (size_t i = 0; i < words->count; i++, left--)
			emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
								   words->list[i], left, 0));
		emit(program, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1));
	}
	emit(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, WHOLE));
}

static void attach(int fd, const char *what, struct program *program)
{
	const struct sock_fprog known = { program->count, program->code };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &known, sizeof(known)) != 0)
		log_warning("ask: cannot have the kernel pick out %s for our addresses: %s; going on "
			    "without, which only costs time", what, log_strerror(errno));
}

static void collect(const struct hbd_conf *conf, int family, struct words *addresses,
		    struct words *gateways)
{
	for (uint8_t i = 0; i < conf->group_count; i++) {
		add_word(gateways, &conf->groups[i].gateway, family);
		for (size_t k = 0; k < conf->groups[i].vip_count; k++)
			add_word(addresses, &conf->groups[i].vips[k].address, family);
	}
}

/* Of the gateway only answers: it asks for its neighbors all day. */
static void filter_arp(int fd, const struct hbd_conf *conf)
{
	struct words addresses = { 0 }, gateways = { 0 };
	struct program program = { 0 };

	collect(conf, AF_INET, &addresses, &gateways);
	emit_words(&program, ARP_SENDER, &addresses);
	emit(&program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS,
						    offsetof(struct arphdr, ar_op)));
	emit(&program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPOP_REPLY, 1, 0));
	emit(&program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0));
	emit_words(&program, ARP_SENDER, &gateways);
	emit(&program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0));
	attach(fd, "ARP messages", &program);
}

static void filter_nd(int fd, const struct hbd_conf *conf)
{
	struct words addresses = { 0 };
	struct program program = { 0 };

	collect(conf, AF_INET6, &addresses, &addresses);
	emit_words(&program, ND_TARGET, &addresses);
	emit(&program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0));
	attach(fd, "neighbor advertisements", &program);
}

void ask_filter(const struct ask_sockets *sockets, const struct hbd_conf *conf)
{
	filter_arp(sockets->arp, conf);
	if (sockets->nd >= 0)
		filter_nd(sockets->nd, conf);
}
