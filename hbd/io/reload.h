/*
 * What a reload of the configuration takes.
 *
 * Alerts, and how checks and takeover plugins are run, are the guardian's and the scribe's: they
 * change in place. What the engine holds (links, addresses, groups, keys, times, the plan of a
 * takeover) takes another engine, which goes on for the present one (guardian_swap.c). The rest takes
 * a restart: what makes this another pair, and what the two must not differ in while only one of them
 * has been told. Every setting is either applied or refused, or two nodes would agree on a
 * configuration by which only one acts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../conf/conf.h"

enum reload_effort {
	RELOAD_UNSET = 0,
	RELOAD_IN_PLACE,	/* no engine need know of it but by its digest */
	RELOAD_ENGINE,
	RELOAD_RESTART,		/* cannot be done by a reload */
};

#define RELOAD_WHAT_BYTES 192

/*
 * What going from old to new takes on node self. ret_what: the first setting that takes it,
 * "groups.web.addresses"; of RELOAD_RESTART a sentence's beginning, which says why.
 */
enum reload_effort reload_judge(const struct hbd_conf *old, const struct hbd_conf *new, uint8_t self,
				char ret_what[RELOAD_WHAT_BYTES]);

/* True if alerts are delivered in another way, or groups are others or in another order. */
bool reload_concerns_scribe(const struct hbd_conf *old, const struct hbd_conf *new);

/* The index in old of the group that has index group in new; -1: it is new. */
int reload_former_group(const struct hbd_conf *old, const struct hbd_conf *new, uint8_t group);

/* The index in old of the link that has index link in new, of node self; -1: it is new. */
int reload_former_link(const struct hbd_conf *old, const struct hbd_conf *new, uint8_t self,
		       uint8_t link);

/* A bit for each group of new whose addresses are not those it had, a new group's included. */
uint32_t reload_changed_groups(const struct hbd_conf *old, const struct hbd_conf *new);

/* A bit for each group and each key of old that is not in new. */
uint32_t reload_gone_groups(const struct hbd_conf *old, const struct hbd_conf *new);
uint8_t reload_gone_keys(const struct hbd_conf *old, const struct hbd_conf *new);
