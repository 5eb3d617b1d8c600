/*
 * What a prober gathers, and the JSON object that it prints at the end:
 *
 *	zero_ns			the mark, or the start if there is none, on CLOCK_BOOTTIME
 *	sent answered lost	requests to the first address
 *	gap_ms			the longest outage, as series.h defines it, that ended after the mark if
 *				there is one; gap: its parts, between whose answers, and when it
 *				began (ms after the mark, or the start)
 *	unanswered_ms		the service was still out when the prober ended, for so long
 *	answers			per node; last: who gave the last one
 *	changes			times that another node answered than before
 *	owners			of the requests that everyone was asked: how many, how long two nodes
 *				answered, and when
 *	addresses		after the mark: how many of how many have moved; first, median and
 *				last of them, in ms after the last request that the old node
 *				answered was sent, which is when the client's outage began
 *	late_ms skipped		of the prober itself: latest wake-up, periods slept through
 *	not_sent		requests the kernel refused
 *	realtime		the prober had real-time priority
 */
#pragma once

#include <stdio.h>

#include "frame.h"
#include "probe.h"
#include "series.h"

struct prober_target {
	union frame_address address;
	int64_t moved_ns;	/* 0 = not yet */
	uint8_t node;		/* who answered last before the mark; SERIES_NODE_NONE */
};

struct prober_figures {
	struct series service;
	struct series owners;
	struct prober_target *targets;
	size_t target_count;
	char nodes[SERIES_NODES_MAX][PROBE_NODE_BYTES];
	size_t node_count;
	size_t answers[SERIES_NODES_MAX];	/* of the service, as they come in */
	int64_t start_ns;
	int64_t mark_ns;	/* 0 = no mark */
	int64_t latest_ns;	/* the newest answer of the service */
	int64_t late_ns;
	uint64_t skipped;
	uint64_t not_sent;
	bool realtime;
};

void prober_figures_add(struct prober_figures *figures, const union frame_address *address);
void prober_figures_mark(struct prober_figures *figures, int64_t now_ns);
void prober_figures_late(struct prober_figures *figures, int64_t late_ns);
void prober_figures_answer(struct prober_figures *figures, const struct probe_answer *answer,
			   int64_t now_ns);
void prober_figures_print(const struct prober_figures *figures, FILE *file);
void prober_figures_free(struct prober_figures *figures);
