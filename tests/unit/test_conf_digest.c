#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "conf_fixture.h"

/* An edit of the full text; both nodes must agree on what is different. */
struct digest_case {
	const char *name, *old, *new;
	bool differs;
};

static const struct digest_case cases[] = {
	{ "a comment", "cluster", "# a comment\ncluster", false },
	{ "white space", "cluster =", "cluster   \n =", false },
	{ "the order of settings", "prefer = \"lb1\";  failback = \"manual\";",
	  "failback = \"manual\"; prefer = \"lb1\";", false },
	{ "an array for a list", "( \"10.78.0.1%eth1\", \"10.77.0.1%eth0\" )",
	  "[ \"10.78.0.1%eth1\", \"10.77.0.1%eth0\" ]", false },
	{ "an address written in another way", "fd77::100", "FD77:0::100", false },
	{ "a default that is written out", "profile", "port = 694; profile", false },
	{ "a default of a check", "interval_ms = 500", "interval_ms = 500; rise = 2", false },
	{ "a key file", "/etc/hbd/hbd.key", "/etc/hbd/other.key", false },
	{ "another key file", "\"/etc/hbd/hbd.key\"", "\"/etc/hbd/hbd.key\", \"/k\"", false },
	{ "the user", "profile", "user = \"nobody\"; profile", false },
	{ "the plugins' user", "profile", "plugin_user = \"nobody\"; profile", false },
	{ "the refresh", "profile", "refresh_s = 5; profile", false },
	{ "an alert's severity", "\"critical\"", "\"info\"", false },
	{ "an alert's parameter", "ops@example.org", "root@example.org", false },
	{ "an alert's timeout", "severity", "timeout_ms = 500; severity", false },

	{ "the cluster", "\"web\"", "\"api\"", true },
	{ "the profile", "\"lan\"", "\"fast\"", true },
	{ "the port", "profile", "port = 695; profile", true },
	{ "a node's name", "\"lb2\"", "\"lb3\"", true },
	{ "a link's address", "10.78.0.2%", "10.78.0.3%", true },
	{ "a link's interface", "10.78.0.2%eth1", "10.78.0.2%eth2", true },
	{ "a group's name", "name = \"web\"", "name = \"api\"", true },
	{ "an address", "10.77.0.100/24", "10.77.0.101/24", true },
	{ "an address' length", "10.77.0.100/24", "10.77.0.100/25", true },
	{ "an address' interface", "100/24 dev eth0", "100/24 dev eth2", true },
	{ "an address more", "\"fd77::100/64 dev eth0\"",
	  "\"fd77::100/64 dev eth0\", \"10.77.0.101 dev eth0\"", true },
	{ "an address less", ", \"fd77::100/64 dev eth0\"", "", true },
	{ "the preferred node", "prefer = \"lb1\"", "prefer = \"lb2\"", true },
	{ "no preferred node", "prefer = \"lb1\";", "", true },
	{ "a gateway", "prefer", "gateway = \"10.77.0.254\"; prefer", true },
	{ "the retry", "prefer", "retry_ms = 500; prefer", true },
	{ "a check's kind", "{ unit = \"haproxy.service\"; }", "{ file = \"/run/ok\"; }", true },
	{ "a check's target", "haproxy.service", "nginx.service", true },
	{ "a check's interval", "interval_ms = 500", "interval_ms = 501", true },
	{ "a check's parameter", "interval_ms = 500", "interval_ms = 500; expect = 200", true },
	{ "a check's fall", "interval_ms = 500", "interval_ms = 500; fall = 2", true },
	{ "a plugin", "\"conntrackd\"", "\"exec\"", true },
	{ "a plugin's order", "\"before\"", "\"after\"", true },
	{ "a plugin's timeout", "\"before\"", "\"before\"; timeout_ms = 500", true },
	{ "a plugin's on_failure", "\"before\"", "\"before\"; on_failure = \"continue\"", true },
	{ "a plugin's parameter", "\"/main\"", "\"/other\"", true },
	{ "a parameter's type", "\"/main\"", "1", true },
	{ "a parameter's name", "data =", "path =", true },
	{ "a plugin less", "{ plugin = \"conntrackd\"; },", "", true },
	{ "the order of plugins", "{ plugin = \"conntrackd\"; },",
	  "{ plugin = \"exec\"; }, { plugin = \"conntrackd\"; },", true },
};

static uint64_t digest_of(const char *text)
{
	struct hbd_conf *conf = loaded(text);
	uint64_t digest = conf->digest;

	conf_free(conf);
	return digest;
}

static void the_digest_covers_what_both_nodes_must_agree_on(void **state)
{
	uint64_t digest = digest_of(full_text);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = replaced(full_text, cases[i].old, cases[i].new);

		if ((digest_of(text) != digest) != cases[i].differs)
			fail_msg("%s: the digest is %s", cases[i].name,
				 cases[i].differs ? "the same" : "another");
		free(text);
	}
}

/* Nodes of different releases compare digests: this one changes only with the protocol. */
static void the_digest_is_the_same_in_all_releases(void **state)
{
	(void)state;
	assert_int_equal(digest_of(full_text), 0xef2d593948ea5597);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_digest_covers_what_both_nodes_must_agree_on),
		cmocka_unit_test(the_digest_is_the_same_in_all_releases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
