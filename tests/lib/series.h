/*
 * A series of requests, one each period, and who answered them when: from this the length of an
 * outage and the time with two owners are computed. No sockets here.
 *
 * Outage. Take two answered requests with none answered between them. The gap by send is the time
 * between their sending less one period, if requests between them were lost. The gap by arrival
 * is the time that requests waited without any answer coming in: from the sending of the first one
 * after the former to the arrival of the latter's answer. The gap is the larger of the two: it
 * sees requests that were lost and requests that waited somewhere and were answered late. Time in
 * which the client itself stood still, so that nothing was asked, is no outage. A service without
 * one has a gap of one round trip. A service that did not come back has `unanswered_ns` instead.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIES_NODES_MAX 4
#define SERIES_NODE_NONE 0xff

struct series_request {
	int64_t sent_ns;
	int64_t answered_ns;	/* of the first answer; 0 = none */
	uint8_t node;		/* who gave it */
	uint8_t nodes;		/* bit per node that answered */
};

struct series {
	struct series_request *requests;
	size_t count;
	size_t size;
	int64_t period_ns;
};

struct series_gap {
	int64_t gap_ns;
	int64_t by_send_ns;
	int64_t by_arrival_ns;
	int64_t began_ns;	/* the last request before it was sent then; 0 = nothing answered */
	uint8_t from;		/* who answered before and after it; SERIES_NODE_NONE */
	uint8_t to;
};

struct series_summary {
	size_t answered;
	size_t by_node[SERIES_NODES_MAX];
	size_t changes;			/* times that another node answered than before */
	uint8_t last_node;		/* who gave the last answer; SERIES_NODE_NONE */
	struct series_gap longest;
	int64_t unanswered_ns;		/* from the last answered request to the last one */
	size_t two_owners;		/* requests that more than one node answered */
};

void series_free(struct series *series);

/* Notes a request and returns its number, from 0. Exits if memory runs out. */
uint64_t series_send(struct series *series, int64_t now_ns);

/* An answer to it, which came in at now_ns; numbers that were never sent are ignored. */
void series_answer(struct series *series, uint64_t number, uint8_t node, int64_t now_ns);

/* The longest gap is looked for among those that end at or after since_ns (0 = all), so that what
 * the machine did before an event is not taken for its outcome. The rest is of the whole series. */
struct series_summary series_summarize(const struct series *series, int64_t since_ns);

/* When the last request before until_ns that this node answered was sent; 0 = none. */
int64_t series_last_of(const struct series *series, uint8_t node, int64_t until_ns);

/* [[BEGIN_MS, END_MS], ...] after zero_ns: runs of requests that more than one node answered. */
json_t *series_two_owners(const struct series *series, int64_t zero_ns);
