/* Which plugins are trusted, and what they are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../hbd/base/log.h"
#include "../../hbd/io/plugin.h"

static char dir[] = "/tmp/hbd-test-plugin-XXXXXX";

static char *in_dir(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_script(const char *name, const char *text, mode_t mode)
{
	FILE *file = fopen(in_dir(name), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(in_dir(name), mode), 0);
}

static int make_dir(void **state)
{
	(void)state;
	umask(022);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(mkdir(in_dir("takeover"), 0755), 0);
	assert_int_equal(mkdir(in_dir("check"), 0755), 0);
	assert_int_equal(mkdir(in_dir("alert"), 0755), 0);
	return 0;
}

static int remove_dir(void **state)
{
	char command[PATH_MAX];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* ---- which are trusted ------------------------------------------------------------------------ */

enum oddity {
	NONE,
	MISSING,
	DIRECTORY,
	DANGLING,
	SYMLINK,
	SYMLINK_TO_UNSAFE,
	STRANGER,
	DIR_WRITABLE,
	DIR_STICKY,
	DIR_STRANGER,
	PARENT_WRITABLE,
};

struct find_row {
	const char *name;
	enum oddity oddity;
	mode_t mode;
	int result;
	const char *why;
};

static const struct find_row find_rows[] = {
	{"a program of root or ours is taken", NONE, 0755, 0, NULL},
	{"one that only its owner may run is taken", NONE, 0700, 0, NULL},
	{"a link to a safe one is taken", SYMLINK, 0755, 0, NULL},
	{"one that does not exist is missing", MISSING, 0, -ENOENT, "there is no takeover/it in"},
	{"a directory is no program", DIRECTORY, 0755, -EACCES, "is not a regular file"},
	{"a link to nothing is refused, not passed over", DANGLING, 0, -EACCES, "No such file"},
	{"one without the execute bit is refused", NONE, 0644, -EACCES, "is not executable; chmod +x"},
	{"one that its group may write is refused", NONE, 0775, -EPERM,
	 "is writable for its group; chmod go-w"},
	{"one that everybody may write is refused", NONE, 0757, -EPERM, "is writable for everybody"},
	{"one of another user is refused", STRANGER, 0755, -EPERM,
	 "belongs to user 65534; chown it to root"},
	{"one in a directory that everybody may write is refused", DIR_WRITABLE, 0755, -EPERM,
	 "takeover is writable for everybody"},
	{"a sticky bit does not make that good", DIR_STICKY, 0755, -EPERM,
	 "takeover is writable for everybody"},
	{"one in a directory of another user is refused", DIR_STRANGER, 0755, -EPERM,
	 "takeover belongs to user 65534"},
	{"one below a directory that everybody may write is refused", PARENT_WRITABLE, 0755, -EPERM,
	 "is writable for everybody"},
	{"a link to an unsafe one is refused", SYMLINK_TO_UNSAFE, 0757, -EPERM,
	 "is writable for everybody"},
};

static void make_odd(const struct find_row *row)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", in_dir("takeover/it"));
	if (row->oddity == MISSING)
		return;
	if (row->oddity == DIRECTORY)
		assert_int_equal(mkdir(path, 0755), 0);
	else if (row->oddity == DANGLING)
		assert_int_equal(symlink("nowhere", path), 0);
	else if (row->oddity == SYMLINK || row->oddity == SYMLINK_TO_UNSAFE) {
		write_script("other", "#!/bin/sh\n", row->mode);
		assert_int_equal(symlink("../other", path), 0);
	} else
		write_script("takeover/it", "#!/bin/sh\n", row->mode);
	if (row->oddity == STRANGER)
		assert_int_equal(chown(path, 65534, 65534), 0);
	if (row->oddity == DIR_STRANGER)
		assert_int_equal(chown(in_dir("takeover"), 65534, 65534), 0);
	if (row->oddity == DIR_WRITABLE || row->oddity == DIR_STICKY)
		assert_int_equal(chmod(in_dir("takeover"), row->oddity == DIR_STICKY ? 01777 : 0777),
				 0);
	if (row->oddity == PARENT_WRITABLE)
		assert_int_equal(chmod(dir, 0777), 0);
}

static void make_even(void)
{
	remove(in_dir("takeover/it"));
	remove(in_dir("other"));
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(chmod(in_dir("takeover"), 0755), 0);
	assert_int_equal(chown(in_dir("takeover"), geteuid(), getegid()), 0);
}

static void test_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(find_rows) / sizeof(find_rows[0]); i++) {
		const struct find_row *row = &find_rows[i];
		char path[PATH_MAX] = "", why[PROCESS_TEXT_BYTES] = "";

		print_message("  %s\n", row->name);
		if (geteuid() != 0 && (row->oddity == STRANGER || row->oddity == DIR_STRANGER)) {
			print_message("  (skipped: needs root)\n");
			continue;
		}
		make_odd(row);
		assert_int_equal(plugin_find(dir, PLUGIN_TAKEOVER, "it", path, why), row->result);
		if (row->why)
			assert_non_null(strstr(why, row->why));
		else
			assert_string_equal(path, in_dir(row->oddity == SYMLINK ? "other"
										 : "takeover/it"));
		make_even();
	}
}

/* ---- what they are told ----------------------------------------------------------------------- */

struct told {
	sd_event *loop;
	struct process_runner *runner;
	bool ended;
	int result;
	char text[PROCESS_TEXT_BYTES];
};

static void ended(void *context, const struct process_result *result)
{
	struct told *told = context;

	told->ended = true;
	told->result = result->result;
	snprintf(told->text, sizeof(told->text), "%s", result->text);
}

static void set_parameter(struct hbd_conf_plugin *conf, const char *name, const char *json)
{
	conf->parameters[conf->parameter_count++] =
		(struct hbd_conf_parameter){ .name = strdup(name), .json = strdup(json) };
}

static void run(enum plugin_kind kind, struct told *told)
{
	struct hbd_conf_vip vips[2] = { { .prefix = 24, .interface = "eth0" },
					{ .prefix = 64, .interface = "eth1" } };
	struct hbd_conf_group group = { .name = "web", .vip_count = 2, .vips = vips };
	struct hbd_conf_plugin conf = { .name = strdup("it") };
	struct plugin_call call = { .action = "takeover", .timeout_ns = 5 * HBD_S_NS,
				    .output_priority = LOG_DEBUG, .handler = ended, .context = told };
	struct plugin *plugin;

	vips[0].address.family = AF_INET;
	inet_pton(AF_INET, "10.77.0.100", &vips[0].address.v4);
	vips[1].address.family = AF_INET6;
	inet_pton(AF_INET6, "fd77::100", &vips[1].address.v6);
	set_parameter(&conf, "data-dir", "\"/var/lib/x y\"");
	set_parameter(&conf, "retries", "3");
	set_parameter(&conf, "force", "true");
	set_parameter(&conf, "hosts", "[\"a\", \"b\"]");
	call.facts = plugin_facts_json(&(struct plugin_facts){
		.group = "web", .node = "lb1", .peer = "lb2", .epoch = 1025,
		.reason = "peer-silent", .role = "primary", .previous = "secondary" });
	json_object_set_new(call.facts, "contract", json_integer(99));
	assert_int_equal(sd_event_new(&told->loop), 0);
	assert_int_equal(process_runner_new(told->loop, 0, &told->runner), 0);
	assert_int_equal(plugin_new(kind, dir, &conf, &group, &plugin), 0);
	assert_int_equal(plugin_start(told->runner, plugin, &call, NULL), 0);
	plugin_free(plugin);
	json_decref(call.facts);
	while (!told->ended)
		sd_event_run(told->loop, 100000);
	process_runner_free(told->runner);
	sd_event_unref(told->loop);
	for (int i = 0; i < conf.parameter_count; i++) {
		free(conf.parameters[i].name);
		free(conf.parameters[i].json);
	}
	free(conf.name);
}

static void expect_output(const char *name, const char *wanted)
{
	char command[PATH_MAX + 32], text[4096];
	size_t length;
	FILE *file;

	snprintf(command, sizeof(command), "sort %s", in_dir(name));
	file = popen(command, "r");
	assert_non_null(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	pclose(file);
	assert_string_equal(text, wanted);
}

static char *script_that_keeps(const char *command, const char *name)
{
	static char script[PATH_MAX * 2];

	snprintf(script, sizeof(script), "#!/bin/sh\n%s >%s\n", command, in_dir(name));
	return script;
}

/* HBD_RUN_ID differs every time. */
static const char show_environment[] =
	"tr '\\0' '\\n' </proc/$$/environ | sed 's/#.*/#/'";

static void test_environment(void **state)
{
	struct told told = { 0 };

	(void)state;
	write_script("takeover/it", script_that_keeps(show_environment, "environment"), 0755);
	run(PLUGIN_TAKEOVER, &told);
	assert_int_equal(told.result, 0);
	expect_output("environment",
		      "HBD_ACTION=takeover\nHBD_CONTRACT=1\nHBD_EPOCH=1025\nHBD_GROUP=web\n"
		      "HBD_NODE=lb1\nHBD_PARAMETER_DATA_DIR=/var/lib/x y\nHBD_PARAMETER_FORCE=true\n"
		      "HBD_PARAMETER_RETRIES=3\nHBD_PEER=lb2\nHBD_PREVIOUS=secondary\n"
		      "HBD_REASON=peer-silent\nHBD_ROLE=primary\nHBD_RUN_ID=takeover/it#\n"
		      "HBD_TIMEOUT_MS=5000\n"
		      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
}

static void test_alert_parameters_stay_out_of_the_environment(void **state)
{
	struct told told = { 0 };

	(void)state;
	write_script("alert/it", script_that_keeps("env | grep -c PARAMETER", "count"), 0755);
	run(PLUGIN_ALERT, &told);
	expect_output("count", "0\n");
}

static void test_document(void **state)
{
	struct told told = { 0 };
	json_error_t error;
	json_t *document, *wanted;

	(void)state;
	write_script("takeover/it", script_that_keeps("cat", "document"), 0755);
	run(PLUGIN_TAKEOVER, &told);
	document = json_load_file(in_dir("document"), 0, &error);
	assert_non_null(document);
	assert_int_equal(strncmp(json_string_value(json_object_get(document, "run_id")),
				 "takeover/it#", 12), 0);
	json_object_del(document, "run_id");
	wanted = json_pack("{s:i, s:s, s:i, s:s, s:s, s:s, s:i, s:s, s:s, s:s,"
			   " s:{s:s, s:i, s:b, s:[s, s]}, s:[s, s]}",
			   "contract", 1, "action", "takeover", "timeout_ms", 5000, "group", "web",
			   "node", "lb1", "peer", "lb2", "epoch", 1025, "reason", "peer-silent",
			   "role", "primary", "previous", "secondary", "parameters", "data-dir",
			   "/var/lib/x y", "retries", 3, "force", 1, "hosts", "a", "b", "addresses",
			   "10.77.0.100/24 dev eth0", "fd77::100/64 dev eth1");
	assert_non_null(wanted);
	assert_true(json_equal(document, wanted));
	json_decref(wanted);
	json_decref(document);
}

static void test_arguments(void **state)
{
	struct told told = { 0 };

	(void)state;
	write_script("takeover/it", script_that_keeps("echo $# $1", "arguments"), 0755);
	run(PLUGIN_TAKEOVER, &told);
	expect_output("arguments", "1 takeover\n");
}

struct refusal_row {
	const char *name;
	const char *script;
	mode_t mode;
	int result;
	const char *text;
};

static const struct refusal_row refusal_rows[] = {
	{"missing", NULL, 0, -ENOENT, "cannot be started: there is no takeover/it in"},
	{"not executable", "#!/bin/sh\n", 0644, -EACCES, "is not executable"},
	{"world-writable", "#!/bin/sh\n", 0777, -EPERM, "is writable for everybody"},
	{"no interpreter line", "echo\n", 0755, -ENOEXEC, "Exec format error"},
	{"an interpreter that does not exist", "#!/nonexistent\n", 0755, -ENOENT, "cannot be started"},
};

static void test_refusals_end_a_run(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusal_rows) / sizeof(refusal_rows[0]); i++) {
		const struct refusal_row *row = &refusal_rows[i];
		struct told told = { 0 };

		print_message("  %s\n", row->name);
		remove(in_dir("takeover/it"));
		if (row->script)
			write_script("takeover/it", row->script, row->mode);
		run(PLUGIN_TAKEOVER, &told);
		assert_int_equal(told.result, row->result);
		assert_non_null(strstr(told.text, row->text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_alert_parameters_stay_out_of_the_environment),
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_refusals_end_a_run),
	};

	return cmocka_run_group_tests_name("plugin", tests, make_dir, remove_dir);
}
