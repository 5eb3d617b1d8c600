/*
 * What a reload can change: alerts, and how checks and takeover plugins are run. What the engine
 * holds (names, links, addresses, keys, times, the plan of a takeover) only a restart changes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "../conf/conf.h"

/* True if going from old to new needs no new engine; else ret_what names the first setting that
 * differs, "groups.web.addresses". */
bool reload_is_possible(const struct hbd_conf *old, const struct hbd_conf *new, char *ret_what,
			size_t size);

/* True if alerts are delivered in another way. */
bool reload_changes_alerts(const struct hbd_conf *old, const struct hbd_conf *new);
