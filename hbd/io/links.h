/*
 * The sockets of all links: which are open, which work, and what became of them.
 *
 * A link is usable when it has a socket, its interface and address are there (vip.h says so) and
 * the kernel does not refuse to send on it. A socket is bound to one interface for good, so when
 * the interface was removed and made again, or was missing at first, the guardian is asked for a
 * new one: links_due() names the link, links_take() brings the answer.
 *
 * Trouble is logged here, once when it begins, once when it has been over for some seconds, and
 * once a minute between; except that of a peer that is away, which is logged once. That interface
 * or address came or went is logged at once, a few times a minute; then every 10 s, with a count.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../conf/conf.h"
#include "loop.h"
#include "udp.h"

/* Trouble of one kind, to be logged sparingly. */
struct links_trouble {
	int error; /* the last negative errno; 0 = none */
	int told;  /* the one that was logged; 0 = none, or its end was */
	int64_t noted_ns;
	int64_t logged_ns;
	uint64_t count; /* since it was logged */
};

/* Whether interface and address are there, as it was logged; who takes them away in a loop must not
 * fill the log. */
struct links_presence {
	const char *told;  /* lacks, as the log has it */
	int64_t told_ns;   /* when it was logged last */
	int64_t since_ns;  /* lines are counted since then */
	unsigned lines;
	uint64_t changes;  /* that were not logged, since the last line */
};

struct link {
	int fd;		   /* -1 = none */
	bool present;	   /* interface and address are there */
	const char *lacks; /* if not, what is missing; NULL = nothing, or not yet known */
	bool asked;	   /* for a socket; the answer is awaited */
	bool outdated;	   /* that answer: the interface has been replaced since */
	bool resting;	   /* flooded: no turn for what arrives */
	bool refused;	   /* the peer's kernel said that nobody listens */
	int64_t ask_ns;	   /* a socket is to be asked for then; HBD_NEVER_NS = not */
	uint32_t overflow; /* datagrams that the kernel dropped, as last told */
	struct links_presence presence;
	struct links_trouble sending;
	struct links_trouble opening;
	struct links_trouble overflowing;
};

struct links {
	const struct hbd_conf *conf;
	uint8_t self;
	uint8_t count;
	struct loop *loop;
	struct link items[HBD_LINKS_MAX];
};

/* A link's number is that of its source in the loop. fds: the sockets there are, or -1 each; they
 * become this module's. 0 or a negative errno. */
int links_open(struct links *links, const struct hbd_conf *conf, uint8_t self, const int *fds,
	       struct loop *loop);
void links_close(struct links *links);

/* The link's socket, taken out of here for another process; -1 = it has none. */
int links_leave(struct links *links, uint8_t link);

/* "10.78.0.1%eth1", for logs and alerts, into text of LINKS_NAME_BYTES; returns text. */
#define LINKS_NAME_BYTES (INET6_ADDRSTRLEN + IF_NAMESIZE + 1)
const char *links_name(const struct links *links, uint8_t link, char *text);

bool links_usable(const struct links *links, uint8_t link);

/* Why not, in words, into text; returns text, or NULL if it is usable. */
#define LINKS_TROUBLE_BYTES 128
const char *links_trouble(const struct links *links, uint8_t link, char *text);

/* There is no socket to listen on. */
bool links_closed(const struct links *links, uint8_t link);

/* True once after the peer's kernel said that nobody listens. */
bool links_take_refusal(struct links *links, uint8_t link);

/* Interface or address came or went: what is missing now, of vip_link_lacks(). recreated: it is another
 * interface of the same name. */
void links_note(struct links *links, uint8_t link, const char *lacks, bool recreated, int64_t now_ns);

/* Logs what came or went and was not to be logged at once. */
void links_tell(struct links *links, int64_t now_ns);

/* Sends, or notes why not: a lost packet is nothing that the caller could mend. */
void links_send(struct links *links, uint8_t link, const uint8_t *bytes, size_t length,
		int64_t now_ns);

/* As udp_receive(), if anything can be there; but for errors: these are noted, and end it, 0. */
int links_receive(struct links *links, uint8_t link, const struct loop_turn *turn,
		  struct udp_datagram *datagrams);

/* Tells how many datagrams were read in this turn: what arrives in a flood wakes nobody. */
void links_pace(struct links *links, uint8_t link, size_t count);

/* The link for which a socket is to be asked now, which counts as done; -1 = none. */
int links_due(struct links *links, int64_t now_ns);

/* The guardian's answer: a socket, which becomes this module's, or -1 and why not. */
void links_take(struct links *links, uint8_t link, int fd, int error, int64_t now_ns);

/* When a turn is wanted for the links' sake: HBD_NEVER_NS = not. */
int64_t links_deadline_ns(const struct links *links, int64_t now_ns);
