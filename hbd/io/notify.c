#include "notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/log.h"

#define TEXT_BYTES 512

void notify_open(struct notify *notify)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path ? strlen(path) : 0;

	*notify = (struct notify){ .fd = -1 };
	if (length < 2 || length >= sizeof(notify->address.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return;
	notify->address.sun_family = AF_UNIX;
	memcpy(notify->address.sun_path, path, length);
	notify->address_length =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (path[0] == '/'));
	if (path[0] == '@')
		notify->address.sun_path[0] = '\0';
	notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (notify->fd < 0)
		log_error("the service manager cannot be told anything: %s", log_strerror(errno));
}

void notify_close(struct notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	notify->fd = -1;
}

void notify_send(const struct notify *notify, const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list arguments;

	if (notify->fd < 0)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (sendto(notify->fd, text, strlen(text), MSG_NOSIGNAL,
		   (const struct sockaddr *)&notify->address, notify->address_length) < 0)
		log_debug("the service manager does not listen: %s", log_strerror(errno));
}

int notify_send_fd(const struct notify *notify, const char *text, int fd)
{
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct sockaddr_un address = notify->address;
	struct iovec vector = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr header = {
		.msg_name = &address,
		.msg_namelen = notify->address_length,
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.bytes),
	};

	if (notify->fd < 0)
		return -ENOTCONN;
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(notify->fd, &header, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

void notify_status(const struct notify *notify, const char *text)
{
	char line[TEXT_BYTES - sizeof("STATUS=")];

	/* A line break would begin an assignment of its own. */
	snprintf(line, sizeof(line), "%s", text);
	for (char *at = line; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	}
	notify_send(notify, "STATUS=%s", line);
}
