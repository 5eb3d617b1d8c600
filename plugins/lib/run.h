/* Runs another program, without a shell. */
#pragma once

#include <stddef.h>

/*
 * Runs argv (found in PATH) with bytes as its standard input; its output is this program's. Returns
 * its exit status, or 128 + the signal that ended it. Ends this program if it cannot be started.
 */
int run_program(const char *const *argv, const char *input, size_t bytes);
