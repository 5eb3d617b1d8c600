/*
 * The status document for a terminal: first whether all is well and what to do if not, then nodes,
 * groups, links and the rest, within 80 columns.
 *
 * Nothing is decided here: judge.h said what is wrong. What comes from the document is printed as
 * printable ASCII only.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "judge.h"

#define TEXT_COLUMNS 80

struct text_style {
	bool color;
	int64_t now_s;		/* CLOCK_REALTIME, to turn ages into dates (of the local zone) */
};

/* True for a terminal, unless NO_COLOR is set (no-color.org) or TERM is "dumb". */
bool text_wants_color(FILE *stream);

/* The findings, or that there are none; the first line is fit to be a monitoring plugin's. */
void text_print_judgement(const struct judgement *judgement, const json_t *status,
			  const struct text_style *style, FILE *stream);

/* Everything: the judgement and, if the document is one that is known, what it says. */
void text_print(const json_t *status, const struct judgement *judgement,
		const struct text_style *style, FILE *stream);

/* Prints text after prefix, wrapped at TEXT_COLUMNS, further lines indented by indent columns. */
void text_wrap(FILE *stream, const char *prefix, int indent, const char *text);
