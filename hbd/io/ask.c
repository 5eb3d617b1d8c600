#include "ask_private.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/log.h"
#include "../core/time.h"
#include "announce_frame.h"
#include "clock.h"

/* Of a round of questions about all addresses of a group, so many go at once, and then a pause. */
#define PORTION 8
#define PAUSE_NS (10 * HBD_MS_NS)
#define REST_NS (10 * HBD_S_NS) /* between single questions, when the round is over */

int ask_open(const struct hbd_conf *conf, const struct vip *vip, int raw_fd,
	     const struct ask_sockets *sockets, struct ask **ret_ask)
{
	struct ask *ask = calloc(1, sizeof(*ask));

	if (!ask)
		return -ENOMEM;
	ask->conf = conf;
	ask->vip = vip;
	ask->raw_fd = raw_fd;
	ask->sockets = *sockets;
	ask_filter(sockets, conf);
	*ret_ask = ask;
	return 0;
}

void ask_close(struct ask *ask)
{
	if (!ask)
		return;
	ask_sockets_close(&ask->sockets);
	free(ask);
}

const struct ask_sockets *ask_fds(const struct ask *ask)
{
	return &ask->sockets;
}

/* Index of the first address of a family that can be asked for, with its interface. */
static size_t find_vip(const struct ask *ask, uint8_t group, int family, int *ret_ifindex,
		       uint8_t *ret_mac)
{
	const struct hbd_conf_group *conf = &ask->conf->groups[group];

	for (size_t i = 0; i < conf->vip_count; i++)
		if (conf->vips[i].address.family == family &&
		    vip_interface(ask->vip, group, i, ret_ifindex, ret_mac) == 0)
			return i;
	return ASK_NO_VIP;
}

size_t ask_choose_vip(const struct ask *ask, uint8_t group, int *ret_ifindex, uint8_t *ret_mac)
{
	size_t index = find_vip(ask, group, AF_INET, ret_ifindex, ret_mac);

	if (index == ASK_NO_VIP && ask->sockets.nd >= 0)
		index = find_vip(ask, group, AF_INET6, ret_ifindex, ret_mac);
	return index;
}

void ask_station(const struct ask *ask, uint8_t group, uint8_t ret_station[HBD_STATION_BYTES])
{
	uint8_t mac[ETH_ALEN] = { 0 };
	int ifindex;

	ask_choose_vip(ask, group, &ifindex, mac);
	memcpy(ret_station, mac, ETH_ALEN);
}

static void note_sent(struct ask *ask, uint8_t group, int error)
{
	const struct log_fields fields = { .group = ask->conf->groups[group].name };

	if (error != 0 && !ask->groups[group].failure_told)
		log_line(LOG_WARNING, &fields,
			 "ask: group %s: cannot ask the LAN who answers for it: %s; going on as if "
			 "nobody did", fields.group, log_strerror(error));
	ask->groups[group].failure_told = error != 0;
}

/* 0 or the error. */
static int send_question(const struct ask *ask, const struct hbd_address *address, int ifindex,
			 const uint8_t *mac)
{
	uint8_t frame[ANNOUNCE_FRAME_BYTES];
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_halen = ETH_ALEN,
		.sll_ifindex = ifindex,
	};
	size_t length;

	if (address->family == AF_INET)
		length = announce_frame_probe(frame, mac, address->v4);
	else
		length = announce_frame_solicitation(frame, mac, &address->v6);
	memcpy(&to.sll_protocol, frame + 2 * ETH_ALEN, sizeof(to.sll_protocol));
	memcpy(to.sll_addr, frame, ETH_ALEN);
	return sendto(ask->raw_fd, frame, length, MSG_DONTWAIT, (const struct sockaddr *)&to,
		      sizeof(to)) < 0 ? errno : 0;
}

bool ask_has_gateway(const struct ask *ask, uint8_t group, int *ret_ifindex, uint8_t *ret_mac)
{
	int family = ask->conf->groups[group].gateway.family;

	return family != 0 && find_vip(ask, group, family, ret_ifindex, ret_mac) != ASK_NO_VIP;
}

void ask_send(struct ask *ask, uint8_t group)
{
	const struct hbd_conf_group *conf = &ask->conf->groups[group];
	uint8_t mac[ETH_ALEN];
	int ifindex, error = 0, gateway_error = 0;
	size_t index;

	ask->groups[group].asked_ns = clock_now_ns();
	if (ask_has_gateway(ask, group, &ifindex, mac))
		gateway_error = send_question(ask, &conf->gateway, ifindex, mac);
	index = ask_choose_vip(ask, group, &ifindex, mac);
	if (index == ASK_NO_VIP)
		return;
	error = send_question(ask, &conf->vips[index].address, ifindex, mac);
	note_sent(ask, group, error != 0 ? error : gateway_error);
}

void ask_about(struct ask *ask, uint8_t group, size_t vip_index)
{
	const struct hbd_conf_group *conf = &ask->conf->groups[group];
	uint8_t mac[ETH_ALEN];
	int ifindex;

	if (vip_index < conf->vip_count &&
	    vip_interface(ask->vip, group, vip_index, &ifindex, mac) == 0)
		note_sent(ask, group, send_question(ask, &conf->vips[vip_index].address, ifindex,
						    mac));
}

void ask_about_all(struct ask *ask, uint8_t group, int64_t now_ns)
{
	ask->groups[group].asks = ask->conf->groups[group].vip_count > 0;
	ask->groups[group].next = 0;
	ask->groups[group].due_ns = now_ns;
}

void ask_about_none(struct ask *ask, uint8_t group)
{
	ask->groups[group].asks = false;
}

static void run_group(struct ask *ask, uint8_t group, int64_t now_ns)
{
	struct ask_group *state = &ask->groups[group];
	size_t count = ask->conf->groups[group].vip_count;

	if (!state->asks || now_ns < state->due_ns)
		return;
	for (int i = 0; i < PORTION && state->next < count; i++)
		ask_about(ask, group, state->next++);
	if (state->next < count) {
		state->due_ns = hbd_time_add(now_ns, PAUSE_NS);
		return;
	}
	ask_about(ask, group, state->turn);
	state->turn = (state->turn + 1) % count;
	state->due_ns = hbd_time_add(now_ns, REST_NS);
}

void ask_run(struct ask *ask, int64_t now_ns)
{
	for (uint8_t i = 0; i < ask->conf->group_count; i++)
		run_group(ask, i, now_ns);
}

int64_t ask_deadline_ns(const struct ask *ask)
{
	int64_t deadline_ns = HBD_NEVER_NS;

	for (uint8_t i = 0; i < ask->conf->group_count; i++)
		if (ask->groups[i].asks)
			deadline_ns = hbd_time_min(deadline_ns, ask->groups[i].due_ns);
	return deadline_ns;
}
