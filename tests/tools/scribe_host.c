/*
 * scribe_host CONFIGURATION STATE-DIR [PLUGIN-DIR]: the scribe as the guardian would run it, told by
 * lines on standard input what happens:
 *
 *	alert KIND SEVERITY REASON GROUP DETAIL	an alert of lb1 about lb2
 *						(words of core/role.c; "-" = none)
 *	back					the same, with a peer that is alive
 *	test					hbctl alert test
 *	log TEXT				a line of the engine's
 *	nonsense				records that no guardian sends
 *	kill					kill -9 of the scribe, and a new one on the same sockets
 *	pause					kill -9 of the scribe, and none until the next "resume"
 *	resume
 *	term					SIGTERM, and wait for its end
 *	end					close the sockets, and wait for its end
 *
 * Prints "state TAKEN PENDING DETAIL" whenever the scribe says so, and "ended STATUS".
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../hbd/base/log.h"
#include "../../hbd/io/clock.h"
#include "../../hbd/io/scribe.h"
#include "../../hbd/io/message.h"

#define LINE_BYTES 1024

struct host {
	struct hbd_conf *conf;
	const char *state_dir;
	const char *plugin_dir;
	int guardian[2];	/* ours, the scribe's */
	int engine[2];
	pid_t pid;		/* 0 = none runs */
};

static void start(struct host *host)
{
	host->pid = fork();
	if (host->pid != 0)
		return;
	/* what the host reads from is not the scribe's */
	if (!freopen("/dev/null", "r", stdin))
		_exit(EXIT_FAILURE);
	_exit(scribe_run(&(struct scribe_setup){
		.conf = host->conf,
		.self = 0,
		.state_dir = host->state_dir,
		.plugin_dir = host->plugin_dir,
		.guardian_fd = host->guardian[1],
		.engine_fd = host->engine[1],
	}));
}

static void await_end(struct host *host)
{
	int status = 0;

	if (host->pid > 0)
		waitpid(host->pid, &status, 0);
	host->pid = 0;
	if (WIFSIGNALED(status))
		printf("ended by signal %d\n", WTERMSIG(status));
	else
		printf("ended %d\n", WEXITSTATUS(status));
}

static void end_by(struct host *host, int number)
{
	kill(host->pid, number);
	await_end(host);
}

static void send_record(const struct host *host, const struct record *record)
{
	int result;

	while ((result = record_send(host->engine[0], record)) == -EAGAIN)
		usleep(1000);
	if (result < 0)
		printf("not sent: %s\n", log_strerror(result));
}

#define FIND(count, text, word, ret) \
	do { \
		for (unsigned find_i = 0; find_i < (count); find_i++) \
			if (!strcmp(text(find_i), word)) \
				ret = find_i; \
	} while (0)

static struct record make_alert(void)
{
	struct record record;

	memset(&record, 0, sizeof(record));
	record.type = RECORD_ALERT;
	record.alert.severity = HBD_SEVERITY_INFO;
	record.alert.realtime_ns = clock_read_pair().real_ns;
	strcpy(record.alert.node, "lb1");
	strcpy(record.alert.peer, "lb2");
	record.alert.role = HBD_ROLE_PRIMARY;
	return record;
}

static void send_alert(const struct host *host, const char *line, bool peer_alive)
{
	struct record record = make_alert();
	char kind[32], severity[32], reason[32], group[HBD_NAME_BYTES], detail[160] = "";

	if (sscanf(line, "%31s %31s %31s %31s %159[^\n]", kind, severity, reason, group,
		   detail) < 4) {
		printf("not understood: %s\n", line);
		return;
	}
	FIND(HBD_ALERT_COUNT, hbd_alert_text, kind, record.alert.kind);
	FIND(HBD_SEVERITY_CRITICAL + 1u, hbd_severity_text, severity, record.alert.severity);
	FIND(HBD_REASON_COUNT, hbd_reason_text, reason, record.alert.reason);
	if (strcmp(group, "-"))
		strcpy(record.alert.group, group);
	strcpy(record.alert.detail, detail);
	record.alert.peer_alive = peer_alive;
	send_record(host, &record);
}

static void send_test(const struct host *host)
{
	struct record record = make_alert();

	record.alert.test = true;
	send_record(host, &record);
}

static void send_line(const struct host *host, const char *text)
{
	struct record record;

	memset(&record, 0, sizeof(record));
	record.type = RECORD_LOG;
	record.priority = LOG_NOTICE;
	snprintf(record.text, sizeof(record.text), "%.500s", text);
	send_record(host, &record);
}

/* What a process that was broken into might send. */
static void send_nonsense(const struct host *host)
{
	struct record record = make_alert();
	static const char one_byte = 'x';

	record.alert.kind = HBD_ALERT_COUNT;
	send_record(host, &record);
	record = make_alert();
	record.alert.kind = HBD_ALERT_TAKEOVER;
	memset(record.alert.detail, 'x', sizeof(record.alert.detail));
	send_record(host, &record);
	record = make_alert();
	record.alert.kind = HBD_ALERT_TAKEOVER;
	memset(&record.alert.peer_alive, 7, sizeof(record.alert.peer_alive));
	send_record(host, &record);
	record = make_alert();
	record.type = 99;
	send_record(host, &record);
	send(host->engine[0], &one_byte, sizeof(one_byte), 0);
}

/* False at the end. */
static bool obey(struct host *host, const char *line)
{
	if (!strncmp(line, "alert ", 6))
		send_alert(host, line + 6, false);
	else if (!strncmp(line, "back ", 5))
		send_alert(host, line + 5, true);
	else if (!strcmp(line, "test"))
		send_test(host);
	else if (!strncmp(line, "log ", 4))
		send_line(host, line + 4);
	else if (!strcmp(line, "nonsense"))
		send_nonsense(host);
	else if (!strcmp(line, "kill") || !strcmp(line, "pause"))
		end_by(host, SIGKILL);
	if (!strcmp(line, "kill") || !strcmp(line, "resume"))
		start(host);
	if (!strcmp(line, "term"))
		end_by(host, SIGTERM);
	return strcmp(line, "term") && strcmp(line, "end");
}

static void show_states(const struct host *host)
{
	struct message message;
	int fd;

	while (message_receive(host->guardian[0], &message, &fd) == 1)
		if (message.type == MESSAGE_SPOOL)
			printf("state %" PRIu64 " %u %s\n", message.spool.taken,
			       message.spool.pending, message.spool.detail);
}

static void serve(struct host *host)
{
	char line[LINE_BYTES];
	bool going = true;

	while (going) {
		struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
					{ .fd = host->guardian[0], .events = POLLIN } };

		poll(fds, 2, -1);
		show_states(host);
		if (!fds[0].revents)
			continue;
		if (!fgets(line, sizeof(line), stdin))
			break;
		line[strcspn(line, "\n")] = '\0';
		going = obey(host, line);
	}
}

int main(int argc, char **argv)
{
	struct host host = { .pid = 0 };
	struct conf_errors errors = { 0 };

	if (argc < 3)
		return 2;
	/* one line at a time, so that poll() sees every line that waits */
	setvbuf(stdin, NULL, _IONBF, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	host.state_dir = argv[2];
	host.plugin_dir = argc > 3 ? argv[3] : NULL;
	if (conf_load(argv[1], &host.conf, &errors) < 0) {
		conf_errors_print(&errors, argv[1], stderr);
		return 2;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, host.guardian) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, host.engine) < 0)
		return 2;
	start(&host);
	serve(&host);
	close(host.guardian[0]);
	close(host.engine[0]);
	if (host.pid > 0)
		await_end(&host);
	conf_free(host.conf);
	return 0;
}
