/*
 * What is said of a link that cannot send, once for each loss, however sending comes and goes; and of
 * one whose address comes and goes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../hbd/base/log.h"
#include "../../hbd/core/time.h"
#include "../../hbd/io/links.h"

#define HEARTBEAT_NS (100 * HBD_MS_NS)

struct bed {
	struct hbd_conf *conf;
	struct loop *loop;
	struct links links;
	int peer; /* the other end: who does not read it is not reachable */
	int64_t now_ns;
	unsigned int warnings;
	unsigned int notices;
	char warning[1000];
	char notice[1000];
};

static void keep_line(void *context, int priority, const struct log_fields *fields, const char *text)
{
	struct bed *bed = context;

	(void)fields;
	if (priority == LOG_NOTICE) {
		bed->notices++;
		snprintf(bed->notice, sizeof(bed->notice), "%s", text);
		return;
	}
	bed->warnings++;
	snprintf(bed->warning, sizeof(bed->warning), "%s", text);
}

static void no_turn(void *context, const struct loop_turn *turn)
{
	(void)context;
	(void)turn;
}

static int setup(void **state)
{
	static struct bed bed;
	static struct hbd_conf conf;
	int pair[2], bytes = 1; /* the kernel makes it its least */

	bed = (struct bed){ .conf = &conf };
	conf.nodes[0].link_count = 1;
	strcpy(conf.nodes[0].links[0].interface, "eth1");
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
	assert_int_equal(loop_open(HBD_S_NS, no_turn, &bed, &bed.loop), 0);
	assert_int_equal(links_open(&bed.links, &conf, 0, &pair[0], bed.loop), 0);
	bed.peer = pair[1];
	log_set_sink(keep_line, &bed);
	links_note(&bed.links, 0, NULL, false, 0);
	*state = &bed;
	return 0;
}

static int teardown(void **state)
{
	struct bed *bed = *state;

	log_set_sink(NULL, NULL);
	links_close(&bed->links);
	loop_close(bed->loop);
	close(bed->peer);
	return 0;
}

/* As the kernel does when nobody answers ARP: what waited is dropped, and there is room again. */
static void drop_what_waits(const struct bed *bed)
{
	char bytes[16];

	while (recv(bed->peer, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

/* Heartbeats until then; what waits is dropped so often. */
static void beat(struct bed *bed, int64_t duration_ns, int64_t room_every_ns)
{
	int64_t end_ns = bed->now_ns + duration_ns, room_ns = bed->now_ns;

	for (; bed->now_ns < end_ns; bed->now_ns += HEARTBEAT_NS) {
		if (bed->now_ns >= room_ns) {
			drop_what_waits(bed);
			room_ns += room_every_ns;
		}
		links_send(&bed->links, 0, (const uint8_t *)"beat", 4, bed->now_ns);
	}
}

static void is_told_once_however_it_comes_and_goes(void **state)
{
	struct bed *bed = *state;

	beat(bed, 5 * HBD_S_NS, HEARTBEAT_NS);
	assert_int_equal(bed->warnings, 0);
	beat(bed, 600 * HBD_S_NS, 4 * HBD_S_NS);
	assert_int_equal(bed->warnings, 1);
	assert_int_equal(bed->notices, 0);
	assert_non_null(strstr(bed->warning, "ARP"));
}

static void and_its_end_when_it_lasts(void **state)
{
	struct bed *bed = *state;

	beat(bed, 60 * HBD_S_NS, 4 * HBD_S_NS);
	beat(bed, 5 * HBD_S_NS, HEARTBEAT_NS);
	assert_int_equal(bed->notices, 0);
	assert_true(links_usable(&bed->links, 0));
	beat(bed, 60 * HBD_S_NS, HEARTBEAT_NS);
	assert_int_equal(bed->notices, 1);
	beat(bed, 60 * HBD_S_NS, 4 * HBD_S_NS);
	assert_int_equal(bed->warnings, 2);
}

/* A refusal of another kind is news; one that lasts is told again. */
static void another_kind_is_told(void **state)
{
	struct bed *bed = *state;

	beat(bed, 10 * HBD_S_NS, 4 * HBD_S_NS);
	assert_int_equal(bed->warnings, 1);
	close(bed->peer);
	for (int i = 0; i < 700; i++, bed->now_ns += HEARTBEAT_NS)
		links_send(&bed->links, 0, (const uint8_t *)"beat", 4, bed->now_ns);
	/* a socket tells of a peer that went once as ECONNREFUSED, which is the peer's affair */
	assert_false(links_usable(&bed->links, 0));
	assert_int_equal(bed->warnings, 3);
	assert_int_equal(bed->notices, 0);
	bed->peer = -1;
}

/* It is there and away by turns, every 20 ms; at the end it is there. */
static void come_and_go(struct bed *bed, int64_t duration_ns)
{
	int64_t end_ns = bed->now_ns + duration_ns;

	while (bed->now_ns < end_ns) {
		links_note(&bed->links, 0, "its address is away", false, bed->now_ns);
		bed->now_ns += 20 * HBD_MS_NS;
		links_tell(&bed->links, bed->now_ns);
		links_note(&bed->links, 0, NULL, false, bed->now_ns);
		bed->now_ns += 20 * HBD_MS_NS;
		links_tell(&bed->links, bed->now_ns);
	}
}

static void let_tell(struct bed *bed, int64_t duration_ns)
{
	int64_t end_ns = bed->now_ns + duration_ns;

	for (;;) {
		int64_t next_ns = links_deadline_ns(&bed->links, bed->now_ns);

		if (next_ns > end_ns)
			break;
		bed->now_ns = next_ns;
		links_tell(&bed->links, bed->now_ns);
	}
	bed->now_ns = end_ns;
}

static void an_address_that_comes_and_goes_is_told_at_once(void **state)
{
	struct bed *bed = *state;

	for (unsigned i = 1; i <= 3; i++) {
		links_note(&bed->links, 0, "its address is away", false, bed->now_ns);
		assert_int_equal(bed->warnings, i);
		let_tell(bed, HBD_S_NS);
		links_note(&bed->links, 0, NULL, false, bed->now_ns);
		assert_int_equal(bed->notices, i);
		let_tell(bed, 30 * HBD_S_NS);
	}
}

static void in_a_loop_it_does_not_fill_the_log(void **state)
{
	struct bed *bed = *state;

	come_and_go(bed, 60 * HBD_S_NS);
	assert_in_range(bed->warnings + bed->notices, 6, 12);
	assert_non_null(strstr(bed->warning, "changes since the last line"));
}

static void how_such_a_loop_ended_is_told(void **state)
{
	struct bed *bed = *state;

	come_and_go(bed, HBD_S_NS);
	links_note(&bed->links, 0, "its address is away", false, bed->now_ns);
	bed->warnings = bed->notices = 0;
	let_tell(bed, 20 * HBD_S_NS);
	assert_int_equal(bed->warnings, 1);
	links_note(&bed->links, 0, NULL, false, bed->now_ns);
	let_tell(bed, 20 * HBD_S_NS);
	assert_int_equal(bed->notices, 1);
	assert_null(strstr(bed->notice, "changes"));
	assert_int_equal(links_deadline_ns(&bed->links, bed->now_ns), HBD_NEVER_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_told_once_however_it_comes_and_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(and_its_end_when_it_lasts, setup, teardown),
		cmocka_unit_test_setup_teardown(another_kind_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(an_address_that_comes_and_goes_is_told_at_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(in_a_loop_it_does_not_fill_the_log, setup, teardown),
		cmocka_unit_test_setup_teardown(how_such_a_loop_ended_is_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
