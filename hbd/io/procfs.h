/*
 * What /proc tells of a process: enough to say that two sightings of a pid are the same process, and
 * whose run it belongs to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCFS_COMMAND_BYTES 32

/* The beginning of a file of /proc, with a NUL. Its length; 0 if it cannot be read. */
size_t procfs_read(const char *path, char *buffer, size_t size);

/* When it was started, in clock ticks since boot, never 0; 0 if there is no such process or only
 * its zombie. pid and start together are unique until the next boot. */
uint64_t procfs_start(pid_t pid);

/* Its command name, "?" if there is none. */
void procfs_command(pid_t pid, char ret_command[PROCFS_COMMAND_BYTES]);

/* A variable of the environment it was started with, into ret_value; empty if it has none or its
 * memory is not ours to see. name ends with '='. */
void procfs_variable(pid_t pid, const char *name, char *ret_value, size_t size);
