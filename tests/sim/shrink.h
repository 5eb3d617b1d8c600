/*
 * The smallest list of faults with which a seed still violates the same invariant: delta debugging
 * (Zeller, Hildebrandt 2002) over the numbers of the faults.
 */
#pragma once

#include "run.h"

/* Shrinks what violated result and prints what is left, and the command that repeats it. */
void shrink_and_print(const struct run_plan *plan, const struct run_result *result);
