/*
 * Inside conf/: what the parts of the loader share while one file is being read.
 *
 *	text -> lint -> libconfig -> section loaders -> checks across sections -> struct hbd_conf
 *
 * Every part goes on after a mistake, so that all of them are found in one run. Nothing here
 * is seen outside of conf/, but for conf_load_text(), which tests and fuzzers call.
 */
#pragma once

#include <libconfig.h>
#include <stdarg.h>

#include "conf.h"
#include "schema.h"

#define CONF_FILE_BYTES_MAX (8 * 1024 * 1024)
#define CONF_MISTAKES_MAX 1000		/* more are not told */
#define CONF_NESTING_MAX 16		/* of a plugin's parameter */
#define CONF_STRING_BYTES_MAX 4096	/* of a string that is no plugin's parameter */

/* One place where the file names an address; checked against all others at the end. */
struct conf_sighting {
	struct hbd_address address;
	char interface[IF_NAMESIZE];
	unsigned line;
	bool is_link;
	const char *owner;	/* name of the node or group, in conf */
};

struct conf_loader {
	struct hbd_conf *conf;
	struct conf_errors errors;
	bool no_memory;		/* an allocation failed: the result is worthless */
	bool peer_names_known;	/* both nodes have a legal name */
	unsigned node_lines[HBD_NODES];
	unsigned link_lines[HBD_NODES][HBD_LINKS_MAX];
	unsigned link_errors[HBD_NODES];	/* links that were refused */
	unsigned group_lines[HBD_GROUPS_MAX];
	unsigned gateway_lines[HBD_GROUPS_MAX];
	size_t sighting_count, sighting_room;
	struct conf_sighting *sightings;
};

/* conf_load() for text that is in memory already; bytes need no final NUL. */
int conf_load_text(const char *path, const char *text, size_t bytes, struct hbd_conf **ret_conf,
		   struct conf_errors *ret_errors);

/* errors.c: adds one mistake; they are put in the order of the file at the end. */
void conf_mistake(struct conf_loader *loader, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int conf_errors_add(struct conf_errors *errors, unsigned line, const char *format, va_list list)
	__attribute__((format(printf, 3, 0)));
void conf_errors_sort(struct conf_errors *errors);

/* file.c: the file's bytes with a NUL appended, or -errno and the mistake told. Caller frees. */
int conf_read_file(struct conf_loader *loader, const char *path, char **ret_text,
		   size_t *ret_bytes);

/* utf8.c: true if bytes are UTF-8 without NUL and byte order mark; else the mistake is told. */
bool conf_is_text(struct conf_loader *loader, const char *text, size_t bytes);

/* utf8.c: NULL if a string is UTF-8 without control characters (tab and newline are none to a
 * plugin), else what it holds: escapes can make what the file itself may not hold. */
const char *conf_string_problem(const char *text, bool for_plugin);

/* utf8.c: puts '?' for what is not UTF-8, as a letter that was cut in two, and for control
 * characters: what an operator wrote may not drive the terminal that shows the message. */
void conf_defuse(char *text);

/*
 * lint.c: tells what libconfig would take without a word and an operator did not mean. Returns
 * text for libconfig, with the same lines, in which that is mended so that it leads to no further
 * mistakes; the caller frees it. NULL if it makes no sense to go on, and the mistake is told.
 */
char *conf_lint(struct conf_loader *loader, const char *text, size_t bytes);

/*
 * lint.c: libconfig dates a string in a list by the token after it; this puts the line of the
 * string itself.
 */
void conf_fix_lines(config_t *config, const char *text);

/*
 * duplicates.c: libconfig refused text because a setting that stands on line is set twice in its
 * section. Tells where the first one is and blanks the second, so that the rest can be read.
 * False if there is none.
 */
bool conf_mend_duplicate(struct conf_loader *loader, unsigned line, char *text);

/* explain.c: libconfig refused text; tells why, in terms of what stands there. */
void conf_explain(struct conf_loader *loader, const config_t *config, const char *text);

/* section.c: fills object from section by the table; every key is known, or told, or a parameter. */
void conf_load_section(struct conf_loader *loader, enum conf_section section,
		       const config_setting_t *from, void *object);

/* The setting of section (UNSET: of any) that an unknown key was probably meant to be, or NULL. */
const char *conf_meant(enum conf_section section, const char *name);

/*
 * values.c: puts value, or the default, where setting's row says. What the row says to be another
 * loader's is only checked for its type. A default that depends on another setting is left UNSET.
 */
void conf_load_value(struct conf_loader *loader, const struct conf_setting *setting,
		     const config_setting_t *value, void *object);
void conf_load_preset(const struct conf_setting *setting, void *object);

/* The elements of the list called name, of the type that the table says; NULL if it is absent or
 * was refused already. */
const config_setting_t *conf_list(enum conf_section section, const config_setting_t *from,
				  const char *name);

/* The string that value is; NULL if it is none or was refused already. */
const char *conf_good_string(const config_setting_t *value);

/* The string called name; NULL if it is absent or was refused already. */
const char *conf_string(const config_setting_t *from, const char *name, unsigned *ret_line);

/* True if text is a legal name of something, of letters, digits, '.', '_' and '-'. */
bool conf_is_name(const char *text);

/* load_nodes.c, load_groups.c, load_plugins.c: the sections. */
/* The keys of the files that the configuration names, as far as it could be read. */
void conf_load_key_files(struct conf_loader *loader);
void conf_load_nodes(struct conf_loader *loader, const config_setting_t *root);
void conf_load_groups(struct conf_loader *loader, const config_setting_t *root);
void conf_load_alerts(struct conf_loader *loader, const config_setting_t *root);
void conf_load_witness(struct conf_loader *loader, const config_setting_t *root);
void conf_load_takeover(struct conf_loader *loader, const config_setting_t *from,
			struct hbd_conf_group *group);
void conf_load_checks(struct conf_loader *loader, const config_setting_t *from,
		      struct hbd_conf_group *group);

/* Adds the parameters of a plugin's section: every key that the table does not know. */
void conf_load_parameters(struct conf_loader *loader, enum conf_section section,
			  const config_setting_t *from, struct hbd_conf_plugin *plugin);

/*
 * address.c: "10.78.0.1%eth1" and "10.77.0.100/24 dev eth0". False if it was refused; then the
 * mistake, with a guess at what was meant, is told.
 */
bool conf_parse_link(struct conf_loader *loader, unsigned line, const char *text,
		     struct hbd_conf_link *ret_link);
bool conf_parse_vip(struct conf_loader *loader, unsigned line, const char *text,
		    struct hbd_conf_vip *ret_vip);
/* "192.0.2.1" of a router, likewise. */
bool conf_parse_gateway(struct conf_loader *loader, unsigned line, const char *text,
			struct hbd_address *ret_gateway);
void conf_saw_address(struct conf_loader *loader, const struct conf_sighting *sighting);

/* check_addresses.c, check_gateways.c, check_nodes.c, check_groups.c: what must be true across
 * sections. */
void conf_check_addresses(struct conf_loader *loader);
void conf_check_gateways(struct conf_loader *loader);
void conf_check_nodes(struct conf_loader *loader);
void conf_check_groups(struct conf_loader *loader);

/* digest.c: over what both nodes must agree on. -ENOMEM. */
int conf_digest(const struct hbd_conf *conf, uint64_t *ret_digest);
