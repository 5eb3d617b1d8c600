/* Shared by the files of alert_text; nobody else's. */
#pragma once

#include "alert_text.h"

/* Records of one kind and cause: told once. */
struct alert_fact {
	const struct record_alert *first;
	const struct record_alert *last;	/* the same when count is 1 */
	size_t count;
	size_t group_count;
	const char *groups[HBD_GROUPS_MAX];	/* each once, in the order of appearance */
};

/* The texts of a fact, with {placeholders}; "" where there is nothing to say. */
struct alert_phrase {
	const char *subject;
	const char *brief;
	const char *happened;
	const char *primary;		/* who is primary now */
	const char *redundancy;
	const char *todo;		/* lines */
};

const struct alert_phrase *alert_phrase(const struct record_alert *alert);

/* True for news that ends a trouble. */
bool alert_is_recovery(const struct record_alert *alert);

/* Fills in a template; what does not fit is cut. Returns text. */
char *alert_expand(const struct alert_fact *fact, const char *template, char *text, size_t bytes);

/* Merges records into facts in order of their first event; facts has room for count. */
size_t alert_facts_merge(const struct record_alert *const *alerts, size_t count,
			 struct alert_fact *facts);

/* Index of the fact to tell first. */
size_t alert_facts_headline(const struct alert_fact *facts, size_t count);

/* Lines of at most 76 columns, broken at blanks; free() it. NULL = out of memory. */
char *alert_wrap(const char *text);
