#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <errno.h>
#include <cmocka.h>

#include "../../hbd/conf/loader.h"
#include "../../hbd/core/time.h"
#include "conf_fixture.h"

static void the_file_of_the_manual_is_loaded(void **state)
{
	struct hbd_conf *conf = loaded(full_text);
	const struct hbd_conf_group *group = &conf->groups[0];
	char text[INET6_ADDRSTRLEN];

	(void)state;
	assert_string_equal(conf->cluster, "web");
	assert_int_equal(conf->profile_name, HBD_PROFILE_LAN);
	assert_int_equal(conf->profile.interval_ns, 100 * HBD_MS_NS);
	assert_string_equal(conf->nodes[1].name, "lb2");
	assert_int_equal(conf->nodes[1].link_count, 2);
	assert_string_equal(conf->nodes[1].links[0].interface, "eth1");
	assert_string_equal(hbd_address_text(&conf->nodes[1].links[0].address, text), "10.78.0.2");
	assert_int_equal(conf->key_path_count, 1);
	assert_string_equal(conf->key_paths[0], "/etc/hbd/hbd.key");
	assert_int_equal(conf->key_lines[0], 4);
	assert_int_equal(conf->group_count, 1);
	assert_int_equal(group->vip_count, 2);
	assert_string_equal(hbd_address_text(&group->vips[1].address, text), "fd77::100");
	assert_int_equal(group->vips[1].prefix, 64);
	assert_string_equal(group->vips[1].interface, "eth0");
	assert_int_equal(group->prefer, 0);
	assert_int_equal(group->check_count, 2);
	assert_string_equal(group->checks[0].name, "unit haproxy.service");
	assert_string_equal(group->checks[1].plugin.name, "http");
	assert_int_equal(group->checks[1].interval_ns, 500 * HBD_MS_NS);
	assert_int_equal(group->takeover_count, 2);
	assert_string_equal(group->takeover[1].name, "postgresql");
	assert_string_equal(group->takeover[1].parameters[0].name, "data");
	assert_string_equal(group->takeover[1].parameters[0].json, "\"/main\"");
	assert_int_equal(conf->alert_count, 2);
	assert_int_equal(conf->alerts[1].severity, HBD_SEVERITY_CRITICAL);
	assert_string_equal(conf->alerts[1].plugin.parameters[0].json, "[\"+15550100\"]");
	conf_free(conf);
}

static void what_is_not_set_has_its_default(void **state)
{
	struct hbd_conf *conf = loaded(full_text);
	const struct hbd_conf_group *group = &conf->groups[0];

	(void)state;
	assert_int_equal(conf->port, 694);
	assert_int_equal(conf->refresh_ns, 60 * HBD_S_NS);
	assert_string_equal(conf->user, "hbd");
	assert_string_equal(conf->plugin_user, "root");
	assert_int_equal(group->retry_ns, 10 * HBD_S_NS);
	assert_int_equal(group->checks[0].interval_ns, HBD_S_NS);
	assert_int_equal(group->checks[0].timeout_ns, HBD_S_NS);
	assert_int_equal(group->checks[0].rise, 2);
	assert_int_equal(group->checks[0].fall, 3);
	assert_int_equal(group->takeover[0].step.order, HBD_ORDER_AFTER);
	assert_int_equal(group->takeover[0].step.on_failure, HBD_ON_FAILURE_CONTINUE);
	assert_int_equal(group->takeover[0].step.timeout_ns, 30 * HBD_S_NS);
	assert_int_equal(group->takeover[1].step.order, HBD_ORDER_BEFORE);
	assert_int_equal(group->takeover[1].step.on_failure, HBD_ON_FAILURE_ABORT);
	assert_int_equal(conf->alerts[0].timeout_ns, 30 * HBD_S_NS);
	conf_free(conf);
}

/* An edit of the full text, and what is printed in its consequence. */
struct edit_case {
	const char *name, *old, *new, *printed;
};

static const struct edit_case edits[] = {
	{ "the smallest port", "profile", "port = 1; profile", "port = 1;\n" },
	{ "the largest port", "profile", "port = 65535; profile", "port = 65535;\n" },
	{ "the longest name", "\"web\"", "\"a-name-that-is-31-letters-long.\"",
	  "cluster = \"a-name-that-is-31-letters-long.\";\n" },
	{ "a user of the distribution", "profile", "user = \"_hbd\"; profile", "user = \"_hbd\";\n" },
	{ "no refresh", "profile", "refresh_s = 0; profile", "refresh_s = 0;\n" },
	{ "the longest refresh", "profile", "refresh_s = 86400; profile", "refresh_s = 86400;\n" },
	{ "a profile", "\"lan\"", "\"turbo\"", "profile = \"turbo\";\n" },
	{ "no preference", "prefer = \"lb1\"", "retry_ms = 100", "retry_ms = 100;\n" },
	{ "the other preference", "prefer = \"lb1\"", "prefer = \"lb2\"", "prefer = \"lb2\";\n" },
	{ "a gateway", "prefer = \"lb1\"", "gateway = \"10.77.0.254\"",
	  "gateway = \"10.77.0.254\";\n" },
	{ "a gateway of the other family", "prefer = \"lb1\"", "gateway = \"FE80::0:1\"",
	  "gateway = \"fe80::1\";\n" },
	{ "no prefix length", "100/24 dev", "100 dev", "\"10.77.0.100/32 dev eth0\"" },
	{ "no prefix length in IPv6", "::100/64", "::100", "\"fd77::100/128 dev eth0\"" },
	{ "an address of a network of two", "10.77.0.100/24", "10.77.0.100/31",
	  "\"10.77.0.100/31 dev eth0\"" },
	{ "an address written in another way", "fd77::100", "FD77:0:0::0100",
	  "\"fd77::100/64 dev eth0\"" },
	{ "any white space", "10.77.0.100/24 dev eth0", " 10.77.0.100/24   dev  eth0 ",
	  "\"10.77.0.100/24 dev eth0\"" },
	{ "an array for a list", "( \"/etc/hbd/hbd.key\" )", "[ \"/k1\", \"/k2\" ]",
	  "keys = ( \"/k1\", \"/k2\" );\n" },
	{ "joined strings", "\"/main\"", "\"/ma\" \"in\"", "data = \"/main\";\n" },
	{ "order kept when it says the default", "\"before\"", "\"after\"",
	  "order = \"after\";\n\t\t\t\ttimeout_ms = 30000;\n\t\t\t\ton_failure = \"continue\";\n"
	  "\t\t\t\tprepare = \"no\";\n\t\t\t\tdata" },
	{ "on_failure against the default", "\"before\"", "\"before\"; on_failure = \"continue\"",
	  "on_failure = \"continue\";\n\t\t\t\tprepare = \"no\";\n\t\t\t\tdata" },
	{ "a check by its program", "unit = \"haproxy.service\"", "check = \"load\"; limit = 4",
	  "check = \"load\";\n\t\t\t\tlimit = 4;\n" },
	{ "a loopback link on lo", "10.78.0.1%eth1", "127.0.0.1%lo", "\"127.0.0.1%lo\"" },
	{ "a quote in an interface", "10.78.0.1%eth1", "10.78.0.1%e\\\"1", "\"10.78.0.1%e\\\"1\"" },
	{ "a quote", "/main", "a \\\" b", "data = \"a \\\" b\";\n" },
	{ "a backslash", "/main", "a \\\\ b", "data = \"a \\\\ b\";\n" },
	{ "a line break", "/main", "a\\nb\\tc", "data = \"a\\nb\\tc\";\n" },
	{ "other letters", "/main", "Gr\xc3\xb6\xc3\x9f" "e", "\"Gr\xc3\xb6\xc3\x9f" "e\";\n" },
	{ "a number", "\"/main\"", "5", "data = 5;\n" },
	{ "a negative number", "\"/main\"", "-2147483648", "data = -2147483648;\n" },
	{ "a number of 64 bits", "\"/main\"", "-2147483649", "data = -2147483649L;\n" },
	{ "a hexadecimal number", "\"/main\"", "0xFFFFFFFF", "data = 4294967295L;\n" },
	{ "a fraction", "\"/main\"", "0.5", "data = 0.5;\n" },
	{ "an exponent", "\"/main\"", "1e30", "data = 1e30;\n" },
	{ "a truth", "\"/main\"", "TRUE", "data = true;\n" },
	{ "an empty list", "\"/main\"", "()", "data = ( );\n" },
	{ "a section", "\"/main\"", "{ b = 1; a = ( 2, [ 3, 4 ], { } ); }",
	  "data = { b = 1; a = ( 2, ( 3, 4 ), { } ); };\n" },
};

static void what_is_printed_loads_again_unchanged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		char *text = replaced(full_text, edits[i].old, edits[i].new);
		struct hbd_conf *conf = loaded(text);
		char *once = printed(conf);
		struct hbd_conf *again = loaded(once);
		char *twice = printed(again);

		if (!strstr(once, edits[i].printed))
			fail_msg("%s: not found in\n%s", edits[i].name, once);
		if (strcmp(once, twice) != 0 || conf->digest != again->digest)
			fail_msg("%s: changes when it is loaded again:\n%s\n%s", edits[i].name,
				 once, twice);
		free(text);
		free(once);
		free(twice);
		conf_free(conf);
		conf_free(again);
	}
}

struct text_case {
	const char *bytes;
	bool is_utf8;
};

static const struct text_case texts[] = {
	{ "plain", true },
	{ "\xc2\x80 \xdf\xbf", true },			/* the shortest and longest of two */
	{ "\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80", true },	/* of three */
	{ "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", true },	/* of four */
	{ "\x80", false },				/* nothing that it continues */
	{ "\xc3", false },				/* nothing that continues it */
	{ "\xc3 ", false },
	{ "\xc0\xaf", false },				/* longer than needed */
	{ "\xe0\x9f\xbf", false },
	{ "\xf0\x8f\xbf\xbf", false },
	{ "\xed\xa0\x80", false },			/* half of a UTF-16 pair */
	{ "\xf4\x90\x80\x80", false },			/* beyond Unicode */
	{ "\xe2\x82", false },
	{ "\xe2\x82x", false },
	{ "\xff\xfe", false },
};

static void text_that_is_not_utf8_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct conf_errors errors = { 0 };
		struct hbd_conf *conf = NULL;
		bool refused;

		assert_int_equal(conf_load_text("test", texts[i].bytes, strlen(texts[i].bytes),
						&conf, &errors), -EINVAL);
		refused = strstr(errors.items[0].text, "not UTF-8");
		if (refused == texts[i].is_utf8)
			fail_msg("text %zu: %s", i, errors.items[0].text);
		conf_errors_free(&errors);
	}
}

struct defused_case {
	const char *before, *after;
};

static const struct defused_case defused[] = {
	{ "a b", "a b" },
	{ "\x1b[31m\r\n\t\x7f", "?[31m????" },
	{ "\xc2\x9b" "31m", "??31m" },		/* CSI in one letter */
	{ "Gr\xc3\xb6\xc3\x9f" "e", "Gr\xc3\xb6\xc3\x9f" "e" },
	{ "cut \xc3", "cut ?" },
	{ "cut \xe2\x82, \xe2", "cut ??, ?" },
};

static void messages_cannot_drive_a_terminal(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(defused) / sizeof(defused[0]); i++) {
		char text[32];

		strcpy(text, defused[i].before);
		conf_defuse(text);
		assert_string_equal(text, defused[i].after);
	}
}

static void the_core_gets_what_it_needs(void **state)
{
	struct hbd_conf *conf = loaded(full_text);
	struct hbd_node_config config;

	(void)state;
	conf->key_count = 1;
	conf->keys[0].id = 7;
	memset(&config, 0xff, sizeof(config));
	conf_node_config(conf, 1, &config);
	assert_int_equal(config.self, 1);
	assert_int_equal(config.cluster_id, hbd_cluster_id("web"));
	assert_int_equal(config.config_digest, conf->digest);
	assert_memory_equal(&config.profile, &conf->profile, sizeof(config.profile));
	assert_int_equal(config.link_count, 2);
	assert_int_equal(config.key_count, 1);
	assert_int_equal(config.keys[0].id, 7);
	assert_int_equal(config.fence, 0);
	assert_int_equal(config.group_count, 1);
	assert_int_equal(config.groups[0].id, hbd_group_id("web"));
	assert_int_equal(config.groups[0].prefer, 0);
	assert_int_equal(config.groups[0].retry_ns, 10 * HBD_S_NS);
	assert_int_equal(config.groups[0].step_count, 2);
	assert_int_equal(config.groups[0].steps[1].order, HBD_ORDER_BEFORE);
	assert_int_equal(config.epoch_floor, 0);
	conf_free(conf);
}

static void a_thousand_mistakes_are_enough(void **state)
{
	struct conf_errors errors = { 0 };
	struct hbd_conf *conf = NULL;
	size_t bytes;
	char *text;
	FILE *stream = open_memstream(&text, &bytes);

	(void)state;
	for (unsigned i = 0; i < 2 * CONF_MISTAKES_MAX; i++)
		fprintf(stream, "z%u = 1;\n", i);
	fclose(stream);
	assert_int_equal(conf_load_text("test", text, bytes, &conf, &errors), -EINVAL);
	assert_null(conf);
	assert_int_equal(errors.count, CONF_MISTAKES_MAX + 1);
	assert_string_equal(errors.items[CONF_MISTAKES_MAX].text,
			    "too many mistakes; the others are not shown");
	conf_errors_free(&errors);
	assert_null(errors.items);
	conf_errors_free(&errors);
	free(text);
}

static void what_was_never_filled_can_be_freed(void **state)
{
	struct conf_errors errors = { 0 };

	(void)state;
	conf_free(NULL);
	conf_errors_free(NULL);
	conf_errors_free(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_of_the_manual_is_loaded),
		cmocka_unit_test(what_is_not_set_has_its_default),
		cmocka_unit_test(what_is_printed_loads_again_unchanged),
		cmocka_unit_test(text_that_is_not_utf8_is_refused),
		cmocka_unit_test(messages_cannot_drive_a_terminal),
		cmocka_unit_test(the_core_gets_what_it_needs),
		cmocka_unit_test(a_thousand_mistakes_are_enough),
		cmocka_unit_test(what_was_never_filled_can_be_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
