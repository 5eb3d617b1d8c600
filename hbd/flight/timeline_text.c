/* The timeline for humans. */
#include "timeline_parts.h"

#include <time.h>

#include "../core/time.h"
#include "tables.h"

#define LINE_BYTES 1024
#define INDENT "                         "	/* under the event */

static double seconds(int64_t ns)
{
	return (double)ns / (double)HBD_S_NS;
}

static void print_clock(const struct timeline_page *page, int64_t instant_ns)
{
	const struct flight_facts *facts = page->scene.facts;
	int64_t real_ns = facts->real_ns + (instant_ns - facts->boot_ns);
	time_t second = (time_t)(real_ns / HBD_S_NS);
	struct tm fields;
	char text[64];

	if (real_ns < 0 || !gmtime_r(&second, &fields) ||
	    strftime(text, sizeof(text), "%F %T", &fields) == 0)
		fprintf(page->stream, "an unknown time");
	else
		fprintf(page->stream, "%s.%03lld UTC", text,
			(long long)(real_ns / HBD_MS_NS % 1000));
}

void timeline_text_head(const struct timeline_page *page, const struct flight_summary *summary)
{
	const struct flight_facts *facts = page->scene.facts;

	if (page->wanted->changes)
		return;
	fprintf(page->stream, "%s recorded this, with peer %s in cluster %s; hbd %s\n", facts->node,
		facts->peer, facts->cluster, facts->version);
	fprintf(page->stream, "written because of: %s\n", facts->cause);
	fprintf(page->stream, "%llu steps in %.3f s; instants below count from the last one, ",
		(unsigned long long)summary->steps, seconds(summary->end_ns - summary->begin_ns));
	print_clock(page, summary->end_ns);
	fprintf(page->stream, "\n\n");
}

/* ---- actions ------------------------------------------------------------------------------------- */

static void print_change(const struct timeline_page *page, const struct hbd_action *action)
{
	char buffer[16];

	fprintf(page->stream, "%s: %s -> %s: %s (%s), epoch %llu",
		flight_group_name(&page->scene, action->group, buffer),
		hbd_role_text(action->changed.from), hbd_role_text(action->changed.to),
		hbd_reason_sentence(action->reason), hbd_reason_text(action->reason),
		(unsigned long long)action->epoch);
}

static void print_action(const struct timeline_page *page, const struct hbd_action *action)
{
	const struct flight_type *type = &flight_action_types[action->type];
	char detail[LINE_BYTES];

	if (action->type == HBD_ACTION_CHANGED) {
		print_change(page, action);
		return;
	}
	flight_describe_text(&page->scene, type, action, detail, sizeof(detail));
	fprintf(page->stream, "%s%s%s", type->name, detail[0] ? " " : "", detail);
	if (action->type == HBD_ACTION_ALERT && (action->alert.kind == HBD_ALERT_LINK_LOST ||
						 action->alert.kind == HBD_ALERT_LINK_BACK))
		fprintf(page->stream, ", the link %u", action->link);
}

static void print_actions(const struct timeline_page *page, const struct flight_actions *actions,
			  const char *label, bool all)
{
	for (size_t i = 0; i < actions->count; i++) {
		const struct hbd_action *action = &actions->items[i].action;

		if (!all && !timeline_action_is_worth_telling(action))
			continue;
		fprintf(page->stream, INDENT "%s", label);
		print_action(page, action);
		fprintf(page->stream, "\n");
	}
}

static void print_changes(const struct timeline_page *page, const struct flight_step *step)
{
	for (size_t i = 0; i < step->replayed.count; i++) {
		if (step->replayed.items[i].action.type != HBD_ACTION_CHANGED)
			continue;
		print_change(page, &step->replayed.items[i].action);
		fprintf(page->stream, "\n");
	}
}

/* ---- events -------------------------------------------------------------------------------------- */

static void print_event(const struct timeline_page *page, const struct flight_step *step)
{
	const struct flight_type *type = &flight_event_types[step->event.type];
	char detail[LINE_BYTES];

	if (step->event.type == HBD_EVENT_PACKET)
		flight_describe_packet(&page->scene, step, detail, sizeof(detail));
	else
		flight_describe_text(&page->scene, type, &step->event, detail, sizeof(detail));
	fprintf(page->stream, "%-10s %s\n", type->name, detail);
}

static void print_begin(const struct timeline_page *page, const struct flight_step *step)
{
	const struct hbd_node *node = flight_player_node(page->player);
	char buffer[16];

	fprintf(page->stream, "%s", step->segment == 0 ? "it begins:"
				    : step->new_life  ? "another process:" : "state:");
	for (uint8_t i = 0; i < node->config->group_count; i++)
		fprintf(page->stream, " %s %s epoch %llu;",
			flight_group_name(&page->scene, i, buffer),
			hbd_role_text(node->groups[i].role),
			(unsigned long long)node->groups[i].epoch);
	fprintf(page->stream, " peer %s\n", hbd_peer_state_text(hbd_node_peer_state(node)));
}

static void print_peer(const struct timeline_page *page)
{
	const struct hbd_node *node = flight_player_node(page->player);
	const char *peer = page->scene.facts->peer;
	char buffer[16];

	for (uint8_t i = 0; i < node->config->group_count; i++)
		if (timeline_role_changed(page, i))
			fprintf(page->stream, INDENT "(%s says that it is %s of %s)\n", peer,
				hbd_role_text(page->now.roles[i]),
				flight_group_name(&page->scene, i, buffer));
	if (page->before.state == page->now.state)
		return;
	fprintf(page->stream, INDENT "(%s: %s, was %s", peer,
		hbd_peer_state_text(page->now.state), hbd_peer_state_text(page->before.state));
	if (node->detector.last_rx_ns > 0)
		fprintf(page->stream, "; last heard %.6f s before",
			seconds(node->now_ns - node->detector.last_rx_ns));
	fprintf(page->stream, ")\n");
}

static void print_difference(const struct timeline_page *page, const struct flight_step *step)
{
	if (!step->differs)
		return;
	if (step->kind == FLIGHT_STEP_BEGIN) {
		fprintf(page->stream, INDENT "DIFFERS: the replay has come to another %s\n",
			step->difference);
		return;
	}
	fprintf(page->stream, INDENT "DIFFERS in %s of step %llu\n", step->difference,
		(unsigned long long)step->number);
	print_actions(page, &step->recorded, "recorded: ", true);
	print_actions(page, &step->replayed, "replayed: ", true);
}

void timeline_text_step(const struct timeline_page *page)
{
	const struct flight_step *step = flight_player_step(page->player);

	if (page->wanted->changes) {
		print_changes(page, step);
		return;
	}
	fprintf(page->stream, "%14.6f s  ", seconds(step->now_ns - page->scene.end_ns));
	switch (step->kind) {
	case FLIGHT_STEP_BEGIN:
		print_begin(page, step);
		break;
	case FLIGHT_STEP_DIGEST:
		fprintf(page->stream, "the configuration was loaded anew, and is another one\n");
		break;
	case FLIGHT_STEP_EVENT:
		print_event(page, step);
		print_peer(page);
		if (!step->differs)
			print_actions(page, &step->recorded, "", page->wanted->all);
		break;
	case FLIGHT_STEP_LAST:
		print_event(page, step);
		fprintf(page->stream, INDENT "THE ENGINE DIED IN THIS STEP\n");
		break;
	case FLIGHT_STEP_SURVIVED:
		fprintf(page->stream, "the replay survives that step%s\n",
			step->replayed.count ? "" : ", and wants nothing");
		print_peer(page);
		print_actions(page, &step->replayed, "replayed: ", true);
		break;
	case FLIGHT_STEP_UNSET:
		break;
	}
	print_difference(page, step);
}

void timeline_text_tail(const struct timeline_page *page, const struct flight_summary *summary)
{
	if (page->wanted->changes)
		return;
	fprintf(page->stream, "\n");
	if (summary->why[0])
		fprintf(page->stream, "The replay ended early: %s.\n", summary->why);
	if (summary->differences == 0)
		fprintf(page->stream, "The replay is the same: %llu steps, %llu segment%s.\n",
			(unsigned long long)summary->steps, (unsigned long long)summary->segments,
			summary->segments == 1 ? "" : "s");
	else
		fprintf(page->stream, "The replay differs in %llu steps, first in step %llu at %.6f s: "
			"%s. Recorded by hbd %s, replayed by hbd " HBD_VERSION ".\n"
			"Another build decides otherwise; what follows a difference tells little up to "
			"the next segment. -a shows every step.\n",
			(unsigned long long)summary->differences,
			(unsigned long long)summary->first_difference,
			seconds(summary->differs_ns - summary->end_ns), summary->difference,
			page->scene.facts->version);
}
