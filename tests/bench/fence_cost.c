/*
 * What the fence costs: a frame, a renewal, a table of addresses, and an echo over a cable with and
 * without it. Prints a table. In a network namespace of its own; needs root.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../hbd/base/log.h"
#include "../../hbd/io/fence_state.h"
#include "../lib/fence_frames.h"
#include "../lib/tool.h"

#define RUNS 5
#define REPEAT 1000000
#define RENEWALS 20000000
#define ECHOES 20000
#define BATCH 500
#define MANY 1000

#define VIP4 "10.77.0.100"
#define VIP6 "fd77::100"
#define CLIENT4 "10.77.0.9"
#define CLIENT6 "fd77::9"

/* ---- one frame --------------------------------------------------------------------------------- */

static int bpf(unsigned command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

/* Does nothing: what running any program costs in this way of measuring. */
static int load_empty_program(void)
{
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = -1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attributes = { 0 };
	int program;

	attributes.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attributes.insns = (uintptr_t)code;
	attributes.insn_cnt = 2;
	attributes.license = (uintptr_t) "BSD";
	program = bpf(BPF_PROG_LOAD, &attributes);
	if (program < 0)
		tool_fail("cannot load an empty program");
	return program;
}

static unsigned run_once_ns(int program, const uint8_t *frame, size_t length)
{
	union bpf_attr attributes = { 0 };

	attributes.test.prog_fd = (uint32_t)program;
	attributes.test.data_in = (uintptr_t)frame;
	attributes.test.data_size_in = (uint32_t)length;
	attributes.test.repeat = REPEAT;
	if (bpf(BPF_PROG_TEST_RUN, &attributes) != 0)
		tool_fail("cannot run a program on a frame");
	return attributes.test.duration;
}

/* The quickest of some runs: what disturbs makes it slower only. */
static unsigned cost_ns(int program, const struct frame_shape *shape)
{
	uint8_t frame[FRAME_SHAPE_BYTES_MAX];
	size_t length = frame_make(shape, frame);
	unsigned best = UINT32_MAX;

	for (int i = 0; i < RUNS; i++) {
		unsigned ns = run_once_ns(program, frame, length);

		best = ns < best ? ns : best;
	}
	return best;
}

static const struct row {
	const char *name;
	bool open;
	struct frame_shape shape;
} rows[] = {
/* clang-format off */
#define TO(address) .from = CLIENT4, .to = address
#define TO6(address) .from = CLIENT6, .to = address
	{ "IPv4 to another address", false, { FRAME_ECHO, TO("10.77.0.1") } },
	{ "IPv6 to another address", false, { FRAME_ECHO, TO6("fd77::1") } },
	{ "ARP for another address", false, { FRAME_ARP_REQUEST, TO("10.77.0.1") } },
	{ "IPv4 to another address in a VLAN", false, { FRAME_ECHO, TO("10.77.0.1"), .tags = 1 } },
	{ "another protocol", false, { FRAME_OTHER, TO(VIP4) } },
	{ "IPv4 to a virtual address, passes", true, { FRAME_ECHO, TO(VIP4) } },
	{ "IPv6 to a virtual address, passes", true, { FRAME_ECHO, TO6(VIP6) } },
	{ "IPv4 to a virtual address, dropped", false, { FRAME_ECHO, TO(VIP4) } },
	{ "ARP for a virtual address, dropped", false, { FRAME_ARP_REQUEST, TO(VIP4) } },
/* clang-format on */
};

static void measure_frames(struct fence *fence, const char *table)
{
	int program = fence->program.attach.ethernet[FENCE_IN].fd, empty = load_empty_program();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned nothing = cost_ns(empty, &rows[i].shape), all;

		if (rows[i].open)
			fence_renew(fence, 0, INT64_MAX);
		else
			fence_close_group(fence, 0);
		all = cost_ns(program, &rows[i].shape);
		printf("%-38s %-16s %4u ns\n", rows[i].name, table, all - nothing);
	}
	fence_close_group(fence, 0);
	close(empty);
}

static struct fence *open_fence(void)
{
	struct fence_refusal refusal;
	struct fence *fence;

	errno = 0;
	if (fence_open("bench", MANY + 2, &fence, &refusal) != 0)
		tool_fail("there is no fence here: %s", refusal.why);
	return fence;
}

/* ---- renewals and tables ----------------------------------------------------------------------- */

static void measure_renewals(struct fence *fence)
{
	int64_t start_ns = tool_now_ns();

	for (int i = 0; i < RENEWALS; i++)
		fence_renew(fence, 0, start_ns + i);
	printf("%-55s %4.1f ns\n", "a renewal", (double)(tool_now_ns() - start_ns) / RENEWALS);
	fence_close_group(fence, 0);
}

static double set_addresses_ms(struct fence *fence, size_t count)
{
	static struct hbd_conf_vip vips[MANY + 2];
	static struct hbd_conf conf = { .group_count = 1 };
	int64_t start_ns;

	for (size_t i = 0; i < count; i++) {
		struct hbd_conf_vip *vip = &vips[i];

		snprintf(vip->interface, sizeof(vip->interface), "eth0");
		vip->address.family = i % 2 ? AF_INET6 : AF_INET;
		inet_pton(vip->address.family, i % 2 ? VIP6 : VIP4, &vip->address.v6);
		if (i % 2)
			vip->address.v6.s6_addr32[2] = htonl((uint32_t)i / 2);
		else
			vip->address.v4.s_addr += htonl((uint32_t)i / 2 * 256);
	}
	conf.groups[0].vips = vips;
	conf.groups[0].vip_count = count;
	start_ns = tool_now_ns();
	if (fence_set(fence, &conf) != 0)
		tool_fail("cannot set addresses");
	return (double)(tool_now_ns() - start_ns) / 1e6;
}

/* ---- over a cable ------------------------------------------------------------------------------ */

static void run(const char *command)
{
	if (system(command) != 0) {
		errno = 0;
		tool_fail("this failed: %s", command);
	}
}

static int open_cable(void)
{
	struct sockaddr_ll there = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int on = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	run("ip link add eth0 type veth peer name far0 && ip link set far0 up && "
	    "ip link set eth0 up && ip addr add 10.77.0.1/24 dev eth0 && "
	    "ip addr add " VIP4 "/24 dev eth0 && "
	    "ip neigh replace " CLIENT4 " lladdr 02:00:00:77:00:09 dev eth0");
	there.sll_ifindex = (int)if_nametoindex("far0");
	if (fd < 0 || bind(fd, (struct sockaddr *)&there, sizeof(there)) != 0)
		tool_fail("cannot open a packet socket");
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	return fd;
}

static int compare(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static int64_t echo_once_ns(int fd, const uint8_t *frame, size_t length)
{
	uint8_t answer[2048];
	int64_t start_ns = tool_now_ns();
	ssize_t got;

	if (send(fd, frame, length, 0) < 0)
		tool_fail("cannot send");
	do
		got = recv(fd, answer, sizeof(answer), 0);
	while (got >= 0 && frame_echo_mark(answer, (size_t)got) == 0);
	return tool_now_ns() - start_ns;
}

static void measure_batch(int fd, const char *address, int64_t *spans_ns)
{
	const struct frame_shape echo = { FRAME_ECHO, .from = CLIENT4, .to = address, .mark = 1 };
	uint8_t frame[FRAME_SHAPE_BYTES_MAX];
	size_t length = frame_make(&echo, frame);

	for (size_t i = 0; i < BATCH; i++)
		spans_ns[i] = echo_once_ns(fd, frame, length);
}

/* Without and with in turns, so that both see the same machine; a lone median is noise. */
static void measure_echoes(int fd)
{
	static int64_t without_ns[ECHOES], with_ns[ECHOES];
	struct fence *fence;

	for (size_t i = 0; i < ECHOES; i += BATCH) {
		measure_batch(fd, VIP4, &without_ns[i]);
		fence = open_fence();
		set_addresses_ms(fence, 2);
		fence_renew(fence, 0, INT64_MAX);
		measure_batch(fd, VIP4, &with_ns[i]);
		fence_close(fence);
	}
	qsort(without_ns, ECHOES, sizeof(int64_t), compare);
	qsort(with_ns, ECHOES, sizeof(int64_t), compare);
	printf("an echo over a cable, median of %d: %.2f us without, %.2f us with the fence\n",
	       ECHOES, (double)without_ns[ECHOES / 2] / 1e3, (double)with_ns[ECHOES / 2] / 1e3);
}

int main(void)
{
	struct fence *fence;
	int fd;

	log_set_level(LOG_WARNING);
	if (unshare(CLONE_NEWNET) != 0)
		tool_fail("no network namespace; are you root?");
	fd = open_cable();
	fence = open_fence();
	printf("%-55s %4.1f ms\n", "to attach, with 2 addresses", set_addresses_ms(fence, 2));
	measure_frames(fence, "2 addresses");
	printf("%-55s %4.1f ms\n", "to set 1000 addresses more", set_addresses_ms(fence, MANY + 2));
	measure_frames(fence, "1002 addresses");
	measure_renewals(fence);
	fence_close(fence);
	measure_echoes(fd);
	close(fd);
	return 0;
}
