/* Delivery over hours in milliseconds: who gets what, when, and in which message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>

#include "../../hbd/base/log.h"
#include "../../hbd/core/time.h"
#include "../../hbd/io/deliver.h"

#define START_NS (1000 * HBD_S_NS)
#define REAL_NS (INT64_C(1795435200) * HBD_S_NS)
#define TRIES_MAX 4096

enum { MAIL, SMS, TARGETS };

static const struct deliver_target targets[TARGETS] = {
	{ "email:ops@example.org", HBD_SEVERITY_WARNING },
	{ "sms:+15550100", HBD_SEVERITY_CRITICAL },
};
static const char *const keys[TARGETS] = { "email:ops@example.org", "sms:+15550100" };

/* A try as the plugin would see it. */
struct try {
	size_t target;
	int64_t at_ns;
	json_t *facts;
};

struct bed {
	int64_t now_ns;
	int start_result;		/* of the next tries */
	int ends_with[TARGETS];		/* what step() ends the tries of a target with */
	const char *text;		/* and what it says then; NULL = a short one */
	bool hangs[TARGETS];		/* they do not end */
	bool running[TARGETS];
	size_t try_count;
	struct try tries[TRIES_MAX];
	int number;
	struct deliver_config config;
	struct spool *spool;
	struct deliver *deliver;
};

static int start(void *context, size_t target, json_t *facts)
{
	struct bed *bed = context;

	assert_false(bed->running[target]);
	if (bed->start_result < 0)
		return bed->start_result;
	assert_true(bed->try_count < TRIES_MAX);
	bed->tries[bed->try_count++] = (struct try){ target, bed->now_ns, json_incref(facts) };
	bed->running[target] = true;
	return 0;
}

static uint64_t wanted(const void *context, const struct record_alert *alert)
{
	return deliver_wanted(context, alert);
}

static void ignore(void *context, int priority, const struct log_fields *fields, const char *text)
{
	(void)context;
	(void)priority;
	(void)fields;
	(void)text;
}

static int set_up(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	struct spool_config spool;

	assert_non_null(bed);
	log_set_sink(ignore, NULL);
	bed->now_ns = START_NS;
	bed->config = (struct deliver_config){ "shop", "lb1", targets, TARGETS, start, bed };
	/* in memory only: this is not about files */
	spool = (struct spool_config){ "/proc/nowhere", keys, TARGETS, wanted, &bed->config };
	assert_int_equal(spool_open(&spool, &bed->spool), 0);
	assert_int_equal(deliver_new(&bed->config, bed->spool, &bed->deliver), 0);
	*state = bed;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *bed = *state;

	for (size_t i = 0; i < bed->try_count; i++)
		json_decref(bed->tries[i].facts);
	deliver_free(bed->deliver);
	spool_close(bed->spool);
	log_set_sink(NULL, NULL);
	free(bed);
	return 0;
}

static void run(struct bed *bed)
{
	deliver_run(bed->deliver, bed->now_ns, REAL_NS + bed->now_ns - START_NS);
}

static void raise(struct bed *bed, enum hbd_alert kind, enum hbd_severity severity)
{
	struct record_alert alert;

	memset(&alert, 0, sizeof(alert));
	alert.kind = kind;
	alert.severity = severity;
	alert.realtime_ns = REAL_NS + bed->now_ns - START_NS;
	strcpy(alert.node, "lb1");
	strcpy(alert.peer, "lb2");
	snprintf(alert.group, sizeof(alert.group), "g%d", bed->number++);
	assert_int_equal(spool_add(bed->spool, &alert, bed->now_ns), 0);
	run(bed);
}

#define WARN(bed) raise(bed, HBD_ALERT_ADDRESS_RESTORED, HBD_SEVERITY_WARNING)
#define CRY(bed) raise(bed, HBD_ALERT_TAKEOVER, HBD_SEVERITY_CRITICAL)

static void end_try(struct bed *bed, size_t target, int result)
{
	assert_true(bed->running[target]);
	bed->running[target] = false;
	deliver_done(bed->deliver, target, result, bed->text ? bed->text : "exit status 1: no",
		     bed->now_ns);
	run(bed);
}

static void end_tries(struct bed *bed)
{
	for (size_t i = 0; i < TARGETS; i++)
		if (bed->running[i] && !bed->hangs[i])
			end_try(bed, i, bed->ends_with[i]);
}

/* Time passes; what becomes due is done, and ends as the bed says. */
static void wait(struct bed *bed, int64_t duration_ns)
{
	int64_t end_ns = bed->now_ns + duration_ns;

	end_tries(bed);
	for (int64_t due_ns; (due_ns = deliver_deadline_ns(bed->deliver)) <= end_ns;) {
		assert_true(due_ns > bed->now_ns);
		bed->now_ns = due_ns;
		run(bed);
		end_tries(bed);
	}
	bed->now_ns = end_ns;
}

static size_t tries_of(const struct bed *bed, size_t target)
{
	size_t count = 0;

	for (size_t i = 0; i < bed->try_count; i++)
		count += bed->tries[i].target == target;
	return count;
}

static const struct try *last_try(const struct bed *bed, size_t target)
{
	const struct try *last = NULL;

	for (size_t i = 0; i < bed->try_count; i++)
		if (bed->tries[i].target == target)
			last = &bed->tries[i];
	assert_non_null(last);
	return last;
}

static json_int_t number_in(const struct try *try, const char *name)
{
	return json_integer_value(json_object_get(try->facts, name));
}

static const char *text_in(const struct try *try, const char *name)
{
	const char *text = json_string_value(json_object_get(try->facts, name));

	assert_non_null(text);
	return text;
}

static void what_happens_within_a_second_is_one_message(void **state)
{
	struct bed *bed = *state;

	CRY(bed);
	wait(bed, DELIVER_TOGETHER_NS - 1);
	CRY(bed);
	assert_int_equal(bed->try_count, 0);
	wait(bed, 1);
	assert_int_equal(tries_of(bed, MAIL), 1);
	assert_int_equal(tries_of(bed, SMS), 1);
	assert_int_equal(number_in(last_try(bed, MAIL), "count"), 2);
	wait(bed, 3600 * HBD_S_NS);
	assert_int_equal(bed->try_count, 2);
	assert_int_equal(spool_count(bed->spool), 0);
}

static void what_comes_later_is_another_message(void **state)
{
	struct bed *bed = *state;

	CRY(bed);
	wait(bed, DELIVER_TOGETHER_NS);
	CRY(bed);
	wait(bed, DELIVER_TOGETHER_NS);
	assert_int_equal(tries_of(bed, MAIL), 2);
	assert_int_equal(number_in(last_try(bed, MAIL), "count"), 1);
}

static void a_target_gets_its_severity_and_worse(void **state)
{
	struct bed *bed = *state;

	raise(bed, HBD_ALERT_RELEASED, HBD_SEVERITY_INFO);
	WARN(bed);
	wait(bed, 2 * HBD_S_NS);
	assert_int_equal(tries_of(bed, MAIL), 1);
	assert_int_equal(tries_of(bed, SMS), 0);
	assert_int_equal(number_in(last_try(bed, MAIL), "count"), 1);
	raise(bed, HBD_ALERT_PEER_BACK, HBD_SEVERITY_INFO);
	wait(bed, 2 * HBD_S_NS);
	assert_int_equal(tries_of(bed, SMS), 1);
}

static void the_message_has_all_facts(void **state)
{
	struct bed *bed = *state;
	const struct try *try;
	json_t *event;

	CRY(bed);
	wait(bed, 2 * HBD_S_NS);
	try = last_try(bed, MAIL);
	assert_string_equal(text_in(try, "severity"), "critical");
	assert_string_equal(text_in(try, "kind"), "takeover");
	assert_string_equal(text_in(try, "group"), "g0");
	assert_string_equal(text_in(try, "node"), "lb1");
	assert_string_equal(text_in(try, "peer"), "lb2");
	assert_string_equal(text_in(try, "cluster"), "shop");
	assert_string_equal(text_in(try, "time"), "2026-11-23T12:00:00.000+00:00");
	assert_non_null(strstr(text_in(try, "subject"), "lb1 is primary now for g0"));
	assert_non_null(strstr(text_in(try, "text"), "What to do"));
	assert_true(strlen(text_in(try, "short")) <= 160);
	event = json_array_get(json_object_get(try->facts, "events"), 0);
	assert_string_equal(json_string_value(json_object_get(event, "kind")), "takeover");
	assert_non_null(strstr(json_string_value(json_object_get(event, "sentence")),
			       "lb1 took over g0"));
}

static void a_failed_try_is_repeated_with_growing_pauses_for_ever(void **state)
{
	static const int64_t pauses_s[] = { 5, 10, 20, 40, 80, 160, 300, 300, 300 };
	struct bed *bed = *state;
	int64_t expected_ns = START_NS + DELIVER_TOGETHER_NS;

	bed->ends_with[MAIL] = -EREMOTEIO;
	WARN(bed);
	wait(bed, 3600 * HBD_S_NS);
	for (size_t i = 0; i < sizeof(pauses_s) / sizeof(pauses_s[0]); i++) {
		assert_int_equal(bed->tries[i].at_ns, expected_ns);
		expected_ns += pauses_s[i] * HBD_S_NS;
	}
	assert_string_equal(deliver_trouble(bed->deliver),
			    "email:ops@example.org: exit status 1: no");
	wait(bed, INT64_C(7) * 86400 * HBD_S_NS);
	assert_int_equal(spool_count(bed->spool), 1);
	bed->ends_with[MAIL] = 0;
	wait(bed, DELIVER_RETRY_LAST_NS);
	assert_int_equal(spool_count(bed->spool), 0);
	assert_null(deliver_trouble(bed->deliver));
	assert_non_null(strstr(text_in(last_try(bed, MAIL), "text"), "This message is late"));
}

/* Who asks for a test alert does not want to hear what was wrong some minutes ago. */
static void a_test_tries_what_waits_at_once(void **state)
{
	struct bed *bed = *state;
	size_t before;

	bed->ends_with[MAIL] = -EREMOTEIO;
	WARN(bed);
	wait(bed, 1000 * HBD_S_NS);
	before = tries_of(bed, MAIL);
	deliver_hurry(bed->deliver);
	assert_null(deliver_trouble(bed->deliver));
	run(bed);
	wait(bed, HBD_S_NS);
	assert_int_equal(tries_of(bed, MAIL), before + 1);
	assert_non_null(deliver_trouble(bed->deliver));
	/* and the pauses begin anew */
	wait(bed, DELIVER_RETRY_FIRST_NS);
	assert_int_equal(tries_of(bed, MAIL), before + 2);
	bed->ends_with[MAIL] = 0;
	deliver_hurry(bed->deliver);
	run(bed);
	wait(bed, HBD_S_NS);
	assert_int_equal(spool_count(bed->spool), 0);
}

static void a_long_reason_ends_with_a_whole_word(void **state)
{
	struct bed *bed = *state;
	char reason[MESSAGE_TROUBLE_BYTES * 2] = "";
	const char *told;

	while (strlen(reason) + 8 < sizeof(reason))
		strcat(reason, "server ");
	bed->ends_with[MAIL] = -EREMOTEIO;
	bed->text = reason;
	WARN(bed);
	wait(bed, 2 * HBD_S_NS);
	told = deliver_trouble(bed->deliver);
	assert_true(strlen(told) > MESSAGE_TROUBLE_BYTES - 16);
	assert_string_equal(told + strlen(told) - 11, " server ...");
}

static void each_target_makes_its_own_progress(void **state)
{
	struct bed *bed = *state;

	bed->ends_with[MAIL] = -EAGAIN;
	CRY(bed);
	wait(bed, 60 * HBD_S_NS);
	assert_int_equal(tries_of(bed, SMS), 1);
	assert_true(tries_of(bed, MAIL) > 3);
	assert_int_equal(spool_first(bed->spool)->missing, 1u << MAIL);
	bed->ends_with[MAIL] = 0;
	wait(bed, 60 * HBD_S_NS);
	assert_int_equal(tries_of(bed, SMS), 1);
	assert_int_equal(spool_count(bed->spool), 0);
}

static void a_hanging_target_holds_back_nobody(void **state)
{
	struct bed *bed = *state;

	bed->hangs[MAIL] = true;
	CRY(bed);
	wait(bed, 10 * HBD_S_NS);
	CRY(bed);
	wait(bed, 10 * HBD_S_NS);
	assert_int_equal(tries_of(bed, MAIL), 1);
	assert_int_equal(tries_of(bed, SMS), 2);
	/* it has got what it was sent, not what came meanwhile */
	bed->hangs[MAIL] = false;
	wait(bed, 2 * HBD_S_NS);
	assert_int_equal(tries_of(bed, MAIL), 2);
	assert_int_equal(number_in(last_try(bed, MAIL), "count"), 1);
	assert_string_equal(text_in(last_try(bed, MAIL), "group"), "g1");
}

static void what_came_during_an_outage_goes_in_one_message(void **state)
{
	struct bed *bed = *state;

	bed->ends_with[MAIL] = -EAGAIN;
	for (int i = 0; i < 30; i++) {
		WARN(bed);
		wait(bed, 60 * HBD_S_NS);
	}
	bed->ends_with[MAIL] = 0;
	wait(bed, DELIVER_RETRY_LAST_NS);
	assert_int_equal(number_in(last_try(bed, MAIL), "count"), 30);
	assert_int_equal(spool_count(bed->spool), 0);
}

static void tries_of_the_same_events_have_the_same_id(void **state)
{
	struct bed *bed = *state;
	char first[128];

	bed->ends_with[MAIL] = -EAGAIN;
	WARN(bed);
	wait(bed, 2 * HBD_S_NS);
	snprintf(first, sizeof(first), "%s", text_in(last_try(bed, MAIL), "id"));
	wait(bed, 20 * HBD_S_NS);
	assert_string_equal(text_in(last_try(bed, MAIL), "id"), first);
	WARN(bed);
	wait(bed, 60 * HBD_S_NS);
	assert_string_not_equal(text_in(last_try(bed, MAIL), "id"), first);
}

static void a_plugin_that_cannot_be_started_is_a_failed_try(void **state)
{
	struct bed *bed = *state;

	bed->start_result = -ENOMEM;
	WARN(bed);
	wait(bed, 10 * HBD_S_NS);
	assert_int_equal(bed->try_count, 0);
	assert_string_equal(deliver_trouble(bed->deliver),
			    "email:ops@example.org: cannot be started: Cannot allocate memory");
	bed->start_result = 0;
	wait(bed, 10 * HBD_S_NS);
	assert_int_equal(bed->try_count, 1);
	assert_int_equal(spool_count(bed->spool), 0);
}

static void a_storm_becomes_a_digest(void **state)
{
	struct bed *bed = *state;
	const struct try *try;

	for (int i = 0; i < 60; i++) {
		WARN(bed);
		wait(bed, 2 * HBD_S_NS);
	}
	assert_int_equal(tries_of(bed, MAIL), DELIVER_STORM_MESSAGES);
	wait(bed, DELIVER_STORM_NS);
	assert_int_equal(tries_of(bed, MAIL), DELIVER_STORM_MESSAGES + 1);
	try = last_try(bed, MAIL);
	assert_int_equal(try->at_ns, bed->tries[0].at_ns + DELIVER_STORM_NS);
	assert_int_equal(number_in(try, "count"), 50);
	assert_int_equal(number_in(try, "held"), 50);
	assert_non_null(strstr(text_in(try, "text"), "50 events were held back"));
	assert_int_equal(spool_count(bed->spool), 0);
}

static void it_never_is_more_than_the_limit_in_any_window(void **state)
{
	struct bed *bed = *state;
	size_t last = 0;

	for (int i = 0; i < 3000; i++) {
		WARN(bed);
		wait(bed, 2 * HBD_S_NS);
	}
	wait(bed, 2 * DELIVER_STORM_NS);
	assert_int_equal(spool_count(bed->spool), 0);
	for (size_t i = DELIVER_STORM_MESSAGES; i < bed->try_count; i++) {
		assert_true(bed->tries[i].at_ns - bed->tries[i - DELIVER_STORM_MESSAGES].at_ns >=
			    DELIVER_STORM_NS);
		last = i;
	}
	assert_true(last > 50);
}

static void critical_alerts_are_not_held_because_of_others(void **state)
{
	struct bed *bed = *state;

	for (int i = 0; i < 20; i++) {
		WARN(bed);
		wait(bed, 2 * HBD_S_NS);
	}
	assert_int_equal(tries_of(bed, MAIL), DELIVER_STORM_MESSAGES);
	CRY(bed);
	/* what was held goes with it */
	assert_int_equal(tries_of(bed, MAIL), DELIVER_STORM_MESSAGES + 1);
	assert_int_equal(number_in(last_try(bed, MAIL), "count"), 11);
	assert_string_equal(text_in(last_try(bed, MAIL), "severity"), "critical");
	for (int i = 0; i < 30; i++) {
		wait(bed, 2 * HBD_S_NS);
		CRY(bed);
	}
	assert_int_equal(tries_of(bed, MAIL), 2 * DELIVER_STORM_MESSAGES);
}

static void a_stop_tries_each_target_once_more_at_once(void **state)
{
	struct bed *bed = *state;
	size_t before;

	bed->ends_with[MAIL] = -EAGAIN;
	CRY(bed);
	wait(bed, 100 * HBD_S_NS);
	before = tries_of(bed, MAIL);
	CRY(bed);
	deliver_flush(bed->deliver);
	run(bed);
	assert_true(deliver_is_busy(bed->deliver));
	assert_int_equal(tries_of(bed, SMS), 2);
	assert_int_equal(tries_of(bed, MAIL), before + 1);
	end_tries(bed);
	assert_false(deliver_is_busy(bed->deliver));
	assert_int_equal(tries_of(bed, MAIL), before + 1);
	assert_int_equal(spool_count(bed->spool), 2);
}

static void a_stop_during_a_try_has_another_for_what_came_since(void **state)
{
	struct bed *bed = *state;

	bed->hangs[SMS] = true;
	CRY(bed);
	wait(bed, 2 * HBD_S_NS);
	CRY(bed);
	deliver_flush(bed->deliver);
	run(bed);
	assert_int_equal(tries_of(bed, SMS), 1);
	bed->hangs[SMS] = false;
	end_tries(bed);
	assert_int_equal(tries_of(bed, SMS), 2);
}

#define DELIVER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DELIVER_TEST(what_happens_within_a_second_is_one_message),
		DELIVER_TEST(what_comes_later_is_another_message),
		DELIVER_TEST(a_target_gets_its_severity_and_worse),
		DELIVER_TEST(the_message_has_all_facts),
		DELIVER_TEST(a_failed_try_is_repeated_with_growing_pauses_for_ever),
		DELIVER_TEST(a_test_tries_what_waits_at_once),
		DELIVER_TEST(a_long_reason_ends_with_a_whole_word),
		DELIVER_TEST(each_target_makes_its_own_progress),
		DELIVER_TEST(a_hanging_target_holds_back_nobody),
		DELIVER_TEST(what_came_during_an_outage_goes_in_one_message),
		DELIVER_TEST(tries_of_the_same_events_have_the_same_id),
		DELIVER_TEST(a_plugin_that_cannot_be_started_is_a_failed_try),
		DELIVER_TEST(a_storm_becomes_a_digest),
		DELIVER_TEST(it_never_is_more_than_the_limit_in_any_window),
		DELIVER_TEST(critical_alerts_are_not_held_because_of_others),
		DELIVER_TEST(a_stop_tries_each_target_once_more_at_once),
		DELIVER_TEST(a_stop_during_a_try_has_another_for_what_came_since),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
