/*
 * What a configuration says that the machine does not bear out: plugins that are not there,
 * parameters that a plugin does not know or misses, users that nobody has. The loader of the
 * configuration cannot know; only `hbd --check` and the start of hbd ask, since plugins are run for
 * it ("describe") and disks are read.
 *
 * What can be nothing but a mistake is one: a name that differs from a plugin's by a letter, a
 * parameter that the plugin itself does not know. What may be different on the node that the file
 * is for is a warning.
 */
#pragma once

#include <stdbool.h>

#include "../conf/conf.h"

struct plugin_finding {
	unsigned line;		/* 0 = the file as a whole */
	bool mistake;		/* else a warning */
	const char *text;
};

typedef void (*plugin_finding_handler)(void *context, const struct plugin_finding *finding);

/* extra_dir: --plugin-dir or NULL. Takes some seconds at most, whatever the plugins do. */
void plugin_lint(const struct hbd_conf *conf, const char *extra_dir, plugin_finding_handler handler,
		 void *context);
