/*
 * A world and its checker as they are now, to go back to. Only into the very same world: what points
 * into it stays where it is.
 */
#pragma once

#include "checker.h"

struct save;

struct save *save_world(const struct world *world, const struct checker *checker);
void restore_world(const struct save *save, struct world *world, struct checker *checker);
void save_free(struct save *save);
