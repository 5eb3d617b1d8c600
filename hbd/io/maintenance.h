/*
 * Whether this node is in maintenance (core/maintenance.h), kept over restarts in STATE_DIR/maintenance:
 * the file is there while it is.
 */
#pragma once

#include <stdbool.h>

/* What was noted. What cannot be told is logged, and counts as not in maintenance: it must not
 * keep a node from serving. */
bool maintenance_noted(const char *state_dir);

/*
 * Notes it durably: once this returned 0 a power loss does not undo it. Negative errno, not logged;
 * then what was noted before may be in force or not. Blocks on the disk: for the scribe.
 */
int maintenance_note(const char *state_dir, bool on);
