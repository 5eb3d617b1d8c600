/* Addresses that somebody else adds: removed if they are a group's that is not held, told elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../hbd/core/time.h"
#include "../../hbd/io/clock.h"
#include "own_net.h"

#define LIFETIME_NS (60 * HBD_S_NS)

struct told {
	size_t strays, elsewhere;
	struct vip_news last;
};

/* Group 0 is held: one address of each family on eth0. Group 1 is not: likewise on eth1. */
static int setup(void **state)
{
	struct own_net *net = own_net_make();

	add_vip(net, 0, "10.77.0.100/24", "eth0");
	add_vip(net, 0, "fd77::100/64", "eth0");
	add_vip(net, 1, "10.78.0.100/24", "eth1");
	add_vip(net, 1, "fd78::100/64", "eth1");
	open_vip(net);
	assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
	settle(net);
	*state = net;
	return 0;
}

static int teardown(void **state)
{
	own_net_free(*state);
	return 0;
}

static void note(void *context, const struct vip_news *news)
{
	struct told *told = context;

	told->strays += news->type == VIP_NEWS_STRAY;
	told->elsewhere += news->type == VIP_NEWS_ELSEWHERE;
	told->last = *news;
}

/* Somebody adds addresses while group 1 is not held. */
static const struct row {
	const char *name, *command;
	const char *interface, *left;	/* that address is there afterwards; NULL = none */
	size_t strays, elsewhere;
} rows[] = {
	{ "an IPv4 address", "ip addr add 10.78.0.100/24 dev eth1", "eth1", NULL, 1, 0 },
	{ "an IPv6 address", "ip addr add fd78::100/64 dev eth1", "eth1", NULL, 1, 0 },
	{ "one with another prefix", "ip addr add 10.78.0.100/32 dev eth1", "eth1", NULL, 1, 0 },
	{ "one with several", "ip addr add 10.78.0.100/24 dev eth1; ip addr add 10.78.0.100/32 dev eth1;"
	  "ip addr add 10.78.0.100/25 dev eth1", "eth1", NULL, 1, 0 },
	{ "both: told once", "ip addr add 10.78.0.100/24 dev eth1; ip addr add fd78::100/64 dev eth1",
	  "eth1", NULL, 1, 0 },
	{ "one that goes before anybody looked",
	  "ip addr add 10.78.0.100/24 dev eth1; ip addr del 10.78.0.100/24 dev eth1", "eth1", NULL, 0,
	  0 },
	{ "one that is nobody's", "ip addr add 10.78.0.9/24 dev eth1", "eth1", "10.78.0.9/24", 0, 0 },
	{ "one of the group that is held", "ip addr replace 10.77.0.100/24 dev eth0", "eth0",
	  "10.77.0.100/24", 0, 0 },
	{ "one that another interface has", "ip addr add 10.78.0.100/32 dev eth0", "eth0",
	  "10.78.0.100/32", 0, 1 },
	{ "one that is held, on an interface that hbd does not use", "ip addr add 10.77.0.100/32 dev lo",
	  "lo", "10.77.0.100/32", 0, 1 },
};

static void what_somebody_adds_is_removed_where_it_would_be_answered_for_twice(void **state)
{
	struct own_net *net = *state;
	int64_t now_ns = clock_now_ns();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct told told = { 0 };

		run("%s", row->command);
		settle(net);
		vip_expel(net->vip, now_ns += 100 * HBD_S_NS, note, &told);
		vip_expel(net->vip, now_ns, note, &told);
		if (told.strays != row->strays || told.elsewhere != row->elsewhere)
			fail_msg("%s: told %zu and %zu", row->name, told.strays, told.elsewhere);
		if (row->left ? !has(row->interface, row->left)
			      : has("eth1", "10.78.0.100/24") || has("eth1", "fd78::100/64") ||
					has("eth1", "10.78.0.100/32"))
			fail_msg("%s: not as it should be", row->name);
		if (row->strays != 0) {
			assert_int_equal(told.last.group, 1);
			assert_string_equal(told.last.interface, "eth1");
			assert_int_equal(told.last.error, 0);
		}
		if (row->elsewhere != 0)
			assert_string_equal(told.last.interface, row->interface);
		settle(net);
		assert_int_equal(vip_expel_ns(net->vip), HBD_NEVER_NS);
	}
	assert_true(has("eth0", "10.77.0.100/24") && has("eth0", "fd77::100/64"));
	run("ip addr flush dev lo");
}

static void what_was_there_at_the_start_is_removed_as_well(void **state)
{
	struct own_net *net = *state;
	struct told told = { 0 };

	vip_close(net->vip);
	run("ip addr add 10.78.0.100/24 dev eth1");
	open_vip(net);
	assert_true(vip_expel_ns(net->vip) <= clock_now_ns());
	vip_expel(net->vip, clock_now_ns(), note, &told);
	assert_false(has("eth1", "10.78.0.100/24"));
	assert_int_equal(told.strays, 1);
}

/* Ten times a second, told once a minute. */
static void who_does_it_again_and_again_does_not_keep_us_busy(void **state)
{
	struct own_net *net = *state;
	int64_t now_ns = clock_now_ns();
	struct told told = { 0 };

	for (int i = 0; i < 10; i++) {
		run("ip addr add 10.78.0.100/24 dev eth1");
		settle(net);
		vip_expel(net->vip, now_ns, note, &told);
		assert_int_equal(has("eth1", "10.78.0.100/24"), i > 0);
		if (i > 0) {
			assert_int_equal(vip_expel_ns(net->vip), now_ns + 100 * HBD_MS_NS);
			vip_expel(net->vip, now_ns += 100 * HBD_MS_NS, note, &told);
			assert_false(has("eth1", "10.78.0.100/24"));
		}
	}
	assert_int_equal(told.strays, 1);
	run("ip addr add 10.78.0.100/24 dev eth1");
	settle(net);
	vip_expel(net->vip, now_ns + 60 * HBD_S_NS, note, &told);
	assert_int_equal(told.strays, 2);
	assert_int_equal(told.last.untold, 10);
}

/* What is held no longer goes by itself, and nobody is told of it as if somebody had added it. */
static void what_hbd_itself_adds_and_removes_is_no_news(void **state)
{
	struct own_net *net = *state;
	struct told told = { 0 };

	for (int i = 0; i < 3; i++) {
		assert_int_equal(vip_release(net->vip, 0, NULL), 0);
		vip_expel(net->vip, clock_now_ns(), note, &told);
		assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
		vip_expel(net->vip, clock_now_ns(), note, &told);
		settle(net);
		vip_expel(net->vip, clock_now_ns(), note, &told);
	}
	assert_true(has("eth0", "10.77.0.100/24") && has("eth0", "fd77::100/64"));
	assert_int_equal(told.strays + told.elsewhere, 0);
}

static void what_is_elsewhere_is_told_once_and_again_when_it_comes_back_later(void **state)
{
	static const char address[] = "10.78.0.100/32 dev lo";
	struct own_net *net = *state;
	int64_t now_ns = clock_now_ns();
	struct told told = { 0 };

	for (size_t i = 0; i < 3; i++) {
		run("ip addr add %s", address);
		settle(net);
		vip_expel(net->vip, now_ns, note, &told);
		run("ip addr change %s valid_lft 100 preferred_lft 100", address);
		settle(net);
		vip_expel(net->vip, now_ns + 100 * HBD_S_NS, note, &told);
		assert_int_equal(told.elsewhere, i + 1);
		run("ip addr del %s", address);
		settle(net);
		/* too soon to be told again */
		run("ip addr add %s", address);
		settle(net);
		vip_expel(net->vip, now_ns + HBD_S_NS, note, &told);
		assert_int_equal(told.elsewhere, i + 1);
		run("ip addr del %s", address);
		settle(net);
		now_ns += 60 * HBD_S_NS;
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_somebody_adds_is_removed_where_it_would_be_answered_for_twice),
		TEST(what_was_there_at_the_start_is_removed_as_well),
		TEST(who_does_it_again_and_again_does_not_keep_us_busy),
		TEST(what_hbd_itself_adds_and_removes_is_no_news),
		TEST(what_is_elsewhere_is_told_once_and_again_when_it_comes_back_later),
	};

	own_net_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
