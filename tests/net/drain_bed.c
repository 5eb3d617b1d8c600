#include "drain_bed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../hbd/io/announce_frame.h"
#include "../../hbd/io/clock.h"

#define PORT_ADDRESS 7001 /* services on the virtual addresses */
#define PORT_ALL 7002	  /* on all */
#define TICK_NS (10 * HBD_MS_NS)
#define PATIENCE_NS (3 * HBD_S_NS)

/* ---- machines ---------------------------------------------------------------------------------- */

static void look_at(struct bed_node *node)
{
	struct ifreq request = { 0 };
	int before = far_net_enter(node->net);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(request.ifr_name, node->interface);
	assert_int_equal(ioctl(fd, SIOCGIFHWADDR, &request), 0);
	memcpy(node->mac, request.ifr_hwaddr.sa_data, sizeof(node->mac));
	node->ifindex = (int)if_nametoindex(node->interface);
	close(fd);
	far_net_leave(before);
}

static void make_node(struct bed_node *node, char name, int number)
{
	char command[256];

	node->net = far_net_new();
	snprintf(node->interface, sizeof(node->interface), "%c0", name);
	far_net_cable(node->net, node->interface);
	run("ip link set %s master br0", node->interface);
	snprintf(command, sizeof(command),
		 "ip addr add 10.77.0.%d/24 dev %s && ip addr add fd77::%d/64 dev %s nodad && "
		 "ip addr add fe80::%d/64 dev %s nodad", number, node->interface, number,
		 node->interface, number, node->interface);
	run_far(node->net, command);
	look_at(node);
}

void drain_bed_need(void)
{
	struct drain *drain;
	char why[DRAIN_WHY_BYTES];
	const struct hbd_address address = { .family = AF_INET };
	struct drain_leg leg = { .peer = { 2 } };
	const struct drain_plan plan = { BED_INSTANCE, 0, 0, 1, 1, &address, &leg };
	int error;

	make_pair("try0");
	leg.ifindex = (int)if_nametoindex("try0");
	error = drain_forward(&plan, &drain, why);
	if (error == 0)
		drain_end(drain);
	run("ip link del try0");
	if (error == -EPERM || error == -EOPNOTSUPP) {
		printf("skipped: there is no drain here: %s\n", why);
		exit(77);
	}
}

static void change_addresses(struct drain_bed *bed, int node, const char *verb, const char *how)
{
	const char *interface = bed->nodes[node].interface;
	char command[256];

	snprintf(command, sizeof(command),
		 "ip addr %s " BED_VIP4 "/24 dev %s && ip addr %s " BED_VIP6 "/64 dev %s %s", verb,
		 interface, verb, interface, how);
	run_far(bed->nodes[node].net, command);
}

void bed_take(struct drain_bed *bed, int node)
{
	change_addresses(bed, node, "add", "nodad preferred_lft 0");
}

void bed_drop(struct drain_bed *bed, int node)
{
	change_addresses(bed, node, "del", "");
}

void bed_announce(struct drain_bed *bed, int node)
{
	const struct bed_node *from = &bed->nodes[node];
	struct sockaddr_ll here = { .sll_family = AF_PACKET, .sll_ifindex = from->ifindex };
	uint8_t frame[ANNOUNCE_FRAME_BYTES];
	int before = far_net_enter(from->net);
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	size_t length = announce_frame_reply(frame, from->mac, bed->addresses[0].v4);

	assert_int_equal(bind(fd, (struct sockaddr *)&here, sizeof(here)), 0);
	assert_int_equal(send(fd, frame, length, 0), length);
	length = announce_frame_advertisement(frame, from->mac, &bed->addresses[1].v6, false);
	assert_int_equal(send(fd, frame, length, 0), length);
	close(fd);
	far_net_leave(before);
}

bool bed_client_knows(struct drain_bed *bed, int node)
{
	const uint8_t *mac = bed->nodes[node].mac;
	int before = far_net_enter(bed->client.net);
	bool knows = holds("test $(ip neigh show dev c0 | grep -E '^(" BED_VIP4 "|" BED_VIP6 ") ' | "
			   "grep -c %02x:%02x:%02x:%02x:%02x:%02x) = 2",
			   mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);

	far_net_leave(before);
	return knows;
}

/* ---- drains ------------------------------------------------------------------------------------ */

static struct drain *begin(struct drain_bed *bed, int node, int64_t until_ns, bool forward)
{
	struct drain_leg leg = { .ifindex = bed->nodes[node].ifindex };
	const struct drain_plan plan = { BED_INSTANCE, 3, until_ns, 2, 1, bed->addresses, &leg };
	char own[32], why[DRAIN_WHY_BYTES] = "";
	struct drain *drain;
	int before = far_net_enter(bed->nodes[node].net), error;

	memcpy(leg.peer, bed->nodes[!node].mac, sizeof(leg.peer));
	snprintf(own, sizeof(own), "fd77::%d", node + 1);
	inet_pton(AF_INET6, own, &leg.own);
	error = forward ? drain_forward(&plan, &drain, why) : drain_hold(&plan, &drain, why);
	far_net_leave(before);
	if (error != 0)
		fail_msg("the drain does not begin: %s", why);
	return drain;
}

struct drain *bed_forward(struct drain_bed *bed, int node, int64_t until_ns)
{
	return begin(bed, node, until_ns, true);
}

struct drain *bed_hold(struct drain_bed *bed, int node)
{
	return begin(bed, node, 0, false);
}

void bed_end(struct drain_bed *bed, int node, struct drain *drain)
{
	int before = far_net_enter(bed->nodes[node].net);

	assert_int_equal(drain_end(drain), 0);
	far_net_leave(before);
}

int bed_count(struct drain_bed *bed, int node)
{
	int before = far_net_enter(bed->nodes[node].net);
	int count = drain_count(bed->addresses, 2);

	far_net_leave(before);
	assert_true(count >= 0);
	return count;
}

static struct fence *fence_one(struct drain_bed *bed, int node)
{
	struct own_net *net = calloc(1, sizeof(*net));
	int before = far_net_enter(bed->nodes[node].net);
	struct fence_refusal refusal;
	struct fence *fence;

	assert_non_null(net);
	net->conf.group_count = 1;
	net->conf.groups[0].vips = net->vips[0];
	add_vip(net, 0, BED_VIP4 "/24", bed->nodes[node].interface);
	add_vip(net, 0, BED_VIP6 "/64", bed->nodes[node].interface);
	if (fence_open(BED_INSTANCE, 8, &fence, &refusal) != 0)
		fail_msg("the fence does not open: %s", refusal.why);
	assert_int_equal(fence_set(fence, &net->conf), 0);
	assert_true(fence_in_force(fence, 0, NULL));
	far_net_leave(before);
	free(net);
	return fence;
}

void bed_fence(struct drain_bed *bed, int owner)
{
	for (int i = 0; i < 2; i++)
		bed->fences[i] = fence_one(bed, i);
	fence_renew(bed->fences[owner], 0, HBD_NEVER_NS);
}

/* ---- services ---------------------------------------------------------------------------------- */

static struct sockaddr_storage endpoint(const char *address, uint16_t port, socklen_t *ret_bytes)
{
	struct sockaddr_storage storage = { 0 };
	struct sockaddr_in *v4 = (void *)&storage;
	struct sockaddr_in6 *v6 = (void *)&storage;

	if (strchr(address, ':')) {
		*v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
		assert_int_equal(inet_pton(AF_INET6, address, &v6->sin6_addr), 1);
		*ret_bytes = sizeof(*v6);
	} else {
		*v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
		assert_int_equal(inet_pton(AF_INET, address, &v4->sin_addr), 1);
		*ret_bytes = sizeof(*v4);
	}
	return storage;
}

static void watch(struct drain_bed *bed, int file)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = file };

	assert_in_range(file, 0, BED_FILES - 1);
	assert_int_equal(epoll_ctl(bed->poll, EPOLL_CTL_ADD, file, &event), 0);
}

static void serve(struct drain_bed *bed, int node, int type, const char *address, uint16_t port)
{
	socklen_t bytes;
	struct sockaddr_storage at = endpoint(address, port, &bytes);
	int fd = socket(at.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_IP, IP_FREEBIND, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, bytes), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 512), 0);
	watch(bed, fd);
	bed->file_node[fd] = (char)('A' + node);
	bed->file_listens[fd] = type == SOCK_STREAM;
}

static void serve_all(struct drain_bed *bed, int node)
{
	int before = far_net_enter(bed->nodes[node].net);

	serve(bed, node, SOCK_STREAM, BED_VIP4, PORT_ADDRESS);
	serve(bed, node, SOCK_STREAM, BED_VIP6, PORT_ADDRESS);
	serve(bed, node, SOCK_STREAM, "::", PORT_ALL);
	serve(bed, node, SOCK_DGRAM, BED_VIP4, PORT_ADDRESS);
	far_net_leave(before);
}

static void answer(struct drain_bed *bed, int file)
{
	struct sockaddr_storage from;
	socklen_t bytes = sizeof(from);
	char name = bed->file_node[file], byte;
	ssize_t length = recvfrom(file, &byte, 1, 0, (void *)&from, &bytes);

	if (length == 1) {
		sendto(file, &name, 1, MSG_NOSIGNAL, bytes > 0 ? (void *)&from : NULL, bytes);
	} else if (length == 0 || errno != EAGAIN) {
		bed->file_node[file] = 0;
		close(file);
	}
}

static void service_turn(struct drain_bed *bed, int file)
{
	int accepted;

	if (!bed->file_listens[file]) {
		answer(bed, file);
		return;
	}
	while ((accepted = accept4(file, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		watch(bed, accepted);
		bed->file_node[accepted] = bed->file_node[file];
		bed->file_listens[accepted] = false;
	}
}

/* ---- the client -------------------------------------------------------------------------------- */

static void connect_one(struct drain_bed *bed, size_t way, bool once)
{
	struct bed_asker *asker = &bed->askers[bed->asker_count++];
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	socklen_t bytes;
	struct sockaddr_storage to = endpoint(way % 2 ? BED_VIP6 : BED_VIP4,
					      way / 2 % 2 ? PORT_ALL : PORT_ADDRESS, &bytes);
	int before = far_net_enter(bed->client.net);
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_in_range(fd, 0, BED_FILES - 1);
	assert_true(bed->asker_count <= BED_LONG + BED_SHORT);
	assert_true(connect(fd, (struct sockaddr *)&to, bytes) == 0 || errno == EINPROGRESS);
	event.data.fd = fd;
	assert_int_equal(epoll_ctl(bed->poll, EPOLL_CTL_ADD, fd, &event), 0);
	*asker = (struct bed_asker){ .file = fd, .once = once, .asked_ns = clock_now_ns() };
	far_net_leave(before);
}

static void give_up(struct drain_bed *bed, struct bed_asker *asker)
{
	if (asker->node == 0)
		bed->refused++;
	else
		bed->broken++;
	close(asker->file);
	asker->file = -1;
}

static void note_answer(struct drain_bed *bed, struct bed_asker *asker, char name)
{
	int64_t took_ns = clock_now_ns() - asker->asked_ns;

	if (took_ns > bed->worst_ns)
		bed->worst_ns = took_ns;
	bed->changed += asker->node != 0 && asker->node != name;
	asker->node = name;
	asker->asked = false;
	if (asker->once) {
		bed->answered[name - 'A']++;
		close(asker->file);
		asker->file = -1;
	}
}

static void hear(struct drain_bed *bed, struct bed_asker *asker)
{
	ssize_t length;
	char name;

	length = recv(asker->file, &name, 1, 0);
	if (length == 1)
		note_answer(bed, asker, name);
	else if (length == 0 || (errno != EAGAIN && errno != ENOTCONN))
		give_up(bed, asker);
}

/* Asks where no answer is due; what got none for long is broken. */
static void ask(struct drain_bed *bed, struct bed_asker *asker, int64_t now_ns)
{
	ssize_t sent;

	if (asker->asked) {
		if (now_ns - asker->asked_ns > PATIENCE_NS)
			give_up(bed, asker);
		return;
	}
	sent = send(asker->file, "?", 1, MSG_NOSIGNAL);
	if (sent == 1) {
		/* The first answer includes the time to connect. */
		if (asker->node != 0)
			asker->asked_ns = now_ns;
		asker->asked = true;
	} else if ((errno != EAGAIN && errno != ENOTCONN) ||
		   now_ns - asker->asked_ns > PATIENCE_NS) {
		give_up(bed, asker);
	}
}

static void ask_all(struct drain_bed *bed, bool short_lived)
{
	int64_t now_ns = clock_now_ns();
	size_t kept = 0;

	if (short_lived)
		connect_one(bed, bed->asker_count + (size_t)(now_ns / TICK_NS), true);
	for (size_t i = 0; i < bed->asker_count; i++) {
		if (bed->askers[i].file >= 0)
			ask(bed, &bed->askers[i], now_ns);
		if (bed->askers[i].file >= 0)
			bed->askers[kept++] = bed->askers[i];
	}
	bed->asker_count = kept;
	bed->udp_asked += send(bed->udp, "?", 1, 0) == 1;
}

static void client_turn(struct drain_bed *bed, int file)
{
	char byte;

	if (file == bed->udp) {
		while (recv(file, &byte, 1, 0) == 1)
			bed->udp_answered++;
		return;
	}
	for (size_t i = 0; i < bed->asker_count; i++) {
		if (bed->askers[i].file == file) {
			hear(bed, &bed->askers[i]);
			return;
		}
	}
}

void bed_run(struct drain_bed *bed, int64_t for_ns, bool short_lived)
{
	struct epoll_event events[256];
	int64_t now_ns = clock_now_ns(), end_ns = now_ns + for_ns, tick_ns = now_ns;

	for (; now_ns < end_ns; now_ns = clock_now_ns()) {
		int count = epoll_wait(bed->poll, events, 256, 1);

		for (int i = 0; i < count; i++) {
			int file = events[i].data.fd;

			if (bed->file_node[file] != 0)
				service_turn(bed, file);
			else
				client_turn(bed, file);
		}
		if (now_ns >= tick_ns) {
			ask_all(bed, short_lived);
			tick_ns = now_ns + TICK_NS;
		}
	}
}

void bed_connect(struct drain_bed *bed, size_t count)
{
	for (size_t i = 0; i < count; i++)
		connect_one(bed, i, false);
	bed_run(bed, 60 * HBD_MS_NS, false);
	for (size_t i = 0; i < bed->asker_count; i++)
		assert_int_not_equal(bed->askers[i].node, 0);
}

void bed_disconnect(struct drain_bed *bed)
{
	for (size_t i = 0; i < bed->asker_count; i++)
		close(bed->askers[i].file);
	bed->asker_count = 0;
	bed_run(bed, 30 * HBD_MS_NS, false);
}

void bed_send_stray(struct drain_bed *bed, int node)
{
	/* from the client's port 40000 to 7001, with ACK and nothing else */
	static const uint8_t segment[] = {
		0x45, 0, 0, 40, 0, 0, 0, 0, 64, IPPROTO_TCP, 0x65, 0xca, 10, 77, 0, 9, 10, 77, 0, 100,
		0x9c, 0x40, 0x1b, 0x59, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0, 0, 0, 0, 0,
	};
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP),
				  .sll_ifindex = bed->client.ifindex, .sll_halen = 6 };
	int before = far_net_enter(bed->client.net);
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(to.sll_addr, bed->nodes[node].mac, 6);
	assert_int_equal(sendto(fd, segment, sizeof(segment), 0, (struct sockaddr *)&to, sizeof(to)),
			 sizeof(segment));
	close(fd);
	far_net_leave(before);
}

/* ---- all of it --------------------------------------------------------------------------------- */

static int udp_client(struct drain_bed *bed)
{
	socklen_t bytes;
	struct sockaddr_storage to = endpoint(BED_VIP4, PORT_ADDRESS, &bytes);
	int before = far_net_enter(bed->client.net);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, bytes), 0);
	far_net_leave(before);
	watch(bed, fd);
	return fd;
}

struct drain_bed *drain_bed_make(void)
{
	struct drain_bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	run("ip link add br0 type bridge mcast_snooping 0 && ip link set br0 up");
	make_node(&bed->nodes[0], 'a', 1);
	make_node(&bed->nodes[1], 'b', 2);
	make_node(&bed->client, 'c', 9);
	for (int i = 0; i < 2; i++)
		bed->addresses[i].family = i == 0 ? AF_INET : AF_INET6;
	inet_pton(AF_INET, BED_VIP4, &bed->addresses[0].v4);
	inet_pton(AF_INET6, BED_VIP6, &bed->addresses[1].v6);
	bed->poll = epoll_create1(EPOLL_CLOEXEC);
	serve_all(bed, 0);
	serve_all(bed, 1);
	bed->udp = udp_client(bed);
	bed_take(bed, 0);
	bed_announce(bed, 0);
	return bed;
}

void drain_bed_free(struct drain_bed *bed)
{
	for (size_t i = 0; i < bed->asker_count; i++)
		close(bed->askers[i].file);
	for (int file = 0; file < BED_FILES; file++) {
		if (bed->file_node[file] != 0)
			close(file);
	}
	close(bed->udp);
	close(bed->poll);
	for (int i = 0; i < 2; i++) {
		int before = far_net_enter(bed->nodes[i].net);

		fence_close(bed->fences[i]);
		far_net_leave(before);
		close(bed->nodes[i].net);
	}
	close(bed->client.net);
	run("for i in a0 b0 c0 br0; do ip link del $i 2>/dev/null; done; true");
	free(bed);
}
