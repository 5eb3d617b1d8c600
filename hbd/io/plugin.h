/*
 * The one contract for every program that hbd runs (plugins/README.md): where a plugin is found,
 * what makes it unsafe, and what it is told.
 *
 * A plugin is found in DIR/KIND/NAME, where DIR is --plugin-dir, then /etc/hbd/plugins, then the
 * installed directory; the first that exists is taken or refused, never passed over. It is told an
 * action (argv[1]), facts in the environment as HBD_NAME, and the same facts as one JSON object on
 * standard input, which also holds its "parameters" from the configuration and its group's
 * "addresses":
 *
 *	HBD_ACTION=takeover	{"contract": 1, "action": "takeover",
 *	HBD_GROUP=web		 "group": "web", "epoch": 7, ...
 *	HBD_EPOCH=7		 "parameters": {"retries": 3},
 *	HBD_PARAMETER_RETRIES=3	 "addresses": ["10.77.0.100/24 dev eth0"]}
 *
 * Running it, and what it may not do, is process.h's.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "../conf/conf.h"
#include "process.h"

#define PLUGIN_CONTRACT 1

enum plugin_kind {
	PLUGIN_UNSET = 0,
	PLUGIN_TAKEOVER,
	PLUGIN_CHECK,
	PLUGIN_ALERT,
	PLUGIN_WITNESS,
};

/* "takeover", "check", "alert", "witness". */
const char *plugin_kind_text(enum plugin_kind kind);

/*
 * Finds a plugin and checks that nobody but root and the calling user (by sudo, too) could have
 * changed it.
 * extra_dir: --plugin-dir or NULL. 0 with ret_path (PATH_MAX bytes), or with the reason in ret_why
 * (PROCESS_TEXT_BYTES): -ENOENT missing; -EACCES not a regular file or not executable; -EPERM: it
 * or a directory above it is owned by someone else or writable for group or others. Touches disks.
 */
int plugin_find(const char *extra_dir, enum plugin_kind kind, const char *name, char *ret_path,
		char *ret_why);

/* The directories that are searched after --plugin-dir, in that order; NULL at the end. */
const char *plugin_dir_at(size_t index);

/* A configured plugin, ready to be run often. */
struct plugin;

/*
 * conf: of the plugin; group: whose addresses it is told, NULL = none. extra_dir must outlive the
 * plugin, the others may go. parameters become environment only for takeover plugins and checks,
 * because alert plugins' hold passwords. 0, or -ENOMEM.
 */
int plugin_new(enum plugin_kind kind, const char *extra_dir, const struct hbd_conf_plugin *conf,
	       const struct hbd_conf_group *group, struct plugin **ret_plugin);
void plugin_free(struct plugin *plugin);

/* "takeover/conntrackd" */
const char *plugin_label(const struct plugin *plugin);

struct plugin_call {
	const char *action;		/* argv[1] */
	/*
	 * A JSON object of facts, names in lower case; the caller's. Each goes into the JSON; strings,
	 * numbers and booleans also into the environment, "group" as HBD_GROUP. Not needed after the
	 * call.
	 */
	json_t *facts;
	int64_t timeout_ns;		/* > 0; HBD_NEVER_NS: none */
	/*
	 * The program's end of a SOCK_SEQPACKET pair, and the other: the JSON goes through them as the
	 * first message, and more will follow. 0 = none, it has a standard input and output.
	 */
	int channel_fd;
	int own_fd;
	const struct process_user *user;	/* NULL = whoever we are; must outlive the call only */
	int output_priority;
	process_handler handler;
	void *context;
};

/* Starts the plugin. As process_start(). */
int plugin_start(struct process_runner *runner, const struct plugin *plugin,
		 const struct plugin_call *call, struct process **ret_process);

/*
 * The facts of a call that concerns a group: group, node, peer, epoch, reason, role, previous; those
 * that are NULL or 0 are left out. A new object, the caller's; NULL if out of memory.
 */
struct plugin_facts {
	const char *group;
	const char *node;
	const char *peer;
	uint64_t epoch;
	const char *reason;
	const char *role;		/* that this node is taking on */
	const char *previous;		/* that it leaves */
};
json_t *plugin_facts_json(const struct plugin_facts *facts);
