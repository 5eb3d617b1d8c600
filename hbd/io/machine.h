/*
 * What of a configuration only the machine can say on which hbd is started: which of the two nodes it
 * is, and whether the users exist. Mistakes are told on standard error. For main.c, before the start.
 */
#pragma once

#include <stdbool.h>

#include "../conf/conf.h"

/* The index of the node called node, or, if that is NULL, of the one that this machine is; negative if
 * there is none. */
int machine_find_self(const struct hbd_conf *conf, const char *node);

bool machine_has_users(const struct hbd_conf *conf);
