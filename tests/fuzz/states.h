/*
 * What nodes are and believe, as coverage: a combination that was not there before is as good as a
 * branch that was not taken before.
 */
#pragma once

#include <stdint.h>

#include "../../hbd/core/node.h"

#define STATES_BEGIN 2166136261u

/* One more word of a state; begins with STATES_BEGIN. */
uint32_t states_mix(uint32_t hash, unsigned word);

/* What a node is to one of its groups. */
uint32_t states_mix_group(uint32_t hash, const struct hbd_node *node, uint8_t group);

/* The state was reached. */
void states_note(uint32_t hash);
