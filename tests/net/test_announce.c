/* What the far end of the wire sees of announcements, and when. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
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

#include "../../hbd/base/log.h"
#include "../../hbd/core/time.h"
#include "../../hbd/io/announce.h"
#include "../../hbd/io/clock.h"
#include "own_net.h"

#define FRAME_BYTES 128
#define MAC "\x02\0\0\0\0\x77"

struct frame {
	size_t length;
	uint8_t bytes[FRAME_BYTES];
};

struct bed {
	struct own_net *net;
	struct announce *announce;
	int capture;	/* at the far end of eth0 */
	int64_t now_ns; /* of announce */
	unsigned complaints;
	char complaint[300];
};

static int open_capture(const char *interface)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(interface),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
	int bytes = 16 << 20;

	assert_true(fd >= 0);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void keep_complaint(void *context, int priority, const struct log_fields *fields,
			   const char *text)
{
	struct bed *bed = context;

	(void)fields;
	if (priority > LOG_WARNING)
		return;
	bed->complaints++;
	snprintf(bed->complaint, sizeof(bed->complaint), "%s", text);
}

static int setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	bed->net = own_net_make();
	run("ip link set eth0 address 02:00:00:00:00:77");
	bed->capture = open_capture("far-eth0");
	bed->now_ns = 1000 * HBD_S_NS;
	log_set_sink(keep_complaint, bed);
	*state = bed;
	return 0;
}

static int teardown(void **state)
{
	struct bed *bed = *state;

	log_set_sink(NULL, NULL);
	announce_close(bed->announce);
	close(bed->capture);
	own_net_free(bed->net);
	free(bed);
	return 0;
}

static void open_announce(struct bed *bed)
{
	int fd;

	open_vip(bed->net);
	assert_int_equal(announce_socket(&fd), 0);
	assert_int_equal(announce_open(&bed->net->conf, bed->net->vip, fd, &bed->announce), 0);
}

/* ARP, or a neighbor advertisement; the kernel of the near end speaks as well. */
static bool is_announcement(const struct frame *frame)
{
	const uint8_t *type = frame->bytes + 2 * ETH_ALEN;

	if (memcmp(frame->bytes + ETH_ALEN, MAC, ETH_ALEN) != 0)
		return false;
	if (type[0] == 0x08 && type[1] == 0x06)
		return true;
	return type[0] == 0x86 && type[1] == 0xdd && frame->bytes[20] == IPPROTO_ICMPV6 &&
	       frame->bytes[54] == 136;
}

/* The next announcement that arrived, or false. */
static bool captured(const struct bed *bed, struct frame *ret_frame)
{
	ssize_t length;

	while ((length = recv(bed->capture, ret_frame->bytes, FRAME_BYTES, MSG_TRUNC)) > 0) {
		ret_frame->length = (size_t)length;
		if (is_announcement(ret_frame))
			return true;
	}
	return false;
}

static size_t count_captured(const struct bed *bed)
{
	struct frame frame;
	size_t count = 0;

	while (captured(bed, &frame))
		count++;
	return count;
}

/* ---- bytes ---- */

#define BROADCAST "\xff\xff\xff\xff\xff\xff"
#define ARP BROADCAST MAC "\x08\x06\0\x01\x08\0\x06\x04"
#define ADDRESS "\x0a\x4d\0\x64" /* 10.77.0.100 */
#define ALL_NODES "\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
#define ADDRESS6 "\xfd\x77\0\0\0\0\0\0\0\0\0\0\0\0\x01\0" /* fd77::100 */
#define NA "\x33\x33\0\0\0\x01" MAC "\x86\xdd\x60\0\0\0\0\x20\x3a\xff" ADDRESS6 ALL_NODES "\x88\0"
#define TARGET ADDRESS6 "\x02\x01" MAC

/* "@@" stands for the checksum, which is checked by adding up. */
static const struct expected {
	const char *name;
	bool forwarding;
	size_t count;
	struct {
		size_t length;
		const char *bytes;
	} frames[3];
} expected[] = {
	{ "a host",
	  false,
	  3,
	  { { 42, ARP "\0\x01" MAC ADDRESS "\0\0\0\0\0\0" ADDRESS },
	    { 86, NA "@@"
		     "\x20\0\0\0" TARGET },
	    { 42, ARP "\0\x02" MAC ADDRESS MAC ADDRESS } } },
	{ "a router",
	  true,
	  3,
	  { { 42, ARP "\0\x01" MAC ADDRESS "\0\0\0\0\0\0" ADDRESS },
	    { 86, NA "@@"
		     "\xa0\0\0\0" TARGET },
	    { 42, ARP "\0\x02" MAC ADDRESS MAC ADDRESS } } },
};

/* Over the pseudo header and the message, checksum included: RFC 1071 wants all ones. */
static uint16_t sum_of_advertisement(const uint8_t *frame)
{
	uint8_t bytes[72] = { [35] = 32, [39] = IPPROTO_ICMPV6 };
	uint32_t sum = 0;

	memcpy(bytes, frame + 22, 32);
	memcpy(bytes + 40, frame + 54, 32);
	for (size_t i = 0; i < sizeof(bytes); i += 2)
		sum += (uint32_t)bytes[i] * 256 + bytes[i + 1];
	while (sum > 0xffff)
		sum = sum / 65536 + sum % 65536;
	return (uint16_t)sum;
}

static void frames_are_right_to_the_byte(void **state)
{
	struct bed *bed = *state;

	add_vip(bed->net, 0, "10.77.0.100/24", "eth0");
	add_vip(bed->net, 0, "fd77::100/64", "eth0");
	open_announce(bed);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const struct expected *row = &expected[i];

		run("sysctl -qw net.ipv6.conf.eth0.forwarding=%d", row->forwarding);
		settle(bed->net);
		count_captured(bed);
		announce_start(bed->announce, 0, bed->now_ns);
		for (size_t k = 0; k < row->count; k++) {
			uint8_t wanted[FRAME_BYTES];
			struct frame frame;

			assert_true(captured(bed, &frame));
			assert_int_equal(frame.length, row->frames[k].length);
			memcpy(wanted, row->frames[k].bytes, frame.length);
			if (frame.length == 86) {
				assert_int_equal(sum_of_advertisement(frame.bytes), 0xffff);
				memcpy(wanted + 56, frame.bytes + 56, 2);
			}
			if (memcmp(frame.bytes, wanted, frame.length) != 0)
				fail_msg("%s: frame %zu differs", row->name, k);
		}
		assert_int_equal(count_captured(bed), 0);
	}
	assert_int_equal(bed->complaints, 0);
}

/* A neighbor's kernel believes them: it has entries for the old owner's MAC before. */
static void a_neighbor_learns_the_new_mac_at_once(void **state)
{
	struct bed *bed = *state;

	add_vip(bed->net, 0, "10.77.0.100/24", "eth0");
	add_vip(bed->net, 0, "fd77::100/64", "eth0");
	open_announce(bed);
	run("ip netns add own-$PPID && ip link set far-eth0 netns own-$PPID");
	run("n=own-$PPID; ip netns exec $n sysctl -qw net.ipv6.conf.far-eth0.disable_ipv6=0 "
	    "net.ipv6.conf.far-eth0.accept_dad=0; ip -n $n addr add 10.77.0.9/24 dev far-eth0; "
	    "ip -n $n link set far-eth0 up; ip -n $n addr add fd77::9/64 dev far-eth0 nodad");
	run("n=own-$PPID; for a in 10.77.0.100 fd77::100; do ip -n $n neigh replace $a dev far-eth0 "
	    "lladdr 02:00:00:00:00:01 nud reachable; done; sleep 0.5");
	settle(bed->net);
	announce_start(bed->announce, 0, bed->now_ns);
	run("test $(ip -n own-$PPID neigh show dev far-eth0 | "
	    "grep -E '(10.77.0.100|fd77::100) ' | grep -c 02:00:00:00:00:77) = 2");
	run("ip netns del own-$PPID");
}

/* ---- order and times ---- */

/* Lets announce run whenever it wants to until the instant, and counts frames by millisecond. */
static size_t run_until(struct bed *bed, int64_t until_ns)
{
	size_t runs = 0;

	while (announce_deadline_ns(bed->announce) <= until_ns) {
		int64_t next_ns = announce_deadline_ns(bed->announce);

		assert_true(next_ns >= bed->now_ns);
		bed->now_ns = next_ns;
		announce_run(bed->announce, bed->now_ns);
		assert_true(announce_deadline_ns(bed->announce) > bed->now_ns);
		assert_true(++runs < 100000);
	}
	bed->now_ns = until_ns;
	return runs;
}

static void every_first_frame_goes_before_any_second(void **state)
{
	/* Last byte of the address, and operation: 0 for an advertisement. */
	static const struct {
		uint8_t address, operation;
	} order[] = { { 100, 1 }, { 0, 0 }, { 101, 1 }, { 100, 2 }, { 101, 2 } };
	struct bed *bed = *state;
	struct frame frame;

	add_vip(bed->net, 0, "10.77.0.100/24", "eth0");
	add_vip(bed->net, 0, "fd77::100/64", "eth0");
	add_vip(bed->net, 0, "10.77.0.101/24", "eth0");
	open_announce(bed);
	count_captured(bed);
	announce_start(bed->announce, 0, bed->now_ns);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		assert_true(captured(bed, &frame));
		assert_int_equal(frame.bytes[12] == 0x08 ? frame.bytes[31] : 0, order[i].address);
		assert_int_equal(frame.bytes[12] == 0x08 ? frame.bytes[21] : 0, order[i].operation);
	}
	assert_false(captured(bed, &frame));
}

static const int64_t rounds_ms[] = { 10, 50, 200, 1000, 2000, 5000, 10000 };

static void rounds_come_on_schedule_and_then_the_refresh(void **state)
{
	struct bed *bed = *state;
	int64_t start_ns = bed->now_ns;

	add_vip(bed->net, 0, "10.77.0.100/24", "eth0");
	open_announce(bed);
	assert_int_equal(announce_deadline_ns(bed->announce), HBD_NEVER_NS);
	for (int refresh = 0; refresh < 2; refresh++) {
		bed->net->conf.refresh_ns = refresh * 60 * HBD_S_NS;
		start_ns = bed->now_ns;
		announce_start(bed->announce, 0, start_ns);
		assert_int_equal(count_captured(bed), 2);
		for (size_t i = 0; i < sizeof(rounds_ms) / sizeof(rounds_ms[0]); i++) {
			int64_t due_ns = start_ns + rounds_ms[i] * HBD_MS_NS;

			assert_int_equal(announce_deadline_ns(bed->announce), due_ns);
			announce_run(bed->announce, due_ns - 1);
			assert_int_equal(count_captured(bed), 0);
			run_until(bed, due_ns);
			assert_int_equal(count_captured(bed), 2);
		}
		if (!refresh)
			assert_int_equal(announce_deadline_ns(bed->announce), HBD_NEVER_NS);
	}
	for (int i = 1; i <= 3; i++) {
		run_until(bed, start_ns + (10 + i * 60) * HBD_S_NS - 1);
		assert_int_equal(count_captured(bed), 0);
		run_until(bed, start_ns + (10 + i * 60) * HBD_S_NS);
		assert_int_equal(count_captured(bed), 2);
	}
	announce_stop(bed->announce, 0);
	assert_int_equal(announce_deadline_ns(bed->announce), HBD_NEVER_NS);
	announce_run(bed->announce, bed->now_ns + 100 * HBD_S_NS);
	assert_int_equal(count_captured(bed), 0);
}

static void a_restart_begins_anew_and_a_late_caller_gets_one_round(void **state)
{
	struct bed *bed = *state;

	add_vip(bed->net, 0, "10.77.0.100/24", "eth0");
	open_announce(bed);
	announce_start(bed->announce, 0, bed->now_ns);
	run_until(bed, bed->now_ns + 3 * HBD_S_NS);
	count_captured(bed);
	announce_start(bed->announce, 0, bed->now_ns);
	assert_int_equal(count_captured(bed), 2);
	assert_int_equal(announce_deadline_ns(bed->announce), bed->now_ns + 10 * HBD_MS_NS);
	bed->now_ns += 4 * HBD_S_NS;
	announce_run(bed->announce, bed->now_ns);
	announce_run(bed->announce, bed->now_ns);
	assert_int_equal(count_captured(bed), 2);
	assert_int_equal(announce_deadline_ns(bed->announce), bed->now_ns + 1 * HBD_S_NS);
}

/* A thousand addresses: first rounds at once, the others at 1000 frames/s at most, and a group
 * with one address does not wait for them. */
static void later_rounds_keep_the_pace_and_share_it(void **state)
{
	struct bed *bed = *state;
	size_t large = 0, small = 0;
	int64_t start_ns;
	char text[64];

	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "10.90.%d.%d/32", i / 250, i % 250 + 1);
		add_vip(bed->net, 0, text, "eth0");
	}
	add_vip(bed->net, 1, "10.77.0.100/24", "eth0");
	open_announce(bed);
	start_ns = clock_now_ns();
	announce_start(bed->announce, 0, bed->now_ns);
	printf("first round of 1000 addresses, 2000 frames: %.1f ms\n",
	       (double)(clock_now_ns() - start_ns) / 1e6);
	assert_int_equal(count_captured(bed), 2000);
	announce_start(bed->announce, 1, bed->now_ns);
	assert_int_equal(count_captured(bed), 2);
	start_ns = bed->now_ns;
	for (int tick = 1; tick <= 15; tick++) {
		size_t runs = run_until(bed, start_ns + tick * HBD_S_NS), frames = 0;
		struct frame frame;

		while (captured(bed, &frame)) {
			frames++;
			small += frame.bytes[29] == 77;
		}
		assert_in_range(frames, 0, 1000 + 32);
		assert_in_range(runs, 0, 110);
		large += frames;
		/* 10, 50, 200 ms and 1 s. */
		if (tick == 1)
			assert_in_range(small, 6, 8);
	}
	assert_int_equal(small, 14);
	/* A round takes 2 s; those overdue when it ends are one: from 0.01, 2, 5 and 10 s. */
	assert_int_equal(large - small, 4 * 2000);
	assert_int_equal(announce_deadline_ns(bed->announce), HBD_NEVER_NS);
}

/* ---- trouble ---- */

static void what_cannot_be_sent_is_told_once_and_tried_again(void **state)
{
	struct bed *bed = *state;

	add_vip(bed->net, 0, "10.77.0.100/24", "eth0");
	add_vip(bed->net, 0, "10.77.0.101/24", "eth0");
	open_announce(bed);
	run("ip link set eth0 down");
	announce_start(bed->announce, 0, bed->now_ns);
	run_until(bed, bed->now_ns + 100 * HBD_MS_NS);
	assert_int_equal(bed->complaints, 1);
	assert_non_null(strstr(bed->complaint, "cannot announce 10.77.0.100 on eth0"));
	assert_int_equal(count_captured(bed), 0);
	run("ip link set eth0 up; sleep 0.2");
	settle(bed->net);
	run_until(bed, bed->now_ns + 100 * HBD_MS_NS);
	assert_int_equal(count_captured(bed), 4);
	assert_int_equal(bed->complaints, 1);
}

static void interfaces_that_are_away_or_not_ethernet_are_left_out(void **state)
{
	struct bed *bed = *state;
	uint8_t mac[6];
	int ifindex;

	add_vip(bed->net, 0, "10.77.0.100/24", "eth9");
	add_vip(bed->net, 0, "10.77.0.101/32", "lo");
	add_vip(bed->net, 0, "10.77.0.102/24", "eth0");
	open_announce(bed);
	announce_start(bed->announce, 0, bed->now_ns);
	assert_int_equal(count_captured(bed), 2);
	run_until(bed, bed->now_ns + 20 * HBD_S_NS);
	assert_int_equal(count_captured(bed), 14);
	assert_int_equal(bed->complaints, 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(vip_interface(bed->net->vip, 0, i, &ifindex, mac), -ENODEV);
	announce_start(bed->announce, 1, bed->now_ns);
	assert_int_equal(announce_deadline_ns(bed->announce), HBD_NEVER_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(frames_are_right_to_the_byte),
		TEST(a_neighbor_learns_the_new_mac_at_once),
		TEST(every_first_frame_goes_before_any_second),
		TEST(rounds_come_on_schedule_and_then_the_refresh),
		TEST(a_restart_begins_anew_and_a_late_caller_gets_one_round),
		TEST(later_rounds_keep_the_pace_and_share_it),
		TEST(what_cannot_be_sent_is_told_once_and_tried_again),
		TEST(interfaces_that_are_away_or_not_ethernet_are_left_out),
	};

	own_net_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
