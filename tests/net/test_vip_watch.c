/* What others do to interfaces and addresses, and what is told of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../hbd/core/time.h"
#include "../../hbd/io/rtnl.h"
#include "own_net.h"

#define LIFETIME_NS (60 * HBD_S_NS)

/* Group 0 is held: one address of each family on eth0. Group 1 is not: one on eth1. */
static int setup(void **state)
{
	struct own_net *net = own_net_make();

	add_vip(net, 0, "10.77.0.100/24", "eth0");
	add_vip(net, 0, "fd77::100/64", "eth0");
	add_vip(net, 1, "10.78.0.100/24", "eth1");
	open_vip(net);
	assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
	settle(net);
	forget_news(net);
	*state = net;
	return 0;
}

static int teardown(void **state)
{
	own_net_free(*state);
	return 0;
}

/* ---- addresses ---- */

/* Something happens to addresses; whether that is news. */
static const struct happening {
	const char *name, *command;
	size_t missing;
} happenings[] = {
	{ "someone deletes an IPv4 address", "ip addr del 10.77.0.100/24 dev eth0", 1 },
	{ "someone deletes an IPv6 address", "ip addr del fd77::100/64 dev eth0", 1 },
	{ "someone deletes both: told once",
	  "ip addr del 10.77.0.100/24 dev eth0; ip addr del fd77::100/64 dev eth0", 1 },
	{ "someone flushes the interface",
	  "ip addr flush dev eth0; ip addr add 10.77.0.1/24 dev eth0", 1 },
	{ "the first address of the subnet goes and takes ours along",
	  "ip addr del 10.77.0.1/24 dev eth0", 1 },
	{ "ours comes back before anybody looked",
	  "ip addr del 10.77.0.100/24 dev eth0; ip addr add 10.77.0.100/24 dev eth0", 0 },
	{ "other addresses come and go",
	  "ip addr add 10.77.0.9/24 dev eth0; ip addr del 10.77.0.9/24 dev eth0", 0 },
	{ "the same address with another prefix comes and goes",
	  "ip addr add 10.77.0.100/32 dev eth0; ip addr del 10.77.0.100/32 dev eth0", 0 },
	{ "the same address comes and goes elsewhere",
	  "ip addr add 10.77.0.100/24 dev lo; ip addr del 10.77.0.100/24 dev lo", 0 },
	{ "an address of a group that is not held comes and goes",
	  "ip addr add 10.78.0.100/24 dev eth1; ip addr del 10.78.0.100/24 dev eth1", 0 },
};

static void a_deleted_address_is_told_once_and_put_back(void **state)
{
	struct own_net *net = *state;

	for (size_t i = 0; i < sizeof(happenings) / sizeof(happenings[0]); i++) {
		const struct happening *row = &happenings[i];

		run("%s", row->command);
		settle(net);
		if (count_news(net, VIP_NEWS_MISSING) != row->missing)
			fail_msg("%s: told %zu times", row->name,
				 count_news(net, VIP_NEWS_MISSING));
		if (row->missing)
			assert_int_equal(wait_news(net, VIP_NEWS_MISSING).group, 0);
		assert_int_equal(vip_restore(net->vip, 0, LIFETIME_NS, NULL), 0);
		settle(net);
		if (!has("eth0", "10.77.0.100/24") || !has("eth0", "fd77::100/64"))
			fail_msg("%s: not put back", row->name);
		assert_int_equal(count_news(net, VIP_NEWS_MISSING), row->missing);
		forget_news(net);
	}
	assert_true(vip_interfaces_usable(net->vip, 0));
}

static void what_we_do_ourselves_is_no_news(void **state)
{
	struct own_net *net = *state;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(vip_release(net->vip, 0, NULL), 0);
		assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
	}
	settle(net);
	assert_int_equal(vip_release(net->vip, 0, NULL), 0);
	settle(net);
	assert_int_equal(net->news_count, 0);
}

static void what_is_missing_is_told_again_only_when_more_is(void **state)
{
	struct own_net *net = *state;

	run("ip addr del 10.77.0.100/24 dev eth0");
	settle(net);
	run("ip addr add 10.77.0.9/24 dev eth0");
	settle(net);
	assert_int_equal(count_news(net, VIP_NEWS_MISSING), 1);
	run("ip addr del fd77::100/64 dev eth0");
	settle(net);
	assert_int_equal(count_news(net, VIP_NEWS_MISSING), 2);
	assert_int_equal(vip_restore(net->vip, 0, LIFETIME_NS, NULL), 0);
	settle(net);
	run("ip addr del 10.77.0.100/24 dev eth0");
	settle(net);
	assert_int_equal(count_news(net, VIP_NEWS_MISSING), 3);
}

static void after_release_a_deleted_address_is_not_missed(void **state)
{
	struct own_net *net = *state;

	assert_int_equal(vip_release(net->vip, 0, NULL), 0);
	run("ip addr add 10.77.0.100/24 dev eth0; ip addr del 10.77.0.100/24 dev eth0");
	settle(net);
	assert_int_equal(net->news_count, 0);
}

/* ---- interfaces ---- */

static void expect_interface(struct own_net *net, uint8_t group, bool usable)
{
	struct vip_news news = wait_news(net, VIP_NEWS_INTERFACE);

	assert_int_equal(news.group, group);
	assert_int_equal(news.usable, usable);
	assert_int_equal(vip_interfaces_usable(net->vip, group), usable);
	settle(net);
	assert_int_equal(count_news(net, VIP_NEWS_INTERFACE), 1);
}

/* Ways for an interface to become unusable, and back; and whether an address got lost by it. */
static const struct outage {
	const char *name, *away, *back;
	bool lost;
} outages[] = {
	{ "carrier", "ip link set far-eth0 down", "ip link set far-eth0 up", false },
	{ "down", "ip link set eth0 down", "ip link set eth0 up", true },
	{ "renamed", "ip link set eth0 down; ip link set eth0 name other; ip link set other up",
	  "ip link set other down; ip link set other name eth0; ip link set eth0 up", true },
	{ "another network namespace", "ip netns add own-$PPID && ip link set eth0 netns own-$PPID",
	  "ip -n own-$PPID link set eth0 netns $PPID; ip link set eth0 up; ip netns del own-$PPID",
	  true },
	{ "deleted", "ip link del eth0",
	  "ip link add eth0 type veth peer name far-eth0 && ip link set far-eth0 up && "
	  "ip link set eth0 up",
	  true },
};

static void an_interface_going_and_coming_is_told(void **state)
{
	struct own_net *net = *state;
	size_t missing;

	for (size_t i = 0; i < sizeof(outages) / sizeof(outages[0]); i++) {
		const struct outage *row = &outages[i];

		run("%s", row->away);
		expect_interface(net, 0, false);
		/* Nothing can be put back now, so nothing is missing either. */
		assert_int_equal(count_news(net, VIP_NEWS_MISSING), 0);
		forget_news(net);
		run("%s", row->back);
		expect_interface(net, 0, true);
		missing = count_news(net, VIP_NEWS_MISSING);
		if (missing != row->lost)
			fail_msg("%s: missing was told %zu times", row->name, missing);
		assert_int_equal(vip_restore(net->vip, 0, LIFETIME_NS, NULL), 0);
		if (!has("eth0", "10.77.0.100/24") || !has("eth0", "fd77::100/64"))
			fail_msg("%s: not put back", row->name);
		settle(net);
		forget_news(net);
	}
}

static void note_gone(void *context, const struct rtnl_interface *interface, bool gone)
{
	(void)interface;
	*(size_t *)context += gone;
}

static void a_bridge_letting_go_of_a_port_is_no_outage(void **state)
{
	size_t gone = 0;
	const struct rtnl_handlers handlers = { .context = &gone, .interface = note_gone };
	struct own_net *net = *state;
	struct rtnl *watcher;

	if (!holds("ip link add br0 type bridge 2>/dev/null"))
		skip();
	run("ip link set br0 up; ip link set eth0 master br0");
	settle(net);
	forget_news(net);
	assert_int_equal(rtnl_open(true, 0, &watcher), 0);
	run("ip link set eth0 nomaster");
	assert_int_equal(rtnl_read_events(watcher, &handlers), 0);
	rtnl_close(watcher);
	assert_int_equal(gone, 0);
	settle(net);
	assert_int_equal(net->news_count, 0);
	assert_true(vip_interfaces_usable(net->vip, 0));
}

static void a_missing_interface_is_waited_for(void **state)
{
	struct own_net *net = *state;
	size_t failed = 99;

	vip_close(net->vip);
	net->vip = NULL;
	add_vip(net, 1, "10.79.0.100/24", "eth9");
	open_vip(net);
	assert_false(vip_interfaces_usable(net->vip, 1));
	assert_int_equal(vip_acquire(net->vip, 1, LIFETIME_NS, &failed), -ENODEV);
	assert_int_equal(failed, 1);
	make_pair("eth9");
	assert_true(wait_news(net, VIP_NEWS_INTERFACE).usable);
	assert_int_equal(vip_acquire(net->vip, 1, LIFETIME_NS, NULL), 0);
	assert_true(has("eth1", "10.78.0.100/24") && has("eth9", "10.79.0.100/24"));
}

/* The kernel tells of IPv6 addresses under the old name only. */
static void addresses_from_before_a_renaming_are_known(void **state)
{
	struct own_net *net = *state;

	vip_close(net->vip);
	net->vip = NULL;
	add_vip(net, 1, "fd79::100/64", "eth9");
	open_vip(net);
	make_pair("new9");
	run("ip addr add fd79::1/64 dev new9 nodad");
	settle(net);
	if (!holds("ip link set new9 name eth9 2>/dev/null"))
		skip();
	settle(net);
	assert_int_equal(vip_acquire(net->vip, 1, LIFETIME_NS, NULL), 0);
	assert_true(holds("ip addr show dev eth9 | grep -F fd79::100/64 | grep -q noprefixroute"));
}

static void mac_and_forwarding_follow_the_interface(void **state)
{
	struct own_net *net = *state;
	uint8_t mac[6];
	int ifindex;

	run("ip link set eth0 address 02:00:00:00:00:77");
	settle(net);
	assert_int_equal(vip_interface(net->vip, 0, 0, &ifindex, mac), 0);
	assert_memory_equal(mac, "\x02\0\0\0\0\x77", 6);
	assert_true(ifindex > 0 && holds("ip -o link show eth0 | grep -q ^%d:", ifindex));
	assert_false(vip_forwards(net->vip, 0, 1));
	run("sysctl -qw net.ipv6.conf.eth0.forwarding=1");
	settle(net);
	assert_true(vip_forwards(net->vip, 0, 1));
	assert_false(vip_forwards(net->vip, 1, 0));
	vip_close(net->vip);
	open_vip(net);
	assert_true(vip_forwards(net->vip, 0, 1));
	run("ip link del eth0");
	settle(net);
	assert_int_equal(vip_interface(net->vip, 0, 0, &ifindex, mac), -ENODEV);
}

/* ---- heartbeat links ---- */

static const struct link_change {
	const char *name, *command;
	bool usable, recreated;
} link_changes[] = {
	{ "address deleted", "ip addr del 10.78.0.1/24 dev eth1", false, false },
	{ "address back", "ip addr add 10.78.0.1/24 dev eth1", true, false },
	{ "carrier lost", "ip link set far-eth1 down", false, false },
	{ "carrier back", "ip link set far-eth1 up", true, false },
	{ "interface deleted", "ip link del eth1", false, false },
	{ "interface back, without its address yet",
	  "ip link add eth1 type veth peer name far-eth1 && ip link set eth1 up && "
	  "ip link set far-eth1 up",
	  false, true },
	{ "and with it", "ip addr add 10.78.0.1/24 dev eth1", true, false },
	{ "recreated at once, by way of another name",
	  "ip link del eth1; ip link add new1 type veth peer name far-eth1 && "
	  "ip addr add 10.78.0.1/24 dev new1 && ip link set new1 name eth1 && "
	  "ip link set eth1 up && ip link set far-eth1 up && sleep 0.2",
	  true, true },
	{ "recreated at once",
	  "ip link del eth1; ip link add eth1 type veth peer name far-eth1 && "
	  "ip link set eth1 up && ip link set far-eth1 up && ip addr add 10.78.0.1/24 dev eth1 && "
	  "sleep 0.2",
	  true, true },
};

static void a_change_of_a_heartbeat_link_is_told(void **state)
{
	struct own_net *net = *state;

	assert_true(vip_link_usable(net->vip, 0));
	for (size_t i = 0; i < sizeof(link_changes) / sizeof(link_changes[0]); i++) {
		const struct link_change *row = &link_changes[i];
		struct vip_news news;

		run("%s", row->command);
		news = wait_news(net, VIP_NEWS_LINK);
		if (news.link != 0 || news.usable != row->usable ||
		    news.recreated != row->recreated || vip_link_usable(net->vip, 0) != row->usable)
			fail_msg("%s: usable %d recreated %d", row->name, news.usable,
				 news.recreated);
		settle(net);
		forget_news(net);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_deleted_address_is_told_once_and_put_back),
		TEST(what_we_do_ourselves_is_no_news),
		TEST(what_is_missing_is_told_again_only_when_more_is),
		TEST(after_release_a_deleted_address_is_not_missed),
		TEST(an_interface_going_and_coming_is_told),
		TEST(a_bridge_letting_go_of_a_port_is_no_outage),
		TEST(a_missing_interface_is_waited_for),
		TEST(addresses_from_before_a_renaming_are_known),
		TEST(mac_and_forwarding_follow_the_interface),
		TEST(a_change_of_a_heartbeat_link_is_told),
	};

	own_net_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
