#include "parts.h"

#include "../core/node.h"
#include "tables.h"

/* For an enum whose texts are the core's. */
#define WORDS_OF(its_words, its_name, its_enum, its_text, its_count)		\
	static const char *text_of_##its_text(unsigned value)			\
	{									\
		return its_text((enum its_enum)value);				\
	}									\
	const struct flight_words its_words = { its_name, its_count, text_of_##its_text }

WORDS_OF(flight_role_words, "role", hbd_role, hbd_role_text, HBD_ROLE_COUNT);
WORDS_OF(flight_reason_words, "reason", hbd_reason, hbd_reason_text, HBD_REASON_COUNT);
WORDS_OF(flight_alert_words, "alert", hbd_alert, hbd_alert_text, HBD_ALERT_COUNT);
WORDS_OF(flight_severity_words, "severity", hbd_severity, hbd_severity_text,
	 HBD_SEVERITY_CRITICAL + 1);
WORDS_OF(flight_call_words, "call", hbd_plugin_call, hbd_call_text, HBD_CALL_RELEASE + 1);
WORDS_OF(flight_drop_words, "drop", hbd_drop, hbd_drop_text, HBD_DROP_COUNT);

/* For one that has none. */
#define WORDS_HERE(its_words, its_name, its_texts)				\
	static const char *text_of_##its_texts(unsigned value)			\
	{									\
		return its_texts[value];					\
	}									\
	const struct flight_words its_words = {					\
		its_name, sizeof(its_texts) / sizeof((its_texts)[0]), text_of_##its_texts }

static const char *const receipts[] = {
	[HBD_RECEIPT_UNSET] = "unset",
	[HBD_RECEIPT_DROPPED] = "dropped",
	[HBD_RECEIPT_HELLO] = "hello",
	[HBD_RECEIPT_KNOCK] = "knock",
	[HBD_RECEIPT_ACK] = "ack",
	[HBD_RECEIPT_CONFIRM] = "confirm",
	[HBD_RECEIPT_HEARTBEAT] = "heartbeat",
	[HBD_RECEIPT_VERSION] = "version",
};
WORDS_HERE(flight_receipt_words, "receipt", receipts);

static const char *const plans[] = {
	[HBD_PLAN_NONE] = "none",
	[HBD_PLAN_PREPARE] = "prepare",
	[HBD_PLAN_TAKEOVER] = "takeover",
	[HBD_PLAN_RELEASE] = "release",
};
WORDS_HERE(flight_plan_words, "plan", plans);

static const char *const handovers[] = {
	[HBD_HANDOVER_NONE] = "none",
	[HBD_HANDOVER_OFFERED] = "offered",
	[HBD_HANDOVER_PREPARING] = "preparing",
	[HBD_HANDOVER_READY] = "ready",
	[HBD_HANDOVER_REFUSED] = "refused",
};
WORDS_HERE(flight_handover_words, "handover", handovers);

static const char *const orders[] = {
	[HBD_ORDER_UNSET] = "unset",
	[HBD_ORDER_BEFORE] = "before",
	[HBD_ORDER_AFTER] = "after",
};
WORDS_HERE(flight_order_words, "order", orders);

static const char *const on_failures[] = {
	[HBD_ON_FAILURE_UNSET] = "unset",
	[HBD_ON_FAILURE_ABORT] = "abort",
	[HBD_ON_FAILURE_CONTINUE] = "continue",
};
WORDS_HERE(flight_on_failure_words, "on_failure", on_failures);

static const char *const witness_calls[] = {
	[HBD_WITNESS_UNSET] = "unset",
	[HBD_WITNESS_READ] = "read",
	[HBD_WITNESS_SWAP] = "swap",
};
WORDS_HERE(flight_witness_call_words, "witness_call", witness_calls);

static const char *const witness_results[] = {
	[HBD_WITNESS_NONE] = "none",
	[HBD_WITNESS_SWAPPED] = "swapped",
	[HBD_WITNESS_SHOWN] = "shown",
	[HBD_WITNESS_UNKNOWN] = "unknown",
};
WORDS_HERE(flight_witness_result_words, "witness_result", witness_results);

static const char *record_text(unsigned value)
{
	if (value == FLIGHT_RECORD_AGAIN)
		return "again";
	if (value == FLIGHT_RECORD_LAST)
		return "last";
	return value == FLIGHT_RECORD_DIGEST ? "digest" : flight_event_types[value].name;
}
const struct flight_words flight_record_words = { "event", FLIGHT_RECORD_LAST + 1, record_text };

static const char *action_text(unsigned value)
{
	return value == FLIGHT_ACTION_NEXT ? "next" : flight_action_types[value].name;
}
const struct flight_words flight_action_words = { "action", HBD_ACTION_TYPE_COUNT, action_text };

const struct flight_words *const flight_all_words[] = {
	&flight_record_words,
	&flight_action_words,
	&flight_role_words,
	&flight_reason_words,
	&flight_alert_words,
	&flight_severity_words,
	&flight_call_words,
	&flight_drop_words,
	&flight_receipt_words,
	&flight_plan_words,
	&flight_handover_words,
	&flight_order_words,
	&flight_on_failure_words,
	&flight_witness_call_words,
	&flight_witness_result_words,
	NULL,
};
