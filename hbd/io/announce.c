#include "announce.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/log.h"
#include "../core/time.h"
#include "announce_frame.h"

/* After the start; then every refresh_ns. */
static const int64_t rounds_ns[] = {
	0,
	10 * HBD_MS_NS,
	50 * HBD_MS_NS,
	200 * HBD_MS_NS,
	1 * HBD_S_NS,
	2 * HBD_S_NS,
	5 * HBD_S_NS,
	10 * HBD_S_NS,
};
#define ROUNDS (sizeof(rounds_ns) / sizeof(rounds_ns[0]))

/*
 * Pace of all groups together after their first rounds: one frame per millisecond, but so many at
 * once after a pause, and if more wait, not before PORTION may go, so as not to wake for each.
 */
#define PACE_NS HBD_MS_NS
#define BURST 32
#define PORTION 16

/* Frames given to the kernel at once. */
#define BATCH 64

/* The kernel's memory for a first round of thousands of frames that the interface has yet to send. */
#define SEND_BUFFER_BYTES (8 << 20)

struct announce_group {
	bool active;
	bool error_told;
	unsigned round;	 /* index into rounds_ns; ROUNDS and more = refresh */
	size_t position; /* frame of the round */
	int64_t start_ns;
	int64_t due_ns; /* when the round may start */
};

struct announce {
	const struct hbd_conf *conf;
	const struct vip *vip;
	int fd;
	int64_t paced_ns; /* frames of all instants until then were sent */
	uint8_t turn;	  /* group whose turn is first, for fairness */
	struct announce_group groups[HBD_GROUPS_MAX];
	size_t batch_count;
	size_t batch_vip[BATCH];
	struct mmsghdr headers[BATCH];
	struct iovec vectors[BATCH];
	struct sockaddr_ll targets[BATCH];
	uint8_t frames[BATCH][ANNOUNCE_FRAME_BYTES];
};

int announce_socket(int *ret_fd)
{
	const int bytes = SEND_BUFFER_BYTES;
	/* Protocol 0: it receives nothing. */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	*ret_fd = fd;
	return 0;
}

int announce_open(const struct hbd_conf *conf, const struct vip *vip, int fd,
		  struct announce **ret)
{
	struct announce *announce = calloc(1, sizeof(*announce));

	if (!announce)
		return -ENOMEM;
	announce->conf = conf;
	announce->vip = vip;
	announce->fd = fd;
	*ret = announce;
	return 0;
}

void announce_close(struct announce *announce)
{
	if (!announce)
		return;
	close(announce->fd);
	free(announce);
}

/*
 * A round has two halves: the first frame of every address, then the second form of the IPv4 ones.
 * Writes frame number position of it. False if there is none: the second of an IPv6 address, or
 * an interface that is away or has no Ethernet address.
 */
static bool put_frame(struct announce *announce, uint8_t group, size_t position)
{
	const struct hbd_conf_group *conf = &announce->conf->groups[group];
	size_t index = position % conf->vip_count;
	const struct hbd_address *address = &conf->vips[index].address;
	struct sockaddr_ll *target = &announce->targets[announce->batch_count];
	uint8_t *frame = announce->frames[announce->batch_count];
	bool second = position >= conf->vip_count;
	uint8_t mac[6];
	int ifindex;
	size_t length;

	if (second && address->family != AF_INET)
		return false;
	if (vip_interface(announce->vip, group, index, &ifindex, mac) != 0)
		return false;
	if (address->family == AF_INET6)
		length = announce_frame_advertisement(frame, mac, &address->v6,
						      vip_forwards(announce->vip, group, index));
	else if (second)
		length = announce_frame_reply(frame, mac, address->v4);
	else
		length = announce_frame_request(frame, mac, address->v4);
	*target = (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_ifindex = ifindex,
		.sll_halen = ETH_ALEN,
	};
	memcpy(&target->sll_protocol, frame + 2 * ETH_ALEN, sizeof(target->sll_protocol));
	memcpy(target->sll_addr, frame, ETH_ALEN);
	announce->vectors[announce->batch_count].iov_len = length;
	announce->batch_vip[announce->batch_count++] = index;
	return true;
}

static void tell_error(struct announce *announce, uint8_t group, size_t index, int error)
{
	const struct hbd_conf_group *conf = &announce->conf->groups[group];
	const struct hbd_conf_vip *vip = &conf->vips[index];
	const struct log_fields fields = { .group = conf->name };
	char text[INET6_ADDRSTRLEN];

	if (announce->groups[group].error_told)
		return;
	announce->groups[group].error_told = true;
	log_line(LOG_WARNING, &fields,
		 "announce: group %s: cannot announce %s on %s: %s; trying again in the next round",
		 conf->name, hbd_address_text(&vip->address, text), vip->interface,
		 log_strerror(error));
}

/* Gives the batch to the kernel. A frame that it refuses is left out. */
static void flush(struct announce *announce, uint8_t group)
{
	unsigned done = 0, count = (unsigned)announce->batch_count;

	for (unsigned i = 0; i < count; i++) {
		announce->vectors[i].iov_base = announce->frames[i];
		announce->headers[i].msg_hdr = (struct msghdr){
			.msg_name = &announce->targets[i],
			.msg_namelen = sizeof(announce->targets[i]),
			.msg_iov = &announce->vectors[i],
			.msg_iovlen = 1,
		};
	}
	while (done < count) {
		int sent = sendmmsg(announce->fd, announce->headers + done, count - done,
				    MSG_DONTWAIT);

		if (sent > 0)
			done += (unsigned)sent;
		else if (errno != EINTR)
			tell_error(announce, group, announce->batch_vip[done++], errno);
	}
	announce->batch_count = 0;
}

static size_t round_frames(const struct announce *announce, uint8_t group)
{
	return 2 * announce->conf->groups[group].vip_count;
}

/* Sends up to limit frames of the group's round, from where it stands. Returns how many. */
static size_t send_frames(struct announce *announce, uint8_t group, size_t limit)
{
	struct announce_group *state = &announce->groups[group];
	size_t frames = round_frames(announce, group), sent = 0;

	while (state->position < frames && sent < limit) {
		if (put_frame(announce, group, state->position++))
			sent++;
		if (announce->batch_count == BATCH)
			flush(announce, group);
	}
	flush(announce, group);
	return sent;
}

/* Rounds that are overdue when one starts are this one. */
static void skip_overdue(struct announce_group *state, int64_t now_ns)
{
	while (state->round + 1 < ROUNDS && state->start_ns + rounds_ns[state->round + 1] <= now_ns)
		state->round++;
}

static void next_round(struct announce *announce, uint8_t group, int64_t now_ns)
{
	struct announce_group *state = &announce->groups[group];
	int64_t refresh_ns = announce->conf->refresh_ns;

	state->position = 0;
	state->round++;
	if (state->round < ROUNDS) {
		state->due_ns = hbd_time_add(state->start_ns, rounds_ns[state->round]);
		return;
	}
	state->round = ROUNDS;
	state->active = refresh_ns > 0;
	state->due_ns = hbd_time_max(hbd_time_add(state->due_ns, refresh_ns), now_ns);
}

void announce_start(struct announce *announce, uint8_t group, int64_t now_ns)
{
	announce->groups[group] = (struct announce_group){
		.active = announce->conf->groups[group].vip_count > 0,
		.start_ns = now_ns,
		.due_ns = now_ns,
	};
	if (!announce->groups[group].active)
		return;
	send_frames(announce, group, SIZE_MAX);
	next_round(announce, group, now_ns);
}

void announce_once(struct announce *announce, uint8_t group, size_t vip_index)
{
	const struct hbd_conf_group *conf = &announce->conf->groups[group];

	if (vip_index >= conf->vip_count)
		return;
	put_frame(announce, group, vip_index);
	put_frame(announce, group, conf->vip_count + vip_index);
	flush(announce, group);
}

void announce_stop(struct announce *announce, uint8_t group)
{
	announce->groups[group].active = false;
}

/* How many frames may go now, by the pace. */
static size_t allowed(const struct announce *announce, int64_t now_ns)
{
	int64_t frames = (now_ns - announce->paced_ns) / PACE_NS;

	if (frames <= 0)
		return 0;
	return frames < BURST ? (size_t)frames : BURST;
}

static void count_frames(struct announce *announce, size_t sent, int64_t now_ns)
{
	int64_t earliest_ns = now_ns - BURST * PACE_NS;

	announce->paced_ns = hbd_time_max(announce->paced_ns, earliest_ns) +
			     (int64_t)sent * PACE_NS;
}

/* Sends a group's share of what is due. True if more of it waits. */
static bool run_group(struct announce *announce, uint8_t group, int64_t now_ns)
{
	struct announce_group *state = &announce->groups[group];
	size_t limit = allowed(announce, now_ns);

	if (!state->active || state->due_ns > now_ns)
		return false;
	if (state->position == 0)
		skip_overdue(state, now_ns);
	if (limit > PORTION)
		limit = PORTION;
	count_frames(announce, send_frames(announce, group, limit), now_ns);
	if (state->position >= round_frames(announce, group))
		next_round(announce, group, now_ns);
	return state->active && state->due_ns <= now_ns;
}

/* Group after group gets a portion, so that a large one does not keep a small one waiting. */
void announce_run(struct announce *announce, int64_t now_ns)
{
	uint8_t count = announce->conf->group_count;
	bool more = true;

	while (more && allowed(announce, now_ns) > 0) {
		more = false;
		for (uint8_t i = 0; i < count && allowed(announce, now_ns) > 0; i++) {
			more = run_group(announce, announce->turn, now_ns) || more;
			announce->turn = (uint8_t)((announce->turn + 1) % count);
		}
	}
}

int64_t announce_deadline_ns(const struct announce *announce)
{
	int64_t deadline_ns = HBD_NEVER_NS;

	for (uint8_t i = 0; i < announce->conf->group_count; i++) {
		const struct announce_group *state = &announce->groups[i];
		size_t left = round_frames(announce, i) - state->position;
		int64_t paced_ns = announce->paced_ns +
				   (int64_t)(left < PORTION ? left : PORTION) * PACE_NS;

		if (state->active)
			deadline_ns = hbd_time_min(deadline_ns,
						   hbd_time_max(state->due_ns, paced_ns));
	}
	return deadline_ns;
}
