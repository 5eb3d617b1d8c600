/* What the LAN sees of a machine whose lease runs out: real frames over a cable. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../hbd/io/clock.h"
#include "fence_bed.h"

static int setup(void **state)
{
	*state = fence_bed_make();
	return 0;
}

static int teardown(void **state)
{
	fence_bed_free(*state);
	return 0;
}

/* ---- who answers ------------------------------------------------------------------------------- */

static const char *const ours[] = { BED_VIP4, BED_VIP6 };
static const char *const others[] = { BED_FIX4, BED_FIX6 };

#define EACH(name, list) (size_t name = 0; name < sizeof(list) / sizeof(list[0]); name++)

static void expect_answers(struct fence_bed *bed, bool answers)
{
	for EACH(i, ours) {
		if (is_resolved(bed, ours[i]) != answers)
			fail_msg("%s is %sresolved", ours[i], answers ? "not " : "");
		if (is_reached(bed, ours[i]) != answers)
			fail_msg("%s is %sreached", ours[i], answers ? "not " : "");
	}
	for EACH(i, others) {
		if (!is_resolved(bed, others[i]) || !is_reached(bed, others[i]))
			fail_msg("%s does not answer", others[i]);
	}
}

static void an_address_answers_until_its_deadline(void **state)
{
	struct fence_bed *bed = *state;

	expect_answers(bed, false);
	fence_renew(bed->fence, 0, HBD_NEVER_NS);
	expect_answers(bed, true);
	assert_false(is_resolved(bed, BED_OTHER_VIP4));
	assert_false(is_reached(bed, BED_OTHER_VIP6));
	fence_renew(bed->fence, 0, clock_now_ns());
	expect_answers(bed, false);
	fence_renew(bed->fence, 0, HBD_NEVER_NS);
	fence_close_group(bed->fence, 0);
	expect_answers(bed, false);
}

/* After a planned move: nobody learns that it is here, who knew it is served. */
static void a_drained_address_is_reached_and_not_told(void **state)
{
	struct fence_bed *bed = *state;

	fence_renew(bed->fence, 0, HBD_NEVER_NS);
	expect_answers(bed, true);
	fence_drain(bed->fence, 0, clock_now_ns() + HBD_S_NS);
	for EACH(i, ours) {
		assert_false(is_resolved(bed, ours[i]));
		assert_true(is_reached(bed, ours[i]));
	}
	usleep(1000 * 1000);
	expect_answers(bed, false);
	fence_drain(bed->fence, 0, HBD_NEVER_NS);
	assert_true(is_reached(bed, ours[0]));
	fence_close_group(bed->fence, 0);
	expect_answers(bed, false);
}

static void a_holder_whose_lease_is_over_sends_nothing_in_its_name(void **state)
{
	static const struct frame_shape shapes[] = {
		{ FRAME_ECHO, .from = BED_VIP4, .to = BED_CLIENT4 },
		{ FRAME_ECHO, .from = BED_VIP6, .to = BED_CLIENT6 },
		{ FRAME_ARP_REQUEST, .from = BED_VIP4, .to = BED_VIP4 },
		{ FRAME_ADVERTISEMENT, .from = BED_FIX6, .to = "ff02::1", .about = BED_VIP6 },
	};
	struct fence_bed *bed = *state;

	for (int open = 0; open < 2; open++) {
		if (open)
			fence_renew(bed->fence, 0, HBD_NEVER_NS);
		for EACH(i, shapes) {
			const char *name = shapes[i].about ? shapes[i].about : shapes[i].from;

			lan_forgets(bed);
			node_says("eth0", &shapes[i]);
			if (lan_hears(bed, name) != (bool)open)
				fail_msg("frame %zu, %d", i, open);
		}
	}
}

/* The other node has the address: it claims it, we learn that, ask for it, and use it. */
static void a_node_without_the_lease_is_a_client_of_the_one_that_has_it(void **state)
{
	const struct frame_shape claim = {
		.kind = FRAME_ARP_REQUEST, .from = BED_VIP4, .to = BED_VIP4,
	};
	struct fence_bed *bed = *state;

	run("ip addr del " BED_VIP4 "/24 dev eth0; ip addr del " BED_VIP6 "/64 dev eth0");
	run_far(bed->far, "ip addr add " BED_VIP4 "/24 dev eth0 && "
			  "ip addr add " BED_VIP6 "/64 dev eth0 nodad");
	run("ip neigh replace " BED_VIP4 " lladdr 02:00:00:00:00:99 dev eth0 nud stale");
	lan_says(bed, &claim);
	run("ip neigh show " BED_VIP4 " | grep -q 02:00:00:77:00:09");
	run("ip neigh flush dev eth0; ping -q -c 1 -W 1 " BED_VIP4 " >/dev/null && "
	    "ping -q -c 1 -W 1 " BED_VIP6 " >/dev/null");
	run_far(bed->far, "ping -q -c 1 -W 1 -I " BED_VIP4 " " BED_FIX4 " >/dev/null");
}

/* ---- to the nanosecond ------------------------------------------------------------------------- */

#define ROUNDS 7
#define LEASE_NS (30 * HBD_MS_NS)
#define AFTERWARDS_NS (20 * HBD_MS_NS)

struct last_answer {
	size_t asked, answered, answered_late; /* late: asked when the deadline had passed */
	int64_t margin_ns;		       /* from the last answer on the cable to the deadline */
};

/* The kernel says when a frame came, on the clock of the day. */
static bool receive_at(int fd, uint8_t *bytes, size_t *ret_length, int64_t *ret_real_ns)
{
	union {
		char bytes[CMSG_SPACE(sizeof(struct timespec))];
		struct cmsghdr header;
	} control;
	struct iovec vector = { .iov_base = bytes, .iov_len = FRAME_SHAPE_BYTES_MAX };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT);
	struct cmsghdr *header = length >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
	struct timespec stamp = { 0 };

	if (length < 0)
		return false;
	if (header && header->cmsg_type == SO_TIMESTAMPNS)
		memcpy(&stamp, CMSG_DATA(header), sizeof(stamp));
	*ret_length = (size_t)length;
	*ret_real_ns = stamp.tv_sec * HBD_S_NS + stamp.tv_nsec;
	return true;
}

static struct last_answer ask_past_the_deadline(struct fence_bed *bed, const char *address)
{
	const int64_t deadline_ns = clock_now_ns() + LEASE_NS;
	struct frame_shape echo = { .kind = FRAME_ECHO, .to = address };
	struct last_answer last = { .margin_ns = INT64_MAX };
	uint8_t bytes[FRAME_SHAPE_BYTES_MAX];
	struct clock_pair pair;
	size_t length;
	int64_t real_ns;

	echo.from = strchr(address, ':') ? BED_CLIENT6 : BED_CLIENT4;
	fence_renew(bed->fence, 0, deadline_ns);
	for (;;) {
		echo.mark = (uint64_t)clock_now_ns();
		if ((int64_t)echo.mark > deadline_ns + AFTERWARDS_NS)
			break;
		lan_says(bed, &echo);
		last.asked++;
	}
	pair = clock_read_pair();
	while (receive_at(bed->lan, bytes, &length, &real_ns)) {
		uint64_t mark = frame_echo_mark(bytes, length);
		int64_t answered_ns = clock_from_real(&pair, real_ns, 0);

		if (mark == 0 || real_ns == 0)
			continue;
		last.answered++;
		last.answered_late += (int64_t)mark >= deadline_ns;
		if (last.margin_ns > deadline_ns - answered_ns)
			last.margin_ns = deadline_ns - answered_ns;
	}
	return last;
}

/* However busy the machine is, nobody who asks after the deadline is answered. That the last answer
 * left just before it can be seen only if the machine did not stand still at that moment. */
static void the_last_answer_leaves_before_the_deadline(void **state)
{
	struct fence_bed *bed = *state;
	int on = 1, close_by = 0;

	assert_int_equal(setsockopt(bed->lan, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)), 0);
	/* The kernel begins to stamp a little later. */
	usleep(50000);
	for (int i = 0; i < ROUNDS * 2; i++) {
		const char *address = ours[i % 2];
		struct last_answer last;

		fence_renew(bed->fence, 0, HBD_NEVER_NS);
		assert_true(is_reached(bed, address));
		lan_forgets(bed);
		last = ask_past_the_deadline(bed, address);
		printf("%s: asked %zu times, answered %zu times, the last %.1f us before the "
		       "deadline\n",
		       address, last.asked, last.answered, (double)last.margin_ns / 1e3);
		assert_true(last.answered > 0);
		assert_int_equal(last.answered_late, 0);
		close_by += last.margin_ns > -50000 && last.margin_ns < 500000;
	}
	assert_true(close_by > ROUNDS);
}

/* As guardian and engine do: who opened it is not who renews. */
static void a_holder_that_is_stopped_falls_mute(void **state)
{
	struct fence_bed *bed = *state;
	const int64_t lease_ns = 100 * HBD_MS_NS;
	pid_t holder = bed_fork();

	if (holder == 0) {
		for (;;) {
			fence_renew(bed->fence, 0, clock_now_ns() + lease_ns);
			usleep(2000);
		}
	}
	assert_true(holder > 0);
	usleep(300000);
	assert_true(is_reached(bed, BED_VIP4));
	kill(holder, SIGSTOP);
	usleep(200000);
	assert_true(fence_deadline_ns(bed->fence, 0) < clock_now_ns());
	expect_answers(bed, false);
	kill(holder, SIGCONT);
	usleep(50000);
	assert_true(is_reached(bed, BED_VIP4));
	kill(holder, SIGKILL);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
	fence_close_group(bed->fence, 0);
	expect_answers(bed, false);
}

/* ---- how frames look --------------------------------------------------------------------------- */

/* On the way in the kernel takes a tag off before the program sees the frame. */
static void frames_with_tags_are_judged(void **state)
{
	struct fence_bed *bed = *state;

	for (unsigned tags = 0; tags <= 2; tags++) {
		const struct frame_shape in = {
			.kind = FRAME_ECHO, .from = BED_CLIENT6, .to = BED_VIP6, .tags = tags,
		};
		const struct frame_shape out = {
			.kind = FRAME_ARP_REPLY, .from = BED_VIP4, .to = BED_VIP4, .tags = tags,
		};
		struct fence_tally before = tally_of(bed, 0), after;

		lan_says(bed, &in);
		node_says("eth0", &out);
		after = tally_of(bed, 0);
		assert_int_equal(after.dropped_in - before.dropped_in, 1);
		assert_int_equal(after.dropped_out - before.dropped_out, 1);
		assert_int_equal(after.passed_in + after.passed_out, 0);
	}
}

/* Of a large frame the kernel has only the first bytes at hand. Fragments, which nobody answers. */
static void large_frames_are_judged(void **state)
{
	struct fence_bed *bed = *state;

	run("ip link set eth0 mtu 9000");
	run_far(bed->far, "ip link set eth0 mtu 9000");
	for EACH(i, ours) {
		const struct frame_shape in = {
			.kind = FRAME_FRAGMENT,
			.from = strchr(ours[i], ':') ? BED_CLIENT6 : BED_CLIENT4,
			.to = ours[i],
			.payload_bytes = 8000,
		};
		struct frame_shape out = in;
		struct fence_tally before = tally_of(bed, 0), after;

		out.from = in.to;
		out.to = in.from;
		lan_says(bed, &in);
		node_says("eth0", &out);
		after = tally_of(bed, 0);
		assert_int_equal(after.dropped_in - before.dropped_in, 1);
		assert_int_equal(after.dropped_out - before.dropped_out, 1);
	}
}

static int open_tunnel(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0) {
		printf("there are no tunnels here: %s\n", strerror(errno));
		skip();
	}
	return fd;
}

/* Whether it is answered in a tunnel, which has no Ethernet header and no ARP. */
static bool tunnel_answers(int tunnel, const char *from, const char *to)
{
	const struct frame_shape echo = { .kind = FRAME_ECHO, .from = from, .to = to, .mark = 1 };
	struct pollfd wait = { .fd = tunnel, .events = POLLIN };
	bool v6 = strchr(to, ':') != NULL;
	uint8_t bytes[2048], frame[2048] = { [12] = v6 ? 0x86 : 8, [13] = v6 ? 0xdd : 0 };
	size_t length = frame_make_payload(&echo, bytes);

	while (read(tunnel, bytes + length, sizeof(bytes) - length) > 0)
		;
	assert_int_equal(write(tunnel, bytes, length), length);
	while (poll(&wait, 1, 60) > 0) {
		ssize_t got = read(tunnel, frame + 14, sizeof(frame) - 14);

		if (got > 0 && frame_speaks_for(frame, (size_t)got + 14, to))
			return true;
	}
	return false;
}

static void an_address_on_a_tunnel_is_fenced(void **state)
{
	struct fence_bed *bed = *state;
	int tunnel = open_tunnel("tun0");

	run("ip link set tun0 up && ip addr add 10.99.0.100/24 dev tun0 && "
	    "ip addr add 10.99.0.1/24 dev tun0 && ip addr add fd99::100/64 dev tun0 nodad");
	add_vip(bed->net, 0, "10.99.0.100/24", "tun0");
	add_vip(bed->net, 0, "fd99::100/64", "tun0");
	assert_int_equal(fence_set(bed->fence, &bed->net->conf), 0);
	assert_true(fence_in_force(bed->fence, 0, NULL));
	for (int open = 0; open < 2; open++) {
		if (open)
			fence_renew(bed->fence, 0, HBD_NEVER_NS);
		assert_int_equal(tunnel_answers(tunnel, "10.99.0.9", "10.99.0.100"), open);
		assert_int_equal(tunnel_answers(tunnel, "fd99::9", "fd99::100"), open);
		assert_true(tunnel_answers(tunnel, "10.99.0.9", "10.99.0.1"));
	}
	close(tunnel);
}

/* Who asked in vain just before asks its neighbor again a second later. */
static bool far_pings(struct fence_bed *bed, const char *address, int wait_s)
{
	int before = far_net_enter(bed->far);
	bool answered = holds("ping -q -c 1 -W %d %s >/dev/null", wait_s, address);

	far_net_leave(before);
	return answered;
}

/* A kernel may lack them. */
static const struct upper {
	const char *name, *make, *make_far;
} uppers[] = {
	{ "vlan10", "ip link add link eth0 name vlan10 type vlan id 10",
	  "ip link add link eth0 name vlan10 type vlan id 10" },
	{ "qinq", "ip link add link eth0 name outer type vlan proto 802.1ad id 20 && "
	  "ip link set outer up && ip link add link outer name qinq type vlan id 30",
	  "ip link add link eth0 name outer type vlan proto 802.1ad id 20 && "
	  "ip link set outer up && ip link add link outer name qinq type vlan id 30" },
	{ "mac0", "ip link add link eth0 name mac0 type macvlan mode bridge",
	  "ip link add link eth0 name mac0 type macvlan mode bridge" },
	{ "gre0tap", "ip link add gre0tap type gretap local " BED_FIX4 " remote " BED_CLIENT4,
	  "ip link add gre0tap type gretap local " BED_CLIENT4 " remote " BED_FIX4 },
	{ "gretun", "ip link add gretun type gre local " BED_FIX4 " remote " BED_CLIENT4,
	  "ip link add gretun type gre local " BED_CLIENT4 " remote " BED_FIX4 },
	{ "ipip1", "ip link add ipip1 type ipip local " BED_FIX4 " remote " BED_CLIENT4,
	  "ip link add ipip1 type ipip local " BED_CLIENT4 " remote " BED_FIX4 },
};

static void expect_upper_fenced(struct fence_bed *bed, const char *name)
{
	const char *why = "";

	add_vip(bed->net, 0, "10.99.0.100/24", name);
	assert_int_equal(fence_set(bed->fence, &bed->net->conf), 0);
	if (!fence_in_force(bed->fence, 0, &why))
		fail_msg("%s is not fenced: %s", name, why);
	for (int open = 0; open < 2; open++) {
		if (open)
			fence_renew(bed->fence, 0, HBD_NEVER_NS);
		if (far_pings(bed, "10.99.0.100", open ? 5 : 1) != (bool)open)
			fail_msg("an address on %s is %sreached", name, open ? "not " : "");
		if (!far_pings(bed, "10.99.0.1", 5))
			fail_msg("another address on %s is not reached", name);
	}
	fence_close_group(bed->fence, 0);
	bed->net->conf.groups[0].vip_count--;
	assert_int_equal(fence_set(bed->fence, &bed->net->conf), 0);
}

static void an_address_on_another_interface_over_the_cable_is_fenced(void **state)
{
	struct fence_bed *bed = *state;
	char command[256];

	for EACH(i, uppers) {
		const struct upper *row = &uppers[i];

		if (!holds("{ %s; } 2>/dev/null", row->make)) {
			printf("%s: not in this kernel\n", row->name);
			continue;
		}
		printf("%s\n", row->name);
		run_far(bed->far, row->make_far);
		run("ip link set %s up && ip addr add 10.99.0.100/24 dev %s && "
		    "ip addr add 10.99.0.1/24 dev %s",
		    row->name, row->name, row->name);
		snprintf(command, sizeof(command),
			 "ip link set %s up && ip addr add 10.99.0.9/24 dev %s", row->name, row->name);
		run_far(bed->far, command);
		expect_upper_fenced(bed, row->name);
		run("ip link del %s", row->name);
		snprintf(command, sizeof(command), "ip link del %s", row->name);
		run_far(bed->far, command);
	}
}

/* ---- many addresses, and other ones ------------------------------------------------------------ */

#define MANY 1000

static void add_many(struct fence_bed *bed)
{
	char text[64];

	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), i % 2 ? "10.90.%d.%d/32" : "fd90::%d:%d/128", i / 250,
			 i % 250 + 1);
		add_vip(bed->net, 0, text, "eth0");
	}
	run("ip addr add 10.90.0.2/32 dev eth0; "
	    "for i in 1 101 201; do ip addr add fd90::2:$i/128 dev eth0 nodad; "
	    "ip addr add 10.90.3.$((i + 1))/32 dev eth0; done");
}

static void a_thousand_addresses_are_fenced(void **state)
{
	static const char *const some[] = { "fd90::2:1", "fd90::2:101", "fd90::2:201", "10.90.3.2",
					    "10.90.3.102", "10.90.3.202" };
	struct fence_bed *bed = *state;
	int64_t start_ns;

	add_many(bed);
	start_ns = clock_now_ns();
	assert_int_equal(fence_set(bed->fence, &bed->net->conf), 0);
	printf("%d addresses set in %.1f ms\n", MANY, (double)(clock_now_ns() - start_ns) / 1e6);
	for (int open = 0; open < 2; open++) {
		if (open)
			fence_renew(bed->fence, 0, HBD_NEVER_NS);
		for EACH(i, some) {
			if (is_resolved(bed, some[i]) != (bool)open)
				fail_msg("%s, %d", some[i], open);
		}
	}
	assert_true(fence_in_force(bed->fence, 0, NULL));
}

static void more_addresses_than_room_are_refused_and_the_old_ones_stay(void **state)
{
	struct fence_bed *bed = *state;
	struct fence_refusal refusal;
	const char *why = NULL;

	fence_close(bed->fence);
	assert_int_equal(fence_open(BED_INSTANCE, 20, &bed->fence, &refusal), 0);
	assert_int_equal(fence_set(bed->fence, &bed->net->conf), 0);
	add_many(bed);
	assert_int_equal(fence_set(bed->fence, &bed->net->conf), -ENOSPC);
	assert_false(fence_in_force(bed->fence, 0, &why));
	assert_non_null(why);
	expect_answers(bed, false);
	assert_true(is_reached(bed, "fd90::2:1"));
	assert_true(is_reached(bed, "10.90.0.2"));
	bed->net->conf.groups[0].vip_count = 2;
	assert_int_equal(fence_set(bed->fence, &bed->net->conf), 0);
	assert_true(fence_in_force(bed->fence, 0, NULL));
}

static void what_is_not_configured_any_more_is_free(void **state)
{
	struct fence_bed *bed = *state;

	bed->net->conf.groups[0].vip_count = 1;
	assert_int_equal(fence_set(bed->fence, &bed->net->conf), 0);
	assert_false(is_reached(bed, BED_VIP4));
	assert_true(is_reached(bed, BED_VIP6));
	add_vip(bed->net, 1, BED_VIP6 "/64", "eth0");
	fence_renew(bed->fence, 0, HBD_NEVER_NS);
	assert_int_equal(fence_set(bed->fence, &bed->net->conf), 0);
	assert_false(is_reached(bed, BED_VIP6));
	fence_renew(bed->fence, 1, HBD_NEVER_NS);
	assert_true(is_reached(bed, BED_VIP6));
}

static void an_address_may_change_its_group(void **state)
{
	struct fence_bed *bed = *state;

	fence_renew(bed->fence, 1, HBD_NEVER_NS);
	assert_false(is_reached(bed, BED_VIP6));
	bed->net->conf.groups[0].vip_count = 1;
	add_vip(bed->net, 1, BED_VIP6 "/64", "eth0");
	assert_int_equal(fence_set(bed->fence, &bed->net->conf), 0);
	assert_true(is_reached(bed, BED_VIP6));
	assert_false(is_reached(bed, BED_VIP4));
}

#define ASKED 2000

/* Somebody asks all the time while addresses come, go and change their interface. */
static void a_new_table_is_never_a_gap(void **state)
{
	struct fence_bed *bed = *state;
	uint8_t bytes[FRAME_SHAPE_BYTES_MAX];
	size_t answered = 0;
	pid_t asker;
	ssize_t length;

	fence_renew(bed->fence, 0, HBD_NEVER_NS);
	assert_true(is_reached(bed, BED_VIP4));
	lan_forgets(bed);
	asker = bed_fork();
	if (asker == 0) {
		struct frame_shape closed = { FRAME_ECHO, .from = BED_CLIENT4,
					      .to = BED_OTHER_VIP4 };
		struct frame_shape open = { FRAME_ECHO, .from = BED_CLIENT4, .to = BED_VIP4,
					    .mark = 1 };

		for (int i = 0; i < ASKED; i++) {
			lan_says(bed, &open);
			lan_says(bed, &closed);
			usleep(100);
		}
		_exit(0);
	}
	for (int i = 0; waitpid(asker, NULL, WNOHANG) == 0 && i < 1000000; i++) {
		bed->net->conf.groups[0].vip_count = i % 2 ? 1 : 2;
		assert_int_equal(fence_set(bed->fence, &bed->net->conf), 0);
	}
	while ((length = recv(bed->lan, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		assert_false(frame_speaks_for(bytes, (size_t)length, BED_OTHER_VIP4));
		answered += frame_echo_mark(bytes, (size_t)length) == 1;
	}
	assert_int_equal(answered, ASKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(an_address_answers_until_its_deadline),
		TEST(a_drained_address_is_reached_and_not_told),
		TEST(a_holder_whose_lease_is_over_sends_nothing_in_its_name),
		TEST(a_node_without_the_lease_is_a_client_of_the_one_that_has_it),
		TEST(the_last_answer_leaves_before_the_deadline),
		TEST(a_holder_that_is_stopped_falls_mute),
		TEST(frames_with_tags_are_judged),
		TEST(large_frames_are_judged),
		TEST(an_address_on_a_tunnel_is_fenced),
		TEST(an_address_on_another_interface_over_the_cable_is_fenced),
		TEST(a_thousand_addresses_are_fenced),
		TEST(more_addresses_than_room_are_refused_and_the_old_ones_stay),
		TEST(what_is_not_configured_any_more_is_free),
		TEST(an_address_may_change_its_group),
		TEST(a_new_table_is_never_a_gap),
	};

	own_net_enter();
	fence_bed_need();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
