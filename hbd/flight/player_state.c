#include "player_parts.h"

#include "../core/time.h"
#include "sound.h"
#include "tables.h"

static bool read_config(struct flight_player *player, int64_t now_ns, char *why)
{
	const struct flight_schema *schema = player->file->schema;
	struct hbd_node_config *config = &player->next_config;
	const struct flight_file_type *type = flight_schema_find(schema, "", &flight_config_type);

	memset(config, 0, sizeof(*config));
	if (!type)
		return flight_player_refuse(why, "it lacks the configuration");
	if (!flight_get_struct(schema, &player->reader, type, config, now_ns, why))
		return false;
	return flight_config_is_sound(config) ||
	       flight_player_refuse(why, "its configuration cannot be");
}

/* What the recording does not know of is as it is at a start, or as the replay had arrived at it. */
static bool read_node(struct flight_player *player, int64_t now_ns, char *why)
{
	const struct flight_schema *schema = player->file->schema;
	const struct flight_file_type *type = flight_schema_find(schema, "", &flight_node_type);

	hbd_node_init(&player->next_node, &player->next_config, now_ns);
	if (!type)
		return flight_player_refuse(why, "it lacks the state of the node");
	if (!flight_get_struct(schema, &player->reader, type, &player->next_node, now_ns, why))
		return false;
	if (player->step.segment > 0 && !player->step.new_life)
		flight_lend_struct(&flight_node_type, type, &player->node, &player->next_node);
	flight_node_wire(&player->next_node, &player->next_config);
	return (player->next_node.now_ns == now_ns &&
		flight_node_is_sound(&player->next_node, &player->next_config)) ||
	       flight_player_refuse(why, "the state of its node cannot be");
}

bool flight_player_load(struct flight_player *player, char *why)
{
	uint64_t life = flight_get(&player->reader);
	int64_t now_ns = flight_get_signed(&player->reader);

	if (player->reader.failed || now_ns < 0 || now_ns > HBD_NEVER_NS / 16)
		return flight_player_refuse(why, "a segment begins at no instant");
	player->step.new_life = life != player->life;
	player->life = life;
	return read_config(player, now_ns, why) && read_node(player, now_ns, why);
}
