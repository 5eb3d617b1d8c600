#include "schema.h"

#include <string.h>

#include "conf.h"
#include "../core/time.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define STORED(structure, member) \
	.offset = offsetof(structure, member), .bytes = sizeof(((structure *)NULL)->member)

static const struct conf_word profile_words[] = {
	{ "wan", HBD_PROFILE_WAN, NULL },
	{ "lan", HBD_PROFILE_LAN, NULL },
	{ "fast", HBD_PROFILE_FAST, NULL },
	{ "turbo", HBD_PROFILE_TURBO, NULL },
	{ NULL, 0, NULL },
};

static const struct conf_word failback_words[] = {
	{ "manual", false, NULL },
	{ "auto", true, NULL },
	{ NULL, 0, NULL },
};

static const struct conf_word order_words[] = {
	{ "before", HBD_ORDER_BEFORE, NULL },
	{ "after", HBD_ORDER_AFTER, NULL },
	{ NULL, 0, NULL },
};

static const struct conf_word no_yes_words[] = {
	{ "no", false, NULL },
	{ "yes", true, NULL },
	{ NULL, 0, NULL },
};

static const struct conf_word on_failure_words[] = {
	{ "abort", HBD_ON_FAILURE_ABORT, NULL },
	{ "continue", HBD_ON_FAILURE_CONTINUE, NULL },
	{ NULL, 0, NULL },
};

static const struct conf_word severity_words[] = {
	{ "info", HBD_SEVERITY_INFO, NULL },
	{ "warning", HBD_SEVERITY_WARNING, NULL },
	{ "critical", HBD_SEVERITY_CRITICAL, NULL },
	{ NULL, 0, NULL },
};

static const struct conf_word without_words[] = {
	{ "stop", false, NULL },
	{ "serve", true, NULL },
	{ NULL, 0, NULL },
};

static const struct conf_setting schema[] = {
	{ .section = CONF_FILE, .name = "cluster", .type = CONF_NAME,
	  .required = true, .agreed = true, STORED(struct hbd_conf, cluster),
	  .help = "name of the pair; packets of another cluster are ignored" },
	{ .section = CONF_FILE, .name = "profile", .type = CONF_WORD, .words = profile_words,
	  .preset_text = "lan", .agreed = true, STORED(struct hbd_conf, profile_name),
	  .help = "how quickly silence counts as failure" },
	{ .section = CONF_FILE, .name = "port", .type = CONF_NUMBER,
	  .preset = HBD_PORT_DEFAULT, .min = 1, .max = 65535, .agreed = true,
	  STORED(struct hbd_conf, port),
	  .help = "UDP port of the heartbeats, on both nodes" },
	{ .section = CONF_FILE, .name = "refresh_s", .type = CONF_NUMBER, .unit = CONF_S,
	  .preset = 60, .min = 0, .max = 86400, STORED(struct hbd_conf, refresh_ns),
	  .help = "announce addresses again that often; 0 = never" },
	{ .section = CONF_FILE, .name = "stop_s", .type = CONF_NUMBER, .unit = CONF_S,
	  .preset = 5, .min = 0, .max = 3600, STORED(struct hbd_conf, stop_ns),
	  .help = "a stop waits that long for open connections; 0 = not" },
	{ .section = CONF_FILE, .name = "user", .type = CONF_NAME, .preset_text = "hbd",
	  STORED(struct hbd_conf, user),
	  .help = "the engine and the scribe run as this user" },
	{ .section = CONF_FILE, .name = "plugin_user", .type = CONF_NAME, .preset_text = "root",
	  STORED(struct hbd_conf, plugin_user),
	  .help = "takeover plugins and checks run as this user" },
	{ .section = CONF_FILE, .name = "keys", .type = CONF_STRINGS, .required = true,
	  .min = 1, .max = HBD_KEYS_MAX,
	  .help = "key files; the first one is sent with, all are accepted" },
	{ .section = CONF_FILE, .name = "nodes", .type = CONF_SECTIONS, .required = true,
	  .min = HBD_NODES, .max = HBD_NODES, .agreed = true, .help = "the two machines" },
	{ .section = CONF_FILE, .name = "groups", .type = CONF_SECTIONS, .required = true,
	  .min = 1, .max = HBD_GROUPS_MAX, .agreed = true,
	  .help = "what moves between them, each group on its own" },
	{ .section = CONF_FILE, .name = "witness", .type = CONF_SECTIONS,
	  .min = 0, .max = 1, .preset_text = "none", .agreed = true,
	  .help = "a third voice that breaks ties, so that there are never two owners" },
	{ .section = CONF_FILE, .name = "alerts", .type = CONF_SECTIONS,
	  .min = 0, .max = HBD_ALERTS_MAX, .preset_text = "none",
	  .help = "who is told when something happens" },

	{ .section = CONF_NODE, .name = "name", .type = CONF_NAME, .required = true,
	  .agreed = true, STORED(struct hbd_conf_node, name),
	  .help = "its host name, or what hbd -n says" },
	{ .section = CONF_NODE, .name = "links", .type = CONF_STRINGS, .required = true,
	  .min = 1, .max = HBD_LINKS_MAX, .agreed = true,
	  .help = "its ends of the heartbeat paths, \"ADDRESS%INTERFACE\", in the same order "
		  "on both nodes" },

	{ .section = CONF_GROUP, .name = "name", .type = CONF_NAME, .required = true,
	  .agreed = true, STORED(struct hbd_conf_group, name),
	  .help = "shown and used with hbctl" },
	{ .section = CONF_GROUP, .name = "addresses", .type = CONF_STRINGS, .required = true,
	  .min = 1, .max = HBD_ADDRESSES_MAX, .agreed = true,
	  .help = "virtual addresses, \"ADDRESS/LENGTH dev INTERFACE\"" },
	{ .section = CONF_GROUP, .name = "prefer", .type = CONF_STRING, .preset_text = "none",
	  .agreed = true, .help = "the node that takes the group if both could" },
	{ .section = CONF_GROUP, .name = "gateway", .type = CONF_STRING, .preset_text = "none",
	  .agreed = true,
	  .help = "a router's address; a node that gets no answer from it takes nothing over from a "
		  "peer that fell silent" },
	{ .section = CONF_GROUP, .name = "failback", .type = CONF_WORD, .words = failback_words,
	  .preset_text = "manual", .agreed = true, STORED(struct hbd_conf_group, failback),
	  .help = "whether the group goes back to the preferred node by itself" },
	{ .section = CONF_GROUP, .name = "failback_after_s", .type = CONF_NUMBER, .unit = CONF_S,
	  .preset = 60, .min = 1, .max = 86400, .agreed = true, .late = true,
	  STORED(struct hbd_conf_group, failback_after_ns),
	  .help = "with failback = \"auto\": so long must the preferred node have been well" },
	{ .section = CONF_GROUP, .name = "retry_ms", .type = CONF_NUMBER, .unit = CONF_MS,
	  .preset = 10000, .min = 100, .max = 3600000, .agreed = true,
	  STORED(struct hbd_conf_group, retry_ns),
	  .help = "pause after a failed takeover before this node tries again" },
	{ .section = CONF_GROUP, .name = "drain_s", .type = CONF_NUMBER, .unit = CONF_S,
	  .preset = 60, .min = 0, .max = 86400, .agreed = true,
	  STORED(struct hbd_conf_group, drain_ns),
	  .help = "so long may old connections last on a node that handed the group over; 0 if "
		  "nothing is said and a takeover plugin is of order before" },
	{ .section = CONF_GROUP, .name = "stage", .type = CONF_WORD, .words = no_yes_words,
	  .preset_text = "no", STORED(struct hbd_conf_group, staged),
	  .help = "a node that stands by has the addresses already, mute; needs the fence in the "
		  "kernel" },
	{ .section = CONF_GROUP, .name = "checks", .type = CONF_SECTIONS,
	  .min = 0, .max = HBD_CHECKS_MAX, .preset_text = "none", .agreed = true,
	  .help = "what must be well on a node that serves the group" },
	{ .section = CONF_GROUP, .name = "takeover", .type = CONF_SECTIONS,
	  .min = 0, .max = HBD_STEPS_MAX, .preset_text = "none", .agreed = true,
	  .help = "programs to run when the group is taken, in this order" },

	{ .section = CONF_CHECK, .name = "unit", .type = CONF_STRING, .agreed = true,
	  .help = "a systemd unit that must be active" },
	{ .section = CONF_CHECK, .name = "http", .type = CONF_STRING, .agreed = true,
	  .help = "an http or https URL that must answer well" },
	{ .section = CONF_CHECK, .name = "tcp", .type = CONF_STRING, .agreed = true,
	  .help = "\"HOST:PORT\" that must accept a connection" },
	{ .section = CONF_CHECK, .name = "file", .type = CONF_STRING, .agreed = true,
	  .help = "a file that must exist" },
	{ .section = CONF_CHECK, .name = "check", .type = CONF_STRING, .agreed = true,
	  .help = "name of a check plugin" },
	{ .section = CONF_CHECK, .name = "interval_ms", .type = CONF_NUMBER, .unit = CONF_MS,
	  .preset = 1000, .min = 100, .max = 3600000, .agreed = true,
	  STORED(struct hbd_conf_check, interval_ns),
	  .help = "from the start of one run to the start of the next" },
	{ .section = CONF_CHECK, .name = "timeout_ms", .type = CONF_NUMBER, .unit = CONF_MS,
	  .preset = 1000, .min = 10, .max = 600000, .agreed = true,
	  STORED(struct hbd_conf_check, timeout_ns),
	  .help = "a run that takes longer is killed and has failed" },
	{ .section = CONF_CHECK, .name = "rise", .type = CONF_NUMBER,
	  .preset = 2, .min = 1, .max = 100, .agreed = true,
	  STORED(struct hbd_conf_check, rise),
	  .help = "successes in a row until a failed check is good again" },
	{ .section = CONF_CHECK, .name = "fall", .type = CONF_NUMBER,
	  .preset = 3, .min = 1, .max = 100, .agreed = true,
	  STORED(struct hbd_conf_check, fall),
	  .help = "failures in a row until the check has failed" },

	{ .section = CONF_TAKEOVER, .name = "plugin", .type = CONF_STRING, .required = true,
	  .agreed = true, .help = "name of a takeover plugin" },
	{ .section = CONF_TAKEOVER, .name = "order", .type = CONF_WORD, .words = order_words,
	  .preset_text = "after", .agreed = true, STORED(struct hbd_conf_plugin, step.order),
	  .help = "run before or after the addresses are added" },
	{ .section = CONF_TAKEOVER, .name = "timeout_ms", .type = CONF_NUMBER, .unit = CONF_MS,
	  .preset = 30000, .min = 100, .max = 3600000, .agreed = true,
	  STORED(struct hbd_conf_plugin, step.timeout_ns),
	  .help = "whole time allowed, repeated tries included; then it is killed" },
	{ .section = CONF_TAKEOVER, .name = "on_failure", .type = CONF_WORD,
	  .words = on_failure_words, .agreed = true,
	  .preset_text = "abort before, continue after",
	  STORED(struct hbd_conf_plugin, step.on_failure),
	  .help = "give the takeover up, or send an alert and go on" },
	{ .section = CONF_TAKEOVER, .name = "prepare", .type = CONF_WORD, .words = no_yes_words,
	  .preset_text = "no", .agreed = true, STORED(struct hbd_conf_plugin, step.prepares),
	  .help = "it is also called with \"prepare\", before a switchover" },

	{ .section = CONF_ALERT, .name = "plugin", .type = CONF_STRING, .required = true,
	  .help = "name of an alert plugin" },
	{ .section = CONF_ALERT, .name = "severity", .type = CONF_WORD, .words = severity_words,
	  .preset_text = "warning", STORED(struct hbd_conf_alert, severity),
	  .help = "this and worse are sent" },
	{ .section = CONF_ALERT, .name = "timeout_ms", .type = CONF_NUMBER, .unit = CONF_MS,
	  .preset = 30000, .min = 100, .max = 600000, STORED(struct hbd_conf_alert, timeout_ns),
	  .help = "of one try; a failed one is repeated later" },

	{ .section = CONF_WITNESS, .name = "plugin", .type = CONF_STRING, .required = true,
	  .agreed = true, .help = "name of a witness plugin" },
	{ .section = CONF_WITNESS, .name = "without", .type = CONF_WORD, .words = without_words,
	  .preset_text = "stop", STORED(struct hbd_conf_witness, serve_without),
	  .help = "what a node does that reaches neither its peer nor the witness: \"stop\" serving, "
		  "so that there are never two owners, or \"serve\", as a pair without a witness" },
};

const struct conf_setting *conf_schema(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(schema);
	return schema;
}

const struct conf_setting *conf_schema_find(enum conf_section section, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(schema); i++) {
		if (schema[i].section == section && !strcmp(schema[i].name, name))
			return &schema[i];
	}
	return NULL;
}

enum conf_section conf_schema_section_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(schema); i++) {
		if (!strcmp(schema[i].name, name))
			return schema[i].section;
	}
	return CONF_SECTION_UNSET;
}

bool conf_section_takes_parameters(enum conf_section section)
{
	return section == CONF_CHECK || section == CONF_TAKEOVER || section == CONF_ALERT ||
	       section == CONF_WITNESS;
}

const char *conf_section_text(enum conf_section section)
{
	switch (section) {
	case CONF_FILE:
		return "the file";
	case CONF_NODE:
		return "a node";
	case CONF_GROUP:
		return "a group";
	case CONF_CHECK:
		return "a check";
	case CONF_TAKEOVER:
		return "a takeover plugin";
	case CONF_ALERT:
		return "an alert";
	case CONF_WITNESS:
		return "a witness";
	case CONF_SECTION_UNSET:
	case CONF_SECTION_COUNT:
		break;
	}
	return "nothing";
}

const char *conf_unit_text(enum conf_unit unit)
{
	switch (unit) {
	case CONF_MS:
		return "ms";
	case CONF_S:
		return "s";
	case CONF_UNIT_NONE:
		break;
	}
	return "";
}

int64_t conf_unit_ns(enum conf_unit unit)
{
	switch (unit) {
	case CONF_MS:
		return HBD_MS_NS;
	case CONF_S:
		return HBD_S_NS;
	case CONF_UNIT_NONE:
		break;
	}
	return 1;
}
