#include <errno.h>
#include <netlink/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "fence_tc_private.h"
#include "netlink_why.h"

/* The kernel answers while it takes the request; later than this it is not coming. */
#define ANSWER_S 1

struct exchange {
	struct fence_tc *tc;
	int error; /* the kernel's */
	bool over;
};

static int on_error(struct sockaddr_nl *sender, struct nlmsgerr *error, void *context)
{
	struct exchange *exchange = context;
	struct nlmsghdr *header = (void *)((char *)error - NLMSG_HDRLEN);

	(void)sender;
	exchange->error = error->error;
	exchange->over = true;
	netlink_why(header, exchange->tc->why, sizeof(exchange->tc->why));
	return NL_STOP;
}

static int on_end(struct nl_msg *message, void *context)
{
	struct exchange *exchange = context;

	(void)message;
	exchange->over = true;
	return NL_OK;
}

int fence_tc_connect(struct fence_tc *tc)
{
	const struct timeval limit = { .tv_sec = ANSWER_S };
	const int on = 1;
	int fd;

	nl_close(tc->socket);
	errno = 0;
	if (nl_connect(tc->socket, NETLINK_ROUTE) != 0)
		return errno != 0 ? -errno : -ENOMEM;
	fd = nl_socket_get_fd(tc->socket);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	/* Refusals in words and without our request in them; older kernels go without. */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	return 0;
}

struct nl_msg *fence_tc_request(int type, int flags, const struct tcmsg *about)
{
	struct nl_msg *message = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);
	struct tcmsg *body = message ? nlmsg_reserve(message, sizeof(*body), NLMSG_ALIGNTO) : NULL;

	if (!body) {
		nlmsg_free(message);
		return NULL;
	}
	*body = *about;
	return message;
}

static int read_answers(struct exchange *exchange, struct nl_cb *callbacks)
{
	int result = 0;

	nl_cb_err(callbacks, NL_CB_CUSTOM, on_error, exchange);
	nl_cb_set(callbacks, NL_CB_FINISH, NL_CB_CUSTOM, on_end, exchange);
	nl_cb_set(callbacks, NL_CB_ACK, NL_CB_CUSTOM, on_end, exchange);
	while (!exchange->over && result >= 0)
		result = nl_recvmsgs(exchange->tc->socket, callbacks);
	if (exchange->error != 0)
		return exchange->error;
	if (result == -NLE_DUMP_INTR)
		return -EAGAIN;
	if (result == -NLE_AGAIN)
		return -ETIMEDOUT;
	return result < 0 ? -EIO : 0;
}

int fence_tc_ask(struct fence_tc *tc, struct nl_msg *message, nl_recvmsg_msg_cb_t on_answer,
		 void *context)
{
	struct exchange exchange = { .tc = tc };
	struct nl_cb *callbacks = nl_cb_alloc(NL_CB_DEFAULT);
	int error = -ENOMEM;

	tc->why[0] = '\0';
	if (!callbacks || !message)
		goto out;
	if (on_answer)
		nl_cb_set(callbacks, NL_CB_VALID, NL_CB_CUSTOM, on_answer, context);
	errno = 0;
	if (nl_send_auto(tc->socket, message) < 0)
		error = errno != 0 ? -errno : -EIO;
	else
		error = read_answers(&exchange, callbacks);
	/* What is still on its way must not be taken for the answer to the next request. */
	if (!exchange.over)
		fence_tc_connect(tc);
out:
	nl_cb_put(callbacks);
	nlmsg_free(message);
	return error;
}
