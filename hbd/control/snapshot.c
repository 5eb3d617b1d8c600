#include "snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/log.h"
#include "../core/time.h"
#include "reply.h"
#include "snapshot_parts.h"

json_t *snapshot_text(const char *text)
{
	json_t *json = text ? json_string(text) : json_null();

	if (json || !text)
		return json;
	char *ascii = strdup(text);
	for (char *c = ascii; c && *c; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	json = ascii ? json_string(ascii) : NULL;
	free(ascii);
	return json;
}

json_int_t snapshot_age_ms(const struct snapshot_source *source, int64_t instant_ns)
{
	return (source->now_ns - instant_ns) / HBD_MS_NS;
}

json_t *snapshot_left_ms(const struct snapshot_source *source, int64_t instant_ns)
{
	if (instant_ns == HBD_NEVER_NS)
		return json_null();
	return json_integer(hbd_time_max(instant_ns - source->now_ns, 0) / HBD_MS_NS);
}

static json_t *configuration(const struct hbd_conf *conf, uint64_t agreed)
{
	char digest[17];

	snprintf(digest, sizeof(digest), "%016" PRIx64, agreed);
	return json_pack("{s:o, s:s, s:i}", "path", snapshot_text(conf->path), "digest", digest,
			 "port", conf->port);
}

static json_t *profile(const struct hbd_conf *conf)
{
	const struct hbd_profile *times = &conf->profile;

	return json_pack("{s:s, s:I, s:I, s:I}", "name", hbd_profile_text(conf->profile_name),
			 "interval_us", (json_int_t)(times->interval_ns / HBD_US_NS), "hold_us",
			 (json_int_t)(times->hold_ns / HBD_US_NS), "grant_us",
			 (json_int_t)(times->grant_ns / HBD_US_NS));
}

static json_t *mismatches(uint8_t bits)
{
	json_t *array = json_array();

	if (bits & HBD_MISMATCH_CONFIG)
		json_array_append_new(array, json_string("configuration"));
	if (bits & HBD_MISMATCH_KEY)
		json_array_append_new(array, json_string("key"));
	if (bits & HBD_MISMATCH_VERSION)
		json_array_append_new(array, json_string("version"));
	return array;
}

/* So much longer it may take until the peer's next process goes on. */
static json_t *restarting(const struct snapshot_source *source)
{
	int64_t left_ns = source->node->hold.peer_until_ns - source->now_ns;

	return left_ns > 0 ? json_integer(left_ns / HBD_MS_NS) : json_null();
}

static json_t *key_id(const struct hbd_session *session)
{
	return hbd_session_is_open(session) ? json_integer(session->running.key_id) : json_null();
}

static json_t *version(const struct hbd_session *session)
{
	return hbd_session_is_open(session) ? json_integer(session->running.version) : json_null();
}

static const char *peer_state(const struct hbd_node *node)
{
	enum hbd_peer_state state = hbd_node_peer_state(node);

	return state == HBD_PEER_STOPPED && node->peer_orphaned ? "orphaned" :
								  hbd_peer_state_text(state);
}

static json_t *peer(const struct snapshot_source *source)
{
	const struct hbd_node *node = source->node;
	const struct hbd_detector *detector = &node->detector;
	json_t *heard = detector->heard
				? json_integer(snapshot_age_ms(source, detector->last_rx_ns))
				: json_null();

	return json_pack("{s:s, s:s, s:o, s:I, s:o, s:o, s:o, s:I, s:I, s:b, s:o}", "name",
			 source->conf->nodes[1 - source->self].name, "state",
			 peer_state(node), "heard_age_ms", heard,
			 "longest_silence_ms", (json_int_t)(detector->max_gap_ns / HBD_MS_NS),
			 "mismatches", mismatches(node->mismatch), "key_id",
			 key_id(&node->session), "version", version(&node->session), "seal_failures",
			 (json_int_t)node->seal_failures, "unreachable",
			 (json_int_t)node->unreachable, "maintenance",
			 node->peer_maintained, "restarting_ms", restarting(source));
}

static json_t *alerts(const struct snapshot_source *source)
{
	const struct snapshot_extra *extra = source->extra;
	bool has_detail = extra->spool_detail && extra->spool_detail[0];

	return json_pack("{s:i, s:I, s:I, s:I, s:o}", "configured", extra->alerts_configured,
			 "taken", (json_int_t)extra->spool_taken, "pending",
			 (json_int_t)extra->spool_pending, "oldest_age_ms",
			 (json_int_t)(extra->spool_oldest_age_ns / HBD_MS_NS), "detail",
			 snapshot_text(has_detail ? extra->spool_detail : NULL));
}

/* JSON null where there is none. */
static json_t *witness(const struct snapshot_source *source)
{
	const struct hbd_node *node = source->node;

	if (!source->conf->witness.present)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:I}", "name", source->conf->witness.plugin.name, "state",
			 hbd_node_witness_is_lost(node) ? "lost" : "well", "without",
			 source->conf->witness.serve_without ? "serve" : "stop", "answered_age_ms",
			 snapshot_age_ms(source, node->witness_answered_ns));
}

static json_t *maintenance(const struct snapshot_source *source)
{
	const struct hbd_maintenance *state = &source->node->maintenance;
	int error = source->extra->maintenance_error;

	return json_pack("{s:b, s:o, s:b, s:o}", "on", state->on, "age_ms",
			 state->on ? json_integer(snapshot_age_ms(source, state->since_ns))
				   : json_null(),
			 "changing", source->extra->maintenance_changing, "error",
			 snapshot_text(error == 0 ? NULL : log_strerror(error)));
}

static json_t *loop(const struct snapshot_source *source)
{
	const struct snapshot_extra *extra = source->extra;
	const struct hbd_detector *detector = &source->node->detector;

	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "turns", (json_int_t)extra->turns,
			 "late_turns", (json_int_t)extra->late_turns, "longest_late_us",
			 (json_int_t)(extra->longest_late_ns / HBD_US_NS), "stalls",
			 (json_int_t)detector->stalls, "longest_stall_us",
			 (json_int_t)(detector->longest_stall_ns / HBD_US_NS));
}

typedef json_t *(*part)(const struct snapshot_source *source, uint8_t index);

/* An array of parts, or NULL: half a list would be taken for the whole. */
static json_t *list(const struct snapshot_source *source, part make, uint8_t count)
{
	json_t *array = json_array();

	for (uint8_t i = 0; i < count; i++) {
		if (json_array_append_new(array, make(source, i)) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

json_t *snapshot_json(const struct hbd_conf *conf, uint8_t self, const struct hbd_node *node,
		      const struct snapshot_extra *extra, int64_t now_ns)
{
	const struct snapshot_source source = {
		.conf = conf, .self = self, .node = node, .extra = extra, .now_ns = now_ns,
	};

	return json_pack("{s:i, s:s, s:s, s:s, s:I, s:b, s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:b,"
			 " s:o, s:o, s:o, s:b, s:o}",
			 "schema", REPLY_SCHEMA, "version", extra->version, "cluster",
			 conf->cluster, "node", conf->nodes[self].name, "uptime_ms",
			 snapshot_age_ms(&source, node->started_ns), "stopping",
			 node->stopping || node->leave.on,
			 "configuration",
			 configuration(conf, node->config->config_digest), "profile",
			 profile(conf), "peer",
			 peer(&source), "groups", list(&source, snapshot_group, conf->group_count),
			 "links", list(&source, snapshot_link, conf->nodes[self].link_count),
			 "fence", extra->fence, "realtime", extra->realtime, "memory_locked",
			 extra->memory_locked, "alerts", alerts(&source), "loop", loop(&source),
			 "witness", witness(&source), "deaf", hbd_node_is_deaf(node),
			 "maintenance", maintenance(&source));
}
