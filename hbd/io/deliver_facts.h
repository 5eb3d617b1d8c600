/* What an alert plugin is told on top of its parameters (plugins/README.md, "alert"). */
#pragma once

#include <jansson.h>

#include "alert_text.h"

/* A new object, the caller's; NULL if out of memory. id: the same for each try of one message. */
json_t *deliver_facts(const struct record_alert *const *alerts, size_t count,
		      const struct alert_frame *frame, const char *id);
