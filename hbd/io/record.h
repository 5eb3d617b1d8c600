/*
 * Records as the scribe receives them: the other end may be a process that was broken into.
 */
#pragma once

#include <stdbool.h>

#include "message.h"

/*
 * Looks at the next record without taking it from the socket. 1 with *ret_record; 0 at end of file;
 * -EAGAIN if none waits; -EBADMSG if it is not sound (wrong size, type, word or a text without end):
 * take it and go on. In texts, control characters and what is not UTF-8 become '?'.
 */
int record_peek(int socket, struct record *ret_record);

/* Takes the record that was looked at. */
void record_take(int socket);

/* True if every part of an alert is in its range: tables may be indexed by it. */
bool record_alert_is_sound(const struct record_alert *alert);
