/* Who is heard on a real interface, asked or not, and what wakes nobody. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../hbd/core/time.h"
#include "../../hbd/io/announce.h"
#include "../../hbd/io/announce_frame.h"
#include "../../hbd/io/ask.h"
#include "../../hbd/io/clock.h"
#include "own_net.h"

#define SIGNS_MAX 64
#define OWN_MAC "\x02\0\0\0\0\x77"
#define FAR_MAC "\x02\0\0\0\0\x99"

struct bed {
	struct own_net *net;
	struct announce *announce;
	struct ask *ask;
	int far; /* sends at the far end of eth0 */
	size_t count;
	struct ask_sign signs[SIGNS_MAX];
};

static int setup(void **state)
{
	static struct bed bed;
	struct sockaddr_ll address = { .sll_family = AF_PACKET };

	bed = (struct bed){ .net = own_net_make() };
	run("ip link set eth0 address 02:00:00:00:00:77");
	bed.far = socket(AF_PACKET, SOCK_RAW, 0);
	address.sll_ifindex = (int)if_nametoindex("far-eth0");
	assert_true(bed.far >= 0);
	assert_int_equal(bind(bed.far, (struct sockaddr *)&address, sizeof(address)), 0);
	*state = &bed;
	return 0;
}

static int teardown(void **state)
{
	struct bed *bed = *state;

	ask_close(bed->ask);
	announce_close(bed->announce);
	close(bed->far);
	own_net_free(bed->net);
	return 0;
}

static void open_ask(struct bed *bed)
{
	struct ask_sockets sockets;
	int fd;

	open_vip(bed->net);
	assert_int_equal(announce_socket(&fd), 0);
	assert_int_equal(announce_open(&bed->net->conf, bed->net->vip, fd, &bed->announce), 0);
	assert_int_equal(ask_sockets_open(&sockets), 0);
	assert_int_equal(ask_open(&bed->net->conf, bed->net->vip, fd, &sockets, &bed->ask), 0);
}

static void keep_sign(void *context, const struct ask_sign *sign)
{
	struct bed *bed = context;

	assert_true(bed->count < SIGNS_MAX);
	bed->signs[bed->count++] = *sign;
}

/* Something waits to be read. */
static bool is_woken(struct bed *bed)
{
	struct pollfd wait[] = {
		{ .fd = ask_fds(bed->ask)->arp, .events = POLLIN },
		{ .fd = ask_fds(bed->ask)->nd, .events = POLLIN },
	};

	return poll(wait, 2, 100) > 0;
}

static void hear(struct bed *bed)
{
	bed->count = 0;
	poll(NULL, 0, 20);
	ask_read(bed->ask, keep_sign, bed);
}

enum kind { REQUEST, REPLY, PROBE, ADVERT };

static void say(struct bed *bed, enum kind kind, const char *mac, const char *address)
{
	uint8_t frame[ANNOUNCE_FRAME_BYTES];
	struct in_addr v4 = { 0 };
	struct in6_addr v6;
	size_t length = 0;

	assert_int_equal(inet_pton(kind == ADVERT ? AF_INET6 : AF_INET, address,
				   kind == ADVERT ? (void *)&v6 : (void *)&v4), 1);
	switch (kind) {
	case REQUEST:
		length = announce_frame_request(frame, (const uint8_t *)mac, v4);
		break;
	case REPLY:
		length = announce_frame_reply(frame, (const uint8_t *)mac, v4);
		break;
	case PROBE:
		length = announce_frame_probe(frame, (const uint8_t *)mac, v4);
		break;
	case ADVERT:
		length = announce_frame_advertisement(frame, (const uint8_t *)mac, &v6, false);
		break;
	}
	assert_int_equal(send(bed->far, frame, length, 0), (int)length);
}

static void what_is_of_no_concern_wakes_nobody(void **state)
{
	struct bed *bed = *state;
	static const struct {
		const char *what;
		enum kind kind;
		const char *address;
		bool wakes;
	} rows[] = {
		{ "an address of ours is announced", REQUEST, "10.77.0.100", true },
		{ "and in the other form", REPLY, "10.77.0.100", true },
		{ "another address of ours", REQUEST, "10.77.0.102", true },
		{ "an IPv6 address of ours", ADVERT, "fd77::100", true },
		{ "the gateway answers", REPLY, "10.77.0.254", true },
		{ "the gateway asks", REQUEST, "10.77.0.254", false },
		{ "somebody asks for ours", PROBE, "10.77.0.100", false },
		{ "another machine announces itself", REQUEST, "10.77.0.101", false },
		{ "another machine answers", REPLY, "10.77.0.99", false },
		{ "another IPv6 machine", ADVERT, "fd77::101", false },
	};

	add_vip(bed->net, 0, "10.77.0.100/24", "eth0");
	add_vip(bed->net, 0, "fd77::100/64", "eth0");
	add_vip(bed->net, 1, "10.77.0.102/24", "eth0");
	bed->net->conf.groups[0].gateway.family = AF_INET;
	inet_pton(AF_INET, "10.77.0.254", &bed->net->conf.groups[0].gateway.v4);
	open_ask(bed);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hear(bed);
		say(bed, rows[i].kind, FAR_MAC, rows[i].address);
		if (is_woken(bed) != rows[i].wakes)
			fail_msg("%s: %s", rows[i].what, rows[i].wakes ? "not heard" : "heard");
	}
}

/* A list too long for the kernel's memory is bounded by its ends. */
static void of_many_addresses_all_are_heard(void **state)
{
	struct bed *bed = *state;
	char text[64];

	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "10.79.%d.%d/32", i / 250, i % 250 + 1);
		add_vip(bed->net, 0, text, "eth0");
	}
	open_ask(bed);
	hear(bed);
	say(bed, REQUEST, FAR_MAC, "10.79.0.1");
	hear(bed);
	assert_int_equal(bed->count, 1);
	poll(NULL, 0, 1010);
	say(bed, REQUEST, FAR_MAC, "10.79.3.250");
	hear(bed);
	assert_int_equal(bed->count, 1);
	assert_int_equal(bed->signs[0].address, 999);
	say(bed, REQUEST, FAR_MAC, "10.78.0.9");
	say(bed, REQUEST, FAR_MAC, "10.80.0.9");
	assert_false(is_woken(bed));
}

static void a_sight_names_group_address_and_station_once_a_second(void **state)
{
	struct bed *bed = *state;

	add_vip(bed->net, 0, "10.77.0.100/24", "eth0");
	add_vip(bed->net, 1, "10.77.0.102/24", "eth0");
	add_vip(bed->net, 1, "10.77.0.103/24", "eth0");
	open_ask(bed);
	for (int i = 0; i < 50; i++)
		say(bed, REQUEST, FAR_MAC, "10.77.0.103");
	hear(bed);
	assert_int_equal(bed->count, 1);
	assert_int_equal(bed->signs[0].type, ASK_SIGHT);
	assert_int_equal(bed->signs[0].group, 1);
	assert_int_equal(bed->signs[0].address, 1);
	assert_memory_equal(bed->signs[0].station, FAR_MAC, HBD_STATION_BYTES);
	poll(NULL, 0, 1010);
	say(bed, REQUEST, FAR_MAC, "10.77.0.103");
	hear(bed);
	assert_int_equal(bed->count, 1);
}

static void what_comes_after_a_question_is_an_answer(void **state)
{
	struct bed *bed = *state;

	add_vip(bed->net, 0, "10.77.0.100/24", "eth0");
	add_vip(bed->net, 0, "10.77.0.102/24", "eth0");
	open_ask(bed);
	ask_send(bed->ask, 0);
	/* a flood is one answer, or a few */
	for (int i = 0; i < 50; i++)
		say(bed, REPLY, FAR_MAC, "10.77.0.100");
	/* another's is not lost in it */
	say(bed, REPLY, "\x02\0\0\0\0\x98", "10.77.0.100");
	/* it was not asked for this one */
	say(bed, REPLY, FAR_MAC, "10.77.0.102");
	hear(bed);
	assert_in_range(bed->count, 3, 20);
	for (size_t i = 0; i + 1 < bed->count; i++)
		assert_int_equal(bed->signs[i].type, ASK_ANSWER);
	assert_memory_equal(bed->signs[bed->count - 2].station, "\x02\0\0\0\0\x98",
			    HBD_STATION_BYTES);
	assert_int_equal(bed->signs[bed->count - 1].type, ASK_SIGHT);
	poll(NULL, 0, 1010);
	say(bed, REPLY, FAR_MAC, "10.77.0.100");
	hear(bed);
	assert_int_equal(bed->signs[0].type, ASK_SIGHT);
}

/* A kernel answers on each interface for the addresses of all. */
static void this_machine_itself_is_no_sight(void **state)
{
	struct bed *bed = *state;

	run("ip link set eth1 address 02:00:00:00:00:78");
	add_vip(bed->net, 0, "10.77.0.100/24", "eth0");
	open_ask(bed);
	say(bed, REQUEST, "\x02\0\0\0\0\x78", "10.77.0.100");
	say(bed, REQUEST, OWN_MAC, "10.77.0.100");
	hear(bed);
	assert_int_equal(bed->count, 0);
	say(bed, REQUEST, FAR_MAC, "10.77.0.100");
	hear(bed);
	assert_int_equal(bed->count, 1);
}

static int capture(void)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = (int)if_nametoindex("far-eth0"),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ARP));

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int count_frames(int fd)
{
	uint8_t frame[128];
	int count = 0;

	while (recv(fd, frame, sizeof(frame), 0) > 0)
		count++;
	return count;
}

static void all_addresses_are_asked_about_and_then_one_in_a_while(void **state)
{
	struct bed *bed = *state;
	int64_t now_ns = HBD_S_NS;
	char text[64];
	int fd = capture();

	for (int i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "10.77.0.%d/24", 100 + i);
		add_vip(bed->net, 0, text, "eth0");
	}
	open_ask(bed);
	assert_true(ask_deadline_ns(bed->ask) == HBD_NEVER_NS);
	count_frames(fd);
	ask_about_all(bed->ask, 0, now_ns);
	for (; ask_deadline_ns(bed->ask) < 2 * HBD_S_NS; now_ns = ask_deadline_ns(bed->ask))
		ask_run(bed->ask, ask_deadline_ns(bed->ask));
	/* and the first one's turn has begun */
	assert_int_equal(count_frames(fd), 21);
	for (int i = 0; i < 3; i++)
		ask_run(bed->ask, ask_deadline_ns(bed->ask));
	assert_int_equal(count_frames(fd), 3);
	assert_true(ask_deadline_ns(bed->ask) > 30 * HBD_S_NS);
	ask_about_none(bed->ask, 0);
	assert_true(ask_deadline_ns(bed->ask) == HBD_NEVER_NS);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_of_no_concern_wakes_nobody),
		TEST(of_many_addresses_all_are_heard),
		TEST(a_sight_names_group_address_and_station_once_a_second),
		TEST(what_comes_after_a_question_is_an_answer),
		TEST(this_machine_itself_is_no_sight),
		TEST(all_addresses_are_asked_about_and_then_one_in_a_while),
	};

	own_net_enter();
	return cmocka_run_group_tests_name("ask", tests, NULL, NULL);
}
