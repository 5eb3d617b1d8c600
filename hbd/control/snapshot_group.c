#include "snapshot_parts.h"

#include <stdio.h>
#include <string.h>

#include "../base/log.h"
#include "../core/time.h"
#include "reply.h"

static json_t *faults(uint8_t bits)
{
	static const enum hbd_fault all[] = {
		HBD_FAULT_INTERFACE, HBD_FAULT_ADDRESS, HBD_FAULT_TAKEOVER, HBD_FAULT_CHECK,
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

static json_t *addresses(const struct snapshot_source *source, uint8_t group)
{
	const struct hbd_conf_group *conf = &source->conf->groups[group];
	char address[INET6_ADDRSTRLEN];
	char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 16] = "";

	if (conf->vip_count > 0)
		snprintf(text, sizeof(text), "%s/%u dev %s",
			 hbd_address_text(&conf->vips[0].address, address), conf->vips[0].prefix,
			 conf->vips[0].interface);
	return json_pack("{s:I, s:s, s:b}", "count", (json_int_t)conf->vip_count, "first", text,
			 "held", hbd_node_holds(source->node, group));
}

static json_t *plan(const struct snapshot_source *source, uint8_t group)
{
	const struct hbd_takeover *state = &source->node->groups[group].plan;
	const struct hbd_conf_group *conf = &source->conf->groups[group];
	uint8_t step = hbd_takeover_step(state);

	if (state->kind == HBD_PLAN_NONE)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o}", "kind",
			 state->kind == HBD_PLAN_TAKEOVER ? "takeover" : "release", "plugin",
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

	if (error == 0)
		return json_null();
	return json_pack("{s:o, s:s}", "plugin",
			 snapshot_text(step < conf->takeover_count ? conf->takeover[step].name
								   : NULL),
			 "error", log_strerror(error));
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

json_t *snapshot_group(const struct snapshot_source *source, uint8_t group)
{
	const struct hbd_conf_group *conf = &source->conf->groups[group];
	const struct hbd_group *state = &source->node->groups[group];
	const char *preferred = conf->prefer < HBD_NODES ? source->conf->nodes[conf->prefer].name
							 : NULL;
	json_t *lease = state->lease.held ? snapshot_left_ms(source, state->lease.held_until_ns)
					  : json_null();

	return json_pack("{s:s, s:s, s:I, s:s, s:s, s:I, s:i, s:o, s:o, s:b, s:o, s:o, s:o, s:o,"
			 " s:o, s:o, s:o, s:o}",
			 "name", conf->name, "role", hbd_role_text(state->role), "role_age_ms",
			 snapshot_age_ms(source, state->since_ns), "reason",
			 hbd_reason_text(last_reason(state)), "reason_sentence",
			 hbd_reason_sentence(last_reason(state)), "epoch", (json_int_t)state->epoch,
			 "health", state->health, "faults", faults(state->faults), "preferred",
			 snapshot_text(preferred), "resigned", state->resigned, "addresses",
			 addresses(source, group), "lease_left_ms", lease, "switchover",
			 switchover(source, group), "plan", plan(source, group), "last_failure",
			 last_failure(source, group), "checks", checks(source, group), "peer",
			 peer_view(&state->peer), "answered_by",
			 snapshot_text(answered_by(source, group)));
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

	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:i, s:i, s:I, s:I, s:o}", "local",
			 link_end(&conf->nodes[source->self].links[link]), "remote",
			 link_end(&conf->nodes[1 - source->self].links[link]), "verdict",
			 hbd_link_verdict_text(verdict), "heard_age_ms", heard, "rtt_us", rtt,
			 "receive_loss_permille", state->rx_loss_permille,
			 "transmit_loss_permille", state->tx_loss_permille, "longest_silence_ms",
			 (json_int_t)(state->max_gap_ns / HBD_MS_NS), "packets",
			 (json_int_t)state->packets, "dropped", drops(state));
}
