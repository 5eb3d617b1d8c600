/*
 * Asks a plugin what it takes (plugins/README.md, "describe"). For who may wait: `hbd --check`, and
 * hbd before its loop runs.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "process.h"

/*
 * The object that the program at path prints for `describe`, the caller's to json_decref(). -ENOTSUP
 * if it cannot know that action, since the word is not in its file: then it is not run, because
 * who looks at no action would act. -ETIMEDOUT; -EPROTO: what it did was no description.
 */
int plugin_describe(const char *path, const struct process_user *user, int64_t timeout_ns,
		    json_t **ret_description);
