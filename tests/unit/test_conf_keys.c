#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "conf_fixture.h"

struct place {
	char folder[64], path[80];
	struct hbd_conf *conf;		/* names path as its key file */
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	char *text;

	assert_non_null(place);
	strcpy(place->folder, "/tmp/hbd-test-keys-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->path, sizeof(place->path), "%s/hbd.key", place->folder);
	text = replaced(full_text, "/etc/hbd/hbd.key", place->path);
	place->conf = loaded(text);
	free(text);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	conf_free(place->conf);
	unlink(place->path);
	rmdir(place->folder);
	free(place);
	return 0;
}

static void a_key_that_was_written_is_loaded(void **state)
{
	struct place *place = *state;
	struct conf_errors errors = { 0 };
	struct hbd_key key;
	struct stat status;
	mode_t mask = umask(0);

	conf_key_generate(255, &key);
	assert_int_equal(conf_key_write(place->path, &key), 0);
	umask(mask);
	assert_int_equal(stat(place->path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(conf_load_keys(place->conf, &errors), 0);
	assert_int_equal(place->conf->key_count, 1);
	assert_int_equal(place->conf->keys[0].id, 255);
	assert_memory_equal(place->conf->keys[0].bytes, key.bytes, sizeof(key.bytes));
	assert_int_equal(conf_load_keys(place->conf, &errors), 0);
	assert_int_equal(place->conf->key_count, 1);
}

static void a_key_in_use_is_never_overwritten(void **state)
{
	struct place *place = *state;
	struct hbd_key key, other;
	struct conf_errors errors = { 0 };

	conf_key_generate(1, &key);
	conf_key_generate(2, &other);
	assert_int_equal(conf_key_write(place->path, &key), 0);
	assert_int_equal(conf_key_write(place->path, &other), -EEXIST);
	assert_int_equal(conf_load_keys(place->conf, &errors), 0);
	assert_int_equal(place->conf->keys[0].id, 1);
}

static void a_folder_that_is_missing_is_told(void **state)
{
	struct place *place = *state;
	char path[128];
	struct hbd_key key;

	conf_key_generate(1, &key);
	snprintf(path, sizeof(path), "%s/absent/hbd.key", place->folder);
	assert_int_equal(conf_key_write(path, &key), -ENOENT);
}

static void a_full_disk_leaves_no_part_of_a_key(void **state)
{
	struct place *place = *state;
	struct rlimit limit, small;
	struct hbd_key key;

	conf_key_generate(1, &key);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = limit;
	small.rlim_cur = 10;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(conf_key_write(place->path, &key), -ENOSPC);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(access(place->path, F_OK), -1);
}

static void a_key_is_one_line(void **state)
{
	struct hbd_key key = { .id = 7, .bytes = { 0x01, 0xab } };
	char text[CONF_KEY_TEXT_BYTES];

	(void)state;
	assert_string_equal(conf_key_format(&key, text),
			    "7 01ab000000000000000000000000000000000000000000000000000000000000\n");
}

static void a_key_of_another_user_is_refused(void **state)
{
	struct place *place = *state;
	struct conf_errors errors = { 0 };
	struct hbd_key key;

	if (geteuid() != 0)
		skip();
	conf_key_generate(1, &key);
	assert_int_equal(conf_key_write(place->path, &key), 0);
	assert_int_equal(chown(place->path, 1, 1), 0);
	assert_int_equal(conf_load_keys(place->conf, &errors), -EINVAL);
	assert_int_equal(errors.count, 1);
	assert_int_equal(errors.items[0].line, 4);
	assert_non_null(strstr(errors.items[0].text, "belongs neither to root"));
	assert_int_equal(place->conf->key_count, 0);
	conf_errors_free(&errors);
}

static void keys_differ(void **state)
{
	struct hbd_key a, b;

	(void)state;
	conf_key_generate(1, &a);
	conf_key_generate(1, &b);
	assert_memory_not_equal(a.bytes, b.bytes, sizeof(a.bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_key_that_was_written_is_loaded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_key_in_use_is_never_overwritten, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_folder_that_is_missing_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_disk_leaves_no_part_of_a_key, set_up,
						tear_down),
		cmocka_unit_test(a_key_is_one_line),
		cmocka_unit_test_setup_teardown(a_key_of_another_user_is_refused, set_up, tear_down),
		cmocka_unit_test(keys_differ),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
