/*
 * The engine process: heartbeats, decisions, addresses, announcements, control socket.
 *
 * It is forked by the guardian and runs engine_run() until it is told to stop or the guardian is
 * gone. It gives up all privileges but four capabilities, runs under SCHED_RR with locked memory
 * where it may (and says so where it may not), never forks, never touches a disk and never blocks.
 *
 * What it is not: it decides nothing (core/node.h) and runs no program (the guardian does).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../conf/conf.h"
#include "../flight/ring.h"
#include "../flight/state.h"
#include "ask.h"
#include "message.h"
#include "process.h"

/*
 * What the guardian hands over. All descriptors become the engine's; every other descriptor above
 * standard error is closed by engine_run(), so that the end of the guardian's life is seen as the
 * end of file on guardian_fd.
 */
struct engine_setup {
	const struct hbd_conf *conf;	 /* with its keys loaded */
	uint8_t self;			 /* node index */
	const struct process_user *user; /* conf->user, looked up when nothing was urgent */
	uid_t owner;			 /* who started the daemon: may command it by hbctl */
	uint64_t epoch_floor;		 /* epochs of this life are larger */
	bool maintenance;		 /* the node begins in it */
	int guardian_fd;		 /* SOCK_SEQPACKET, struct message */
	int scribe_fd;			 /* SOCK_SEQPACKET, struct record */
	int announce_fd;		 /* from announce_socket() */
	struct ask_sockets ask;		 /* from ask_sockets_open() */
	struct fence *fence;		 /* inherited; NULL = none in the kernel */
	int control_fd;			 /* listening unix stream socket; -1 = no control socket */
	int link_fds[HBD_LINKS_MAX];	 /* from udp_open(); -1 = could not be opened (yet) */
	struct shared *shared;
	struct flight_ring *flight;	 /* to record in; NULL = not */
	const struct flight_state *former; /* to go on from; NULL = an ordinary start */
	const char *origin;		 /* of the state that PAUSE asks for (carry.h) */
	bool awaits;			 /* says WARM, and goes on from what RESUME brings */
	uint32_t changed;		 /* groups with other addresses than before: a bit for each */
};

/*
 * Runs the engine in this process. Lines go to the scribe from the first one on.
 *
 * Expected of the guardian: answers LINK_OPEN; sends every check's last verdict (CHECK) and the
 * spool's state (SPOOL) to a new engine, and then what changes. STOP, or the guardian's end, makes
 * the engine hand over and release everything; it then sends STOPPED and returns.
 *
 * Returns the exit status for _exit(): EXIT_SUCCESS after a clean stop, else EXIT_FAILURE; then
 * addresses may be left for the guardian to sweep, and the last will is in setup->shared.
 */
int engine_run(const struct engine_setup *setup);
