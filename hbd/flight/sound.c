#include "sound.h"

static bool steps_are_sound(const struct hbd_group_config *group)
{
	for (uint8_t i = 0; i < group->step_count; i++)
		if (group->steps[i].order == HBD_ORDER_UNSET ||
		    group->steps[i].on_failure == HBD_ON_FAILURE_UNSET ||
		    group->steps[i].timeout_ns <= 0)
			return false;
	return group->retry_ns > 0;
}

bool flight_config_is_sound(const struct hbd_node_config *config)
{
	bool sound = config->link_count >= 1 && config->group_count >= 1 &&
		     config->key_count >= 1 && config->profile.interval_ns > 0 &&
		     config->profile.hold_ns > 0 && hbd_profile_is_safe(&config->profile);

	for (uint8_t i = 0; i < config->key_count && sound; i++)
		sound = config->keys[i].id != 0;
	for (uint8_t i = 0; i < config->group_count && sound; i++)
		sound = steps_are_sound(&config->groups[i]);
	return sound;
}

static bool group_is_sound(const struct hbd_group *group, const struct hbd_group_config *config)
{
	return group->role != HBD_ROLE_UNSET && group->lease.held_until_ns >= 0 &&
	       (group->plan.kind == HBD_PLAN_NONE ||
		group->plan.position <= 2 * config->step_count + 1);
}

bool flight_node_is_sound(const struct hbd_node *node, const struct hbd_node_config *config)
{
	bool sound = node->now_ns >= 0 && node->started_ns <= node->now_ns &&
		     node->ticked_ns <= node->now_ns && node->session.own_session != 0 &&
		     node->session.hello_key < config->key_count &&
		     node->witness_poll_group < config->group_count;

	for (uint8_t i = 0; i < config->group_count && sound; i++)
		sound = group_is_sound(&node->groups[i], &config->groups[i]);
	return sound;
}

void flight_node_wire(struct hbd_node *node, const struct hbd_node_config *config)
{
	for (uint8_t i = 0; i < HBD_GROUPS_MAX; i++) {
		node->groups[i].plan.steps = config->groups[i].steps;
		node->groups[i].plan.step_count = config->groups[i].step_count;
	}
}
