/*
 * Reading the status document (STATUS.md) without trusting it: it may come from another version of
 * the daemon. Anything that is missing or of another type reads as empty, 0 or false, and text is
 * what a terminal may safely be sent.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATUS_SCHEMA 1
#define STATUS_DURATION_BYTES 32

/* True when judge() and text_print() can make something of it. */
bool status_is_known(const json_t *status);

const char *status_string(const json_t *object, const char *name);	/* never NULL */
int64_t status_number(const json_t *object, const char *name);
bool status_flag(const json_t *object, const char *name);
bool status_is(const json_t *object, const char *name, const char *word);

/* True when object's array name holds the string word. */
bool status_lists(const json_t *object, const char *name, const char *word);

/* True when object has name and it is not null. */
bool status_has(const json_t *object, const char *name);

/* The peer is heard: alive or merely suspicious. */
bool status_peer_is_heard(const json_t *status);

/* The role in a group owns its addresses: claiming or primary. */
bool status_owns(const json_t *role_holder);

/* "40 ms", "3 s", "4 min", "2 h 5 min", "3 d 4 h"; returns text (STATUS_DURATION_BYTES). */
const char *status_duration(int64_t duration_ms, char *text);

/* Copies at most bytes - 1 of source into ret; control characters become question marks. */
void status_clean(const char *source, char *ret, size_t bytes);
