#include "fence_bed.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../hbd/io/clock.h"

#define ANSWER_MS 60

void fence_bed_need(void)
{
	struct fence_refusal refusal;
	struct fence *fence;

	if (fence_open(BED_INSTANCE, 1, &fence, &refusal) == 0) {
		fence_close(fence);
		return;
	}
	if (refusal.obstacle == FENCE_FAILED || refusal.obstacle == FENCE_OTHER_CLOCK) {
		printf("the fence does not open: %s\n", refusal.why);
		exit(1);
	}
	printf("skipped: there is no fence here: %s\n", refusal.why);
	exit(77);
}

static int packet_socket(const char *interface)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)), on = 1;
	int bytes = 8 << 20;
	struct sockaddr_ll here = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(interface),
	};

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&here, sizeof(here)), 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)), 0);
	return fd;
}

static void make_conf(struct own_net *net)
{
	net->conf.group_count = 2;
	for (uint8_t i = 0; i < 2; i++)
		net->conf.groups[i].vips = net->vips[i];
	add_vip(net, 0, BED_VIP4 "/24", "eth0");
	add_vip(net, 0, BED_VIP6 "/64", "eth0");
	add_vip(net, 1, BED_OTHER_VIP4 "/24", "eth0");
	add_vip(net, 1, BED_OTHER_VIP6 "/64", "eth0");
}

pid_t bed_fork(void)
{
	pid_t parent = getpid(), child = fork();

	if (child == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent))
		_exit(1);
	return child;
}

void bed_listen(struct fence_bed *bed)
{
	int before = far_net_enter(bed->far);

	if (bed->lan >= 0)
		close(bed->lan);
	bed->lan = packet_socket("eth0");
	far_net_leave(before);
}

struct fence_bed *fence_bed_make(void)
{
	struct fence_bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	bed->net = calloc(1, sizeof(*bed->net));
	assert_non_null(bed->net);
	make_conf(bed->net);
	bed->far = far_net_new();
	far_net_cable(bed->far, "eth0");
	run("for a in " BED_FIX4 " " BED_VIP4 " " BED_OTHER_VIP4 "; do "
	    "ip addr add $a/24 dev eth0; done");
	/* As hbd adds them: deprecated, so that what this machine itself sends is not from them. */
	run("ip addr add " BED_FIX6 "/64 dev eth0 nodad && "
	    "for a in " BED_VIP6 " " BED_OTHER_VIP6 "; do "
	    "ip addr add $a/64 dev eth0 nodad preferred_lft 0; done");
	run_far(bed->far, "ip addr add " BED_CLIENT4 "/24 dev eth0 && "
			  "ip addr add " BED_CLIENT6 "/64 dev eth0 nodad && "
			  "ip link set eth0 address 02:00:00:77:00:09");
	bed->lan = -1;
	bed_listen(bed);
	bed_start(bed);
	bed_settle(bed);
	expect_no_news(bed);
	return bed;
}

void fence_bed_free(struct fence_bed *bed)
{
	fence_close(bed->fence);
	close(bed->lan);
	close(bed->far);
	own_net_free(bed->net);
	free(bed);
}

void bed_open(struct fence_bed *bed)
{
	struct fence_refusal refusal;

	if (fence_open(BED_INSTANCE, BED_ADDRESSES, &bed->fence, &refusal) != 0)
		fail_msg("the fence does not open: %s", refusal.why);
}

void bed_start(struct fence_bed *bed)
{
	bed_open(bed);
	assert_int_equal(fence_set(bed->fence, &bed->net->conf), 0);
}

void bed_stop(struct fence_bed *bed)
{
	fence_close(bed->fence);
	bed->fence = NULL;
}

/* ---- the LAN ----------------------------------------------------------------------------------- */

void lan_says(struct fence_bed *bed, const struct frame_shape *shape)
{
	uint8_t bytes[FRAME_SHAPE_BYTES_MAX];
	size_t length = frame_make(shape, bytes);

	assert_int_equal(send(bed->lan, bytes, length, 0), length);
}

bool lan_hears(struct fence_bed *bed, const char *address)
{
	int64_t until_ns = clock_now_ns() + ANSWER_MS * HBD_MS_NS;
	uint8_t bytes[FRAME_SHAPE_BYTES_MAX];

	for (;;) {
		struct pollfd wait = { .fd = bed->lan, .events = POLLIN };
		int64_t left_ns = until_ns - clock_now_ns();
		ssize_t length;

		if (left_ns <= 0 || poll(&wait, 1, (int)(left_ns / HBD_MS_NS) + 1) <= 0)
			return false;
		length = recv(bed->lan, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (length > 0 && frame_speaks_for(bytes, (size_t)length, address))
			return true;
	}
}

void lan_forgets(struct fence_bed *bed)
{
	uint8_t bytes[FRAME_SHAPE_BYTES_MAX];

	while (recv(bed->lan, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

static bool is_v6(const char *address)
{
	return strchr(address, ':') != NULL;
}

bool is_resolved(struct fence_bed *bed, const char *address)
{
	const struct frame_shape arp = {
		.kind = FRAME_ARP_REQUEST, .from = BED_CLIENT4, .to = address,
	};
	const struct frame_shape solicitation = {
		.kind = FRAME_SOLICITATION, .from = BED_CLIENT6, .to = "ff02::1", .about = address,
	};

	lan_forgets(bed);
	lan_says(bed, is_v6(address) ? &solicitation : &arp);
	return lan_hears(bed, address);
}

bool is_reached(struct fence_bed *bed, const char *address)
{
	const struct frame_shape echo = {
		.kind = FRAME_ECHO,
		.from = is_v6(address) ? BED_CLIENT6 : BED_CLIENT4,
		.to = address,
		.mark = 1,
	};

	lan_forgets(bed);
	lan_says(bed, &echo);
	return lan_hears(bed, address);
}

void node_says(const char *interface, const struct frame_shape *shape)
{
	uint8_t bytes[FRAME_SHAPE_BYTES_MAX];
	size_t length = frame_make(shape, bytes);
	int fd = packet_socket(interface);

	/* A frame that a filter drops is ENOBUFS to who sends it. */
	if (send(fd, bytes, length, 0) < 0)
		assert_int_equal(errno, ENOBUFS);
	close(fd);
}

/* ---- news -------------------------------------------------------------------------------------- */

static void keep_news(void *context, const struct fence_news *news)
{
	struct fence_bed *bed = context;
	struct bed_news *kept = &bed->news[bed->news_count++];

	assert_true(bed->news_count <= BED_NEWS);
	kept->type = news->type;
	snprintf(kept->interface, sizeof(kept->interface), "%s", news->interface);
	snprintf(kept->why, sizeof(kept->why), "%s", news->why);
}

void bed_settle(struct fence_bed *bed)
{
	struct pollfd wait = { .fd = fence_fd(bed->fence), .events = POLLIN };

	while (poll(&wait, 1, ANSWER_MS) > 0)
		fence_dispatch(bed->fence, keep_news, bed);
}

void bed_check(struct fence_bed *bed)
{
	fence_check(bed->fence, keep_news, bed);
}

void expect_news(struct fence_bed *bed, enum fence_news_type type, const char *interface)
{
	if (bed->news_count != 1 || bed->news[0].type != type ||
	    strcmp(bed->news[0].interface, interface) != 0)
		fail_msg("%zu news, the first is %d of %s (%s) instead of %d", bed->news_count,
			 bed->news[0].type, bed->news[0].interface, bed->news[0].why, type);
	bed->news_count = 0;
}

void expect_no_news(struct fence_bed *bed)
{
	if (bed->news_count != 0)
		fail_msg("%zu news, the first is %d of %s (%s)", bed->news_count, bed->news[0].type,
			 bed->news[0].interface, bed->news[0].why);
}

int count_attached(const char *interface)
{
	return (int)holds("tc filter show dev %s ingress | grep -q ' hbd-fence'", interface) +
	       (int)holds("tc filter show dev %s egress | grep -q ' hbd-fence'", interface);
}

struct fence_tally tally_of(struct fence_bed *bed, uint8_t group)
{
	struct fence_tally tally;

	fence_count(bed->fence, group, &tally);
	return tally;
}
