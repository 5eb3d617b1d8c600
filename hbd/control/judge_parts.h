/* What judge.c and judge_group.c share; private to them. */
#pragma once

#include <stdbool.h>

#include "judge.h"

/* What every part of the judgement needs. */
struct judge_scene {
	const json_t *status;
	const json_t *peer;
	const char *self_name;
	const char *peer_name;
	bool peer_heard;
	struct judgement *judgement;
};

/* Adds a finding; NULL if there is no room, which judge_advise() accepts. */
struct judge_finding *judge_tell(const struct judge_scene *scene, enum judge_level level,
				 const char *format, ...) __attribute__((format(printf, 3, 4)));
void judge_advise(struct judge_finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Everything about one element of "groups". */
void judge_group(const struct judge_scene *scene, const json_t *group);
