/*
 * Reload. A process of its own reads and checks the new file first, so that a slow disk holds up
 * nobody and every mistake is in the log; only a good file is then read here, from memory. What the
 * engine holds changes by another engine: guardian_swap.c.
 */
#include "guardian_parts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/log.h"
#include "reload.h"

#define CHECK_NS_MAX (30 * HBD_S_NS)

static void reload(struct guardian *guardian);

static void finish(struct guardian *guardian, const char *text)
{
	guardian->reloading = false;
	notify_send(&guardian->notify, "READY=1");
	notify_status(&guardian->notify, text);
	if (guardian->reload_again && guardian->stop == STOP_UNSET)
		reload(guardian);
}

void guardian_reload_refuse(struct guardian *guardian, const char *why)
{
	log_error("the reload of %s is refused, nothing changes: %s", guardian->conf->path, why);
	finish(guardian, "the last reload was refused, see the log");
}

void guardian_reload_done(struct guardian *guardian, const char *what)
{
	log_notice("reloaded %s: %s", guardian->conf->path, what);
	finish(guardian, "reloaded");
}

/* Loaded, keys included, or NULL; the mistakes were logged. */
static struct hbd_conf *load(const char *path)
{
	struct conf_errors errors = { 0 };
	struct hbd_conf *conf = NULL;
	int result = conf_load_with_keys(path, &conf, &errors);

	for (size_t i = 0; i < errors.count; i++)
		log_error("%s:%u: %s", path, errors.items[i].line, errors.items[i].text);
	conf_errors_free(&errors);
	if (result == 0)
		return conf;
	conf_free(conf);
	return NULL;
}

int guardian_reload_apply(struct guardian *guardian, struct hbd_conf *fresh)
{
	struct check_setup setup = guardian_check_setup(guardian, fresh);
	struct message digest = { .type = MESSAGE_DIGEST };
	bool scribe = reload_concerns_scribe(guardian->conf, fresh);
	struct check_set *checks;
	int result = check_set_new(&setup, guardian->checks, &checks);

	if (result < 0)
		return result;
	result = guardian_plugins_load(guardian, fresh);
	if (result < 0) {
		check_set_free(checks);
		return result;
	}
	check_set_free(guardian->checks);
	guardian->checks = checks;
	conf_free(guardian->conf);
	guardian->conf = fresh;
	digest.digest = fresh->digest;
	guardian_engine_tell(guardian, &digest, -1);
	/* a new one tries at once: what was repaired may be outside of the file */
	if (scribe || guardian->scribe.spool.spool.pending > 0)
		guardian_scribe_stop(guardian);
	return 0;
}

static void change_in_place(struct guardian *guardian, struct hbd_conf *fresh)
{
	int result = guardian_reload_apply(guardian, fresh);

	if (result == 0) {
		guardian_reload_done(guardian, "alerts, checks and plugin parameters are as it says");
		return;
	}
	guardian_reload_refuse(guardian, log_strerror(result));
	conf_free(fresh);
}

static void refuse_restart(struct guardian *guardian, const char *what)
{
	char why[RELOAD_WHAT_BYTES + 64];

	snprintf(why, sizeof(why), "%s differs, which needs \"systemctl restart hbd\"", what);
	guardian_reload_refuse(guardian, why);
}

static void take(struct guardian *guardian, struct hbd_conf *fresh)
{
	char what[RELOAD_WHAT_BYTES];

	switch (reload_judge(guardian->conf, fresh, guardian->self, what)) {
	case RELOAD_IN_PLACE:
		change_in_place(guardian, fresh);
		break;
	case RELOAD_ENGINE:
		log_info("guardian: preparing another engine, for a change of %s", what);
		guardian_swap_begin(guardian, fresh);
		break;
	case RELOAD_RESTART:
		refuse_restart(guardian, what);
		conf_free(fresh);
		break;
	case RELOAD_UNSET:
		break;
	}
}

static void on_checked(void *context, const struct process_result *result)
{
	struct guardian *guardian = context;
	struct hbd_conf *fresh;

	if (guardian->stop != STOP_UNSET)
		return;
	if (result->result != 0) {
		guardian_reload_refuse(guardian, result->result == -EREMOTEIO
							 ? "it has mistakes, see above"
							 : result->text);
		return;
	}
	fresh = load(guardian->conf->path);
	if (fresh)
		take(guardian, fresh);
	else
		guardian_reload_refuse(guardian, "it was changed meanwhile, and has mistakes");
}

/* This very program, also after an upgrade has replaced its file. */
static int find_self(const void *context, char *ret_path, char *ret_why)
{
	(void)context;
	(void)ret_why;
	strcpy(ret_path, "/proc/self/exe");
	return 0;
}

static int check_file(struct guardian *guardian)
{
	char name[] = "hbd", option[] = "--check", place[] = "--plugin-dir", id[PROCESS_ID_BYTES];
	const char *extra = guardian->config->plugin_dir;
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s", extra ? extra : "");

	return process_start(guardian->runner, &(struct process_request){
		.label = "reload",
		.id = process_id(guardian->runner, "reload", id),
		.resolve = find_self,
		.argv = (char *[]){ name, option, guardian->conf->path, extra ? place : NULL, dir,
				    NULL },
		.environment = (char *[]){ NULL },
		.input = "",
		.timeout_ns = CHECK_NS_MAX,
		.output_priority = LOG_NOTICE,
		.handler = on_checked,
		.context = guardian,
	}, NULL);
}

static void reload(struct guardian *guardian)
{
	struct timespec now;
	int result;

	guardian->reloading = true;
	guardian->reload_again = false;
	clock_gettime(CLOCK_MONOTONIC, &now);
	notify_send(&guardian->notify, "RELOADING=1\nMONOTONIC_USEC=%llu",
		    (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
	result = check_file(guardian);
	if (result < 0)
		guardian_reload_refuse(guardian, log_strerror(result));
}

int guardian_on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	struct guardian *guardian = context;

	(void)source;
	(void)info;
	if (guardian->stop != STOP_UNSET)
		return 0;
	if (guardian->reloading)
		guardian->reload_again = true;
	else
		reload(guardian);
	return 0;
}
