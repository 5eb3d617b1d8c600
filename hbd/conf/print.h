/*
 * Inside conf/: the canonical form of a configuration, as text.
 */
#pragma once

#include "conf.h"

/* What conf_print() prints, but only the settings in which both nodes must agree. */
void conf_print_agreed(const struct hbd_conf *conf, FILE *stream);
