/* The verdict on a pair: a good document, one thing made different, and what is said about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../hbd/control/judge.h"
#include "../../hbd/control/status.h"

/* lb1 serves web, lb2 stands by, nothing is wrong. */
static const char all_is_well[] =
	"{'schema': 1, 'version': '0.1.0', 'cluster': 'web', 'node': 'lb1', 'uptime_ms': 60000,"
	" 'stopping': false, 'realtime': true, 'memory_locked': true,"
	" 'configuration': {'path': '/etc/hbd/hbd.conf', 'port': 694},"
	" 'peer': {'name': 'lb2', 'state': 'alive', 'heard_age_ms': 12, 'mismatches': []},"
	" 'groups': [{'name': 'web', 'role': 'primary', 'role_age_ms': 5000, 'faults': [],"
	"   'resigned': false, 'plan': null, 'last_failure': null, 'checks': [],"
	"   'peer': {'role': 'secondary', 'faults': [], 'resigned': false}}],"
	" 'links': [{'local': '10.0.0.1%eth1', 'remote': '10.0.0.2%eth1', 'verdict': 'up',"
	"   'receive_loss_permille': 0, 'transmit_loss_permille': 0}],"
	" 'alerts': {'configured': 1, 'pending': 0, 'oldest_age_ms': 0, 'detail': null}}";

struct row {
	const char *name;
	const char *top;	/* merged into the document, NULL = nothing */
	const char *group;	/* merged into its group */
	const char *link;	/* merged into its link */
	enum judge_level level;
	const char *sentence;	/* of the first finding; NULL = there is none */
};

static const struct row rows[] = {
	{"a pair that serves and stands by is well", NULL, NULL, NULL, JUDGE_GOOD, NULL},
	{"a standby's view of the same pair is well", NULL,
	 "{'role': 'secondary', 'peer': {'role': 'primary'}}", NULL, JUDGE_GOOD, NULL},
	{"a peer that is late but not silent is still there", "{'peer': {'state': 'suspicious'}}",
	 NULL, NULL, JUDGE_GOOD, NULL},
	{"a peer in its restart silence does not disturb its primary", NULL,
	 "{'peer': {'role': 'quiet'}}", NULL, JUDGE_GOOD, NULL},

	{"a silent peer is lost redundancy",
	 "{'peer': {'state': 'silent', 'heard_age_ms': 185000}}", NULL, NULL, JUDGE_WARNING,
	 "There is no standby: lb2 has been silent for 3 min."},
	{"a peer that restarts is said to", "{'peer': {'state': 'silent', 'heard_age_ms': 185, "
	 "'restarting_ms': 1500}}", NULL, NULL, JUDGE_WARNING,
	 "hbd restarts on lb2, and has 1 s left for it."},
	{"what it serves is not said to be unserved", "{'peer': {'state': 'silent', "
	 "'heard_age_ms': 185, 'restarting_ms': 1500}}", "{'role': 'secondary', "
	 "'peer': {'role': 'primary'}}", NULL, JUDGE_WARNING,
	 "lb2 served web, and its addresses stay there while hbd restarts."},
	{"a stopped peer is lost redundancy", "{'peer': {'state': 'stopped'}}", NULL, NULL,
	 JUDGE_WARNING, "There is no standby: hbd was stopped on lb2."},
	{"a dead daemon on the peer is lost redundancy", "{'peer': {'state': 'died'}}", NULL, NULL,
	 JUDGE_WARNING, "There is no standby: hbd died on lb2, the machine itself lives."},
	{"a peer that never spoke is lost redundancy",
	 "{'peer': {'state': 'never-heard', 'heard_age_ms': null}}", NULL, NULL, JUDGE_WARNING,
	 "There is no standby: nothing was heard from lb2 since hbd started here 1 min ago."},
	{"a node without any link looks at itself first", "{'peer': {'state': 'silent'}}", NULL,
	 "{'verdict': 'unusable'}", JUDGE_WARNING,
	 "lb1 is cut off from lb2: every link is down on this side."},
	{"a node that can listen nowhere says that it takes nothing over",
	 "{'peer': {'state': 'silent'}, 'deaf': true}", NULL,
	 "{'verdict': 'unusable', 'trouble': 'its address is not on its interface'}", JUDGE_CRITICAL,
	 "lb1 can listen on none of its links: it takes nothing over, whatever becomes of lb2."},
	{"an unheard peer that answers on the LAN serves", "{'peer': {'state': 'silent'}}",
	 "{'role': 'secondary', 'peer': null, 'answered_by': 'peer'}", NULL, JUDGE_WARNING,
	 "lb2 is not heard, but it answers for web on the LAN: its heartbeats are lost."},
	{"a stranger that answers keeps this node from serving", "{'peer': {'state': 'silent'}}",
	 "{'role': 'secondary', 'peer': null, 'answered_by': 'stranger'}", NULL, JUDGE_CRITICAL,
	 "A machine that is not known to be lb2 answers for web on the LAN; lb1 does not take web "
	 "over."},
	{"a stranger is named", NULL,
	 "{'role': 'secondary', 'peer': {'role': 'secondary'}, 'answered_by': 'stranger', "
	 "'conflict': {'address': '192.0.2.100', 'interface': 'eth0', 'station': '02:00:00:00:00:09', "
	 "'age_ms': 5, 'seen_age_ms': 5}}", NULL, JUDGE_CRITICAL,
	 "A machine that is not known to be lb2 answers for 192.0.2.100 on eth0 (02:00:00:00:00:09) on "
	 "the LAN; lb1 does not take web over."},
	{"a stranger beside the primary is told", NULL,
	 "{'conflict': {'address': '192.0.2.100', 'interface': 'eth0', 'station': '02:00:00:00:00:09', "
	 "'age_ms': 5, 'seen_age_ms': 5}}", NULL, JUDGE_CRITICAL,
	 "A stranger uses 192.0.2.100 on eth0 (02:00:00:00:00:09), which lb1 serves for web: some "
	 "clients may reach the stranger instead."},
	{"a conflict that is none is no news", NULL, "{'conflict': null}", NULL, JUDGE_GOOD, NULL},
	{"who reaches neither peer nor gateway is cut off", "{'peer': {'state': 'silent'}}",
	 "{'role': 'secondary', 'peer': null, 'gateway': {'address': '192.0.2.1', 'isolated': true}}",
	 NULL, JUDGE_CRITICAL, "lb1 hears neither lb2 nor the gateway 192.0.2.1: it seems to be cut "
			       "off, and does not take web over."},
	{"a gateway that nobody waits for is no news", NULL,
	 "{'gateway': {'address': '192.0.2.1', 'isolated': false}}", NULL, JUDGE_GOOD, NULL},
	{"what a silent peer said last is no second owner", "{'peer': {'state': 'silent'}}",
	 "{'peer': {'role': 'primary'}}", NULL, JUDGE_WARNING,
	 "There is no standby: lb2 has been silent for 12 ms."},
	{"what a silent peer said last is no owner", "{'peer': {'state': 'silent'}}",
	 "{'role': 'secondary', 'peer': {'role': 'primary'}}", NULL, JUDGE_CRITICAL,
	 "Nobody serves web as far as this node knows."},

	{"two owners are critical", NULL, "{'peer': {'role': 'primary'}}", NULL, JUDGE_CRITICAL,
	 "lb1 and lb2 both own web."},
	{"a claim beside an owner is critical", NULL,
	 "{'role': 'claiming', 'peer': {'role': 'primary'}}", NULL, JUDGE_CRITICAL,
	 "lb1 and lb2 both own web."},
	{"no owner is critical", NULL, "{'role': 'secondary'}", NULL, JUDGE_CRITICAL,
	 "Nobody serves web."},
	{"no owner while one hands over is a matter of moments", NULL,
	 "{'role': 'secondary', 'resigned': true}", NULL, JUDGE_WARNING,
	 "web is between two owners right now."},
	{"no owner while the peer lets go is a matter of moments", NULL,
	 "{'role': 'secondary', 'peer': {'role': 'releasing'}}", NULL, JUDGE_WARNING,
	 "web is between two owners right now."},
	{"a node that listens first is not an outage yet", NULL, "{'role': 'quiet'}", NULL,
	 JUDGE_WARNING, "lb1 has just started and listens before it claims; nobody is known to "
			"serve web yet."},
	{"a claim under way is told", NULL,
	 "{'role': 'claiming', 'plan': {'kind': 'takeover', 'plugin': 'postgresql'}}", NULL,
	 JUDGE_WARNING, "lb1 is taking web over, now running postgresql."},
	{"a group that the peer does not know has no second owner", NULL, "{'peer': null}", NULL,
	 JUDGE_GOOD, NULL},

	{"a dead interface is critical also on the standby", NULL,
	 "{'role': 'fault', 'faults': ['interface'], 'peer': {'role': 'primary'}}", NULL,
	 JUDGE_CRITICAL, "lb1 cannot serve web: an interface of its addresses is missing, down or "
			 "without carrier."},
	{"a refused address is critical", NULL,
	 "{'role': 'fault', 'faults': ['address'], 'peer': {'role': 'primary'}}", NULL,
	 JUDGE_CRITICAL, "lb1 cannot serve web: the kernel refused an address."},
	{"a failed takeover names its plugin", NULL,
	 "{'role': 'fault', 'faults': ['takeover'], 'peer': {'role': 'primary'},"
	 " 'last_failure': {'plugin': 'postgresql', 'error': 'Connection timed out'}}", NULL,
	 JUDGE_CRITICAL,
	 "lb1 cannot serve web: its takeover failed (postgresql: Connection timed out)."},
	{"a plugin that was allowed to fail is a warning", NULL,
	 "{'last_failure': {'plugin': 'conntrackd', 'error': 'No such file or directory'}}", NULL,
	 JUDGE_WARNING, "The last takeover of web on lb1 went on after a failure (conntrackd: No "
			"such file or directory)."},
	{"a failing check on the owner is critical", NULL,
	 "{'faults': ['check'], 'checks': [{'name': 'tcp 80', 'state': 'good'},"
	 " {'name': 'unit haproxy.service', 'state': 'bad', 'detail': 'inactive'}]}", NULL,
	 JUDGE_CRITICAL, "lb1 serves web although the check 'unit haproxy.service' fails "
			 "(inactive): lb2 is no better."},
	{"a failing check on the standby is a warning", NULL,
	 "{'role': 'secondary', 'peer': {'role': 'primary'}, 'faults': ['check'],"
	 " 'checks': [{'name': 'tcp 80', 'state': 'bad', 'detail': null}]}", NULL, JUDGE_WARNING,
	 "lb1 is no good standby for web: the check 'tcp 80' fails."},
	{"a hard fault of the standby is a warning here", NULL,
	 "{'peer': {'role': 'fault', 'faults': ['hard']}}", NULL, JUDGE_WARNING,
	 "lb2 reports a fault and cannot serve web: there is no standby for it."},
	{"a soft fault of the standby is a warning", NULL, "{'peer': {'faults': ['soft']}}", NULL,
	 JUDGE_WARNING,
	 "lb2 is no good standby for web: a check fails there, or an address is refused."},
	{"a soft fault of the owner over there is critical", NULL,
	 "{'role': 'secondary', 'peer': {'role': 'primary', 'faults': ['soft']}}", NULL,
	 JUDGE_CRITICAL, "lb2 serves web although a check fails there, or an address is refused."},
	{"an owner that lacks an address names it", NULL,
	 "{'faults': ['partly'], 'refusal': {'count': 1, 'first': 'fd77::100/64 dev eth0',"
	 " 'why': 'no IPv6', 'remedy': null}}", NULL, JUDGE_CRITICAL,
	 "lb1 serves web without fd77::100/64 dev eth0 (no IPv6), which its kernel refuses, and lb2 "
	 "is no better."},
	{"a standby that would lack some says how many", NULL,
	 "{'role': 'secondary', 'peer': {'role': 'primary'}, 'faults': ['partly'], 'refusal':"
	 " {'count': 3, 'first': 'fd77::100/64 dev eth0', 'why': 'no IPv6', 'remedy': 'mend'}}", NULL,
	 JUDGE_WARNING, "lb1 is no good standby for web: its kernel would refuse fd77::100/64 dev eth0 "
	 "and 2 more (no IPv6)."},
	{"who would have none cannot serve", NULL,
	 "{'role': 'fault', 'peer': {'role': 'primary'}, 'faults': ['refused'], 'refusal': {'count': 1,"
	 " 'first': 'fd77::100/64 dev eth0', 'why': 'no IPv6', 'remedy': 'mend'}}", NULL,
	 JUDGE_CRITICAL, "lb1 cannot serve web: its kernel refuses fd77::100/64 dev eth0 (no IPv6)."},

	{"another key is critical", "{'peer': {'mismatches': ['key']}}", NULL, NULL,
	 JUDGE_CRITICAL, "lb1 and lb2 have different keys, so they refuse each other's packets."},
	{"another protocol is critical", "{'peer': {'mismatches': ['version']}}", NULL, NULL,
	 JUDGE_CRITICAL, "lb2 speaks no protocol version that hbd 0.1.0 here understands."},
	{"another configuration is a warning", "{'peer': {'mismatches': ['configuration']}}", NULL,
	 NULL, JUDGE_WARNING, "lb1 and lb2 run with different configurations."},

	{"a lossy link is a warning", NULL, NULL,
	 "{'verdict': 'lossy', 'receive_loss_permille': 125}", JUDGE_WARNING,
	 "The link 10.0.0.1%eth1 loses packets: 12 % of those received, 0 % of those sent."},
	{"a link that brings nothing is a warning", NULL, NULL, "{'verdict': 'receive-dead'}",
	 JUDGE_WARNING,
	 "Nothing arrives from lb2 on the link 10.0.0.1%eth1; another link works."},
	{"a link that takes nothing is a warning", NULL, NULL, "{'verdict': 'transmit-dead'}",
	 JUDGE_WARNING, "lb2 receives nothing on the link 10.0.0.1%eth1; another link works."},
	{"a link without carrier is a warning", NULL, NULL, "{'verdict': 'unusable'}",
	 JUDGE_WARNING, "The link 10.0.0.1%eth1 is down on this side."},
	{"and what it lacks is said", NULL, NULL,
	 "{'verdict': 'unusable', 'trouble': 'its address is not on its interface'}", JUDGE_WARNING,
	 "The link 10.0.0.1%eth1 is down on this side: its address is not on its interface."},

	{"an alert on its way is nothing to worry about",
	 "{'alerts': {'pending': 1, 'oldest_age_ms': 29999}}", NULL, NULL, JUDGE_GOOD, NULL},
	{"an alert that waits long is a warning",
	 "{'alerts': {'pending': 1, 'oldest_age_ms': 30000}}", NULL, NULL, JUDGE_WARNING,
	 "1 alert is not delivered yet, the oldest for 30 s."},
	{"alerts whose delivery failed are a warning",
	 "{'alerts': {'pending': 2, 'oldest_age_ms': 1000, 'detail': 'connection refused'}}", NULL,
	 NULL, JUDGE_WARNING,
	 "2 alerts are not delivered yet, the oldest for 1 s: connection refused."},
	{"ordinary scheduling is a warning", "{'realtime': false}", NULL, NULL, JUDGE_WARNING,
	 "hbd has no real-time scheduling on lb1: a busy machine can make it late."},
	{"memory that may be swapped is a warning", "{'memory_locked': false}", NULL, NULL,
	 JUDGE_WARNING, "hbd's memory is not locked on lb1: swapping can make it late."},
	{"a daemon that is stopping says so", "{'stopping': true}", NULL, NULL, JUDGE_WARNING,
	 "hbd is stopping on lb1."},
	{"and what it hands over", "{'stopping': true}", "{'handover': {'state': 'offered'}}", NULL,
	 JUDGE_WARNING, "hbd is stopping on lb1. It hands web over to lb2."},

	{"a document of another schema is not guessed at", "{'schema': 2}", NULL, NULL,
	 JUDGE_UNKNOWN, "The daemon's answer is not one that this hbctl understands."},
	{"a document without a peer is not guessed at", "{'peer': null}", NULL, NULL,
	 JUDGE_UNKNOWN, "The daemon's answer is not one that this hbctl understands."},
	{"control characters do not reach the terminal",
	 "{'alerts': {'pending': 2, 'oldest_age_ms': 1000, 'detail': '\\u001b[2Jboo'}}", NULL, NULL,
	 JUDGE_WARNING, "2 alerts are not delivered yet, the oldest for 1 s: ?[2Jboo."},
};

/* JSON with single quotes, to be readable in C. */
static json_t *load(const char *text)
{
	char buffer[4096];
	json_error_t error;

	assert_true(strlen(text) < sizeof(buffer));
	strcpy(buffer, text);
	for (char *c = buffer; *c; c++) {
		if (*c == '\'')
			*c = '"';
	}
	json_t *json = json_loads(buffer, 0, &error);
	if (!json)
		fail_msg("%s in %s", error.text, buffer);
	return json;
}

static void merge(json_t *into, const char *text)
{
	json_t *patch = text ? load(text) : NULL;

	if (patch)
		assert_int_equal(json_object_update_recursive(into, patch), 0);
	json_decref(patch);
}

static json_t *document(const struct row *row)
{
	json_t *status = load(all_is_well);

	merge(json_array_get(json_object_get(status, "groups"), 0), row->group);
	merge(json_array_get(json_object_get(status, "links"), 0), row->link);
	merge(status, row->top);
	return status;
}

static void check_row(void **state)
{
	static struct judgement judgement;
	const struct row *row = *state;
	json_t *status = document(row);

	judge(status, &judgement);
	json_decref(status);
	if (row->sentence) {
		assert_true(judgement.count > 0);
		assert_string_equal(judgement.findings[0].sentence, row->sentence);
		assert_int_equal(judgement.findings[0].level, row->level);
		assert_true(strlen(judgement.findings[0].advice) > 0);
	} else {
		assert_int_equal(judgement.count, 0);
	}
	assert_int_equal(judgement.level, row->level);
}

static void the_worst_comes_first(void **state)
{
	static struct judgement judgement;
	const struct row row = {
		.top = "{'realtime': false, 'peer': {'mismatches': ['configuration', 'key']}}",
		.group = "{'peer': {'faults': ['soft']}}",
	};
	json_t *status = document(&row);

	(void)state;
	judge(status, &judgement);
	json_decref(status);
	assert_int_equal(judgement.count, 4);
	assert_int_equal(judgement.level, JUDGE_CRITICAL);
	assert_non_null(strstr(judgement.findings[0].sentence, "keys"));
	assert_non_null(strstr(judgement.findings[1].sentence, "no good standby"));
	assert_non_null(strstr(judgement.findings[2].sentence, "configurations"));
	assert_non_null(strstr(judgement.findings[3].sentence, "real-time"));
}

static void a_refused_peer_is_not_told_to_be_away_as_well(void **state)
{
	static struct judgement judgement;
	const struct row row = {.top = "{'peer': {'state': 'stopped', 'mismatches': ['key']}}"};
	json_t *status = document(&row);

	(void)state;
	judge(status, &judgement);
	json_decref(status);
	assert_int_equal(judgement.count, 1);
	assert_non_null(strstr(judgement.findings[0].sentence, "keys"));
}

static void more_findings_than_fit_are_counted(void **state)
{
	static struct judgement judgement;
	const struct row row = {.group = "{'peer': {'role': 'primary'}}"};
	json_t *status = document(&row);
	json_t *groups = json_object_get(status, "groups");

	(void)state;
	for (size_t i = 0; i < JUDGE_FINDINGS_MAX + 4; i++)
		json_array_append(groups, json_array_get(groups, 0));
	judge(status, &judgement);
	json_decref(status);
	assert_int_equal(judgement.count, JUDGE_FINDINGS_MAX);
	assert_int_equal(judgement.left_off, 5);
}

static void garbage_is_unknown(void **state)
{
	static const char *const documents[] = {"[]", "{}", "{'schema': '1'}"};
	static struct judgement judgement;

	(void)state;
	judge(NULL, &judgement);
	assert_int_equal(judge_exit_code(judgement.level), 3);
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		json_t *status = load(documents[i]);

		judge(status, &judgement);
		json_decref(status);
		assert_int_equal(judgement.level, JUDGE_UNKNOWN);
	}
}

/* Every member made to be of the wrong type: nothing may be read that is not there. */
static void members_of_wrong_types_do_no_harm(void **state)
{
	static const char *const wrong[] = {"7",  "'x'",   "null",	  "[]",
					    "{}", "[[7]]", "{'role': []}"};
	static struct judgement judgement;
	const struct row row = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		json_t *good = document(&row);
		const char *name;
		json_t *value;

		json_object_foreach(good, name, value) {
			char text[64];
			json_t *bad = json_deep_copy(good);

			snprintf(text, sizeof(text), "[%s]", wrong[i]);
			json_t *array = load(text);
			json_object_set(bad, name, json_array_get(array, 0));
			judge(bad, &judgement);
			assert_in_range(judge_exit_code(judgement.level), 0, 3);
			json_decref(array);
			json_decref(bad);
		}
		json_decref(good);
	}
}

int main(void)
{
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	struct CMUnitTest tests[ROWS + 5] = {
		cmocka_unit_test(the_worst_comes_first),
		cmocka_unit_test(a_refused_peer_is_not_told_to_be_away_as_well),
		cmocka_unit_test(more_findings_than_fit_are_counted),
		cmocka_unit_test(garbage_is_unknown),
		cmocka_unit_test(members_of_wrong_types_do_no_harm),
	};

	for (size_t i = 0; i < ROWS; i++)
		tests[5 + i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = check_row,
			.initial_state = (void *)(uintptr_t)&rows[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
