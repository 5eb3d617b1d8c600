/* What rtnl*.c share: the sockets, and messages to structs and back. */
#pragma once

#include <netlink/msg.h>
#include <netlink/socket.h>

#include "rtnl.h"

/* No message of rtnl_message_put() is larger; so many are sent at once; and the kernel fills at most
 * 32 KiB at once. */
#define RTNL_MESSAGE_BYTES 256
#define RTNL_CHUNK_MAX 128
#define RTNL_RECEIVE_BYTES 65536

struct rtnl {
	struct nl_sock *requests;
	struct nl_sock *events; /* NULL = none wanted */
	uint32_t sequence;
	bool knows_mark;
	char why[128];
	_Alignas(struct nlmsghdr) uint8_t batch[RTNL_CHUNK_MAX * RTNL_MESSAGE_BYTES];
	_Alignas(struct nlmsghdr) uint8_t received[RTNL_RECEIVE_BYTES];
};

/*
 * Reads one datagram into rtnl->received: its length, 0 if it is not the kernel's, -EAGAIN, or
 * -ENOBUFS if some were lost. The second waits a little for an answer: -ETIMEDOUT.
 */
int rtnl_receive(struct rtnl *rtnl, struct nl_sock *socket);
int rtnl_receive_soon(struct rtnl *rtnl);

/* Sends a request. 0 or a negative errno. */
int rtnl_send(struct rtnl *rtnl, const void *bytes, size_t length);

/* Sends one message, frees it, and returns the kernel's answer. NULL: -ENOMEM. */
int rtnl_transact(struct rtnl *rtnl, struct nl_msg *message);

/* Appends an attribute; 0, or not. */
int rtnl_put_address(struct nl_msg *message, int type, const struct hbd_address *address);

/*
 * Appends the request's message to bytes, which has RTNL_MESSAGE_BYTES of room. knows_mark: this
 * kernel stores IFA_PROTO. Returns its length, or -ENOMEM.
 */
int rtnl_message_put(void *bytes, const struct rtnl_request *request, uint32_t sequence,
		     bool knows_mark);

/* Gives an interface, address or forwarding message to its handler; others are ignored. */
void rtnl_message_tell(struct nlmsghdr *header, bool knows_mark,
		       const struct rtnl_handlers *handlers);

/* A request that asks for promote_secondaries; and one that a kernel that knows IFA_PROTO answers
 * with -ERANGE, any other differently, and none with a change. NULL: no memory. */
struct nl_msg *rtnl_message_promote(int ifindex);
struct nl_msg *rtnl_message_probe_mark(void);
/* One for rtnl_try_v6(). */
struct nl_msg *rtnl_message_try_v6(int ifindex);
