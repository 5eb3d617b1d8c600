/*
 * Health checks: programs of plugins/check, each run at its interval, and the verdict on each.
 *
 * A check is unknown until its first success or its fall'th failure in a row, and unknown counts as
 * good: a machine that starts is not at fault before anybody looked. From then on it turns bad after
 * `fall` failures in a row and good again after `rise` successes in a row. Anything but exit status
 * 0 in time is a failure, and a check that cannot be run has failed: fail-open checks are worse
 * than none.
 *
 * Runs of one check never overlap: one that takes longer than the interval delays the next.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "../conf/conf.h"
#include "process.h"

#define CHECK_DETAIL_BYTES 120

/* A check has a verdict for the first time, or another one than before. detail: what its program
 * said last, or how it ended. */
typedef void (*check_handler)(void *context, uint8_t group, uint8_t check, bool good,
			      const char *detail);

/* All of it must outlive the set. */
struct check_setup {
	sd_event *loop;
	int64_t priority;
	struct process_runner *runner;
	const struct hbd_conf *conf;
	uint8_t self;			/* node index */
	const char *plugin_dir;		/* --plugin-dir or NULL */
	const struct process_user *user;	/* NULL = whoever we are */
	check_handler handler;
	void *context;
};

struct check_set;

/*
 * Schedules all checks of all groups, the first ones soon. former: a set whose verdicts are taken
 * over, by the names of group and check, or NULL. 0, or a negative errno.
 */
int check_set_new(const struct check_setup *setup, const struct check_set *former,
		  struct check_set **ret_set);

/* Kills what runs; the handler is not called any more. Accepts NULL. */
void check_set_free(struct check_set *set);

/* Tells all verdicts again, for a new engine. */
void check_set_repeat(const struct check_set *set);
