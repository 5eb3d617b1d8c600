/* The control socket with real clients: polite ones, wrong ones, slow ones and floods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../hbd/base/log.h"
#include "../../hbd/control/server.h"

#define SOMEBODY 65531	/* uids of users who did not start the daemon */
#define STARTER 65530
#define PATIENCE_NS (20 * HBD_S_NS)

struct fixture {
	sd_event *loop;
	struct server *server;
	struct hbd_conf conf;
	struct sockaddr_un address;
	socklen_t address_bytes;
	/* what the engine was asked for */
	unsigned snapshots;
	unsigned switchovers;
	uint8_t group;
	unsigned alerts;
	unsigned maintenances;
	bool on, force;
	unsigned log_lines;
	/* what it answers */
	bool out_of_memory;
	size_t padding_bytes;
	int switchover_result;
	int maintenance_result;
	uint64_t alert_id;
};

static json_t *snapshot(void *context)
{
	struct fixture *fixture = context;
	char *padding = calloc(1, fixture->padding_bytes + 1);

	fixture->snapshots++;
	memset(padding, 'x', fixture->padding_bytes);
	json_t *json = fixture->out_of_memory
			       ? NULL
			       : json_pack("{s:i, s:s}", "number", fixture->snapshots, "padding",
					   padding);
	free(padding);
	return json;
}

static int switchover(void *context, uint8_t group)
{
	struct fixture *fixture = context;

	fixture->switchovers++;
	fixture->group = group;
	return fixture->switchover_result;
}

static int maintenance(void *context, bool on, bool force)
{
	struct fixture *fixture = context;

	fixture->maintenances++;
	fixture->on = on;
	fixture->force = force;
	return fixture->maintenance_result;
}

static uint64_t alert_test(void *context)
{
	struct fixture *fixture = context;

	fixture->alerts++;
	return fixture->alert_id;
}

static void count_line(void *context, int priority, const struct log_fields *fields,
		       const char *text)
{
	(void)priority;
	(void)fields;
	(void)text;
	((struct fixture *)context)->log_lines++;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * HBD_S_NS + now.tv_nsec;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const struct server_callbacks callbacks = {
		.context = fixture,
		.snapshot = snapshot,
		.switchover = switchover,
		.maintenance = maintenance,
		.alert_test = alert_test,
	};
	struct server_config config = {.conf = &fixture->conf, .owner = STARTER, .priority = 10};

	fixture->conf.group_count = 2;
	strcpy(fixture->conf.groups[0].name, "web");
	strcpy(fixture->conf.groups[1].name, "mail");
	strcpy(fixture->conf.nodes[0].name, "lb1");
	strcpy(fixture->conf.nodes[1].name, "lb2");
	fixture->alert_id = 7;
	fixture->address.sun_family = AF_UNIX;
	int n = snprintf(fixture->address.sun_path + 1, sizeof(fixture->address.sun_path) - 1,
			 "hbd-test-server-%d", getpid());
	fixture->address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1) +
				 (socklen_t)n;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&fixture->address, fixture->address_bytes), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_true(sd_event_new(&fixture->loop) >= 0);
	assert_int_equal(server_open(fixture->loop, fd, &config, &callbacks, &fixture->server), 0);
	log_set_sink(count_line, fixture);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	log_set_sink(NULL, NULL);
	server_close(fixture->server);
	sd_event_unref(fixture->loop);
	free(fixture);
	return 0;
}

static int connect_client(const struct fixture *fixture)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (const struct sockaddr *)&fixture->address, fixture->address_bytes) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

static void turn(struct fixture *fixture)
{
	assert_true(sd_event_run(fixture->loop, 5000) >= 0);
}

/* Turns the loop until fd is at its end; what came, NUL-terminated, the caller's. */
static char *read_all(struct fixture *fixture, int fd)
{
	int64_t give_up_ns = now_ns() + PATIENCE_NS;
	size_t length = 0, room = 4 << 20;
	char *text = malloc(room);

	for (;;) {
		ssize_t n = recv(fd, text + length, room - 1 - length, MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno == ECONNRESET))
			break;
		if (n > 0) {
			length += (size_t)n;
			continue;
		}
		assert_int_equal(errno, EAGAIN);
		assert_true(now_ns() < give_up_ns);
		turn(fixture);
	}
	text[length] = '\0';
	return text;
}

static json_t *ask(struct fixture *fixture, const char *bytes, size_t length)
{
	int fd = connect_client(fixture);

	assert_true(fd >= 0);
	assert_int_equal(send(fd, bytes, length, MSG_NOSIGNAL), length);
	char *text = read_all(fixture, fd);
	json_t *reply = json_loads(text, 0, NULL);
	free(text);
	close(fd);
	return reply;
}

static json_t *ask_text(struct fixture *fixture, const char *text)
{
	return ask(fixture, text, strlen(text));
}

static const char *error_code(const json_t *reply)
{
	const char *code = NULL;

	json_unpack((json_t *)(uintptr_t)reply, "{s:{s:s}}", "error", "code", &code);
	return code ? code : "none";
}

static void expect_code(struct fixture *fixture, const char *text, size_t length, const char *code)
{
	json_t *reply = ask(fixture, text, length);

	assert_non_null(reply);
	assert_string_equal(error_code(reply), code);
	json_decref(reply);
}

/* In a child: becomes uid, and does not outlive a test that failed. */
static void become(uid_t uid)
{
	if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
	    setresuid(uid, uid, uid) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		_exit(1);
	alarm(30);
}

/* In a child: becomes uid, asks, hands the reply's bytes to out, and ends. */
static void be_client(const struct fixture *fixture, uid_t uid, const char *text, int out)
{
	char buffer[4096];
	ssize_t n;
	int fd;

	become(uid);
	fd = connect_client(fixture);
	if (fd < 0 || send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		_exit(1);
	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
		if (send(out, buffer, (size_t)n, 0) < 0)
			break;
	}
	_exit(0);
}

static json_t *ask_as(struct fixture *fixture, uid_t uid, const char *text)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid_t child = fork();
	if (child == 0) {
		close(pair[0]);
		be_client(fixture, uid, text, pair[1]);
	}
	close(pair[1]);
	char *bytes = read_all(fixture, pair[0]);
	json_t *reply = json_loads(bytes, 0, NULL);
	free(bytes);
	close(pair[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return reply;
}

static void a_status_request_gets_the_snapshot(void **state)
{
	struct fixture *fixture = *state;
	json_t *reply = ask_text(fixture, "{\"command\": \"status\"}\n");

	assert_int_equal(json_integer_value(json_object_get(reply, "number")), 1);
	json_decref(reply);
}

static void a_request_may_come_in_pieces(void **state)
{
	static const char text[] = "{\"command\": \"status\"}\n";
	struct fixture *fixture = *state;
	int fd = connect_client(fixture);

	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		assert_int_equal(fixture->snapshots, 0);
		assert_int_equal(send(fd, text + i, 1, MSG_NOSIGNAL), 1);
		turn(fixture);
	}
	char *reply = read_all(fixture, fd);
	assert_int_equal(fixture->snapshots, 1);
	assert_int_equal(reply[strlen(reply) - 1], '\n');
	free(reply);
	close(fd);
}

static void end_of_file_ends_a_request_too(void **state)
{
	struct fixture *fixture = *state;
	int fd = connect_client(fixture);

	assert_true(send(fd, "{\"command\":\"status\"}", 20, MSG_NOSIGNAL) == 20);
	shutdown(fd, SHUT_WR);
	char *reply = read_all(fixture, fd);
	assert_non_null(strstr(reply, "\"number\":1"));
	free(reply);
	close(fd);
}

static void a_client_that_says_nothing_and_leaves_is_forgotten(void **state)
{
	struct fixture *fixture = *state;
	int fd = connect_client(fixture);

	shutdown(fd, SHUT_WR);
	char *reply = read_all(fixture, fd);
	assert_string_equal(reply, "");
	free(reply);
	close(fd);
	assert_int_equal(fixture->snapshots, 0);
}

#define BYTES(text) text, sizeof(text) - 1

static void bad_requests_are_told_so(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
	} rows[] = {
		{BYTES("\n")},
		{BYTES("status\n")},
		{BYTES("[]\n")},
		{BYTES("\"status\"\n")},
		{BYTES("{}\n")},
		{BYTES("{\"command\": 7}\n")},
		{BYTES("{\"command\": \"reboot\"}\n")},
		{BYTES("{\"command\": \"caf\xc3\xa9\"}\n")},
		{BYTES("{\"command\": \"\xff\"}\n")},
		{BYTES("{\"command\": \"status\"\0}\n")},
		{BYTES("{\"command\": \"status\", \"command\": \"alert-test\"}\n")},
		{BYTES("{\"command\": \"status\", \"group\": \"web\"}\n")},
		{BYTES("{\"command\": \"status\", \"verbose\": true}\n")},
		{BYTES("{\"command\": \"status\"} {}\n")},
		{BYTES("{\"command\": \"switchover\"}\n")},
		{BYTES("{\"command\": \"maintenance\"}\n")},
		{BYTES("{\"command\": \"maintenance\", \"on\": 1}\n")},
		{BYTES("{\"command\": \"maintenance\", \"on\": true, \"force\": \"yes\"}\n")},
		{BYTES("{\"command\": \"maintenance\", \"on\": true, \"group\": \"web\"}\n")},
		{BYTES("{\"command\": \"status\", \"on\": true}\n")},
		{BYTES("{\"command\": \"switchover\", \"group\": null}\n")},
		{BYTES("{\"command\": \"switchover\", \"group\":"
		       " \"a-name-of-thirty-two-letters-long\"}\n")},
		{BYTES("{\"command\": \"status\"}\n{\"command\": \"status\"}\n")},
		{BYTES("{\"command\": \"status\"}\n\n")},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("row %zu: %s", i, rows[i].bytes);
		expect_code(fixture, rows[i].bytes, rows[i].length, "bad-request");
	}
	assert_int_equal(fixture->snapshots + fixture->switchovers + fixture->alerts +
				 fixture->maintenances, 0);
}

/* A cut within a character of what is repeated to the client must not spoil the reply. */
static void a_long_command_of_wide_characters_is_told_so(void **state)
{
	char text[512] = "{\"command\": \"x";

	for (int i = 0; i < 100; i++)
		strcat(text, "\xc3\xa9");
	strcat(text, "\"}\n");
	expect_code(*state, text, strlen(text), "bad-request");
}

static void requests_are_limited_in_length(void **state)
{
	static const struct {
		size_t length;	/* with the newline */
		const char *code;
	} rows[] = {
		{SERVER_REQUEST_BYTES_MAX - 1, "none"},
		{SERVER_REQUEST_BYTES_MAX, "none"},
		{SERVER_REQUEST_BYTES_MAX + 1, "bad-request"},
		{SERVER_REQUEST_BYTES_MAX * 4, "bad-request"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[SERVER_REQUEST_BYTES_MAX * 4];

		memset(text, ' ', sizeof(text));
		memcpy(text, BYTES("{\"command\": \"status\"}"));
		text[rows[i].length - 1] = '\n';
		expect_code(*state, text, rows[i].length, rows[i].code);
	}
}

static void brackets_without_end_do_no_harm(void **state)
{
	char text[SERVER_REQUEST_BYTES_MAX];

	memset(text, '[', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	expect_code(*state, text, sizeof(text), "bad-request");
}

static void a_switchover_reaches_its_group(void **state)
{
	struct fixture *fixture = *state;
	json_t *reply = ask_text(fixture, "{\"command\": \"switchover\", \"group\": \"mail\"}\n");

	assert_true(json_is_true(json_object_get(reply, "ok")));
	assert_string_equal(json_string_value(json_object_get(reply, "group")), "mail");
	assert_int_equal(fixture->switchovers, 1);
	assert_int_equal(fixture->group, 1);
	json_decref(reply);
}

static void an_unknown_group_is_told_so(void **state)
{
	struct fixture *fixture = *state;

	expect_code(fixture, BYTES("{\"command\": \"switchover\", \"group\": \"wed\"}\n"),
		    "no-such-group");
	assert_int_equal(fixture->switchovers, 0);
}

static void what_forbids_a_switchover_is_told(void **state)
{
	static const struct {
		int result;
		const char *code;
		const char *words;
	} rows[] = {
		{-EPERM, "not-primary", "lb1 is not primary for web"},
		{-EHOSTDOWN, "peer-not-alive", "lb2 is not alive"},
		{-EINVAL, "configurations-differ", "different configurations"},
		{-ENODEV, "peer-not-ready", "lb2 does not stand by for web"},
		{-EBUSY, "under-way", "takeover or release of web is under way"},
		{-ENOMEM, "failed", "Cannot allocate memory"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *message = NULL;

		fixture->switchover_result = rows[i].result;
		json_t *reply =
			ask_text(fixture, "{\"command\": \"switchover\", \"group\": \"web\"}\n");
		assert_string_equal(error_code(reply), rows[i].code);
		json_unpack(reply, "{s:{s:s}}", "error", "message", &message);
		assert_non_null(strstr(message, rows[i].words));
		json_decref(reply);
	}
}

static void maintenance_is_begun_and_ended(void **state)
{
	static const struct {
		const char *text;
		bool on, force;
		int result;
		const char *code;
	} rows[] = {
		{"{\"command\": \"maintenance\", \"on\": true}\n", true, false, 0, "none"},
		{"{\"command\": \"maintenance\", \"on\": false}\n", false, false, 0, "none"},
		{"{\"command\": \"maintenance\", \"on\": true, \"force\": true}\n", true, true, 0,
		 "none"},
		{"{\"command\": \"maintenance\", \"on\": true, \"force\": false}\n", true, false,
		 -EHOSTDOWN, "peer-not-alive"},
		{"{\"command\": \"maintenance\", \"on\": true}\n", true, false, -EHOSTUNREACH,
		 "peer-in-maintenance"},
		{"{\"command\": \"maintenance\", \"on\": true}\n", true, false, -EAGAIN, "failed"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fixture->maintenance_result = rows[i].result;
		json_t *reply = ask_text(fixture, rows[i].text);

		assert_string_equal(error_code(reply), rows[i].code);
		assert_int_equal(json_is_true(json_object_get(reply, "on")),
				 rows[i].on && rows[i].result == 0);
		assert_int_equal(fixture->maintenances, i + 1);
		assert_int_equal(fixture->on, rows[i].on);
		assert_int_equal(fixture->force, rows[i].force);
		json_decref(reply);
	}
}

static void a_test_alert_is_raised(void **state)
{
	struct fixture *fixture = *state;
	json_t *reply = ask_text(fixture, "{\"command\": \"alert-test\"}\n");

	assert_int_equal(json_integer_value(json_object_get(reply, "id")), 7);
	assert_int_equal(fixture->alerts, 1);
	json_decref(reply);
	fixture->alert_id = 0;
	expect_code(fixture, BYTES("{\"command\": \"alert-test\"}\n"), "failed");
}

static void commands_are_for_root_and_the_starter(void **state)
{
	static const char switchover_text[] = "{\"command\": \"switchover\", \"group\": \"web\"}\n";
	static const struct {
		uid_t uid;
		const char *text;
		const char *code;
		unsigned switchovers;
	} rows[] = {
		{SOMEBODY, "{\"command\": \"status\"}\n", "none", 0},
		{SOMEBODY, switchover_text, "not-allowed", 0},
		{SOMEBODY, "{\"command\": \"alert-test\"}\n", "not-allowed", 0},
		{SOMEBODY, "{\"command\": \"maintenance\", \"on\": true}\n", "not-allowed", 0},
		{STARTER, switchover_text, "none", 1},
		{0, switchover_text, "none", 2},
	};
	struct fixture *fixture = *state;

	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *reply = ask_as(fixture, rows[i].uid, rows[i].text);

		assert_non_null(reply);
		assert_string_equal(error_code(reply), rows[i].code);
		assert_int_equal(fixture->switchovers, rows[i].switchovers);
		json_decref(reply);
	}
	assert_int_equal(fixture->alerts, 0);
}

static void refusals_do_not_flood_the_log(void **state)
{
	struct fixture *fixture = *state;

	if (geteuid() != 0)
		skip();
	for (int i = 0; i < 5; i++)
		json_decref(ask_as(fixture, SOMEBODY, "{\"command\": \"alert-test\"}\n"));
	assert_int_equal(fixture->log_lines, 1);
}

static void a_fresh_status_is_shared(void **state)
{
	struct fixture *fixture = *state;
	int fds[4];

	for (int i = 0; i < 4; i++) {
		fds[i] = connect_client(fixture);
		assert_true(send(fds[i], BYTES("{\"command\": \"status\"}\n"), MSG_NOSIGNAL) > 0);
	}
	for (int i = 0; i < 4; i++) {
		free(read_all(fixture, fds[i]));
		close(fds[i]);
	}
	assert_in_range(fixture->snapshots, 1, 3);
	usleep(SERVER_FRESH_NS / HBD_US_NS);
	unsigned before = fixture->snapshots;
	json_decref(ask_text(fixture, "{\"command\": \"status\"}\n"));
	assert_int_equal(fixture->snapshots, before + 1);
}

static void a_command_makes_the_status_stale(void **state)
{
	struct fixture *fixture = *state;

	json_decref(ask_text(fixture, "{\"command\": \"status\"}\n"));
	json_decref(ask_text(fixture, "{\"command\": \"switchover\", \"group\": \"web\"}\n"));
	json_decref(ask_text(fixture, "{\"command\": \"status\"}\n"));
	assert_int_equal(fixture->snapshots, 2);
}

static void a_long_reply_is_sent_whole(void **state)
{
	struct fixture *fixture = *state;

	fixture->padding_bytes = 2 << 20;
	json_t *reply = ask_text(fixture, "{\"command\": \"status\"}\n");
	assert_int_equal(json_string_length(json_object_get(reply, "padding")), 2 << 20);
	json_decref(reply);
}

static void lack_of_memory_drops_one_client_only(void **state)
{
	struct fixture *fixture = *state;

	fixture->out_of_memory = true;
	assert_null(ask_text(fixture, "{\"command\": \"status\"}\n"));
	fixture->out_of_memory = false;
	json_t *reply = ask_text(fixture, "{\"command\": \"status\"}\n");
	assert_non_null(reply);
	json_decref(reply);
}

static bool is_at_end(int fd)
{
	char buffer[4096];
	ssize_t n;

	do
		n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	while (n > 0);
	return n == 0 || errno == ECONNRESET;
}

/* Waits without reading, so that a reply that fills the socket stays unread. */
static void wait_for(struct fixture *fixture, int64_t duration_ns)
{
	int64_t until_ns = now_ns() + duration_ns;

	while (now_ns() < until_ns)
		turn(fixture);
}

static void slow_clients_are_dropped_and_delay_nobody(void **state)
{
	struct fixture *fixture = *state;
	int mute, reader;

	fixture->padding_bytes = 2 << 20;
	mute = connect_client(fixture);
	reader = connect_client(fixture);
	assert_true(send(mute, "{\"comm", 7, MSG_NOSIGNAL) == 7);
	assert_true(send(reader, BYTES("{\"command\": \"status\"}\n"), MSG_NOSIGNAL) > 0);
	wait_for(fixture, SERVER_REQUEST_NS - 500 * HBD_MS_NS);
	assert_false(is_at_end(mute));

	int64_t begin_ns = now_ns();
	json_decref(ask_text(fixture, "{\"command\": \"status\"}\n"));
	assert_true(now_ns() - begin_ns < HBD_S_NS);

	wait_for(fixture, HBD_S_NS);
	assert_true(is_at_end(mute));
	wait_for(fixture, SERVER_REPLY_NS - SERVER_REQUEST_NS);
	/* what was sent before is still in the socket: the end comes early, the reply is cut */
	char *text = read_all(fixture, reader);
	assert_true(strlen(text) < (2 << 20));
	free(text);
	close(mute);
	close(reader);
}

static void readers_are_limited_and_operators_get_in(void **state)
{
	struct fixture *fixture = *state;
	pid_t children[4];
	int ready[2];
	char byte;

	if (geteuid() != 0)
		skip();
	/* four users hold all the places they may have, and each asks for one more */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ready), 0);
	for (uid_t i = 0; i < 4; i++) {
		children[i] = fork();
		if (children[i] != 0)
			continue;
		become(SOMEBODY - 10 - i);
		for (int j = 0; j < SERVER_CLIENTS_PER_USER_MAX; j++) {
			if (connect_client(fixture) < 0)
				_exit(1);
		}
		char text[256] = "";
		int extra = connect_client(fixture);
		if (recv(extra, text, sizeof(text) - 1, MSG_WAITALL) <= 0 ||
		    !strstr(text, "too-many-clients"))
			_exit(2);
		if (write(ready[1], "r", 1) < 0)
			_exit(3);
		pause();
	}
	for (int i = 0; i < 4; i++) {
		int64_t give_up_ns = now_ns() + PATIENCE_NS;

		while (recv(ready[0], &byte, 1, MSG_DONTWAIT) != 1) {
			assert_true(now_ns() < give_up_ns);
			turn(fixture);
		}
	}
	json_t *reply = ask_text(fixture, "{\"command\": \"switchover\", \"group\": \"web\"}\n");
	assert_string_equal(error_code(reply), "none");
	json_decref(reply);
	for (int i = 0; i < 4; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	close(ready[0]);
	close(ready[1]);
}

static int count_tick(sd_event_source *source, uint64_t usec, void *context)
{
	unsigned *ticks = context;

	(*ticks)++;
	sd_event_source_set_time(source, usec + 1000);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

/* For a second: the loop's turns, snapshots and heartbeats while a child connects all the time. */
static void a_flood_of_connections_is_taken_slowly(void **state)
{
	struct fixture *fixture = *state;
	int64_t until_ns = now_ns() + HBD_S_NS;
	sd_event_source *heartbeat = NULL;
	unsigned turns = 0, ticks = 0;
	pid_t flooder = fork();

	if (flooder == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (now_ns() < until_ns + HBD_S_NS) {
			int fd = connect_client(fixture);

			send(fd, BYTES("{\"command\": \"status\"}\n"), MSG_NOSIGNAL);
			close(fd);
		}
		_exit(0);
	}
	assert_true(sd_event_add_time_relative(fixture->loop, &heartbeat, CLOCK_MONOTONIC, 1000, 1,
					       count_tick, &ticks) >= 0);
	for (; now_ns() < until_ns; turns++)
		turn(fixture);
	kill(flooder, SIGKILL);
	waitpid(flooder, NULL, 0);
	sd_event_source_disable_unref(heartbeat);
	print_message("%u turns, %u snapshots, %u ticks of 1 ms\n", turns, fixture->snapshots,
		      ticks);
	assert_true(fixture->snapshots <= 101);
	assert_true(turns - ticks < 1000);
	assert_true(ticks > 100);
}

static unsigned open_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void nothing_stays_open_after_the_end(void **state)
{
	struct fixture *fixture = *state;
	int fds[3];

	json_decref(ask_text(fixture, "{\"command\": \"status\"}\n")); /* the loop's own timer */
	for (int i = 0; i < 3; i++)
		fds[i] = connect_client(fixture);
	unsigned clients_only = open_files();
	wait_for(fixture, 20 * HBD_MS_NS);
	assert_int_equal(open_files(), clients_only + 3);
	server_close(fixture->server);
	fixture->server = NULL;
	assert_int_equal(open_files(), clients_only - 1);
	for (int i = 0; i < 3; i++) {
		assert_true(is_at_end(fds[i]));
		close(fds[i]);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_status_request_gets_the_snapshot),
		TEST(a_request_may_come_in_pieces),
		TEST(end_of_file_ends_a_request_too),
		TEST(a_client_that_says_nothing_and_leaves_is_forgotten),
		TEST(bad_requests_are_told_so),
		TEST(a_long_command_of_wide_characters_is_told_so),
		TEST(requests_are_limited_in_length),
		TEST(brackets_without_end_do_no_harm),
		TEST(a_switchover_reaches_its_group),
		TEST(an_unknown_group_is_told_so),
		TEST(what_forbids_a_switchover_is_told),
		TEST(maintenance_is_begun_and_ended),
		TEST(a_test_alert_is_raised),
		TEST(commands_are_for_root_and_the_starter),
		TEST(refusals_do_not_flood_the_log),
		TEST(a_fresh_status_is_shared),
		TEST(a_command_makes_the_status_stale),
		TEST(a_long_reply_is_sent_whole),
		TEST(lack_of_memory_drops_one_client_only),
		TEST(slow_clients_are_dropped_and_delay_nobody),
		TEST(readers_are_limited_and_operators_get_in),
		TEST(a_flood_of_connections_is_taken_slowly),
		TEST(nothing_stays_open_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
