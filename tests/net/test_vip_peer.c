/* The kernel's neighbor entries of the peer's ends of the links: kept good for sending, no more. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../hbd/core/time.h"
#include "../../hbd/io/clock.h"
#include "own_net.h"

/* Both links' other ends: 10.78.0.2%eth1 and fd77::2%eth0. */
static int setup(void **state)
{
	struct own_net *net = own_net_make();
	struct hbd_conf_node *nodes = net->conf.nodes;

	nodes[0].link_count = nodes[1].link_count = 2;
	nodes[1].links[0] = nodes[0].links[0];
	inet_pton(AF_INET, "10.78.0.2", &nodes[1].links[0].address.v4);
	strcpy(nodes[0].links[1].interface, "eth0");
	nodes[0].links[1].address.family = AF_INET6;
	inet_pton(AF_INET6, "fd77::1", &nodes[0].links[1].address.v6);
	nodes[1].links[1] = nodes[0].links[1];
	inet_pton(AF_INET6, "fd77::2", &nodes[1].links[1].address.v6);
	open_vip(net);
	*state = net;
	return 0;
}

static int teardown(void **state)
{
	own_net_free(*state);
	return 0;
}

/* What becomes of an entry, and what it is to be in the end; PEER and DEV are of the link. */
static const struct row {
	const char *name;
	const char *before; /* seen by hbd in passing */
	const char *then;
	const char *wanted;
} rows[] = {
	{ "one that the kernel gave up is used as it was",
	  "ip neigh replace $PEER lladdr 02:00:00:00:00:02 nud reachable dev $DEV",
	  "ip neigh change $PEER nud failed dev $DEV", "lladdr 02:00:00:00:00:02 STALE" },
	{ "with the address that it had last",
	  "ip neigh replace $PEER lladdr 02:00:00:00:00:03 nud stale dev $DEV",
	  "ip neigh change $PEER nud failed dev $DEV", "lladdr 02:00:00:00:00:03 STALE" },
	{ "one that the kernel uses is let be",
	  "ip neigh replace $PEER lladdr 02:00:00:00:00:03 nud stale dev $DEV",
	  "ip neigh replace $PEER lladdr 02:00:00:00:00:04 nud reachable dev $DEV",
	  "lladdr 02:00:00:00:00:04 REACHABLE" },
	{ "one that an operator made is let be",
	  "ip neigh replace $PEER lladdr 02:00:00:00:00:05 nud permanent dev $DEV", "true",
	  "lladdr 02:00:00:00:00:05 PERMANENT" },
	{ "one that is removed is not made",
	  "ip neigh replace $PEER lladdr 02:00:00:00:00:06 nud stale dev $DEV",
	  "ip neigh del $PEER dev $DEV", "" },
};

static void on_link(const char *command, const char *peer, const char *device)
{
	run("PEER=%s DEV=%s; %s", peer, device, command);
}

static void look_at(struct own_net *net, int64_t *now_ns)
{
	*now_ns = hbd_time_max(*now_ns, vip_keep_peers_ns(net->vip));
	assert_true(vip_keep_peers_ns(net->vip) <= *now_ns);
	vip_keep_peers(net->vip, *now_ns);
	assert_true(vip_keep_peers_ns(net->vip) > *now_ns);
	*now_ns += HBD_S_NS;
}

static void an_entry_becomes_what_is_wanted(struct own_net *net, const char *peer, const char *device)
{
	int64_t now_ns = clock_now_ns();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		on_link(rows[i].before, peer, device);
		look_at(net, &now_ns);
		on_link(rows[i].then, peer, device);
		look_at(net, &now_ns);
		if (!holds("test \"$(ip neigh show %s dev %s | sed 's/.*lladdr/lladdr/;s/ *$//;"
			   "/FAILED/d')\" = \"%s\"", peer, device, rows[i].wanted))
			fail_msg("%s: %s on %s is not '%s'", rows[i].name, peer, device,
				 rows[i].wanted);
	}
}

static void the_other_end_of_an_ipv4_link_stays_usable(void **state)
{
	an_entry_becomes_what_is_wanted(*state, "10.78.0.2", "eth1");
}

static void the_other_end_of_an_ipv6_link_stays_usable(void **state)
{
	an_entry_becomes_what_is_wanted(*state, "fd77::2", "eth0");
}

static void one_that_was_never_known_stays_unknown(void **state)
{
	int64_t now_ns = clock_now_ns();

	run("ip neigh add 10.78.0.2 dev eth1 nud failed");
	look_at(*state, &now_ns);
	assert_false(holds("ip neigh show 10.78.0.2 dev eth1 | grep -q lladdr"));
}

static void an_interface_that_is_gone_is_no_trouble(void **state)
{
	int64_t now_ns = clock_now_ns();

	run("ip link del eth1");
	settle(*state);
	look_at(*state, &now_ns);
}

int main(void)
{
	own_net_enter();

	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_other_end_of_an_ipv4_link_stays_usable, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_other_end_of_an_ipv6_link_stays_usable, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_that_was_never_known_stays_unknown, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_interface_that_is_gone_is_no_trouble, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
