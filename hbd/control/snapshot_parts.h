/*
 * The parts of the status document; snapshot.c puts them together. Private to the two.
 *
 * Every function returns a new value that is the caller's, or NULL if out of memory.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "snapshot.h"

/* What the parts are taken from. */
struct snapshot_source {
	const struct hbd_conf *conf;
	uint8_t self;
	const struct hbd_node *node;
	const struct snapshot_extra *extra;
	int64_t now_ns;
};

/* JSON null for NULL; text that is not UTF-8 comes out as ASCII with question marks. */
json_t *snapshot_text(const char *text);

/* How long ago an instant was, in milliseconds. */
json_int_t snapshot_age_ms(const struct snapshot_source *source, int64_t instant_ns);

/* How long until an instant, in milliseconds, not below 0; JSON null for HBD_NEVER_NS. */
json_t *snapshot_left_ms(const struct snapshot_source *source, int64_t instant_ns);

json_t *snapshot_group(const struct snapshot_source *source, uint8_t group);
json_t *snapshot_link(const struct snapshot_source *source, uint8_t link);
