/* Events and actions: what matters of each type. */
#include "tables.h"
#include "parts.h"

static const struct flight_field record_fields[] = {
	FLIGHT_NUMBER(hbd_record, holder, HBD_NO_HOLDER + 1),
	FLIGHT_NUMBER(hbd_record, epoch, 0),
	FLIGHT_NUMBER(hbd_record, count, 0),
	FLIGHT_NUMBER(hbd_record, life, 0),
};
FLIGHT_TYPE(flight_record_type, "record", hbd_record, record_fields);

static const struct flight_field verdict_fields[] = {
	FLIGHT_ENUM(hbd_verdict, receipt, flight_receipt_words),
	FLIGHT_ENUM(hbd_verdict, drop, flight_drop_words),
	FLIGHT_BOOL(hbd_verdict, proven),
	FLIGHT_BOOL(hbd_verdict, new_process),
	FLIGHT_BOOL(hbd_verdict, fresh_offer),
	FLIGHT_BOOL(hbd_verdict, handshake_seal_failed),
};
FLIGHT_TYPE(flight_verdict_type, "verdict", hbd_verdict, verdict_fields);

#define LINK(what) FLIGHT_NUMBER(what, link, HBD_LINKS_MAX)
/* A group, or HBD_GROUPS_MAX for none */
#define GROUP(what) FLIGHT_NUMBER(what, group, HBD_GROUPS_MAX + 1)
#define ADDRESS(what) FLIGHT_NUMBER(what, address, 0)
#define STATION(what, member) FLIGHT_SCALAR(what, member, FLIGHT_BYTES)

/* ---- events -------------------------------------------------------------------------------------- */

static const struct flight_field stalled_fields[] = {
	FLIGHT_SPAN(hbd_event, stalled.late_ns),
};
static const struct flight_field packet_fields[] = {
	LINK(hbd_event),
	FLIGHT_TIME(hbd_event, packet.received_ns),
};
static const struct flight_field link_fields[] = {
	LINK(hbd_event),
	FLIGHT_BOOL(hbd_event, link_state.usable),
	FLIGHT_BOOL(hbd_event, link_state.closed),
};
static const struct flight_field unreachable_fields[] = {
	LINK(hbd_event),
};
static const struct flight_field fault_fields[] = {
	GROUP(hbd_event),
	FLIGHT_NUMBER(hbd_event, fault.fault, HBD_FAULT_PARTLY + 1),
	FLIGHT_BOOL(hbd_event, fault.present),
};
static const struct flight_field health_fields[] = {
	GROUP(hbd_event),
	FLIGHT_NUMBER(hbd_event, health.health, 1001),
};
static const struct flight_field group_fields[] = {
	GROUP(hbd_event),
};
static const struct flight_field station_fields[] = {
	GROUP(hbd_event),
	STATION(hbd_event, station),
};
static const struct flight_field answer_fields[] = {
	GROUP(hbd_event),
	ADDRESS(hbd_event),
	STATION(hbd_event, station),
};
static const struct flight_field fence_fields[] = {
	FLIGHT_NUMBER(hbd_event, fence, HBD_FENCE_KERNEL + 1),
};
static const struct flight_field maintenance_fields[] = {
	FLIGHT_BOOL(hbd_event, maintenance),
};
static const struct flight_field leave_fields[] = {
	FLIGHT_BOOL(hbd_event, leave.on),
	FLIGHT_SPAN(hbd_event, leave.patience_ns),
};
static const struct flight_field stop_fields[] = {
	FLIGHT_BOOL(hbd_event, orphaned),
};
static const struct flight_field hold_fields[] = {
	FLIGHT_SPAN(hbd_event, hold.term_ns),
};
static const struct flight_field witness_fields[] = {
	GROUP(hbd_event),
	FLIGHT_NUMBER(hbd_event, witness.id, 0),
	FLIGHT_ENUM(hbd_event, witness.result, flight_witness_result_words),
	FLIGHT_NUMBER(hbd_event, witness.revision, 0),
	FLIGHT_PART(hbd_event, witness.record, flight_record_type),
};
static const struct flight_field done_fields[] = {
	FLIGHT_NUMBER(hbd_event, done.id, 0),
	FLIGHT_SCALAR(hbd_event, done.result, FLIGHT_SIGNED),
};

#define EVENT(name, fields) \
	{ name, sizeof(struct hbd_event), fields, sizeof(fields) / sizeof((fields)[0]) }
#define PLAIN_EVENT(name) { name, sizeof(struct hbd_event), NULL, 0 }

const struct flight_type flight_event_types[HBD_EVENT_TYPE_COUNT] = {
	[HBD_EVENT_UNSET] = PLAIN_EVENT("unset"),
	[HBD_EVENT_TICK] = PLAIN_EVENT("tick"),
	[HBD_EVENT_STALLED] = EVENT("stalled", stalled_fields),
	[HBD_EVENT_PACKET] = EVENT("packet", packet_fields),
	[HBD_EVENT_LINK] = EVENT("link", link_fields),
	[HBD_EVENT_UNREACHABLE] = EVENT("unreachable", unreachable_fields),
	[HBD_EVENT_FAULT] = EVENT("fault", fault_fields),
	[HBD_EVENT_HEALTH] = EVENT("health", health_fields),
	[HBD_EVENT_MISSING] = EVENT("missing", group_fields),
	[HBD_EVENT_RESTORED] = EVENT("restored", group_fields),
	[HBD_EVENT_STATION] = EVENT("station", station_fields),
	[HBD_EVENT_ANSWER] = EVENT("answer", answer_fields),
	[HBD_EVENT_GATEWAY] = EVENT("gateway", group_fields),
	[HBD_EVENT_FENCE] = EVENT("fence", fence_fields),
	[HBD_EVENT_WITNESS] = EVENT("witness", witness_fields),
	[HBD_EVENT_DONE] = EVENT("done", done_fields),
	[HBD_EVENT_DRAINED] = EVENT("drained", group_fields),
	[HBD_EVENT_SWITCHOVER] = EVENT("switchover", group_fields),
	[HBD_EVENT_MAINTENANCE] = EVENT("maintenance", maintenance_fields),
	[HBD_EVENT_LEAVE] = EVENT("leave", leave_fields),
	[HBD_EVENT_HOLD] = EVENT("hold", hold_fields),
	[HBD_EVENT_STOP] = EVENT("stop", stop_fields),
};

/* ---- actions ------------------------------------------------------------------------------------- */

static const struct flight_field send_fields[] = {
	LINK(hbd_action),
};
static const struct flight_field lease_fields[] = {
	GROUP(hbd_action),
	FLIGHT_NUMBER(hbd_action, epoch, 0),
	FLIGHT_TIME(hbd_action, lease.until_ns),
	FLIGHT_TIME(hbd_action, lease.accept_ns),
};
static const struct flight_field id_fields[] = {
	GROUP(hbd_action),
	FLIGHT_NUMBER(hbd_action, id, 0),
	FLIGHT_NUMBER(hbd_action, epoch, 0),
	FLIGHT_ENUM(hbd_action, reason, flight_reason_words),
};
static const struct flight_field group_action_fields[] = {
	GROUP(hbd_action),
};
static const struct flight_field defend_fields[] = {
	GROUP(hbd_action),
	ADDRESS(hbd_action),
};
static const struct flight_field witness_action_fields[] = {
	GROUP(hbd_action),
	FLIGHT_NUMBER(hbd_action, id, 0),
	FLIGHT_ENUM(hbd_action, witness.call, flight_witness_call_words),
	FLIGHT_NUMBER(hbd_action, witness.revision, 0),
	FLIGHT_PART(hbd_action, witness.record, flight_record_type),
};
static const struct flight_field run_fields[] = {
	GROUP(hbd_action),
	FLIGHT_NUMBER(hbd_action, id, 0),
	FLIGHT_NUMBER(hbd_action, epoch, 0),
	FLIGHT_ENUM(hbd_action, reason, flight_reason_words),
	FLIGHT_NUMBER(hbd_action, run.step, HBD_STEPS_MAX),
	FLIGHT_ENUM(hbd_action, run.call, flight_call_words),
	FLIGHT_TIME(hbd_action, run.deadline_ns),
};
static const struct flight_field changed_fields[] = {
	GROUP(hbd_action),
	FLIGHT_NUMBER(hbd_action, epoch, 0),
	FLIGHT_ENUM(hbd_action, reason, flight_reason_words),
	FLIGHT_ENUM(hbd_action, changed.from, flight_role_words),
	FLIGHT_ENUM(hbd_action, changed.to, flight_role_words),
};
static const struct flight_field alert_fields[] = {
	GROUP(hbd_action),
	ADDRESS(hbd_action),
	LINK(hbd_action),
	FLIGHT_NUMBER(hbd_action, epoch, 0),
	FLIGHT_ENUM(hbd_action, reason, flight_reason_words),
	FLIGHT_ENUM(hbd_action, alert.kind, flight_alert_words),
	FLIGHT_ENUM(hbd_action, alert.severity, flight_severity_words),
	FLIGHT_NUMBER(hbd_action, alert.faults, 0),
	FLIGHT_ENUM(hbd_action, alert.role, flight_role_words),
	FLIGHT_NUMBER(hbd_action, alert.step, HBD_STEPS_MAX + 1),
	FLIGHT_SCALAR(hbd_action, alert.error, FLIGHT_SIGNED),
	FLIGHT_SPAN(hbd_action, alert.duration_ns),
	STATION(hbd_action, alert.station),
};

static const struct flight_field held_fields[] = {
	FLIGHT_SCALAR(hbd_action, result, FLIGHT_SIGNED),
};

#define ACTION(name, fields) \
	{ name, sizeof(struct hbd_action), fields, sizeof(fields) / sizeof((fields)[0]) }

const struct flight_type flight_action_types[HBD_ACTION_TYPE_COUNT] = {
	[HBD_ACTION_UNSET] = { "unset", sizeof(struct hbd_action), NULL, 0 },
	[HBD_ACTION_SEND] = ACTION("send", send_fields),
	[HBD_ACTION_WILL] = ACTION("will", send_fields),
	[HBD_ACTION_LEASE] = ACTION("lease", lease_fields),
	[HBD_ACTION_ACQUIRE] = ACTION("acquire", id_fields),
	[HBD_ACTION_RELEASE] = ACTION("release", id_fields),
	[HBD_ACTION_RESTORE] = ACTION("restore", group_action_fields),
	[HBD_ACTION_ANNOUNCE] = ACTION("announce", group_action_fields),
	[HBD_ACTION_ASK] = ACTION("ask", group_action_fields),
	[HBD_ACTION_DEFEND] = ACTION("defend", defend_fields),
	[HBD_ACTION_FORWARD] = ACTION("forward", id_fields),
	[HBD_ACTION_WITNESS] = ACTION("witness", witness_action_fields),
	[HBD_ACTION_RUN] = ACTION("run", run_fields),
	[HBD_ACTION_CANCEL] = ACTION("cancel", id_fields),
	[HBD_ACTION_CHANGED] = ACTION("changed", changed_fields),
	[HBD_ACTION_ALERT] = ACTION("alert", alert_fields),
	[HBD_ACTION_HELD] = ACTION("held", held_fields),
	[HBD_ACTION_LEFT] = { "left", sizeof(struct hbd_action), NULL, 0 },
	[HBD_ACTION_REBORN] = { "reborn", sizeof(struct hbd_action), NULL, 0 },
	[HBD_ACTION_STOPPED] = { "stopped", sizeof(struct hbd_action), NULL, 0 },
};
