/* The verdict of the program in the kernel on one frame, row by row: the kernel runs it on request. */
#include <errno.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../hbd/io/clock.h"
#include "../../hbd/io/fence_state.h"
#include "fence_bed.h"

#define DROP 2	      /* TC_ACT_SHOT */
#define GO_ON (-1)    /* TC_ACT_UNSPEC: to the next program, and past the last */
#define FOREIGN4 "10.77.0.101"
#define FOREIGN6 "fd77::101"

static int setup(void **state)
{
	*state = fence_bed_make();
	return 0;
}

static int teardown(void **state)
{
	fence_bed_free(*state);
	return 0;
}

static int judge(struct fence_bed *bed, enum fence_side side, const struct frame_shape *shape)
{
	uint8_t frame[FRAME_SHAPE_BYTES_MAX];
	union bpf_attr attributes = { 0 };

	attributes.test.prog_fd = (uint32_t)bed->fence->program.attach.ethernet[side].fd;
	attributes.test.data_in = (uintptr_t)frame;
	attributes.test.data_size_in = (uint32_t)frame_make(shape, frame);
	if (syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attributes, sizeof(attributes)) != 0)
		fail_msg("a frame of %u bytes is not judged: %s", attributes.test.data_size_in,
			 strerror(errno));
	return (int)attributes.test.retval;
}

/* One with the group's deadline ahead goes on, whatever it is. With it behind: */
static const struct row {
	const char *name;
	enum fence_side side;
	struct frame_shape shape;
	int verdict;
} rows[] = {
/* clang-format off */
#define FROM(f) .from = f
#define TO(t) .to = t
	/* in: what is sent to it or asks for it */
	{ "IPv4 to it", FENCE_IN, { FRAME_ECHO, FROM(BED_CLIENT4), TO(BED_VIP4) }, DROP },
	{ "IPv6 to it", FENCE_IN, { FRAME_ECHO, FROM(BED_CLIENT6), TO(BED_VIP6) }, DROP },
	{ "a later fragment of IPv4 to it", FENCE_IN,
	  { FRAME_FRAGMENT, FROM(BED_CLIENT4), TO(BED_VIP4) }, DROP },
	{ "a fragment of IPv6 to it", FENCE_IN,
	  { FRAME_FRAGMENT, FROM(BED_CLIENT6), TO(BED_VIP6) }, DROP },
	{ "IPv4 with options to it", FENCE_IN,
	  { FRAME_OPTIONS, FROM(BED_CLIENT4), TO(BED_VIP4) }, DROP },
	{ "IPv6 with options to it", FENCE_IN,
	  { FRAME_OPTIONS, FROM(BED_CLIENT6), TO(BED_VIP6) }, DROP },
	{ "ARP that asks for it", FENCE_IN,
	  { FRAME_ARP_REQUEST, FROM(BED_CLIENT4), TO(BED_VIP4) }, DROP },
	{ "ARP that probes it", FENCE_IN,
	  { FRAME_ARP_REQUEST, FROM("0.0.0.0"), TO(BED_VIP4) }, DROP },
	{ "an ARP answer to it", FENCE_IN,
	  { FRAME_ARP_REPLY, FROM(BED_CLIENT4), TO(BED_VIP4) }, DROP },
	{ "neighbor solicitation for it to all nodes", FENCE_IN,
	  { FRAME_SOLICITATION, FROM(BED_CLIENT6), TO("ff02::1"), .about = BED_VIP6 }, DROP },
	{ "neighbor solicitation for it to its group", FENCE_IN,
	  { FRAME_SOLICITATION, FROM(BED_CLIENT6), TO("ff02::1:ff00:100"), .about = BED_VIP6 },
	  DROP },
	{ "neighbor solicitation for it to itself", FENCE_IN,
	  { FRAME_SOLICITATION, FROM(BED_CLIENT6), TO(BED_VIP6), .about = BED_VIP6 }, DROP },
	{ "duplicate address detection of it", FENCE_IN,
	  { FRAME_SOLICITATION, FROM("::"), TO("ff02::1:ff00:100"), .about = BED_VIP6 }, DROP },
	{ "IPv4 to it in a VLAN", FENCE_IN,
	  { FRAME_ECHO, FROM(BED_CLIENT4), TO(BED_VIP4), .tags = 1 }, DROP },
	{ "IPv6 to it in a VLAN in a VLAN", FENCE_IN,
	  { FRAME_ECHO, FROM(BED_CLIENT6), TO(BED_VIP6), .tags = 2 }, DROP },
	{ "ARP for it in a VLAN", FENCE_IN,
	  { FRAME_ARP_REQUEST, FROM(BED_CLIENT4), TO(BED_VIP4), .tags = 1 }, DROP },
	{ "neighbor solicitation for it in a VLAN in a VLAN", FENCE_IN,
	  { FRAME_SOLICITATION, FROM(BED_CLIENT6), TO("ff02::1"), .about = BED_VIP6, .tags = 2 },
	  DROP },

	/* in: others, who may have it, are heard */
	{ "IPv4 from it", FENCE_IN, { FRAME_ECHO, FROM(BED_VIP4), TO(BED_FIX4) }, GO_ON },
	{ "IPv6 from it", FENCE_IN, { FRAME_ECHO, FROM(BED_VIP6), TO(BED_FIX6) }, GO_ON },
	{ "another's gratuitous ARP request", FENCE_IN,
	  { FRAME_ARP_REQUEST, FROM(BED_VIP4), TO(BED_VIP4) }, GO_ON },
	{ "another's gratuitous ARP reply", FENCE_IN,
	  { FRAME_ARP_REPLY, FROM(BED_VIP4), TO(BED_VIP4) }, GO_ON },
	{ "another's ARP answer for it", FENCE_IN,
	  { FRAME_ARP_REPLY, FROM(BED_VIP4), TO(BED_FIX4) }, GO_ON },
	{ "another's neighbor advertisement of it", FENCE_IN,
	  { FRAME_ADVERTISEMENT, FROM(BED_VIP6), TO("ff02::1"), .about = BED_VIP6 }, GO_ON },

	/* out: what speaks for it */
	{ "IPv4 from it", FENCE_OUT, { FRAME_ECHO, FROM(BED_VIP4), TO(BED_CLIENT4) }, DROP },
	{ "IPv6 from it", FENCE_OUT, { FRAME_ECHO, FROM(BED_VIP6), TO(BED_CLIENT6) }, DROP },
	{ "a later fragment of IPv4 from it", FENCE_OUT,
	  { FRAME_FRAGMENT, FROM(BED_VIP4), TO(BED_CLIENT4) }, DROP },
	{ "a fragment of IPv6 from it", FENCE_OUT,
	  { FRAME_FRAGMENT, FROM(BED_VIP6), TO(BED_CLIENT6) }, DROP },
	{ "an ARP answer", FENCE_OUT,
	  { FRAME_ARP_REPLY, FROM(BED_VIP4), TO(BED_CLIENT4) }, DROP },
	{ "a gratuitous ARP request", FENCE_OUT,
	  { FRAME_ARP_REQUEST, FROM(BED_VIP4), TO(BED_VIP4) }, DROP },
	{ "a gratuitous ARP reply", FENCE_OUT,
	  { FRAME_ARP_REPLY, FROM(BED_VIP4), TO(BED_VIP4) }, DROP },
	{ "ARP for another in its name", FENCE_OUT,
	  { FRAME_ARP_REQUEST, FROM(BED_VIP4), TO(BED_CLIENT4) }, DROP },
	{ "neighbor advertisement from it", FENCE_OUT,
	  { FRAME_ADVERTISEMENT, FROM(BED_VIP6), TO(BED_CLIENT6), .about = BED_VIP6 }, DROP },
	{ "neighbor advertisement of it from another address", FENCE_OUT,
	  { FRAME_ADVERTISEMENT, FROM("fe80::1"), TO("ff02::1"), .about = BED_VIP6 }, DROP },
	{ "neighbor solicitation for another in its name", FENCE_OUT,
	  { FRAME_SOLICITATION, FROM(BED_VIP6), TO("ff02::1"), .about = BED_CLIENT6 }, DROP },
	{ "IPv4 from it in a VLAN in a VLAN", FENCE_OUT,
	  { FRAME_ECHO, FROM(BED_VIP4), TO(BED_CLIENT4), .tags = 2 }, DROP },
	{ "a gratuitous ARP request in a VLAN", FENCE_OUT,
	  { FRAME_ARP_REQUEST, FROM(BED_VIP4), TO(BED_VIP4), .tags = 1 }, DROP },
	{ "neighbor advertisement in a VLAN", FENCE_OUT,
	  { FRAME_ADVERTISEMENT, FROM("fe80::1"), TO("ff02::1"), .about = BED_VIP6, .tags = 1 },
	  DROP },

	/* out: who has it? and, as a client of who has */
	{ "IPv4 to it", FENCE_OUT, { FRAME_ECHO, FROM(BED_FIX4), TO(BED_VIP4) }, GO_ON },
	{ "IPv6 to it", FENCE_OUT, { FRAME_ECHO, FROM(BED_FIX6), TO(BED_VIP6) }, GO_ON },
	{ "ARP that asks for it", FENCE_OUT,
	  { FRAME_ARP_REQUEST, FROM(BED_FIX4), TO(BED_VIP4) }, GO_ON },
	{ "ARP that probes it", FENCE_OUT,
	  { FRAME_ARP_REQUEST, FROM("0.0.0.0"), TO(BED_VIP4) }, GO_ON },
	{ "neighbor solicitation for it", FENCE_OUT,
	  { FRAME_SOLICITATION, FROM(BED_FIX6), TO("ff02::1:ff00:100"), .about = BED_VIP6 },
	  GO_ON },
	{ "neighbor solicitation for it from nobody", FENCE_OUT,
	  { FRAME_SOLICITATION, FROM("::"), TO("ff02::1:ff00:100"), .about = BED_VIP6 }, GO_ON },

	/* everybody else's */
	{ "IPv4 to another", FENCE_IN, { FRAME_ECHO, FROM(BED_CLIENT4), TO(FOREIGN4) }, GO_ON },
	{ "IPv6 to another", FENCE_IN, { FRAME_ECHO, FROM(BED_CLIENT6), TO(FOREIGN6) }, GO_ON },
	{ "IPv4 from another", FENCE_OUT, { FRAME_ECHO, FROM(FOREIGN4), TO(BED_CLIENT4) }, GO_ON },
	{ "IPv6 from another", FENCE_OUT, { FRAME_ECHO, FROM(FOREIGN6), TO(BED_CLIENT6) }, GO_ON },
	{ "ARP for another", FENCE_IN,
	  { FRAME_ARP_REQUEST, FROM(BED_CLIENT4), TO(FOREIGN4) }, GO_ON },
	{ "ARP of another", FENCE_OUT,
	  { FRAME_ARP_REPLY, FROM(FOREIGN4), TO(BED_CLIENT4) }, GO_ON },
	{ "neighbor solicitation for another", FENCE_IN,
	  { FRAME_SOLICITATION, FROM(BED_CLIENT6), TO("ff02::1"), .about = FOREIGN6 }, GO_ON },
	{ "neighbor advertisement of another", FENCE_OUT,
	  { FRAME_ADVERTISEMENT, FROM(FOREIGN6), TO("ff02::1"), .about = FOREIGN6 }, GO_ON },
	{ "IPv4 to another in a VLAN", FENCE_IN,
	  { FRAME_ECHO, FROM(BED_CLIENT4), TO(FOREIGN4), .tags = 1 }, GO_ON },
	{ "a protocol of its own", FENCE_IN,
	  { FRAME_OTHER, FROM(BED_CLIENT4), TO(BED_VIP4) }, GO_ON },
	{ "three tags, as no host takes them", FENCE_IN,
	  { FRAME_ECHO, FROM(BED_CLIENT4), TO(BED_VIP4), .tags = 3 }, GO_ON },

	/* cut off where the last byte that is needed is missing, and just behind it; in a VLAN,
	 * because the kernel does not put others to the test */
	{ "IPv4 without the end of its header", FENCE_IN,
	  { FRAME_ECHO, FROM(BED_CLIENT4), TO(BED_VIP4), .tags = 1, .cut = 37 }, GO_ON },
	{ "an IPv4 header", FENCE_IN,
	  { FRAME_ECHO, FROM(BED_CLIENT4), TO(BED_VIP4), .tags = 1, .cut = 38 }, DROP },
	{ "IPv6 without the end of its header", FENCE_IN,
	  { FRAME_ECHO, FROM(BED_CLIENT6), TO(BED_VIP6), .tags = 1, .cut = 57 }, GO_ON },
	{ "an IPv6 header", FENCE_IN,
	  { FRAME_ECHO, FROM(BED_CLIENT6), TO(BED_VIP6), .tags = 1, .cut = 58 }, DROP },
	{ "ARP without the end of its target", FENCE_IN,
	  { FRAME_ARP_REQUEST, FROM(BED_CLIENT4), TO(BED_VIP4), .cut = 41 }, GO_ON },
	{ "ARP without anything behind it", FENCE_IN,
	  { FRAME_ARP_REQUEST, FROM(BED_CLIENT4), TO(BED_VIP4), .cut = 42 }, DROP },
	{ "neighbor solicitation without the end of its target", FENCE_IN,
	  { FRAME_SOLICITATION, FROM(BED_CLIENT6), TO("ff02::1"), .about = BED_VIP6, .cut = 77 },
	  GO_ON },
	{ "neighbor solicitation without options", FENCE_IN,
	  { FRAME_SOLICITATION, FROM(BED_CLIENT6), TO("ff02::1"), .about = BED_VIP6, .cut = 78 },
	  DROP },
	{ "a tag without what it tags", FENCE_IN,
	  { FRAME_ECHO, FROM(BED_CLIENT4), TO(BED_VIP4), .tags = 1, .cut = 17 }, GO_ON },
/* clang-format on */
};

static void a_frame_is_judged_by_the_deadline_of_its_address(void **state)
{
	struct fence_bed *bed = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		const char *side = row->side == FENCE_IN ? "in" : "out";
		int verdict;

		fence_renew(bed->fence, 0, clock_now_ns() + HBD_S_NS);
		verdict = judge(bed, row->side, &row->shape);
		if (verdict != GO_ON)
			fail_msg("%s, %s: %d while the deadline is ahead", row->name, side, verdict);
		fence_renew(bed->fence, 0, clock_now_ns());
		verdict = judge(bed, row->side, &row->shape);
		if (verdict != row->verdict)
			fail_msg("%s, %s: %d after the deadline", row->name, side, verdict);
	}
	printf("%zu frames, each in time and too late\n", sizeof(rows) / sizeof(rows[0]));
}

static const struct frame_shape to_0 = { FRAME_ECHO, .from = BED_CLIENT4, .to = BED_VIP4 };
static const struct frame_shape to_1 = { FRAME_ECHO, .from = BED_CLIENT4, .to = BED_OTHER_VIP4 };

static void deadlines_are_of_one_group_each(void **state)
{
	struct fence_bed *bed = *state;

	fence_renew(bed->fence, 0, HBD_NEVER_NS);
	assert_int_equal(judge(bed, FENCE_IN, &to_0), GO_ON);
	assert_int_equal(judge(bed, FENCE_IN, &to_1), DROP);
	fence_renew(bed->fence, 1, HBD_NEVER_NS);
	fence_close_group(bed->fence, 0);
	assert_int_equal(judge(bed, FENCE_IN, &to_0), DROP);
	assert_int_equal(judge(bed, FENCE_IN, &to_1), GO_ON);
}

static const struct instant {
	const char *name;
	int64_t deadline_ns;
	int verdict;
} instants[] = {
	{ "closed", 0, DROP },
	{ "before the machine started", -1, DROP },
	{ "as early as can be", INT64_MIN, DROP },
	{ "a nanosecond after the machine started", 1, DROP },
	{ "never", HBD_NEVER_NS, GO_ON },
};

static void extreme_deadlines_are_taken_as_they_are(void **state)
{
	struct fence_bed *bed = *state;

	for (size_t i = 0; i < sizeof(instants) / sizeof(instants[0]); i++) {
		fence_renew(bed->fence, 0, instants[i].deadline_ns);
		assert_int_equal(fence_deadline_ns(bed->fence, 0), instants[i].deadline_ns);
		if (judge(bed, FENCE_IN, &to_0) != instants[i].verdict)
			fail_msg("%s: judged wrongly", instants[i].name);
	}
}

static void every_frame_of_a_virtual_address_is_counted(void **state)
{
	struct fence_bed *bed = *state;
	const struct frame_shape from_0 = { FRAME_ECHO, .from = BED_VIP4, .to = BED_CLIENT4 };
	struct fence_tally tally;

	for (int i = 0; i < 3; i++)
		judge(bed, FENCE_IN, &to_0);
	judge(bed, FENCE_OUT, &from_0);
	fence_renew(bed->fence, 0, HBD_NEVER_NS);
	for (int i = 0; i < 5; i++)
		judge(bed, FENCE_OUT, &from_0);
	judge(bed, FENCE_IN, &to_0);
	judge(bed, FENCE_IN, &to_0);
	tally = tally_of(bed, 0);
	assert_int_equal(tally.dropped_in, 3);
	assert_int_equal(tally.dropped_out, 1);
	assert_int_equal(tally.passed_out, 5);
	assert_int_equal(tally.passed_in, 2);
	tally = tally_of(bed, 1);
	assert_int_equal(tally.dropped_in + tally.dropped_out, 0);
	assert_int_equal(tally.passed_in + tally.passed_out, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_frame_is_judged_by_the_deadline_of_its_address),
		TEST(deadlines_are_of_one_group_each),
		TEST(extreme_deadlines_are_taken_as_they_are),
		TEST(every_frame_of_a_virtual_address_is_counted),
	};

	own_net_enter();
	fence_bed_need();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
