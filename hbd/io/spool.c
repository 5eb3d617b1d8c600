#include "spool_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/log.h"
#include "../base/log_ids.h"
#include "../core/time.h"
#include "alert_json.h"
#include "alert_text.h"
#include "clock.h"

#define COMPLAIN_NS (60 * HBD_S_NS)	/* between two complaints about the same disk */

void spool_complain(struct spool *spool, int error, const char *what)
{
	const struct log_fields fields = { .message_id = LOG_ID_SPOOL_FAILED };
	int64_t now_ns = clock_now_ns();

	if (spool->complained_ns && now_ns < hbd_time_add(spool->complained_ns, COMPLAIN_NS)) {
		spool->complaints++;
		return;
	}
	if (spool->complaints)
		log_line(LOG_ALERT, &fields, "spool: %u more failures were not told one by one",
			 spool->complaints);
	log_line(LOG_ALERT, &fields, "spool: %s: %s: %s; trying again every %d s",
		 spool->config.directory, what, log_strerror(error),
		 (int)(SPOOL_RETRY_NS / HBD_S_NS));
	spool->complained_ns = now_ns;
	spool->complaints = 0;
}

static const char *file_name(const struct spool_event *event, char name[NAME_MAX])
{
	snprintf(name, NAME_MAX, "%s" SPOOL_SUFFIX, event->id);
	return name;
}

/* The same record has the same id, whoever reads it how often (FNV-1a over its text). */
static int make_id(const struct record_alert *alert, char *ret_id)
{
	json_t *json = alert_json_make(alert);
	char *text = json ? json_dumps(json, JSON_SORT_KEYS) : NULL;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	json_decref(json);
	if (!text)
		return -ENOMEM;
	for (const char *c = text; *c; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	snprintf(ret_id, SPOOL_ID_BYTES, "%019" PRId64 "-%016" PRIx64, alert->realtime_ns, hash);
	free(text);
	return 0;
}

static struct spool_event *find(const struct spool *spool, const char *id)
{
	for (struct spool_event *event = spool->first; event; event = event->next)
		if (!strcmp(event->id, id))
			return event;
	return NULL;
}

void spool_append_event(struct spool *spool, struct spool_event *event)
{
	event->next = NULL;
	if (spool->last)
		spool->last->next = event;
	else
		spool->first = event;
	spool->last = event;
	spool->count++;
}

static void unlink_event(struct spool *spool, struct spool_event *event)
{
	struct spool_event **link = &spool->first, *before = NULL;

	while (*link != event) {
		before = *link;
		link = &before->next;
	}
	*link = event->next;
	if (spool->last == event)
		spool->last = before;
	spool->count--;
}

/* The file first: a crash in between repeats an alert rather than lose one. */
static void forget(struct spool *spool, struct spool_event *event)
{
	char name[NAME_MAX];
	int result = 0;

	if (event->durable && spool->directory_fd >= 0)
		result = spool_file_remove(spool->directory_fd, file_name(event, name));
	if (result < 0)
		log_error("spool: remove %s: %s; it will be sent again after a restart", name,
			  log_strerror(result));
	unlink_event(spool, event);
	free(event);
}

/* If the directory was removed nothing is on the disk any longer. */
int spool_use_directory(struct spool *spool)
{
	struct stat info;

	if (spool->directory_fd >= 0 && fstat(spool->directory_fd, &info) == 0 &&
	    info.st_nlink > 0)
		return 0;
	if (spool->directory_fd >= 0)
		close(spool->directory_fd);
	for (struct spool_event *event = spool->first; event; event = event->next) {
		if (event->durable)
			spool->retry_ns = 0;
		event->durable = false;
	}
	spool->directory_fd = spool_file_open_directory(spool->config.directory);
	return spool->directory_fd < 0 ? spool->directory_fd : 0;
}

static int save_event(struct spool *spool, struct spool_event *event)
{
	char name[NAME_MAX];
	char *text = spool_file_text(event, &spool->config);
	int result = text ? spool_use_directory(spool) : -ENOMEM;

	if (result == 0)
		result = spool_file_save(spool->directory_fd, file_name(event, name), text);
	event->durable = result == 0;
	free(text);
	return result;
}

/* Too many: the oldest of the least bad goes. It was logged when it came, and is counted. */
static void drop_one(struct spool *spool)
{
	struct spool_event *victim = spool->first;
	char sentence[ALERT_SENTENCE_BYTES];

	for (struct spool_event *event = spool->first; event; event = event->next)
		if (event->alert.severity < victim->alert.severity)
			victim = event;
	log_line(LOG_CRIT, &(struct log_fields){ .message_id = LOG_ID_SPOOL_FAILED },
		 "spool: %d alerts wait for delivery, the oldest is dropped: %s", SPOOL_EVENTS_MAX,
		 alert_text_sentence(&victim->alert, sentence));
	for (size_t i = 0; i < spool->config.key_count; i++)
		if (victim->missing & (UINT64_C(1) << i))
			spool->dropped[i]++;
	spool_save_dropped(spool);
	forget(spool, victim);
}

int spool_add(struct spool *spool, const struct record_alert *alert, int64_t now_ns)
{
	uint64_t missing = spool->config.wanted(spool->config.context, alert);
	struct spool_event *event;
	int result;

	if (missing == 0)
		return 0;
	event = calloc(1, sizeof(*event));
	if (!event || make_id(alert, event->id) < 0) {
		free(event);
		return -ENOMEM;
	}
	if (find(spool, event->id)) {
		free(event);
		return 0;
	}
	event->alert = *alert;
	event->missing = missing;
	event->taken_ns = now_ns;
	if (spool->count == SPOOL_EVENTS_MAX)
		drop_one(spool);
	spool_append_event(spool, event);
	result = save_event(spool, event);
	if (result < 0) {
		spool_complain(spool, result, "write an alert, which is only in memory now");
		spool->retry_ns = hbd_time_add(now_ns, SPOOL_RETRY_NS);
	}
	return 0;
}

struct spool_event *spool_first(const struct spool *spool)
{
	return spool->first;
}

size_t spool_count(const struct spool *spool)
{
	return spool->count;
}

static void mark_delivered(struct spool *spool, const struct spool_event *event, size_t target)
{
	char name[NAME_MAX];
	char *line = spool_file_line(spool->config.keys[target]);
	int result = line ? spool_use_directory(spool) : -ENOMEM;

	if (result == 0)
		result = spool_file_append(spool->directory_fd, file_name(event, name), line);
	if (result < 0)
		spool_complain(spool, result,
			       "note who has got an alert: some get it twice after a restart");
	free(line);
}

void spool_delivered(struct spool *spool, struct spool_event *event, size_t target)
{
	uint64_t bit = UINT64_C(1) << target;

	event->missing &= ~bit;
	event->delivered |= bit;
	if (event->missing == 0)
		forget(spool, event);
	else if (event->durable)
		mark_delivered(spool, event, target);
}

int64_t spool_retry(struct spool *spool, int64_t now_ns)
{
	if (now_ns < spool->retry_ns)
		return spool->retry_ns;
	spool->retry_ns = HBD_NEVER_NS;
	for (struct spool_event *event = spool->first; event; event = event->next) {
		int result = event->durable ? 0 : save_event(spool, event);

		if (result < 0) {
			spool_complain(spool, result, "write an alert, which is only in memory");
			spool->retry_ns = hbd_time_add(now_ns, SPOOL_RETRY_NS);
			break;
		}
	}
	return spool->retry_ns;
}
