/* Maintenance on the disk: noted, found by the next start, and never half. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../hbd/io/maintenance.h"

struct folder {
	char path[64];
	char file[96];
};

static int set_up(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	strcpy(folder->path, "/tmp/hbd-maintenance-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	snprintf(folder->file, sizeof(folder->file), "%s/maintenance", folder->path);
	*state = folder;
	return 0;
}

static int tear_down(void **state)
{
	struct folder *folder = *state;

	unlink(folder->file);
	rmdir(folder->path);
	free(folder);
	return 0;
}

static void what_was_noted_is_found(void **state)
{
	static const bool words[] = { true, true, false, false, true };
	struct folder *folder = *state;

	assert_false(maintenance_noted(folder->path));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_int_equal(maintenance_note(folder->path, words[i]), 0);
		assert_int_equal(maintenance_noted(folder->path), words[i]);
	}
}

static void a_folder_that_is_not_there_is_no_maintenance_and_cannot_be_noted_in(void **state)
{
	struct folder *folder = *state;

	assert_int_equal(rmdir(folder->path), 0);
	assert_false(maintenance_noted(folder->path));
	assert_int_equal(maintenance_note(folder->path, true), -ENOENT);
	assert_int_equal(maintenance_note(folder->path, false), -ENOENT);
	assert_false(maintenance_noted(folder->path));
}

/* Whoever may write to the folder must not have other files overwritten. */
static void a_link_is_not_followed(void **state)
{
	struct folder *folder = *state;
	char victim[96];
	struct stat status;

	snprintf(victim, sizeof(victim), "%s.victim", folder->path);
	assert_int_equal(symlink(victim, folder->file), 0);
	assert_int_equal(maintenance_note(folder->path, true), -ELOOP);
	assert_int_not_equal(stat(victim, &status), 0);
	assert_false(maintenance_noted(folder->path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_noted_is_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_folder_that_is_not_there_is_no_maintenance_and_cannot_be_noted_in, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(a_link_is_not_followed, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
