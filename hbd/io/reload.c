#include "reload.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static bool same_names(const struct hbd_conf *a, const struct hbd_conf *b)
{
	for (int i = 0; i < HBD_NODES; i++)
		if (strcmp(a->nodes[i].name, b->nodes[i].name) != 0)
			return false;
	return true;
}

/* A path between the nodes. What the peer calls its interface is nothing to this node. */
static bool same_link(const struct hbd_conf *a, uint8_t i, const struct hbd_conf *b, uint8_t j,
		      uint8_t self)
{
	const struct hbd_conf_link *x = &a->nodes[self].links[i], *y = &b->nodes[self].links[j];

	return hbd_address_equal(&x->address, &y->address) &&
	       strcmp(x->interface, y->interface) == 0 &&
	       hbd_address_equal(&a->nodes[1 - self].links[i].address,
				 &b->nodes[1 - self].links[j].address);
}

int reload_former_link(const struct hbd_conf *old, const struct hbd_conf *new, uint8_t self,
		       uint8_t link)
{
	for (uint8_t i = 0; i < old->nodes[self].link_count; i++)
		if (same_link(old, i, new, link, self))
			return i;
	return -1;
}

static bool same_links(const struct hbd_conf *old, const struct hbd_conf *new, uint8_t self)
{
	if (old->nodes[self].link_count != new->nodes[self].link_count)
		return false;
	for (uint8_t i = 0; i < new->nodes[self].link_count; i++)
		if (reload_former_link(old, new, self, i) != i)
			return false;
	return true;
}

/*
 * The nodes change one after the other, and a packet names its link by number: some link must be the
 * same under its number before and after, and none may get another one. NULL, or what is wrong.
 */
static const char *link_obstacle(const struct hbd_conf *old, const struct hbd_conf *new,
				 uint8_t self)
{
	bool any = false;

	for (uint8_t i = 0; i < new->nodes[self].link_count; i++) {
		int former = reload_former_link(old, new, self, i);

		if (former >= 0 && former != i)
			return "the order of the links";
		any = any || former == i;
	}
	return any ? NULL : "all links at once";
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
		if (!hbd_address_equal(&a->vips[i].address, &b->vips[i].address) ||
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
		    x->on_failure != y->on_failure || x->timeout_ns != y->timeout_ns ||
		    x->prepares != y->prepares)
			return false;
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

/*
 * The engine counts on a witness or does not, and the program that asks it has its parameters from
 * its start. Of two nodes of which one asks another witness, or none, both could serve.
 */
static bool same_witness(const struct hbd_conf_witness *a, const struct hbd_conf_witness *b)
{
	if (!a->present || !b->present)
		return a->present == b->present;
	return a->serve_without == b->serve_without && strcmp(a->plugin.name, b->plugin.name) == 0 &&
	       same_parameters(&a->plugin, &b->plugin);
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
	if (!hbd_address_equal(&a->gateway, &b->gateway))
		return "gateway";
	if (a->retry_ns != b->retry_ns)
		return "retry_ms";
	if (!same_steps(a, b))
		return "takeover";
	/* its default depends on the steps */
	if (a->drain_ns != b->drain_ns)
		return "drain_s";
	if (a->failback != b->failback)
		return "failback";
	if (a->failback_after_ns != b->failback_after_ns)
		return "failback_after_s";
	if (a->staged != b->staged)
		return "stage";
	if (!same_checks(a, b))
		return "checks";
	return NULL;
}

/* What is another pair, or needs both nodes at once; in words, for "... differs". NULL = nothing. */
static const char *great_difference(const struct hbd_conf *a, const struct hbd_conf *b, uint8_t self)
{
	if (strcmp(a->cluster, b->cluster) != 0)
		return "cluster";
	if (!same_names(a, b))
		return "the nodes' names";
	if (a->port != b->port)
		return "port";
	if (strcmp(a->user, b->user) != 0)
		return "user";
	if (strcmp(a->plugin_user, b->plugin_user) != 0)
		return "plugin_user";
	if (!same_witness(&a->witness, &b->witness))
		return "witness";
	return link_obstacle(a, b, self);
}

/* What another engine can take on; NULL = nothing, or a group's. */
static const char *top_difference(const struct hbd_conf *a, const struct hbd_conf *b, uint8_t self)
{
	if (!same_links(a, b, self))
		return "links";
	if (!same_keys(a, b))
		return "keys";
	if (a->profile_name != b->profile_name)
		return "profile";
	if (a->refresh_ns != b->refresh_ns)
		return "refresh_s";
	if (a->group_count != b->group_count)
		return "groups";
	return NULL;
}

enum reload_effort reload_judge(const struct hbd_conf *old, const struct hbd_conf *new, uint8_t self,
				char ret_what[RELOAD_WHAT_BYTES])
{
	const char *what = great_difference(old, new, self);

	ret_what[0] = '\0';
	if (what) {
		snprintf(ret_what, RELOAD_WHAT_BYTES, "%s", what);
		return RELOAD_RESTART;
	}
	what = top_difference(old, new, self);
	if (what) {
		snprintf(ret_what, RELOAD_WHAT_BYTES, "%s", what);
		return RELOAD_ENGINE;
	}
	for (uint8_t i = 0; i < old->group_count; i++) {
		what = group_difference(&old->groups[i], &new->groups[i]);
		if (!what)
			continue;
		snprintf(ret_what, RELOAD_WHAT_BYTES, "groups.%s.%s", new->groups[i].name, what);
		return RELOAD_ENGINE;
	}
	return RELOAD_IN_PLACE;
}

int reload_former_group(const struct hbd_conf *old, const struct hbd_conf *new, uint8_t group)
{
	for (uint8_t i = 0; i < old->group_count; i++)
		if (strcmp(old->groups[i].name, new->groups[group].name) == 0)
			return i;
	return -1;
}

uint32_t reload_changed_groups(const struct hbd_conf *old, const struct hbd_conf *new)
{
	uint32_t changed = 0;

	for (uint8_t i = 0; i < new->group_count; i++) {
		int former = reload_former_group(old, new, i);

		if (former < 0 || !same_vips(&old->groups[former], &new->groups[i]))
			changed |= 1u << i;
	}
	return changed;
}

uint32_t reload_gone_groups(const struct hbd_conf *old, const struct hbd_conf *new)
{
	uint32_t gone = 0;

	for (uint8_t i = 0; i < old->group_count; i++)
		if (reload_former_group(new, old, i) < 0)
			gone |= 1u << i;
	return gone;
}

static bool holds_key(const struct hbd_conf *conf, const struct hbd_key *key)
{
	for (uint8_t i = 0; i < conf->key_count; i++)
		if (conf->keys[i].id == key->id &&
		    sodium_memcmp(conf->keys[i].bytes, key->bytes, sizeof(key->bytes)) == 0)
			return true;
	return false;
}

uint8_t reload_gone_keys(const struct hbd_conf *old, const struct hbd_conf *new)
{
	unsigned gone = 0;

	for (uint8_t i = 0; i < old->key_count; i++)
		if (!holds_key(new, &old->keys[i]))
			gone |= 1u << i;
	return (uint8_t)gone;
}

static bool changes_alerts(const struct hbd_conf *old, const struct hbd_conf *new)
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

bool reload_concerns_scribe(const struct hbd_conf *old, const struct hbd_conf *new)
{
	bool concerns = old->group_count != new->group_count || changes_alerts(old, new);

	for (uint8_t i = 0; i < new->group_count; i++)
		concerns = concerns || reload_former_group(old, new, i) != i;
	return concerns;
}
