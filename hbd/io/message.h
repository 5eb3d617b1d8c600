/*
 * What guardian, engine and scribe say to each other: fixed-size typed messages over
 * SOCK_SEQPACKET socketpairs, and the memory the guardian and the engine share.
 *
 *	guardian (root) <-> engine (user hbd)		struct message
 *	guardian, engine -> scribe (user hbd)		struct record
 *
 * All processes are forked from one program, so structs go over the wire as they are. Both ends
 * still check type and every index: the engine is the less privileged side. Sending never blocks.
 */
#pragma once

#include <limits.h>
#include <net/if.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../core/action.h"
#include "../core/limits.h"

enum message_type {
	MESSAGE_UNSET = 0,
	/* engine -> guardian */
	MESSAGE_READY,		/* the engine's loop runs */
	MESSAGE_STATUS,		/* text for systemctl status */
	MESSAGE_RUN,		/* run a takeover plugin; answered by DONE */
	MESSAGE_CANCEL,		/* kill that run; not answered */
	MESSAGE_LINK_OPEN,	/* open a link's socket; answered by LINK_SOCKET */
	MESSAGE_DRAIN,		/* what the kernel is to do with old connections; see below */
	MESSAGE_WARM,		/* begun to take the place of another one; waits for RESUME */
	MESSAGE_PAUSED,	/* answers PAUSE: the state is written and the engine exits now, or an error */
	MESSAGE_WITNESS_STUCK,	/* the witness's program has answered nothing for long */
	MESSAGE_LEFT,		/* after LEAVE: nothing is left to be waited for */
	MESSAGE_STOPPED,	/* all is released; the engine exits now */
	/* guardian -> engine */
	MESSAGE_DONE,		/* a plugin run ended */
	MESSAGE_CHECK,		/* a health check changed its verdict */
	MESSAGE_LINK_SOCKET,	/* with the socket attached (SCM_RIGHTS), or an error; also before
				 * PAUSED, what the engine leaves, and before RESUME */
	MESSAGE_LEAVE,		/* a stop is near: hand over; answered by LEFT. Or it was called off */
	MESSAGE_STOP,		/* stop cleanly */
	MESSAGE_PAUSE,		/* stop for another process; with memory for the state attached */
	MESSAGE_RESUME,		/* go on from the state that is attached */
	MESSAGE_SPOOL,		/* state of the alert spool, for status */
	MESSAGE_FENCE,		/* whether the fence is in force, for heartbeats and status */
	MESSAGE_WITNESS,	/* with the socket of a fresh witness program attached */
	MESSAGE_MAINTENANCE,	/* by the scribe first: maintenance was noted, or could not be */
	MESSAGE_DRAINING,	/* FORWARD ended, under its id; or, under none, what is left here */
	MESSAGE_DIGEST,		/* a reload changed what both nodes must agree on, not what we hold */
};

/* DRAIN: as drain.h has it. */
enum message_drain {
	MESSAGE_DRAIN_UNSET = 0,
	MESSAGE_FORWARD,	/* hand to the peer what belongs to it; answered by DRAINING */
	MESSAGE_FORWARD_END,
	MESSAGE_HOLD,		/* be silent, and count; DRAINING tells, once a second */
	MESSAGE_HOLD_END,
};

#define MESSAGE_TEXT_BYTES 200
#define MESSAGE_WHY_BYTES 200
#define MESSAGE_TROUBLE_BYTES 320

struct message {
	enum message_type type;
	uint8_t group;
	uint8_t link;
	union {
		char text[MESSAGE_TEXT_BYTES];	/* STATUS: with its NUL */
		struct {
			uint64_t id;
			uint64_t epoch;
			enum hbd_reason reason;
			enum hbd_plugin_call call;
			uint8_t step;
			int64_t timeout_ns;	/* from receipt; > 0 */
		} run;				/* CANCEL: only id */
		struct {
			uint64_t id;
			int result;		/* 0, -EAGAIN (exit 75), -ETIMEDOUT, -ENOENT ... */
			char why[MESSAGE_WHY_BYTES];	/* "exit status 3: no disk"; may be "" */
		} done;
		struct {
			uint8_t check;
			bool good;
			char detail[120];	/* last line of its output, with its NUL */
		} check;
		int error;			/* LINK_SOCKET, PAUSED: 0 or negative errno; of
						 * -EADDRINUSE group says which */
		struct {
			int64_t term_ns;	/* so long may that take: > 0, <= HBD_PAUSE_NS_MAX */
			uint32_t groups;	/* a bit for each that the next process has no more */
			uint8_t keys;		/* likewise */
			bool links;		/* the next process wants the links' sockets */
		} hold;
		struct {
			bool on;
			int64_t patience_ns;	/* for old connections: 0 .. HBD_LEAVE_NS_MAX */
		} leave;
		struct {
			bool in_force;
			char why[MESSAGE_WHY_BYTES];	/* not, with its NUL */
		} fence;
		struct {
			enum message_drain call;
			uint64_t id;		/* of FORWARD */
			uint8_t peer[HBD_STATION_BYTES];	/* FORWARD: whom to; 0 = not known */
		} drain;
		struct {
			uint64_t id;		/* 0 = none: connections counts */
			int error;		/* of FORWARD: 0 or a negative errno, which was logged */
			int connections;	/* that end here; negative = not known */
		} draining;
		uint64_t digest;		/* DIGEST: as in struct hbd_conf */
		struct {
			bool on;
			int error;		/* 0, or a negative errno: nothing changed */
		} maintenance;
		struct {
			uint64_t taken;		/* alerts put into the spool since the scribe started */
			uint32_t pending;	/* alerts not yet delivered */
			uint8_t configured;	/* alert plugins; a reload may change it */
			int64_t oldest_age_ns;	/* 0 = none pending */
			char detail[MESSAGE_TROUBLE_BYTES];	/* why the last try failed, or "" */
		} spool;
	};
};

/* Sends without blocking; fd -1 = none attached. 0, -EAGAIN if the peer does not keep up, -EPIPE. */
int message_send(int socket, const struct message *message, int fd);

/* Receives one, its texts ended by a NUL. 1, 0 at end of file, -EAGAIN; -EBADMSG for a wrong size,
 * type or truth value or more than one descriptor (dropped). *ret_fd is -1 or an attached
 * descriptor, close-on-exec, the caller's. */
int message_receive(int socket, struct message *ret_message, int *ret_fd);

/* For the scribe: a log line or an alert. */
enum record_type {
	RECORD_UNSET = 0,
	RECORD_LOG,
	RECORD_ALERT,
	RECORD_LOST,		/* lines that did not fit before this one */
	RECORD_EPOCH,		/* seen of the peer: a restart is to begin above it */
	RECORD_MAINTENANCE,	/* it is to be noted, and MESSAGE_MAINTENANCE answers */
	RECORD_FLIGHT,		/* the flight recorder is to be written to the disk, and why */
};

#define RECORD_TEXT_BYTES 600

struct record_alert {
	enum hbd_alert kind;
	enum hbd_severity severity;
	enum hbd_reason reason;
	uint64_t epoch;
	int64_t realtime_ns;		/* CLOCK_REALTIME when it happened */
	char group[HBD_NAME_BYTES];	/* empty = the node as a whole */
	char node[HBD_NAME_BYTES];	/* who says it */
	char peer[HBD_NAME_BYTES];
	enum hbd_role role;		/* of this node in the group, after it; of a fault, before */
	enum hbd_role peer_role;	/* UNSET = not known */
	bool peer_maintained;		/* it is alive, and in maintenance */
	bool peer_faulty;		/* it is alive, and has a fault or a check that fails */
	bool peer_alive;
	bool test;			/* asked for by hbctl alert test */
	char detail[MESSAGE_TROUBLE_BYTES];	/* fault, link or plugin by name; may be empty */
};

struct record_flight {
	uint8_t group;			/* HBD_GROUPS_MAX = none: the engine died */
	enum hbd_role role;		/* that it has now */
	enum hbd_reason reason;
	int64_t realtime_ns;		/* CLOCK_REALTIME when it happened */
};

struct record {
	enum record_type type;
	int priority;			/* LOG */
	uint64_t epoch;			/* LOG, EPOCH */
	uint32_t lost;			/* LOST */
	char message_id[33];
	char group[HBD_NAME_BYTES];
	char reason[24];
	char plugin[64];
	union {
		char text[RECORD_TEXT_BYTES];
		struct record_alert alert;
		struct record_flight flight;
		bool maintenance;
	};
};

/* Sends without blocking: 0, -EAGAIN, -EPIPE. */
int record_send(int socket, const struct record *record);

/*
 * A log_sink that sends lines to the scribe; its context is a struct record_log. Lines that do not
 * fit are counted, and the count is sent before the next line that does (RECORD_LOST). Threads may
 * share one.
 */
struct record_log {
	int socket;
	_Atomic uint32_t lost;	/* 0 at start */
};
struct log_fields;
void record_log_sink(void *context, int priority, const struct log_fields *fields,
		     const char *text);

/* Shared by guardian and engine; anonymous memory mapped before the fork. */
struct shared_will {
	_Atomic uint32_t length;	/* 0 = none, or being written */
	uint8_t bytes[HBD_PACKET_BYTES_MAX];
};
struct shared {
	_Atomic int64_t progress_ns;	/* CLOCK_BOOTTIME of the engine's last full turn */
	struct shared_will wills[HBD_LINKS_MAX];
};
