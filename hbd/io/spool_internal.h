/* Shared by the files of the spool; nobody else's. */
#pragma once

#include "spool.h"

#include "spool_file.h"

struct spool {
	struct spool_config config;
	int directory_fd;		/* -1: could not be used when last tried */
	struct spool_event *first, *last;
	size_t count;
	uint64_t dropped[SPOOL_TARGETS_MAX];
	int64_t complained_ns;
	unsigned complaints;		/* not made since then */
	int64_t retry_ns;		/* HBD_NEVER_NS: everything is on the disk */
};

/* Says that something failed; loud, but not for each of a thousand alerts. */
void spool_complain(struct spool *spool, int error, const char *what);

/* Opens the directory, also if somebody removed it under us. 0 or a negative errno. */
int spool_use_directory(struct spool *spool);

void spool_append_event(struct spool *spool, struct spool_event *event);

/* How many alerts were dropped, per target, outlives the process too. */
void spool_load_dropped(struct spool *spool);
void spool_save_dropped(struct spool *spool);
