#include "player_parts.h"

#include <stdio.h>

#include "tables.h"

static bool has_packet(const struct hbd_action *action)
{
	return action->type == HBD_ACTION_SEND || action->type == HBD_ACTION_WILL;
}

static bool read_action(struct flight_player *player, unsigned type,
			struct flight_action *ret_action, char *why)
{
	struct flight_reader *reader = &player->reader;

	memset(ret_action, 0, sizeof(*ret_action));
	ret_action->action.type = (enum hbd_action_type)type;
	ret_action->action.group = HBD_GROUPS_MAX;
	if (!flight_get_struct(player->file->schema, reader, player->action_types[type],
			       &ret_action->action, player->step.now_ns, why))
		return false;
	if (has_packet(&ret_action->action))
		ret_action->check = (uint32_t)flight_get(reader);
	return true;
}

/* As the last one, for the groups that follow; count is how many there are in all. */
static bool read_next(struct flight_player *player, uint64_t count, char *why)
{
	struct flight_actions *recorded = &player->step.recorded;
	uint64_t more = flight_get(&player->reader);
	const struct flight_action *last = &recorded->items[recorded->count ? recorded->count - 1 : 0];

	if (recorded->count == 0 || more > count - recorded->count ||
	    last->action.group + more >= HBD_GROUPS_MAX)
		return flight_player_refuse(why, "an action in it is for a group that cannot be");
	for (; more > 0; more--, recorded->count++) {
		recorded->items[recorded->count] = recorded->items[recorded->count - 1];
		recorded->items[recorded->count].action.group++;
	}
	return true;
}

bool flight_player_read_actions(struct flight_player *player, char *why)
{
	struct flight_actions *recorded = &player->step.recorded;
	uint64_t count = flight_get(&player->reader);

	recorded->count = 0;
	if (player->reader.failed || count > HBD_ACTIONS_MAX)
		return flight_player_refuse(why, "a step in it has more actions than can be");
	while (recorded->count < count) {
		unsigned type;
		bool good = flight_get_word(player->file->schema, &player->reader,
					    &flight_action_words, &type, why);

		if (good && type == FLIGHT_ACTION_NEXT)
			good = read_next(player, count, why);
		else if (good)
			good = read_action(player, type, &recorded->items[recorded->count++], why);
		if (!good)
			return false;
	}
	return !player->reader.failed || flight_player_refuse(why, "a step in it is cut off");
}

void flight_player_take_replayed(struct flight_player *player)
{
	struct flight_actions *replayed = &player->step.replayed;

	replayed->count = player->actions.count;
	for (size_t i = 0; i < replayed->count; i++) {
		const struct hbd_action *action = &player->actions.items[i];

		replayed->items[i].action = *action;
		replayed->items[i].check = 0;
		if (has_packet(action))
			replayed->items[i].check =
				flight_packet_check(&player->actions.packets[action->packet]);
	}
}

/* An action as its row has it: what else is in it is left from before. */
static size_t pack(const struct flight_action *action, int64_t now_ns, uint8_t *bytes)
{
	struct flight_writer writer = { .bytes = bytes, .room = FLIGHT_RECORD_BYTES_MAX };

	flight_put(&writer, action->action.type);
	flight_put_struct(&writer, &flight_action_types[action->action.type], &action->action,
			  now_ns);
	flight_put(&writer, action->check);
	return writer.length;
}

/* What an older program did not record of an action is no difference. */
static void lend(struct flight_player *player, size_t index)
{
	struct hbd_action *recorded = &player->step.recorded.items[index].action;
	const struct hbd_action *replayed = &player->step.replayed.items[index].action;

	if (recorded->type == replayed->type)
		flight_lend_struct(&flight_action_types[recorded->type],
				   player->action_types[recorded->type], replayed, recorded);
}

static bool actions_are_equal(struct flight_player *player, size_t index)
{
	int64_t now_ns = player->step.now_ns;
	size_t recorded = pack(&player->step.recorded.items[index], now_ns, player->recorded);
	size_t replayed = pack(&player->step.replayed.items[index], now_ns, player->replayed);

	return recorded == replayed && memcmp(player->recorded, player->replayed, recorded) == 0;
}

void flight_player_compare(struct flight_player *player)
{
	struct flight_step *step = &player->step;
	size_t least, at = 0;

	flight_player_take_replayed(player);
	least = step->recorded.count < step->replayed.count ? step->recorded.count
							    : step->replayed.count;
	for (size_t i = 0; i < least; i++)
		lend(player, i);
	while (at < least && actions_are_equal(player, at))
		at++;
	if (at == step->recorded.count && at == step->replayed.count)
		return;
	step->differs = true;
	snprintf(step->difference, sizeof(step->difference), "action %zu", at + 1);
}
