/*
 * An alert as a JSON object: what the spool keeps and what alert plugins are told
 * (plugins/README.md). Words instead of numbers, so that a spool survives an upgrade.
 */
#pragma once

#include <jansson.h>

#include "message.h"

/* A new object, the caller's; NULL if out of memory. */
json_t *alert_json_make(const struct record_alert *alert);

/* 0, or -EBADMSG: something is missing, of another type, or not a word that this version knows. */
int alert_json_read(const json_t *json, struct record_alert *ret_alert);

/* "2026-11-23T06:50:00.123+01:00", in local time. */
#define ALERT_JSON_TIME_BYTES 48
const char *alert_json_time(int64_t realtime_ns, char ret_time[ALERT_JSON_TIME_BYTES]);
