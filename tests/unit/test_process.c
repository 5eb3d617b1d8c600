/* Real programs that behave, misbehave and hide, and what is left of them afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../hbd/base/log.h"
#include "../../hbd/io/clock.h"
#include "../../hbd/io/process.h"

#define LINES_MAX 1000
#define PATIENCE_NS (10 * HBD_S_NS)

struct fixture {
	sd_event *loop;
	struct process_runner *runner;
	size_t line_count;
	char *lines[LINES_MAX];
	char plugin[64];		/* of the last line */
	unsigned ended;
	int result;
	char text[PROCESS_TEXT_BYTES];
	char last_line[PROCESS_LAST_LINE_BYTES];
	int64_t duration_ns;
};

static void keep_line(void *context, int priority, const struct log_fields *fields,
		      const char *text)
{
	struct fixture *fixture = context;

	(void)priority;
	assert_true(fixture->line_count < LINES_MAX);
	fixture->lines[fixture->line_count++] = strdup(text);
	snprintf(fixture->plugin, sizeof(fixture->plugin), "%s",
		 fields && fields->plugin ? fields->plugin : "");
}

static bool was_logged_from(const struct fixture *fixture, size_t first, const char *part)
{
	for (size_t i = first; i < fixture->line_count; i++) {
		if (strstr(fixture->lines[i], part))
			return true;
	}
	return false;
}

static bool was_logged(const struct fixture *fixture, const char *part)
{
	return was_logged_from(fixture, 0, part);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	log_set_sink(keep_line, fixture);
	assert_int_equal(sd_event_new(&fixture->loop), 0);
	assert_int_equal(process_runner_new(fixture->loop, 0, &fixture->runner), 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	process_runner_free(fixture->runner);
	sd_event_unref(fixture->loop);
	log_set_sink(NULL, NULL);
	while (fixture->line_count > 0)
		free(fixture->lines[--fixture->line_count]);
	free(fixture);
	return 0;
}

static void ended(void *context, const struct process_result *result)
{
	struct fixture *fixture = context;

	fixture->ended++;
	fixture->result = result->result;
	fixture->duration_ns = result->duration_ns;
	snprintf(fixture->text, sizeof(fixture->text), "%s", result->text);
	snprintf(fixture->last_line, sizeof(fixture->last_line), "%s", result->last_line);
}

static int take_path(const void *context, char *ret_path, char *ret_why)
{
	const char *path = context;

	if (path[0] == '!') {
		snprintf(ret_why, PROCESS_TEXT_BYTES, "%s", path + 1);
		return -EPERM;
	}
	snprintf(ret_path, PATH_MAX, "%s", path);
	return 0;
}

static struct process *start_program(struct fixture *fixture, const char *path, char *const *argv,
				     int64_t timeout_ns, const struct process_user *user)
{
	struct process *run = NULL;
	char id[PROCESS_ID_BYTES], id_variable[PROCESS_ID_BYTES + 16];
	struct process_request request = {
		.label = "takeover/test",
		.group = "web",
		.id = process_id(fixture->runner, "takeover/test", id),
		.resolve = take_path,
		.resolve_context = path,
		.argv = argv,
		.environment = (char *[]){ (char[]){ "PATH=/usr/bin:/bin" }, id_variable, NULL },
		.input = "first\nsecond\n",
		.input_bytes = 13,
		.user = user,
		.timeout_ns = timeout_ns,
		.output_priority = LOG_INFO,
		.handler = ended,
		.context = fixture,
	};

	snprintf(id_variable, sizeof(id_variable), "HBD_RUN_ID=%s", id);
	assert_int_equal(process_start(fixture->runner, &request, &run), 0);
	return run;
}

static struct process *start_script(struct fixture *fixture, const char *script,
				    int64_t timeout_ns)
{
	char *copy = strdup(script);
	struct process *run = start_program(fixture, "/bin/sh",
					    (char *[]){ (char[]){ "sh" }, (char[]){ "-c" }, copy,
							NULL }, timeout_ns, NULL);

	free(copy);
	return run;
}

static void turn_until_ended(struct fixture *fixture, unsigned count)
{
	int64_t until_ns = clock_now_ns() + PATIENCE_NS;

	while (fixture->ended < count && clock_now_ns() < until_ns)
		sd_event_run(fixture->loop, 20000);
	assert_int_equal(fixture->ended, count);
}

static void turn_for(struct fixture *fixture, int64_t duration_ns)
{
	int64_t until_ns = clock_now_ns() + duration_ns;

	while (clock_now_ns() < until_ns)
		sd_event_run(fixture->loop, 5000);
}

static bool lives(pid_t pid)
{
	return kill(pid, 0) == 0;
}

/* Turns the loop until the process is gone, also as a zombie. */
static void expect_gone(struct fixture *fixture, pid_t pid)
{
	int64_t until_ns = clock_now_ns() + PATIENCE_NS;

	assert_true(pid > 1);
	while (lives(pid) && clock_now_ns() < until_ns)
		sd_event_run(fixture->loop, 5000);
	assert_false(lives(pid));
}

/* ---- how it ends ------------------------------------------------------------------------------ */

struct end_row {
	const char *name;
	const char *script;
	int64_t timeout_ms;
	int result;
	const char *text;	/* part of it */
	const char *last_line;	/* NULL = whatever the shell says */
	int64_t at_least_ms, at_most_ms;
};

static const struct end_row end_rows[] = {
	{"exit status 0 is success", "echo done", 5000, 0, "exit status 0", "done", 0, 3000},
	{"exit status 75 asks to try again", "exit 75", 5000, -EAGAIN, "exit status 75", "", 0, 3000},
	{"any other exit status is failure", "echo why >&2; exit 3", 5000, -EREMOTEIO,
	 "exit status 3", "why", 0, 3000},
	{"a signal is failure", "kill -SEGV $$", 5000, -EINTR, "signal 11 (Segmentation", "", 0, 3000},
	{"its own SIGKILL is failure", "kill -KILL $$", 5000, -EINTR, "signal 9", "", 0, 3000},
	{"a hang ends by SIGTERM at the deadline", "echo waiting; exec sleep 1000", 200, -ETIMEDOUT,
	 "no end within 200 ms", "waiting", 200, 650},
	{"one that ignores SIGTERM is killed 500 ms later", "trap '' TERM; while :; do sleep 1; done",
	 200, -ETIMEDOUT, "killed by signal 9", "", 700, 3000},
	{"one that stops itself is ended", "kill -STOP $$", 200, -ETIMEDOUT, "no end within 200 ms",
	 "", 200, 3000},
	{"success after the deadline is not success",
	 "trap 'exit 0' TERM; while :; do sleep 0.05; done", 200, -ETIMEDOUT, "exit status 0", NULL,
	 200, 3000},
	{"its end counts, not that of a child that keeps the output", "sleep 1000 & exit 0", 5000, 0,
	 "exit status 0", "", 0, 3000},
	{"nor of one in a session of its own", "setsid sleep 1000 & exit 4", 5000, -EREMOTEIO,
	 "exit status 4", "", 0, 3000},
};

static void test_ends(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(end_rows) / sizeof(end_rows[0]); i++) {
		const struct end_row *row = &end_rows[i];
		int64_t ms;

		print_message("  %s\n", row->name);
		start_script(fixture, row->script, row->timeout_ms * HBD_MS_NS);
		assert_int_equal(process_runner_count(fixture->runner), 1);
		turn_until_ended(fixture, (unsigned)i + 1);
		ms = fixture->duration_ns / HBD_MS_NS;
		assert_int_equal(fixture->result, row->result);
		assert_non_null(strstr(fixture->text, row->text));
		if (row->last_line)
			assert_string_equal(fixture->last_line, row->last_line);
		assert_in_range(ms, row->at_least_ms, row->at_most_ms);
		assert_int_equal(process_runner_count(fixture->runner), 0);
	}
}

struct start_row {
	const char *name;
	const char *path;
	int result;
	const char *text;
};

static const struct start_row start_rows[] = {
	{"a missing program", "/nonexistent/program", -ENOENT, "cannot be started: /nonexistent"},
	{"a directory", "/usr", -EACCES, "cannot be started: /usr: Permission denied"},
	{"a file that is no program", "/etc/passwd", -EACCES, "cannot be started"},
	{"one that was refused", "!it is not safe", -EPERM, "cannot be started: it is not safe"},
};

static void test_unstartable(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(start_rows) / sizeof(start_rows[0]); i++) {
		const struct start_row *row = &start_rows[i];

		print_message("  %s\n", row->name);
		start_program(fixture, row->path, (char *[]){ (char[]){ "x" }, NULL },
			      5 * HBD_S_NS, NULL);
		turn_until_ended(fixture, (unsigned)i + 1);
		assert_int_equal(fixture->result, row->result);
		assert_non_null(strstr(fixture->text, row->text));
	}
}

static void test_cancel(void **state)
{
	struct fixture *fixture = *state;
	struct process *run = start_script(fixture, "exec sleep 1000", 100 * HBD_S_NS);

	process_cancel(run);
	process_cancel(run);
	turn_until_ended(fixture, 1);
	assert_int_equal(fixture->result, -ECANCELED);
	assert_true(fixture->duration_ns < 400 * HBD_MS_NS);
}

static void test_kill_all(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 3; i++)
		start_script(fixture, "trap '' TERM; while :; do sleep 1; done", 100 * HBD_S_NS);
	turn_for(fixture, 100 * HBD_MS_NS);
	process_runner_kill_all(fixture->runner);
	turn_until_ended(fixture, 3);
	assert_int_equal(fixture->result, -ECANCELED);
	assert_true(fixture->duration_ns < 450 * HBD_MS_NS);
}

/* ---- what it inherits ------------------------------------------------------------------------- */

struct inherit_row {
	const char *name;
	const char *script;
	const char *line;	/* its last line */
};

static const struct inherit_row inherit_rows[] = {
	{"no descriptor but the first three",
	 "for fd in $(seq 0 15); do test -e /proc/$$/fd/$fd && printf '%s ' $fd; done; echo",
	 "0 1 2"},
	{"its input, whole", "cat | tr '\\n' ,", "first,second,"},
	{"the root directory", "pwd", "/"},
	{"an ordinary umask", "umask", "0022"},
	/* 32 and 33 are the C library's own: posix_spawn(), by which make starts us, ignores them */
	{"no ignored signal",
	 "echo $((0x$(grep SigIgn /proc/self/status | cut -f2) & ~0x180000000))", "0"},
	{"no blocked signal", "grep SigBlk /proc/self/status | cut -f2", "0000000000000000"},
	{"nice 0", "cut -d' ' -f19 /proc/self/stat", "0"},
	{"no real-time scheduling", "cut -d' ' -f41 /proc/self/stat", "0"},
	{"a process group of its own", "test $(cut -d' ' -f5 /proc/$$/stat) = $$ && echo own", "own"},
	{"nothing but the environment given", "tr '\\0' '\\n' </proc/$$/environ | cut -d= -f1 | xargs",
	 "PATH HBD_RUN_ID"},
};

static void test_inheritance(void **state)
{
	struct fixture *fixture = *state;
	struct sched_param param = {.sched_priority = 1};
	int leaked = fcntl(STDERR_FILENO, F_DUPFD, 15);
	sigset_t mask;

	setenv("SECRET_OF_THE_DAEMON", "1", 1);
	signal(SIGUSR1, SIG_IGN);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	setpriority(PRIO_PROCESS, 0, 3);
	if (sched_setscheduler(0, SCHED_RR, &param) < 0)
		print_message("  (real-time scheduling is not allowed here)\n");
	for (size_t i = 0; i < sizeof(inherit_rows) / sizeof(inherit_rows[0]); i++) {
		print_message("  %s\n", inherit_rows[i].name);
		start_script(fixture, inherit_rows[i].script, 5 * HBD_S_NS);
		turn_until_ended(fixture, (unsigned)i + 1);
		assert_int_equal(fixture->result, 0);
		assert_string_equal(fixture->last_line, inherit_rows[i].line);
	}
	param.sched_priority = 0;
	sched_setscheduler(0, SCHED_OTHER, &param);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	close(leaked);
}

static void test_user(void **state)
{
	struct fixture *fixture = *state;
	struct process_user user;

	if (geteuid() != 0)
		skip();
	assert_int_equal(process_user_find("no-such-user-here", &user), -ENOENT);
	assert_int_equal(process_user_find("nobody", &user), 0);
	start_program(fixture, "/bin/sh",
		      (char *[]){ (char[]){ "sh" }, (char[]){ "-c" },
				  (char[]){ "echo $(id -un) $(id -Gn) "
					    "$(grep CapEff /proc/self/status | cut -f2)" }, NULL },
		      5 * HBD_S_NS, &user);
	turn_until_ended(fixture, 1);
	assert_string_equal(fixture->last_line, "nobody nogroup 0000000000000000");
}

/* A process killed with SIGKILL takes its plugins along. */
static void test_death_of_the_caller(void **state)
{
	struct fixture *fixture = *state;
	int pipe_fds[2];
	pid_t caller, pid = 0;

	assert_int_equal(pipe(pipe_fds), 0);
	caller = fork();
	if (caller == 0) {
		struct fixture *own;
		void *own_state;

		set_up(&own_state);
		own = own_state;
		start_script(own, "echo $$; exec sleep 1000", 100 * HBD_S_NS);
		while (own->line_count == 0)
			sd_event_run(own->loop, 20000);
		pid = atoi(own->lines[0]);
		if (write(pipe_fds[1], &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
		for (;;)
			pause();
	}
	process_runner_keep(fixture->runner, caller);
	assert_int_equal(read(pipe_fds[0], &pid, sizeof(pid)), sizeof(pid));
	assert_true(lives(pid));
	kill(caller, SIGKILL);
	waitpid(caller, NULL, 0);
	process_runner_drop(fixture->runner, caller);
	expect_gone(fixture, pid);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

/* ---- what it leaves behind -------------------------------------------------------------------- */

struct leave_row {
	const char *name;
	const char *script;	/* prints the pid that must be gone */
};

static const struct leave_row leave_rows[] = {
	{"a child in the background", "sleep 1000 & echo $!"},
	{"a child that ignores SIGTERM and SIGHUP",
	 "(trap '' TERM HUP; exec sleep 1000) & echo $!; sleep 0.1"},
	{"a child in a session of its own", "setsid sleep 1000 & echo $!; sleep 0.1"},
	{"a daemon, forked twice, in a session of its own",
	 "setsid sh -c 'sleep 1000 & echo $!; exit'; sleep 0.1"},
	{"a daemon with an empty environment",
	 "setsid env -i /bin/sh -c '/bin/sleep 1000 & echo $!'; sleep 0.1"},
	{"one with a father who has to die first",
	 "setsid sh -c 'setsid sleep 1000 & echo $!; wait' & sleep 0.3"},
	{"one that closed its output", "setsid sh -c 'sleep 1000 </dev/null >/dev/null 2>&1 & echo $!';"
	 "sleep 0.1"},
};

static void test_leftovers(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(leave_rows) / sizeof(leave_rows[0]); i++) {
		size_t before = fixture->line_count;

		print_message("  %s\n", leave_rows[i].name);
		start_script(fixture, leave_rows[i].script, 5 * HBD_S_NS);
		turn_until_ended(fixture, (unsigned)i + 1);
		assert_int_equal(fixture->result, 0);
		assert_true(fixture->line_count > before);
		expect_gone(fixture, atoi(fixture->lines[before]));
		assert_true(was_logged_from(fixture, before, " behind: killed"));
	}
}

static void test_orphans_of_others_live(void **state)
{
	struct fixture *fixture = *state;
	pid_t kept = fork(), orphan;

	if (kept == 0) {
		execl("/bin/sleep", "sleep", "1000", (char *)NULL);
		_exit(1);
	}
	process_runner_keep(fixture->runner, kept);
	start_script(fixture, "setsid sh -c 'sleep 1000 & echo $!'; sleep 1", 10 * HBD_S_NS);
	while (fixture->line_count == 0)
		sd_event_run(fixture->loop, 20000);
	orphan = atoi(fixture->lines[0]);
	/* The end of another run makes it look at all orphans. */
	start_script(fixture, "exit 0", 5 * HBD_S_NS);
	turn_until_ended(fixture, 1);
	turn_for(fixture, 50 * HBD_MS_NS);
	assert_true(lives(orphan));
	assert_false(was_logged(fixture, "left process"));
	turn_until_ended(fixture, 2);
	expect_gone(fixture, orphan);
	assert_true(was_logged(fixture, "takeover/test left process") ||
		    was_logged(fixture, "takeover/test#"));
	assert_true(lives(kept));
	kill(kept, SIGKILL);
	waitpid(kept, NULL, 0);
	process_runner_drop(fixture->runner, kept);
}

/* ---- its output ------------------------------------------------------------------------------- */

static void test_output(void **state)
{
	struct fixture *fixture = *state;
	const char *script = "echo one; printf 'two\\033[31m\\ttabbed  \\n\\n'; echo three >&2;"
			     "head -c 1000 /dev/zero | tr '\\0' x; echo; printf unfinished";

	start_script(fixture, script, 5 * HBD_S_NS);
	turn_until_ended(fixture, 1);
	assert_int_equal(fixture->line_count, 5);
	assert_string_equal(fixture->lines[0], "one");
	assert_string_equal(fixture->lines[1], "two?[31m tabbed");
	assert_string_equal(fixture->lines[2], "three");
	assert_int_equal(strlen(fixture->lines[3]), PROCESS_LINE_BYTES + 4);
	assert_string_equal(fixture->lines[3] + PROCESS_LINE_BYTES - 1, "x ...");
	assert_string_equal(fixture->lines[4], "unfinished");
	assert_string_equal(fixture->plugin, "takeover/test");
	assert_string_equal(fixture->last_line, "unfinished");
}

static int64_t own_cpu_ns(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * HBD_S_NS +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * HBD_US_NS;
}

/* A plugin that writes as fast as it can for a second costs its caller a fraction of that. */
static void test_flood(void **state)
{
	struct fixture *fixture = *state;
	int64_t cpu_ns = own_cpu_ns();

	start_script(fixture, "exec yes 'the same again'", HBD_S_NS);
	turn_until_ended(fixture, 1);
	assert_int_equal(fixture->result, -ETIMEDOUT);
	assert_in_range(fixture->line_count, PROCESS_LINES_PER_S,
			3 * PROCESS_LINES_PER_S + 1);
	assert_true(was_logged(fixture, "lines more are not shown; the last one was: the same again"));
	assert_true(own_cpu_ns() - cpu_ns < 300 * HBD_MS_NS);
}

static void test_slow_flood(void **state)
{
	struct fixture *fixture = *state;

	start_script(fixture, "for i in 1 2 3 4 5 6 7 8; do seq $((i * 100)) $((i * 100 + 44)); "
		     "sleep 1.02; done; echo end", 20 * HBD_S_NS);
	turn_until_ended(fixture, 1);
	assert_int_equal(fixture->result, 0);
	assert_int_equal(fixture->line_count, PROCESS_LINES_MAX + 1);
	assert_true(was_logged(fixture, "(61 lines more are not shown; the last one was: end)"));
	assert_string_equal(fixture->last_line, "end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unstartable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cancel, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kill_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_inheritance, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_user, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_death_of_the_caller, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_leftovers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_orphans_of_others_live, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_output, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_flood, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_slow_flood, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
