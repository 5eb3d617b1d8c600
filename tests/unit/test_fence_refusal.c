/* Which of the many reasons of a refusal is named, with its remedy. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../hbd/io/fence_refusal.h"

#define MAY .may_load = true, .may_attach = true
#define LINUX(a, b) .major = a, .minor = b
#define LOCKS .lockable_bytes = UINT64_MAX
#define QUIET .verifier = ""

static const struct row {
	const char *name;
	struct fence_facts facts;
	enum fence_obstacle obstacle;
	const char *words;
} rows[] = {
	{ "an ordinary user", { -EPERM, LINUX(6, 1), QUIET }, FENCE_NO_PERMISSION, "CAP_BPF" },
	{ "without the right to attach",
	  { -EPERM, LINUX(6, 1), .may_load = true, QUIET }, FENCE_NO_PERMISSION, "CAP_NET_ADMIN" },
	{ "root of a user namespace",
	  { -EPERM, LINUX(6, 1), MAY, .in_user_namespace = true, .filters_calls = true, QUIET },
	  FENCE_NO_PERMISSION, "user namespace" },
	{ "a locked down kernel",
	  { -EPERM, LINUX(6, 1), MAY, .locked_down = true, QUIET }, FENCE_LOCKDOWN, "locked down" },
	{ "little locked memory before Linux 5.11",
	  { -EPERM, LINUX(5, 10), MAY, .lockable_bytes = 65536, QUIET }, FENCE_NO_LOCKED_MEMORY,
	  "LimitMEMLOCK" },
	{ "little locked memory since, when it does not matter",
	  { -EPERM, LINUX(5, 11), MAY, .lockable_bytes = 65536, QUIET }, FENCE_NO_PERMISSION,
	  "security module" },
	{ "enough locked memory before Linux 5.11",
	  { -EPERM, LINUX(5, 10), MAY, LOCKS, QUIET }, FENCE_NO_PERMISSION, "security module" },
	{ "a filter of system calls",
	  { -EPERM, LINUX(6, 1), MAY, LOCKS, .filters_calls = true, QUIET }, FENCE_NO_PERMISSION,
	  "SystemCallFilter" },
	{ "root without any of these",
	  { -EPERM, LINUX(6, 1), MAY, LOCKS, QUIET }, FENCE_NO_PERMISSION, "security module" },
	{ "a kernel without it", { -ENOSYS, LINUX(6, 1), MAY, QUIET }, FENCE_KERNEL_TOO_OLD,
	  "CONFIG_BPF_SYSCALL" },
	{ "a filter that hides it", { -ENOSYS, LINUX(6, 1), MAY, .filters_calls = true, QUIET },
	  FENCE_KERNEL_TOO_OLD, "filter" },
	{ "the last kernel that is too old", { -EINVAL, LINUX(5, 7), MAY, QUIET },
	  FENCE_KERNEL_TOO_OLD, "5.7" },
	{ "a much older one, whatever it says", { -EPERM, LINUX(4, 19), QUIET },
	  FENCE_KERNEL_TOO_OLD, "4.19" },
	{ "the first that is not too old", { -EINVAL, LINUX(5, 8), MAY, QUIET }, FENCE_FAILED,
	  "Invalid argument" },
	{ "a kernel of which nothing is known", { -EINVAL, QUIET }, FENCE_FAILED,
	  "Invalid argument" },
	{ "what the verifier says",
	  { -EACCES, LINUX(6, 1), MAY, .verifier = "R1 invalid mem access" }, FENCE_FAILED,
	  "R1 invalid mem access" },
	{ "no memory", { -ENOMEM, LINUX(6, 1), MAY, QUIET }, FENCE_FAILED, "memory" },
};

static void a_refusal_is_told_by_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fence_refusal refusal = { 0 };

		fence_facts_judge(&rows[i].facts, &refusal);
		if (refusal.obstacle != rows[i].obstacle || !strstr(refusal.why, rows[i].words))
			fail_msg("%s: %d, '%s'", rows[i].name, refusal.obstacle, refusal.why);
		/* A sentence that was cut off is no help. */
		assert_true(strlen(refusal.why) < sizeof(refusal.why) - 1);
	}
}

static void a_long_complaint_of_the_verifier_fits(void **state)
{
	char words[1000];
	struct fence_facts facts = { .error = -EINVAL, .verifier = words };
	struct fence_refusal refusal;

	(void)state;
	memset(words, 'x', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	fence_facts_judge(&facts, &refusal);
	assert_int_equal(refusal.obstacle, FENCE_FAILED);
	assert_non_null(strstr(refusal.why, "xxx"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_is_told_by_its_reason),
		cmocka_unit_test(a_long_complaint_of_the_verifier_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
