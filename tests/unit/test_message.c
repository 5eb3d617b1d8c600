/* What guardian, engine and scribe say to each other, and what becomes of nonsense. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../hbd/base/log.h"
#include "../../hbd/io/message.h"
#include "../../hbd/io/outbox.h"

struct ends {
	int here, there;
};

static int setup(void **state)
{
	static struct ends ends;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
				    pair),
			 0);
	ends.here = pair[0];
	ends.there = pair[1];
	*state = &ends;
	return 0;
}

static int teardown(void **state)
{
	struct ends *ends = *state;

	if (ends->here >= 0)
		close(ends->here);
	if (ends->there >= 0)
		close(ends->there);
	return 0;
}

static void a_message_arrives_as_it_was_sent(void **state)
{
	struct ends *ends = *state;
	struct message sent = { .type = MESSAGE_DONE, .group = 3, .done = { 77, -ETIMEDOUT, "" } };
	struct message got;
	int fd = 99;

	assert_int_equal(message_send(ends->here, &sent, -1), 0);
	assert_int_equal(message_receive(ends->there, &got, &fd), 1);
	assert_int_equal(fd, -1);
	assert_int_equal(got.type, MESSAGE_DONE);
	assert_int_equal(got.group, 3);
	assert_int_equal(got.done.id, 77);
	assert_int_equal(got.done.result, -ETIMEDOUT);
	assert_int_equal(message_receive(ends->there, &got, &fd), -EAGAIN);
}

static void a_descriptor_arrives_close_on_exec(void **state)
{
	struct ends *ends = *state;
	struct message sent = { .type = MESSAGE_LINK_SOCKET, .link = 1 }, got;
	int pipe_ends[2], fd;
	char byte;

	assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
	assert_int_equal(message_send(ends->here, &sent, pipe_ends[0]), 0);
	close(pipe_ends[0]);
	assert_int_equal(message_receive(ends->there, &got, &fd), 1);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(pipe_ends[1], "x", 1), 1);
	assert_int_equal(read(fd, &byte, 1), 1);
	close(fd);
	close(pipe_ends[1]);
}

static void texts_always_end(void **state)
{
	struct ends *ends = *state;
	struct message sent = { .type = MESSAGE_STATUS }, got;
	int fd;

	memset(sent.text, 'x', sizeof(sent.text));
	assert_int_equal(message_send(ends->here, &sent, -1), 0);
	assert_int_equal(message_receive(ends->there, &got, &fd), 1);
	assert_int_equal(strnlen(got.text, sizeof(got.text)), sizeof(got.text) - 1);

	sent = (struct message){ .type = MESSAGE_CHECK };
	memset(sent.check.detail, 'x', sizeof(sent.check.detail));
	assert_int_equal(message_send(ends->here, &sent, -1), 0);
	assert_int_equal(message_receive(ends->there, &got, &fd), 1);
	assert_int_equal(strnlen(got.check.detail, sizeof(got.check.detail)),
			 sizeof(got.check.detail) - 1);
}

/* Sends bytes with count descriptors. */
static void send_raw(int socket, const void *bytes, size_t length, int count)
{
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(4 * sizeof(int))];
	} control = { 0 };
	union {
		const void *from;
		void *to;
	} plain = { bytes };
	struct iovec vector = { plain.to, length };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };
	int fds[4] = { STDIN_FILENO, STDIN_FILENO, STDIN_FILENO, STDIN_FILENO };

	if (count > 0) {
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, (size_t)count * sizeof(int));
	}
	assert_int_equal(sendmsg(socket, &header, MSG_NOSIGNAL), length);
}

static int lowest_free_fd(void)
{
	int fd = dup(STDIN_FILENO);

	close(fd);
	return fd;
}

static void nonsense_is_dropped_and_its_descriptors_closed(void **state)
{
	struct ends *ends = *state;
	struct message message = { .type = MESSAGE_STOP };
	const struct {
		const char *name;
		int type;
		size_t length;
		int descriptors;
	} rows[] = {
		/* clang-format off */
		{ "no type", MESSAGE_UNSET, sizeof(message), 0 },
		{ "a type there is not", MESSAGE_DIGEST + 1, sizeof(message), 0 },
		{ "a negative type", -1, sizeof(message), 0 },
		{ "a byte too short", MESSAGE_STOP, sizeof(message) - 1, 0 },
		{ "too short, with a descriptor", MESSAGE_STOP, 1, 1 },
		{ "a byte too long", MESSAGE_STOP, sizeof(message) + 1, 0 },
		{ "two descriptors", MESSAGE_STOP, sizeof(message), 2 },
		{ "four descriptors", MESSAGE_STOP, sizeof(message), 4 },
		/* clang-format on */
	};
	struct message got;
	int fd, free_before = lowest_free_fd();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[sizeof(message) + 1] = { 0 };

		message.type = (enum message_type)rows[i].type;
		memcpy(bytes, &message, sizeof(message));
		send_raw(ends->here, bytes, rows[i].length, rows[i].descriptors);
		if (message_receive(ends->there, &got, &fd) != -EBADMSG)
			fail_msg("%s: was taken", rows[i].name);
		if (lowest_free_fd() != free_before)
			fail_msg("%s: a descriptor stayed open", rows[i].name);
	}
	message.type = MESSAGE_STOP;
	assert_int_equal(message_send(ends->here, &message, -1), 0);
	assert_int_equal(message_receive(ends->there, &got, &fd), 1);
}

static void the_end_of_the_other_side_is_seen(void **state)
{
	struct ends *ends = *state;
	struct message message = { .type = MESSAGE_STOP };
	struct record record = { .type = RECORD_LOG };
	int fd;

	close(ends->there);
	ends->there = -1;
	assert_int_equal(message_receive(ends->here, &message, &fd), 0);
	assert_int_equal(message_send(ends->here, &message, -1), -EPIPE);
	assert_int_equal(record_send(ends->here, &record), -EPIPE);
}

static void who_does_not_read_makes_nobody_wait(void **state)
{
	struct ends *ends = *state;
	struct message message = { .type = MESSAGE_STOP };
	int r = 0;

	for (int i = 0; i < 100000 && r == 0; i++)
		r = message_send(ends->here, &message, -1);
	assert_int_equal(r, -EAGAIN);
}

/* Reads records until none waits: lines, and the sum of those told lost. */
static void count_records(int socket, size_t *lines, size_t *lost)
{
	struct record record;

	while (recv(socket, &record, sizeof(record), MSG_DONTWAIT) == sizeof(record)) {
		*lines += record.type == RECORD_LOG;
		*lost += record.type == RECORD_LOST ? record.lost : 0;
	}
}

static void lines_that_do_not_fit_are_counted(void **state)
{
	struct ends *ends = *state;
	struct record_log log = { .socket = ends->here };
	size_t lines = 0, lost = 0;

	for (int i = 0; i < 5000; i++)
		record_log_sink(&log, LOG_INFO, NULL, "a line");
	assert_true(log.lost > 0);
	count_records(ends->there, &lines, &lost);
	assert_int_equal(lost, 0);
	assert_int_equal(lines + log.lost, 5000);

	record_log_sink(&log, LOG_INFO, NULL, "another");
	assert_int_equal(log.lost, 0);
	count_records(ends->there, &lines, &lost);
	assert_int_equal(lines + lost, 5001);
}

static void a_line_keeps_its_fields_and_is_cut_to_size(void **state)
{
	struct ends *ends = *state;
	struct record_log log = { .socket = ends->here };
	const struct log_fields fields = {
		.message_id = "6d1b7f0fbf1c4e5b8c3c9f8c7a5b1e01",
		.group = "web",
		.reason = "peer-silent",
		.epoch = 9,
	};
	char text[RECORD_TEXT_BYTES * 2];
	struct record record;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	record_log_sink(&log, LOG_NOTICE, &fields, text);
	assert_int_equal(recv(ends->there, &record, sizeof(record), 0), sizeof(record));
	assert_int_equal(record.type, RECORD_LOG);
	assert_int_equal(record.priority, LOG_NOTICE);
	assert_string_equal(record.message_id, fields.message_id);
	assert_string_equal(record.group, "web");
	assert_string_equal(record.reason, "peer-silent");
	assert_string_equal(record.plugin, "");
	assert_int_equal(record.epoch, 9);
	assert_int_equal(strnlen(record.text, sizeof(record.text)), RECORD_TEXT_BYTES - 1);
}

/* ---- the outbox: what waits for a busy reader ---- */

static struct outbox outbox;

static void what_waits_is_sent_in_order(void **state)
{
	struct ends *ends = *state;
	struct message message = { .type = MESSAGE_RUN }, got;
	uint64_t told = 0, expected = 1;
	int fd;

	outbox_init(&outbox, ends->here, ends->here);
	while (!outbox_waits(&outbox) || told % 10 != 0) {
		message.run.id = ++told;
		assert_int_equal(outbox_tell(&outbox, &message), 0);
	}
	while (expected <= told) {
		while (message_receive(ends->there, &got, &fd) == 1)
			assert_int_equal(got.run.id, expected++);
		outbox_flush(&outbox);
	}
	assert_false(outbox_waits(&outbox));
}

static void a_full_outbox_says_so_and_keeps_what_it_has(void **state)
{
	struct ends *ends = *state;
	struct message message = { .type = MESSAGE_CANCEL }, got;
	size_t kept = 0, read = 0;
	int fd;

	outbox_init(&outbox, ends->here, ends->here);
	while (outbox_tell(&outbox, &message) == 0)
		kept++;
	assert_int_equal(outbox_tell(&outbox, &message), -ENOBUFS);
	assert_true(kept > OUTBOX_MESSAGES);
	while (read < kept) {
		while (message_receive(ends->there, &got, &fd) == 1)
			read++;
		outbox_flush(&outbox);
	}
	assert_int_equal(read, kept);
}

static void a_guardian_that_is_gone_is_told_nothing_more(void **state)
{
	struct ends *ends = *state;
	struct message message = { .type = MESSAGE_RUN };

	outbox_init(&outbox, ends->here, ends->here);
	close(ends->there);
	ends->there = -1;
	assert_int_equal(outbox_tell(&outbox, &message), -EPIPE);
	assert_int_equal(outbox_tell(&outbox, &message), -EPIPE);
	assert_false(outbox_waits(&outbox));
}

static size_t lines_seen;

static void count_line(void *context, int priority, const struct log_fields *fields,
		       const char *text)
{
	(void)context, (void)priority, (void)fields;
	lines_seen += strstr(text, "lost") != NULL;
}

static void only_a_full_outbox_loses_an_alert_and_says_so(void **state)
{
	struct ends *ends = *state;
	const struct record_alert alert = { .kind = HBD_ALERT_PEER_LOST };
	struct record got;
	size_t kept = 0, read = 0;

	outbox_init(&outbox, ends->here, ends->here);
	lines_seen = 0;
	log_set_sink(count_line, NULL);
	while (outbox_alert(&outbox, &alert))
		kept++;
	log_set_sink(NULL, NULL);
	assert_int_equal(lines_seen, 1);
	assert_int_equal(outbox.alerts_lost, 1);
	while (read < kept) {
		while (recv(ends->there, &got, sizeof(got), MSG_DONTWAIT) == sizeof(got)) {
			assert_int_equal(got.type, RECORD_ALERT);
			assert_int_equal(got.alert.kind, HBD_ALERT_PEER_LOST);
			read++;
		}
		outbox_flush(&outbox);
	}
	assert_int_equal(read, kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_message_arrives_as_it_was_sent),
		TEST(a_descriptor_arrives_close_on_exec),
		TEST(texts_always_end),
		TEST(nonsense_is_dropped_and_its_descriptors_closed),
		TEST(the_end_of_the_other_side_is_seen),
		TEST(who_does_not_read_makes_nobody_wait),
		TEST(lines_that_do_not_fit_are_counted),
		TEST(a_line_keeps_its_fields_and_is_cut_to_size),
		TEST(what_waits_is_sent_in_order),
		TEST(a_full_outbox_says_so_and_keeps_what_it_has),
		TEST(a_guardian_that_is_gone_is_told_nothing_more),
		TEST(only_a_full_outbox_loses_an_alert_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
