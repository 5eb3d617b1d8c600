/*
 * One hbd per run directory.
 *
 * The lock is a POSIX record lock of the guardian on RUN_DIR/hbd.lock, which the kernel drops with
 * the process and which children do not inherit. The file's text names the processes of the
 * instance (role, pid, start time), so that the next start after a kill -9 can wait for survivors and
 * end those that do not end by themselves, by their identity and not by their name.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct run_lock;

/* 0; -EBUSY with *ret_holder, the pid of the running instance (0 = not known); or a negative errno. */
int run_lock_take(const char *run_dir, struct run_lock **ret_lock, pid_t *ret_holder);

/* Removes the file and lets go. Accepts NULL. */
void run_lock_release(struct run_lock *lock);

/* Notes a process of this instance in the file; a former one of the same role is forgotten. */
void run_lock_note(struct run_lock *lock, const char *role, pid_t pid);

/*
 * Ends what a killed predecessor left: children of its plugins at once, its engine and scribe, which
 * end by themselves when their guardian is gone, if they have not done so within wait_ms. Blocks.
 * Returns how many processes it killed.
 */
size_t run_lock_settle(struct run_lock *lock, int wait_ms);
