/* What the files of guardian.h share. All state of the guardian is in one struct. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "carry.h"
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

#define GUARDIAN_PAUSE_NS (2 * HBD_S_NS)	/* so long the peer waits for another process */

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
	STOP_ASKING,			/* the service manager is asked what for */
	STOP_HOLD,			/* waiting for the engine to write down what it knows */
	STOP_LEAVE,			/* waiting for the peer to take what is served here */
	STOP_ENGINE,			/* waiting for the engine to release all and end */
	STOP_SCRIBE,			/* waiting for the scribe to write what it has */
};

/* The question to the service manager under way. */
struct guardian_job {
	struct sd_bus *bus;		/* NULL = none */
	struct sd_bus_slot *slot;
};

/* A stop is near: the engine hands over. */
struct guardian_leave {
	bool on;
	bool over;			/* LEFT was said */
};

/* Who tells of a shutdown. */
struct guardian_logind {
	struct sd_bus *bus;		/* NULL = none */
	int lock;			/* while it is open a shutdown waits a little; -1 = none */
	char owner[64];			/* who gave it, by the bus's own name; "" = nobody yet */
	sd_event_source *timer;		/* connect, again */
};

struct guardian_hold {
	int fd;				/* memory for the engine's state; -1 = none */
	bool granted;			/* it was written: addresses and fence stay as they are */
};

/* An engine for another configuration, beside the present one until it has gone on for it. */
struct guardian_swap {
	struct hbd_conf *fresh;		/* NULL = none is under way */
	struct fence *fence;		/* for other addresses; NULL = the present one goes on */
	int state_fd;			/* memory for what the present engine knows */
	int links[HBD_LINKS_MAX];	/* what it leaves, by its numbers; -1 = none */
	pid_t pid;
	int pid_fd;
	int socket;
	bool warm;
	int64_t give_up_ns;
	sd_event_source *pid_source;
	sd_event_source *socket_source;
	sd_event_source *timer;
};

/* The engine that another one goes on for, until its end. */
struct guardian_leaver {
	pid_t pid;			/* 0 = none */
	int pid_fd;
	sd_event_source *source;
	sd_event_source *timer;
};

struct guardian_fence {
	struct fence *fence;		/* NULL = there is none in the kernel */
	sd_event_source *events;
	sd_event_source *timer;
	bool in_force;			/* as the engine was last told */
	char why[MESSAGE_WHY_BYTES];	/* not; for humans */
};

struct drain;
struct guardian_drain {
	struct drain *forward;		/* NULL = it hands nothing on */
	struct drain *hold;		/* NULL = nothing hushes it but the fence */
	int64_t since_ns;		/* it counts old connections since then; 0 = it does not */
};

struct guardian_witness {
	struct plugin *plugin;		/* NULL = there is no witness */
	struct process *process;	/* NULL = it does not run */
	sd_event_source *timer;		/* start again */
	int64_t started_ns;
	int64_t back_off_ns;
	bool again;			/* ended by us, for an engine that knows nothing of it */
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
	bool maintenance;	/* as noted last; the next engine begins so */
	uint64_t epoch_base;
	struct shared *shared;
	struct flight_ring *flight;	/* NULL = there is no memory to record in */
	int control_fd;
	int announce_fd;		/* these two are kept open so that an engine's end is quick */
	struct ask_sockets ask;
	struct guardian_fence fence;
	struct guardian_witness witness;
	struct guardian_drain drains[HBD_GROUPS_MAX];
	sd_event_source *drain_timer;
	struct engine_watch engine;
	struct wills wills;
	struct scribe_watch scribe;
	struct process_runner *runner;
	uint64_t run_order;
	struct run runs[RUNS_MAX];
	struct plugin *plugins[HBD_GROUPS_MAX][HBD_STEPS_MAX];
	struct check_set *checks;
	enum stop_phase stop;
	struct guardian_job job;
	struct guardian_leave leave;
	struct guardian_logind logind;
	struct guardian_hold hold;
	char origin[CARRY_ORIGIN_BYTES];	/* of a state that may be used here; "" = none may */
	struct flight_state *former;	/* for the first engine to go on from; NULL = none */
	bool hurry;			/* asked to stop twice */
	bool ready_told;
	bool reloading;
	bool reload_again;	/* asked for meanwhile: the file may have changed since it was read */
	struct guardian_swap swap;
	struct guardian_leaver leaver;
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

/* ---- guardian_drain.c: connections that outlive a planned move ----------------------------------- */

/* Before the fence is opened: takes out of the kernel what an earlier life left there. */
void guardian_drain_sweep(struct guardian *guardian);

/* What the engine asks for. */
void guardian_drain_take(struct guardian *guardian, const struct message *asked);

/* The engine ended: so do all drains. */
void guardian_drain_end(struct guardian *guardian);

/* ---- guardian_witness.c: the program that asks the witness ---------------------------------------- */

/* Before the first engine. 0 or -ENOMEM. */
int guardian_witness_open(struct guardian *guardian);
void guardian_witness_close(struct guardian *guardian);

/* For a new engine: a new program, whose socket it is sent. */
void guardian_witness_start(struct guardian *guardian);

/* It hangs, says the engine. */
void guardian_witness_end(struct guardian *guardian);

/* ---- guardian_engine.c: its life ---------------------------------------------------------------- */

/* Forks an engine. 0, or a negative errno, which was logged; then it is tried again later. */
int guardian_engine_start(struct guardian *guardian);

/* SIGKILL, said to be for that cause. */
void guardian_engine_kill(struct guardian *guardian, const char *cause);

/* It closed its socket: it is about to end, or has lost its mind and is killed a little later. */
void guardian_engine_hung_up(struct guardian *guardian);

/* False while the service manager should be worried. */
bool guardian_engine_is_well(const struct guardian *guardian);

/* For another engine: what the present one was begun with, but for links and another socket; a pair of
 * such sockets, 0 or a negative errno; and its process, as fork(). */
struct engine_setup guardian_engine_setup(const struct guardian *guardian, int socket);
int guardian_engine_pair(int pair[2]);
pid_t guardian_engine_fork(struct guardian *guardian, const struct engine_setup *setup);

/* From now on that one is watched, and goes on for the present one, whose end is no business of this
 * any more. 0 or a negative errno. */
int guardian_engine_replace(struct guardian *guardian, pid_t pid, int socket);

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

/* Logs what plugin_lint() finds. Touches disks, and runs plugins. */
void guardian_plugins_verify(struct guardian *guardian);

/* ---- guardian_scribe.c -------------------------------------------------------------------------- */

int guardian_scribe_open(struct guardian *guardian);
void guardian_scribe_close(struct guardian *guardian);
int guardian_scribe_start(struct guardian *guardian);

/* SIGTERM, and SIGKILL if it does not end by itself; it is started again unless hbd stops. */
void guardian_scribe_stop(struct guardian *guardian);

/* An alert by the guardian. detail may be "". */
void guardian_alert(struct guardian *guardian, enum hbd_alert kind, enum hbd_severity severity,
		    const char *detail);

/* The engine died: what it recorded is to be written. */
void guardian_record_flight(struct guardian *guardian);

/* ---- guardian_stop.c ---------------------------------------------------------------------------- */

/* SIGTERM and SIGINT. */
int guardian_on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *context);

/* SIGUSR2: stop, for another process to go on. */
int guardian_on_hold(sd_event_source *source, const struct signalfd_siginfo *info, void *context);

/* The engine said STOPPED: it is to end now. */
void guardian_stop_engine_released(struct guardian *guardian);

/* The engine, the scribe has ended while hbd stops. */
void guardian_stop_engine_gone(struct guardian *guardian);
void guardian_stop_scribe_gone(struct guardian *guardian);

/* What it is for is known. */
void guardian_stop_decide(struct guardian *guardian, bool restart);

/* All that could be handed over is. */
void guardian_stop_left(struct guardian *guardian);

/* ---- guardian_leave.c: handing over before a stop ------------------------------------------------ */

/* Asks the engine for it, or calls it off. */
void guardian_leave(struct guardian *guardian, bool on);
/* A new engine does not know. */
void guardian_leave_repeat(struct guardian *guardian);
/* The engine said LEFT. */
void guardian_leave_over(struct guardian *guardian);

/* ---- guardian_logind.c: a shutdown of the machine ------------------------------------------------ */

/* Once the loop runs; without a service manager nothing. 0 or a negative errno. */
int guardian_logind_open(struct guardian *guardian);
void guardian_logind_close(struct guardian *guardian);
/* The shutdown need not wait any more. */
void guardian_logind_let_go(struct guardian *guardian);

/* ---- guardian_job.c: what SIGTERM is for ---------------------------------------------------------- */

/* 0: guardian_stop_decide() follows, from the loop. Or a negative errno: nobody can be asked. */
int guardian_job_ask(struct guardian *guardian);
void guardian_job_close(struct guardian *guardian);

/* As if asked to stop for good. */
void guardian_stop_begin(struct guardian *guardian, const char *why);

/* ---- guardian_hold.c: a restart without a change of role ------------------------------------------ */

/* Takes what the process before left, if there is anything: guardian->former. Before all else. */
void guardian_hold_resume(struct guardian *guardian);
void guardian_hold_forget(struct guardian *guardian);
/* Groups whose addresses are to be left as they are, and until when the fence is open for one; 0 = it is
 * not. */
uint32_t guardian_hold_kept(const struct guardian *guardian);
int64_t guardian_hold_lease_ns(const struct guardian *guardian, uint8_t group);

/* Asks the engine to hold. 0, or a negative errno: stop as for good. */
int guardian_hold_begin(struct guardian *guardian);
/* What it answered. */
void guardian_hold_taken(struct guardian *guardian, const struct message *message);
/* It cannot, or did not in time: hbd stops as for good. */
void guardian_hold_refused(struct guardian *guardian, int error);
/* The engine has ended: true if all is kept for the next process. */
bool guardian_hold_keep(struct guardian *guardian);

/* ---- guardian_reload.c -------------------------------------------------------------------------- */

/* SIGHUP. */
int guardian_on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *context);

/* A reload came to its end: not, and why; or what changed. */
void guardian_reload_refuse(struct guardian *guardian, const char *why);
void guardian_reload_done(struct guardian *guardian, const char *what);

/* The configuration, which becomes the guardian's, applies to all but the engine. 0 or a negative
 * errno. */
int guardian_reload_apply(struct guardian *guardian, struct hbd_conf *fresh);

/* ---- guardian_swap.c: an engine for another configuration ---------------------------------------- */

/* Begins it; fresh is taken over. How it ended guardian_reload_...() is told. */
void guardian_swap_begin(struct guardian *guardian, struct hbd_conf *fresh);

/* Calls it off, unless there is none. */
void guardian_swap_abandon(struct guardian *guardian, const char *why);

/* What the present engine says and leaves: true if it was asked for that here. The socket is taken
 * over. */
bool guardian_swap_take(struct guardian *guardian, const struct message *paused);
void guardian_swap_keep(struct guardian *guardian, uint8_t link, int fd);

/* ---- guardian_fence.c, for that: another one takes its place, with the groups' deadlines */
int guardian_fence_prepare(struct guardian *guardian, const struct hbd_conf *conf,
			   struct fence **ret_fence);
int guardian_fence_replace(struct guardian *guardian, struct fence *fence,
			   const struct hbd_conf *conf);

/* ---- guardian.c --------------------------------------------------------------------------------- */

/* What check_set_new() needs, for that configuration. */
struct check_setup guardian_check_setup(struct guardian *guardian, const struct hbd_conf *conf);

/* Forks; the child is in a process group of its own, its signals are not ours. As fork(). */
pid_t guardian_fork(struct guardian *guardian, const char *role);
