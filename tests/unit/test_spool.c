/* The alert spool in a directory of its own: what it keeps, what it gives back after a crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../hbd/base/log.h"
#include "../../hbd/core/time.h"
#include "../../hbd/io/spool.h"

#define NOW_NS (1000 * HBD_S_NS)
#define BOTH 3u

static const char *const keys[] = { "email:a@example.org", "sms:+15550100" };

struct bed {
	char directory[64];
	uint64_t wanted;
	struct spool_config config;
	struct spool *spool;
	char log[16384];
};

static uint64_t wanted(const void *context, const struct record_alert *alert)
{
	const struct bed *bed = context;

	(void)alert;
	return bed->wanted;
}

static void note(void *context, int priority, const struct log_fields *fields, const char *text)
{
	struct bed *bed = context;
	size_t used = strlen(bed->log);

	(void)priority;
	(void)fields;
	snprintf(bed->log + used, sizeof(bed->log) - used, "%s\n", text);
}

static void open_spool(struct bed *bed)
{
	assert_int_equal(spool_open(&bed->config, &bed->spool), 0);
}

/* As a crash would: nothing is written any more. */
static void crash(struct bed *bed)
{
	spool_close(bed->spool);
	open_spool(bed);
}

static int set_up(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	strcpy(bed->directory, "/tmp/hbd-spool-XXXXXX");
	assert_non_null(mkdtemp(bed->directory));
	bed->wanted = BOTH;
	bed->config = (struct spool_config){ bed->directory, keys, 2, wanted, bed };
	log_set_sink(note, bed);
	open_spool(bed);
	*state = bed;
	return 0;
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *ftw)
{
	(void)info;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	struct bed *bed = *state;

	spool_close(bed->spool);
	log_set_sink(NULL, NULL);
	nftw(bed->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(bed);
	return 0;
}

static struct record_alert make_alert(int number)
{
	struct record_alert alert;

	memset(&alert, 0, sizeof(alert));
	alert.kind = HBD_ALERT_TAKEOVER;
	alert.severity = HBD_SEVERITY_CRITICAL;
	alert.reason = HBD_REASON_PEER_SILENT;
	alert.epoch = UINT64_C(0x123456789);
	alert.realtime_ns = 1795435200 * HBD_S_NS + number;
	alert.role = HBD_ROLE_PRIMARY;
	alert.peer_role = HBD_ROLE_FAULT;
	alert.peer_alive = true;
	strcpy(alert.node, "lb2");
	strcpy(alert.peer, "lb1");
	snprintf(alert.group, sizeof(alert.group), "g%d", number);
	strcpy(alert.detail, "a \"detail\"\\ with \xc3\xa4");
	return alert;
}

static void add(struct bed *bed, int number)
{
	struct record_alert alert = make_alert(number);

	assert_int_equal(spool_add(bed->spool, &alert, NOW_NS), 0);
}

static struct spool_event *event_at(const struct bed *bed, size_t index)
{
	struct spool_event *event = spool_first(bed->spool);

	while (event && index-- > 0)
		event = event->next;
	return event;
}

/* How many files there are whose names end like that. */
static size_t files(const struct bed *bed, const char *end)
{
	DIR *directory = opendir(bed->directory);
	struct dirent *entry;
	size_t count = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		size_t length = strlen(entry->d_name);

		count += length >= strlen(end) &&
			 !strcmp(entry->d_name + length - strlen(end), end);
	}
	closedir(directory);
	return count;
}

static void event_path(const struct bed *bed, const struct spool_event *event, char path[256])
{
	snprintf(path, 256, "%s/%s.alert", bed->directory, event->id);
}

static void put_file(const struct bed *bed, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", bed->directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void an_alert_is_a_file_before_anything_else(void **state)
{
	struct bed *bed = *state;

	add(bed, 1);
	assert_int_equal(files(bed, ".alert"), 1);
	assert_int_equal(files(bed, ".writing"), 0);
	assert_true(spool_first(bed->spool)->durable);
	assert_int_equal(spool_first(bed->spool)->missing, BOTH);
	assert_int_equal(spool_first(bed->spool)->taken_ns, NOW_NS);
}

static void a_crash_loses_nothing(void **state)
{
	struct bed *bed = *state;
	struct record_alert alert = make_alert(7);

	add(bed, 7);
	add(bed, 3);
	crash(bed);
	assert_int_equal(spool_count(bed->spool), 2);
	/* by time, whatever the order in which they came */
	assert_string_equal(event_at(bed, 0)->alert.group, "g3");
	assert_memory_equal(&event_at(bed, 1)->alert, &alert, sizeof(alert));
	assert_int_equal(event_at(bed, 1)->taken_ns, 0);
	assert_true(event_at(bed, 1)->durable);
}

static void who_has_got_it_is_known_after_a_crash(void **state)
{
	struct bed *bed = *state;

	add(bed, 1);
	spool_delivered(bed->spool, spool_first(bed->spool), 1);
	assert_int_equal(spool_first(bed->spool)->missing, 1);
	crash(bed);
	assert_int_equal(spool_first(bed->spool)->missing, 1);
	spool_delivered(bed->spool, spool_first(bed->spool), 0);
	assert_null(spool_first(bed->spool));
	assert_int_equal(files(bed, ""), 2);	/* . and .. */
	crash(bed);
	assert_int_equal(spool_count(bed->spool), 0);
}

static void targets_are_known_by_their_key_in_any_order(void **state)
{
	static const char *const other[] = { "new:x", "sms:+15550100", "email:a@example.org" };
	struct bed *bed = *state;

	add(bed, 1);
	spool_delivered(bed->spool, spool_first(bed->spool), 0);
	spool_close(bed->spool);
	bed->config.keys = other;
	bed->config.key_count = 3;
	bed->wanted = 7;
	open_spool(bed);
	assert_int_equal(spool_first(bed->spool)->missing, 3);
}

static void what_nobody_wants_any_longer_goes(void **state)
{
	struct bed *bed = *state;

	add(bed, 1);
	bed->wanted = 0;
	crash(bed);
	assert_int_equal(spool_count(bed->spool), 0);
	assert_int_equal(files(bed, ".alert"), 0);
	assert_non_null(strstr(bed->log, "nobody is to get it any longer"));
	add(bed, 2);
	assert_int_equal(spool_count(bed->spool), 0);
}

static void the_same_record_twice_is_one_alert(void **state)
{
	struct bed *bed = *state;

	add(bed, 1);
	add(bed, 1);
	assert_int_equal(spool_count(bed->spool), 1);
	crash(bed);
	add(bed, 1);
	assert_int_equal(spool_count(bed->spool), 1);
	add(bed, 2);
	assert_int_equal(spool_count(bed->spool), 2);
}

static void a_torn_last_line_is_ignored(void **state)
{
	struct bed *bed = *state;
	char path[256];
	FILE *file;

	add(bed, 1);
	event_path(bed, spool_first(bed->spool), path);
	file = fopen(path, "a");
	assert_non_null(file);
	fputs("{\"delivered\": \"sms:+1555", file);
	fclose(file);
	crash(bed);
	assert_int_equal(spool_first(bed->spool)->missing, BOTH);
}

/* An alert's file, made different. */
static const struct {
	const char *name;
	const char *from, *to;
} damages[] = {
	{ "an unknown kind", "takeover", "takeunder" },
	{ "a severity that is none", "critical", "terrible" },
	{ "a number that is a string", "\"epoch\": ", "\"epoch\": \"x\", \"e\": " },
	{ "a time before 1970", "\"realtime_ns\": ", "\"realtime_ns\": -" },
	{ "a name too long", "\"group\": \"g1\"",
	  "\"group\": \"0123456789012345678901234567890123456789\"" },
	{ "a group that is missing", "\"group\"", "\"troop\"" },
	{ "another version", "\"spool\": 1", "\"spool\": 2" },
	{ "half a line", "\"node\"", "\n\"node\"" },
	{ "an id that is not the file's", "\"id\": \"1", "\"id\": \"2" },
};

static void change_file(const char *path, const char *from, const char *to)
{
	char text[4096], changed[8192], *at;
	FILE *file = fopen(path, "r");
	size_t bytes;

	assert_non_null(file);
	bytes = fread(text, 1, sizeof(text) - 1, file);
	text[bytes] = '\0';
	fclose(file);
	at = strstr(text, from);
	assert_non_null(at);
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, to,
		 at + strlen(from));
	file = fopen(path, "w");
	fputs(changed, file);
	fclose(file);
}

static void damaged_files_are_set_aside_and_said(void **state)
{
	struct bed *bed = *state;
	char path[256];

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		print_message("%s\n", damages[i].name);
		bed->log[0] = '\0';
		add(bed, 1);
		event_path(bed, spool_first(bed->spool), path);
		change_file(path, damages[i].from, damages[i].to);
		crash(bed);
		assert_int_equal(spool_count(bed->spool), 0);
		assert_int_equal(files(bed, ".alert"), 0);
		assert_int_equal(files(bed, ".damaged"), 1);
		assert_non_null(strstr(bed->log, "is damaged, an alert may be lost"));
	}
}

static void what_is_no_file_is_set_aside_too(void **state)
{
	struct bed *bed = *state;
	char path[256];

	snprintf(path, sizeof(path), "%s/1-directory.alert", bed->directory);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/2-link.alert", bed->directory);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	snprintf(path, sizeof(path), "%s/3-pipe.alert", bed->directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	put_file(bed, "4-half.alert.writing", "{");
	put_file(bed, "README", "not ours");
	crash(bed);
	assert_int_equal(spool_count(bed->spool), 0);
	assert_int_equal(files(bed, ".alert"), 0);
	assert_int_equal(files(bed, ".damaged"), 3);
	assert_int_equal(files(bed, ".writing"), 0);
	assert_int_equal(files(bed, "README"), 1);
}

static void a_directory_that_goes_away_is_made_again(void **state)
{
	struct bed *bed = *state;

	add(bed, 1);
	nftw(bed->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	add(bed, 2);
	assert_int_equal(files(bed, ".alert"), 1);
	spool_retry(bed->spool, NOW_NS);
	assert_int_equal(files(bed, ".alert"), 2);
}

static void without_a_directory_alerts_are_in_memory_and_that_is_said(void **state)
{
	struct bed *bed = *state;
	int64_t next_ns;

	spool_close(bed->spool);
	rmdir(bed->directory);
	put_file(&(struct bed){ .directory = "/tmp" }, bed->directory + 5, "a file");
	open_spool(bed);
	assert_non_null(strstr(bed->log, "Not a directory"));
	add(bed, 1);
	add(bed, 2);
	assert_int_equal(spool_count(bed->spool), 2);
	assert_false(spool_first(bed->spool)->durable);
	next_ns = spool_retry(bed->spool, NOW_NS + SPOOL_RETRY_NS);
	assert_int_equal(next_ns, NOW_NS + 2 * SPOOL_RETRY_NS);
	/* one line for the first failure, not one for each */
	assert_null(strstr(strstr(bed->log, "Not a directory") + 1, "Not a directory"));
	unlink(bed->directory);
	assert_int_equal(spool_retry(bed->spool, next_ns - 1), next_ns);
	assert_int_equal(spool_retry(bed->spool, next_ns), HBD_NEVER_NS);
	assert_int_equal(files(bed, ".alert"), 2);
	crash(bed);
	assert_int_equal(spool_count(bed->spool), 2);
}

static void what_was_delivered_from_memory_is_remembered_when_written(void **state)
{
	struct bed *bed = *state;

	spool_close(bed->spool);
	rmdir(bed->directory);
	put_file(&(struct bed){ .directory = "/tmp" }, bed->directory + 5, "a file");
	open_spool(bed);
	add(bed, 1);
	spool_delivered(bed->spool, spool_first(bed->spool), 0);
	unlink(bed->directory);
	spool_retry(bed->spool, NOW_NS + SPOOL_RETRY_NS);
	crash(bed);
	assert_int_equal(spool_first(bed->spool)->missing, 2);
}

static void too_many_drop_the_oldest_of_the_least_bad_and_count(void **state)
{
	struct bed *bed = *state;
	struct record_alert alert = make_alert(0);

	/* without a sync for each of thousands */
	spool_close(bed->spool);
	bed->config.directory = "/proc/nowhere";
	open_spool(bed);
	for (int i = 0; i < SPOOL_EVENTS_MAX; i++)
		add(bed, i);
	assert_int_equal(spool_count(bed->spool), SPOOL_EVENTS_MAX);
	spool_delivered(bed->spool, spool_first(bed->spool), 1);
	add(bed, SPOOL_EVENTS_MAX);
	assert_int_equal(spool_count(bed->spool), SPOOL_EVENTS_MAX);
	assert_string_equal(spool_first(bed->spool)->alert.group, "g1");
	assert_int_equal(spool_dropped(bed->spool, 0), 1);
	assert_int_equal(spool_dropped(bed->spool, 1), 0);
	assert_non_null(strstr(bed->log, "2000 alerts wait for delivery, the oldest is dropped: lb2 "
			       "took over g0 because"));

	alert.severity = HBD_SEVERITY_INFO;
	alert.realtime_ns += SPOOL_EVENTS_MAX + 1;
	assert_int_equal(spool_add(bed->spool, &alert, NOW_NS), 0);
	add(bed, SPOOL_EVENTS_MAX + 2);
	assert_string_equal(spool_first(bed->spool)->alert.group, "g2");
	for (struct spool_event *event = spool_first(bed->spool); event; event = event->next)
		assert_int_equal(event->alert.severity, HBD_SEVERITY_CRITICAL);
}

static void how_many_were_dropped_survives_a_crash_until_it_was_told(void **state)
{
	struct bed *bed = *state;

	put_file(bed, "dropped.json",
		 "{\"sms:+15550100\": 12, \"gone:x\": 3, \"email:a@example.org\": -1}");
	crash(bed);
	assert_int_equal(spool_dropped(bed->spool, 0), 0);
	assert_int_equal(spool_dropped(bed->spool, 1), 12);
	spool_dropped_told(bed->spool, 1, 10);
	crash(bed);
	assert_int_equal(spool_dropped(bed->spool, 1), 2);
	spool_dropped_told(bed->spool, 1, 2);
	assert_int_equal(files(bed, "dropped.json"), 0);
}

#define SPOOL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(an_alert_is_a_file_before_anything_else),
		SPOOL_TEST(a_crash_loses_nothing),
		SPOOL_TEST(who_has_got_it_is_known_after_a_crash),
		SPOOL_TEST(targets_are_known_by_their_key_in_any_order),
		SPOOL_TEST(what_nobody_wants_any_longer_goes),
		SPOOL_TEST(the_same_record_twice_is_one_alert),
		SPOOL_TEST(a_torn_last_line_is_ignored),
		SPOOL_TEST(damaged_files_are_set_aside_and_said),
		SPOOL_TEST(what_is_no_file_is_set_aside_too),
		SPOOL_TEST(a_directory_that_goes_away_is_made_again),
		SPOOL_TEST(without_a_directory_alerts_are_in_memory_and_that_is_said),
		SPOOL_TEST(what_was_delivered_from_memory_is_remembered_when_written),
		SPOOL_TEST(too_many_drop_the_oldest_of_the_least_bad_and_count),
		SPOOL_TEST(how_many_were_dropped_survives_a_crash_until_it_was_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
