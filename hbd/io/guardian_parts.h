/* What the files of guardian.h share. All state of the guardian is in one struct. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "check.h"
#include "engine.h"
#include "guardian.h"
#include "message.h"
#include "notify.h"
#include "plugin.h"
#include "process.h"

/* Of event sources: the engine's end first, then what the engine asks for, then everything else. */
#define GUARDIAN_PRIORITY_DEATH (-200)
#define GUARDIAN_PRIORITY_WATCH (-100)
#define GUARDIAN_PRIORITY_MESSAGES 0
#define GUARDIAN_PRIORITY_PLUGINS 100

enum engine_state {
	ENGINE_UNSET = 0,
	ENGINE_STARTING,	/* forked; its loop does not run yet */
	ENGINE_RUNNING,
	ENGINE_KILLED,		/* got SIGKILL from us; has not ended yet */
	ENGINE_WAITING,		/* dead, and not yet to be started again */
	ENGINE_GONE,		/* dead, and not to be started again */
};

struct engine_watch {
	enum engine_state state;
	bool swept;			/* addresses and will of this life are dealt with */
	bool stopped_cleanly;		/* it said STOPPED */
	pid_t pid;
	int pid_fd;
	int socket;			/* our end; struct message */
	sd_event_source *pid_source;
	sd_event_source *socket_source;
	sd_event_source *watch;		/* looks for progress */
	sd_event_source *timer;		/* start again, or give up waiting for its end */
	int64_t started_ns;
	int64_t stale_progress_ns;	/* as seen by the first look; 0 = it was fresh */
	int64_t back_off_ns;
	uint64_t lives;
	char cause[96];			/* why we killed it; empty = we did not */
};

/* Last wills on their way: the same packets several times. */
struct wills {
	unsigned sent;
	sd_event_source *timer;
	int fds[HBD_LINKS_MAX];
	uint16_t lengths[HBD_LINKS_MAX];
	uint8_t bytes[HBD_LINKS_MAX][HBD_PACKET_BYTES_MAX];
};

struct scribe_watch {
	pid_t pid;			/* 0 = none */
	int pid_fd;
	sd_event_source *pid_source;
	sd_event_source *timer;		/* start again, or kill */
	int64_t started_ns;
	int64_t back_off_ns;
	bool stop_asked;		/* by us: SIGTERM */
	/* Both ends of both pairs are kept, so that what was said survives a scribe. */
	int guardian_pair[2];		/* ours, the scribe's */
	int engine_pair[2];		/* the engine's, the scribe's */
	sd_event_source *socket_source;
	struct message spool;		/* what it said last; UNSET = nothing yet */
};

#define RUNS_MAX 128

/* One takeover plugin that the engine wants run. */
struct run {
	uint64_t id;			/* 0 = this place is free */
	uint8_t group;
	uint8_t step;
	enum hbd_plugin_call call;
	enum hbd_reason reason;
	uint64_t epoch;
	int64_t deadline_ns;
	uint64_t order;			/* runs of one group go one after the other */
	bool canceled;			/* the engine does not wait for it any more */
	struct process *process;	/* NULL = waits for its turn */
	struct guardian *guardian;
};

enum stop_phase {
	STOP_UNSET = 0,			/* not asked for */
	STOP_ENGINE,			/* waiting for the engine to hand over and end */
	STOP_SCRIBE,			/* waiting for the scribe to write what it has */
};

struct guardian_fence {
	struct fence *fence;		/* NULL = there is none in the kernel */
	sd_event_source *events;
	sd_event_source *timer;
	bool in_force;			/* as the engine was last told */
	char why[MESSAGE_WHY_BYTES];	/* not; for humans */
};

struct guardian {
	const struct guardian_config *config;
	struct hbd_conf *conf;
	uint8_t self;
	sd_event *loop;
	struct notify notify;
	int64_t watchdog_ns;		/* 0 = the service manager wants none */
	struct record_log log;
	struct process_user engine_user;
	struct process_user plugin_user;
	const struct process_user *run_as;	/* of plugins; NULL = as we are */
	uint64_t epoch_base;
	struct shared *shared;
	int control_fd;
	int announce_fd;		/* these two are kept open so that an engine's end is quick */
	struct ask_sockets ask;
	struct guardian_fence fence;
	struct engine_watch engine;
	struct wills wills;
	struct scribe_watch scribe;
	struct process_runner *runner;
	uint64_t run_order;
	struct run runs[RUNS_MAX];
	struct plugin *plugins[HBD_GROUPS_MAX][HBD_STEPS_MAX];
	struct check_set *checks;
	enum stop_phase stop;
	bool hurry;			/* asked to stop twice */
	bool ready_told;
	bool reloading;
	sd_event_source *stop_timer;
	sd_event_source *watchdog_timer;
};

/* ---- guardian_fence.c: what mutes addresses whose lease is over ---------------------------------- */

/* Before the first engine. Without a fence, which is logged, hbd goes on. */
void guardian_fence_open(struct guardian *guardian);

/* Once the scribe takes alerts: goes on looking at it. 0 or a negative errno. */
int guardian_fence_watch(struct guardian *guardian);

/* Tells a new engine what is in force. */
void guardian_fence_tell(struct guardian *guardian);

/* The engine's end is certain: no address answers any more. */
void guardian_fence_mute(struct guardian *guardian);
void guardian_fence_close(struct guardian *guardian);

/* ---- guardian_engine.c: its life ---------------------------------------------------------------- */

/* Forks an engine. 0, or a negative errno, which was logged; then it is tried again later. */
int guardian_engine_start(struct guardian *guardian);

/* SIGKILL, said to be for that cause. */
void guardian_engine_kill(struct guardian *guardian, const char *cause);

/* It closed its socket: it is about to end, or has lost its mind and is killed a little later. */
void guardian_engine_hung_up(struct guardian *guardian);

/* False while the service manager should be worried. */
bool guardian_engine_is_well(const struct guardian *guardian);

/* Sends it a message; one that it does not take is logged. */
void guardian_engine_tell(struct guardian *guardian, const struct message *message, int fd);

/* ---- guardian_death.c: what happens after it ---------------------------------------------------- */

/* Addresses, last will, plugins, alert: what must be done at once when the engine is no more. */
void guardian_engine_bury(struct guardian *guardian, const char *how);

/* ---- guardian_messages.c ------------------------------------------------------------------------ */

int guardian_on_message(sd_event_source *source, int fd, uint32_t events, void *context);

/* Everything that a new engine does not know: verdicts of checks, the spool. */
void guardian_brief_engine(struct guardian *guardian);

/* ---- guardian_runs.c: takeover plugins ---------------------------------------------------------- */

void guardian_run_start(struct guardian *guardian, const struct message *message);
void guardian_run_cancel(struct guardian *guardian, uint64_t id);

/* Kills all of them; nobody is told. */
void guardian_runs_abandon(struct guardian *guardian);

/* Prepares the plugins of a configuration. 0 or -ENOMEM; then the former ones stay. */
int guardian_plugins_load(struct guardian *guardian, const struct hbd_conf *conf);
void guardian_plugins_free(struct guardian *guardian);

/* Says which configured plugins could not be run if they were needed now. Touches disks. */
void guardian_plugins_verify(const struct guardian *guardian);

/* ---- guardian_scribe.c -------------------------------------------------------------------------- */

int guardian_scribe_open(struct guardian *guardian);
void guardian_scribe_close(struct guardian *guardian);
int guardian_scribe_start(struct guardian *guardian);

/* SIGTERM, and SIGKILL if it does not end by itself; it is started again unless hbd stops. */
void guardian_scribe_stop(struct guardian *guardian);

/* An alert by the guardian. detail may be "". */
void guardian_alert(struct guardian *guardian, enum hbd_alert kind, enum hbd_severity severity,
		    const char *detail);

/* ---- guardian_stop.c ---------------------------------------------------------------------------- */

/* SIGTERM and SIGINT. */
int guardian_on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *context);

/* The engine said STOPPED: it is to end now. */
void guardian_stop_engine_released(struct guardian *guardian);

/* The engine, the scribe has ended while hbd stops. */
void guardian_stop_engine_gone(struct guardian *guardian);
void guardian_stop_scribe_gone(struct guardian *guardian);

/* ---- guardian_reload.c -------------------------------------------------------------------------- */

/* SIGHUP. */
int guardian_on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *context);

/* ---- guardian.c --------------------------------------------------------------------------------- */

/* What check_set_new() needs, for that configuration. */
struct check_setup guardian_check_setup(struct guardian *guardian, const struct hbd_conf *conf);

/* Forks; the child is in a process group of its own, its signals are not ours. As fork(). */
pid_t guardian_fork(struct guardian *guardian, const char *role);
