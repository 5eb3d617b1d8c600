/*
 * The witness of a world: a register as etcd keeps it, linearizable, behind a network of its own.
 *
 * A request is applied when it arrives, whether or not anybody still waits for it; the answer may be
 * late, lost, or lost after the request was applied. It knows no time and no roles.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../../hbd/core/action.h"
#include "../../hbd/core/witness.h"
#include "kernel.h"

struct world;
struct world_job;

struct world_register {
	uint64_t revision;	/* 0 = no record */
	struct hbd_record record;
};

struct world_witness {
	bool present;
	bool down;		/* applies nothing; clients' requests fail */
	bool slow;		/* takes up to 3 s now and then */
	bool cut[HBD_NODES];	/* that node does not reach it */
	int lost_permille;	/* of requests, and of answers */
	uint64_t revision;	/* of the last write; one count for all records */
	struct world_register records[WORLD_GROUPS_MAX];
};

/* Carries out a HBD_ACTION_WITNESS of the machine. */
void witness_request(struct world *world, uint8_t machine, const struct hbd_action *action);

/* JOB_REQUEST: it has arrived; applies it and sends the answer. */
void witness_arrive(struct world *world, const struct world_job *request);
