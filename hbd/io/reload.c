#include "reload.h"

#include <stdio.h>
#include <string.h>

static bool same_address(const struct hbd_address *a, const struct hbd_address *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == AF_INET)
		return a->v4.s_addr == b->v4.s_addr;
	return IN6_ARE_ADDR_EQUAL(&a->v6, &b->v6);
}

static bool same_links(const struct hbd_conf_node *a, const struct hbd_conf_node *b)
{
	if (a->link_count != b->link_count)
		return false;
	for (uint8_t i = 0; i < a->link_count; i++) {
		if (!same_address(&a->links[i].address, &b->links[i].address) ||
		    strcmp(a->links[i].interface, b->links[i].interface) != 0)
			return false;
	}
	return true;
}

static bool same_nodes(const struct hbd_conf *a, const struct hbd_conf *b)
{
	for (int i = 0; i < HBD_NODES; i++) {
		if (strcmp(a->nodes[i].name, b->nodes[i].name) != 0 ||
		    !same_links(&a->nodes[i], &b->nodes[i]))
			return false;
	}
	return true;
}

static bool same_keys(const struct hbd_conf *a, const struct hbd_conf *b)
{
	if (a->key_count != b->key_count)
		return false;
	for (uint8_t i = 0; i < a->key_count; i++) {
		if (a->keys[i].id != b->keys[i].id ||
		    memcmp(a->keys[i].bytes, b->keys[i].bytes, sizeof(a->keys[i].bytes)) != 0)
			return false;
	}
	return true;
}

static bool same_vips(const struct hbd_conf_group *a, const struct hbd_conf_group *b)
{
	if (a->vip_count != b->vip_count)
		return false;
	for (size_t i = 0; i < a->vip_count; i++) {
		if (!same_address(&a->vips[i].address, &b->vips[i].address) ||
		    a->vips[i].prefix != b->vips[i].prefix ||
		    strcmp(a->vips[i].interface, b->vips[i].interface) != 0)
			return false;
	}
	return true;
}

/* The engine holds the plan and the plugins' names; their parameters it does not know. */
static bool same_steps(const struct hbd_conf_group *a, const struct hbd_conf_group *b)
{
	if (a->takeover_count != b->takeover_count)
		return false;
	for (uint8_t i = 0; i < a->takeover_count; i++) {
		const struct hbd_step_config *x = &a->takeover[i].step, *y = &b->takeover[i].step;

		if (strcmp(a->takeover[i].name, b->takeover[i].name) != 0 || x->order != y->order ||
		    x->on_failure != y->on_failure || x->timeout_ns != y->timeout_ns)
			return false;
	}
	return true;
}

/* The engine knows how many checks there are and shows them by name. */
static bool same_checks(const struct hbd_conf_group *a, const struct hbd_conf_group *b)
{
	if (a->check_count != b->check_count)
		return false;
	for (uint8_t i = 0; i < a->check_count; i++) {
		if (strcmp(a->checks[i].name, b->checks[i].name) != 0)
			return false;
	}
	return true;
}

/* The name of the setting that differs, or NULL. */
static const char *group_difference(const struct hbd_conf_group *a, const struct hbd_conf_group *b)
{
	if (strcmp(a->name, b->name) != 0)
		return "name";
	if (!same_vips(a, b))
		return "addresses";
	if (a->prefer != b->prefer)
		return "prefer";
	if (a->retry_ns != b->retry_ns)
		return "retry_ms";
	if (!same_steps(a, b))
		return "takeover";
	if (!same_checks(a, b))
		return "checks";
	return NULL;
}

static const char *top_difference(const struct hbd_conf *a, const struct hbd_conf *b)
{
	if (strcmp(a->cluster, b->cluster) != 0)
		return "cluster";
	if (!same_nodes(a, b))
		return "nodes";
	if (!same_keys(a, b))
		return "keys";
	if (a->profile_name != b->profile_name)
		return "profile";
	if (a->port != b->port)
		return "port";
	if (a->refresh_ns != b->refresh_ns)
		return "refresh_s";
	if (strcmp(a->user, b->user) != 0)
		return "user";
	if (strcmp(a->plugin_user, b->plugin_user) != 0)
		return "plugin_user";
	if (a->group_count != b->group_count)
		return "groups";
	return NULL;
}

bool reload_is_possible(const struct hbd_conf *old, const struct hbd_conf *new, char *ret_what,
			size_t size)
{
	const char *what = top_difference(old, new);

	if (what) {
		snprintf(ret_what, size, "%s", what);
		return false;
	}
	for (uint8_t i = 0; i < old->group_count; i++) {
		what = group_difference(&old->groups[i], &new->groups[i]);
		if (what) {
			snprintf(ret_what, size, "groups.%s.%s", old->groups[i].name, what);
			return false;
		}
	}
	return true;
}

static bool same_parameters(const struct hbd_conf_plugin *a, const struct hbd_conf_plugin *b)
{
	if (a->parameter_count != b->parameter_count)
		return false;
	for (uint8_t i = 0; i < a->parameter_count; i++) {
		if (strcmp(a->parameters[i].name, b->parameters[i].name) != 0 ||
		    strcmp(a->parameters[i].json, b->parameters[i].json) != 0)
			return false;
	}
	return true;
}

bool reload_changes_alerts(const struct hbd_conf *old, const struct hbd_conf *new)
{
	if (old->alert_count != new->alert_count)
		return true;
	for (uint8_t i = 0; i < old->alert_count; i++) {
		const struct hbd_conf_alert *a = &old->alerts[i], *b = &new->alerts[i];

		if (strcmp(a->plugin.name, b->plugin.name) != 0 || a->severity != b->severity ||
		    a->timeout_ns != b->timeout_ns || !same_parameters(&a->plugin, &b->plugin))
			return true;
	}
	return false;
}
