#include "guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <systemd/sd-daemon.h>

#include "../base/log.h"
#include "../base/log_ids.h"
#include "announce.h"
#include "clock.h"
#include "control_socket.h"
#include "epoch.h"
#include "maintenance.h"
#include "guardian_parts.h"
#include "vip.h"

#define SURVIVORS_MS 1500	/* for the engine of a killed predecessor to hand over and end */
#define REALTIME_PRIORITY 1	/* below the engine's, above what keeps a machine busy */
static const char *const folders[] = { "spool", "flight" };	/* see scribe.h */
#define CONTROL_GROUP "hbd"
#define CONTROL_GROUP_BYTES 4096
#define WATCHDOG_PARTS 4	/* pings in a watchdog's period */
#define TIMER_ACCURACY_US 10000

static void say_check(void *context, uint8_t group, uint8_t check, bool good, const char *detail)
{
	struct message message = { .type = MESSAGE_CHECK, .group = group };

	message.check.check = check;
	message.check.good = good;
	strncpy(message.check.detail, detail, sizeof(message.check.detail) - 1);
	guardian_engine_tell(context, &message, -1);
}

struct check_setup guardian_check_setup(struct guardian *guardian, const struct hbd_conf *conf)
{
	return (struct check_setup){
		.loop = guardian->loop,
		.priority = GUARDIAN_PRIORITY_PLUGINS,
		.runner = guardian->runner,
		.conf = conf,
		.self = guardian->self,
		.plugin_dir = guardian->config->plugin_dir,
		.user = guardian->run_as,
		.handler = say_check,
		.context = guardian,
	};
}

pid_t guardian_fork(struct guardian *guardian, const char *role)
{
	pid_t pid = fork();

	if (pid == 0) {
		sigset_t none;

		/* A terminal's ^C is for the guardian alone. */
		setpgid(0, 0);
		signal(SIGPIPE, SIG_IGN);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		log_set_sink(NULL, NULL);
	} else if (pid > 0) {
		run_lock_note(guardian->config->lock, role, pid);
	}
	return pid;
}

/* ---- before anything runs: all that may block ---------------------------------------------------- */

static int find_users(struct guardian *guardian)
{
	const struct hbd_conf *conf = guardian->conf;
	int result = process_user_find(conf->user, &guardian->engine_user);

	if (result < 0) {
		log_error("user \"%s\", which the engine runs as, cannot be looked up: %s; make it, or "
			  "set 'user'", conf->user, log_strerror(result));
		return result;
	}
	result = process_user_find(conf->plugin_user, &guardian->plugin_user);
	if (result < 0) {
		log_error("user \"%s\", which plugins run as, cannot be looked up: %s; make it, or set "
			  "'plugin_user'", conf->plugin_user, log_strerror(result));
		return result;
	}
	guardian->run_as = guardian->plugin_user.uid == geteuid() ? NULL : &guardian->plugin_user;
	return 0;
}

static int own_folder(int fd, const struct process_user *user)
{
	struct stat info;

	if (fd < 0 || fstat(fd, &info) < 0)
		return -errno;
	/* Whoever has made it his own already was meant to. */
	if (info.st_uid == geteuid() && fchown(fd, user->uid, user->gid) < 0)
		return -errno;
	return 0;
}

static int make_folder(int parent, const char *name, const struct process_user *user)
{
	int folder, result;

	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	result = own_folder(folder, user);
	if (folder >= 0)
		close(folder);
	return result;
}

/*
 * The folder of the state and the scribe's places in it, which are the scribe's user's. That user may
 * change names in the state folder: nothing is followed or trusted that it could have put there.
 */
static int make_state_dir(const struct guardian *guardian)
{
	const struct process_user *user = &guardian->engine_user;
	const char *path = guardian->config->state_dir;
	bool fresh = mkdir(path, 0750) == 0;
	int folder, result = 0;

	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && result == 0; i++)
		result = make_folder(folder, folders[i], user);
	if (result == 0 && fresh)
		result = own_folder(folder, user);
	close(folder);
	return result;
}

static gid_t find_control_group(void)
{
	char buffer[CONTROL_GROUP_BYTES];
	struct group entry, *found;

	if (getgrnam_r(CONTROL_GROUP, &entry, buffer, sizeof(buffer), &found) != 0 || !found)
		return (gid_t)-1;
	return found->gr_gid;
}

/* Without it hbctl does not work, but addresses move. */
static void open_control(struct guardian *guardian)
{
	const char *run_dir = guardian->config->run_dir;
	int result = control_socket_open(run_dir, find_control_group(), &guardian->control_fd);

	if (result < 0)
		log_error("cannot listen on %s/" CONTROL_SOCKET_NAME ": %s; hbctl will not work until "
			  "hbd is started again", run_dir,
			  result == -ENOTSOCK ? "there is something that is not a socket"
					      : log_strerror(result));
}

static void sweep_leftovers(const struct guardian *guardian)
{
	bool alone = !net_claim_has_neighbors(guardian->config->claim);
	int removed = vip_sweep_others(guardian->conf, alone, guardian_hold_kept(guardian));

	if (removed < 0)
		log_error("cannot make sure that no address is left from before: %s; the engine tries "
			  "on its own", log_strerror(removed));
	else if (removed > 0)
		log_warning("removed %d addresses that an hbd that was killed had left", removed);
}

static int prepare(struct guardian *guardian)
{
	int result = find_users(guardian);

	if (result < 0)
		return result;
	run_lock_settle(guardian->config->lock, SURVIVORS_MS);
	guardian_hold_resume(guardian);
	sweep_leftovers(guardian);
	guardian_drain_sweep(guardian);
	guardian_fence_open(guardian);
	result = make_state_dir(guardian);
	if (result < 0)
		log_error("cannot prepare the folder %s: %s; alerts may not be kept over a restart",
			  guardian->config->state_dir, log_strerror(result));
	guardian->epoch_base = epoch_reserve(guardian->config->state_dir);
	guardian->maintenance = maintenance_noted(guardian->config->state_dir);
	open_control(guardian);
	result = announce_socket(&guardian->announce_fd);
	if (result < 0) {
		log_error("cannot open the socket for announcements: %s; is CAP_NET_RAW missing?",
			  log_strerror(result));
		return result;
	}
	result = ask_sockets_open(&guardian->ask);
	if (result < 0) {
		log_error("cannot open the sockets to ask the LAN with: %s; giving up",
			  log_strerror(result));
		return result;
	}
	guardian_plugins_verify(guardian);
	guardian->flight = flight_ring_new();
	if (!guardian->flight)
		log_warning("no memory for the flight recorder: %s; incidents are not recorded",
			    log_strerror(errno));
	guardian->shared = mmap(NULL, sizeof(*guardian->shared), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (guardian->shared == MAP_FAILED) {
		guardian->shared = NULL;
		result = -errno;
		log_error("no memory to share with the engine: %s", log_strerror(result));
		return result;
	}
	return 0;
}

/* ---- the loop ------------------------------------------------------------------------------------ */

static int on_watchdog(sd_event_source *source, uint64_t when_us, void *context)
{
	struct guardian *guardian = context;

	(void)when_us;
	if (guardian_engine_is_well(guardian))
		notify_send(&guardian->notify, "WATCHDOG=1");
	sd_event_source_set_time_relative(
		source, (uint64_t)(guardian->watchdog_ns / WATCHDOG_PARTS / HBD_US_NS));
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

static int open_watchdog(struct guardian *guardian)
{
	uint64_t period_us;

	if (sd_watchdog_enabled(0, &period_us) <= 0)
		return 0;
	guardian->watchdog_ns = (int64_t)period_us * HBD_US_NS;
	return sd_event_add_time_relative(guardian->loop, &guardian->watchdog_timer, CLOCK_MONOTONIC,
					  0, TIMER_ACCURACY_US, on_watchdog, guardian);
}

static int open_signals(struct guardian *guardian)
{
	static const struct {
		int number;
		sd_event_signal_handler_t handler;
	} signals[] = {
		{ SIGTERM, guardian_on_stop },
		{ SIGINT, guardian_on_stop },
		{ SIGUSR2, guardian_on_hold },
		{ SIGHUP, guardian_on_reload },
	};
	sigset_t mask;
	int result = 0;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&mask, signals[i].number);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]) && result >= 0; i++)
		result = sd_event_add_signal(guardian->loop, NULL, signals[i].number,
					     signals[i].handler, guardian);
	return result;
}

/* When the engine dies on a busy, swapping machine, its guardian is to act all the same. Inherited
 * by nobody. */
static void be_quick(void)
{
	struct sched_param param = { .sched_priority = REALTIME_PRIORITY };

	if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param) < 0 ||
	    mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		log_info("guardian: no real-time scheduling or locked memory: %s; on a busy machine the "
			 "peer could learn later that an engine died", log_strerror(errno));
}

static int open_loop(struct guardian *guardian)
{
	int result = sd_event_new(&guardian->loop);

	if (result >= 0)
		result = open_signals(guardian);
	if (result >= 0)
		result = process_runner_new(guardian->loop, GUARDIAN_PRIORITY_PLUGINS,
					    &guardian->runner);
	if (result >= 0)
		result = guardian_plugins_load(guardian, guardian->conf);
	if (result >= 0)
		result = guardian_witness_open(guardian);
	if (result >= 0)
		result = guardian_scribe_open(guardian);
	if (result >= 0)
		result = open_watchdog(guardian);
	if (result >= 0)
		result = guardian_logind_open(guardian);
	if (result < 0)
		log_error("guardian: cannot set up its loop: %s", log_strerror(result));
	return result < 0 ? result : 0;
}

static void tell_start(const struct guardian *guardian)
{
	const struct log_fields fields = { .message_id = LOG_ID_STARTED };
	const struct hbd_conf *conf = guardian->conf;

	log_line(LOG_NOTICE, &fields,
		 "hbd " HBD_VERSION " starts: %s of cluster %s, peer %s; profile %s, takeover after "
		 "%lld ms; links: %u, groups: %u, witness: %s",
		 conf->nodes[guardian->self].name, conf->cluster, conf->nodes[1 - guardian->self].name,
		 hbd_profile_text(conf->profile_name),
		 (long long)(conf->profile.grant_ns / HBD_MS_NS),
		 conf->nodes[guardian->self].link_count, conf->group_count,
		 conf->witness.present ? conf->witness.plugin.name : "none");
}

static int start(struct guardian *guardian)
{
	struct check_setup checks = guardian_check_setup(guardian, guardian->conf);
	int result = guardian_scribe_start(guardian);

	if (result < 0)
		return result;
	guardian->log.socket = guardian->scribe.guardian_pair[0];
	log_set_sink(record_log_sink, &guardian->log);
	tell_start(guardian);
	be_quick();
	result = guardian_fence_watch(guardian);
	if (result < 0) {
		log_error("guardian: cannot watch the fence: %s", log_strerror(result));
		return result;
	}
	result = guardian_engine_start(guardian);
	guardian_hold_forget(guardian);
	if (result < 0)
		return result;
	result = check_set_new(&checks, NULL, &guardian->checks);
	if (result < 0)
		log_error("guardian: cannot schedule health checks: %s", log_strerror(result));
	return result;
}

static void finish(struct guardian *guardian)
{
	log_set_sink(NULL, NULL);
	check_set_free(guardian->checks);
	guardian_plugins_free(guardian);
	guardian_witness_close(guardian);
	process_runner_free(guardian->runner);
	guardian_scribe_close(guardian);
	sd_event_source_disable_unref(guardian->engine.pid_source);
	sd_event_source_disable_unref(guardian->engine.socket_source);
	sd_event_source_disable_unref(guardian->engine.watch);
	sd_event_source_disable_unref(guardian->engine.timer);
	sd_event_source_disable_unref(guardian->stop_timer);
	sd_event_source_disable_unref(guardian->watchdog_timer);
	sd_event_source_disable_unref(guardian->drain_timer);
	guardian_drain_end(guardian);
	guardian_job_close(guardian);
	guardian_logind_close(guardian);
	sd_event_source_disable_unref(guardian->leaver.source);
	sd_event_source_disable_unref(guardian->leaver.timer);
	guardian_hold_forget(guardian);
	if (guardian->hold.fd >= 0)
		close(guardian->hold.fd);
	guardian_fence_close(guardian);
	sd_event_unref(guardian->loop);
	if (guardian->control_fd >= 0) {
		close(guardian->control_fd);
		control_socket_remove(guardian->config->run_dir);
	}
	if (guardian->announce_fd >= 0)
		close(guardian->announce_fd);
	ask_sockets_close(&guardian->ask);
	if (guardian->shared)
		munmap(guardian->shared, sizeof(*guardian->shared));
	flight_ring_free(guardian->flight);
	notify_close(&guardian->notify);
	conf_free(guardian->conf);
	free(guardian);
}

int guardian_run(const struct guardian_config *config)
{
	struct guardian *guardian = calloc(1, sizeof(*guardian));
	int result;

	if (!guardian) {
		conf_free(config->conf);
		return -ENOMEM;
	}
	guardian->config = config;
	guardian->conf = config->conf;
	guardian->self = config->self;
	guardian->announce_fd = guardian->control_fd = -1;
	guardian->ask = (struct ask_sockets){ -1, -1 };
	guardian->hold.fd = -1;
	guardian->logind.lock = -1;
	guardian->engine.pid_fd = guardian->engine.socket = -1;
	guardian->scribe.pid_fd = -1;
	memset(guardian->scribe.guardian_pair, -1, sizeof(guardian->scribe.guardian_pair));
	memset(guardian->scribe.engine_pair, -1, sizeof(guardian->scribe.engine_pair));
	notify_open(&guardian->notify);
	result = prepare(guardian);
	if (result == 0)
		result = open_loop(guardian);
	if (result == 0)
		result = start(guardian);
	if (result == 0)
		result = sd_event_loop(guardian->loop);
	finish(guardian);
	return result;
}
