/* What a reload takes: of every setting, whether it is applied or the file refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "conf_fixture.h"
#include "../../hbd/conf/schema.h"
#include "../../hbd/io/reload.h"

/* Who carries out what is not refused. */
enum applied_by {
	REFUSED = 0,
	BY_CHECKS,	/* the checks are made anew of every new file, */
	BY_PLUGINS,	/* and so is what takeover plugins are told */
	BY_ALERTS,	/* the scribe starts anew, which reload_concerns_scribe() asks for */
	BY_ENGINE,	/* another engine goes on */
	BY_BOTH,	/* that, and the scribe */
	BY_NOBODY,	/* nothing hangs on it before it is read again */
};

/* An edit of the full text, which has a witness in it. */
struct reload_case {
	enum conf_section section;
	const char *setting;	/* NULL: a parameter of the plugin */
	const char *old, *new;
	enum applied_by by;
	const char *what;	/* the setting that a refusal names */
};

#define WITNESS "witness = ( { plugin = \"etcd\"; endpoints = ( \"http://10.77.0.9:2379\" ); } );\n"

static const struct reload_case cases[] = {
	{ CONF_FILE, "cluster", "cluster", "# a comment\ncluster", BY_NOBODY, NULL },
	{ CONF_FILE, "cluster", "\"web\"", "\"api\"", REFUSED, "cluster" },
	{ CONF_FILE, "profile", "\"lan\"", "\"fast\"", BY_ENGINE, "profile" },
	{ CONF_FILE, "port", "profile", "port = 695; profile", REFUSED, "port" },
	{ CONF_FILE, "refresh_s", "profile", "refresh_s = 5; profile", BY_ENGINE, "refresh_s" },
	{ CONF_FILE, "stop_s", "profile", "stop_s = 7; profile", BY_NOBODY, NULL },
	{ CONF_FILE, "user", "profile", "user = \"nobody\"; profile", REFUSED, "user" },
	{ CONF_FILE, "plugin_user", "profile", "plugin_user = \"nobody\"; profile", REFUSED,
	  "plugin_user" },
	{ CONF_FILE, "keys", "/etc/hbd/hbd.key", "/etc/hbd/other.key", BY_NOBODY, NULL },
	{ CONF_FILE, "nodes", "\"lb2\"; links", "\"lb9\"; links", REFUSED, "the nodes' names" },
	{ CONF_FILE, "groups", "groups = (",
	  "groups = ( { name = \"b\"; addresses = ( \"10.77.0.101/24 dev eth0\" ); },", BY_BOTH,
	  "groups" },
	{ CONF_FILE, "witness", WITNESS, "", REFUSED, "witness" },
	{ CONF_FILE, "alerts", "alerts = (", "alerts = ( { plugin = \"exec\"; },", BY_ALERTS, NULL },

	{ CONF_NODE, "name", "\"lb2\"; links", "\"lb9\"; links", REFUSED, "the nodes' names" },
	{ CONF_NODE, "links", "10.78.0.2%", "10.78.0.3%", BY_ENGINE, "links" },
	{ CONF_NODE, "links", "10.78.0.1%eth1", "10.78.0.1%eth2", BY_ENGINE, "links" },
	/* what the other one calls its interface */
	{ CONF_NODE, "links", "10.78.0.2%eth1", "10.78.0.2%eth2", BY_NOBODY, NULL },

	{ CONF_GROUP, "name", "name = \"web\"", "name = \"api\"", BY_BOTH, "groups.api.name" },
	{ CONF_GROUP, "addresses", "10.77.0.100/24", "10.77.0.101/24", BY_ENGINE,
	  "groups.web.addresses" },
	{ CONF_GROUP, "addresses", "10.77.0.100/24", "10.77.0.100/25", BY_ENGINE,
	  "groups.web.addresses" },
	{ CONF_GROUP, "prefer", "prefer = \"lb1\"", "prefer = \"lb2\"", BY_ENGINE, "groups.web.prefer" },
	{ CONF_GROUP, "gateway", "prefer", "gateway = \"10.77.0.254\"; prefer", BY_ENGINE,
	  "groups.web.gateway" },
	{ CONF_GROUP, "failback", "failback = \"manual\";", "", BY_NOBODY, NULL },
	{ CONF_GROUP, "failback", "\"manual\"", "\"auto\"", BY_ENGINE, "groups.web.failback" },
	{ CONF_GROUP, "failback_after_s", "prefer", "failback_after_s = 5; prefer", BY_ENGINE,
	  "groups.web.failback_after_s" },
	{ CONF_GROUP, "retry_ms", "prefer", "retry_ms = 500; prefer", BY_ENGINE,
	  "groups.web.retry_ms" },
	{ CONF_GROUP, "drain_s", "prefer", "drain_s = 5; prefer", BY_ENGINE, "groups.web.drain_s" },
	{ CONF_GROUP, "stage", "prefer", "stage = \"yes\"; prefer", BY_ENGINE, "groups.web.stage" },
	{ CONF_GROUP, "checks", "{ unit = \"haproxy.service\"; },", "", BY_ENGINE,
	  "groups.web.checks" },
	{ CONF_GROUP, "takeover", "{ plugin = \"conntrackd\"; },", "", BY_ENGINE,
	  "groups.web.takeover" },

	{ CONF_CHECK, "unit", "haproxy.service", "nginx.service", BY_ENGINE, "groups.web.checks" },
	{ CONF_CHECK, "http", "8404/health", "8404/other", BY_ENGINE, "groups.web.checks" },
	{ CONF_CHECK, "tcp", "unit = \"haproxy.service\"", "tcp = \"127.0.0.1:80\"", BY_ENGINE,
	  "groups.web.checks" },
	{ CONF_CHECK, "file", "unit = \"haproxy.service\"", "file = \"/run/ok\"", BY_ENGINE,
	  "groups.web.checks" },
	{ CONF_CHECK, "check", "unit = \"haproxy.service\"", "check = \"exec\"", BY_ENGINE,
	  "groups.web.checks" },
	{ CONF_CHECK, "interval_ms", "interval_ms = 500", "interval_ms = 501", BY_CHECKS, NULL },
	{ CONF_CHECK, "timeout_ms", "interval_ms = 500", "interval_ms = 500; timeout_ms = 400",
	  BY_CHECKS, NULL },
	{ CONF_CHECK, "rise", "interval_ms = 500", "interval_ms = 500; rise = 5", BY_CHECKS, NULL },
	{ CONF_CHECK, "fall", "interval_ms = 500", "interval_ms = 500; fall = 5", BY_CHECKS, NULL },
	{ CONF_CHECK, NULL, "interval_ms = 500", "interval_ms = 500; expect = 200", BY_CHECKS, NULL },

	{ CONF_TAKEOVER, "plugin", "\"conntrackd\"", "\"exec\"", BY_ENGINE, "groups.web.takeover" },
	{ CONF_TAKEOVER, "order", "\"before\"", "\"after\"", BY_ENGINE, "groups.web.takeover" },
	{ CONF_TAKEOVER, "timeout_ms", "\"before\"", "\"before\"; timeout_ms = 500", BY_ENGINE,
	  "groups.web.takeover" },
	{ CONF_TAKEOVER, "on_failure", "\"before\"", "\"before\"; on_failure = \"continue\"", BY_ENGINE,
	  "groups.web.takeover" },
	{ CONF_TAKEOVER, "prepare", "\"before\"", "\"before\"; prepare = \"yes\"", BY_ENGINE,
	  "groups.web.takeover" },
	{ CONF_TAKEOVER, NULL, "\"/main\"", "\"/other\"", BY_PLUGINS, NULL },

	{ CONF_ALERT, "plugin", "\"sms\"", "\"exec\"", BY_ALERTS, NULL },
	{ CONF_ALERT, "severity", "\"critical\"", "\"info\"", BY_ALERTS, NULL },
	{ CONF_ALERT, "timeout_ms", "severity", "timeout_ms = 500; severity", BY_ALERTS, NULL },
	{ CONF_ALERT, NULL, "ops@example.org", "root@example.org", BY_ALERTS, NULL },

	{ CONF_WITNESS, "plugin", "\"etcd\"", "\"other\"", REFUSED, "witness" },
	{ CONF_WITNESS, "without", "\"etcd\"", "\"etcd\"; without = \"serve\"", REFUSED, "witness" },
	{ CONF_WITNESS, NULL, "10.77.0.9:2379", "10.77.0.8:2379", REFUSED, "witness" },
	{ CONF_WITNESS, NULL, "endpoints", "prefix = \"x\"; endpoints", REFUSED, "witness" },
	{ CONF_WITNESS, NULL, "endpoints", "prefix", REFUSED, "witness" },
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

struct said {
	enum reload_effort effort;
	bool scribe;
	char what[RELOAD_WHAT_BYTES];
};

static struct said said(const char *old_text, const char *new_text)
{
	struct hbd_conf *old = loaded(old_text), *new = loaded(new_text);
	struct said said;

	said.effort = reload_judge(old, new, 0, said.what);
	said.scribe = reload_concerns_scribe(old, new);
	conf_free(old);
	conf_free(new);
	return said;
}

static enum reload_effort effort(enum applied_by by)
{
	return by == REFUSED			     ? RELOAD_RESTART
	       : by == BY_ENGINE || by == BY_BOTH ? RELOAD_ENGINE
						     : RELOAD_IN_PLACE;
}

static void expect_effort(const struct reload_case *row, const char *old, const char *new)
{
	struct said said_now = said(old, new);

	if (said_now.effort != effort(row->by))
		fail_msg("\"%s\" to \"%s\" takes %d, for %s", row->old, row->new,
			 (int)said_now.effort, said_now.what);
	if (row->what && strcmp(said_now.what, row->what) != 0)
		fail_msg("\"%s\" to \"%s\" is said to be %s", row->old, row->new, said_now.what);
	if (said_now.scribe != (row->by == BY_ALERTS || row->by == BY_BOTH))
		fail_msg("\"%s\" to \"%s\": the scribe", row->old, row->new);
}

static void every_change_is_applied_or_refused_by_name(void **state)
{
	char *full = replaced(full_text, "profile", WITNESS "profile");

	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		char *changed = replaced(full, cases[i].old, cases[i].new);

		expect_effort(&cases[i], full, changed);
		free(changed);
	}
	free(full);
}

/* What is added with that edit is taken away by going back. */
static void the_way_back_is_the_same(void **state)
{
	char *full = replaced(full_text, "profile", WITNESS "profile");

	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		char *changed = replaced(full, cases[i].old, cases[i].new);

		if (said(changed, full).effort != effort(cases[i].by))
			fail_msg("\"%s\" to \"%s\"", cases[i].new, cases[i].old);
		free(changed);
	}
	free(full);
}

static bool has_row(enum conf_section section, const char *setting)
{
	for (size_t i = 0; i < CASES; i++) {
		const char *name = cases[i].setting;

		if (cases[i].section == section &&
		    (name && setting ? strcmp(name, setting) == 0 : name == setting))
			return true;
	}
	return false;
}

/* Whoever adds a setting says here what a reload makes of it. */
static void no_setting_is_left_out(void **state)
{
	size_t count;
	const struct conf_setting *settings = conf_schema(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		if (!has_row(settings[i].section, settings[i].name))
			fail_msg("%s of %s has no row here", settings[i].name,
				 conf_section_text(settings[i].section));
		if (conf_section_takes_parameters(settings[i].section) &&
		    !has_row(settings[i].section, NULL))
			fail_msg("parameters of %s have no row here",
				 conf_section_text(settings[i].section));
	}
}

/* The names of the files may change, not what is in them. */
static void other_keys_take_another_engine(void **state)
{
	struct hbd_conf *old = loaded(full_text), *new = loaded(full_text);
	char what[RELOAD_WHAT_BYTES];

	(void)state;
	old->key_count = new->key_count = 1;
	assert_int_equal(reload_judge(old, new, 0, what), RELOAD_IN_PLACE);
	assert_int_equal(reload_gone_keys(old, new), 0);
	new->keys[0].bytes[0] ^= 1;
	assert_int_equal(reload_judge(old, new, 0, what), RELOAD_ENGINE);
	assert_string_equal(what, "keys");
	assert_int_equal(reload_gone_keys(old, new), 1);
	conf_free(old);
	conf_free(new);
}

#define LINK(n)                                                                   \
	{ .address = { .family = AF_INET, .v4 = { 0x0100000a + 256 * (n) } },      \
	  .interface = "eth" #n }

struct links_case {
	const char *what;	/* of the restart that it takes; NULL: none */
	uint8_t count;
	struct hbd_conf_link links[3];
	int former[3];
};

static const struct links_case links_cases[] = {
	{ NULL, 2, { LINK(1), LINK(2) }, { 0, 1 } },
	{ NULL, 3, { LINK(1), LINK(2), LINK(3) }, { 0, 1, -1 } },
	{ NULL, 1, { LINK(1) }, { 0 } },
	{ NULL, 2, { LINK(3), LINK(2) }, { -1, 1 } },
	{ "the order of the links", 2, { LINK(2), LINK(1) }, { 1, 0 } },
	{ "the order of the links", 1, { LINK(2) }, { 1 } },
	{ "the order of the links", 3, { LINK(1), LINK(3), LINK(2) }, { 0, -1, 1 } },
	{ "all links at once", 2, { LINK(3), LINK(4) }, { -1, -1 } },
};

/* The other node, which is told later, knows a link by its number. */
static void a_link_keeps_its_number_and_one_is_kept(void **state)
{
	struct hbd_conf *old = loaded(full_text), *new = loaded(full_text);
	const struct hbd_conf_link first[] = { LINK(1), LINK(2) };
	char what[RELOAD_WHAT_BYTES];

	(void)state;
	old->nodes[0].link_count = 2;
	memcpy(old->nodes[0].links, first, sizeof(first));
	memset(old->nodes[1].links, 0, sizeof(old->nodes[1].links));
	memset(new->nodes[1].links, 0, sizeof(new->nodes[1].links));
	for (size_t i = 0; i < sizeof(links_cases) / sizeof(links_cases[0]); i++) {
		const struct links_case *row = &links_cases[i];

		new->nodes[0].link_count = row->count;
		memcpy(new->nodes[0].links, row->links, sizeof(row->links));
		for (uint8_t j = 0; j < row->count; j++)
			assert_int_equal(reload_former_link(old, new, 0, j), row->former[j]);
		assert_int_equal(reload_judge(old, new, 0, what),
				 row->what ? RELOAD_RESTART
				 : i == 0  ? RELOAD_IN_PLACE : RELOAD_ENGINE);
		if (row->what)
			assert_string_equal(what, row->what);
	}
	conf_free(old);
	conf_free(new);
}

static void groups_are_known_by_their_names(void **state)
{
	struct hbd_conf *old = loaded(full_text), *new = loaded(full_text);

	(void)state;
	assert_int_equal(reload_changed_groups(old, new), 0);
	assert_int_equal(reload_gone_groups(old, new), 0);
	strcpy(new->groups[0].name, "api");
	assert_int_equal(reload_former_group(old, new, 0), -1);
	assert_int_equal(reload_changed_groups(old, new) & 1, 1);
	assert_int_equal(reload_gone_groups(old, new) & 1, 1);
	conf_free(old);
	conf_free(new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_change_is_applied_or_refused_by_name),
		cmocka_unit_test(the_way_back_is_the_same),
		cmocka_unit_test(no_setting_is_left_out),
		cmocka_unit_test(other_keys_take_another_engine),
		cmocka_unit_test(a_link_keeps_its_number_and_one_is_kept),
		cmocka_unit_test(groups_are_known_by_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
