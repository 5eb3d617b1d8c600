/* What the files of the timeline share; nobody else's. */
#pragma once

#include "describe.h"
#include "timeline.h"

/* What is told of the peer when it changed. */
struct timeline_peer {
	enum hbd_peer_state state;
	bool known[HBD_GROUPS_MAX];
	enum hbd_role roles[HBD_GROUPS_MAX];
};

struct timeline_page {
	const struct flight_timeline *wanted;
	struct flight_scene scene;
	const struct flight_player *player;
	struct timeline_peer before, now;
	bool differed;		/* a step of this segment did */
	bool differs_first;	/* this step does, and is the first of its segment */
	FILE *stream;
};

/* A role changed, humans were told, or something had to be done. */
bool timeline_action_is_worth_telling(const struct hbd_action *action);

static inline bool timeline_role_changed(const struct timeline_page *page, uint8_t group)
{
	return page->now.known[group] && (!page->before.known[group] ||
					  page->before.roles[group] != page->now.roles[group]);
}

/* timeline_text.c, timeline_json.c: one step; the ends. */
void timeline_text_head(const struct timeline_page *page, const struct flight_summary *summary);
void timeline_text_step(const struct timeline_page *page);
void timeline_text_tail(const struct timeline_page *page, const struct flight_summary *summary);
void timeline_json_step(const struct timeline_page *page);
void timeline_json_tail(const struct timeline_page *page, const struct flight_summary *summary);
