/*
 * The engine's side of the drain: what it asks the guardian for, and when (drain.h says what it is).
 *
 * Private to executor*.c. The taker forwards from FORWARD, before it is ready, until its peer no longer
 * drains; the old owner holds while it drains.
 */
#pragma once

#include "executor.h"

/* Carries out HBD_ACTION_FORWARD. */
void executor_forward(struct executor *executor, const struct hbd_action *action);

/* Asks for what follows from what the node is now, if it is something else than before. */
void executor_drain(struct executor *executor, uint8_t group);

/* An action under this id ended: the node is told. */
void executor_report_done(struct executor *executor, uint64_t id, int result);
