/* Connections that end on the old owner, across planned moves: real kernels, services, clients. */
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../hbd/io/clock.h"
#include "drain_bed.h"

#define MOVES 20
#define OPEN 48 /* connections at each move */
#define STATE_BYTES 16384

static int setup(void **state)
{
	*state = drain_bed_make();
	return 0;
}

static int teardown(void **state)
{
	drain_bed_free(*state);
	return 0;
}

/* ---- what a machine looks like ----------------------------------------------------------------- */

/* A firewall as hosts have it, with connection tracking that takes nothing from the middle. */
static const char firewall[] =
	"nft -f - <<'END'\n"
	"table inet site {\n"
	"	set admins { type ipv4_addr; elements = { 10.77.0.9 } }\n"
	"	chain input {\n"
	"		type filter hook input priority 0; policy drop;\n"
	"		iif lo accept\n"
	"		ct state established,related accept\n"
	"		meta l4proto { icmp, ipv6-icmp } accept\n"
	"		ct state invalid drop\n"
	"		tcp dport { 7001, 7002 } tcp flags & (fin|syn|rst|ack) == syn accept\n"
	"		udp dport 7001 accept\n"
	"	}\n"
	"}\nEND";

/* Rules, queueing and filters, addresses' settings: all that could be left. */
static void describe(struct drain_bed *bed, int node, char ret_text[STATE_BYTES])
{
	const char *interface = bed->nodes[node].interface;
	int before = far_net_enter(bed->nodes[node].net);
	char command[256];
	FILE *output;
	size_t length;

	snprintf(command, sizeof(command),
		 "nft list ruleset; tc qdisc show dev %s; tc filter show dev %s ingress; "
		 "tc filter show dev %s egress; sysctl -a 2>/dev/null | grep -E 'conf.%s.(arp|rp)'",
		 interface, interface, interface, interface);
	output = popen(command, "r");
	assert_non_null(output);
	length = fread(ret_text, 1, STATE_BYTES - 1, output);
	ret_text[length] = '\0';
	pclose(output);
	far_net_leave(before);
}

/* ---- moves ------------------------------------------------------------------------------------- */

struct move {
	int from, to;
	struct drain *forward, *hold;
};

static void begin_move(struct drain_bed *bed, struct move *move)
{
	move->forward = bed_forward(bed, move->to, clock_now_ns() + 10 * HBD_S_NS);
	move->hold = bed_hold(bed, move->from);
	bed_take(bed, move->to);
	if (bed->fences[0]) {
		fence_drain(bed->fences[move->from], 0, HBD_NEVER_NS);
		fence_renew(bed->fences[move->to], 0, HBD_NEVER_NS);
	}
	bed_announce(bed, move->to);
}

static void end_move(struct drain_bed *bed, struct move *move)
{
	if (bed->fences[0])
		fence_close_group(bed->fences[move->from], 0);
	bed_drop(bed, move->from);
	bed_end(bed, move->from, move->hold);
	bed_end(bed, move->to, move->forward);
}

/* The old owner forgets where the client is, and finds it again without being found. */
static void forget_neighbors(struct drain_bed *bed, int node)
{
	int before = far_net_enter(bed->nodes[node].net);

	run("ip neigh flush dev %s", bed->nodes[node].interface);
	far_net_leave(before);
}

static void expect_unbroken(const struct drain_bed *bed)
{
	if (bed->broken + bed->refused + bed->changed != 0)
		fail_msg("%zu connections broken, %zu refused, %zu moved", bed->broken, bed->refused,
			 bed->changed);
}

static void move_once(struct drain_bed *bed, int from)
{
	struct move move = { .from = from, .to = !from };
	struct drain_tally tally;
	size_t before;

	bed_connect(bed, OPEN);
	begin_move(bed, &move);
	before = bed->answered[from];
	bed_run(bed, 60 * HBD_MS_NS, true);
	forget_neighbors(bed, from);
	bed_run(bed, 100 * HBD_MS_NS, true);
	assert_true(bed_client_knows(bed, move.to));
	assert_int_equal(bed_count(bed, from), OPEN);
	drain_tally(move.forward, &tally);
	assert_true(tally.forwarded >= OPEN);
	/* One may have been begun before the client knew. */
	assert_true(bed->answered[from] <= before + 1);
	expect_unbroken(bed);
	bed_disconnect(bed);
	assert_int_equal(bed_count(bed, from), 0);
	end_move(bed, &move);
}

static void connections_outlive_moves_to_and_fro(void **state)
{
	static char was[2][STATE_BYTES], is[STATE_BYTES];
	struct drain_bed *bed = *state;

	for (int i = 0; i < 2; i++) {
		run_far(bed->nodes[i].net, firewall);
		describe(bed, i, was[i]);
	}
	for (int i = 0; i < MOVES; i++)
		move_once(bed, i % 2);
	bed_run(bed, 50 * HBD_MS_NS, false);
	expect_unbroken(bed);
	assert_int_equal(bed->udp_answered, bed->udp_asked);
	for (int i = 0; i < 2; i++) {
		describe(bed, i, is);
		assert_string_equal(is, was[i]);
	}
	printf("%d moves, %d connections open at each, %zu short ones, %zu datagrams: none lost, worst "
	       "answer after %.1f ms\n", MOVES, OPEN, bed->answered[0] + bed->answered[1],
	       bed->udp_answered, (double)bed->worst_ns / (double)HBD_MS_NS);
}

/* In front of the drain's programs are the fence's, of which neither minds the other. */
static void behind_fences_they_do_too(void **state)
{
	static char was[2][STATE_BYTES], is[STATE_BYTES];
	struct drain_bed *bed = *state;

	bed_fence(bed, 0);
	for (int i = 0; i < 2; i++)
		describe(bed, i, was[i]);
	for (int i = 0; i < 4; i++)
		move_once(bed, i % 2);
	assert_int_equal(bed->udp_answered, bed->udp_asked);
	for (int i = 0; i < 2; i++) {
		assert_true(fence_in_force(bed->fences[i], 0, NULL));
		describe(bed, i, is);
		assert_string_equal(is, was[i]);
	}
}

/* That the bed sees what it is there to see. */
static void without_a_drain_they_break(void **state)
{
	struct drain_bed *bed = *state;

	bed_connect(bed, OPEN);
	bed_take(bed, 1);
	bed_announce(bed, 1);
	bed_run(bed, 100 * HBD_MS_NS, false);
	assert_int_equal(bed->broken, OPEN);
}

static void at_its_end_they_are_refused_by_the_new_owner(void **state)
{
	struct drain_bed *bed = *state;
	struct move move = { .from = 0, .to = 1 };

	bed_connect(bed, OPEN);
	move.hold = bed_hold(bed, 0);
	move.forward = bed_forward(bed, 1, clock_now_ns() + 200 * HBD_MS_NS);
	bed_take(bed, 1);
	bed_announce(bed, 1);
	bed_run(bed, 60 * HBD_MS_NS, false);
	expect_unbroken(bed);
	bed_run(bed, 250 * HBD_MS_NS, false);
	assert_int_equal(bed->broken, OPEN);
	end_move(bed, &move);
}

/* The address comes back while the first drain still goes on: each has connections of its own. */
static void a_move_back_during_a_drain_keeps_those_of_both(void **state)
{
	struct drain_bed *bed = *state;
	struct move there = { .from = 0, .to = 1 };
	struct drain *forward, *hold;

	bed_connect(bed, OPEN / 2);
	begin_move(bed, &there);
	bed_run(bed, 50 * HBD_MS_NS, false);
	bed_connect(bed, OPEN / 2);
	forward = bed_forward(bed, 0, clock_now_ns() + 10 * HBD_S_NS);
	hold = bed_hold(bed, 1);
	bed_end(bed, 0, there.hold);
	bed_announce(bed, 0);
	bed_run(bed, 100 * HBD_MS_NS, true);
	expect_unbroken(bed);
	assert_int_equal(bed_count(bed, 1), OPEN / 2);
	bed_disconnect(bed);
	bed_drop(bed, 1);
	bed_end(bed, 1, hold);
	bed_end(bed, 1, there.forward);
	bed_end(bed, 0, forward);
}

/* As above, and each would hand it to the other one. */
static void a_segment_that_neither_knows_does_not_go_round_between_them(void **state)
{
	struct drain_bed *bed = *state;
	struct drain *to_a = bed_forward(bed, 1, clock_now_ns() + 10 * HBD_S_NS);
	struct drain *to_b = bed_forward(bed, 0, clock_now_ns() + 10 * HBD_S_NS);
	struct drain_tally a, b;

	bed_take(bed, 1);
	bed_send_stray(bed, 0);
	bed_run(bed, 100 * HBD_MS_NS, false);
	drain_tally(to_a, &a);
	drain_tally(to_b, &b);
	assert_int_equal(b.forwarded, 1);
	assert_int_equal(a.forwarded, 0);
	bed_end(bed, 1, to_a);
	bed_end(bed, 0, to_b);
	bed_drop(bed, 1);
}

/* It has no socket for them: they end elsewhere, as into a container. */
static void what_the_new_owner_passes_on_stays_with_it(void **state)
{
	struct drain_bed *bed = *state;
	struct move move = { .from = 0, .to = 1 };

	run_far(bed->nodes[1].net, "nft 'table ip site { chain in { type nat hook prerouting priority "
		"-100; ip daddr " BED_VIP4 " tcp dport 7001 dnat to 10.77.0.2:7002; }; }'");
	begin_move(bed, &move);
	bed_connect(bed, OPEN);
	bed_run(bed, 60 * HBD_MS_NS, true);
	expect_unbroken(bed);
	assert_int_equal(bed_count(bed, 0), 0);
	end_move(bed, &move);
}

/* ---- what is left behind ----------------------------------------------------------------------- */

static int sweep(struct drain_bed *bed, int node)
{
	int before = far_net_enter(bed->nodes[node].net);
	int swept = drain_sweep(BED_INSTANCE);

	far_net_leave(before);
	return swept;
}

static void begin_and_die(struct drain_bed *bed)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		bed_forward(bed, 1, clock_now_ns() + 10 * HBD_S_NS);
		bed_hold(bed, 0);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

/* Someone else's filter, on a hook that is not ours to remove then. */
static void add_stranger(struct drain_bed *bed, int node)
{
	const char *interface = bed->nodes[node].interface;
	int before = far_net_enter(bed->nodes[node].net);

	run("tc qdisc add dev %s clsact && tc filter add dev %s ingress protocol ip prio 9 "
	    "u32 match u32 0 0 flowid 1:1", interface, interface);
	far_net_leave(before);
}

static void a_killed_ones_programs_are_swept(void **state)
{
	static char was[2][STATE_BYTES], is[STATE_BYTES];
	struct drain_bed *bed = *state;

	for (int others = 0; others < 2; others++) {
		for (int i = 0; i < 2; i++) {
			if (others)
				add_stranger(bed, i);
			describe(bed, i, was[i]);
		}
		begin_and_die(bed);
		for (int i = 0; i < 2; i++) {
			describe(bed, i, is);
			assert_string_not_equal(is, was[i]);
			assert_int_equal(sweep(bed, i), 1);
			assert_int_equal(sweep(bed, i), 0);
			describe(bed, i, is);
			assert_string_equal(is, was[i]);
		}
	}
}

static void another_instances_programs_are_not(void **state)
{
	struct drain_bed *bed = *state;
	struct drain *hold = bed_hold(bed, 0);
	int before = far_net_enter(bed->nodes[0].net);

	assert_int_equal(drain_sweep("another"), 0);
	assert_int_equal(drain_sweep(BED_INSTANCE), 1);
	far_net_leave(before);
	bed_end(bed, 0, hold);
}

/* ---- counting, refusing ------------------------------------------------------------------------ */

static void connections_to_the_addresses_are_counted(void **state)
{
	struct drain_bed *bed = *state;

	assert_int_equal(bed_count(bed, 0), 0);
	bed_connect(bed, BED_WAYS * 3);
	assert_int_equal(bed_count(bed, 0), BED_WAYS * 3);
	bed->addresses[1] = bed->addresses[0];
	assert_int_equal(bed_count(bed, 0), BED_WAYS * 3 / 2);
	bed_disconnect(bed);
	assert_int_equal(bed_count(bed, 0), 0);
}

static void what_cannot_be_drained_is_refused(void **state)
{
	struct drain_bed *bed = *state;
	const struct {
		size_t addresses, legs;
		int ifindex;
		uint8_t peer;
		int error;
	} rows[] = {
		{ 0, 1, bed->nodes[0].ifindex, 2, -EINVAL },
		{ 1, 0, bed->nodes[0].ifindex, 2, -EINVAL },
		{ 1, 1, bed->nodes[0].ifindex, 0, -EINVAL },
		{ 1, 1, 4711, 2, -ENODEV },
		{ 1, 1, 1, 2, -EOPNOTSUPP }, /* loopback */
	};
	int before = far_net_enter(bed->nodes[0].net);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct drain_leg leg = { .ifindex = rows[i].ifindex,
					       .peer = { rows[i].peer } };
		const struct drain_plan plan = { BED_INSTANCE, 0, 0, rows[i].addresses,
						 rows[i].legs, bed->addresses, &leg };
		char why[DRAIN_WHY_BYTES] = "";
		struct drain *drain = NULL;

		assert_int_equal(drain_forward(&plan, &drain, why), rows[i].error);
		assert_string_not_equal(why, "");
		assert_null(drain);
	}
	far_net_leave(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(connections_outlive_moves_to_and_fro),
		TEST(behind_fences_they_do_too),
		TEST(without_a_drain_they_break),
		TEST(at_its_end_they_are_refused_by_the_new_owner),
		TEST(a_move_back_during_a_drain_keeps_those_of_both),
		TEST(a_segment_that_neither_knows_does_not_go_round_between_them),
		TEST(what_the_new_owner_passes_on_stays_with_it),
		TEST(a_killed_ones_programs_are_swept),
		TEST(another_instances_programs_are_not),
		TEST(connections_to_the_addresses_are_counted),
		TEST(what_cannot_be_drained_is_refused),
	};

	own_net_enter();
	drain_bed_need();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
