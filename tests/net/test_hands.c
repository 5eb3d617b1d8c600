/* The thread for addresses, on real interfaces: whoever asks does not wait. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../hbd/core/time.h"
#include "../../hbd/io/clock.h"
#include "../../hbd/io/hands.h"
#include "own_net.h"

#define PATIENCE_MS 5000
#define LEASE_NS (28 * HBD_MS_NS)

struct bed {
	struct own_net *net;
	struct announce *announce;
	struct ask *ask;
	struct hands *hands;
};

static int setup(void **state)
{
	static struct bed bed;

	bed = (struct bed){ .net = own_net_make() };
	*state = &bed;
	return 0;
}

static int teardown(void **state)
{
	struct bed *bed = *state;

	hands_close(bed->hands);
	ask_close(bed->ask);
	announce_close(bed->announce);
	own_net_free(bed->net);
	return 0;
}

static void open_hands(struct bed *bed)
{
	struct ask_sockets sockets;
	int fd;

	open_vip(bed->net);
	assert_int_equal(announce_socket(&fd), 0);
	assert_int_equal(announce_open(&bed->net->conf, bed->net->vip, fd, &bed->announce), 0);
	assert_int_equal(ask_sockets_open(&sockets), 0);
	assert_int_equal(ask_open(&bed->net->conf, bed->net->vip, fd, &sockets, &bed->ask), 0);
	assert_int_equal(hands_open(&bed->net->conf,
				    &(struct hands_tools){ bed->net->vip, bed->announce, bed->ask },
				    false, &bed->hands),
			 0);
}

static void lease(struct bed *bed, uint8_t group, int64_t length_ns)
{
	hands_lease(bed->hands, group, clock_now_ns() + length_ns);
}

/* The next report; the lease of group 0 is kept in force meanwhile if asked for. */
static struct hands_report wait_report(struct bed *bed, bool keep_lease)
{
	int64_t until_ns = clock_now_ns() + PATIENCE_MS * HBD_MS_NS;
	struct pollfd wait = { .fd = hands_fd(bed->hands), .events = POLLIN };
	struct hands_report report;

	while (clock_now_ns() < until_ns) {
		if (keep_lease)
			lease(bed, 0, LEASE_NS);
		poll(&wait, 1, 10);
		/* of the bed's own interfaces, at the start */
		if (hands_take(bed->hands, &report) && report.type != HANDS_STATION)
			return report;
	}
	fail_msg("no report came");
	return (struct hands_report){ 0 };
}

static void wait_done(struct bed *bed, uint64_t id, int result)
{
	struct hands_report report = wait_report(bed, false);

	while (report.type != HANDS_DONE)
		report = wait_report(bed, false);
	assert_int_equal(report.id, id);
	assert_int_equal(report.result, result);
}

static void keep_lease_for(struct bed *bed, int64_t length_ns)
{
	int64_t until_ns = clock_now_ns() + length_ns;

	while (clock_now_ns() < until_ns) {
		lease(bed, 0, LEASE_NS);
		poll(NULL, 0, 10);
	}
}

static void addresses_come_and_go_as_asked(void **state)
{
	struct bed *bed = *state;

	add_vip(bed->net, 0, "10.77.0.100/24", "eth0");
	add_vip(bed->net, 0, "fd77::100/64", "eth0");
	open_hands(bed);
	lease(bed, 0, HBD_S_NS);
	hands_acquire(bed->hands, 0, 7);
	wait_done(bed, 7, 0);
	assert_true(has("eth0", "10.77.0.100/24") && has("eth0", "fd77::100/64"));
	hands_announce(bed->hands, 0);
	hands_release(bed->hands, 0, 8);
	wait_done(bed, 8, 0);
	assert_false(has("eth0", "10.77.0.100/24") || has("eth0", "fd77::100/64"));
}

static void an_address_that_failed_is_named(void **state)
{
	struct bed *bed = *state;
	struct hands_report report;

	add_vip(bed->net, 0, "10.77.0.100/24", "eth0");
	add_vip(bed->net, 0, "10.99.0.100/24", "none0");
	open_hands(bed);
	lease(bed, 0, HBD_S_NS);
	hands_acquire(bed->hands, 0, 7);
	report = wait_report(bed, false);
	assert_int_equal(report.type, HANDS_DONE);
	assert_int_equal(report.result, -ENODEV);
	assert_int_equal(report.failed_vip, 1);
}

static void add_many(struct bed *bed)
{
	char text[64];

	for (int i = 0; i < 600; i++) {
		snprintf(text, sizeof(text), "fd90::%d:%d/64", i / 250, i % 250 + 1);
		add_vip(bed->net, 0, text, "eth0");
	}
}

static void many_addresses_keep_nobody_waiting(void **state)
{
	struct bed *bed = *state;
	struct hands_report report;
	int64_t asked_ns, free_ns;

	add_many(bed);
	open_hands(bed);
	lease(bed, 0, PATIENCE_MS * HBD_MS_NS);
	asked_ns = clock_now_ns();
	hands_acquire(bed->hands, 0, 7);
	free_ns = clock_now_ns();
	while (hands_take(bed->hands, &report))
		assert_int_equal(report.type, HANDS_STATION);
	wait_done(bed, 7, 0);
	/* what is compared is one store beside some hundred milliseconds of the kernel's work */
	assert_true(free_ns - asked_ns < (clock_now_ns() - asked_ns) / 2);
}

static void a_release_drops_what_was_not_begun(void **state)
{
	struct bed *bed = *state;

	add_many(bed);
	add_vip(bed->net, 1, "10.77.0.101/24", "eth0");
	open_hands(bed);
	lease(bed, 0, PATIENCE_MS * HBD_MS_NS);
	lease(bed, 1, PATIENCE_MS * HBD_MS_NS);
	hands_acquire(bed->hands, 0, 7);
	/* the thread is busy with the other group now, or will be */
	poll(NULL, 0, 20);
	hands_acquire(bed->hands, 1, 8);
	hands_announce(bed->hands, 1);
	hands_release(bed->hands, 1, 9);
	wait_done(bed, 7, 0);
	wait_done(bed, 9, 0);
	assert_false(has("eth0", "10.77.0.101/24"));
}

static void without_a_lease_nothing_is_added(void **state)
{
	struct bed *bed = *state;

	add_vip(bed->net, 0, "10.77.0.100/24", "eth0");
	open_hands(bed);
	lease(bed, 0, -HBD_MS_NS);
	hands_acquire(bed->hands, 0, 7);
	wait_done(bed, 7, -ETIME);
	assert_false(has("eth0", "10.77.0.100/24"));
}

static void addresses_stay_as_long_as_their_lease_is_renewed(void **state)
{
	struct bed *bed = *state;

	add_vip(bed->net, 0, "10.77.0.100/24", "eth0");
	open_hands(bed);
	lease(bed, 0, LEASE_NS);
	hands_acquire(bed->hands, 0, 7);
	wait_done(bed, 7, 0);
	keep_lease_for(bed, 3500 * HBD_MS_NS);
	assert_true(has("eth0", "10.77.0.100/24"));
	/* and then vanish by themselves: the kernel removes them and is not asked for more */
	poll(NULL, 0, 3500);
	assert_false(has("eth0", "10.77.0.100/24"));
}

static void a_deleted_address_is_told_and_put_back(void **state)
{
	struct bed *bed = *state;
	struct hands_report report;

	add_vip(bed->net, 0, "10.77.0.100/24", "eth0");
	open_hands(bed);
	lease(bed, 0, LEASE_NS);
	hands_acquire(bed->hands, 0, 7);
	wait_done(bed, 7, 0);
	run("ip addr del 10.77.0.100/24 dev eth0");
	report = wait_report(bed, true);
	assert_int_equal(report.type, HANDS_NEWS);
	assert_int_equal(report.news.type, VIP_NEWS_MISSING);
	hands_restore(bed->hands, 0);
	keep_lease_for(bed, 200 * HBD_MS_NS);
	assert_true(has("eth0", "10.77.0.100/24"));
}

static void an_address_that_cannot_be_put_back_is_tried_again(void **state)
{
	struct bed *bed = *state;

	add_vip(bed->net, 0, "fd78::100/64", "eth1");
	open_hands(bed);
	lease(bed, 0, LEASE_NS);
	hands_acquire(bed->hands, 0, 7);
	wait_done(bed, 7, 0);
	run("sysctl -qw net.ipv6.conf.eth1.disable_ipv6=1");
	keep_lease_for(bed, 100 * HBD_MS_NS);
	hands_restore(bed->hands, 0);
	keep_lease_for(bed, 100 * HBD_MS_NS);
	assert_false(has("eth1", "fd78::100/64"));
	run("sysctl -qw net.ipv6.conf.eth1.disable_ipv6=0");
	keep_lease_for(bed, 1500 * HBD_MS_NS);
	assert_true(has("eth1", "fd78::100/64"));
}

static void the_end_waits_for_nobody_who_reads_reports(void **state)
{
	struct bed *bed = *state;

	add_vip(bed->net, 0, "10.77.0.100/24", "eth0");
	open_hands(bed);
	lease(bed, 0, PATIENCE_MS * HBD_MS_NS);
	/* far more reports than the kernel keeps */
	for (uint64_t id = 1; id < 800; id++) {
		hands_release(bed->hands, 0, id);
		poll(NULL, 0, 1);
	}
	hands_close(bed->hands);
	bed->hands = NULL;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(addresses_come_and_go_as_asked),
		TEST(an_address_that_failed_is_named),
		TEST(many_addresses_keep_nobody_waiting),
		TEST(a_release_drops_what_was_not_begun),
		TEST(without_a_lease_nothing_is_added),
		TEST(addresses_stay_as_long_as_their_lease_is_renewed),
		TEST(a_deleted_address_is_told_and_put_back),
		TEST(an_address_that_cannot_be_put_back_is_tried_again),
		TEST(the_end_waits_for_nobody_who_reads_reports),
	};

	own_net_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
