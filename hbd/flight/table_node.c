/* The node and its configuration. */
#include "tables.h"
#include "parts.h"

/* ---- configuration ------------------------------------------------------------------------------- */

static const struct flight_field profile_fields[] = {
	FLIGHT_SPAN(hbd_profile, interval_ns),
	FLIGHT_SPAN(hbd_profile, hold_ns),
	FLIGHT_SPAN(hbd_profile, grant_ns),
	FLIGHT_SPAN(hbd_profile, suspect_ns),
	FLIGHT_SPAN(hbd_profile, probe_gap_ns),
	FLIGHT_SPAN(hbd_profile, quiet_ns),
	FLIGHT_SPAN(hbd_profile, alone_ns),
	FLIGHT_SPAN(hbd_profile, long_ns),
	FLIGHT_BOOL(hbd_profile, grant_at_once),
};
static FLIGHT_TYPE(profile_type, "profile", hbd_profile, profile_fields);

/* Its number, and nothing else of it. */
static const struct flight_field key_fields[] = {
	FLIGHT_NUMBER(hbd_key, id, 0),
};
static FLIGHT_TYPE(key_type, "key", hbd_key, key_fields);

static const struct flight_field step_fields[] = {
	FLIGHT_ENUM(hbd_step_config, order, flight_order_words),
	FLIGHT_ENUM(hbd_step_config, on_failure, flight_on_failure_words),
	FLIGHT_SPAN(hbd_step_config, timeout_ns),
	FLIGHT_BOOL(hbd_step_config, prepares),
};
static FLIGHT_TYPE(step_type, "step", hbd_step_config, step_fields);

static const struct flight_field group_config_fields[] = {
	FLIGHT_NUMBER(hbd_group_config, id, 0),
	FLIGHT_NUMBER(hbd_group_config, prefer, HBD_NO_PREFERENCE + 1),
	FLIGHT_BOOL(hbd_group_config, gateway),
	FLIGHT_NUMBER(hbd_group_config, step_count, HBD_STEPS_MAX + 1),
	FLIGHT_PARTS(hbd_group_config, steps, step_type),
	FLIGHT_SPAN(hbd_group_config, retry_ns),
	FLIGHT_SPAN(hbd_group_config, drain_ns),
	FLIGHT_SPAN(hbd_group_config, failback_ns),
};
static FLIGHT_TYPE(group_config_type, "group_config", hbd_group_config, group_config_fields);

static const struct flight_field config_fields[] = {
	FLIGHT_NUMBER(hbd_node_config, self, HBD_NODES),
	FLIGHT_NUMBER(hbd_node_config, cluster_id, 0),
	FLIGHT_NUMBER(hbd_node_config, config_digest, 0),
	FLIGHT_PART(hbd_node_config, profile, profile_type),
	FLIGHT_NUMBER(hbd_node_config, link_count, HBD_LINKS_MAX + 1),
	FLIGHT_NUMBER(hbd_node_config, group_count, HBD_GROUPS_MAX + 1),
	FLIGHT_NUMBER(hbd_node_config, key_count, HBD_KEYS_MAX + 1),
	FLIGHT_NUMBER(hbd_node_config, fence, HBD_FENCE_KERNEL + 1),
	FLIGHT_NUMBER(hbd_node_config, version_max, 16),
	FLIGHT_PARTS(hbd_node_config, keys, key_type),
	FLIGHT_PARTS(hbd_node_config, groups, group_config_type),
	FLIGHT_NUMBER(hbd_node_config, epoch_floor, 0),
	FLIGHT_BOOL(hbd_node_config, witness),
	FLIGHT_BOOL(hbd_node_config, serve_without),
	FLIGHT_BOOL(hbd_node_config, maintenance),
};
FLIGHT_TYPE(flight_config_type, "config", hbd_node_config, config_fields);

/* ---- session and detector ------------------------------------------------------------------------ */

static const struct flight_field channel_fields[] = {
	FLIGHT_BOOL(hbd_channel, open),
	FLIGHT_BOOL(hbd_channel, closed_by_peer),
	FLIGHT_NUMBER(hbd_channel, key_id, 0),
	FLIGHT_NUMBER(hbd_channel, version, 16),
	FLIGHT_NUMBER(hbd_channel, peer_session, 0),
	FLIGHT_ARRAY(hbd_channel, tx_seq, FLIGHT_UNSIGNED),
};
static FLIGHT_TYPE(channel_type, "channel", hbd_channel, channel_fields);

static const struct flight_field session_fields[] = {
	FLIGHT_NUMBER(hbd_session, own_session, 0),
	FLIGHT_NUMBER(hbd_session, attempts, 0),
	FLIGHT_NUMBER(hbd_session, established, 0),
	FLIGHT_NUMBER(hbd_session, hello_key, HBD_KEYS_MAX),
	FLIGHT_BOOL(hbd_session, renews),
	FLIGHT_PART(hbd_session, running, channel_type),
	FLIGHT_PART(hbd_session, previous, channel_type),
	FLIGHT_PART(hbd_session, next, channel_type),
};
static FLIGHT_TYPE(session_type, "session", hbd_session, session_fields);

static const struct flight_field link_fields[] = {
	FLIGHT_TIME(hbd_link_state, last_rx_ns),
	FLIGHT_NUMBER(hbd_link_state, rx_newest, 0),
	FLIGHT_NUMBER(hbd_link_state, rx_bitmap, 0),
	FLIGHT_BOOL(hbd_link_state, rx_counts),
	FLIGHT_NUMBER(hbd_link_state, peer_tx_time_us, 0),
	FLIGHT_SPAN(hbd_link_state, rtt_ns),
	FLIGHT_NUMBER(hbd_link_state, rx_loss_permille, 1001),
	FLIGHT_NUMBER(hbd_link_state, tx_loss_permille, 1001),
	FLIGHT_SPAN(hbd_link_state, max_gap_ns),
	FLIGHT_NUMBER(hbd_link_state, packets, 0),
	/* the engine counts some of them, without an event */
	FLIGHT_ARRAY(hbd_link_state, dropped, FLIGHT_UNSIGNED, .passing = true),
};
static FLIGHT_TYPE(link_type, "link", hbd_link_state, link_fields);

static const struct flight_field detector_fields[] = {
	FLIGHT_TIME(hbd_detector, last_rx_ns),
	FLIGHT_TIME(hbd_detector, evidence_from_ns),
	FLIGHT_BOOL(hbd_detector, heard),
	FLIGHT_BOOL(hbd_detector, gone),
	FLIGHT_BOOL(hbd_detector, died),
	FLIGHT_TIME(hbd_detector, gone_ns),
	FLIGHT_SPAN(hbd_detector, max_gap_ns),
	FLIGHT_NUMBER(hbd_detector, stalls, 0),
	FLIGHT_SPAN(hbd_detector, longest_stall_ns),
	FLIGHT_NUMBER(hbd_detector, own_from, 0),
	FLIGHT_PARTS(hbd_detector, links, link_type),
};
static FLIGHT_TYPE(detector_type, "detector", hbd_detector, detector_fields);

static const struct flight_field pace_fields[] = {
	FLIGHT_ARRAY(hbd_pace, lead_ns, FLIGHT_SIGNED),
	FLIGHT_TIME(hbd_pace, began_ns),
	FLIGHT_TIME(hbd_pace, checked_ns),
};
static FLIGHT_TYPE(pace_type, "pace", hbd_pace, pace_fields);

static const struct flight_field sent_fields[] = {
	FLIGHT_NUMBER(hbd_sent, newest, 0),
	FLIGHT_ARRAY(hbd_sent, sent_ns, FLIGHT_INSTANT),
	FLIGHT_ARRAY(hbd_sent, term_ns, FLIGHT_SIGNED, .limit = FLIGHT_SPAN_NS_MAX),
};
static FLIGHT_TYPE(sent_type, "sent", hbd_sent, sent_fields);

/* ---- groups -------------------------------------------------------------------------------------- */

static const struct flight_field lease_fields[] = {
	FLIGHT_BOOL(hbd_lease, held),
	FLIGHT_TIME(hbd_lease, held_until_ns),
	FLIGHT_TIME(hbd_lease, granted_until_ns),
	FLIGHT_TIME(hbd_lease, voted_until_ns),
	FLIGHT_TIME(hbd_lease, promised_until_ns),
};
static FLIGHT_TYPE(lease_type, "lease", hbd_lease, lease_fields);

static const struct flight_field plan_fields[] = {
	FLIGHT_ENUM(hbd_takeover, kind, flight_plan_words),
	FLIGHT_NUMBER(hbd_takeover, position, 2 * HBD_STEPS_MAX + 3),
	FLIGHT_ARRAY(hbd_takeover, started, FLIGHT_UNSIGNED, .limit = 2),
	FLIGHT_NUMBER(hbd_takeover, pending_id, 0),
	FLIGHT_BOOL(hbd_takeover, pending_run),
	FLIGHT_TIME(hbd_takeover, deadline_ns),
	FLIGHT_TIME(hbd_takeover, retry_at_ns),
};
static FLIGHT_TYPE(plan_type, "plan", hbd_takeover, plan_fields);

static const struct flight_field handover_fields[] = {
	FLIGHT_ENUM(hbd_handover, state, flight_handover_words),
	FLIGHT_ENUM(hbd_handover, reason, flight_reason_words),
	FLIGHT_NUMBER(hbd_handover, offer_hb_seq, 0),
	FLIGHT_TIME(hbd_handover, deadline_ns),
	FLIGHT_TIME(hbd_handover, accept_ns),
	FLIGHT_TIME(hbd_handover, drain_until_ns),
	FLIGHT_TIME(hbd_handover, told_ns),
	FLIGHT_TIME(hbd_handover, again_ns),
	FLIGHT_NUMBER(hbd_handover, forward_id, 0),
	FLIGHT_BOOL(hbd_handover, drained),
};
static FLIGHT_TYPE(handover_type, "handover", hbd_handover, handover_fields);

static const struct flight_field damping_fields[] = {
	FLIGHT_NUMBER(hbd_damping, merit, HBD_DAMPING_MOST + 1),
	FLIGHT_TIME(hbd_damping, counted_ns),
	FLIGHT_TIME(hbd_damping, until_ns),
	FLIGHT_BOOL(hbd_damping, told),
};
static FLIGHT_TYPE(damping_type, "damping", hbd_damping, damping_fields);

static const struct flight_field failback_fields[] = {
	FLIGHT_TIME(hbd_failback, since_ns),
};
static FLIGHT_TYPE(failback_type, "failback", hbd_failback, failback_fields);

static const struct flight_field peer_group_fields[] = {
	FLIGHT_BOOL(hbd_peer_group, known),
	FLIGHT_ENUM(hbd_peer_group, role, flight_role_words),
	FLIGHT_NUMBER(hbd_peer_group, flags, 0),
	FLIGHT_NUMBER(hbd_peer_group, priority, 0),
	FLIGHT_NUMBER(hbd_peer_group, health, 1001),
	FLIGHT_NUMBER(hbd_peer_group, epoch, 0),
};
static FLIGHT_TYPE(peer_group_type, "peer_group", hbd_peer_group, peer_group_fields);

static const struct flight_field asking_fields[] = {
	FLIGHT_SCALAR(hbd_asking, station, FLIGHT_BYTES),
	FLIGHT_SCALAR(hbd_asking, peer_station, FLIGHT_BYTES),
	FLIGHT_TIME(hbd_asking, next_ns),
	FLIGHT_TIME(hbd_asking, last_ns),
	FLIGHT_TIME(hbd_asking, asked_ns),
	FLIGHT_NUMBER(hbd_asking, questions, 0),
	FLIGHT_TIME(hbd_asking, answered_ns),
	FLIGHT_TIME(hbd_asking, proven_ns),
	FLIGHT_BOOL(hbd_asking, before_use),
	FLIGHT_TIME(hbd_asking, gateway_ns),
	FLIGHT_TIME(hbd_asking, gateway_since_ns),
	FLIGHT_TIME(hbd_asking, isolated_since_ns),
	FLIGHT_BOOL(hbd_asking, isolated_told),
};
static FLIGHT_TYPE(asking_type, "asking", hbd_asking, asking_fields);

static const struct flight_field conflict_fields[] = {
	FLIGHT_TIME(hbd_conflict, since_ns),
	FLIGHT_TIME(hbd_conflict, seen_ns),
	FLIGHT_TIME(hbd_conflict, defend_ns),
	FLIGHT_TIME(hbd_conflict, told_ns),
	FLIGHT_BOOL(hbd_conflict, defence_told),
	FLIGHT_SCALAR(hbd_conflict, station, FLIGHT_BYTES),
	FLIGHT_NUMBER(hbd_conflict, address, 0),
};
static FLIGHT_TYPE(conflict_type, "conflict", hbd_conflict, conflict_fields);

static const struct flight_field witness_fields[] = {
	FLIGHT_BOOL(hbd_witness, known),
	FLIGHT_NUMBER(hbd_witness, revision, 0),
	FLIGHT_PART(hbd_witness, record, flight_record_type),
	FLIGHT_TIME(hbd_witness, seen_ns),
	FLIGHT_TIME(hbd_witness, shown_ns),
	FLIGHT_TIME(hbd_witness, doubt_until_ns),
	FLIGHT_TIME(hbd_witness, held_until_ns),
	FLIGHT_NUMBER(hbd_witness, count, 0),
	FLIGHT_NUMBER(hbd_witness, pending_id, 0),
	FLIGHT_ENUM(hbd_witness, pending, flight_witness_call_words),
	FLIGHT_TIME(hbd_witness, sent_ns),
	FLIGHT_PART(hbd_witness, wanted, flight_record_type),
	FLIGHT_PART(hbd_witness, tried, flight_record_type),
	FLIGHT_TIME(hbd_witness, tried_ns),
};
static FLIGHT_TYPE(witness_type, "witness", hbd_witness, witness_fields);

static const struct flight_field group_fields[] = {
	FLIGHT_ENUM(hbd_group, role, flight_role_words),
	FLIGHT_ENUM(hbd_group, reason, flight_reason_words),
	FLIGHT_ENUM(hbd_group, claim_reason, flight_reason_words),
	FLIGHT_TIME(hbd_group, since_ns),
	FLIGHT_NUMBER(hbd_group, faults, 64),
	FLIGHT_NUMBER(hbd_group, health, 1001),
	FLIGHT_NUMBER(hbd_group, epoch, 0),
	FLIGHT_NUMBER(hbd_group, epoch_seen, 0),
	FLIGHT_BOOL(hbd_group, resigned),
	FLIGHT_TIME(hbd_group, resigned_until_ns),
	FLIGHT_BOOL(hbd_group, takes_back),
	FLIGHT_TIME(hbd_group, unowned_since_ns),
	FLIGHT_TIME(hbd_group, hold_until_ns),
	FLIGHT_NUMBER(hbd_group, role_hb_seq, 0),
	FLIGHT_BOOL(hbd_group, peer_owned),
	FLIGHT_TIME(hbd_group, retry_ns),
	FLIGHT_TIME(hbd_group, restored_alert_ns),
	FLIGHT_BOOL(hbd_group, rival),
	FLIGHT_NUMBER(hbd_group, release_id, 0),
	FLIGHT_PART(hbd_group, lease, lease_type),
	FLIGHT_PART(hbd_group, plan, plan_type),
	FLIGHT_PART(hbd_group, handover, handover_type),
	FLIGHT_PART(hbd_group, damping, damping_type),
	FLIGHT_PART(hbd_group, failback, failback_type),
	FLIGHT_PART(hbd_group, peer, peer_group_type),
	FLIGHT_PART(hbd_group, asking, asking_type),
	FLIGHT_PART(hbd_group, conflict, conflict_type),
	FLIGHT_PART(hbd_group, witness, witness_type),
	FLIGHT_BOOL(hbd_group, awaits_vote),
	FLIGHT_BOOL(hbd_group, wants_vote),
	FLIGHT_TIME(hbd_group, witness_retry_ns),
};
static FLIGHT_TYPE(group_type, "group", hbd_group, group_fields);

/* ---- maintenance --------------------------------------------------------------------------------- */

static const struct flight_field maintenance_fields[] = {
	FLIGHT_BOOL(hbd_maintenance, on),
	FLIGHT_TIME(hbd_maintenance, since_ns),
	FLIGHT_TIME(hbd_maintenance, remind_ns),
	FLIGHT_TIME(hbd_maintenance, unserved_since_ns),
	FLIGHT_BOOL(hbd_maintenance, unserved_told),
};
static FLIGHT_TYPE(maintenance_type, "maintenance", hbd_maintenance, maintenance_fields);

static const struct flight_field leave_fields[] = {
	FLIGHT_BOOL(hbd_leave, on),
	FLIGHT_BOOL(hbd_leave, told),
	FLIGHT_TIME(hbd_leave, until_ns),
};
static FLIGHT_TYPE(leave_type, "leave", hbd_leave, leave_fields);

static const struct flight_field hold_fields[] = {
	FLIGHT_SPAN(hbd_hold, term_ns),
	FLIGHT_TIME(hbd_hold, give_up_ns),
	FLIGHT_TIME(hbd_hold, told_ns),
	FLIGHT_NUMBER(hbd_hold, hb_seq, 0),
	FLIGHT_BOOL(hbd_hold, over),
	FLIGHT_BOOL(hbd_hold, peer_knows),
	FLIGHT_TIME(hbd_hold, peer_until_ns),
	FLIGHT_BOOL(hbd_hold, peer_covered),
	FLIGHT_BOOL(hbd_hold, covered),
};
static FLIGHT_TYPE(hold_type, "hold", hbd_hold, hold_fields);

/* ---- node ---------------------------------------------------------------------------------------- */

static const struct flight_field node_fields[] = {
	FLIGHT_TIME(hbd_node, started_ns),
	FLIGHT_TIME(hbd_node, now_ns),
	FLIGHT_TIME(hbd_node, ticked_ns),
	FLIGHT_NUMBER(hbd_node, next_id, 0),
	FLIGHT_NUMBER(hbd_node, resumed, 0),
	FLIGHT_NUMBER(hbd_node, jitter, 0),
	FLIGHT_BOOL(hbd_node, stopping),
	FLIGHT_BOOL(hbd_node, orphaned),
	FLIGHT_BOOL(hbd_node, stopped),
	FLIGHT_BOOL(hbd_node, heard),
	FLIGHT_TIME(hbd_node, alone_since_ns),
	FLIGHT_BOOL(hbd_node, peer_absent),
	FLIGHT_SPAN(hbd_node, stood_ns),
	FLIGHT_NUMBER(hbd_node, fence, HBD_FENCE_KERNEL + 1),
	FLIGHT_NUMBER(hbd_node, peer_fence, 0),
	FLIGHT_BOOL(hbd_node, peer_holds),
	FLIGHT_BOOL(hbd_node, peer_running),
	FLIGHT_BOOL(hbd_node, peer_maintained),
	FLIGHT_BOOL(hbd_node, peer_orphaned),
	FLIGHT_BOOL(hbd_node, peer_loss_told),
	FLIGHT_TIME(hbd_node, differs_since_ns),
	FLIGHT_BOOL(hbd_node, config_differs),
	FLIGHT_BOOL(hbd_node, news),
	FLIGHT_BOOL(hbd_node, reply_due),
	FLIGHT_BOOL(hbd_node, wills_due),
	FLIGHT_NUMBER(hbd_node, mismatch, 8),
	FLIGHT_NUMBER(hbd_node, links_usable, 0),
	FLIGHT_NUMBER(hbd_node, links_closed, 0),
	FLIGHT_NUMBER(hbd_node, links_lost, 0),
	FLIGHT_ARRAY(hbd_node, links_bad_since_ns, FLIGHT_INSTANT),
	FLIGHT_TIME(hbd_node, next_send_ns),
	FLIGHT_TIME(hbd_node, next_offer_ns),
	FLIGHT_TIME(hbd_node, next_attempt_ns),
	FLIGHT_TIME(hbd_node, next_renewal_ns),
	FLIGHT_TIME(hbd_node, next_probe_ns),
	FLIGHT_NUMBER(hbd_node, seal_failures, 0),
	FLIGHT_NUMBER(hbd_node, unreachable, 0),
	FLIGHT_NUMBER(hbd_node, hb_seq, 0),
	FLIGHT_NUMBER(hbd_node, peer_hb_seq, 0),
	FLIGHT_TIME(hbd_node, peer_word_ns),
	FLIGHT_TIME(hbd_node, woke_ns),
	FLIGHT_NUMBER(hbd_node, peer_acked, 0),
	FLIGHT_NUMBER(hbd_node, parting_acked, 0),
	FLIGHT_NUMBER(hbd_node, peer_life, 0),
	FLIGHT_NUMBER(hbd_node, gone_life, 0),
	FLIGHT_TIME(hbd_node, witness_answered_ns),
	FLIGHT_TIME(hbd_node, witness_poll_ns),
	FLIGHT_NUMBER(hbd_node, witness_poll_group, HBD_GROUPS_MAX),
	FLIGHT_BOOL(hbd_node, witness_lost),
	FLIGHT_PART(hbd_node, maintenance, maintenance_type),
	FLIGHT_PART(hbd_node, leave, leave_type),
	FLIGHT_PART(hbd_node, hold, hold_type),
	FLIGHT_PART(hbd_node, session, session_type),
	FLIGHT_PART(hbd_node, detector, detector_type),
	FLIGHT_PART(hbd_node, pace, pace_type),
	FLIGHT_PART(hbd_node, sent, sent_type),
	FLIGHT_PARTS(hbd_node, groups, group_type),
};
FLIGHT_TYPE(flight_node_type, "node", hbd_node, node_fields);

const struct flight_type *const flight_all_types[] = {
	&profile_type,
	&key_type,
	&step_type,
	&group_config_type,
	&flight_config_type,
	&channel_type,
	&session_type,
	&link_type,
	&detector_type,
	&pace_type,
	&sent_type,
	&lease_type,
	&plan_type,
	&handover_type,
	&damping_type,
	&failback_type,
	&peer_group_type,
	&asking_type,
	&conflict_type,
	&flight_record_type,
	&witness_type,
	&group_type,
	&maintenance_type,
	&leave_type,
	&hold_type,
	&flight_node_type,
	&flight_verdict_type,
	NULL,
};
