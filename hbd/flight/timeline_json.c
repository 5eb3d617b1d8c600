/* The timeline for programs: one object a line. */
#include "timeline_parts.h"

#include "../core/time.h"
#include "tables.h"

static void print_line(const struct timeline_page *page, json_t *object)
{
	if (object)
		json_dumpf(object, page->stream, JSON_COMPACT);
	fputc('\n', page->stream);
	json_decref(object);
}

static json_t *make_actions(const struct timeline_page *page, const struct flight_actions *actions)
{
	json_t *list = json_array();

	for (size_t i = 0; i < actions->count; i++) {
		const struct hbd_action *action = &actions->items[i].action;
		const struct flight_type *type = &flight_action_types[action->type];
		json_t *object = json_pack("{s:s}", "action", type->name);

		flight_describe_json(&page->scene, type, action, object);
		json_array_append_new(list, object);
	}
	return list;
}

static void add_packet(const struct timeline_page *page, const struct flight_step *step,
		       json_t *object)
{
	char detail[1024];

	flight_describe_packet(&page->scene, step, detail, sizeof(detail));
	json_object_set_new(object, "packet", json_string(detail));
	flight_describe_json(&page->scene, &flight_verdict_type, &step->received.verdict, object);
}

static void add_event(const struct timeline_page *page, const struct flight_step *step,
		      json_t *object)
{
	const struct flight_type *type = &flight_event_types[step->event.type];

	json_object_set_new(object, "event", json_string(type->name));
	flight_describe_json(&page->scene, type, &step->event, object);
	if (step->event.type == HBD_EVENT_PACKET)
		add_packet(page, step, object);
	if (step->times > 1)
		json_object_set_new(object, "times", json_integer((json_int_t)step->times));
	json_object_set_new(object, "actions", make_actions(page, &step->recorded));
	if (step->differs || step->kind == FLIGHT_STEP_SURVIVED)
		json_object_set_new(object, "replayed", make_actions(page, &step->replayed));
}

void timeline_json_step(const struct timeline_page *page)
{
	const struct flight_step *step = flight_player_step(page->player);
	const struct flight_facts *facts = page->scene.facts;
	int64_t real_ns = facts->real_ns + (step->now_ns - facts->boot_ns);
	json_t *object = json_pack("{s:I, s:f, s:f, s:s}", "step", (json_int_t)step->number, "at",
				   (double)(step->now_ns - page->scene.end_ns) / (double)HBD_S_NS,
				   "time", (double)real_ns / (double)HBD_S_NS, "peer",
				   hbd_peer_state_text(page->now.state));

	if (step->kind == FLIGHT_STEP_LAST || step->kind == FLIGHT_STEP_SURVIVED)
		json_object_set_new(object, step->kind == FLIGHT_STEP_LAST ? "died" : "survived",
				    json_true());
	if (step->kind == FLIGHT_STEP_EVENT || step->kind == FLIGHT_STEP_LAST ||
	    step->kind == FLIGHT_STEP_SURVIVED)
		add_event(page, step, object);
	else
		json_object_set_new(object, "event",
				    json_string(step->kind == FLIGHT_STEP_BEGIN ? "begin"
										 : "digest"));
	if (step->differs)
		json_object_set_new(object, "differs", json_string(step->difference));
	print_line(page, object);
}

void timeline_json_tail(const struct timeline_page *page, const struct flight_summary *summary)
{
	const struct flight_facts *facts = page->scene.facts;
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "node", facts->node,
				   "peer", facts->peer, "cluster", facts->cluster, "hbd",
				   facts->version, "cause", facts->cause, "steps",
				   (json_int_t)summary->steps, "segments",
				   (json_int_t)summary->segments, "differences",
				   (json_int_t)summary->differences);

	if (summary->differences > 0)
		json_object_set_new(object, "first_difference",
				    json_integer((json_int_t)summary->first_difference));
	if (summary->why[0])
		json_object_set_new(object, "ended_early", json_string(summary->why));
	print_line(page, object);
}
