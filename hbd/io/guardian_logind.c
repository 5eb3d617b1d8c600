/*
 * The machine is shut down, rebooted or put to sleep: systemd-logind tells that before it begins, and
 * waits for whoever holds a lock that delays it (systemd.io, "Inhibitor Locks"), 5 s by default. So
 * all is handed over before any service is stopped, and before the network is.
 *
 * Anybody on the bus may send hbd such a signal: what is listened for is a filter of what all are told,
 * not of what somebody sends to one. So it is heeded only from the one who gave the lock.
 *
 * Where there is no logind, as in a container, the order of the units has to do.
 */
#include "guardian_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <systemd/sd-bus.h>

#include "../base/log.h"

#define SERVICE "org.freedesktop.login1"
#define PLACE "/org/freedesktop/login1"
#define MANAGER SERVICE ".Manager"
#define BUS "org.freedesktop.DBus"
#define OWNER_CHANGES \
	"type='signal',sender='" BUS "',path='/org/freedesktop/DBus',interface='" BUS "'," \
	"member='NameOwnerChanged',arg0='" SERVICE "'"
#define AGAIN_US 30000000	/* after there was no bus, or none any more */
#define AGAIN_ACCURACY_US 1000000

void guardian_logind_let_go(struct guardian *guardian)
{
	if (guardian->logind.lock >= 0)
		close(guardian->logind.lock);
	guardian->logind.lock = -1;
}

static bool is_from(sd_bus_message *signal, const char *name)
{
	const char *sender = sd_bus_message_get_sender(signal);

	return sender && strcmp(sender, name) == 0;
}

/* Nothing holds up a shutdown that has begun: a lock says that there is none. */
static void keep_lock(struct guardian *guardian, const char *owner, int fd)
{
	guardian_logind_let_go(guardian);
	guardian->logind.lock = fd;
	snprintf(guardian->logind.owner, sizeof(guardian->logind.owner), "%s", owner ? owner : "");
	if (guardian->leave.on && guardian->stop == STOP_UNSET)
		guardian_leave(guardian, false);
}

static int on_lock(sd_bus_message *answer, void *context, sd_bus_error *error)
{
	struct guardian *guardian = context;
	int fd = -1, result = 0;

	(void)error;
	if (sd_bus_message_is_method_error(answer, NULL))
		result = -sd_bus_message_get_errno(answer);
	if (result == 0)
		result = sd_bus_message_read(answer, "h", &fd);
	/* the message's own ends with it */
	if (result >= 0)
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (result < 0 || fd < 0) {
		log_debug("guardian: logind gives no lock: %s; a shutdown hands over when it stops "
			  "this service", log_strerror(result < 0 ? result : -errno));
		return 0;
	}
	keep_lock(guardian, sd_bus_message_get_sender(answer), fd);
	return 0;
}

static int take_lock(struct guardian *guardian)
{
	return sd_bus_call_method_async(guardian->logind.bus, NULL, SERVICE, PLACE, MANAGER,
					"Inhibit", on_lock, guardian, "ssss", "shutdown:sleep",
					"hbd", "hands its addresses over first", "delay");
}

static int on_prepare(sd_bus_message *signal, void *context, sd_bus_error *error)
{
	struct guardian *guardian = context;
	int begins = 0;

	(void)error;
	if (!is_from(signal, guardian->logind.owner) ||
	    sd_bus_message_read(signal, "b", &begins) < 0 || guardian->stop != STOP_UNSET)
		return 0;
	if (!begins) {
		log_notice("guardian: the machine stays up, or is up again; serving as before");
		guardian_leave(guardian, false);
		take_lock(guardian);
		return 0;
	}
	log_notice("guardian: the machine is about to go down or to sleep; handing over");
	if (guardian->engine.state == ENGINE_RUNNING)
		guardian_leave(guardian, true);
	else
		guardian_logind_let_go(guardian);
	return 0;
}

static int match(struct guardian *guardian, const char *signal)
{
	return sd_bus_match_signal_async(guardian->logind.bus, NULL, SERVICE, PLACE, MANAGER, signal,
					 on_prepare, NULL, guardian);
}

/* It starts late, or again. */
static int on_owner(sd_bus_message *signal, void *context, sd_bus_error *error)
{
	struct guardian *guardian = context;
	const char *name, *former, *owner;

	(void)error;
	if (!is_from(signal, BUS) ||
	    sd_bus_message_read(signal, "sss", &name, &former, &owner) < 0 ||
	    strcmp(name, SERVICE) != 0)
		return 0;
	guardian->logind.owner[0] = '\0';
	if (owner[0])
		take_lock(guardian);
	return 0;
}

static void again(struct guardian *guardian)
{
	sd_event_source_set_time_relative(guardian->logind.timer, AGAIN_US);
	sd_event_source_set_enabled(guardian->logind.timer, SD_EVENT_ONESHOT);
}

static int on_disconnected(sd_bus_message *signal, void *context, sd_bus_error *error)
{
	(void)signal, (void)error;
	again(context);
	return 0;
}

static int connect_bus(struct guardian *guardian)
{
	sd_bus **bus = &guardian->logind.bus;
	int result;

	guardian->logind.owner[0] = '\0';
	*bus = sd_bus_close_unref(*bus);
	result = sd_bus_open_system(bus);
	if (result >= 0)
		result = sd_bus_attach_event(*bus, guardian->loop, GUARDIAN_PRIORITY_PLUGINS);
	if (result >= 0)
		result = sd_bus_match_signal(*bus, NULL, "org.freedesktop.DBus.Local",
					     "/org/freedesktop/DBus/Local",
					     "org.freedesktop.DBus.Local", "Disconnected",
					     on_disconnected, guardian);
	if (result >= 0)
		result = match(guardian, "PrepareForShutdown");
	if (result >= 0)
		result = match(guardian, "PrepareForSleep");
	if (result >= 0)
		result = sd_bus_add_match_async(*bus, NULL, OWNER_CHANGES, on_owner, NULL, guardian);
	if (result >= 0)
		result = take_lock(guardian);
	return result;
}

static int on_timer(sd_event_source *source, uint64_t when_us, void *context)
{
	struct guardian *guardian = context;
	int result;

	(void)source, (void)when_us;
	result = connect_bus(guardian);
	if (result >= 0)
		return 0;
	log_debug("guardian: logind cannot be asked to wait for hbd at a shutdown: %s",
		  log_strerror(result));
	again(guardian);
	return 0;
}

int guardian_logind_open(struct guardian *guardian)
{
	int result;

	if (guardian->notify.fd < 0)
		return 0;
	result = sd_event_add_time_relative(guardian->loop, &guardian->logind.timer, CLOCK_MONOTONIC,
					    0, AGAIN_ACCURACY_US, on_timer, guardian);
	return result < 0 ? result : 0;
}

void guardian_logind_close(struct guardian *guardian)
{
	guardian->logind.timer = sd_event_source_disable_unref(guardian->logind.timer);
	guardian->logind.bus = sd_bus_close_unref(guardian->logind.bus);
	guardian_logind_let_go(guardian);
}
