/*
 * What the programs in tests/tools/ share: the clock, real-time scheduling, arguments, complaints.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TOOL_MS_NS 1000000LL
#define TOOL_S_NS 1000000000LL

/* CLOCK_BOOTTIME, as hbd counts. */
int64_t tool_now_ns(void);

/* SCHED_RR at priority and locked memory; false where that is not allowed. */
bool tool_realtime(int priority);

/* The number that text is, within min..max; says what is wrong and exits with 2 otherwise. */
int64_t tool_number(const char *what, const char *text, int64_t min, int64_t max);

/* "NAME: text", with the error of errno unless it is 0, and exit with 1. */
void tool_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* SIGTERM, SIGINT and the end of the parent set the flag that this returns; SIGUSR1 sets *ret_mark
 * (may be NULL). None of them restarts a system call. */
const volatile bool *tool_stop_flag(const volatile bool **ret_mark);
