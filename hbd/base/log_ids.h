/*
 * What kind of event a journal entry tells: values for struct log_fields.message_id, to be found
 * with journalctl MESSAGE_ID=... They are published: one is never given another meaning.
 */
#pragma once

#define LOG_ID_ROLE_CHANGED "6d1b7f0fbf1c4e5b8c3c9f8c7a5b1e01"	/* with HBD_GROUP, HBD_REASON */
#define LOG_ID_ALERT_RAISED "6d1b7f0fbf1c4e5b8c3c9f8c7a5b1e02"	/* an alert was taken */
#define LOG_ID_ALERT_DELIVERED "6d1b7f0fbf1c4e5b8c3c9f8c7a5b1e03"
#define LOG_ID_ALERT_FAILED "6d1b7f0fbf1c4e5b8c3c9f8c7a5b1e04"	/* one try; it is repeated */
#define LOG_ID_SPOOL_FAILED "6d1b7f0fbf1c4e5b8c3c9f8c7a5b1e05"	/* an alert is only in memory */
#define LOG_ID_LINES_LOST "6d1b7f0fbf1c4e5b8c3c9f8c7a5b1e06"	/* the log could not keep up */
#define LOG_ID_PLUGIN_OUTPUT "6d1b7f0fbf1c4e5b8c3c9f8c7a5b1e07"	/* with HBD_PLUGIN */
#define LOG_ID_STARTED "6d1b7f0fbf1c4e5b8c3c9f8c7a5b1e08"
#define LOG_ID_PEER_CHANGED "6d1b7f0fbf1c4e5b8c3c9f8c7a5b1e09"	/* heard, silent, stopped, dead */
