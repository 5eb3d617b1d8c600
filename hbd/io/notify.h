/*
 * Tells the service manager how we are (sd_notify(3)), without ever waiting for it.
 *
 * sd_notify() itself may block while the manager does not read, and with it the guardian and the
 * watch over the engine. What the manager has no room for now is dropped: state is told again.
 */
#pragma once

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	int fd;				/* -1: nobody wants to know */
	struct sockaddr_un address;
	socklen_t address_length;
};

/* From NOTIFY_SOCKET of the environment. */
void notify_open(struct notify *notify);
void notify_close(struct notify *notify);

/* Sends assignments, "READY=1\nSTATUS=...". */
void notify_send(const struct notify *notify, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same with a descriptor, which the service manager is to keep. 0, -ENOTCONN without one, or a
 * negative errno. */
int notify_send_fd(const struct notify *notify, const char *text, int fd);

/* STATUS= of a text that may hold anything. */
void notify_status(const struct notify *notify, const char *text);
