#include "prober_report.h"

#include <stdlib.h>
#include <string.h>

#include "tool.h"

void prober_figures_add(struct prober_figures *figures, const union frame_address *address)
{
	figures->targets = reallocarray(figures->targets, figures->target_count + 1,
					sizeof(*figures->targets));
	if (!figures->targets)
		tool_fail("remember %zu addresses", figures->target_count + 1);
	figures->targets[figures->target_count++] =
		(struct prober_target){.address = *address, .node = SERIES_NODE_NONE};
}

void prober_figures_mark(struct prober_figures *figures, int64_t now_ns)
{
	figures->mark_ns = now_ns;
}

void prober_figures_late(struct prober_figures *figures, int64_t late_ns)
{
	if (late_ns > figures->late_ns)
		figures->late_ns = late_ns;
}

static uint8_t node_index(struct prober_figures *figures, const char *name)
{
	for (size_t i = 0; i < figures->node_count; i++)
		if (!strncmp(figures->nodes[i], name, PROBE_NODE_BYTES - 1))
			return (uint8_t)i;
	if (figures->node_count == SERIES_NODES_MAX)
		tool_fail("more than %d nodes answer", SERIES_NODES_MAX);
	memcpy(figures->nodes[figures->node_count], name, PROBE_NODE_BYTES - 1);
	return (uint8_t)figures->node_count++;
}

static void target_answer(struct prober_figures *figures, size_t index, uint8_t node,
			  int64_t now_ns)
{
	struct prober_target *target;

	if (index >= figures->target_count)
		return;
	target = &figures->targets[index];
	if (!figures->mark_ns)
		target->node = node;
	else if (node != target->node && !target->moved_ns)
		target->moved_ns = now_ns;
}

void prober_figures_answer(struct prober_figures *figures, const struct probe_answer *answer,
			   int64_t now_ns)
{
	uint8_t node = node_index(figures, answer->node);

	switch ((enum probe_kind)answer->probe.kind) {
	case PROBE_SERVICE:
		series_answer(&figures->service, answer->probe.number, node, now_ns);
		target_answer(figures, 0, node, now_ns);
		figures->answers[node]++;
		figures->latest_ns = now_ns;
		break;
	case PROBE_OWNERS:
		series_answer(&figures->owners, answer->probe.number, node, now_ns);
		break;
	case PROBE_SWEEP:
		target_answer(figures, answer->probe.number, node, now_ns);
		break;
	case PROBE_UNSET:
		break;
	}
}

static json_t *milliseconds(int64_t ns)
{
	return json_real((double)ns / TOOL_MS_NS);
}

static json_t *node_name(const struct prober_figures *figures, uint8_t node)
{
	return node < figures->node_count ? json_string(figures->nodes[node]) : json_null();
}

static int64_t zero_ns(const struct prober_figures *figures)
{
	return figures->mark_ns ? figures->mark_ns : figures->start_ns;
}

static json_t *report_gap(const struct prober_figures *figures, const struct series_gap *gap)
{

	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "by_send_ms", milliseconds(gap->by_send_ns),
			 "by_arrival_ms", milliseconds(gap->by_arrival_ns), "from",
			 node_name(figures, gap->from), "to", node_name(figures, gap->to), "began_ms",
			 gap->began_ns ? milliseconds(gap->began_ns - zero_ns(figures)) : json_null());
}

static json_t *report_answers(const struct prober_figures *figures,
			      const struct series_summary *summary)
{
	json_t *answers = json_object();

	for (size_t i = 0; i < figures->node_count; i++)
		if (summary->by_node[i])
			json_object_set_new(answers, figures->nodes[i],
					    json_integer((json_int_t)summary->by_node[i]));
	return answers;
}

static json_t *report_owners(const struct prober_figures *figures)
{
	const struct series *owners = &figures->owners;
	struct series_summary summary = series_summarize(owners, 0);

	if (!owners->count)
		return json_null();
	return json_pack("{s:I, s:I, s:o, s:o}", "asked", (json_int_t)owners->count, "answered",
			 (json_int_t)summary.answered, "two_ms",
			 milliseconds((int64_t)summary.two_owners * owners->period_ns), "two_at_ms",
			 series_two_owners(owners, zero_ns(figures)));
}

static int compare_ns(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* The times at which addresses moved, in order; returns how many. */
static size_t sort_moved(const struct prober_figures *figures, int64_t *ret_times)
{
	size_t count = 0;

	for (size_t i = 0; i < figures->target_count; i++)
		if (figures->targets[i].moved_ns)
			ret_times[count++] = figures->targets[i].moved_ns;
	qsort(ret_times, count, sizeof(*ret_times), compare_ns);
	return count;
}

static json_t *report_addresses(const struct prober_figures *figures)
{
	int64_t *times, began_ns = figures->mark_ns;
	uint8_t before = figures->targets[0].node;
	json_t *report;
	size_t moved;

	if (!figures->mark_ns)
		return json_null();
	times = calloc(figures->target_count, sizeof(*times));
	if (!times)
		tool_fail("sort %zu addresses", figures->target_count);
	moved = sort_moved(figures, times);
	if (moved && before != SERIES_NODE_NONE)
		began_ns = series_last_of(&figures->service, before, times[0]);
	report = json_pack("{s:I, s:I}", "count", (json_int_t)figures->target_count, "moved",
			   (json_int_t)moved);
	if (moved) {
		json_object_set_new(report, "first_ms", milliseconds(times[0] - began_ns));
		json_object_set_new(report, "median_ms", milliseconds(times[moved / 2] - began_ns));
		json_object_set_new(report, "last_ms", milliseconds(times[moved - 1] - began_ns));
	}
	free(times);
	return report;
}

void prober_figures_print(const struct prober_figures *figures, FILE *file)
{
	struct series_summary summary = series_summarize(&figures->service, figures->mark_ns);
	size_t sent = figures->service.count;
	json_t *report = json_pack(
		"{s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:I, s:I, s:b}",
		"zero_ns", (json_int_t)zero_ns(figures),
		"sent", (json_int_t)sent,
		"answered", (json_int_t)summary.answered,
		"lost", (json_int_t)(sent - summary.answered),
		"gap_ms", milliseconds(summary.longest.gap_ns),
		"gap", report_gap(figures, &summary.longest),
		"unanswered_ms", milliseconds(summary.unanswered_ns),
		"answers", report_answers(figures, &summary),
		"last", node_name(figures, summary.last_node),
		"changes", (json_int_t)summary.changes,
		"owners", report_owners(figures),
		"addresses", report_addresses(figures),
		"late_ms", milliseconds(figures->late_ns),
		"skipped", (json_int_t)figures->skipped,
		"not_sent", (json_int_t)figures->not_sent,
		"realtime", figures->realtime);

	if (!report || json_dumpf(report, file, JSON_COMPACT | JSON_REAL_PRECISION(9)) < 0)
		tool_fail("print the report");
	fputc('\n', file);
	json_decref(report);
}

void prober_figures_free(struct prober_figures *figures)
{
	series_free(&figures->service);
	series_free(&figures->owners);
	free(figures->targets);
	figures->targets = NULL;
	figures->target_count = 0;
}
