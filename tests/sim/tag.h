/*
 * The tags of packets in a simulation: SipHash instead of BLAKE2b, which took more than half of the
 * time. Nothing in a simulated world can tell them apart: both are keyed, have 128 bits and give
 * every changed bit away. Keys are derived by BLAKE2b, and recordings checked by it, as always.
 */
#pragma once

#include <stdbool.h>

/* True if the quicker one is linked into this program. */
bool tag_is_quick(void);
