#include "message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../base/log.h"

/* errno of a send on a socketpair: what the caller can do about it. */
static int send_error(int error)
{
	switch (error) {
	case EWOULDBLOCK:
	case ENOBUFS:
	case EINTR:
		return -EAGAIN;
	case ECONNRESET:
	case ENOTCONN:
		return -EPIPE;
	default:
		return -error;
	}
}

int message_send(int socket, const struct message *message, int fd)
{
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec vector = { (void *)(uintptr_t)message, sizeof(*message) };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };

	if (fd >= 0) {
		header.msg_control = &control;
		header.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	if (sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return send_error(errno);
	return 0;
}

/* Takes the first attached descriptor and closes all others. Returns how many there were. */
static size_t take_descriptors(struct msghdr *header, int *ret_fd)
{
	size_t count = 0;

	*ret_fd = -1;
	for (struct cmsghdr *item = CMSG_FIRSTHDR(header); item; item = CMSG_NXTHDR(header, item)) {
		if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= item->cmsg_len;
		     at += sizeof(int)) {
			int fd;

			memcpy(&fd, CMSG_DATA(item) + at, sizeof(fd));
			if (count++ == 0)
				*ret_fd = fd;
			else
				close(fd);
		}
	}
	return count;
}

static void end_text(char *text, size_t bytes)
{
	text[bytes - 1] = '\0';
}

/* What another process wrote may be neither. */
static bool is_true_or_false(const bool *value)
{
	uint8_t byte;

	memcpy(&byte, value, sizeof(byte));
	return byte <= 1;
}

/* False for a type that is none, and for a value that its member cannot have. */
static bool check(struct message *message)
{
	switch (message->type) {
	case MESSAGE_UNSET:
		return false;
	case MESSAGE_STATUS:
		end_text(message->text, sizeof(message->text));
		return true;
	case MESSAGE_CHECK:
		end_text(message->check.detail, sizeof(message->check.detail));
		return is_true_or_false(&message->check.good);
	case MESSAGE_DONE:
		end_text(message->done.why, sizeof(message->done.why));
		return true;
	case MESSAGE_SPOOL:
		end_text(message->spool.detail, sizeof(message->spool.detail));
		return true;
	case MESSAGE_FENCE:
		end_text(message->fence.why, sizeof(message->fence.why));
		return is_true_or_false(&message->fence.in_force);
	case MESSAGE_LEAVE:
		return is_true_or_false(&message->leave.on);
	case MESSAGE_PAUSE:
		return is_true_or_false(&message->hold.links);
	case MESSAGE_MAINTENANCE:
		return is_true_or_false(&message->maintenance.on);
	case MESSAGE_DRAIN:
		return message->drain.call <= MESSAGE_HOLD_END;
	case MESSAGE_DRAINING:
	case MESSAGE_READY:
	case MESSAGE_RUN:
	case MESSAGE_CANCEL:
	case MESSAGE_LINK_OPEN:
	case MESSAGE_WITNESS_STUCK:
	case MESSAGE_LEFT:
	case MESSAGE_STOPPED:
	case MESSAGE_WARM:
	case MESSAGE_PAUSED:
	case MESSAGE_RESUME:
	case MESSAGE_LINK_SOCKET:
	case MESSAGE_STOP:
	case MESSAGE_WITNESS:
	case MESSAGE_DIGEST:
		return true;
	}
	return false;
}

int message_receive(int socket, struct message *ret_message, int *ret_fd)
{
	/* room for two descriptors is unavoidable: the space for one is padded to that */
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct message message;
	struct iovec vector = { &message, sizeof(message) };
	struct msghdr header = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fd;

	if (n < 0 && errno == ECONNRESET)
		return 0;
	if (n < 0)
		return errno == EWOULDBLOCK || errno == EINTR ? -EAGAIN : -errno;
	if (n == 0)
		return 0;
	if (take_descriptors(&header, &fd) > 1 || n != sizeof(message) ||
	    (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || !check(&message)) {
		if (fd >= 0)
			close(fd);
		return -EBADMSG;
	}
	*ret_message = message;
	*ret_fd = fd;
	return 1;
}

int record_send(int socket, const struct record *record)
{
	if (send(socket, record, sizeof(*record), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return send_error(errno);
	return 0;
}

static void copy(char *to, size_t bytes, const char *from)
{
	snprintf(to, bytes, "%s", from ? from : "");
}

static void send_lost(struct record_log *log)
{
	struct record record = { .type = RECORD_LOST, .lost = atomic_exchange(&log->lost, 0) };

	if (record_send(log->socket, &record) < 0)
		log->lost += record.lost;
}

void record_log_sink(void *context, int priority, const struct log_fields *fields, const char *text)
{
	static const struct log_fields none;
	struct record_log *log = context;
	struct record record = { .type = RECORD_LOG, .priority = priority };

	if (!fields)
		fields = &none;
	record.epoch = fields->epoch;
	copy(record.message_id, sizeof(record.message_id), fields->message_id);
	copy(record.group, sizeof(record.group), fields->group);
	copy(record.reason, sizeof(record.reason), fields->reason);
	copy(record.plugin, sizeof(record.plugin), fields->plugin);
	copy(record.text, sizeof(record.text), text);
	if (log->lost > 0)
		send_lost(log);
	if (log->lost > 0 || record_send(log->socket, &record) < 0)
		log->lost++;
}
