/*
 * The files of the spool: their format, and the order of writes that makes them durable.
 *
 * An alert's file is lines of JSON: {"spool": 1, "id": ID, "alert": {...}}, then {"delivered": KEY}
 * for each target that has got it. A last line without its end is ignored. Nobody's but spool.c's.
 */
#pragma once

#include <stddef.h>

#include "spool.h"

#define SPOOL_SUFFIX ".alert"
#define SPOOL_TEMPORARY ".writing"

/* Opens directory, made if missing. The descriptor, or a negative errno. */
int spool_file_open_directory(const char *directory);

/* Writes text to name and returns when it is durable. 0 or a negative errno; then name is as it was. */
int spool_file_save(int directory_fd, const char *name, const char *text);

/* Appends a line and syncs it. 0 or a negative errno. */
int spool_file_append(int directory_fd, const char *name, const char *line);

/* The whole file with a NUL, free() it; or a negative errno, -EBADMSG if it cannot be a spool file. */
int spool_file_load(int directory_fd, const char *name, char **ret_text);

/* Removes it for good; one that is not there is fine. 0 or a negative errno. */
int spool_file_remove(int directory_fd, const char *name);

/* Sets a damaged file aside under another name. 0 or a negative errno. */
int spool_file_set_aside(int directory_fd, const char *name);

/* The text of an alert's file and a line for it; free() them; NULL if out of memory. */
char *spool_file_text(const struct spool_event *event, const struct spool_config *config);
char *spool_file_line(const char *key);

/* The other way round: id, alert and delivered of the event. 0 or -EBADMSG. */
int spool_file_parse(char *text, const struct spool_config *config, struct spool_event *ret_event);
