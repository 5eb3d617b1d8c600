#include "alert_parts.h"

#include <string.h>

static bool same_cause(const struct record_alert *a, const struct record_alert *b)
{
	return a->kind == b->kind && a->reason == b->reason && a->severity == b->severity &&
	       a->test == b->test && a->peer_alive == b->peer_alive && a->role == b->role &&
	       a->peer_role == b->peer_role && !strcmp(a->node, b->node) &&
	       !strcmp(a->peer, b->peer) && !strcmp(a->detail, b->detail);
}

static void add_group(struct alert_fact *fact, const char *group)
{
	if (!group[0] || fact->group_count == HBD_GROUPS_MAX)
		return;
	for (size_t i = 0; i < fact->group_count; i++)
		if (!strcmp(fact->groups[i], group))
			return;
	fact->groups[fact->group_count++] = group;
}

size_t alert_facts_merge(const struct record_alert *const *alerts, size_t count,
			 struct alert_fact *facts)
{
	size_t fact_count = 0;

	for (size_t i = 0; i < count; i++) {
		size_t at = 0;

		while (at < fact_count && !same_cause(facts[at].first, alerts[i]))
			at++;
		if (at == fact_count)
			facts[fact_count++] = (struct alert_fact){ .first = alerts[i] };
		facts[at].last = alerts[i];
		facts[at].count++;
		add_group(&facts[at], alerts[i]->group);
	}
	return fact_count;
}

/* Of equally bad ones a move of the addresses tells more than what led to it; else the latest. */
static int weight(const struct alert_fact *fact)
{
	int moved = fact->first->kind == HBD_ALERT_TAKEOVER ||
		    fact->first->kind == HBD_ALERT_TWO_OWNERS;

	return (int)fact->first->severity * 2 + moved;
}

size_t alert_facts_headline(const struct alert_fact *facts, size_t count)
{
	size_t best = 0;

	for (size_t i = 1; i < count; i++)
		if (weight(&facts[i]) >= weight(&facts[best]))
			best = i;
	return best;
}
