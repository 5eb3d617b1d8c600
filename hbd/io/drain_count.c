#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>

#include "drain.h"

/* linux/tcp_states.h, which programs do not get; netinet/tcp.h ends before it. */
#define STATE_NEW_SYN_RECV 12

/* Sockets in any other state can still have something to say. */
#define STATES_OVER ((1u << TCP_TIME_WAIT) | (1u << TCP_CLOSE) | (1u << TCP_LISTEN) | \
		     (1u << TCP_SYN_SENT) | (1u << TCP_SYN_RECV) | (1u << STATE_NEW_SYN_RECV))

struct tally {
	struct drain_address *sorted;
	size_t count;
	int found;
};

static int compare(const void *one, const void *other)
{
	return memcmp(one, other, sizeof(struct drain_address));
}

static struct drain_address key_of(int family, const void *bytes)
{
	struct drain_address key = { 0 };

	if (family == AF_INET6) {
		memcpy(key.bytes, bytes, sizeof(key.bytes));
		return key;
	}
	key.bytes[10] = key.bytes[11] = 0xff;
	memcpy(&key.bytes[12], bytes, 4);
	return key;
}

/* A service that listens for both versions has IPv4 connections as mapped IPv6 ones. */
static int note_socket(struct nl_msg *message, void *context)
{
	const struct nlmsghdr *header = nlmsg_hdr(message);
	const struct inet_diag_msg *socket = nlmsg_data(header);
	struct tally *tally = context;
	struct drain_address key;

	if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY || nlmsg_datalen(header) < (int)sizeof(*socket))
		return NL_OK;
	key = key_of(socket->idiag_family, socket->id.idiag_src);
	if (bsearch(&key, tally->sorted, tally->count, sizeof(key), compare))
		tally->found++;
	return NL_OK;
}

static int dump(struct nl_sock *netlink, uint8_t family)
{
	struct inet_diag_req_v2 request = {
		.sdiag_family = family,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_states = ~STATES_OVER,
	};
	int result = nl_send_simple(netlink, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request,
				    sizeof(request));

	if (result >= 0)
		result = nl_recvmsgs_default(netlink);
	return result < 0 ? -EIO : 0;
}

static int count(struct tally *tally)
{
	struct nl_sock *netlink = nl_socket_alloc();
	int error = netlink ? 0 : -ENOMEM;

	if (error == 0 && nl_connect(netlink, NETLINK_SOCK_DIAG) != 0)
		error = -EIO;
	if (error == 0)
		error = nl_socket_modify_cb(netlink, NL_CB_VALID, NL_CB_CUSTOM, note_socket, tally);
	if (error == 0)
		error = dump(netlink, AF_INET);
	/* A kernel without IPv6 has none. */
	if (error == 0 && dump(netlink, AF_INET6) != 0 && errno != ENOENT)
		error = -EIO;
	nl_socket_free(netlink);
	return error != 0 ? error : tally->found;
}

int drain_count(const struct hbd_address *addresses, size_t address_count)
{
	struct tally tally = { .count = address_count };
	int result;

	tally.sorted = calloc(address_count + 1, sizeof(*tally.sorted));
	if (!tally.sorted)
		return -ENOMEM;
	for (size_t i = 0; i < address_count; i++)
		tally.sorted[i] = key_of(addresses[i].family, addresses[i].family == AF_INET6
							      ? (const void *)&addresses[i].v6
							      : (const void *)&addresses[i].v4);
	qsort(tally.sorted, address_count, sizeof(*tally.sorted), compare);
	result = count(&tally);
	free(tally.sorted);
	return result;
}
