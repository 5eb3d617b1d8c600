/*
 * The witness's vote for one group: what this node knows of the record in the register, when it
 * may replace it, and until when its own swap counts (PROTOCOL.md 6.2).
 *
 * The register is read and written by somebody else (io/witness.h); this takes the answers. It
 * keeps no promise by itself: the register knows no time, so a holder's vote ends by the holder's
 * clock, and the other may take it only after having seen nothing change for longer than that. After
 * DESIGN.md 5 and the client-go leader election; why not etcd's own leases: PROTOCOL-NOTES.md 2.5.
 *
 * What it is not: it does not know roles, leases or when to ask. Who decides is node_witness.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "limits.h"
#include "time.h"

#define HBD_NO_HOLDER HBD_NODES

/* What the register holds for a group. */
struct hbd_record {
	uint8_t holder;		/* node index, or HBD_NO_HOLDER */
	uint64_t epoch;		/* highest that its writer knew */
	uint64_t count;		/* rises with every record of one life */
	uint64_t life;		/* of the process that wrote it; never 0 */
};

enum hbd_witness_call {
	HBD_WITNESS_UNSET = 0,
	HBD_WITNESS_READ,
	HBD_WITNESS_SWAP,	/* write, if revision and record are still those last shown */
};

enum hbd_witness_result {
	HBD_WITNESS_NONE = 0,
	HBD_WITNESS_SWAPPED,	/* written; revision is the new one */
	HBD_WITNESS_SHOWN,	/* read, or refused: revision and record are the present ones */
	HBD_WITNESS_UNKNOWN,	/* no answer, or an error: a swap may have been done, or will be */
};

struct hbd_witness {
	bool known;		/* revision and record are those of the last answer */
	uint64_t revision;	/* of the record; 0 = there is none */
	struct hbd_record record;
	int64_t seen_ns;	/* when the first answer that showed this record came; 0 = none did */
	int64_t shown_ns;	/* when the last answer came that showed it */
	int64_t doubt_until_ns;	/* it lost what it knew: somebody may hold the vote till then */
	int64_t held_until_ns;	/* this node has the vote until then; 0 = it has not */
	uint64_t count;		/* of the last record written */
	uint64_t pending_id;	/* of the request under way; 0 = none */
	enum hbd_witness_call pending;
	int64_t sent_ns;	/* of that request */
	struct hbd_record wanted;	/* by the swap under way */
	struct hbd_record tried;	/* by the last swap with an unknown outcome; life 0 = none */
	int64_t tried_ns;	/* when that was sent */
};

void hbd_witness_init(struct hbd_witness *witness);

/*
 * The request id was sent at now_ns, in place of the one under way, if any, whose outcome is then
 * unknown. wanted: what a swap writes; its count is filled here. NULL for a read.
 */
void hbd_witness_asked(struct hbd_witness *witness, uint64_t id, const struct hbd_record *wanted,
		       int64_t now_ns);

/*
 * Takes the answer to request id, which came at now_ns; term_ns is Lw, self and life are this
 * node's. record is looked at for SHOWN with a revision other than 0. False for an answer that is
 * not waited for.
 */
bool hbd_witness_answered(struct hbd_witness *witness, uint64_t id, enum hbd_witness_result result,
			  uint64_t revision, const struct hbd_record *record, uint8_t self,
			  int64_t term_ns, int64_t now_ns);

/* The own clock stood still for stood_ns before now: what was sent was sent so much earlier. */
void hbd_witness_shift(struct hbd_witness *witness, int64_t stood_ns);

/*
 * This node did not run for late_ns before now, or its clock skipped so much: it has not seen the record
 * unchanged meanwhile, and waits so much longer for a vote that is another's.
 */
void hbd_witness_stalled(struct hbd_witness *witness, int64_t late_ns, int64_t now_ns);

/* This node stops counting on the vote; it may have it again by another swap only. */
void hbd_witness_give_up(struct hbd_witness *witness);

/*
 * The instant from which a swap that makes self the holder is allowed; 0 = at any time, and
 * HBD_NEVER_NS while the record is not known. gone_life: of a process that is over and answers no
 * more, so that its vote is free; 0 = none is known.
 */
int64_t hbd_witness_free_at_ns(const struct hbd_witness *witness, uint8_t self, uint64_t gone_life,
			       int64_t term_ns);

/* The register says, as far as is known, that this node index is the holder. */
bool hbd_witness_names(const struct hbd_witness *witness, unsigned holder);
