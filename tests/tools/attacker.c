/*
 * attacker INTERFACE PORT KIND COUNT [GAP_US]: sends a node packets that it must not heed.
 *
 * It sits where the attacked node's cable ends: INTERFACE is the switch's port. First it listens to
 * up to 32 heartbeats (UDP to PORT, IPv4) that go to the node, or for "reflect" come from it. Then it
 * sends COUNT frames from the peer's address to the node, GAP_US apart (default 1000; 0 as
 * fast as it can), and says how many:
 *
 *	replay		what it heard, as it was
 *	reflect		the node's own packets, back to it as if from the peer
 *	truncate	what it heard, cut off at every length
 *	oversize	what it heard, with more behind it than any packet may have
 *	flip		what it heard, one bit different behind the header
 *	cluster, key, version, type, node	what it heard, with another such field
 *	hops		what it heard, as if it came over a router
 *	random		bytes of no meaning, of every length
 */
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <linux/if_packet.h>
#include <time.h>

#include "../../hbd/core/limits.h"
#include "../lib/frame.h"
#include "../lib/tool.h"

#define HEARD_MAX 32
#define PAYLOAD_MAX 1472	/* with IPv4 and UDP headers the MTU of Ethernet */
#define LISTEN_NS (10 * TOOL_S_NS)
#define HOPS 255

/* Offsets of PROTOCOL.md, section 2. */
#define AT_VERSION 4
#define AT_TYPE 5
#define AT_KEY 6
#define AT_CLUSTER 8
#define AT_SOURCE 12

struct heard {
	uint8_t payload[PAYLOAD_MAX];
	size_t bytes;
};

struct attacker {
	int socket;
	uint16_t port;
	struct frame_udp udp;	/* to the node, from the peer */
	union frame_address node;
	union frame_address peer;
	struct heard heard[HEARD_MAX];
	size_t heard_count;
};

typedef size_t (*attack)(const struct heard *heard, size_t round, uint8_t *payload);

static size_t as_heard(const struct heard *heard, size_t round, uint8_t *payload)
{
	(void)round;
	memcpy(payload, heard->payload, heard->bytes);
	return heard->bytes;
}

static size_t truncated(const struct heard *heard, size_t round, uint8_t *payload)
{
	return as_heard(heard, round, payload) - 1 - round % heard->bytes;
}

static size_t oversized(const struct heard *heard, size_t round, uint8_t *payload)
{
	memset(payload, 0, PAYLOAD_MAX);
	as_heard(heard, round, payload);
	return HBD_PACKET_BYTES_MAX + 1 + round % (PAYLOAD_MAX - HBD_PACKET_BYTES_MAX);
}

static size_t flipped(const struct heard *heard, size_t round, uint8_t *payload)
{
	size_t bits = (heard->bytes - HBD_HEADER_BYTES) * 8, bit = round * 37 % bits;

	as_heard(heard, round, payload);
	payload[HBD_HEADER_BYTES + bit / 8] ^= (uint8_t)(1u << bit % 8);
	return heard->bytes;
}

static size_t random_bytes(const struct heard *heard, size_t round, uint8_t *payload)
{
	(void)heard;
	if (getrandom(payload, PAYLOAD_MAX, 0) != PAYLOAD_MAX)
		tool_fail("random bytes");
	return round % (PAYLOAD_MAX + 1);
}

static size_t with_other(size_t at, const struct heard *heard, uint8_t *payload)
{
	as_heard(heard, 0, payload);
	payload[at] ^= 0x40;
	return heard->bytes;
}

static size_t other_cluster(const struct heard *heard, size_t round, uint8_t *payload)
{
	(void)round;
	return with_other(AT_CLUSTER, heard, payload);
}

static size_t other_key(const struct heard *heard, size_t round, uint8_t *payload)
{
	(void)round;
	return with_other(AT_KEY, heard, payload);
}

static size_t other_version(const struct heard *heard, size_t round, uint8_t *payload)
{
	(void)round;
	return with_other(AT_VERSION, heard, payload);
}

static size_t other_type(const struct heard *heard, size_t round, uint8_t *payload)
{
	(void)round;
	return with_other(AT_TYPE, heard, payload);
}

static size_t other_node(const struct heard *heard, size_t round, uint8_t *payload)
{
	(void)round;
	return with_other(AT_SOURCE, heard, payload);
}

static const struct {
	const char *name;
	attack make;
	bool from_node;		/* listens to what the node says */
	uint8_t hops;
} kinds[] = {
	{"replay", as_heard, false, HOPS},	{"reflect", as_heard, true, HOPS},
	{"truncate", truncated, false, HOPS},	{"oversize", oversized, false, HOPS},
	{"flip", flipped, false, HOPS},		{"cluster", other_cluster, false, HOPS},
	{"key", other_key, false, HOPS},	{"version", other_version, false, HOPS},
	{"type", other_type, false, HOPS},	{"node", other_node, false, HOPS},
	{"hops", as_heard, false, HOPS - 1},	{"random", random_bytes, false, HOPS},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Frames towards the node leave by this port of the switch, those from it come in. */
static void hear(struct attacker *attacker, const uint8_t *frame, size_t length, bool from_node)
{
	struct heard *heard = &attacker->heard[attacker->heard_count];
	struct ether_header ether;
	struct iphdr ip;
	struct udphdr udp;
	size_t at = sizeof(ether) + sizeof(ip) + sizeof(udp);

	if (length < at)
		return;
	memcpy(&ether, frame, sizeof(ether));
	memcpy(&ip, frame + sizeof(ether), sizeof(ip));
	memcpy(&udp, frame + sizeof(ether) + sizeof(ip), sizeof(udp));
	if (ip.protocol != IPPROTO_UDP || ip.ihl != 5 || udp.uh_dport != htons(attacker->port) ||
	    length - at > PAYLOAD_MAX)
		return;
	memcpy(attacker->udp.to_mac, from_node ? ether.ether_shost : ether.ether_dhost,
	       FRAME_MAC_BYTES);
	memcpy(attacker->udp.from_mac, from_node ? ether.ether_dhost : ether.ether_shost,
	       FRAME_MAC_BYTES);
	attacker->node.v4.sin_addr.s_addr = from_node ? ip.saddr : ip.daddr;
	attacker->peer.v4.sin_addr.s_addr = from_node ? ip.daddr : ip.saddr;
	heard->bytes = ntohs(udp.uh_ulen) - sizeof(udp);
	memcpy(heard->payload, frame + at, length - at);
	attacker->heard_count++;
}

static void listen_for(struct attacker *attacker, bool from_node)
{
	int64_t end_ns = tool_now_ns() + LISTEN_NS;
	struct pollfd waiting = {.fd = attacker->socket, .events = POLLIN};
	struct sockaddr_ll from;
	uint8_t frame[2048];
	socklen_t bytes;
	ssize_t length;

	while (attacker->heard_count < HEARD_MAX && tool_now_ns() < end_ns) {
		bytes = sizeof(from);
		if (poll(&waiting, 1, 100) <= 0)
			continue;
		length = recvfrom(attacker->socket, frame, sizeof(frame), 0,
				  (struct sockaddr *)&from, &bytes);
		if (length > 0 && (from.sll_pkttype != PACKET_OUTGOING) == from_node)
			hear(attacker, frame, (size_t)length, from_node);
	}
	errno = 0;
	if (!attacker->heard_count)
		tool_fail("no heartbeat was heard");
}

static void send_one(struct attacker *attacker, attack make, size_t round)
{
	uint8_t payload[PAYLOAD_MAX], frame[FRAME_HEADERS_MAX + PAYLOAD_MAX];
	size_t length;

	attacker->udp.payload = payload;
	attacker->udp.payload_bytes =
		make(&attacker->heard[round % attacker->heard_count], round, payload);
	length = frame_make_udp(&attacker->udp, frame);
	/* a full queue is waited for: every frame counts */
	while (send(attacker->socket, frame, length, 0) < 0)
		if (errno != ENOBUFS && errno != EAGAIN)
			tool_fail("send");
}

static void run(struct attacker *attacker, attack make, size_t count, int64_t gap_ns)
{
	struct timespec gap = {gap_ns / TOOL_S_NS, gap_ns % TOOL_S_NS};

	for (size_t round = 0; round < count; round++) {
		send_one(attacker, make, round);
		if (gap_ns)
			nanosleep(&gap, NULL);
	}
	printf("%zu sent\n", count);
}

int main(int argc, char **argv)
{
	struct attacker attacker = {.node = {.v4 = {.sin_family = AF_INET}},
				    .peer = {.v4 = {.sin_family = AF_INET}}};
	size_t kind = 0;

	while (argc >= 5 && kind < KINDS && strcmp(argv[3], kinds[kind].name))
		kind++;
	if (argc < 5 || argc > 6 || kind == KINDS) {
		fprintf(stderr, "usage: attacker INTERFACE PORT KIND COUNT [GAP_US]\n");
		return 2;
	}
	attacker.port = (uint16_t)tool_number("PORT", argv[2], 1, 65535);
	attacker.socket = frame_socket(argv[1], ETH_P_ALL);
	attacker.node.v4.sin_port = attacker.peer.v4.sin_port = htons(attacker.port);
	attacker.udp = (struct frame_udp){.to = &attacker.node, .from = &attacker.peer,
					  .hops = kinds[kind].hops};
	listen_for(&attacker, kinds[kind].from_node);
	run(&attacker, kinds[kind].make, (size_t)tool_number("COUNT", argv[4], 1, 100000000),
	    argc > 5 ? 1000 * tool_number("GAP_US", argv[5], 0, 10000000) : TOOL_MS_NS);
	return 0;
}
