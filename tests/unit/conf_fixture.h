/*
 * Configurations for tests: a text with everything in it, edits of it, and what becomes of them.
 */
#pragma once

#include "../../hbd/conf/conf.h"

/* As in the manual page and the README; two nodes, one group with checks and plugins, alerts. */
extern const char full_text[];

/* text with the first old replaced by new; old must be there. The caller frees it. */
char *replaced(const char *text, const char *old, const char *new);

/* Loads text, which must have no mistake. The caller frees it. */
struct hbd_conf *loaded(const char *text);

/* What conf_print() prints. The caller frees it. */
char *printed(const struct hbd_conf *conf);
