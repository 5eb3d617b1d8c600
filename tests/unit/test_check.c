/* Verdicts of health checks: real programs, one result after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../hbd/base/log.h"
#include "../../hbd/io/check.h"
#include "../../hbd/io/clock.h"

#define PATIENCE_NS (10 * HBD_S_NS)

static char dir[] = "/tmp/hbd-test-check-XXXXXX";

/* Run number N does what letter N of the file "script" says, and notes that it ran in "runs". */
static const char player[] =
	"#!/bin/sh\n"
	"cd %s\n"
	"echo run >>runs\n"
	"n=$(wc -l <runs)\n"
	"case $(cut -c$n script) in\n"
	"g) echo all is well ;;\n"
	"b) echo it broke; exit 1 ;;\n"
	"t) exit 75 ;;\n"
	"k) kill -9 $$ ;;\n"
	"h) exec sleep 1000 ;;\n"
	"*) exec sleep 1000 ;;\n"
	"esac\n";

struct told {
	char verdicts[64];	/* "+-+": what the handler was told */
	char detail[CHECK_DETAIL_BYTES];
	uint8_t group, check;
};

struct bed {
	sd_event *loop;
	struct process_runner *runner;
	struct hbd_conf conf;
	struct check_setup setup;
	struct check_set *set;
	struct told told;
};

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static int make_dir(void **state)
{
	char path[PATH_MAX], script[sizeof(player) + PATH_MAX];

	(void)state;
	log_set_level(LOG_EMERG);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/check", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(script, sizeof(script), player, dir);
	write_file("check/player", script, 0755);
	return 0;
}

static int remove_dir(void **state)
{
	char command[PATH_MAX];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void take(void *context, uint8_t group, uint8_t check, bool good, const char *detail)
{
	struct told *told = context;
	size_t length = strlen(told->verdicts);

	assert_true(length + 1 < sizeof(told->verdicts));
	told->verdicts[length] = good ? '+' : '-';
	told->group = group;
	told->check = check;
	snprintf(told->detail, sizeof(told->detail), "%s", detail);
}

static void open_bed(struct bed *bed, char *plugin, const char *script, unsigned rise, unsigned fall)
{
	struct hbd_conf_check check = {
		.name = plugin,
		.plugin = { .name = plugin },
		.interval_ns = 50 * HBD_MS_NS,
		.timeout_ns = 300 * HBD_MS_NS,
		.rise = rise,
		.fall = fall,
	};

	memset(bed, 0, sizeof(*bed));
	write_file("script", script, 0644);
	write_file("runs", "", 0644);
	bed->conf.group_count = 2;
	bed->conf.groups[1].check_count = 1;
	bed->conf.groups[1].checks[0] = check;
	snprintf(bed->conf.groups[1].name, HBD_NAME_BYTES, "db");
	assert_int_equal(sd_event_new(&bed->loop), 0);
	assert_int_equal(process_runner_new(bed->loop, 0, &bed->runner), 0);
	bed->setup = (struct check_setup){ .loop = bed->loop, .runner = bed->runner,
					   .conf = &bed->conf, .plugin_dir = dir,
					   .handler = take, .context = &bed->told };
	assert_int_equal(check_set_new(&bed->setup, NULL, &bed->set), 0);
}

static void close_bed(struct bed *bed)
{
	check_set_free(bed->set);
	process_runner_free(bed->runner);
	sd_event_unref(bed->loop);
}

static size_t runs_so_far(void)
{
	char path[PATH_MAX];
	struct stat info;

	snprintf(path, sizeof(path), "%s/runs", dir);
	assert_int_equal(stat(path, &info), 0);
	return (size_t)info.st_size / strlen("run\n");
}

/* Turns until that many programs were started: all before the last one have been judged. */
static void turn_until_run(struct bed *bed, size_t count)
{
	int64_t until_ns = clock_now_ns() + PATIENCE_NS;

	while (runs_so_far() < count && clock_now_ns() < until_ns)
		sd_event_run(bed->loop, 10000);
	assert_true(runs_so_far() >= count);
}

static void turn_until_told(struct bed *bed, size_t count)
{
	int64_t until_ns = clock_now_ns() + PATIENCE_NS;

	while (strlen(bed->told.verdicts) < count && clock_now_ns() < until_ns)
		sd_event_run(bed->loop, 10000);
}

struct row {
	const char *name;
	const char *script;	/* what each run does */
	unsigned rise, fall;
	const char *verdicts;
	const char *detail;	/* part of the last one */
};

static const struct row rows[] = {
	{"one success is enough at the start, whatever rise says", "g", 3, 3, "+", "all is well"},
	{"failures at the start say nothing before there are fall of them", "bb", 2, 3, "", ""},
	{"fall failures at the start are a bad verdict", "bbb", 2, 3, "-", "it broke"},
	{"a success between failures starts the count again", "gbbgbbg", 2, 3, "+", "all is well"},
	{"fall failures in a row turn it bad", "ggbb", 2, 2, "+-", "it broke"},
	{"it takes rise successes in a row to turn it good", "bbgbgg", 2, 2, "-+", "all is well"},
	{"fewer do not", "bbgbg", 2, 2, "-", "it broke"},
	{"fall 1 is bad at once", "gb", 2, 1, "+-", "it broke"},
	{"a hang is a failure", "gh", 1, 1, "+-", "no end within 300 ms"},
	{"\"try again\" is a failure", "gt", 1, 1, "+-", "exit status 75"},
	{"a death by signal is a failure", "gk", 1, 1, "+-", "killed by signal 9"},
	{"an unchanged verdict is not told again", "gggggg", 2, 2, "+", "all is well"},
};

static void test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static struct bed bed;
		char plugin[] = "player";

		print_message("  %s\n", rows[i].name);
		open_bed(&bed, plugin, rows[i].script, rows[i].rise, rows[i].fall);
		turn_until_run(&bed, strlen(rows[i].script) + 1);
		assert_string_equal(bed.told.verdicts, rows[i].verdicts);
		assert_non_null(strstr(bed.told.detail, rows[i].detail));
		if (rows[i].verdicts[0]) {
			assert_int_equal(bed.told.group, 1);
			assert_int_equal(bed.told.check, 0);
		}
		close_bed(&bed);
	}
}

static void test_a_check_that_cannot_run_has_failed(void **state)
{
	static struct bed bed;
	char plugin[] = "missing";

	(void)state;
	open_bed(&bed, plugin, "", 1, 2);
	turn_until_told(&bed, 1);
	assert_string_equal(bed.told.verdicts, "-");
	assert_non_null(strstr(bed.told.detail, "cannot be started: there is no check/missing"));
	close_bed(&bed);
}

static void test_a_new_engine_is_told_again(void **state)
{
	static struct bed bed;
	char plugin[] = "player";

	(void)state;
	open_bed(&bed, plugin, "bb", 1, 2);
	check_set_repeat(bed.set);
	assert_string_equal(bed.told.verdicts, "");
	turn_until_told(&bed, 1);
	check_set_repeat(bed.set);
	assert_string_equal(bed.told.verdicts, "--");
	assert_string_equal(bed.told.detail, "it broke");
	close_bed(&bed);
}

/* After a reload a bad check is still bad, and is good again by the new rise. */
static void test_a_reload_keeps_verdicts(void **state)
{
	static struct bed bed;
	struct check_set *former;
	char plugin[] = "player";

	(void)state;
	open_bed(&bed, plugin, "bb", 1, 2);
	turn_until_told(&bed, 1);
	former = bed.set;
	write_file("script", "ggggg", 0644);
	write_file("runs", "", 0644);
	bed.conf.groups[1].checks[0].rise = 3;
	assert_int_equal(check_set_new(&bed.setup, former, &bed.set), 0);
	check_set_free(former);
	turn_until_run(&bed, 3);
	assert_string_equal(bed.told.verdicts, "-");
	turn_until_run(&bed, 4);
	assert_string_equal(bed.told.verdicts, "-+");
	close_bed(&bed);
}

/* From start to start, and never two at once. */
static void test_interval(void **state)
{
	static struct bed bed;
	char plugin[] = "player";
	int64_t start_ns;

	(void)state;
	open_bed(&bed, plugin, "gggggggggghg", 2, 3);
	turn_until_run(&bed, 1);
	start_ns = clock_now_ns();
	turn_until_run(&bed, 11);
	assert_in_range((clock_now_ns() - start_ns) / HBD_MS_NS, 490, 900);
	start_ns = clock_now_ns();
	turn_until_run(&bed, 12);
	assert_true(clock_now_ns() - start_ns >= 290 * HBD_MS_NS);
	close_bed(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_a_check_that_cannot_run_has_failed),
		cmocka_unit_test(test_a_new_engine_is_told_again),
		cmocka_unit_test(test_a_reload_keeps_verdicts),
		cmocka_unit_test(test_interval),
	};

	return cmocka_run_group_tests_name("check", tests, make_dir, remove_dir);
}
