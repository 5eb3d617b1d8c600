/* The scribe's life, and what is said to it and by it. */
#include "guardian_parts.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/log.h"
#include "clock.h"
#include "scribe.h"

#define BACK_OFF_FIRST_NS (200 * HBD_MS_NS)
#define BACK_OFF_MAX_NS (10 * HBD_S_NS)
#define GOOD_LIFE_NS (60 * HBD_S_NS)
#define STOP_NS_MAX ((SCRIBE_STOP_S + 2) * HBD_S_NS)
#define SOCKET_BYTES (4 * 1024 * 1024)	/* lines and alerts wait here while there is no scribe */
#define TIMER_ACCURACY_US 10000

static void set_timer(struct scribe_watch *scribe, int64_t duration_ns)
{
	sd_event_source_set_time_relative(scribe->timer, (uint64_t)(duration_ns / HBD_US_NS));
	sd_event_source_set_enabled(scribe->timer, SD_EVENT_ONESHOT);
}

static void close_child(struct scribe_watch *scribe)
{
	scribe->pid_source = sd_event_source_disable_unref(scribe->pid_source);
	if (scribe->pid_fd >= 0)
		close(scribe->pid_fd);
	scribe->pid_fd = -1;
	scribe->pid = 0;
}

static void plan_restart(struct guardian *guardian)
{
	struct scribe_watch *scribe = &guardian->scribe;

	if (scribe->stop_asked)
		scribe->back_off_ns = 0;
	else if (scribe->back_off_ns == 0 || clock_now_ns() - scribe->started_ns >= GOOD_LIFE_NS)
		scribe->back_off_ns = BACK_OFF_FIRST_NS;
	else
		scribe->back_off_ns = hbd_time_min(scribe->back_off_ns * 2, BACK_OFF_MAX_NS);
	set_timer(scribe, scribe->back_off_ns);
}

static int on_end(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct guardian *guardian = context;
	struct scribe_watch *scribe = &guardian->scribe;
	siginfo_t info = { 0 };

	(void)source;
	(void)events;
	if (waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG) < 0)
		log_warning("guardian: no status of the scribe: %s", log_strerror(errno));
	process_runner_drop(guardian->runner, scribe->pid);
	close_child(scribe);
	if (guardian->stop == STOP_SCRIBE) {
		guardian_stop_scribe_gone(guardian);
		return 0;
	}
	plan_restart(guardian);
	if (!scribe->stop_asked)
		log_error("the scribe died: %s %d; starting another in %lld ms, which finds what it "
			  "had not written yet",
			  info.si_code == CLD_EXITED ? "exit status" : "killed by signal",
			  info.si_status, (long long)(scribe->back_off_ns / HBD_MS_NS));
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t when_us, void *context)
{
	struct guardian *guardian = context;
	struct scribe_watch *scribe = &guardian->scribe;

	(void)source;
	(void)when_us;
	if (scribe->pid != 0)
		pidfd_send_signal(scribe->pid_fd, SIGKILL, NULL, 0);
	else if (guardian_scribe_start(guardian) < 0)
		plan_restart(guardian);
	return 0;
}

static int on_message(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct guardian *guardian = context;
	struct message message;
	int attached, result = message_receive(fd, &message, &attached);

	(void)source;
	(void)events;
	if (result == 1 && attached >= 0)
		close(attached);
	if (result == 1 && message.type == MESSAGE_SPOOL) {
		message.spool.detail[sizeof(message.spool.detail) - 1] = '\0';
		guardian->scribe.spool = message;
		guardian_engine_tell(guardian, &message, -1);
	} else if (result == 1 && message.type == MESSAGE_MAINTENANCE) {
		if (message.maintenance.error == 0)
			guardian->maintenance = message.maintenance.on;
		guardian_engine_tell(guardian, &message, -1);
	} else if (result != -EAGAIN) {
		log_warning("guardian: ignoring a wrong message from the scribe");
	}
	return 0;
}

static int open_pair(int pair[2])
{
	int bytes = SOCKET_BYTES;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		setsockopt(pair[i], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	return 0;
}

int guardian_scribe_open(struct guardian *guardian)
{
	struct scribe_watch *scribe = &guardian->scribe;
	int result = open_pair(scribe->guardian_pair);

	if (result == 0)
		result = open_pair(scribe->engine_pair);
	if (result == 0)
		result = sd_event_add_time_relative(guardian->loop, &scribe->timer, CLOCK_MONOTONIC, 0,
						    TIMER_ACCURACY_US, on_timer, guardian);
	if (result == 0)
		result = sd_event_source_set_enabled(scribe->timer, SD_EVENT_OFF);
	if (result == 0)
		result = sd_event_add_io(guardian->loop, &scribe->socket_source,
					 scribe->guardian_pair[0], EPOLLIN, on_message, guardian);
	return result;
}

void guardian_scribe_close(struct guardian *guardian)
{
	struct scribe_watch *scribe = &guardian->scribe;

	close_child(scribe);
	sd_event_source_disable_unref(scribe->socket_source);
	sd_event_source_disable_unref(scribe->timer);
	for (int i = 0; i < 2; i++) {
		if (scribe->guardian_pair[i] >= 0)
			close(scribe->guardian_pair[i]);
		if (scribe->engine_pair[i] >= 0)
			close(scribe->engine_pair[i]);
	}
}

static void run_scribe(struct guardian *guardian) __attribute__((noreturn));

static void run_scribe(struct guardian *guardian)
{
	struct scribe_setup setup = {
		.conf = guardian->conf,
		.self = guardian->self,
		.state_dir = guardian->config->state_dir,
		.plugin_dir = guardian->config->plugin_dir,
		.flight = guardian->flight,
		.guardian_fd = guardian->scribe.guardian_pair[1],
		.engine_fd = guardian->scribe.engine_pair[1],
	};

	/* It talks to mail servers: it need not know the keys. This is its own copy of them. */
	sodium_memzero(guardian->conf->keys, sizeof(guardian->conf->keys));
	guardian->conf->key_count = 0;
	_exit(scribe_run(&setup));
}

int guardian_scribe_start(struct guardian *guardian)
{
	struct scribe_watch *scribe = &guardian->scribe;
	int result;

	scribe->started_ns = clock_now_ns();
	scribe->stop_asked = false;
	scribe->pid = guardian_fork(guardian, "scribe");
	if (scribe->pid == 0)
		run_scribe(guardian);
	if (scribe->pid < 0) {
		result = -errno;
		scribe->pid = 0;
		goto fail;
	}
	process_runner_keep(guardian->runner, scribe->pid);
	scribe->pid_fd = pidfd_open(scribe->pid, 0);
	result = scribe->pid_fd < 0 ? -errno : 0;
	if (result == 0)
		result = sd_event_add_io(guardian->loop, &scribe->pid_source, scribe->pid_fd, EPOLLIN,
					 on_end, guardian);
	if (result == 0)
		return 0;
	kill(scribe->pid, SIGKILL);
	process_runner_drop(guardian->runner, scribe->pid);
	close_child(scribe);

fail:
	log_error("guardian: cannot start the scribe: %s", log_strerror(result));
	return result;
}

void guardian_scribe_stop(struct guardian *guardian)
{
	struct scribe_watch *scribe = &guardian->scribe;

	if (scribe->pid == 0)
		return;
	scribe->stop_asked = true;
	pidfd_send_signal(scribe->pid_fd, SIGTERM, NULL, 0);
	set_timer(scribe, STOP_NS_MAX);
}

void guardian_alert(struct guardian *guardian, enum hbd_alert kind, enum hbd_severity severity,
		    const char *detail)
{
	const struct hbd_conf *conf = guardian->conf;
	struct record record = { .type = RECORD_ALERT };
	struct record_alert *alert = &record.alert;
	struct timespec now;
	int result;

	clock_gettime(CLOCK_REALTIME, &now);
	alert->kind = kind;
	alert->severity = severity;
	alert->realtime_ns = (int64_t)now.tv_sec * HBD_S_NS + now.tv_nsec;
	snprintf(alert->node, sizeof(alert->node), "%s", conf->nodes[guardian->self].name);
	snprintf(alert->peer, sizeof(alert->peer), "%s", conf->nodes[1 - guardian->self].name);
	snprintf(alert->detail, sizeof(alert->detail), "%s", detail);
	result = record_send(guardian->scribe.guardian_pair[0], &record);
	if (result < 0)
		log_error("guardian: the scribe does not take the alert %s (%s): %s; it is lost",
			  hbd_alert_text(kind), detail, log_strerror(result));
}

void guardian_record_flight(struct guardian *guardian)
{
	const struct record record = {
		.type = RECORD_FLIGHT,
		.flight = { .group = HBD_GROUPS_MAX, .realtime_ns = clock_read_pair().real_ns },
	};
	int result;

	if (guardian->flight)
		flight_ring_bury(guardian->flight);
	result = record_send(guardian->scribe.guardian_pair[0], &record);
	if (result < 0)
		log_error("guardian: the scribe does not take that the flight recorder is to be "
			  "written: %s; what led to the death is on no disk", log_strerror(result));
}
