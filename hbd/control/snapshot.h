/*
 * What hbctl is shown: plain data taken from the engine in one turn, rendered as JSON for the
 * control socket. Rendering is bounded and happens at the lowest priority of the engine's loop.
 *
 * The JSON is the interface: hbctl status, monitoring and the exporter read only that.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "../conf/conf.h"
#include "../core/node.h"
#include "../io/message.h"

/* What the engine knows besides the node. */
struct snapshot_extra {
	const char *version;
	bool realtime;			/* SCHED_RR is in force */
	bool memory_locked;
	const char *fence;		/* "kernel deadline", or "address lifetime: why" */
	uint8_t alerts_configured;	/* these five from MESSAGE_SPOOL */
	uint64_t spool_taken;
	uint32_t spool_pending;
	int64_t spool_oldest_age_ns;
	const char *spool_detail;
	const char *check_detail[HBD_GROUPS_MAX][HBD_CHECKS_MAX];	/* NULL = not yet run */
	bool check_good[HBD_GROUPS_MAX][HBD_CHECKS_MAX];
	int last_plugin_error[HBD_GROUPS_MAX];	/* of the last failed step; 0 = none */
	uint8_t last_plugin_step[HBD_GROUPS_MAX];
	const char *last_plugin_why[HBD_GROUPS_MAX];	/* what it said; NULL or "" = nothing */
	size_t refused_count[HBD_GROUPS_MAX];	/* addresses that the kernel refuses; of the first: */
	size_t refused_vip[HBD_GROUPS_MAX];	/* its index, */
	const char *refused_why[HBD_GROUPS_MAX];	/* why, in words, */
	const char *refused_remedy[HBD_GROUPS_MAX];	/* and what ends it; "" = not known */
	int connections[HBD_GROUPS_MAX];	/* that are left of a drain; negative = not known */
	bool staged[HBD_GROUPS_MAX];	/* the addresses are there, mute unless it serves */
	bool link_usable[HBD_LINKS_MAX];
	const char *link_trouble[HBD_LINKS_MAX];	/* if not, why; NULL = not known */
	uint64_t turns, late_turns;	/* of the loop */
	int64_t longest_late_ns;
	bool maintenance_changing;	/* asked for, and not noted yet */
	int maintenance_error;		/* it could not be noted; 0 = it could */
};

/* A new JSON object, the caller's to json_decref(); NULL if out of memory. */
json_t *snapshot_json(const struct hbd_conf *conf, uint8_t self, const struct hbd_node *node,
		      const struct snapshot_extra *extra, int64_t now_ns);
