/* Many addresses: what batches cost, and what happens when the kernel's messages do not fit. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "../../hbd/core/time.h"
#include "../../hbd/io/clock.h"
#include "../../hbd/io/rtnl.h"
#include "own_net.h"

#define LIFETIME_NS (60 * HBD_S_NS)
#define MANY 1000

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

static const struct kind {
	const char *name, *format;
} kinds[] = {
	{ "IPv4 in one subnet", "10.90.%d.%d/16" },
	{ "IPv4 without subnet", "10.90.%d.%d/32" },
	{ "IPv6 in one subnet", "fd90::%d:%d/64" },
	{ "IPv6 without subnet", "fd90::%d:%d/128" },
};

static void add_many(struct own_net *net, const char *format, int count)
{
	char text[64];

	net->conf.groups[0].vip_count = 0;
	for (int i = 0; i < count; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof(text), format, i / 250, i % 250 + 1);
#pragma GCC diagnostic pop
		add_vip(net, 0, text, "eth0");
	}
}

static double ms_since(int64_t start_ns)
{
	return (double)(clock_now_ns() - start_ns) / 1e6;
}

static size_t count_addresses(void)
{
	FILE *stream = popen("ip -o addr show dev eth0 | grep -c ' dynamic '", "r");
	size_t count = 0;

	assert_int_equal(fscanf(stream, "%zu", &count), 1);
	pclose(stream);
	return count;
}

/* Reported, not judged: the machine may be busy. */
static void a_thousand_addresses_come_stay_and_go(void **state)
{
	struct own_net *net = *state;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		double acquire, dispatch, renew, release, sweep;
		int64_t start_ns;

		add_many(net, kinds[i].format, MANY);
		open_vip(net);
		start_ns = clock_now_ns();
		assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
		acquire = ms_since(start_ns);
		assert_int_equal(count_addresses(), MANY);
		start_ns = clock_now_ns();
		vip_dispatch(net->vip, NULL, NULL);
		dispatch = ms_since(start_ns);
		start_ns = clock_now_ns();
		assert_int_equal(vip_renew(net->vip, 0, LIFETIME_NS, start_ns + 40 * HBD_S_NS), 0);
		renew = ms_since(start_ns);
		start_ns = clock_now_ns();
		assert_int_equal(vip_release(net->vip, 0, NULL), 0);
		release = ms_since(start_ns);
		assert_int_equal(count_addresses(), 0);
		assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
		start_ns = clock_now_ns();
		assert_int_equal(vip_sweep(&net->conf, true), MANY);
		sweep = ms_since(start_ns);
		assert_int_equal(count_addresses(), 0);
		printf("%d %s: acquire %.1f ms, events %.1f ms, renew all %.1f ms, "
		       "release %.1f ms, sweep %.1f ms\n",
		       MANY, kinds[i].name, acquire, dispatch, renew, release, sweep);
		vip_close(net->vip);
		net->vip = NULL;
	}
}

/* The kernel tells of added IPv6 addresses one by one, long after it answered. */
static void adding_many_again_is_no_news(void **state)
{
	struct own_net *net = *state;

	add_many(net, "fd90::%d:%d/64", 200);
	open_vip(net);
	assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
	for (int i = 0; i < 5; i++) {
		settle(net);
		assert_int_equal(vip_release(net->vip, 0, NULL), 0);
		assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
	}
	settle(net);
	assert_int_equal(net->news_count, 0);
}

static void request_many(struct rtnl_request *requests, size_t count, enum rtnl_verb verb)
{
	for (size_t i = 0; i < count; i++) {
		requests[i] = (struct rtnl_request){
			.verb = verb,
			.ifindex = (int)if_nametoindex("eth0"),
			.address = { .family = AF_INET, .v4 = { htonl(0x0a5a0000 + (uint32_t)i) } },
			.prefix = 32,
			.lifetime_s = 60,
		};
	}
}

static void answers_that_do_not_fit_are_asked_for_again(void **state)
{
	struct rtnl_request requests[300];
	struct rtnl *rtnl;

	(void)state;
	/* The smallest buffer there is holds a handful of answers. */
	assert_int_equal(rtnl_open(false, 1, &rtnl), 0);
	request_many(requests, 300, RTNL_ADD);
	requests[150].ifindex = 4711;
	rtnl_apply(rtnl, requests, 300);
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(requests[i].result, i == 150 ? -ENODEV : 0);
	assert_int_equal(count_addresses(), 299);
	request_many(requests, 300, RTNL_REMOVE);
	rtnl_apply(rtnl, requests, 300);
	for (size_t i = 0; i < 300; i++)
		assert_true(rtnl_is_gone(requests[i].result));
	assert_int_equal(count_addresses(), 0);
	rtnl_close(rtnl);
}

static int error_of(int fd)
{
	int error = 0;
	socklen_t length = sizeof(error);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length), 0);
	return error;
}

/* More events than fit, with one among them that matters. */
static void lost_events_are_made_up_for(void **state)
{
	static struct rtnl_request requests[2000];
	struct own_net *net = *state;
	struct rtnl *rtnl;
	int small = 1;

	add_vip(net, 0, "10.77.0.100/24", "eth0");
	add_vip(net, 1, "10.78.0.100/24", "eth1");
	open_vip(net);
	assert_int_equal(vip_acquire(net->vip, 0, LIFETIME_NS, NULL), 0);
	settle(net);
	forget_news(net);
	assert_int_equal(rtnl_open(false, 0, &rtnl), 0);
	setsockopt(vip_fd(net->vip), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (enum rtnl_verb verb = RTNL_ADD; verb <= RTNL_REMOVE; verb++) {
		request_many(requests, 2000, verb);
		rtnl_apply(rtnl, requests, 2000);
	}
	rtnl_close(rtnl);
	run("ip addr del 10.77.0.100/24 dev eth0; ip link del eth1");
	assert_int_equal(wait_news(net, VIP_NEWS_MISSING).group, 0);
	assert_false(wait_news(net, VIP_NEWS_INTERFACE).usable);
	assert_false(wait_news(net, VIP_NEWS_LINK).usable);
	assert_int_equal(error_of(vip_fd(net->vip)), 0);
	assert_int_equal(vip_restore(net->vip, 0, LIFETIME_NS, NULL), 0);
	assert_true(has("eth0", "10.77.0.100/24"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_thousand_addresses_come_stay_and_go),
		TEST(adding_many_again_is_no_news),
		TEST(answers_that_do_not_fit_are_asked_for_again),
		TEST(lost_events_are_made_up_for),
	};

	own_net_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
