/*
 * For test programs of links: a second network namespace beside own_net's, and a cable to it.
 * The process steps over and back; sockets stay in the namespace that they were opened in.
 */
#pragma once

#include "own_net.h"

/* A new, empty network namespace; close() ends it when nothing is left in it. */
int far_net_new(void);

/* From now on this process acts there; returns where it was, to go back to (and to close). */
int far_net_enter(int net);
void far_net_leave(int before);

/* A veth pair, up on both ends: name here, the same name there. IPv6 without automatic addresses. */
void far_net_cable(int net, const char *name);

/* Runs a shell command over there; the test fails if it does. */
void run_far(int net, const char *command);
