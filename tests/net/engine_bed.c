#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "../../hbd/conf/loader.h"
#include "../../hbd/core/time.h"
#include "../../hbd/io/announce.h"
#include "../../hbd/io/ask.h"
#include "../../hbd/io/udp.h"
#include "engine_bed.h"

static const char text[] =
	"cluster = \"test\"; user = \"root\"; profile = \"%s\"; port = 6941;\n"
	"nodes = ( { name = \"lb1\"; links = ( \"10.78.0.1%%cable0\", \"fd79::1%%cable1\" ); },\n"
	"          { name = \"lb2\"; links = ( \"10.78.0.2%%cable0\", \"fd79::2%%cable1\" ); } );\n"
	"keys = ( \"/nowhere/hbd.key\" );\n"
	"groups = ( { name = \"web\"; addresses = ( \"10.77.0.100/24 dev lan0\" ); retry_ms = 1000;"
	" %s } );\n";

static struct hbd_conf *load(const char *profile, bool with_plugin)
{
	struct conf_errors errors = { 0 };
	struct hbd_conf *conf = NULL;
	char filled[1024];

	snprintf(filled, sizeof(filled), text, profile,
		 with_plugin ? "takeover = ( { plugin = \"service\"; order = \"before\"; } );"
			     : "");
	conf_load_text("test", filled, strlen(filled), &conf, &errors);
	conf_errors_print(&errors, "test", stderr);
	assert_non_null(conf);
	conf_key_generate(1, &conf->keys[0]);
	conf->key_count = 1;
	return conf;
}

static void furnish(struct engine_bed *bed, int node)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "ip addr add 10.78.0.%d/24 dev cable0; ip addr add fd79::%d/64 dev cable1 nodad; "
		 "ip addr add 10.77.0.%d/24 dev lan0",
		 node + 1, node + 1, node + 1);
	run_at(bed, node, command);
}

struct engine_bed *engine_bed_make(const char *profile, bool with_plugin)
{
	struct engine_bed *bed = calloc(1, sizeof(*bed));
	int before;

	assert_true(sodium_init() >= 0);
	bed->conf = load(profile, with_plugin);
	snprintf(bed->folder, sizeof(bed->folder), "/tmp/hbd-engine-XXXXXX");
	assert_non_null(mkdtemp(bed->folder));
	bed->far = far_net_new();
	far_net_cable(bed->far, "cable0");
	far_net_cable(bed->far, "cable1");
	make_pair("lan0");
	before = far_net_enter(bed->far);
	make_pair("lan0");
	far_net_leave(before);
	for (int i = 0; i < HBD_NODES; i++) {
		furnish(bed, i);
		bed->sides[i].guardian = bed->sides[i].scribe = -1;
		bed->sides[i].shared = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		assert_ptr_not_equal(bed->sides[i].shared, MAP_FAILED);
	}
	return bed;
}

static void close_side(struct engine_side *side)
{
	if (side->pid > 0) {
		kill(side->pid, SIGKILL);
		waitpid(side->pid, NULL, 0);
	}
	if (side->guardian >= 0)
		close(side->guardian);
	if (side->scribe >= 0)
		close(side->scribe);
	munmap(side->shared, sizeof(*side->shared));
}

void engine_bed_free(struct engine_bed *bed)
{
	for (int i = 0; i < HBD_NODES; i++)
		close_side(&bed->sides[i]);
	run("ip link del cable0; ip link del cable1; ip link del lan0; rm -rf %s", bed->folder);
	close(bed->far);
	conf_free(bed->conf);
	free(bed);
}

/* The namespace of a node, entered; -1 = it is this one. */
static int enter(struct engine_bed *bed, int node)
{
	return node == 1 ? far_net_enter(bed->far) : -1;
}

static void leave(int before)
{
	if (before >= 0)
		far_net_leave(before);
}

void run_at(struct engine_bed *bed, int node, const char *command)
{
	int before = enter(bed, node);

	run("%s", command);
	leave(before);
}

static int control_socket(struct engine_bed *bed, int node, bool listens)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%d.sock", bed->folder, node);
	assert_true(fd >= 0);
	if (listens) {
		unlink(address.sun_path);
		assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
		assert_int_equal(listen(fd, 5), 0);
	} else if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static _Noreturn void run_engine(struct engine_bed *bed, int node, int guardian, int scribe)
{
	struct engine_setup setup = {
		.conf = bed->conf,
		.self = (uint8_t)node,
		.user = &bed->user,
		.owner = getuid(),
		.guardian_fd = guardian,
		.scribe_fd = scribe,
		.control_fd = control_socket(bed, node, true),
		.shared = bed->sides[node].shared,
	};
	const char *what;

	enter(bed, node);
	if (announce_socket(&setup.announce_fd) < 0 || ask_sockets_open(&setup.ask) < 0)
		_exit(EXIT_FAILURE);
	for (uint8_t i = 0; i < HBD_LINKS_MAX; i++) {
		setup.link_fds[i] = -1;
		if (i < bed->conf->nodes[node].link_count)
			udp_open(bed->conf, (uint8_t)node, i, &setup.link_fds[i], &what);
	}
	_exit(engine_run(&setup));
}

void engine_start(struct engine_bed *bed, int node)
{
	struct engine_side *side = &bed->sides[node];
	struct shared *shared = side->shared;
	int guardian[2], scribe[2];
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	*side = (struct engine_side){ .shared = shared };
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, guardian), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, scribe), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		run_engine(bed, node, guardian[1], scribe[1]);
	close(guardian[1]);
	close(scribe[1]);
	side->pid = pid;
	side->guardian = guardian[0];
	side->scribe = scribe[0];
}

static void open_link(struct engine_bed *bed, int node, uint8_t link)
{
	struct message answer = { .type = MESSAGE_LINK_SOCKET, .link = link };
	const char *what;
	int fd = -1, before = enter(bed, node);

	answer.error = udp_open(bed->conf, (uint8_t)node, link, &fd, &what);
	leave(before);
	message_send(bed->sides[node].guardian, &answer, fd);
	if (fd >= 0)
		close(fd);
	bed->sides[node].sockets_asked++;
}

static void take_message(struct engine_bed *bed, int node, const struct message *message)
{
	struct engine_side *side = &bed->sides[node];
	struct message done = { .type = MESSAGE_DONE, .group = message->group };

	side->ready = side->ready || message->type == MESSAGE_READY;
	side->stopped = side->stopped || message->type == MESSAGE_STOPPED;
	if (message->type == MESSAGE_STATUS)
		memcpy(side->status, message->text, sizeof(side->status));
	if (message->type == MESSAGE_LINK_OPEN)
		open_link(bed, node, message->link);
	if (message->type != MESSAGE_RUN)
		return;
	assert_true(side->run_count < BED_RUNS);
	side->runs[side->run_count++] = *message;
	done.done.id = message->run.id;
	done.done.result = bed->plugin_result;
	if (bed->plugin_result == -EREMOTEIO)
		strcpy(done.done.why, "exit status 3: no disk");
	if (bed->plugin_result <= 0)
		engine_send(bed, node, &done);
}

static void take_record(struct engine_side *side, int node, const struct record *record)
{
	if (record->type == RECORD_LOG)
		print_message("          lb%d <%d> %s\n", node + 1, record->priority, record->text);
	if (record->type != RECORD_ALERT)
		return;
	print_message("          lb%d alert %s of %s: %s (%s)\n", node + 1,
		      hbd_alert_text(record->alert.kind), record->alert.group,
		      hbd_reason_text(record->alert.reason), record->alert.detail);
	assert_true(side->alert_count < BED_ALERTS);
	side->alerts[side->alert_count++] = record->alert;
}

static void play(struct engine_bed *bed, int node)
{
	struct engine_side *side = &bed->sides[node];
	struct message message;
	struct record record;
	int fd;

	while (side->guardian >= 0 && message_receive(side->guardian, &message, &fd) == 1)
		take_message(bed, node, &message);
	while (side->scribe >= 0 &&
	       recv(side->scribe, &record, sizeof(record), MSG_DONTWAIT) == sizeof(record))
		take_record(side, node, &record);
}

void engine_pump(struct engine_bed *bed, int ms)
{
	int64_t until_ns = clock_now_ns() + ms * HBD_MS_NS;

	do {
		for (int i = 0; i < HBD_NODES; i++)
			play(bed, i);
		poll(NULL, 0, 2);
	} while (clock_now_ns() < until_ns);
}

int engine_wait_end(struct engine_bed *bed, int node)
{
	struct engine_side *side = &bed->sides[node];
	int status;

	for (int i = 0; i < 500; i++) {
		engine_pump(bed, 10);
		if (waitpid(side->pid, &status, WNOHANG) == side->pid) {
			side->pid = 0;
			engine_pump(bed, 10);
			return status;
		}
	}
	fail_msg("the engine of node %d does not end", node);
	return -1;
}

void engine_send(struct engine_bed *bed, int node, const struct message *message)
{
	assert_int_equal(message_send(bed->sides[node].guardian, message, -1), 0);
}

json_t *engine_ask(struct engine_bed *bed, int node, const char *request)
{
	int fd = control_socket(bed, node, false);
	struct timeval patience = { .tv_sec = 1 };
	static char answer[65536];
	size_t length = 0;
	ssize_t n = 0;

	if (fd < 0)
		return NULL;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) > 0) {
		shutdown(fd, SHUT_WR);
		while ((n = recv(fd, answer + length, sizeof(answer) - length, 0)) > 0)
			length += (size_t)n;
	}
	close(fd);
	return n == 0 ? json_loadb(answer, length, 0, NULL) : NULL;
}

const char *engine_role(struct engine_bed *bed, int node)
{
	static char role[16];
	json_t *status = engine_ask(bed, node, "{\"command\": \"status\"}\n");
	json_t *group = json_array_get(json_object_get(status, "groups"), 0);
	const char *found = json_string_value(json_object_get(group, "role"));

	snprintf(role, sizeof(role), "%s", found ? found : "");
	json_decref(status);
	return role;
}

void engine_wait_role(struct engine_bed *bed, int node, const char *role, int ms)
{
	int64_t until_ns = clock_now_ns() + ms * HBD_MS_NS;

	while (strcmp(engine_role(bed, node), role) != 0) {
		if (clock_now_ns() > until_ns)
			fail_msg("lb%d is \"%s\" after %d ms, not %s", node + 1,
				 engine_role(bed, node), ms, role);
		engine_pump(bed, 5);
	}
	/* what it had to say on the way */
	engine_pump(bed, 20);
}

int engine_start_pair(struct engine_bed *bed)
{
	for (int i = 0; i < HBD_NODES; i++)
		engine_start(bed, i);
	for (int i = 0; i < 500; i++) {
		engine_pump(bed, 20);
		for (int node = 0; node < HBD_NODES; node++) {
			if (strcmp(engine_role(bed, node), "primary") == 0 &&
			    strcmp(engine_role(bed, 1 - node), "secondary") == 0) {
				engine_pump(bed, 50);
				return node;
			}
		}
	}
	fail_msg("nobody serves: lb1 is %s", engine_role(bed, 0));
	return -1;
}

bool engine_has_vip(struct engine_bed *bed, int node)
{
	int before = enter(bed, node);
	bool there = has("lan0", "10.77.0.100/24");

	leave(before);
	return there;
}

size_t engine_count_alerts(const struct engine_bed *bed, int node, enum hbd_alert kind)
{
	const struct engine_side *side = &bed->sides[node];
	size_t count = 0;

	for (size_t i = 0; i < side->alert_count; i++)
		count += side->alerts[i].kind == kind;
	return count;
}
