/* Addresses that the kernel refuses: what is held all the same, what is told, when it is tried again. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../hbd/core/time.h"
#include "../../hbd/io/clock.h"
#include "own_net.h"

#define LIFETIME_NS (60 * HBD_S_NS)

static int setup(void **state)
{
	*state = own_net_make();
	return 0;
}

static int teardown(void **state)
{
	own_net_free(*state);
	return 0;
}

/* What makes the kernel refuse the second address of a group, and no longer. */
static const struct refusal {
	const char *name, *command, *end, *text, *interface;
	int error;
	const char *why, *remedy;
} refusals[] = {
	{ "IPv6 is off", "sysctl -qw net.ipv6.conf.eth1.disable_ipv6=1",
	  "sysctl -qw net.ipv6.conf.eth1.disable_ipv6=0", "fd78::100/64", "eth1", -EACCES,
	  "Permission denied: IPv6 is disabled on eth1", "sysctl net/ipv6/conf/eth1/disable_ipv6=0" },
	{ "the MTU is too small for IPv6", "ip link set eth1 mtu 1279", "ip link set eth1 mtu 1500",
	  "fd78::100/64", "eth1", -EINVAL,
	  "Invalid argument: IPv6 needs an MTU of 1280, that of eth1 is 1279",
	  "ip link set dev eth1 mtu 1500" },
};
#define ROWS (sizeof(refusals) / sizeof(refusals[0]))

static void add_three(struct own_net *net, const struct refusal *row)
{
	net->conf.groups[0].vip_count = 0;
	add_vip(net, 0, "10.77.0.100/24", "eth0");
	add_vip(net, 0, row->text, row->interface);
	add_vip(net, 0, "fd77::101/64", "eth0");
	open_vip(net);
	settle(net);
}

static void close_vip(struct own_net *net)
{
	vip_close(net->vip);
	net->vip = NULL;
}

static void assert_refused(struct own_net *net, const struct refusal *row)
{
	struct vip_refusal told;

	vip_refusal(net->vip, 0, &told);
	if (told.count != 1 || told.vip_index != 1 || told.error != row->error)
		fail_msg("%s: %zu refused, first %zu: %d", row->name, told.count, told.vip_index,
			 told.error);
	assert_string_equal(told.why, row->why);
	assert_string_equal(told.remedy, row->remedy);
}

static void assert_none_refused(struct own_net *net)
{
	struct vip_refusal told;

	vip_refusal(net->vip, 0, &told);
	assert_int_equal(told.count, 0);
}

static void if_one_address_is_refused_the_others_are_held(void **state)
{
	struct own_net *net = *state;

	for (size_t i = 0; i < ROWS; i++) {
		const struct refusal *row = &refusals[i];

		run("%s", row->command);
		add_three(net, row);
		assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
		assert_true(has("eth0", "10.77.0.100/24") && has("eth0", "fd77::101/64"));
		assert_refused(net, row);
		assert_int_equal(vip_restore(net->vip, 0, LIFETIME_NS, NULL), row->error);
		run("%s", row->end);
		assert_int_equal(vip_restore(net->vip, 0, LIFETIME_NS, NULL), 0);
		assert_true(has(row->interface, row->text));
		assert_none_refused(net);
		assert_int_equal(vip_try_ns(net->vip, 0), HBD_NEVER_NS);
		close_vip(net);
	}
}

static void if_an_interface_is_missing_none_is_held(void **state)
{
	static const struct refusal row = { .text = "10.79.0.100/24", .interface = "eth2" };
	struct own_net *net = *state;
	size_t failed = 99;

	add_three(net, &row);
	assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, &failed), -ENODEV);
	assert_int_equal(failed, 1);
	assert_false(has("eth0", "10.77.0.100/24") || has("eth0", "fd77::101/64"));
	assert_none_refused(net);
}

static void if_all_are_refused_none_is_held(void **state)
{
	struct own_net *net = *state;
	size_t failed = 99;

	run("%s", refusals[0].command);
	add_vip(net, 0, "fd78::100/64", "eth1");
	open_vip(net);
	assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, &failed), -EACCES);
	assert_int_equal(failed, 0);
	settle(net);
	assert_int_equal(count_news(net, VIP_NEWS_MISSING), 0);
}

/* It is asked after as the loop of the hands does: when it is due, at once when something happened. */
static void who_does_not_hold_it_knows_as_well(void **state)
{
	struct own_net *net = *state;

	for (size_t i = 0; i < ROWS; i++) {
		const struct refusal *row = &refusals[i];

		add_three(net, row);
		vip_look(net->vip, clock_now_ns());
		assert_none_refused(net);
		assert_true(vip_look_ns(net->vip) > clock_now_ns() + HBD_S_NS);
		run("%s", row->command);
		settle(net);
		assert_true(vip_look_ns(net->vip) < clock_now_ns() + HBD_S_NS);
		vip_look(net->vip, vip_look_ns(net->vip));
		assert_refused(net, row);
		assert_false(has(row->interface, row->text));
		run("%s", row->end);
		settle(net);
		vip_look(net->vip, vip_look_ns(net->vip));
		assert_none_refused(net);
		close_vip(net);
	}
}

/* What nobody knows a reason for: a multicast address, which no configuration may have. */
static void what_is_not_explained_is_forgiven_later_each_time(void **state)
{
	static const struct refusal row = { .text = "ff02::1/64", .interface = "eth0" };
	static const int64_t minutes[] = { 1, 2, 4 };
	struct own_net *net = *state;
	struct vip_refusal told;

	add_three(net, &row);
	for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++) {
		int64_t now_ns = clock_now_ns();

		assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
		assert_int_equal(vip_release(net->vip, 0, NULL), 0);
		settle(net);
		vip_look(net->vip, now_ns + minutes[i] * 60 * HBD_S_NS - HBD_S_NS);
		vip_refusal(net->vip, 0, &told);
		assert_int_equal(told.count, 1);
		vip_look(net->vip, now_ns + minutes[i] * 60 * HBD_S_NS + HBD_S_NS);
		assert_none_refused(net);
	}
	/* or when the interface works otherwise than before */
	assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
	assert_int_equal(vip_release(net->vip, 0, NULL), 0);
	run("ip link set eth0 mtu 1400");
	settle(net);
	vip_look(net->vip, clock_now_ns());
	assert_none_refused(net);
}

static void what_is_held_is_tried_again_later_each_time_but_at_once_when_something_happens(void **state)
{
	struct own_net *net = *state;
	int64_t pause_ns = 0, first_ns = 0;

	run("%s", refusals[0].command);
	add_three(net, &refusals[0]);
	assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
	settle(net);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(vip_restore(net->vip, 0, LIFETIME_NS, NULL), -EACCES);

		int64_t left_ns = vip_try_ns(net->vip, 0) - clock_now_ns();

		if (left_ns < pause_ns - 10 * HBD_MS_NS)
			fail_msg("try %d: %lld after %lld", i, (long long)left_ns, (long long)pause_ns);
		first_ns = i == 0 ? left_ns : first_ns;
		pause_ns = left_ns;
	}
	assert_true(first_ns < HBD_S_NS);
	assert_true(pause_ns > 10 * HBD_S_NS && pause_ns <= 30 * HBD_S_NS);
	run("ip addr add fd78::9/64 dev eth1 2>/dev/null || ip link set eth1 mtu 1400");
	settle(net);
	assert_true(vip_try_ns(net->vip, 0) < clock_now_ns() + HBD_S_NS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(if_one_address_is_refused_the_others_are_held),
		TEST(if_an_interface_is_missing_none_is_held),
		TEST(if_all_are_refused_none_is_held),
		TEST(who_does_not_hold_it_knows_as_well),
		TEST(what_is_not_explained_is_forgiven_later_each_time),
		TEST(what_is_held_is_tried_again_later_each_time_but_at_once_when_something_happens),
	};

	own_net_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
