#include "snapshot_parts.h"

#include <stdio.h>
#include <string.h>

#include "../base/log.h"
#include "../core/time.h"
#include "reply.h"

#define ADDRESSES_LISTED 8	/* of a group; it may have a thousand */

static json_t *faults(uint8_t bits)
{
	static const enum hbd_fault all[] = {
		HBD_FAULT_INTERFACE, HBD_FAULT_ADDRESS, HBD_FAULT_TAKEOVER, HBD_FAULT_CHECK,
		HBD_FAULT_REFUSED, HBD_FAULT_PARTLY,
	};
	json_t *array = json_array();

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (bits & all[i])
			json_array_append_new(array, json_string(hbd_fault_text(all[i])));
	}
	return array;
}

/* All that a heartbeat says of the peer's faults is how bad they are. */
static json_t *peer_faults(uint8_t flags)
{
	json_t *array = json_array();

	if (flags & HBD_GROUP_FAULT_HARD)
		json_array_append_new(array, json_string("hard"));
	if (flags & HBD_GROUP_FAULT_SOFT)
		json_array_append_new(array, json_string("soft"));
	return array;
}

static json_t *peer_view(const struct hbd_peer_group *peer)
{
	if (!peer->known)
		return json_null();
	return json_pack("{s:s, s:I, s:i, s:i, s:o, s:b, s:b}", "role", hbd_role_text(peer->role),
			 "epoch", (json_int_t)peer->epoch, "health", peer->health, "priority",
			 peer->priority, "faults", peer_faults(peer->flags), "resigned",
			 (peer->flags & HBD_GROUP_RESIGNED) != 0, "grants",
			 (peer->flags & HBD_GROUP_GRANTS) != 0);
}

static json_t *address_view(const struct hbd_conf_vip *vip)
{
	char address[INET6_ADDRSTRLEN];

	return json_sprintf("%s/%u dev %s", hbd_address_text(&vip->address, address), vip->prefix,
			    vip->interface);
}

static json_t *addresses(const struct snapshot_source *source, uint8_t group)
{
	const struct hbd_conf_group *conf = &source->conf->groups[group];
	json_t *next = json_array();

	for (size_t i = 1; i < conf->vip_count && i < ADDRESSES_LISTED; i++)
		json_array_append_new(next, address_view(&conf->vips[i]));
	return json_pack("{s:I, s:o, s:o, s:b, s:b}", "count", (json_int_t)conf->vip_count, "first",
			 conf->vip_count > 0 ? address_view(&conf->vips[0]) : json_string(""),
			 "next", next, "held", hbd_node_holds(source->node, group), "staged",
			 source->extra->staged[group]);
}

static const char *plan_text(enum hbd_plan_kind kind)
{
	switch (kind) {
	case HBD_PLAN_PREPARE:
		return "prepare";
	case HBD_PLAN_TAKEOVER:
		return "takeover";
	case HBD_PLAN_RELEASE:
		return "release";
	case HBD_PLAN_NONE:
		break;
	}
	return "none";
}

/* A switchover under way: JSON null if there is none. */
static json_t *handover(const struct snapshot_source *source, uint8_t group)
{
	static const char *const texts[] = {
		[HBD_HANDOVER_NONE] = "none",
		[HBD_HANDOVER_OFFERED] = "offered",
		[HBD_HANDOVER_PREPARING] = "preparing",
		[HBD_HANDOVER_READY] = "ready",
		[HBD_HANDOVER_REFUSED] = "refused",
	};
	const struct hbd_group *state = &source->node->groups[group];
	bool drains = state->role == HBD_ROLE_DRAINING;

	if (state->handover.state == HBD_HANDOVER_NONE && !drains)
		return json_null();
	return json_pack("{s:s, s:o, s:o}", "state",
			 drains ? "draining" : texts[state->handover.state], "drain_left_ms",
			 drains ? snapshot_left_ms(source, state->handover.drain_until_ns)
				: json_null(),
			 "connections", drains && source->extra->connections[group] >= 0 ?
				 json_integer(source->extra->connections[group]) : json_null());
}

static json_t *plan(const struct snapshot_source *source, uint8_t group)
{
	const struct hbd_takeover *state = &source->node->groups[group].plan;
	const struct hbd_conf_group *conf = &source->conf->groups[group];
	uint8_t step = hbd_takeover_step(state);

	if (state->kind == HBD_PLAN_NONE)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o}", "kind", plan_text(state->kind), "plugin",
			 snapshot_text(step < conf->takeover_count ? conf->takeover[step].name
								   : NULL),
			 "left_ms", snapshot_left_ms(source, state->deadline_ns), "retry_ms",
			 snapshot_left_ms(source, state->retry_at_ns));
}

static json_t *switchover(const struct snapshot_source *source, uint8_t group)
{
	int r = hbd_node_may_switch(source->node, group);

	return json_string(r == 0 ? "possible" : reply_refusal_code(r));
}

static json_t *last_failure(const struct snapshot_source *source, uint8_t group)
{
	const struct hbd_conf_group *conf = &source->conf->groups[group];
	int error = source->extra->last_plugin_error[group];
	uint8_t step = source->extra->last_plugin_step[group];
	const char *why = source->extra->last_plugin_why[group];

	if (error == 0)
		return json_null();
	return json_pack("{s:o, s:o}", "plugin",
			 snapshot_text(step < conf->takeover_count ? conf->takeover[step].name
								   : NULL),
			 "error", snapshot_text(why && why[0] ? why : log_strerror(error)));
}

/* Which addresses the kernel refuses here; JSON null if none. */
static json_t *refusal(const struct snapshot_source *source, uint8_t group)
{
	const struct hbd_conf_group *conf = &source->conf->groups[group];
	const struct snapshot_extra *extra = source->extra;
	const char *remedy = extra->refused_remedy[group];
	size_t vip = extra->refused_vip[group];

	if (extra->refused_count[group] == 0 || vip >= conf->vip_count)
		return json_null();
	return json_pack("{s:I, s:o, s:o, s:o}", "count",
			 (json_int_t)extra->refused_count[group], "first",
			 address_view(&conf->vips[vip]), "why",
			 snapshot_text(extra->refused_why[group]), "remedy",
			 snapshot_text(remedy && remedy[0] ? remedy : NULL));
}

static json_t *check(const struct snapshot_source *source, uint8_t group, uint8_t index)
{
	const struct snapshot_extra *extra = source->extra;
	const char *detail = extra->check_detail[group][index];
	const char *state = !detail				? "pending"
			    : extra->check_good[group][index]	? "good"
								: "bad";

	return json_pack("{s:o, s:s, s:o}", "name",
			 snapshot_text(source->conf->groups[group].checks[index].name), "state",
			 state, "detail", snapshot_text(detail && detail[0] ? detail : NULL));
}

static json_t *checks(const struct snapshot_source *source, uint8_t group)
{
	json_t *array = json_array();

	for (uint8_t i = 0; i < source->conf->groups[group].check_count; i++)
		json_array_append_new(array, check(source, group, i));
	return array;
}

/* Why a primary is one is why it claimed; that its addresses came on since is no news. */
static enum hbd_reason last_reason(const struct hbd_group *state)
{
	bool is_complete = state->role == HBD_ROLE_PRIMARY &&
			   state->reason == HBD_REASON_ADDRESSES_ON;

	return is_complete ? state->claim_reason : state->reason;
}

/* Who answers on the LAN for what this node would claim. */
static const char *answered_by(const struct snapshot_source *source, uint8_t group)
{
	if (hbd_node_is_answered(source->node, group))
		return "peer";
	return hbd_node_is_held_back(source->node, group) ? "stranger" : NULL;
}

/* Another machine that uses an address of the group. */
static json_t *conflict_view(const struct snapshot_source *source, uint8_t group)
{
	const struct hbd_conflict *conflict = &source->node->groups[group].conflict;
	const struct hbd_conf_group *conf = &source->conf->groups[group];
	const uint8_t *mac = conflict->station;
	char address[INET6_ADDRSTRLEN], station[sizeof("00:00:00:00:00:00")];

	if (conflict->since_ns == 0 || conflict->address >= conf->vip_count)
		return json_null();
	snprintf(station, sizeof(station), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return json_pack("{s:s, s:s, s:s, s:I, s:I}", "address",
			 hbd_address_text(&conf->vips[conflict->address].address, address),
			 "interface", conf->vips[conflict->address].interface, "station", station,
			 "age_ms", snapshot_age_ms(source, conflict->since_ns), "seen_age_ms",
			 snapshot_age_ms(source, conflict->seen_ns));
}

static json_t *left_until(const struct snapshot_source *source, int64_t until_ns)
{
	return until_ns == 0 ? json_null() : snapshot_left_ms(source, until_ns);
}

/* Who has the witness's vote, as far as it is known here. */
static json_t *witness_view(const struct snapshot_source *source, uint8_t group)
{
	const struct hbd_group *state = &source->node->groups[group];
	const struct hbd_witness *witness = &state->witness;
	const char *holder = witness->record.holder < HBD_NODES && witness->revision != 0 ?
			     source->conf->nodes[witness->record.holder].name : NULL;

	if (!source->conf->witness.present)
		return json_null();
	return json_pack("{s:o, s:I, s:I, s:I, s:o, s:b, s:b}", "holder", snapshot_text(holder),
			 "epoch", (json_int_t)witness->record.epoch, "revision",
			 (json_int_t)witness->revision, "shown_age_ms",
			 snapshot_age_ms(source, witness->shown_ns), "vote_left_ms",
			 left_until(source, state->lease.voted_until_ns), "wanted",
			 state->wants_vote, "refused", hbd_node_is_refused(source->node, group));
}

/* The router that must answer before this node claims on silence. */
static json_t *gateway_view(const struct snapshot_source *source, uint8_t group)
{
	const struct hbd_address *address = &source->conf->groups[group].gateway;
	char text[INET6_ADDRSTRLEN];

	if (address->family == 0)
		return json_null();
	return json_pack("{s:s, s:b}", "address", hbd_address_text(address, text), "isolated",
			 hbd_node_is_isolated(source->node, group));
}

/* JSON null while nothing is held back. */
static json_t *damping_left(const struct snapshot_source *source, uint8_t group)
{
	const struct hbd_damping *damping = &source->node->groups[group].damping;

	return hbd_damping_holds(damping, source->now_ns) ?
		       snapshot_left_ms(source, damping->until_ns) :
		       json_null();
}

/* JSON null unless the group is about to go back by itself. */
static json_t *failback_left(const struct snapshot_source *source, uint8_t group)
{
	const struct hbd_group *state = &source->node->groups[group];
	int64_t wait_ns = source->node->config->groups[group].failback_ns;

	if (state->failback.since_ns == HBD_NEVER_NS)
		return json_null();
	return snapshot_left_ms(source,
				hbd_time_max(hbd_time_add(state->failback.since_ns, wait_ns),
					     state->handover.again_ns));
}

struct member {
	const char *name;
	json_t *value;
};

/* An object of them all, or NULL. */
static json_t *join(const struct member *members, size_t count)
{
	json_t *object = json_object();
	bool complete = object != NULL;

	for (size_t i = 0; i < count; i++)
		complete = json_object_set_new(object, members[i].name, members[i].value) == 0 &&
			   complete;
	if (complete)
		return object;
	json_decref(object);
	return NULL;
}

json_t *snapshot_group(const struct snapshot_source *source, uint8_t group)
{
	const struct hbd_conf_group *conf = &source->conf->groups[group];
	const struct hbd_group *state = &source->node->groups[group];
	const char *preferred = conf->prefer < HBD_NODES ? source->conf->nodes[conf->prefer].name
							 : NULL;
	json_t *lease = state->lease.held ? snapshot_left_ms(source, state->lease.held_until_ns)
					  : json_null();

	const struct member members[] = {
		{ "name", json_string(conf->name) },
		{ "role", json_string(hbd_role_text(state->role)) },
		{ "role_age_ms", json_integer(snapshot_age_ms(source, state->since_ns)) },
		{ "reason", json_string(hbd_reason_text(last_reason(state))) },
		{ "reason_sentence", json_string(hbd_reason_sentence(last_reason(state))) },
		{ "epoch", json_integer((json_int_t)state->epoch) },
		{ "health", json_integer(state->health) },
		{ "faults", faults(state->faults) },
		{ "preferred", snapshot_text(preferred) },
		{ "resigned", json_boolean(state->resigned) },
		{ "addresses", addresses(source, group) },
		{ "lease_left_ms", lease },
		{ "switchover", switchover(source, group) },
		{ "handover", handover(source, group) },
		{ "damping_left_ms", damping_left(source, group) },
		{ "failback_left_ms", failback_left(source, group) },
		{ "plan", plan(source, group) },
		{ "last_failure", last_failure(source, group) },
		{ "refusal", refusal(source, group) },
		{ "checks", checks(source, group) },
		{ "peer", peer_view(&state->peer) },
		{ "answered_by", snapshot_text(answered_by(source, group)) },
		{ "conflict", conflict_view(source, group) },
		{ "gateway", gateway_view(source, group) },
		{ "witness", witness_view(source, group) },
	};

	return join(members, sizeof(members) / sizeof(members[0]));
}

static json_t *drops(const struct hbd_link_state *state)
{
	json_t *object = json_object();

	for (int i = HBD_DROP_NONE + 1; i < HBD_DROP_COUNT; i++) {
		if (state->dropped[i] > 0)
			json_object_set_new(object, hbd_drop_text((enum hbd_drop)i),
					    json_integer((json_int_t)state->dropped[i]));
	}
	return object;
}

static json_t *link_end(const struct hbd_conf_link *link)
{
	char address[INET6_ADDRSTRLEN];
	char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];

	snprintf(text, sizeof(text), "%s%%%s", hbd_address_text(&link->address, address),
		 link->interface);
	return json_string(text);
}

json_t *snapshot_link(const struct snapshot_source *source, uint8_t link)
{
	const struct hbd_conf *conf = source->conf;
	const struct hbd_link_state *state = &source->node->detector.links[link];
	enum hbd_link_verdict verdict =
		hbd_detector_link(&source->node->detector, link, source->extra->link_usable[link],
				  source->now_ns);
	json_t *heard = state->last_rx_ns > 0
				? json_integer(snapshot_age_ms(source, state->last_rx_ns))
				: json_null();
	json_t *rtt = state->rtt_ns > 0 ? json_integer(state->rtt_ns / HBD_US_NS) : json_null();

	return json_pack("{s:o, s:o, s:s, s:s?, s:o, s:o, s:i, s:i, s:I, s:I, s:o}", "local",
			 link_end(&conf->nodes[source->self].links[link]), "remote",
			 link_end(&conf->nodes[1 - source->self].links[link]), "verdict",
			 hbd_link_verdict_text(verdict), "trouble",
			 source->extra->link_trouble[link], "heard_age_ms", heard, "rtt_us", rtt,
			 "receive_loss_permille", state->rx_loss_permille,
			 "transmit_loss_permille", state->tx_loss_permille, "longest_silence_ms",
			 (json_int_t)(state->max_gap_ns / HBD_MS_NS), "packets",
			 (json_int_t)state->packets, "dropped", drops(state));
}
