/* What an engine may do, what it keeps open, and what strangers can do to it. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../hbd/core/time.h"
#include "engine_bed.h"

#define NOBODY 65534
/* CAP_NET_ADMIN, CAP_NET_RAW, CAP_IPC_LOCK, CAP_SYS_NICE */
#define ALLOWED (1ull << 12 | 1ull << 13 | 1ull << 14 | 1ull << 23)

static int setup(void **state)
{
	*state = engine_bed_make("lan", false);
	return 0;
}

static int teardown(void **state)
{
	engine_bed_free(*state);
	return 0;
}

/* The value of a line of /proc/PID/status, without the blanks before it. */
static const char *process_field(pid_t pid, const char *name)
{
	static char line[256];
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, strlen(name)) != 0 || line[strlen(name)] != ':')
			continue;
		fclose(file);
		line[strcspn(line, "\n")] = '\0';
		return line + strlen(name) + 1 + strspn(line + strlen(name) + 1, " \t");
	}
	fail_msg("no %s", name);
	return "";
}

static uint64_t capabilities(pid_t pid, const char *name)
{
	return strtoull(process_field(pid, name), NULL, 16);
}

/* Inside a user namespace of one user there is nobody else to become. */
static bool there_are_other_users(void)
{
	FILE *file = fopen("/proc/self/uid_map", "re");
	unsigned first, real, count = 0;

	assert_non_null(file);
	if (fscanf(file, "%u %u %u", &first, &real, &count) != 3)
		count = 0;
	fclose(file);
	return count > NOBODY;
}

static void an_engine_may_do_only_what_it_must(void **state)
{
	struct engine_bed *bed = *state;
	const bool others = there_are_other_users();
	pid_t pid;

	if (others)
		bed->user = (struct process_user){ .uid = NOBODY, .gid = NOBODY };
	pid = bed->sides[engine_start_pair(bed)].pid;
	assert_int_equal(strtoul(process_field(pid, "Uid"), NULL, 10), others ? NOBODY : 0);
	assert_int_equal(strtoul(process_field(pid, "Gid"), NULL, 10), others ? NOBODY : 0);
	assert_string_equal(process_field(pid, "NoNewPrivs"), "1");
	/* every one that it has is allowed, and those that nothing works without are there */
	assert_int_equal(capabilities(pid, "CapPrm") & ~ALLOWED, 0);
	assert_int_equal(capabilities(pid, "CapBnd") & ~ALLOWED, 0);
	assert_int_equal(capabilities(pid, "CapInh"), 0);
	assert_int_equal(capabilities(pid, "CapAmb"), 0);
	assert_int_equal(capabilities(pid, "CapEff") & (3ull << 12), 3ull << 12);
	if (others)
		assert_string_equal(process_field(pid, "Groups"), "");
}

static bool status_says(struct engine_bed *bed, int node, const char *name)
{
	json_t *status = engine_ask(bed, node, "{\"command\": \"status\"}\n");
	bool value = json_is_true(json_object_get(status, name));

	assert_non_null(json_object_get(status, name));
	json_decref(status);
	return value;
}

static void what_status_says_of_time_and_memory_is_true(void **state)
{
	struct engine_bed *bed = *state;
	int policy, child_policy;
	pid_t pid;

	engine_start(bed, 0);
	engine_wait_role(bed, 0, "quiet", 2000);
	pid = bed->sides[0].pid;
	policy = sched_getscheduler(pid);
	child_policy = policy & SCHED_RESET_ON_FORK;
	assert_int_equal(status_says(bed, 0, "realtime"),
			 (policy & ~SCHED_RESET_ON_FORK) == SCHED_RR);
	assert_true(policy == SCHED_OTHER || child_policy);
#ifndef __SANITIZE_ADDRESS__
	/* a sanitizer leaves memory unlocked and says nothing */
	assert_int_equal(status_says(bed, 0, "memory_locked"),
			 strtoul(process_field(pid, "VmLck"), NULL, 10) > 1000);
#endif
}

static void nothing_of_the_guardian_stays_open(void **state)
{
	struct engine_bed *bed = *state;
	int ends[2];
	char byte;

	/* which a forked engine inherits, like the guardian's end of its own socket */
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	engine_start(bed, 0);
	close(ends[1]);
	engine_wait_role(bed, 0, "quiet", 2000);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}

/* ---- strangers on the cable ---- */

enum kind { RANDOM_BYTES, OUR_MAGIC, SHORT, KIND_COUNT };

struct junk {
	struct iphdr ip;
	struct udphdr udp;
	uint8_t bytes[256];
};

/* A datagram that looks as if node 1 had sent it. */
static size_t make_junk(struct junk *junk, enum kind kind, uint16_t port)
{
	size_t length = kind == SHORT ? 7 : 120;

	memset(junk, 0, sizeof(*junk));
	assert_int_equal(getrandom(junk->bytes, length, 0), length);
	if (kind == OUR_MAGIC)
		memcpy(junk->bytes, "HBD1\x10\x05", 6);
	junk->ip.version = 4;
	junk->ip.ihl = 5;
	junk->ip.ttl = 255;
	junk->ip.protocol = IPPROTO_UDP;
	inet_pton(AF_INET, "10.78.0.2", &junk->ip.saddr);
	inet_pton(AF_INET, "10.78.0.1", &junk->ip.daddr);
	junk->udp.source = junk->udp.dest = htons(port);
	junk->udp.len = htons((uint16_t)(sizeof(junk->udp) + length));
	return offsetof(struct junk, bytes) + length;
}

/*
 * Sends as fast as it goes until it is killed, or the test is: with it end the engines, whose guardian's
 * sockets it has, too.
 */
static _Noreturn void flood(struct engine_bed *bed, pid_t test)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct junk junk[KIND_COUNT];
	size_t lengths[KIND_COUNT];
	int fd;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != test)
		_exit(EXIT_FAILURE);
	far_net_enter(bed->far);
	fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	inet_pton(AF_INET, "10.78.0.1", &to.sin_addr);
	for (int i = 0; i < KIND_COUNT; i++)
		lengths[i] = make_junk(&junk[i], (enum kind)i, bed->conf->port);
	for (unsigned i = 0;; i++) {
		size_t kind = i % KIND_COUNT;

		sendto(fd, &junk[kind], lengths[kind], 0, (struct sockaddr *)&to, sizeof(to));
	}
}

static json_int_t dropped(struct engine_bed *bed, int node, size_t link, const char *reason)
{
	json_t *status = engine_ask(bed, node, "{\"command\": \"status\"}\n");
	json_t *entry = json_array_get(json_object_get(status, "links"), link);
	json_int_t count = json_integer_value(
		json_object_get(json_object_get(entry, "dropped"), reason));

	json_decref(status);
	return count;
}

/* Of the kinds of junk, that which was counted least. */
static json_int_t least_dropped(struct engine_bed *bed)
{
	json_int_t magic = dropped(bed, 0, 0, "magic"), few = dropped(bed, 0, 0, "short");
	json_int_t ours = dropped(bed, 0, 0, "session") + dropped(bed, 0, 0, "cluster") +
			  dropped(bed, 0, 0, "node") + dropped(bed, 0, 0, "type");

	few = few < magic ? few : magic;
	return few < ours ? few : ours;
}

static void a_flood_is_counted_and_changes_nothing(void **state)
{
	struct engine_bed *bed = *state;
	int primary = engine_start_pair(bed);
	pid_t test = getpid(), pid = fork();

	if (pid == 0)
		flood(bed, test);
	engine_pump(bed, 3000);
	/* how fast it comes is the machine's affair */
	for (int i = 0; i < 60 && least_dropped(bed) <= 1000; i++)
		engine_pump(bed, 500);
	assert_true(least_dropped(bed) > 1000);
	assert_int_equal(dropped(bed, 0, 1, "magic"), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_string_equal(engine_role(bed, primary), "primary");
	assert_string_equal(engine_role(bed, 1 - primary), "secondary");
	for (int i = 0; i < HBD_NODES; i++)
		assert_int_equal(engine_count_alerts(bed, i, HBD_ALERT_TAKEOVER), i == primary);
}

static void packets_from_behind_a_router_are_counted_and_not_used(void **state)
{
	struct engine_bed *bed = *state;

	run_far(bed->far, "nft -f - <<'END'\n"
			  "table ip far { chain out { type filter hook output priority 0; "
			  "oifname cable0 ip ttl set 254; }; }\n"
			  "END");
	engine_start_pair(bed);
	engine_pump(bed, 500);
	assert_true(dropped(bed, 0, 0, "hops") > 0);
	assert_int_equal(dropped(bed, 1, 0, "hops"), 0);
	assert_int_equal(dropped(bed, 0, 1, "hops"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(an_engine_may_do_only_what_it_must),
		TEST(what_status_says_of_time_and_memory_is_true),
		TEST(nothing_of_the_guardian_stays_open),
		TEST(a_flood_is_counted_and_changes_nothing),
		TEST(packets_from_behind_a_router_are_counted_and_not_used),
	};

	own_net_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
