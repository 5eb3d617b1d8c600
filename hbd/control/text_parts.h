/* What text.c and text_tables.c share; private to them. */
#pragma once

#include "text.h"

/* The tables of groups and of heartbeat links, each with its heading. */
void text_groups(const json_t *status, const struct text_style *style, FILE *stream);
void text_links(const json_t *status, FILE *stream);

/* A string member as printable ASCII in text (TEXT_CLEAN_BYTES); "?" if it is not there. */
#define TEXT_CLEAN_BYTES 400
const char *text_clean(const json_t *object, const char *name, char *text);
