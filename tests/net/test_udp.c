/* The socket of a link, between two network namespaces. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../hbd/core/time.h"
#include "../../hbd/io/udp.h"
#include "far_net.h"

#define PORT 6940
#define LINKS 3

/* Link 0: IPv4, 1: IPv6, 2: IPv6 with link-local addresses; all over cable0. Here is node 0. */
struct bed {
	struct hbd_conf conf;
	int net;
	int here, there; /* sockets of a link; -1 = not open */
	struct clock_pair clock;
	uint32_t overflow;
	struct udp_datagram datagrams[UDP_BATCH];
};

static void set_end(struct hbd_conf *conf, uint8_t node, uint8_t link, const char *address)
{
	struct hbd_conf_link *end = &conf->nodes[node].links[link];

	end->address.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(end->address.family, address, &end->address.v6), 1);
	strcpy(end->interface, "cable0");
}

static int setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	static const char *const ends[LINKS][2] = {
		{ "10.78.0.1", "10.78.0.2" },
		{ "fd78::1", "fd78::2" },
		{ "fe80::1", "fe80::2" },
	};

	bed->conf.port = PORT;
	for (uint8_t link = 0; link < LINKS; link++)
		for (uint8_t node = 0; node < 2; node++)
			set_end(&bed->conf, node, link, ends[link][node]);
	bed->net = far_net_new();
	far_net_cable(bed->net, "cable0");
	run("ip addr add 10.78.0.1/24 dev cable0; ip addr add fd78::1/64 dev cable0 nodad;"
	    "ip addr add fe80::1/64 dev cable0 nodad");
	run_far(bed->net,
		"ip addr add 10.78.0.2/24 dev cable0; ip addr add fd78::2/64 dev cable0 nodad;"
		"ip addr add fe80::2/64 dev cable0 nodad");
	bed->here = bed->there = -1;
	*state = bed;
	return 0;
}

static int teardown(void **state)
{
	struct bed *bed = *state;

	if (bed->here >= 0)
		close(bed->here);
	if (bed->there >= 0)
		close(bed->there);
	run("ip link del cable0");
	close(bed->net);
	free(bed);
	return 0;
}

static void open_end(struct bed *bed, uint8_t self, uint8_t link, int *fd)
{
	const char *what = NULL;
	int before = self == 1 ? far_net_enter(bed->net) : -1;
	int r = udp_open(&bed->conf, self, link, fd, &what);

	if (before >= 0)
		far_net_leave(before);
	if (r < 0)
		fail_msg("link %u: %s: %s", link, what, strerror(-r));
}

static void open_both(struct bed *bed, uint8_t link)
{
	open_end(bed, 0, link, &bed->here);
	open_end(bed, 1, link, &bed->there);
}

static void close_both(struct bed *bed)
{
	close(bed->here);
	close(bed->there);
	bed->here = bed->there = -1;
}

/* Waits until something can be read, and reads a batch. */
static int receive(struct bed *bed, int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&wait, 1, 2000), 1);
	bed->clock = clock_read_pair();
	return udp_receive(fd, &bed->clock, 0, bed->datagrams, &bed->overflow);
}

static int receive_nothing(struct bed *bed, int fd)
{
	poll(NULL, 0, 50);
	bed->clock = clock_read_pair();
	return udp_receive(fd, &bed->clock, 0, bed->datagrams, &bed->overflow);
}

static void send_text(int fd, const char *text)
{
	assert_int_equal(udp_send(fd, (const uint8_t *)text, strlen(text)), 0);
}

static void a_datagram_arrives_as_it_was_sent(void **state)
{
	struct bed *bed = *state;

	for (uint8_t link = 0; link < LINKS; link++) {
		open_both(bed, link);
		send_text(bed->there, "heartbeat");
		assert_int_equal(receive(bed, bed->here), 1);
		assert_int_equal(bed->datagrams[0].length, 9);
		assert_memory_equal(bed->datagrams[0].bytes, "heartbeat", 9);
		assert_int_equal(bed->datagrams[0].ttl, 255);
		assert_int_equal(receive_nothing(bed, bed->here), 0);

		send_text(bed->here, "answer");
		assert_int_equal(receive(bed, bed->there), 1);
		close_both(bed);
	}
}

/* Sends, and reads a good while later: true if it is dated when it came. */
static bool is_dated_when_it_came(struct bed *bed)
{
	int64_t sent_ns = clock_now_ns();

	send_text(bed->there, "x");
	poll(NULL, 0, 30);
	assert_int_equal(receive(bed, bed->here), 1);
	assert_true(bed->datagrams[0].received_ns >= sent_ns);
	assert_true(bed->datagrams[0].received_ns <= bed->clock.boot_ns);
	return bed->datagrams[0].received_ns <= bed->clock.boot_ns - 20 * HBD_MS_NS;
}

static void a_datagram_is_dated_when_it_came_not_when_it_is_read(void **state)
{
	struct bed *bed = *state;

	for (uint8_t link = 0; link < LINKS; link++) {
		bool dated = false;

		open_both(bed, link);
		/* the kernel begins to note receive times a moment after the first one asked */
		for (int tries = 0; tries < 20 && !dated; tries++)
			dated = is_dated_when_it_came(bed);
		assert_true(dated);
		close_both(bed);
	}
}

static void a_datagram_is_not_older_than_it_can_be(void **state)
{
	struct bed *bed = *state;
	int64_t late_ns;

	open_both(bed, 0);
	send_text(bed->there, "x");
	poll(NULL, 0, 20);
	bed->clock = clock_read_pair();
	late_ns = bed->clock.boot_ns - HBD_MS_NS;
	assert_int_equal(udp_receive(bed->here, &bed->clock, late_ns, bed->datagrams,
				     &bed->overflow),
			 1);
	assert_true(bed->datagrams[0].received_ns >= late_ns);
}

static void fewer_hops_than_a_neighbor_has_are_told(void **state)
{
	struct bed *bed = *state;
	int hops = 254;

	open_both(bed, 0);
	setsockopt(bed->there, IPPROTO_IP, IP_TTL, &hops, sizeof(hops));
	send_text(bed->there, "x");
	assert_int_equal(receive(bed, bed->here), 1);
	assert_int_equal(bed->datagrams[0].ttl, 254);
	close_both(bed);

	open_both(bed, 1);
	setsockopt(bed->there, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops));
	send_text(bed->there, "x");
	assert_int_equal(receive(bed, bed->here), 1);
	assert_int_equal(bed->datagrams[0].ttl, 254);
}

static void a_datagram_that_is_too_long_is_told_with_its_length(void **state)
{
	struct bed *bed = *state;
	uint8_t bytes[1400];

	memset(bytes, 7, sizeof(bytes));
	open_both(bed, 0);
	assert_int_equal(udp_send(bed->there, bytes, sizeof(bytes)), 0);
	assert_int_equal(receive(bed, bed->here), 1);
	assert_int_equal(bed->datagrams[0].length, sizeof(bytes));
	assert_memory_equal(bed->datagrams[0].bytes, bytes, sizeof(bed->datagrams[0].bytes));
}

static void nothing_is_ever_fragmented(void **state)
{
	struct bed *bed = *state;
	uint8_t bytes[1400] = { 0 };

	run_far(bed->net, "ip link set cable0 mtu 1300");
	for (uint8_t link = 0; link < LINKS; link++) {
		open_both(bed, link);
		assert_int_equal(udp_send(bed->there, bytes, sizeof(bytes)), -EMSGSIZE);
		send_text(bed->there, "x");
		assert_int_equal(receive(bed, bed->here), 1);
		close_both(bed);
	}
}

/* The error that told of an earlier datagram must not cost the present one. */
static void a_peer_that_does_not_listen_is_noticed_and_costs_nothing(void **state)
{
	struct bed *bed = *state;

	for (uint8_t link = 0; link < LINKS; link++) {
		open_end(bed, 0, link, &bed->here);
		send_text(bed->here, "nobody hears this");
		poll(NULL, 0, 50);
		open_end(bed, 1, link, &bed->there);
		assert_int_equal(udp_send(bed->here, (const uint8_t *)"hello", 5), -ECONNREFUSED);
		assert_int_equal(receive(bed, bed->there), 1);
		assert_memory_equal(bed->datagrams[0].bytes, "hello", 5);
		send_text(bed->here, "and no more of it");
		close_both(bed);
	}
}

static void who_only_receives_notices_it_as_well(void **state)
{
	struct bed *bed = *state;

	open_end(bed, 0, 0, &bed->here);
	send_text(bed->here, "nobody hears this");
	assert_int_equal(receive(bed, bed->here), -ECONNREFUSED);
	assert_int_equal(receive_nothing(bed, bed->here), 0);
}

/* A socket over there that is not the peer's, with what it differs in. */
static int stranger(struct bed *bed, const char *address, uint16_t port, const char *interface)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int before = far_net_enter(bed->net);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), hops = 255;

	inet_pton(AF_INET, address, &own.sin_addr);
	inet_pton(AF_INET, "10.78.0.1", &to.sin_addr);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_TTL, &hops, sizeof(hops)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
				    (socklen_t)strlen(interface) + 1),
			 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	far_net_leave(before);
	return fd;
}

static const struct strange {
	const char *name, *address;
	uint16_t port;
	const char *interface;
	int arrive;
} strangers[] = {
	{ "the peer's address and port on the link's interface", "10.78.0.2", PORT, "cable0", 1 },
	{ "another port", "10.78.0.2", PORT + 1, "cable0", 0 },
	{ "another address", "10.78.0.3", PORT, "cable0", 0 },
	{ "another interface", "10.78.0.2", PORT, "cable1", 0 },
};

static void strangers_are_not_heard(void **state)
{
	struct bed *bed = *state;

	far_net_cable(bed->net, "cable1");
	/* so that what comes over cable1 gets as far as the sockets */
	run("ip addr add 10.79.0.1/24 dev cable1; sysctl -qw net.ipv4.conf.all.rp_filter=0 "
	    "net.ipv4.conf.cable1.rp_filter=0 net.ipv4.conf.cable0.rp_filter=0");
	run_far(bed->net,
		"ip addr add 10.78.0.3/24 dev cable0; ip addr add 10.79.0.2/24 dev cable1");
	open_end(bed, 0, 0, &bed->here);
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		const struct strange *row = &strangers[i];
		int fd = stranger(bed, row->address, row->port, row->interface);

		send(fd, "boo", 3, 0);
		if (receive_nothing(bed, bed->here) != row->arrive)
			fail_msg("%s: %s", row->name, row->arrive ? "not heard" : "heard");
		close(fd);
	}
	run("ip link del cable1");
}

static void what_waits_is_read_in_batches(void **state)
{
	struct bed *bed = *state;

	open_both(bed, 0);
	for (int i = 0; i < UDP_BATCH + 6; i++)
		send_text(bed->there, "x");
	poll(NULL, 0, 50);
	assert_int_equal(receive(bed, bed->here), UDP_BATCH);
	assert_int_equal(receive(bed, bed->here), 6);
	assert_int_equal(receive_nothing(bed, bed->here), 0);
}

static void a_queue_holds_less_than_is_read_in_a_row(void **state)
{
	struct bed *bed = *state;
	size_t total = 0;
	int n;

	open_both(bed, 0);
	for (int i = 0; i < 3 * UDP_QUEUE_MAX; i++)
		send(bed->there, "", 0, 0);
	poll(NULL, 0, 50);
	while ((n = udp_receive(bed->here, &bed->clock, 0, bed->datagrams, &bed->overflow)) > 0)
		total += (size_t)n;
	assert_int_equal(n, 0);
	assert_true(total > UDP_BATCH);
	assert_true(total < UDP_QUEUE_MAX);
	/* what was dropped is told with the next one */
	send_text(bed->there, "x");
	assert_int_equal(receive(bed, bed->here), 1);
	assert_int_equal(bed->overflow, 3 * UDP_QUEUE_MAX - total);
}

static void heartbeats_are_marked_as_urgent(void **state)
{
	struct bed *bed = *state;
	int fd, on = 1;
	uint8_t control[64], byte;
	struct iovec vector = { &byte, 1 };
	struct msghdr header = { .msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control) };

	open_end(bed, 0, 0, &bed->here);
	fd = stranger(bed, "10.78.0.2", PORT, "cable0");
	setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on));
	send_text(bed->here, "x");
	assert_int_equal(recvmsg(fd, &header, 0), 1);
	assert_non_null(CMSG_FIRSTHDR(&header));
	assert_int_equal(*CMSG_DATA(CMSG_FIRSTHDR(&header)), 0xc0);
	close(fd);
}

static void what_cannot_be_opened_is_told(void **state)
{
	struct bed *bed = *state;
	const char *what = NULL;
	int fd = -7;

	open_end(bed, 0, 0, &bed->here);
	assert_int_equal(udp_open(&bed->conf, 0, 0, &fd, &what), -EADDRINUSE);
	assert_string_equal(what, "bind to the address");
	strcpy(bed->conf.nodes[0].links[0].interface, "nowhere0");
	assert_int_equal(udp_open(&bed->conf, 0, 0, &fd, &what), -ENODEV);
	assert_string_equal(what, "bind to the interface");
	assert_int_equal(fd, -7);
}

static void an_ipv4_address_must_be_there(void **state)
{
	struct bed *bed = *state;
	const char *what = NULL;
	int fd;

	run("ip addr del 10.78.0.1/24 dev cable0");
	assert_int_equal(udp_open(&bed->conf, 0, 0, &fd, &what), -EADDRNOTAVAIL);
	assert_string_equal(what, "bind to the address");
}

/* Duplicate address detection takes a second or two; the socket need not wait for it. */
static void an_ipv6_address_may_come_later(void **state)
{
	struct bed *bed = *state;

	run("ip addr del fd78::1/64 dev cable0; ip -6 route add fd78::/64 dev cable0");
	open_both(bed, 1);
	run("ip addr add fd78::1/64 dev cable0 nodad");
	send_text(bed->there, "x");
	assert_int_equal(receive(bed, bed->here), 1);
	send_text(bed->here, "x");
	assert_int_equal(receive(bed, bed->there), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_datagram_arrives_as_it_was_sent),
		TEST(a_datagram_is_dated_when_it_came_not_when_it_is_read),
		TEST(a_datagram_is_not_older_than_it_can_be),
		TEST(fewer_hops_than_a_neighbor_has_are_told),
		TEST(a_datagram_that_is_too_long_is_told_with_its_length),
		TEST(nothing_is_ever_fragmented),
		TEST(a_peer_that_does_not_listen_is_noticed_and_costs_nothing),
		TEST(who_only_receives_notices_it_as_well),
		TEST(strangers_are_not_heard),
		TEST(what_waits_is_read_in_batches),
		TEST(a_queue_holds_less_than_is_read_in_a_row),
		TEST(heartbeats_are_marked_as_urgent),
		TEST(what_cannot_be_opened_is_told),
		TEST(an_ipv4_address_must_be_there),
		TEST(an_ipv6_address_may_come_later),
	};

	own_net_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
