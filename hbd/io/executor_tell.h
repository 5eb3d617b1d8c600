/* The words of the executor: log lines, status text and alerts for what happened. */
#pragma once

#include "executor.h"

/* Logs a change of role. */
void executor_tell_change(const struct executor *executor, const struct hbd_action *action);

/* Logs that the peer is heard, or no longer; that it is suspected for a moment is no news. */
void executor_tell_peer(const struct executor *executor, enum hbd_peer_state from,
			enum hbd_peer_state to);

/* The record of an alert for the scribe. */
void executor_alert_record(const struct executor *executor, const struct hbd_action *action,
			   struct record_alert *ret_alert);

/* A record with nothing but who says it, and when. */
void executor_blank_record(const struct executor *executor, struct record_alert *ret_alert);

/* "web: primary since 14:03:12; lb2 is alive" into text of MESSAGE_TEXT_BYTES. */
void executor_status_text(const struct executor *executor, int64_t now_ns, char *text);
