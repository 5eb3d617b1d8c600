/*
 * Before a stop, or while the machine is about to go down: the engine hands over what it serves, and
 * that is waited for.
 */
#include "guardian_parts.h"

#include "../base/log.h"

void guardian_leave(struct guardian *guardian, bool on)
{
	struct message leave = { .type = MESSAGE_LEAVE };

	if (guardian->leave.on == on)
		return;
	guardian->leave.on = on;
	guardian->leave.over = false;
	leave.leave.on = on;
	leave.leave.patience_ns = guardian->conf->stop_ns;
	guardian_engine_tell(guardian, &leave, -1);
}

void guardian_leave_repeat(struct guardian *guardian)
{
	if (!guardian->leave.on)
		return;
	guardian->leave.on = false;
	guardian_leave(guardian, true);
}

void guardian_leave_over(struct guardian *guardian)
{
	if (!guardian->leave.on)
		return;
	guardian->leave.over = true;
	guardian_logind_let_go(guardian);
	guardian_stop_left(guardian);
}
