/* Two real engines: who serves, and what becomes of it when one is stopped, killed or asked. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

#include "../../hbd/core/time.h"
#include "../../hbd/io/udp.h"
#include "engine_bed.h"

static int setup(void **state)
{
	*state = engine_bed_make("lan", false);
	return 0;
}

static int setup_with_plugin(void **state)
{
	*state = engine_bed_make("lan", true);
	return 0;
}

static int teardown(void **state)
{
	engine_bed_free(*state);
	return 0;
}

static int64_t grant_ms(const struct engine_bed *bed)
{
	return bed->conf->profile.grant_ns / HBD_MS_NS;
}

static json_int_t number(struct engine_bed *bed, int node, const char *object, const char *name)
{
	json_t *status = engine_ask(bed, node, "{\"command\": \"status\"}\n");
	json_int_t value;

	assert_non_null(status);
	value = json_integer_value(json_object_get(json_object_get(status, object), name));
	json_decref(status);
	return value;
}

static void one_of_two_serves(void **state)
{
	struct engine_bed *bed = *state;
	int primary = engine_start_pair(bed);

	assert_true(bed->sides[0].ready && bed->sides[1].ready);
	assert_true(engine_has_vip(bed, primary));
	assert_false(engine_has_vip(bed, 1 - primary));
	assert_non_null(strstr(bed->sides[primary].status, "is alive; web: primary since 2"));
	assert_int_equal(engine_count_alerts(bed, primary, HBD_ALERT_TAKEOVER), 1);
	assert_string_equal(bed->sides[primary].alerts[0].group, "web");
	assert_true(bed->sides[primary].alerts[0].peer_alive);
	assert_int_equal(engine_count_alerts(bed, 1 - primary, HBD_ALERT_TAKEOVER), 0);
	for (int i = 0; i < HBD_NODES; i++)
		assert_true(clock_now_ns() - bed->sides[i].shared->progress_ns < HBD_S_NS);
}

static void a_stop_hands_over_and_leaves_nothing(void **state)
{
	struct engine_bed *bed = *state;
	const struct message stop = { .type = MESSAGE_STOP };
	int primary = engine_start_pair(bed);

	engine_send(bed, primary, &stop);
	assert_int_equal(engine_wait_end(bed, primary), 0);
	assert_true(bed->sides[primary].stopped);
	assert_false(engine_has_vip(bed, primary));
	engine_wait_role(bed, 1 - primary, "primary", 1000);
	assert_true(engine_has_vip(bed, 1 - primary));
	assert_string_equal(bed->conf->nodes[primary].name, bed->sides[1 - primary].alerts[0].peer);
	assert_non_null(strstr(bed->sides[1 - primary].status, "no standby"));
}

static void the_end_of_the_guardian_is_a_stop(void **state)
{
	struct engine_bed *bed = *state;
	int primary = engine_start_pair(bed);

	close(bed->sides[primary].guardian);
	bed->sides[primary].guardian = -1;
	assert_int_equal(engine_wait_end(bed, primary), 0);
	assert_false(engine_has_vip(bed, primary));
	engine_wait_role(bed, 1 - primary, "primary", 1000);
}

/* It wakes with a long queue of heartbeats and a promise that is over: it must not claim. */
static void a_secondary_that_was_stopped_does_not_claim_when_it_goes_on(void **state)
{
	struct engine_bed *bed = *state;
	int primary = engine_start_pair(bed);
	int secondary = 1 - primary;

	for (int round = 0; round < 3; round++) {
		kill(bed->sides[secondary].pid, SIGSTOP);
		engine_pump(bed, (int)(3 * grant_ms(bed)));
		kill(bed->sides[secondary].pid, SIGCONT);
		engine_pump(bed, (int)grant_ms(bed));
	}
	assert_string_equal(engine_role(bed, primary), "primary");
	assert_string_equal(engine_role(bed, secondary), "secondary");
	assert_int_equal(engine_count_alerts(bed, secondary, HBD_ALERT_TAKEOVER), 0);
	assert_int_equal(engine_count_alerts(bed, primary, HBD_ALERT_TAKEOVER), 1);
	/* and it knows */
	assert_true(number(bed, secondary, "loop", "stalls") >= 3);
	assert_true(number(bed, secondary, "loop", "longest_late_us") >= 2000 * grant_ms(bed));
}

static void a_primary_that_was_stopped_lets_go_when_it_goes_on(void **state)
{
	struct engine_bed *bed = *state;
	int primary = engine_start_pair(bed);

	kill(bed->sides[primary].pid, SIGSTOP);
	engine_wait_role(bed, 1 - primary, "primary", (int)grant_ms(bed) + 1500);
	/* by then its addresses have gone by themselves */
	engine_pump(bed, 2500);
	assert_false(engine_has_vip(bed, primary));
	kill(bed->sides[primary].pid, SIGCONT);
	engine_wait_role(bed, primary, "secondary", 1000);
	assert_false(engine_has_vip(bed, primary));
	assert_true(engine_has_vip(bed, 1 - primary));
	engine_pump(bed, 500);
	assert_string_equal(engine_role(bed, 1 - primary), "primary");
}

static void a_dead_engine_leaves_a_will_that_its_peer_heeds_at_once(void **state)
{
	struct engine_bed *bed = *state;
	int primary = engine_start_pair(bed);
	struct engine_side *dead = &bed->sides[primary];
	int64_t sent_ns;
	int before = -1, fd;
	const char *what;

	kill(dead->pid, SIGKILL);
	engine_wait_end(bed, primary);
	if (primary == 1)
		before = far_net_enter(bed->far);
	run("ip addr del 10.77.0.100/24 dev lan0");
	assert_int_equal(udp_open(bed->conf, (uint8_t)primary, 1, &fd, &what), 0);
	if (before >= 0)
		far_net_leave(before);
	assert_true(dead->shared->wills[0].length > 0);
	sent_ns = clock_now_ns();
	assert_int_equal(udp_send(fd, dead->shared->wills[1].bytes, dead->shared->wills[1].length),
			 0);
	close(fd);
	while (!engine_has_vip(bed, 1 - primary) && clock_now_ns() < sent_ns + HBD_S_NS)
		;
	assert_true(clock_now_ns() - sent_ns < (grant_ms(bed) - 200) * HBD_MS_NS);
	engine_pump(bed, 20);
	assert_int_equal(bed->sides[1 - primary].alerts[0].reason, HBD_REASON_PEER_DIED);
}

static void a_peer_that_does_not_listen_is_counted(void **state)
{
	struct engine_bed *bed = *state;
	int primary = engine_start_pair(bed);
	/* of the time when only one of both was there */
	json_int_t before = number(bed, primary, "peer", "unreachable");

	kill(bed->sides[1 - primary].pid, SIGKILL);
	engine_wait_end(bed, 1 - primary);
	engine_pump(bed, 300);
	assert_true(number(bed, primary, "peer", "unreachable") > before);
	/* which is no trouble of the links here */
	assert_string_equal(engine_role(bed, primary), "primary");
	assert_int_equal(engine_count_alerts(bed, primary, HBD_ALERT_LINK_LOST), 0);
}

static void an_address_that_someone_deletes_is_put_back(void **state)
{
	struct engine_bed *bed = *state;
	int primary = engine_start_pair(bed);
	int64_t deleted_ns;

	run_at(bed, primary, "ip addr del 10.77.0.100/24 dev lan0");
	deleted_ns = clock_now_ns();
	while (!engine_has_vip(bed, primary) && clock_now_ns() < deleted_ns + HBD_S_NS)
		;
	/* most of it is the shell that looks */
	assert_true(clock_now_ns() - deleted_ns < 200 * HBD_MS_NS);
	engine_pump(bed, 50);
	assert_string_equal(engine_role(bed, primary), "primary");
	assert_int_equal(engine_count_alerts(bed, primary, HBD_ALERT_ADDRESS_RESTORED), 1);
	assert_int_equal(engine_count_alerts(bed, primary, HBD_ALERT_RELEASED), 0);
}

static void an_interface_without_carrier_moves_the_group(void **state)
{
	struct engine_bed *bed = *state;
	int primary = engine_start_pair(bed);
	const struct record_alert *alert;

	bed->sides[primary].alert_count = 0;
	run_at(bed, primary, "ip link set far-lan0 down");
	engine_wait_role(bed, 1 - primary, "primary", 1000);
	engine_wait_role(bed, primary, "fault", 1000);
	assert_false(engine_has_vip(bed, primary));
	alert = &bed->sides[primary].alerts[0];
	assert_int_equal(alert->kind, HBD_ALERT_FAULT);
	assert_string_equal(alert->detail, "interface lan0 missing, down or without carrier");
	run_at(bed, primary, "ip link set far-lan0 up");
	engine_wait_role(bed, primary, "secondary", 1000);
	assert_int_equal(engine_count_alerts(bed, primary, HBD_ALERT_HEALED), 1);
}

static bool all_links_are_up(struct engine_bed *bed, int node)
{
	json_t *status = engine_ask(bed, node, "{\"command\": \"status\"}\n");
	json_t *links = json_object_get(status, "links");
	size_t up = 0;

	for (size_t i = 0; i < json_array_size(links); i++) {
		json_t *verdict = json_object_get(json_array_get(links, i), "verdict");

		up += strcmp(json_string_value(verdict), "up") == 0;
	}
	json_decref(status);
	return up == 2;
}

static void a_link_that_is_made_anew_gets_a_new_socket(void **state)
{
	struct engine_bed *bed = *state;
	int primary = engine_start_pair(bed);

	run("ip link del cable0");
	engine_pump(bed, 300);
	assert_false(all_links_are_up(bed, 0));
	far_net_cable(bed->far, "cable0");
	run("ip addr add 10.78.0.1/24 dev cable0");
	run_far(bed->far, "ip addr add 10.78.0.2/24 dev cable0");
	/* its loss is that of the last 32 heartbeats */
	for (int i = 0; i < 100 && !(all_links_are_up(bed, 0) && all_links_are_up(bed, 1)); i++)
		engine_pump(bed, 100);
	assert_true(all_links_are_up(bed, 0) && all_links_are_up(bed, 1));
	assert_true(bed->sides[0].sockets_asked >= 1 && bed->sides[1].sockets_asked >= 1);
	assert_string_equal(engine_role(bed, primary), "primary");
}

static void the_operator_can_hand_over(void **state)
{
	struct engine_bed *bed = *state;
	int primary = engine_start_pair(bed);
	json_t *answer;

	answer = engine_ask(bed, 1 - primary,
			    "{\"command\": \"switchover\", \"group\": \"web\"}\n");
	assert_non_null(json_object_get(answer, "error"));
	json_decref(answer);
	answer = engine_ask(bed, primary, "{\"command\": \"switchover\", \"group\": \"web\"}\n");
	assert_true(json_is_true(json_object_get(answer, "ok")));
	json_decref(answer);
	engine_wait_role(bed, 1 - primary, "primary", 1000);
	engine_wait_role(bed, primary, "secondary", 1000);
	assert_true(engine_has_vip(bed, 1 - primary));
	assert_false(engine_has_vip(bed, primary));
}

static void a_test_alert_reaches_the_scribe(void **state)
{
	struct engine_bed *bed = *state;
	json_t *answer;

	engine_start(bed, 0);
	engine_wait_role(bed, 0, "quiet", 2000);
	answer = engine_ask(bed, 0, "{\"command\": \"alert-test\"}\n");
	assert_int_equal(json_integer_value(json_object_get(answer, "id")), 1);
	json_decref(answer);
	engine_pump(bed, 20);
	assert_int_equal(bed->sides[0].alert_count, 1);
	assert_true(bed->sides[0].alerts[0].test);
	assert_string_equal(bed->sides[0].alerts[0].node, "lb1");
}

/* ---- plugins and checks, which the guardian runs ---- */

static void a_plugin_runs_before_the_addresses_come(void **state)
{
	struct engine_bed *bed = *state;
	struct message done = { .type = MESSAGE_DONE };
	struct engine_side *side;
	int primary;

	bed->plugin_result = 1;
	engine_start(bed, 0);
	engine_start(bed, 1);
	for (int i = 0; i < 500 && bed->sides[0].run_count + bed->sides[1].run_count == 0; i++)
		engine_pump(bed, 10);
	primary = bed->sides[1].run_count > 0;
	side = &bed->sides[primary];
	assert_int_equal(side->run_count, 1);
	assert_int_equal(side->runs[0].run.call, HBD_CALL_TAKEOVER);
	assert_int_equal(side->runs[0].run.step, 0);
	assert_true(side->runs[0].run.epoch > 0);
	assert_true(side->runs[0].run.timeout_ns > 0);
	engine_pump(bed, 300);
	assert_false(engine_has_vip(bed, primary));
	assert_string_equal(engine_role(bed, primary), "claiming");
	done.done.id = side->runs[0].run.id;
	engine_send(bed, primary, &done);
	engine_wait_role(bed, primary, "primary", 1000);
	assert_true(engine_has_vip(bed, primary));
}

static void a_plugin_that_fails_makes_the_other_node_serve(void **state)
{
	struct engine_bed *bed = *state;
	int primary = engine_start_pair(bed);
	int other = 1 - primary;
	const struct message stop = { .type = MESSAGE_STOP };

	bed->plugin_result = -EREMOTEIO;
	engine_send(bed, primary, &stop);
	engine_wait_end(bed, primary);
	engine_wait_role(bed, other, "fault", 1000);
	assert_false(engine_has_vip(bed, other));
	assert_int_equal(bed->sides[other].alerts[0].kind, HBD_ALERT_PLUGIN_FAILED);
	assert_string_equal(bed->sides[other].alerts[0].detail, "service (exit status 3: no disk)");
	/* retried after retry_ms */
	bed->plugin_result = 0;
	engine_wait_role(bed, other, "primary", 8000);
}

static void without_a_guardian_a_plugin_has_failed(void **state)
{
	struct engine_bed *bed = *state;
	int primary = engine_start_pair(bed);

	close(bed->sides[primary].guardian);
	bed->sides[primary].guardian = -1;
	assert_int_equal(engine_wait_end(bed, primary), 0);
	assert_false(engine_has_vip(bed, primary));
}

static void a_guardian_that_goes_takes_the_plugins_that_run_along(void **state)
{
	struct engine_bed *bed = *state;
	const struct message stop = { .type = MESSAGE_STOP };
	int primary = engine_start_pair(bed);
	struct engine_side *side = &bed->sides[primary];

	side->run_count = 0;
	bed->plugin_result = 1;
	engine_send(bed, primary, &stop);
	for (int i = 0; i < 100 && side->run_count == 0; i++)
		engine_pump(bed, 10);
	assert_int_equal(side->runs[0].run.call, HBD_CALL_RELEASE);
	close(side->guardian);
	side->guardian = -1;
	assert_int_equal(engine_wait_end(bed, primary), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_PLUGIN(name) cmocka_unit_test_setup_teardown(name, setup_with_plugin, teardown)
		TEST(one_of_two_serves),
		TEST(a_stop_hands_over_and_leaves_nothing),
		TEST(the_end_of_the_guardian_is_a_stop),
		TEST(a_secondary_that_was_stopped_does_not_claim_when_it_goes_on),
		TEST(a_primary_that_was_stopped_lets_go_when_it_goes_on),
		TEST(a_dead_engine_leaves_a_will_that_its_peer_heeds_at_once),
		TEST(a_peer_that_does_not_listen_is_counted),
		TEST(an_address_that_someone_deletes_is_put_back),
		TEST(an_interface_without_carrier_moves_the_group),
		TEST(a_link_that_is_made_anew_gets_a_new_socket),
		TEST(the_operator_can_hand_over),
		TEST(a_test_alert_reaches_the_scribe),
		TEST_PLUGIN(a_plugin_runs_before_the_addresses_come),
		TEST_PLUGIN(a_plugin_that_fails_makes_the_other_node_serve),
		TEST_PLUGIN(without_a_guardian_a_plugin_has_failed),
		TEST_PLUGIN(a_guardian_that_goes_takes_the_plugins_that_run_along),
	};

	own_net_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
