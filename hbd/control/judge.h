/*
 * Is all well? From a status document to a verdict, what is wrong in sentences, and what to do.
 *
 * A pure function: no clock, no terminal, no file. Levels are those of monitoring plugins.
 *
 *	good      every group is served, and the peer could take each over
 *	warning   served, but something that protects the service is missing
 *	critical  a group is not served, or owned twice, or about to be either
 *	unknown   cannot say
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "../core/limits.h"

#define JUDGE_SENTENCE_BYTES 512
#define JUDGE_FINDINGS_MAX (HBD_GROUPS_MAX * 6 + HBD_LINKS_MAX + 16)

/* Alerts that wait longer than this count, also when no delivery has failed yet. */
#define JUDGE_ALERT_AGE_MS 30000

enum judge_level {
	JUDGE_UNSET = 0,
	JUDGE_GOOD,
	JUDGE_WARNING,
	JUDGE_CRITICAL,
	JUDGE_UNKNOWN,
};

struct judge_finding {
	enum judge_level level;
	char sentence[JUDGE_SENTENCE_BYTES];	/* with its full stop */
	char advice[JUDGE_SENTENCE_BYTES];	/* what to do, a sentence; may be empty */
};

struct judgement {
	enum judge_level level;		/* of the worst finding; GOOD if there is none */
	size_t count;
	size_t left_off;		/* findings that did not fit */
	struct judge_finding findings[JUDGE_FINDINGS_MAX];	/* worst first */
};

/* Judges a status document; one that is not schema 1 is UNKNOWN. */
void judge(const json_t *status, struct judgement *ret_judgement);

/* The judgement when there is no document: one finding of level UNKNOWN. */
void judge_unknown(const char *sentence, const char *advice, struct judgement *ret_judgement);

/* 0 good, 1 warning, 2 critical, 3 unknown. */
int judge_exit_code(enum judge_level level);

/* "good", "warning", "critical", "unknown". */
const char *judge_level_text(enum judge_level level);

/* {"level": "warning", "findings": [{"level", "sentence", "advice"}]}; the caller's. NULL if out
 * of memory. */
json_t *judge_json(const struct judgement *judgement);
