/* The status document: a node's state set by hand, and what one place of the document says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../hbd/control/snapshot.h"
#include "../../hbd/core/time.h"

#define START_NS (100 * HBD_S_NS)
#define NOW_NS (160 * HBD_S_NS)

struct fixture {
	struct hbd_conf conf;
	struct hbd_conf_vip vips[2];
	struct hbd_node_config config;
	struct hbd_node node;
	struct snapshot_extra extra;
};

static struct hbd_address address(int family, const char *text)
{
	struct hbd_address result = {.family = family};

	assert_int_equal(inet_pton(family, text, family == AF_INET ? (void *)&result.v4
								   : (void *)&result.v6), 1);
	return result;
}

static char *copy(const char *text)
{
	return strdup(text);
}

static void fill_conf(struct fixture *fixture)
{
	struct hbd_conf *conf = &fixture->conf;
	struct hbd_conf_group *group = &conf->groups[0];

	conf->path = copy("/etc/hbd/hbd.conf");
	strcpy(conf->cluster, "web");
	conf->port = 694;
	conf->profile_name = HBD_PROFILE_LAN;
	conf->profile = hbd_profile_get(HBD_PROFILE_LAN);
	conf->digest = 0xbad;	/* that of the start, before a reload */
	strcpy(conf->nodes[0].name, "lb1");
	strcpy(conf->nodes[1].name, "lb2");
	for (int i = 0; i < HBD_NODES; i++) {
		conf->nodes[i].link_count = 1;
		conf->nodes[i].links[0].address = address(AF_INET, i ? "10.0.0.2" : "10.0.0.1");
		strcpy(conf->nodes[i].links[0].interface, "eth1");
	}
	conf->group_count = 1;
	strcpy(group->name, "web");
	group->prefer = HBD_NO_PREFERENCE;
	group->vip_count = 2;
	group->vips = fixture->vips;
	fixture->vips[0] = (struct hbd_conf_vip){address(AF_INET6, "fd77::100"), 64, "eth0"};
	fixture->vips[1] = (struct hbd_conf_vip){address(AF_INET, "10.77.0.101"), 24, "eth0"};
	group->takeover_count = 1;
	group->takeover[0].name = copy("postgresql");
	group->takeover[0].step = (struct hbd_step_config){
		HBD_ORDER_BEFORE, HBD_ON_FAILURE_ABORT, 30 * HBD_S_NS, false,
	};
	group->check_count = 1;
	group->checks[0].name = copy("tcp 80");
}

static void fill_node(struct fixture *fixture)
{
	struct hbd_node_config *config = &fixture->config;

	config->config_digest = 0xc0ffee;
	config->profile = fixture->conf.profile;
	config->link_count = 1;
	config->group_count = 1;
	config->key_count = 1;
	config->keys[0].id = 1;
	config->groups[0].prefer = HBD_NO_PREFERENCE;
	config->groups[0].step_count = 1;
	config->groups[0].steps[0] = fixture->conf.groups[0].takeover[0].step;
	config->groups[0].retry_ns = HBD_S_NS;
	hbd_node_init(&fixture->node, config, START_NS);
	fixture->node.now_ns = NOW_NS;
}

/* lb1 is primary for web since 10 s, its peer was heard 40 ms ago. */
static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct hbd_node *node = &fixture->node;

	fill_conf(fixture);
	fill_node(fixture);
	node->peer_running = true;
	node->detector.heard = true;
	node->detector.last_rx_ns = NOW_NS - 40 * HBD_MS_NS;
	node->detector.links[0].last_rx_ns = NOW_NS - 40 * HBD_MS_NS;
	node->detector.links[0].rtt_ns = 250 * HBD_US_NS;
	node->groups[0].role = HBD_ROLE_PRIMARY;
	node->groups[0].reason = HBD_REASON_ADDRESSES_ON;
	node->groups[0].claim_reason = HBD_REASON_PEER_SILENT;
	node->groups[0].since_ns = NOW_NS - 10 * HBD_S_NS;
	node->groups[0].epoch = 12;
	node->groups[0].health = 1000;
	node->groups[0].lease.held = true;
	node->groups[0].lease.held_until_ns = NOW_NS + 410 * HBD_MS_NS;
	node->groups[0].peer.known = true;
	node->groups[0].peer.role = HBD_ROLE_SECONDARY;
	fixture->extra = (struct snapshot_extra){
		.version = "0.1.0", .realtime = true, .memory_locked = true,
		.fence = "address lifetime", .link_usable = {true}, .alerts_configured = 2,
	};
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	free(fixture->conf.path);
	free(fixture->conf.groups[0].takeover[0].name);
	free(fixture->conf.groups[0].checks[0].name);
	free(fixture);
	return 0;
}

static void peer_never_heard(struct fixture *fixture)
{
	fixture->node.detector.heard = false;
}

static void peer_silent(struct fixture *fixture)
{
	fixture->node.detector.last_rx_ns = NOW_NS - 5 * HBD_S_NS;
	fixture->node.detector.links[0].last_rx_ns = NOW_NS - 5 * HBD_S_NS;
}

static void peer_differs(struct fixture *fixture)
{
	fixture->node.mismatch = HBD_MISMATCH_CONFIG | HBD_MISMATCH_KEY | HBD_MISMATCH_VERSION;
}

static void peer_group_unknown(struct fixture *fixture)
{
	fixture->node.groups[0].peer.known = false;
}

static void peer_group_faulty(struct fixture *fixture)
{
	fixture->node.groups[0].peer.flags = HBD_GROUP_FAULT_HARD | HBD_GROUP_GRANTS;
}

static void is_secondary(struct fixture *fixture)
{
	fixture->node.groups[0].role = HBD_ROLE_SECONDARY;
	fixture->node.groups[0].reason = HBD_REASON_SWITCHOVER;
	fixture->node.groups[0].lease.held = false;
}

static void lease_never_ends(struct fixture *fixture)
{
	fixture->node.groups[0].lease.held_until_ns = HBD_NEVER_NS;
}

static void lease_is_over(struct fixture *fixture)
{
	fixture->node.groups[0].lease.held_until_ns = NOW_NS - 1;
}

static void is_claiming(struct fixture *fixture)
{
	struct hbd_takeover *plan = &fixture->node.groups[0].plan;

	fixture->node.groups[0].role = HBD_ROLE_CLAIMING;
	hbd_takeover_begin(plan);
	hbd_takeover_next(plan, NOW_NS);
}

static void all_faults(struct fixture *fixture)
{
	fixture->node.groups[0].faults = HBD_FAULTS_HARD | HBD_FAULTS_SOFT;
}

static void plugin_failed(struct fixture *fixture)
{
	fixture->extra.last_plugin_error[0] = -ETIMEDOUT;
}

static void plugin_said_why(struct fixture *fixture)
{
	fixture->extra.last_plugin_error[0] = -EREMOTEIO;
	fixture->extra.last_plugin_why[0] = "exit status 3: no disk";
}

static void addresses_failed(struct fixture *fixture)
{
	fixture->extra.last_plugin_error[0] = -ENODEV;
	fixture->extra.last_plugin_step[0] = HBD_STEPS_MAX;
}

static void an_address_is_refused(struct fixture *fixture)
{
	fixture->extra.refused_count[0] = 2;
	fixture->extra.refused_vip[0] = 0;
	fixture->extra.refused_why[0] = "no IPv6";
	fixture->extra.refused_remedy[0] = "";
}

static void check_is_good(struct fixture *fixture)
{
	fixture->extra.check_detail[0][0] = "";
	fixture->extra.check_good[0][0] = true;
}

static void check_is_bad(struct fixture *fixture)
{
	fixture->extra.check_detail[0][0] = "caf\xe9 closed";
}

static void preferred(struct fixture *fixture)
{
	fixture->conf.groups[0].prefer = 1;
}

static void link_unusable(struct fixture *fixture)
{
	fixture->extra.link_usable[0] = false;
	fixture->extra.link_trouble[0] = "no cable";
}

static void all_links_closed(struct fixture *fixture)
{
	fixture->node.links_closed = (uint8_t)((1u << fixture->node.config->link_count) - 1);
}

static void link_dropped(struct fixture *fixture)
{
	fixture->node.detector.links[0].dropped[HBD_DROP_SEAL] = 3;
}

static void link_new(struct fixture *fixture)
{
	fixture->node.detector.links[0].last_rx_ns = 0;
	fixture->node.detector.links[0].rtt_ns = 0;
}

static void alerts_wait(struct fixture *fixture)
{
	fixture->extra.spool_taken = 9;
	fixture->extra.spool_pending = 2;
	fixture->extra.spool_oldest_age_ns = 61 * HBD_S_NS;
	fixture->extra.spool_detail = "email: no route";
}

static void loop_was_late(struct fixture *fixture)
{
	fixture->extra.turns = 1000;
	fixture->extra.late_turns = 2;
	fixture->extra.longest_late_ns = 1500 * HBD_US_NS;
	fixture->node.detector.stalls = 1;
	fixture->node.detector.longest_stall_ns = 700 * HBD_MS_NS;
}

static void has_gateway(struct fixture *fixture)
{
	struct hbd_address *gateway = &fixture->conf.groups[0].gateway;

	gateway->family = AF_INET;
	inet_pton(AF_INET, "192.0.2.1", &gateway->v4);
}

static void is_isolated(struct fixture *fixture)
{
	has_gateway(fixture);
	is_secondary(fixture);
	fixture->node.groups[0].asking.isolated_since_ns = NOW_NS - HBD_S_NS;
}

static void has_witness(struct fixture *fixture)
{
	static char name[] = "etcd";

	fixture->conf.witness.present = true;
	fixture->conf.witness.plugin.name = name;
	fixture->node.groups[0].witness.revision = 7;
	fixture->node.groups[0].witness.shown_ns = NOW_NS - HBD_S_NS;
	fixture->node.groups[0].witness.record.holder = 1;
	fixture->node.groups[0].witness.record.epoch = 12;
}

static const struct row {
	const char *name;
	void (*change)(struct fixture *fixture);	/* NULL = nothing */
	const char *path;	/* members and indices with dots between */
	const char *json;
} rows[] = {
	{"the schema is told", NULL, "schema", "1"},
	{"the node has its name", NULL, "node", "\"lb1\""},
	{"the peer has the other name", NULL, "peer.name", "\"lb2\""},
	{"the uptime counts from the start", NULL, "uptime_ms", "60000"},
	{"the digest is hexadecimal", NULL, "configuration",
	 "{\"path\":\"/etc/hbd/hbd.conf\",\"digest\":\"0000000000c0ffee\",\"port\":694}"},
	{"the profile's times are in microseconds", NULL, "profile",
	 "{\"name\":\"lan\",\"interval_us\":100000,\"hold_us\":450000,\"grant_us\":460000}"},
	{"a peer that was heard is alive", NULL, "peer.state", "\"alive\""},
	{"the age of the last sign of life", NULL, "peer.heard_age_ms", "40"},
	{"a peer that fell silent", peer_silent, "peer.state", "\"silent\""},
	{"a peer that was never heard has no age", peer_never_heard, "peer.heard_age_ms", "null"},
	{"every mismatch is listed", peer_differs, "peer.mismatches",
	 "[\"configuration\",\"key\",\"version\"]"},

	{"the role", NULL, "groups.0.role", "\"primary\""},
	{"a primary's reason is why it claimed", NULL, "groups.0.reason", "\"peer-silent\""},
	{"the reason is also a sentence", NULL, "groups.0.reason_sentence",
	 "\"the peer fell silent\""},
	{"a secondary's reason is that of the last change", is_secondary, "groups.0.reason",
	 "\"switchover\""},
	{"the age of the role", NULL, "groups.0.role_age_ms", "10000"},
	{"the epoch", NULL, "groups.0.epoch", "12"},
	{"addresses are counted and the first one is shown", NULL, "groups.0.addresses",
	 "{\"count\":2,\"first\":\"fd77::100/64 dev eth0\","
	 "\"next\":[\"10.77.0.101/24 dev eth0\"],\"held\":true,\"staged\":false}"},
	{"a secondary holds no address", is_secondary, "groups.0.addresses.held", "false"},
	{"what is left of the lease", NULL, "groups.0.lease_left_ms", "410"},
	{"a lease that is over has nothing left", lease_is_over, "groups.0.lease_left_ms", "0"},
	{"a lease without end has no remainder", lease_never_ends, "groups.0.lease_left_ms",
	 "null"},
	{"a secondary has no lease", is_secondary, "groups.0.lease_left_ms", "null"},
	{"a switchover to a good standby is possible", NULL, "groups.0.switchover",
	 "\"possible\""},
	{"a secondary has nothing to switch", is_secondary, "groups.0.switchover",
	 "\"not-primary\""},
	{"a silent peer cannot be switched to", peer_silent, "groups.0.switchover",
	 "\"peer-not-alive\""},
	{"a faulty peer cannot be switched to", peer_group_faulty, "groups.0.switchover",
	 "\"peer-not-ready\""},
	{"no plan is null", NULL, "groups.0.plan", "null"},
	{"a takeover names its plugin and the time left", is_claiming, "groups.0.plan",
	 "{\"kind\":\"takeover\",\"plugin\":\"postgresql\",\"left_ms\":30000,\"retry_ms\":null}"},
	{"no faults is an empty list", NULL, "groups.0.faults", "[]"},
	{"every fault is listed", all_faults, "groups.0.faults",
	 "[\"interface\",\"address\",\"takeover\",\"check\",\"refused\",\"partly\"]"},
	{"no refusal is null", NULL, "groups.0.refusal", "null"},
	{"a refused address is named", an_address_is_refused, "groups.0.refusal",
	 "{\"count\":2,\"first\":\"fd77::100/64 dev eth0\",\"why\":\"no IPv6\",\"remedy\":null}"},
	{"no failure is null", NULL, "groups.0.last_failure", "null"},
	{"a failed plugin is named", plugin_failed, "groups.0.last_failure",
	 "{\"plugin\":\"postgresql\",\"error\":\"Connection timed out\"}"},
	{"and what it said", plugin_said_why, "groups.0.last_failure",
	 "{\"plugin\":\"postgresql\",\"error\":\"exit status 3: no disk\"}"},
	{"failed addresses have no plugin", addresses_failed, "groups.0.last_failure",
	 "{\"plugin\":null,\"error\":\"No such device\"}"},
	{"a check that did not run yet", NULL, "groups.0.checks",
	 "[{\"name\":\"tcp 80\",\"state\":\"pending\",\"detail\":null}]"},
	{"a good check that said nothing", check_is_good, "groups.0.checks.0",
	 "{\"name\":\"tcp 80\",\"state\":\"good\",\"detail\":null}"},
	{"a bad check that said what is no UTF-8", check_is_bad, "groups.0.checks.0",
	 "{\"name\":\"tcp 80\",\"state\":\"bad\",\"detail\":\"caf? closed\"}"},
	{"no gateway is null", NULL, "groups.0.gateway", "null"},
	{"a gateway is named", has_gateway, "groups.0.gateway",
	 "{\"address\":\"192.0.2.1\",\"isolated\":false}"},
	{"who waits for it is isolated", is_isolated, "groups.0.gateway.isolated", "true"},
	{"no witness is null", NULL, "groups.0.witness", "null"},
	{"who has the witness's vote is named", has_witness, "groups.0.witness",
	 "{\"holder\":\"lb2\",\"epoch\":12,\"revision\":7,\"shown_age_ms\":1000,"
	 "\"vote_left_ms\":null,\"wanted\":false,\"refused\":false}"},
	{"no preference is null", NULL, "groups.0.preferred", "null"},
	{"the preferred node is named", preferred, "groups.0.preferred", "\"lb2\""},
	{"a group that the peer did not mention is null", peer_group_unknown, "groups.0.peer",
	 "null"},
	{"the peer's role", NULL, "groups.0.peer.role", "\"secondary\""},
	{"the peer's faults are hard or soft", peer_group_faulty, "groups.0.peer.faults",
	 "[\"hard\"]"},
	{"the peer's grant", peer_group_faulty, "groups.0.peer.grants", "true"},

	{"a link has two ends", NULL, "links.0.remote", "\"10.0.0.2%eth1\""},
	{"a link that brings packets is up", NULL, "links.0.verdict", "\"up\""},
	{"a link without carrier is unusable", link_unusable, "links.0.verdict", "\"unusable\""},
	{"and says why", link_unusable, "links.0.trouble", "\"no cable\""},
	{"a link that works lacks nothing", NULL, "links.0.trouble", "null"},
	{"a node that listens is not deaf", NULL, "deaf", "false"},
	{"without any socket it is", all_links_closed, "deaf", "true"},
	{"a link to a silent peer brings nothing", peer_silent, "links.0.verdict",
	 "\"receive-dead\""},
	{"the round trip is in microseconds", NULL, "links.0.rtt_us", "250"},
	{"a round trip that is not known is null", link_new, "links.0.rtt_us", "null"},
	{"a link that never brought anything has no age", link_new, "links.0.heard_age_ms",
	 "null"},
	{"no drop is an empty object", NULL, "links.0.dropped", "{}"},
	{"drops are counted by reason", link_dropped, "links.0.dropped", "{\"seal\":3}"},

	{"no alert is waiting", NULL, "alerts",
	 "{\"configured\":2,\"taken\":0,\"pending\":0,\"oldest_age_ms\":0,\"detail\":null}"},
	{"alerts that wait, since when and why", alerts_wait, "alerts",
	 "{\"configured\":2,\"taken\":9,\"pending\":2,\"oldest_age_ms\":61000,"
	 "\"detail\":\"email: no route\"}"},
	{"the loop's and the machine's delays", loop_was_late, "loop",
	 "{\"turns\":1000,\"late_turns\":2,\"longest_late_us\":1500,\"stalls\":1,"
	 "\"longest_stall_us\":700000}"},
};

static const json_t *at(const json_t *json, const char *path)
{
	char names[128];

	strcpy(names, path);
	for (char *name = strtok(names, "."); name; name = strtok(NULL, "."))
		json = json_is_array(json) ? json_array_get(json, (size_t)atoi(name))
					   : json_object_get(json, name);
	return json;
}

static void check_row(void **state)
{
	const struct row *row = *state;
	void *inner;

	set_up(&inner);
	struct fixture *fixture = inner;
	if (row->change)
		row->change(fixture);
	json_t *status =
		snapshot_json(&fixture->conf, 0, &fixture->node, &fixture->extra, NOW_NS);
	assert_non_null(status);
	char *text = json_dumps(at(status, row->path), JSON_COMPACT | JSON_ENCODE_ANY);
	assert_non_null(text);
	assert_string_equal(text, row->json);
	free(text);
	json_decref(status);
	tear_down(&inner);
}

/* As large as a configuration can make it: it must fit what a client is willing to read. */
static void the_largest_document_is_bounded(void **state)
{
	struct fixture *fixture = *state;
	static char detail[120];

	memset(detail, 'd', sizeof(detail) - 1);
	fixture->conf.group_count = HBD_GROUPS_MAX;
	fixture->config.group_count = HBD_GROUPS_MAX;
	for (int i = 0; i < HBD_GROUPS_MAX; i++) {
		struct hbd_conf_group *group = &fixture->conf.groups[i];

		if (i > 0)
			*group = fixture->conf.groups[0];
		group->check_count = HBD_CHECKS_MAX;
		for (int j = 0; j < HBD_CHECKS_MAX; j++) {
			group->checks[j].name = fixture->conf.groups[0].checks[0].name;
			fixture->extra.check_detail[i][j] = detail;
		}
		fixture->node.groups[i] = fixture->node.groups[0];
	}
	json_t *status =
		snapshot_json(&fixture->conf, 0, &fixture->node, &fixture->extra, NOW_NS);
	char *text = json_dumps(status, JSON_COMPACT);
	assert_int_equal(json_array_size(json_object_get(status, "groups")), HBD_GROUPS_MAX);
	assert_in_range(strlen(text), 50000, 200000);
	free(text);
	json_decref(status);
}

int main(void)
{
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	struct CMUnitTest tests[ROWS + 1] = {
		cmocka_unit_test_setup_teardown(the_largest_document_is_bounded, set_up,
						tear_down),
	};

	for (size_t i = 0; i < ROWS; i++)
		tests[1 + i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = check_row,
			.initial_state = (void *)(uintptr_t)&rows[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
