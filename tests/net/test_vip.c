/* The addresses of a group in a real kernel: what add, remove, renew and sweep do to it. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cap-ng.h>
#include <cmocka.h>

#include "../../hbd/core/time.h"
#include "../../hbd/io/clock.h"
#include "../../hbd/io/rtnl.h"
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

/* How the kernel shows an added address; words that must be there, and one that must not. */
struct shown {
	const char *name;
	const char *text, *interface;
	const char *with[4];
	const char *without;
};

static const struct shown shown[] = {
	{ "IPv4 is a later address of its subnet",
	  "10.77.0.100/24",
	  "eth0",
	  { "rounded", "secondary" },
	  "deprecated" },
	{ "IPv4 in a subnet of its own is the first of it",
	  "10.99.0.100/24",
	  "eth0",
	  { "rounded" },
	  "secondary" },
	{ "IPv4 without a subnet", "10.77.0.101/32", "eth0", { "rounded" }, "brd" },
	{ "IPv6 answers at once, is no source, and adds no route to a routed subnet",
	  "fd77::100/64",
	  "eth0",
	  { "rounded", "deprecated", "nodad", "noprefixroute" },
	  "tentative" },
	{ "IPv6 in a subnet of its own brings the route",
	  "fd99::100/64",
	  "eth0",
	  { "rounded", "deprecated", "nodad" },
	  "noprefixroute" },
	{ "IPv6 without a subnet",
	  "fd77::101/128",
	  "eth1",
	  { "deprecated", "nodad" },
	  "tentative" },
};

static void count_marked(void *context, const struct rtnl_address *address, bool gone)
{
	assert_false(gone);
	*(size_t *)context += address->marked;
}

/* How many addresses carry hbd's mark (which ip does not show). */
static size_t marked(void)
{
	size_t count = 0;
	const struct rtnl_handlers handlers = { .context = &count, .address = count_marked };
	struct rtnl *rtnl;

	assert_int_equal(rtnl_open(false, 0, &rtnl), 0);
	assert_int_equal(rtnl_dump_addresses(rtnl, &handlers), 0);
	rtnl_close(rtnl);
	return count;
}

static bool shows(const struct shown *row, const char *word)
{
	/* Rounded up to 60 s, and some may have passed. */
	return holds("ip addr show dev %s | grep -F -A1 ' %s ' | "
		     "sed -E 's/valid_lft (60|5[5-9])sec/rounded/' | grep -qwF '%s'",
		     row->interface, row->text, word);
}

static void an_address_comes_with_mark_and_lifetime_and_goes(void **state)
{
	struct own_net *net = *state;

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		add_vip(net, 0, shown[i].text, shown[i].interface);
	open_vip(net);
	assert_int_equal(vip_acquire(net->vip, 0, 119 * HBD_S_NS / 2, NULL), 0);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		const struct shown *row = &shown[i];

		if (!has(row->interface, row->text))
			fail_msg("%s: %s is not there", row->name, row->text);
		for (size_t k = 0; k < 4 && row->with[k]; k++) {
			if (!shows(row, row->with[k]))
				fail_msg("%s: not '%s'", row->name, row->with[k]);
		}
		if (shows(row, row->without))
			fail_msg("%s: '%s'", row->name, row->without);
	}
	assert_int_equal(marked(), sizeof(shown) / sizeof(shown[0]));
	assert_true(holds("ip -6 route show fd77::/64 dev eth0 | grep -qv expires"));
	assert_true(holds("ip -6 route show fd99::/64 dev eth0 | grep -q fd99"));
	assert_int_equal(vip_release(net->vip, 0, NULL), 0);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		assert_false(has(shown[i].interface, shown[i].text));
	assert_true(has("eth0", "10.77.0.1/24"));
	assert_true(holds("ip -6 route show fd77::/64 dev eth0 | grep -q fd77"));
	/* This one the kernel leaves until its lifetime ends. */
	assert_true(holds("ip -6 route show fd99::/64 dev eth0 | grep -q 'expires 5'"));
	assert_false(holds("ip -6 route | grep -q fd77::101"));
}

static void doing_it_twice_changes_nothing(void **state)
{
	struct own_net *net = *state;

	add_vip(net, 0, "10.77.0.100/24", "eth0");
	add_vip(net, 0, "fd77::100/64", "eth0");
	open_vip(net);
	for (int i = 0; i < 2; i++)
		assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
	assert_true(has("eth0", "10.77.0.100/24") && has("eth0", "fd77::100/64"));
	for (int i = 0; i < 2; i++)
		assert_int_equal(vip_release(net->vip, 0, NULL), 0);
	assert_false(has("eth0", "10.77.0.100/24") || has("eth0", "fd77::100/64"));
}

static void an_address_that_is_there_is_adopted(void **state)
{
	struct own_net *net = *state;

	run("ip addr add 10.77.0.100/24 dev eth0 && ip addr add fd77::100/80 dev eth0");
	add_vip(net, 0, "10.77.0.100/24", "eth0");
	add_vip(net, 0, "fd77::100/64", "eth0");
	open_vip(net);
	assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
	assert_int_equal(marked(), 2);
	assert_false(holds("ip addr show dev eth0 | grep -A1 100/ | grep -q forever"));
	settle(net);
	assert_int_equal(vip_release(net->vip, 0, NULL), 0);
	assert_false(has("eth0", "10.77.0.100/24") || has("eth0", "fd77::100/80"));
}

static void after_release_the_address_is_gone_with_every_prefix(void **state)
{
	struct own_net *net = *state;

	run("ip addr add 10.77.0.100/32 dev eth0 && ip addr add 10.77.0.100/32 dev lo");
	add_vip(net, 0, "10.77.0.100/24", "eth0");
	open_vip(net);
	assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
	assert_int_equal(vip_release(net->vip, 0, NULL), 0);
	assert_false(has("eth0", "10.77.0.100/24") || has("eth0", "10.77.0.100/32"));
	assert_true(has("lo", "10.77.0.100/32"));
	run("ip addr del 10.77.0.100/32 dev lo");
}

static void without_privilege_opening_says_so(void **state)
{
	struct own_net *net = *state;
	int status;
	pid_t child = fork();

	if (child == 0) {
		capng_clear(CAPNG_SELECT_BOTH);
		if (capng_apply(CAPNG_SELECT_BOTH) != 0)
			_exit(2);
		_exit(vip_open(&net->conf, 0, &net->vip) == -EPERM ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* ---- lifetime ---- */

static bool readable(const struct own_net *net)
{
	fd_set set;
	struct timeval none = { 0 };

	FD_ZERO(&set);
	FD_SET(vip_fd(net->vip), &set);
	return select(vip_fd(net->vip) + 1, &set, NULL, NULL, &none) == 1;
}

static void a_renewal_too_early_asks_the_kernel_nothing(void **state)
{
	struct own_net *net = *state;
	int64_t now_ns;

	add_vip(net, 0, "10.77.0.100/24", "eth0");
	open_vip(net);
	assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
	now_ns = clock_now_ns();
	settle(net);
	assert_int_equal(vip_restore(net->vip, 0, LIFETIME_NS, NULL), 0);
	assert_int_equal(vip_renew(net->vip, 0, LIFETIME_NS, now_ns + 29 * HBD_S_NS), 0);
	assert_false(readable(net));
	assert_int_equal(vip_renew(net->vip, 0, LIFETIME_NS, now_ns + 30 * HBD_S_NS), 0);
	assert_true(readable(net));
	settle(net);
	assert_int_equal(vip_renew(net->vip, 0, LIFETIME_NS, now_ns + 31 * HBD_S_NS), 0);
	assert_false(readable(net));
	assert_int_equal(vip_renew(net->vip, 0, HBD_S_NS, now_ns + 32 * HBD_S_NS), 0);
	assert_true(holds("ip addr show dev eth0 | grep -A1 -F 10.77.0.100/24 | "
			  "grep -qE 'valid_lft [01]sec'"));
}

static void renewed_addresses_stay_and_others_vanish(void **state)
{
	struct own_net *net = *state;
	int64_t until_ns = clock_now_ns() + 5 * HBD_S_NS / 2;

	add_vip(net, 0, "10.77.0.100/24", "eth0");
	add_vip(net, 0, "fd77::100/64", "eth0");
	add_vip(net, 1, "10.77.0.200/24", "eth0");
	open_vip(net);
	assert_int_equal(vip_acquire(net->vip, 0, HBD_S_NS, NULL), 0);
	assert_int_equal(vip_acquire(net->vip, 1, HBD_S_NS, NULL), 0);
	while (clock_now_ns() < until_ns) {
		settle(net);
		assert_int_equal(vip_renew(net->vip, 0, HBD_S_NS, clock_now_ns()), 0);
	}
	assert_true(has("eth0", "10.77.0.100/24") && has("eth0", "fd77::100/64"));
	assert_false(has("eth0", "10.77.0.200/24"));
	assert_int_equal(count_news(net, VIP_NEWS_MISSING), 1);
	assert_int_equal(wait_news(net, VIP_NEWS_MISSING).group, 1);
}

static void a_renewal_takes_over_what_someone_made_permanent(void **state)
{
	struct own_net *net = *state;

	add_vip(net, 0, "10.77.0.100/24", "eth0");
	open_vip(net);
	assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
	run("ip addr change 10.77.0.100/24 dev eth0 valid_lft forever preferred_lft forever");
	settle(net);
	assert_int_equal(vip_renew(net->vip, 0, LIFETIME_NS, clock_now_ns() + 31 * HBD_S_NS), 0);
	assert_false(holds("ip addr show dev eth0 | grep -A1 10.77.0.100 | grep -q forever"));
}

/* Renewals that the kernel tells of, in their order. */
struct renewals {
	size_t count;
	uint32_t last;
	bool in_order;
};

static void note_renewal(void *context, const struct rtnl_address *address, bool gone)
{
	struct renewals *renewals = context;
	uint32_t bits = ntohl(address->address.v4.s_addr);

	renewals->in_order &= !gone && bits > renewals->last;
	renewals->last = bits;
	renewals->count++;
}

static void many_renewals_are_spread_oldest_first(void **state)
{
	struct renewals renewals = { .in_order = true };
	const struct rtnl_handlers handlers = { .context = &renewals, .address = note_renewal };
	struct own_net *net = *state;
	struct rtnl *watcher;
	size_t before, most = 0, calls = 0;
	int64_t now_ns;
	char text[64];

	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "10.90.%d.%d/32", i / 250, i % 250 + 1);
		add_vip(net, 0, text, "eth0");
	}
	open_vip(net);
	/* from when it began, however long that takes on a busy machine */
	now_ns = clock_now_ns();
	assert_int_equal(vip_acquire(net->vip, 0, 4 * HBD_S_NS, NULL), 0);
	assert_int_equal(rtnl_open(true, 0, &watcher), 0);
	/* The caller comes every 10 ms, and all must be renewed within one second. */
	for (int64_t at_ns = 1900 * HBD_MS_NS; at_ns < 3000 * HBD_MS_NS; at_ns += 10 * HBD_MS_NS) {
		before = renewals.count;
		assert_int_equal(vip_renew(net->vip, 0, 4 * HBD_S_NS, now_ns + at_ns), 0);
		assert_int_equal(rtnl_read_events(watcher, &handlers), 0);
		calls += renewals.count > before;
		if (renewals.count - before > most)
			most = renewals.count - before;
	}
	rtnl_close(watcher);
	assert_int_equal(renewals.count, 1000);
	assert_true(renewals.in_order);
	assert_in_range(calls, 85, 100);
	assert_in_range(most, 8, 12);
}

static void a_route_outlives_our_address_once_another_needs_it(void **state)
{
	struct own_net *net = *state;

	add_vip(net, 0, "fd99::100/64", "eth0");
	open_vip(net);
	assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
	run("ip addr add fd99::1/64 dev eth0 nodad");
	settle(net);
	assert_int_equal(vip_renew(net->vip, 0, LIFETIME_NS, clock_now_ns() + 31 * HBD_S_NS), 0);
	assert_int_equal(vip_release(net->vip, 0, NULL), 0);
	assert_true(holds("ip -6 route show fd99::/64 dev eth0 | grep -q proto"));
	assert_false(holds("ip -6 route show fd99::/64 dev eth0 | grep -q expires"));
}

/* ---- sweep ---- */

static void a_sweep_removes_ours_and_nothing_else(void **state)
{
	struct own_net *net = *state;

	add_vip(net, 0, "10.77.0.100/24", "eth0");
	add_vip(net, 1, "fd77::100/64", "eth0");
	open_vip(net);
	assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
	assert_int_equal(vip_acquire(net->vip, 1, LIFETIME_NS, NULL), 0);
	/* Configured, not marked; configured for another interface; neither. */
	run("ip addr add 10.77.0.100/32 dev eth0; ip addr add 10.77.0.100/32 dev eth1");
	run("ip addr add 10.77.0.7/24 dev eth0");
	/* Marked, not configured any more. */
	net->conf.group_count = 1;
	assert_int_equal(vip_sweep(&net->conf, false), 2);
	assert_true(has("eth0", "fd77::100/64"));
	assert_int_equal(vip_sweep(&net->conf, true), 1);
	assert_false(has("eth0", "10.77.0.100/24") || has("eth0", "10.77.0.100/32"));
	assert_false(has("eth0", "fd77::100/64"));
	assert_true(has("eth0", "10.77.0.1/24") && has("eth0", "fd77::1/64"));
	assert_true(has("eth0", "10.77.0.7/24") && has("eth1", "10.77.0.100/32"));
	assert_true(has("lo", "127.0.0.1/8"));
	assert_int_equal(vip_sweep(&net->conf, true), 0);
}

/* ---- the first address of a subnet ---- */

enum going { RELEASED, EXPIRED, SWEPT };

static void others_outlive_our_first_address(void **state)
{
	for (enum going going = RELEASED; going <= SWEPT; going++) {
		struct own_net *net = *state;

		net->conf.groups[0].vip_count = 0;
		add_vip(net, 0, "10.99.0.100/24", "eth1");
		open_vip(net);
		assert_int_equal(vip_acquire(net->vip, 0, HBD_S_NS, NULL), 0);
		if (going != SWEPT)
			settle(net);
		run("ip addr add 10.99.0.1/24 dev eth1 && ip -o addr show dev eth1 | "
		    "grep -F 10.99.0.1/24 | grep -q secondary");
		if (going == RELEASED)
			assert_int_equal(vip_release(net->vip, 0, NULL), 0);
		else if (going == EXPIRED)
			assert_int_equal(wait_news(net, VIP_NEWS_MISSING).group, 0);
		else
			assert_int_equal(vip_sweep(&net->conf, true), 1);
		assert_false(has("eth1", "10.99.0.100/24"));
		if (!has("eth1", "10.99.0.1/24"))
			fail_msg("way %d of going took another's address", going);
		assert_true(holds("ip route show 10.99.0.0/24 dev eth1 | grep -q 'src 10.99.0.1'"));
		run("ip addr del 10.99.0.1/24 dev eth1");
		run("sysctl -qw net.ipv4.conf.eth1.promote_secondaries=0");
		vip_close(net->vip);
		net->vip = NULL;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(an_address_comes_with_mark_and_lifetime_and_goes),
		TEST(doing_it_twice_changes_nothing),
		TEST(an_address_that_is_there_is_adopted),
		TEST(after_release_the_address_is_gone_with_every_prefix),
		TEST(without_privilege_opening_says_so),
		TEST(a_renewal_too_early_asks_the_kernel_nothing),
		TEST(renewed_addresses_stay_and_others_vanish),
		TEST(a_renewal_takes_over_what_someone_made_permanent),
		TEST(a_route_outlives_our_address_once_another_needs_it),
		TEST(many_renewals_are_spread_oldest_first),
		TEST(a_sweep_removes_ours_and_nothing_else),
		TEST(others_outlive_our_first_address),
	};

	own_net_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
