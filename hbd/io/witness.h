/*
 * Requests to the witness's program and its answers, in the engine.
 *
 * The program (plugins/README.md, "witness") is started by the guardian; here is the other end of
 * its socket: lines of JSON, one in a message. Nothing waits: what cannot be sent, or is asked
 * of a program that is gone, has an unknown outcome at once. What the answers mean is the core's
 * affair (core/witness.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../conf/conf.h"
#include "../core/action.h"
#include "event_queue.h"
#include "loop.h"

#define WITNESS_LINE_BYTES 4096

struct witness {
	const struct hbd_conf *conf;
	uint8_t self;
	struct event_queue *events;
	struct loop *loop;
	uint8_t source;
	int fd;				/* -1 = no program */
	int64_t silent_since_ns;	/* asked, and nothing came since; 0 = something did */
	bool strange_told;		/* a record that is none of ours was logged */
	uint64_t asked[HBD_GROUPS_MAX];	/* id of the last request; 0 = answered */
	char *shown[HBD_GROUPS_MAX];	/* what the last answer showed; owned, NULL = no record */
	char *wanted[HBD_GROUPS_MAX];	/* what the last swap writes; owned, NULL = none */
};

/* All arguments outlive it. */
void witness_init(struct witness *witness, const struct hbd_conf *conf, uint8_t self,
		  struct event_queue *events, struct loop *loop, uint8_t source);
void witness_close(struct witness *witness);

/* The socket of a fresh program, which is now this one's, or -1 if the kernel gave none. */
void witness_take(struct witness *witness, int fd);

/* Carries out a HBD_ACTION_WITNESS; HBD_EVENT_WITNESS follows, now or later, once. */
void witness_ask(struct witness *witness, const struct hbd_action *action, int64_t now_ns);

/* True once when nothing was answered for so long that the program must hang: an error is an answer. */
#define WITNESS_STUCK_NS (10 * HBD_S_NS)
bool witness_is_stuck(struct witness *witness, int64_t now_ns);

/* The socket can be read. */
void witness_read(struct witness *witness);

/*
 * A record as text for the register, and back. node_names are the two nodes'. The text is JSON:
 *
 *	{"holder": "lb1", "epoch": 7, "count": 3, "life": "00c0ffee00c0ffee"}
 *
 * with null for no holder. witness_record_text() returns text, the caller's, or NULL for want of memory;
 * witness_record_parse() returns false for what is not such a text.
 */
char *witness_record_text(const struct hbd_conf *conf, const struct hbd_record *record);
bool witness_record_parse(const struct hbd_conf *conf, const char *text,
			  struct hbd_record *ret_record);
