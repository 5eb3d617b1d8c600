#include "spool_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/log.h"
#include "../base/log_ids.h"
#include "../core/time.h"

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && !strcmp(text + length - end_length, end);
}

static void set_aside(struct spool *spool, const char *name)
{
	int result = spool_file_set_aside(spool->directory_fd, name);

	log_line(LOG_ERR, &(struct log_fields){ .message_id = LOG_ID_SPOOL_FAILED },
		 "spool: %s/%s is damaged, an alert may be lost: %s%s", spool->config.directory, name,
		 result < 0 ? "it cannot be renamed: " : "set aside as *.damaged",
		 result < 0 ? log_strerror(result) : "");
}

/* The name must be the one that the id gives, because the id gives it when it is removed. */
static int read_event(struct spool *spool, const char *name, struct spool_event *event)
{
	char expected[SPOOL_ID_BYTES + sizeof(SPOOL_SUFFIX)];
	char *text = NULL;
	int result = spool_file_load(spool->directory_fd, name, &text);

	if (result < 0)
		return result;
	result = spool_file_parse(text, &spool->config, event);
	free(text);
	if (result < 0)
		return result;
	snprintf(expected, sizeof(expected), "%s" SPOOL_SUFFIX, event->id);
	return strcmp(expected, name) ? -EBADMSG : 0;
}

static int load_event(struct spool *spool, const char *name)
{
	struct spool_event *event = malloc(sizeof(*event));
	int result = event ? read_event(spool, name, event) : -ENOMEM;

	if (result < 0) {
		if (result == -EBADMSG)
			set_aside(spool, name);
		else
			log_error("spool: read %s/%s: %s; it stays there", spool->config.directory,
				  name, log_strerror(result));
		free(event);
		return result == -ENOMEM ? result : 0;
	}
	event->missing = spool->config.wanted(spool->config.context, &event->alert) &
			 ~event->delivered;
	if (event->missing == 0) {
		log_notice("spool: %s: nobody is to get it any longer, removed", name);
		spool_file_remove(spool->directory_fd, name);
		free(event);
		return 0;
	}
	spool_append_event(spool, event);
	return 0;
}

static int load_names(struct spool *spool, struct dirent **names, int count)
{
	int result = 0;

	for (int i = 0; i < count && result == 0; i++) {
		if (ends_with(names[i]->d_name, SPOOL_TEMPORARY))
			unlinkat(spool->directory_fd, names[i]->d_name, 0);
		else if (ends_with(names[i]->d_name, SPOOL_SUFFIX))
			result = load_event(spool, names[i]->d_name);
	}
	return result;
}

/* Names begin with the time at a fixed width: their order is that of the events. */
static int load(struct spool *spool)
{
	struct dirent **names = NULL;
	int count = scandirat(spool->directory_fd, ".", &names, NULL, alphasort);
	int result;

	if (count < 0) {
		spool_complain(spool, -errno, "read what waits for delivery");
		return 0;
	}
	result = load_names(spool, names, count);
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	spool_load_dropped(spool);
	if (spool->count > 0)
		log_notice("spool: %zu alerts of an earlier life wait for delivery", spool->count);
	return result;
}

int spool_open(const struct spool_config *config, struct spool **ret_spool)
{
	struct spool *spool = calloc(1, sizeof(*spool));
	int result;

	if (!spool)
		return -ENOMEM;
	spool->config = *config;
	spool->directory_fd = -1;
	spool->retry_ns = HBD_NEVER_NS;
	result = spool_use_directory(spool);
	if (result < 0)
		spool_complain(spool, result, "alerts are only in memory");
	result = result < 0 ? 0 : load(spool);
	if (result < 0) {
		spool_close(spool);
		return result;
	}
	*ret_spool = spool;
	return 0;
}

void spool_close(struct spool *spool)
{
	if (!spool)
		return;
	while (spool->first) {
		struct spool_event *event = spool->first;

		spool->first = event->next;
		free(event);
	}
	if (spool->directory_fd >= 0)
		close(spool->directory_fd);
	free(spool);
}
