/* What the files of the tables share; nobody else's. */
#pragma once

#include "field.h"

extern const struct flight_words flight_role_words, flight_reason_words, flight_alert_words,
	flight_severity_words, flight_call_words, flight_drop_words, flight_receipt_words,
	flight_plan_words, flight_handover_words, flight_order_words,
	flight_on_failure_words, flight_witness_call_words,
	flight_witness_result_words;

/* struct hbd_record: in the node, in events and in actions. */
extern const struct flight_type flight_record_type;
