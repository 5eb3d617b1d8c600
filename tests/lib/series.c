#include "series.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

void series_free(struct series *series)
{
	free(series->requests);
	*series = (struct series){0};
}

uint64_t series_send(struct series *series, int64_t now_ns)
{
	if (series->count == series->size) {
		series->size = series->size ? series->size * 2 : 65536;
		series->requests =
			reallocarray(series->requests, series->size, sizeof(*series->requests));
		if (!series->requests)
			tool_fail("remember %zu requests", series->size);
	}
	series->requests[series->count] =
		(struct series_request){.sent_ns = now_ns, .node = SERIES_NODE_NONE};
	return series->count++;
}

void series_answer(struct series *series, uint64_t number, uint8_t node, int64_t now_ns)
{
	struct series_request *request;

	assert(node < SERIES_NODES_MAX);
	if (number >= series->count)
		return;
	request = &series->requests[number];
	request->nodes |= (uint8_t)(1u << node);
	if (request->answered_ns)
		return;
	request->answered_ns = now_ns;
	request->node = node;
}

static bool has_two_owners(const struct series_request *request)
{
	return (request->nodes & (request->nodes - 1)) != 0;
}

static int64_t max_ns(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Answers may overtake each other: latest_ns is the newest arrival up to before's. */
static struct series_gap gap_between(const struct series *series, const struct series_request *before,
				     const struct series_request *after, int64_t latest_ns)
{
	struct series_gap gap = {.began_ns = before->sent_ns, .from = before->node, .to = after->node};

	if (after - before > 1)
		gap.by_send_ns = max_ns(0, after->sent_ns - before->sent_ns - series->period_ns);
	gap.by_arrival_ns = max_ns(0, after->answered_ns - max_ns(latest_ns, before[1].sent_ns));
	gap.gap_ns = max_ns(gap.by_send_ns, gap.by_arrival_ns);
	return gap;
}

struct series_summary series_summarize(const struct series *series, int64_t since_ns)
{
	struct series_summary summary = {
		.longest = {.from = SERIES_NODE_NONE, .to = SERIES_NODE_NONE},
		.last_node = SERIES_NODE_NONE};
	const struct series_request *before = NULL;
	int64_t latest_ns = 0;

	for (size_t i = 0; i < series->count; i++) {
		const struct series_request *request = &series->requests[i];

		if (!request->answered_ns)
			continue;
		summary.answered++;
		summary.by_node[request->node]++;
		summary.last_node = request->node;
		summary.two_owners += has_two_owners(request);
		if (before) {
			struct series_gap gap = gap_between(series, before, request, latest_ns);

			if (request->sent_ns >= since_ns && gap.gap_ns >= summary.longest.gap_ns)
				summary.longest = gap;
			summary.changes += before->node != request->node;
		}
		before = request;
		latest_ns = max_ns(latest_ns, request->answered_ns);
	}
	if (before)
		summary.unanswered_ns =
			series->requests[series->count - 1].sent_ns - before->sent_ns;
	return summary;
}

int64_t series_last_of(const struct series *series, uint8_t node, int64_t until_ns)
{
	for (size_t i = series->count; i-- > 0;) {
		const struct series_request *request = &series->requests[i];

		if (request->sent_ns < until_ns && request->nodes & (1u << node))
			return request->sent_ns;
	}
	return 0;
}

static void append_interval(json_t *list, int64_t begin_ns, int64_t end_ns)
{
	json_array_append_new(list, json_pack("[f,f]", (double)begin_ns / TOOL_MS_NS,
					      (double)end_ns / TOOL_MS_NS));
}

json_t *series_two_owners(const struct series *series, int64_t zero_ns)
{
	json_t *list = json_array();
	int64_t begin_ns = 0, end_ns = 0;

	for (size_t i = 0; i < series->count; i++) {
		const struct series_request *request = &series->requests[i];

		if (has_two_owners(request)) {
			begin_ns = begin_ns ? begin_ns : request->sent_ns;
			end_ns = request->sent_ns + series->period_ns;
		} else if (begin_ns && request->answered_ns) {
			append_interval(list, begin_ns - zero_ns, end_ns - zero_ns);
			begin_ns = 0;
		}
	}
	if (begin_ns)
		append_interval(list, begin_ns - zero_ns, end_ns - zero_ns);
	return list;
}
