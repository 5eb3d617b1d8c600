/*
 * Epochs are fencing tokens: they must rise even if both nodes forget everything but their disks.
 *
 * A start reserves a range of them ahead, so that no disk is touched when the owner changes, and no
 * matter how the process ends the next start begins above. Each life of the engine gets a part of
 * the range. Within a life, and between the nodes, the protocol makes epochs rise.
 */
#pragma once

#include <assert.h>
#include <stdint.h>

#include "../core/limits.h"

#define EPOCH_LIFE ((uint64_t)1 << 10)			/* of one engine */
#define EPOCH_LIVES ((uint64_t)1 << 10)			/* engines of one guardian */
#define EPOCH_RESERVE (EPOCH_LIFE * EPOCH_LIVES)	/* of one guardian */

/* What hbd writes stays far below; JSON and shells can hold it. */
#define EPOCH_MAX ((uint64_t)1 << 52)
static_assert(EPOCH_MAX > HBD_EPOCH_MAX + EPOCH_RESERVE, "what a peer says leaves the file sound");

/*
 * The epoch that all of this start are larger than, from STATE_DIR/epoch, where the next start's is
 * noted. A missing file is a first start: 0. What cannot be read or makes no sense is replaced by
 * the clock, which is above all that counting from a first start can have reached. What cannot be
 * written is logged; hbd starts all the same, because a full disk must not keep addresses down.
 */
uint64_t epoch_reserve(const char *state_dir);

/*
 * Notes that the peer has used epoch: a peer that was started more often is ahead, and after a
 * restart this node must not begin below what it has seen. For the scribe. A failure is logged.
 */
void epoch_raise(const char *state_dir, uint64_t epoch);
