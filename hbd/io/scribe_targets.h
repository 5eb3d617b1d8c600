/*
 * The recipients of the configured alerts. A list "to" of an alert is one target for each of its
 * entries, so that one wrong address holds back or repeats nobody else's message; the plugin is
 * then told a "to" with that entry only. The scribe's own.
 */
#pragma once

#include "../conf/conf.h"
#include "deliver.h"
#include "plugin.h"

struct scribe_targets {
	size_t count;
	struct deliver_target items[SPOOL_TARGETS_MAX];
	const char *keys[SPOOL_TARGETS_MAX];	/* the same keys, for the spool; owned */
	struct plugin *plugins[SPOOL_TARGETS_MAX];
	int64_t timeouts_ns[SPOOL_TARGETS_MAX];
};

/* plugin_dir must outlive it. 0 or -ENOMEM; free it in both cases. */
int scribe_targets_init(struct scribe_targets *targets, const struct hbd_conf *conf,
			const char *plugin_dir);
void scribe_targets_free(struct scribe_targets *targets);
