#include "player_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../core/time.h"
#include "tables.h"

#define TIMES_MAX 100000000	/* junk in one instant */

bool flight_player_refuse(char *why, const char *sentence)
{
	snprintf(why, FLIGHT_WHY_BYTES, "%s", sentence);
	return false;
}

int flight_player_new(const struct flight_file *file, struct flight_player **ret_player)
{
	struct flight_player *player = calloc(1, sizeof(*player));

	if (!player)
		return -ENOMEM;
	player->file = file;
	player->verdict = flight_schema_find(file->schema, "", &flight_verdict_type);
	for (size_t i = 1; i < HBD_EVENT_TYPE_COUNT; i++)
		player->events[i] = flight_schema_find(file->schema, "event.",
						       &flight_event_types[i]);
	for (size_t i = 1; i < HBD_ACTION_TYPE_COUNT; i++)
		player->action_types[i] = flight_schema_find(file->schema, "action.",
							     &flight_action_types[i]);
	*ret_player = player;
	return 0;
}

void flight_player_free(struct flight_player *player)
{
	free(player);
}

void flight_player_spare(struct flight_player *player)
{
	player->spared = true;
}

const struct flight_step *flight_player_step(const struct flight_player *player)
{
	return &player->step;
}

const struct hbd_node *flight_player_node(const struct flight_player *player)
{
	return &player->node;
}

/* ---- segments ------------------------------------------------------------------------------------ */

/* Pointers into what is copied are set anew. */
static void adopt_state(struct flight_player *player)
{
	struct hbd_node *node = &player->node;

	player->config = player->next_config;
	*node = player->next_node;
	node->config = &player->config;
	node->session.keys = player->config.keys;
	node->session.seed = player->config.seed;
	hbd_session_speak(&node->session, player->config.version_max);
	node->detector.profile = &player->config.profile;
	for (uint8_t i = 0; i < HBD_GROUPS_MAX; i++)
		node->groups[i].plan.steps = player->config.groups[i].steps;
}

static int begin_segment(struct flight_player *player, char *why)
{
	const struct flight_piece *piece = &player->file->segments[player->segment];
	struct flight_step *step = &player->step;
	bool first = player->segment == 0;

	step->kind = FLIGHT_STEP_BEGIN;
	step->segment = player->segment++;
	player->reader = (struct flight_reader){ .bytes = piece->bytes, .length = piece->length };
	if (!flight_player_load(player, why))
		return -EBADMSG;
	memset(&step->event, 0, sizeof(step->event));
	step->new_life = step->new_life && !first;
	if (!first && !step->new_life)
		step->differs = flight_differ(&flight_node_type, &player->node, &player->next_node,
					      step->difference, sizeof(step->difference));
	adopt_state(player);
	step->now_ns = player->node.now_ns;
	memset(player->packets, 0, sizeof(player->packets));
	return 1;
}

/* ---- records ------------------------------------------------------------------------------------- */

static bool read_digest(struct flight_player *player)
{
	player->step.kind = FLIGHT_STEP_DIGEST;
	player->config.config_digest = flight_get(&player->reader);
	return !player->reader.failed;
}

static void step_node(struct flight_player *player)
{
	hbd_node_step(&player->node, &player->step.event, player->step.now_ns, &player->actions);
}

/* What came again was junk: it wanted nothing. */
static bool read_again(struct flight_player *player, char *why)
{
	struct flight_step *step = &player->step;
	uint64_t times = flight_get(&player->reader);

	if (player->reader.failed || times > TIMES_MAX || step->event.type != HBD_EVENT_PACKET ||
	    step->event.opened == NULL ||
	    step->received.verdict.receipt != HBD_RECEIPT_DROPPED)
		return flight_player_refuse(why, "something came again that cannot have");
	step->kind = FLIGHT_STEP_EVENT;
	step->times = times;
	step->recorded.count = 0;
	for (uint64_t i = 0; i < times && !step->differs; i++) {
		step_node(player);
		flight_player_compare(player);
	}
	return true;
}

static bool read_time(struct flight_player *player, char *why)
{
	uint64_t later_ns = flight_get(&player->reader);

	if (player->reader.failed || later_ns > (uint64_t)FLIGHT_SPAN_NS_MAX)
		return flight_player_refuse(why, "a step in it is at no instant");
	player->step.now_ns = player->node.now_ns + (int64_t)later_ns;
	return player->step.now_ns < HBD_NEVER_NS / 8 ||
	       flight_player_refuse(why, "a step in it is at no instant");
}

static bool read_step(struct flight_player *player, enum hbd_event_type type, char *why)
{
	struct flight_step *step = &player->step;

	step->kind = FLIGHT_STEP_EVENT;
	step->times = 1;
	if (!read_time(player, why) || !flight_player_read_event(player, type, why) ||
	    !flight_player_read_actions(player, why))
		return false;
	step_node(player);
	flight_player_compare(player);
	return true;
}

/* Nobody knows what it wanted: its process did not live to tell. The replay may not live either. */
static bool read_last(struct flight_player *player, char *why)
{
	unsigned type;

	player->step.kind = FLIGHT_STEP_LAST;
	player->step.times = 1;
	if (!flight_get_word(player->file->schema, &player->reader, &flight_record_words, &type, why))
		return false;
	if (type == FLIGHT_RECORD_AGAIN || type >= HBD_EVENT_TYPE_COUNT)
		return flight_player_refuse(why, "its last step is none");
	if (!read_time(player, why) ||
	    !flight_player_read_last(player, (enum hbd_event_type)type, why))
		return false;
	player->dying = !player->spared;
	player->step.recorded.count = 0;
	player->step.replayed.count = 0;
	return true;
}

static int take_last(struct flight_player *player)
{
	player->dying = false;
	player->step.kind = FLIGHT_STEP_SURVIVED;
	step_node(player);
	flight_player_take_replayed(player);
	return 1;
}

static bool read_record(struct flight_player *player, char *why)
{
	unsigned record;

	if (!flight_get_word(player->file->schema, &player->reader, &flight_record_words, &record,
			     why))
		return false;
	if (record == FLIGHT_RECORD_AGAIN)
		return read_again(player, why);
	if (record == FLIGHT_RECORD_DIGEST)
		return read_digest(player);
	if (record == FLIGHT_RECORD_LAST)
		return read_last(player, why);
	return read_step(player, (enum hbd_event_type)record, why);
}

static int next_record(struct flight_player *player, char *why)
{
	if (read_record(player, why))
		return 1;
	if (!why[0])
		flight_player_refuse(why, "a record in it is cut off");
	return -EBADMSG;
}

int flight_player_next(struct flight_player *player, char why[FLIGHT_WHY_BYTES])
{
	struct flight_step *step = &player->step;

	why[0] = '\0';
	step->differs = false;
	step->new_life = false;
	if (player->dying)
		return take_last(player);
	step->number++;
	if (player->segment > 0 && player->reader.at < player->reader.length)
		return next_record(player, why);
	if (player->segment == player->file->segment_count)
		return 0;
	return begin_segment(player, why);
}
