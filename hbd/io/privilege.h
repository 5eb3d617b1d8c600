/*
 * What the engine takes before it gives up root, and what it keeps.
 *
 * Real-time scheduling and locked memory are wanted, not needed: without them the engine runs, but
 * a busy or swapping machine can delay heartbeats. A refusal is logged with its consequence and
 * its remedy, and is shown by hbctl status.
 */
#pragma once

#include <stdbool.h>

#include "process.h"

/* SCHED_RR, above ordinary processes and below the kernel's own threads. True if in force. */
bool privilege_realtime(void);

/* The same for the calling thread, one priority below, when the process has it. */
void privilege_realtime_below(void);

/* Locks present and future memory, the stack included, and keeps freed memory. True if in force. */
bool privilege_lock_memory(void);

/*
 * Becomes user (unless it is that already) and keeps only what the engine needs: CAP_NET_ADMIN for
 * addresses, CAP_NET_RAW for announcements, CAP_SYS_NICE and CAP_IPC_LOCK to stay on time. Nothing
 * that this process executes could gain more. 0, or a negative errno, which was logged.
 */
int privilege_drop(const struct process_user *user);
