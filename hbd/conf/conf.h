/*
 * The configuration: one file, the same on both nodes, read once, checked in full, then fixed.
 *
 * conf_load() turns text into struct hbd_conf or into a list of every mistake in it. It touches no
 * socket or interface: whether an interface exists is not a property of the file. One table of
 * settings (schema.h: name, type, unit, default, range, help) drives loading, checking, printing
 * and the manual page. Strings that libconfig parsed are UTF-8 and hold no control characters.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include "../core/action.h"
#include "../core/limits.h"
#include "../core/node.h"
#include "../core/profile.h"
#include "../core/takeover.h"

#define HBD_PORT_DEFAULT 694		/* IANA: ha-cluster */
#define HBD_CHECKS_MAX 16		/* of one group */
#define HBD_ALERTS_MAX 16
#define HBD_ADDRESSES_MAX 4096		/* of one group */
#define HBD_PARAMETERS_MAX 32		/* of one plugin */

/* An IPv4 or IPv6 address; family AF_INET or AF_INET6. */
struct hbd_address {
	int family;
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
};

/* One end of a heartbeat path, "10.78.0.1%eth1". */
struct hbd_conf_link {
	struct hbd_address address;
	char interface[IF_NAMESIZE];
};

struct hbd_conf_node {
	char name[HBD_NAME_BYTES];
	uint8_t link_count;
	struct hbd_conf_link links[HBD_LINKS_MAX];
};

/* One virtual address, "10.77.0.100/24 dev eth0". */
struct hbd_conf_vip {
	struct hbd_address address;
	uint8_t prefix;
	char interface[IF_NAMESIZE];
};

/* A setting of a plugin that hbd itself does not know; handed on in the JSON object. */
struct hbd_conf_parameter {
	char *name;
	char *json;			/* its value as JSON text */
	unsigned line;			/* where the file has it */
};

struct hbd_conf_plugin {
	char *name;			/* "postgresql": no slash */
	unsigned line;			/* where the file names it */
	struct hbd_step_config step;	/* takeover plugins only */
	uint8_t parameter_count;
	struct hbd_conf_parameter parameters[HBD_PARAMETERS_MAX];
};

/* A health check: a program of plugins/check run every interval. */
struct hbd_conf_check {
	char *name;			/* shown: "unit haproxy.service" */
	struct hbd_conf_plugin plugin;
	int64_t interval_ns;
	int64_t timeout_ns;
	unsigned rise;			/* successes in a row until it is good again */
	unsigned fall;			/* failures in a row until it is bad */
};

struct hbd_conf_group {
	char name[HBD_NAME_BYTES];
	size_t vip_count;
	struct hbd_conf_vip *vips;
	struct hbd_address gateway;	/* must answer before a claim on silence; family 0 = none */
	uint8_t prefer;			/* node index or HBD_NO_PREFERENCE */
	uint8_t takeover_count;
	struct hbd_conf_plugin takeover[HBD_STEPS_MAX];
	uint8_t check_count;
	struct hbd_conf_check checks[HBD_CHECKS_MAX];
	int64_t retry_ns;
	int64_t drain_ns;
	bool failback;			/* by itself, after ... */
	int64_t failback_after_ns;
	bool staged;			/* a node that stands by has the addresses, mute */
};

struct hbd_conf_alert {
	struct hbd_conf_plugin plugin;	/* of plugins/alert */
	enum hbd_severity severity;	/* this and worse are sent */
	int64_t timeout_ns;		/* of one try */
};

/* A third voice, asked through a program of plugins/witness that runs as long as hbd. */
struct hbd_conf_witness {
	bool present;
	bool serve_without;		/* go on as a pair without one while it does not answer */
	struct hbd_conf_plugin plugin;
};

struct hbd_conf {
	char *path;
	char cluster[HBD_NAME_BYTES];
	char user[HBD_NAME_BYTES];	/* the engine runs as; default "hbd" */
	char plugin_user[HBD_NAME_BYTES]; /* takeover plugins and checks run as; "root" */
	unsigned user_line, plugin_user_line;	/* where the file names them; 0 = it does not */
	uint16_t port;
	enum hbd_profile_name profile_name;
	struct hbd_profile profile;
	int64_t stop_ns;		/* so long a stop waits for old connections */
	int64_t refresh_ns;		/* repeat announcements that often; 0 = never */
	struct hbd_conf_node nodes[HBD_NODES];
	uint8_t key_path_count;
	char *key_paths[HBD_KEYS_MAX];
	unsigned key_lines[HBD_KEYS_MAX];	/* where the file names them */
	uint8_t key_count;
	struct hbd_key keys[HBD_KEYS_MAX];	/* loaded by conf_load_keys() */
	uint8_t group_count;
	struct hbd_conf_group groups[HBD_GROUPS_MAX];
	struct hbd_conf_witness witness;
	uint8_t alert_count;
	struct hbd_conf_alert alerts[HBD_ALERTS_MAX];
	uint64_t digest;		/* over what both nodes must agree on; not alerts or paths */
};

/* Every mistake found, in the order of the file. */
struct conf_error {
	unsigned line;			/* 0 = the file as a whole */
	char *text;			/* without file and line */
};
struct conf_errors {
	size_t count;
	struct conf_error *items;
};

/*
 * Reads and checks path. 0 with *ret_conf set; -EINVAL with the mistakes in *ret_errors; another
 * negative errno if the file cannot be read (also told in ret_errors). conf_free() and
 * conf_errors_free() free what is returned; both accept what was never filled (zeroed or NULL).
 */
int conf_load(const char *path, struct hbd_conf **ret_conf, struct conf_errors *ret_errors);

/* The same with conf_load_keys(): the mistakes of both, in the order of the file's lines. */
int conf_load_with_keys(const char *path, struct hbd_conf **ret_conf,
			struct conf_errors *ret_errors);
void conf_free(struct hbd_conf *conf);
void conf_errors_free(struct conf_errors *errors);

/* Prints "path:line: message" lines, as compilers do. */
void conf_errors_print(const struct conf_errors *errors, const char *path, FILE *stream);

/*
 * Loads the keys named in conf. A key file holds one line, "ID HEX64"; its mode must not allow
 * group or others anything and its owner must be root or the caller. 0, or -EINVAL with the
 * mistakes, at the lines that name the files, in ret_errors; then conf holds no key.
 */
int conf_load_keys(struct hbd_conf *conf, struct conf_errors *ret_errors);

/* A fresh random key; id is 1..255. The caller wipes it. sodium_init() was called. */
void conf_key_generate(uint8_t id, struct hbd_key *ret_key);

/* The line of a key file, "ID HEX64\n", into text; returns text. The caller wipes it. */
#define CONF_KEY_TEXT_BYTES 80
const char *conf_key_format(const struct hbd_key *key, char text[CONF_KEY_TEXT_BYTES]);

/* Creates path with mode 0600 and writes key to it. -EEXIST if there is such a file: a key in use
 * is never overwritten. Nothing is left behind on failure. */
int conf_key_write(const char *path, const struct hbd_key *key);

/*
 * Which node this machine is: by name if not NULL, else by host_name (whole, then up to the first
 * dot) if not NULL, else the one node whose link addresses are all among addresses, which the
 * caller read from the interfaces. 0 or 1, or -ENOENT if none fits or both do.
 */
int conf_self(const struct hbd_conf *conf, const char *name, const char *host_name,
	      const struct hbd_address *addresses, size_t address_count);

/* Prints the whole configuration, defaults included; what is printed loads again unchanged. */
void conf_print(const struct hbd_conf *conf, FILE *stream);

/* The core's configuration for node self. epoch_floor and seed are the caller's to fill. */
void conf_node_config(const struct hbd_conf *conf, uint8_t self,
		      struct hbd_node_config *ret_config);

/* Link-local ones are the same only on one interface, which is for the caller to compare. */
bool hbd_address_equal(const struct hbd_address *a, const struct hbd_address *b);

/* "10.77.0.100" or "fd77::100" into text of INET6_ADDRSTRLEN bytes; returns text. */
const char *hbd_address_text(const struct hbd_address *address, char *text);
