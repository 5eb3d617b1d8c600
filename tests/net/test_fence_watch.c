/* What others do to interfaces, qdiscs and filters while the fence is there, and what it leaves. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../hbd/io/clock.h"
#include "../../hbd/io/fence_state.h"
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

static void expect_fenced(struct fence_bed *bed)
{
	assert_int_equal(count_attached("eth0"), 2);
	assert_true(fence_in_force(bed->fence, 0, NULL));
	fence_close_group(bed->fence, 0);
	assert_false(is_reached(bed, BED_VIP4));
	assert_false(is_resolved(bed, BED_VIP6));
	fence_renew(bed->fence, 0, HBD_NEVER_NS);
	assert_true(is_reached(bed, BED_VIP4));
	assert_true(is_resolved(bed, BED_VIP6));
	fence_close_group(bed->fence, 0);
}

static void expect_why(struct fence_bed *bed, const char *words)
{
	const char *why = "it is in force";

	if (fence_in_force(bed->fence, 0, &why) || !strstr(why, words))
		fail_msg("why the fence is not in force: '%s' instead of '%s'", why, words);
}

static int bpf(unsigned command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

/* A program that drops frames of more than SMALL bytes; the others pass, and nobody behind it sees
 * them (final) or everybody does. */
#define SMALL 500
static int load_program(bool final)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 1, .src_reg = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = final ? 0 : -1 },
		{ .code = BPF_JMP | BPF_JLE | BPF_K, .dst_reg = 1, .off = 1, .imm = SMALL },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 2 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attributes = { 0 };
	int program;

	attributes.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attributes.insns = (uintptr_t)code;
	attributes.insn_cnt = sizeof(code) / sizeof(code[0]);
	attributes.license = (uintptr_t) "BSD";
	program = bpf(BPF_PROG_LOAD, &attributes);
	assert_true(program >= 0);
	return program;
}

/* Where tc finds it: /run is ours alone here. */
#define PINNED "/run/bpf/stranger"
static void pin_program(int program)
{
	union bpf_attr attributes = { 0 };

	run("mkdir -p /run/bpf && mount -t bpf none /run/bpf");
	attributes.pathname = (uintptr_t)PINNED;
	attributes.bpf_fd = (uint32_t)program;
	assert_int_equal(bpf(BPF_OBJ_PIN, &attributes), 0);
}

static int attach_tcx(unsigned command, int program)
{
	union bpf_attr attributes = { 0 };

	attributes.target_fd = if_nametoindex("eth0");
	attributes.attach_bpf_fd = (uint32_t)program;
	attributes.attach_type = 46; /* BPF_TCX_INGRESS, since 6.6 */
	return bpf(command, &attributes);
}

/* ---- filters and qdiscs ------------------------------------------------------------------------ */

/* A classic program: of the same kind as ours, so that it can have the same priority. */
#define STRANGER "bpf bytecode '1,6 0 0 0,' flowid 1:1"

static const struct happening {
	const char *name, *command;
	enum fence_news_type news; /* UNSET = none */
} happenings[] = {
	{ "someone flushes what comes in", "tc filter del dev eth0 ingress", FENCE_NEWS_REPAIRED },
	{ "someone flushes what goes out", "tc filter del dev eth0 egress", FENCE_NEWS_REPAIRED },
	{ "someone deletes the qdisc", "tc qdisc del dev eth0 clsact", FENCE_NEWS_REPAIRED },
	{ "someone makes the qdisc anew",
	  "tc qdisc del dev eth0 clsact; tc qdisc add dev eth0 clsact", FENCE_NEWS_REPAIRED },
	{ "someone puts a program before ours",
	  "tc filter add dev eth0 ingress protocol all prio 1 " STRANGER, FENCE_NEWS_REPAIRED },
	{ "someone adds a program behind ours",
	  "tc filter add dev eth0 egress protocol all prio 2 " STRANGER, FENCE_NEWS_UNSET },
	{ "someone adds a queue", "tc qdisc add dev eth0 root pfifo", FENCE_NEWS_UNSET },
	{ "someone deletes the queue", "tc qdisc del dev eth0 root", FENCE_NEWS_UNSET },
	{ "the interface goes down and up", "ip link set eth0 down; ip link set eth0 up; "
	  "ip addr add " BED_VIP6 "/64 dev eth0 nodad preferred_lft 0", FENCE_NEWS_UNSET },
	{ "someone does things to other interfaces",
	  "ip link add other type veth peer name other2; tc qdisc add dev other clsact; "
	  "ip link del other", FENCE_NEWS_UNSET },
};

static void what_others_do_to_filters_is_put_right_and_told(void **state)
{
	struct fence_bed *bed = *state;

	for (size_t i = 0; i < sizeof(happenings) / sizeof(happenings[0]); i++) {
		const struct happening *row = &happenings[i];

		print_message("%s\n", row->name);
		run("%s", row->command);
		bed_settle(bed);
		if (row->news == FENCE_NEWS_UNSET)
			expect_no_news(bed);
		else
			expect_news(bed, row->news, "eth0");
		expect_fenced(bed);
	}
}

static void what_no_event_told_is_found_by_looking(void **state)
{
	struct fence_bed *bed = *state;
	int64_t start_ns;

	run("tc qdisc del dev eth0 clsact");
	bed_check(bed);
	expect_news(bed, FENCE_NEWS_REPAIRED, "eth0");
	start_ns = clock_now_ns();
	for (int i = 0; i < 100; i++)
		bed_check(bed);
	printf("a look at an interface takes %.1f us\n", (double)(clock_now_ns() - start_ns) / 1e5);
	bed_settle(bed);
	expect_no_news(bed);
	expect_fenced(bed);
}

/* A process without a free descriptor cannot ask for an interface, which is there all the same. */
static void who_cannot_look_takes_nothing_for_gone(void **state)
{
	struct fence_bed *bed = *state;
	struct rlimit all, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = all.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	bed_check(bed);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	expect_no_news(bed);
	expect_fenced(bed);
}

static void a_program_that_insists_on_being_first_is_not_fought(void **state)
{
	struct fence_bed *bed = *state;

	for (int i = 0; i < 2; i++) {
		run("tc filter add dev eth0 ingress protocol all prio 1 handle %d " STRANGER, i + 1);
		bed_settle(bed);
		expect_news(bed, i == 0 ? FENCE_NEWS_REPAIRED : FENCE_NEWS_LOST, "eth0");
	}
	expect_why(bed, "in front time and again");
	bed_check(bed);
	expect_no_news(bed);
	sleep(1);
	bed_check(bed);
	expect_news(bed, FENCE_NEWS_ATTACHED, "eth0");
	expect_fenced(bed);
}

static const struct obstacle {
	const char *name, *make, *unmake, *why;
} obstacles[] = {
	{ "a filter of another kind has the highest priority",
	  "tc qdisc add dev eth0 clsact; tc filter add dev eth0 egress protocol ip prio 1 u32 "
	  "match u32 0 0 flowid 1:1", "tc filter del dev eth0 egress", "u32 filter of priority 1" },
	{ "an ingress qdisc has no hook for what goes out", "tc qdisc add dev eth0 ingress",
	  "tc qdisc del dev eth0 ingress", "ingress qdisc" },
};

static void what_is_in_the_way_is_named_and_waited_for(void **state)
{
	struct fence_bed *bed = *state;

	for (size_t i = 0; i < sizeof(obstacles) / sizeof(obstacles[0]); i++) {
		const struct obstacle *row = &obstacles[i];

		print_message("%s\n", row->name);
		bed_stop(bed);
		run("tc qdisc del dev eth0 clsact 2>/dev/null; %s", row->make);
		bed_start(bed);
		expect_why(bed, row->why);
		bed_settle(bed);
		bed_check(bed);
		expect_no_news(bed);
		run("%s", row->unmake);
		bed_check(bed);
		expect_news(bed, FENCE_NEWS_ATTACHED, "eth0");
		bed_settle(bed);
		expect_no_news(bed);
		expect_fenced(bed);
	}
}

static void a_program_that_comes_before_all_filters_is_noticed(void **state)
{
	struct fence_bed *bed = *state;
	int program = load_program(true);

	if (attach_tcx(BPF_PROG_ATTACH, program) != 0) {
		close(program);
		printf("this kernel has no tcx: %s\n", strerror(errno));
		skip();
	}
	bed_check(bed);
	expect_news(bed, FENCE_NEWS_LOST, "eth0");
	expect_why(bed, "1 tcx program sees");
	assert_int_equal(attach_tcx(BPF_PROG_DETACH, program), 0);
	bed_check(bed);
	expect_news(bed, FENCE_NEWS_ATTACHED, "eth0");
	expect_fenced(bed);
	close(program);
}

/* ---- interfaces -------------------------------------------------------------------------------- */

static void replug(struct fence_bed *bed)
{
	far_net_cable(bed->far, "eth0");
	run("ip addr add " BED_VIP4 "/24 dev eth0 && ip addr add " BED_VIP6 "/64 dev eth0 nodad");
	run_far(bed->far, "ip addr add " BED_CLIENT4 "/24 dev eth0 && "
			  "ip addr add " BED_CLIENT6 "/64 dev eth0 nodad && "
			  "ip link set eth0 address 02:00:00:77:00:09");
	bed_listen(bed);
}

static void an_interface_that_comes_back_is_fenced(void **state)
{
	struct fence_bed *bed = *state;

	run("ip link del eth0");
	bed_settle(bed);
	expect_news(bed, FENCE_NEWS_GONE, "eth0");
	assert_true(fence_in_force(bed->fence, 0, NULL));
	replug(bed);
	bed_settle(bed);
	expect_news(bed, FENCE_NEWS_ATTACHED, "eth0");
	expect_fenced(bed);
}

static void an_interface_that_was_exchanged_unseen_is_fenced(void **state)
{
	struct fence_bed *bed = *state;

	run("ip link del eth0");
	replug(bed);
	bed_settle(bed);
	assert_int_equal(bed->news_count, 2);
	assert_int_equal(bed->news[0].type, FENCE_NEWS_GONE);
	assert_int_equal(bed->news[1].type, FENCE_NEWS_ATTACHED);
	expect_fenced(bed);
}

static void an_interface_that_is_missing_at_first_is_waited_for(void **state)
{
	struct fence_bed *bed = *state;

	add_vip(bed->net, 0, "10.78.0.100/24", "eth1");
	assert_int_equal(fence_set(bed->fence, &bed->net->conf), 0);
	assert_true(fence_in_force(bed->fence, 0, NULL));
	run("ip link add eth1 type veth peer name far1");
	bed_settle(bed);
	expect_news(bed, FENCE_NEWS_ATTACHED, "eth1");
	assert_int_equal(count_attached("eth1"), 2);
}

/* The address is still on it, and still answers for who has the lease. */
static void a_renamed_interface_stays_fenced(void **state)
{
	struct fence_bed *bed = *state;

	run("ip link set eth0 down && ip link set eth0 name lan0 && ip link set lan0 up");
	bed_settle(bed);
	expect_news(bed, FENCE_NEWS_GONE, "eth0");
	assert_int_equal(count_attached("lan0"), 2);
	assert_false(is_reached(bed, BED_VIP4));
	run("ip link add eth0 type veth peer name far1");
	bed_settle(bed);
	expect_news(bed, FENCE_NEWS_ATTACHED, "eth0");
	assert_int_equal(count_attached("eth0"), 2);
	run("ip link del eth0");
	run("ip link set lan0 down && ip link set lan0 name eth0 && ip link set eth0 up && "
	    "ip addr add " BED_VIP6 "/64 dev eth0 nodad preferred_lft 0");
	bed_settle(bed);
	assert_int_equal(bed->news[bed->news_count - 1].type, FENCE_NEWS_ATTACHED);
	expect_fenced(bed);
	run("ip link set eth0 down && ip link set eth0 name lan0");
	bed_stop(bed);
	assert_int_equal(count_attached("lan0"), 0);
}

/* Interfaces that can take eth0 as their port; a kernel may lack bonds. Its frames pass it on their
 * way to and from them. */
static const struct master {
	const char *name, *make;
} masters[] = {
	{ "br0", "ip link add br0 type bridge && ip link set eth0 master br0" },
	{ "bond0", "ip link add bond0 type bond mode active-backup && ip link set eth0 down && "
	  "ip link set eth0 master bond0" },
};

static void expect_port_fenced(struct fence_bed *bed, const char *master)
{
	run("ip addr flush dev eth0; ip link set %s up && ip addr add " BED_VIP4 "/24 dev %s && "
	    "ip addr add " BED_VIP6 "/64 dev %s nodad", master, master, master);
	sleep(1);
	bed_settle(bed);
	expect_no_news(bed);
	expect_fenced(bed);
	bed->net->conf.groups[0].vip_count = bed->net->conf.groups[1].vip_count = 0;
	add_vip(bed->net, 0, BED_VIP4 "/24", master);
	add_vip(bed->net, 0, BED_VIP6 "/64", master);
	assert_int_equal(fence_set(bed->fence, &bed->net->conf), 0);
	assert_int_equal(count_attached("eth0"), 0);
	assert_int_equal(count_attached(master), 2);
	fence_close_group(bed->fence, 0);
	assert_false(is_reached(bed, BED_VIP6));
	fence_renew(bed->fence, 0, HBD_NEVER_NS);
	assert_true(is_reached(bed, BED_VIP6));
}

static void an_interface_that_becomes_a_bridges_port_stays_fenced(void **state)
{
	run("%s", masters[0].make);
	expect_port_fenced(*state, masters[0].name);
}

static void an_interface_that_becomes_a_bonds_port_stays_fenced(void **state)
{
	if (!holds("{ %s; } 2>/dev/null", masters[1].make)) {
		printf("this kernel has no bonds\n");
		skip();
	}
	expect_port_fenced(*state, masters[1].name);
}

static void an_interface_that_was_in_another_namespace_is_fenced_again(void **state)
{
	struct fence_bed *bed = *state;
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	char command[128];

	run("ip link set eth0 netns /proc/%d/fd/%d name away", getpid(), bed->far);
	bed_settle(bed);
	expect_news(bed, FENCE_NEWS_GONE, "eth0");
	run_far(bed->far, "! tc qdisc show dev away | grep -q clsact");
	snprintf(command, sizeof(command), "ip link set away netns /proc/%d/fd/%d name eth0",
		 getpid(), home);
	run_far(bed->far, command);
	run("ip link set eth0 up && ip addr add " BED_VIP4 "/24 dev eth0 && "
	    "ip addr add " BED_VIP6 "/64 dev eth0 nodad");
	bed_settle(bed);
	expect_news(bed, FENCE_NEWS_ATTACHED, "eth0");
	expect_fenced(bed);
	close(home);
}

static void where_no_frames_enter_there_is_no_fence(void **state)
{
	struct fence_bed *bed = *state;

	add_vip(bed->net, 0, "10.78.0.100/32", "lo");
	assert_int_equal(fence_set(bed->fence, &bed->net->conf), 0);
	expect_why(bed, "enter by other interfaces");
	assert_true(fence_in_force(bed->fence, 1, NULL));
	assert_int_equal(count_attached("lo"), 0);
}

/* ---- what is left ------------------------------------------------------------------------------ */

static bool is_clean(void)
{
	return !holds("tc qdisc show | grep -qE 'clsact|ingress'") && count_attached("eth0") == 0;
}

static void nothing_is_left(void **state)
{
	struct fence_bed *bed = *state;
	uint32_t id = bed->fence->program.attach.ethernet[FENCE_IN].id;
	union bpf_attr attributes = { 0 };
	int fd = -1;

	bed_stop(bed);
	assert_true(is_clean());
	assert_true(is_reached(bed, BED_VIP4));
	/* The kernel forgets programs a little later. */
	for (int i = 0; i < 100; i++) {
		attributes.prog_id = id;
		fd = bpf(BPF_PROG_GET_FD_BY_ID, &attributes);
		if (fd < 0)
			break;
		close(fd);
		usleep(20000);
	}
	assert_true(fd < 0);
}

/* Echoes of many bytes get no further than a stranger's program behind ours. */
static bool is_reached_by_much(struct fence_bed *bed, const char *address)
{
	const struct frame_shape echo = {
		.kind = FRAME_ECHO, .from = BED_CLIENT4, .to = address, .payload_bytes = SMALL,
	};

	lan_forgets(bed);
	lan_says(bed, &echo);
	return lan_hears(bed, address);
}

static void what_is_not_ours_stays_and_sees_what_passes(void **state)
{
	struct fence_bed *bed = *state;
	int program = load_program(false);

	pin_program(program);
	assert_true(is_reached_by_much(bed, BED_FIX4));
	run("tc filter add dev eth0 ingress protocol all prio 10 bpf da pinned " PINNED);
	bed_settle(bed);
	expect_no_news(bed);
	expect_fenced(bed);
	fence_renew(bed->fence, 0, HBD_NEVER_NS);
	assert_true(is_reached(bed, BED_VIP4));
	assert_false(is_reached_by_much(bed, BED_VIP4));
	assert_false(is_reached_by_much(bed, BED_FIX4));
	bed_stop(bed);
	assert_false(is_reached_by_much(bed, BED_FIX4));
	assert_int_equal(count_attached("eth0"), 0);
	run("umount /run/bpf");
	close(program);
}

static void a_qdisc_that_was_there_stays(void **state)
{
	struct fence_bed *bed = *state;

	bed_stop(bed);
	run("tc qdisc add dev eth0 clsact");
	bed_start(bed);
	expect_fenced(bed);
	bed_stop(bed);
	assert_int_equal(count_attached("eth0"), 0);
	run("tc qdisc show dev eth0 | grep -q clsact");
}

static void an_interface_that_is_not_configured_any_more_is_left_alone(void **state)
{
	struct fence_bed *bed = *state;

	run("ip link add eth1 type veth peer name far1");
	add_vip(bed->net, 0, "10.78.0.100/24", "eth1");
	assert_int_equal(fence_set(bed->fence, &bed->net->conf), 0);
	assert_int_equal(count_attached("eth1"), 2);
	bed->net->conf.groups[0].vip_count--;
	assert_int_equal(fence_set(bed->fence, &bed->net->conf), 0);
	assert_int_equal(count_attached("eth1"), 0);
	run("! tc qdisc show dev eth1 | grep -q clsact");
	expect_fenced(bed);
}

/* Another life of the same instance, which ends by kill -9 as soon as everything is fenced. */
static void live_and_be_killed(struct fence_bed *bed, int64_t lease_ns)
{
	pid_t child = bed_fork();

	if (child == 0) {
		bed_start(bed);
		fence_renew(bed->fence, 0, clock_now_ns() + lease_ns);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void a_killed_holder_leaves_its_addresses_mute(void **state)
{
	struct fence_bed *bed = *state;

	bed_stop(bed);
	live_and_be_killed(bed, 300 * HBD_MS_NS);
	assert_true(is_reached(bed, BED_VIP4));
	usleep(300000);
	assert_int_equal(count_attached("eth0"), 2);
	assert_false(is_reached(bed, BED_VIP4));
	bed_start(bed);
	expect_fenced(bed);
	bed_stop(bed);
	assert_true(is_clean());
}

static void a_start_without_a_fence_sweeps_what_was_left(void **state)
{
	struct fence_bed *bed = *state;

	bed_stop(bed);
	run("ip link add eth1 type veth peer name far1");
	add_vip(bed->net, 0, "10.78.0.100/24", "eth1");
	live_and_be_killed(bed, 0);
	assert_int_equal(count_attached("eth1"), 2);
	assert_int_equal(fence_sweep("somebody else"), 0);
	assert_int_equal(count_attached("eth0"), 2);
	assert_int_equal(fence_sweep(BED_INSTANCE), 4);
	assert_true(is_clean());
	assert_true(is_reached(bed, BED_VIP4));
	assert_int_equal(fence_sweep(BED_INSTANCE), 0);
}

static void what_was_left_on_interfaces_of_before_is_detached(void **state)
{
	struct fence_bed *bed = *state;

	bed_stop(bed);
	run("ip link add eth1 type veth peer name far1");
	add_vip(bed->net, 0, "10.78.0.100/24", "eth1");
	live_and_be_killed(bed, 0);
	bed->net->conf.groups[0].vip_count--;
	bed_open(bed);
	assert_int_equal(count_attached("eth1"), 2);
	assert_int_equal(fence_set(bed->fence, &bed->net->conf), 0);
	assert_int_equal(count_attached("eth1"), 0);
	expect_fenced(bed);
}

#define LIVES 40

/* Somebody asks all the time while one life follows the other. */
static void from_one_life_to_the_next_there_is_no_gap(void **state)
{
	const struct frame_shape echo = {
		.kind = FRAME_ECHO, .from = BED_CLIENT4, .to = BED_VIP4, .mark = 1,
	};
	struct fence_bed *bed = *state;
	pid_t asker;

	bed_stop(bed);
	live_and_be_killed(bed, 0);
	lan_forgets(bed);
	asker = bed_fork();
	if (asker == 0) {
		for (;;) {
			lan_says(bed, &echo);
			usleep(20);
		}
	}
	for (int i = 0; i < LIVES; i++)
		live_and_be_killed(bed, 0);
	kill(asker, SIGKILL);
	assert_int_equal(waitpid(asker, NULL, 0), asker);
	assert_false(lan_hears(bed, BED_VIP4));
	bed_start(bed);
	expect_fenced(bed);
}

static void two_instances_share_an_interface(void **state)
{
	struct fence_bed *bed = *state;
	struct own_net *other_net = calloc(1, sizeof(*other_net));
	struct fence_refusal refusal;
	struct fence *other;

	other_net->conf.group_count = 1;
	other_net->conf.groups[0].vips = other_net->vips[0];
	add_vip(other_net, 0, BED_FIX4 "/24", "eth0");
	assert_int_equal(fence_open("the other one", 100, &other, &refusal), 0);
	assert_int_equal(fence_set(other, &other_net->conf), 0);
	bed_settle(bed);
	bed_check(bed);
	expect_no_news(bed);
	assert_true(fence_in_force(bed->fence, 0, NULL));
	assert_false(is_reached(bed, BED_FIX4));
	expect_fenced(bed);
	fence_close(other);
	free(other_net);
	assert_true(is_reached(bed, BED_FIX4));
	expect_fenced(bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(what_others_do_to_filters_is_put_right_and_told),
		TEST(what_no_event_told_is_found_by_looking),
		TEST(who_cannot_look_takes_nothing_for_gone),
		TEST(a_program_that_insists_on_being_first_is_not_fought),
		TEST(what_is_in_the_way_is_named_and_waited_for),
		TEST(a_program_that_comes_before_all_filters_is_noticed),
		TEST(an_interface_that_comes_back_is_fenced),
		TEST(an_interface_that_was_exchanged_unseen_is_fenced),
		TEST(an_interface_that_is_missing_at_first_is_waited_for),
		TEST(a_renamed_interface_stays_fenced),
		TEST(an_interface_that_becomes_a_bridges_port_stays_fenced),
		TEST(an_interface_that_becomes_a_bonds_port_stays_fenced),
		TEST(an_interface_that_was_in_another_namespace_is_fenced_again),
		TEST(where_no_frames_enter_there_is_no_fence),
		TEST(nothing_is_left),
		TEST(what_is_not_ours_stays_and_sees_what_passes),
		TEST(a_qdisc_that_was_there_stays),
		TEST(an_interface_that_is_not_configured_any_more_is_left_alone),
		TEST(a_killed_holder_leaves_its_addresses_mute),
		TEST(a_start_without_a_fence_sweeps_what_was_left),
		TEST(what_was_left_on_interfaces_of_before_is_detached),
		TEST(from_one_life_to_the_next_there_is_no_gap),
		TEST(two_instances_share_an_interface),
	};

	own_net_enter();
	fence_bed_need();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
