/*
 * Is what was read of a configuration or a node one that can be? As far as the core's assertions
 * would not catch it: a state that was made by hand can make the core assert.
 */
#pragma once

#include "../core/node.h"

bool flight_config_is_sound(const struct hbd_node_config *config);
bool flight_node_is_sound(const struct hbd_node *node, const struct hbd_node_config *config);

/* Sets what has no row in the tables, because it follows from the configuration. */
void flight_node_wire(struct hbd_node *node, const struct hbd_node_config *config);
