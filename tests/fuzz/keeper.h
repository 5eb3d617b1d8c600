/*
 * The witness's register: it writes what is asked for if the revision is the right one, answers or
 * does not, and says or does not say what it did, as it is told to.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "insider.h"

struct keeper {
	struct hbd_action requests[INSIDER_GROUPS];	/* the newest; id 0 = answered */
	int64_t request_ns[INSIDER_GROUPS];
	struct hbd_record records[INSIDER_GROUPS];
	uint64_t revisions[INSIDER_GROUPS];
};

#define KEEPER_WRITES 0x01
#define KEEPER_ANSWERS 0x02
#define KEEPER_TELLS 0x04	/* else the answer is that nobody knows what became of it */
#define KEEPER_WORKS 0x07

void keeper_ask(struct keeper *keeper, const struct hbd_action *request, int64_t now_ns);

/* True if it was a swap and is written now. */
bool keeper_write(struct keeper *keeper, uint8_t group);

/* True if there is an answer. */
bool keeper_answer(struct keeper *keeper, uint8_t group, bool written, bool told,
		   struct hbd_event *ret_event);

/* Somebody else writes: the peer has it, or nobody. */
void keeper_seize(struct keeper *keeper, uint8_t group, uint8_t holder, uint64_t epoch);
