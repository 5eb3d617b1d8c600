/* Processes that may not have a fence are told why. Each tries in a child that gave something up. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../hbd/io/fence.h"
#include "own_net.h"

#define CANNOT 77 /* the child could not give it up */

static void become_nobody(void)
{
	if (setgid(65534) != 0 || setuid(65534) != 0)
		_exit(CANNOT);
}

static void drop_capability(int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) != 0)
		_exit(CANNOT);
	data[capability / 32].effective &= ~(1u << capability % 32);
	data[capability / 32].permitted &= ~(1u << capability % 32);
	if (syscall(SYS_capset, &header, data) != 0)
		_exit(CANNOT);
}

static void lose_bpf(void)
{
	drop_capability(CAP_BPF);
	drop_capability(CAP_SYS_ADMIN);
}

static void lose_net_admin(void)
{
	drop_capability(CAP_NET_ADMIN);
}

static void enter_user_namespace(void)
{
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		_exit(CANNOT);
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0 0 1", 5) != 5)
		_exit(CANNOT);
	close(fd);
}

static void forbid_bpf(uint32_t answer)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(CANNOT);
}

static void forbid_calls(void)
{
	forbid_bpf(SECCOMP_RET_ERRNO | EPERM);
}

static void hide_calls(void)
{
	forbid_bpf(SECCOMP_RET_ERRNO | ENOSYS);
}

/* Its clock is a day ahead of the kernel's. Who makes a time namespace is not in it, but its children
 * are. */
static void enter_time_namespace(void)
{
	int fd, status = 0;
	pid_t child;

	if (unshare(CLONE_NEWTIME) != 0)
		_exit(CANNOT);
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "boottime 86400 0", 16) != 16)
		_exit(CANNOT);
	close(fd);
	child = fork();
	if (child != 0) {
		waitpid(child, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
}

static void keep_everything(void)
{
}

struct outcome {
	int result;
	struct fence_refusal refusal;
};

static const struct row {
	const char *name;
	void (*give_up)(void);
	int result;
	enum fence_obstacle obstacle;
	const char *words;
} rows[] = {
	{ "root", keep_everything, 0, FENCE_OBSTACLE_UNSET, "" },
	{ "an ordinary user", become_nobody, -EPERM, FENCE_NO_PERMISSION, "CAP_BPF" },
	{ "root without CAP_BPF", lose_bpf, -EPERM, FENCE_NO_PERMISSION, "CAP_BPF" },
	{ "root without CAP_NET_ADMIN", lose_net_admin, -EPERM, FENCE_NO_PERMISSION,
	  "CAP_NET_ADMIN" },
	{ "root of a user namespace", enter_user_namespace, -EPERM, FENCE_NO_PERMISSION,
	  "user namespace" },
	{ "under a filter of system calls", forbid_calls, -EPERM, FENCE_NO_PERMISSION,
	  "SystemCallFilter" },
	{ "under a filter that says there is no such call", hide_calls, -ENOSYS,
	  FENCE_KERNEL_TOO_OLD, "filter" },
	{ "in a time namespace", enter_time_namespace, -ETIME, FENCE_OTHER_CLOCK,
	  "time namespace" },
};

static int try_in_child(const struct row *row, struct outcome *ret_outcome)
{
	struct fence *fence;
	int status;
	pid_t child = fork();

	if (child == 0) {
		row->give_up();
		ret_outcome->result = fence_open("refused", 100, &fence, &ret_outcome->refusal);
		if (ret_outcome->result == 0)
			fence_close(fence);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Why there is none here at all; UNSET = there is one. */
static enum fence_obstacle find_obstacle(void)
{
	struct fence_refusal refusal = { 0 };
	struct fence *fence;

	if (fence_open("refused", 100, &fence, &refusal) != 0)
		return refusal.obstacle;
	fence_close(fence);
	return FENCE_OBSTACLE_UNSET;
}

static void who_may_not_have_a_fence_is_told_why(void **state)
{
	struct outcome *outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(outcome != MAP_FAILED);
	if (find_obstacle() != FENCE_OBSTACLE_UNSET)
		skip();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		int status;

		memset(outcome, 0, sizeof(*outcome));
		status = try_in_child(row, outcome);
		if (status == CANNOT) {
			printf("%s: cannot be had here\n", row->name);
			continue;
		}
		printf("%s: %s\n", row->name, outcome->refusal.why);
		if (status != 0 || outcome->result != row->result ||
		    (row->result != 0 && outcome->refusal.obstacle != row->obstacle) ||
		    !strstr(outcome->refusal.why, row->words))
			fail_msg("%s: status %d, result %d, obstacle %d, '%s'", row->name, status,
				 outcome->result, outcome->refusal.obstacle, outcome->refusal.why);
	}
	munmap(outcome, sizeof(*outcome));
}

static void a_build_without_it_says_so_and_still_sweeps(void **state)
{
	struct fence_refusal refusal;
	struct fence *fence;

	(void)state;
	if (find_obstacle() != FENCE_BUILT_WITHOUT)
		skip();
	assert_int_equal(fence_open("refused", 100, &fence, &refusal), -EOPNOTSUPP);
	assert_non_null(strstr(refusal.why, "FENCE=0"));
	assert_int_equal(fence_sweep("refused"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_not_have_a_fence_is_told_why),
		cmocka_unit_test(a_build_without_it_says_so_and_still_sweeps),
	};

	own_net_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
