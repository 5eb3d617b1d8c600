#include "flight_keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/log.h"
#include "../core/time.h"
#include "../flight/file.h"
#include "clock.h"

#define FOLDER "flight"
#define TEMPORARY "writing"
#define FIRST_NS (500 * HBD_MS_NS)	/* lets the alerts go first */
#define QUIET_NS (5 * HBD_S_NS)
#define INCIDENT_NS_MAX (60 * HBD_S_NS)
#define STAMP_BYTES sizeof("20260102T030405.678Z")

void flight_keep_init(struct flight_keep *keep, const struct flight_keep_config *config)
{
	*keep = (struct flight_keep){ .config = *config };
}

/* ---- names --------------------------------------------------------------------------------------- */

static void make_stamp(int64_t real_ns, char stamp[STAMP_BYTES])
{
	time_t seconds = (time_t)(real_ns / HBD_S_NS);
	struct tm fields = { 0 };
	char text[32];

	gmtime_r(&seconds, &fields);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%S", &fields);
	snprintf(stamp, STAMP_BYTES, "%.15s.%03uZ", text,
		 (unsigned)(real_ns / HBD_MS_NS % 1000) % 1000);
}

static bool is_of_group(const struct flight_keep *keep, const struct record_flight *cause)
{
	return cause->group < keep->config.conf->group_count;
}

static void make_name(struct flight_keep *keep)
{
	const struct hbd_conf *conf = keep->config.conf;
	const struct record_flight *cause = &keep->cause;
	bool of_group = is_of_group(keep, cause);
	char stamp[STAMP_BYTES];

	make_stamp(cause->realtime_ns, stamp);
	snprintf(keep->name, sizeof(keep->name), "%s-%s-%s-%s" FLIGHT_SUFFIX,
		 conf->nodes[keep->config.self].name,
		 of_group ? conf->groups[cause->group].name : "engine",
		 of_group ? hbd_role_text(cause->role) : "died", stamp);
}

/* The stamp in a name of ours; NULL for another's. */
static const char *find_stamp(const char *name)
{
	size_t tail = STAMP_BYTES - 1 + strlen(FLIGHT_SUFFIX), length = strlen(name);
	const char *stamp = name + length - tail;

	if (length <= tail || strcmp(name + length - strlen(FLIGHT_SUFFIX), FLIGHT_SUFFIX) != 0 ||
	    stamp[-1] != '-' || stamp[8] != 'T' || stamp[15] != '.' || stamp[19] != 'Z')
		return NULL;
	return stamp;
}

/* ---- the newest are kept ------------------------------------------------------------------------- */

static int newer_first(const struct dirent **a, const struct dirent **b)
{
	return strcmp(find_stamp((*b)->d_name), find_stamp((*a)->d_name));
}

static int is_recording(const struct dirent *entry)
{
	return find_stamp(entry->d_name) != NULL;
}

static void remove_old(int folder)
{
	struct dirent **found = NULL;
	int count = scandirat(folder, ".", &found, is_recording, newer_first);

	for (int i = 0; i < count; i++) {
		if (i >= FLIGHT_KEPT && unlinkat(folder, found[i]->d_name, 0) < 0)
			log_warning("flight: the old recording %s cannot be removed: %s",
				    found[i]->d_name, log_strerror(errno));
		free(found[i]);
	}
	free(found);
}

/* ---- writing ------------------------------------------------------------------------------------- */

static void copy(char to[FLIGHT_TEXT_BYTES], const char *from)
{
	snprintf(to, FLIGHT_TEXT_BYTES, "%s", from);
}

static struct flight_facts make_facts(const struct flight_keep *keep)
{
	const struct hbd_conf *conf = keep->config.conf;
	const struct record_flight *cause = &keep->cause;
	struct clock_pair now = clock_read_pair();
	struct flight_facts facts = {
		.version = HBD_VERSION,
		.boot_ns = now.boot_ns,
		.real_ns = now.real_ns,
		.group_count = (uint8_t)conf->group_count,
	};

	copy(facts.cluster, conf->cluster);
	copy(facts.node, conf->nodes[keep->config.self].name);
	copy(facts.peer, conf->nodes[1 - keep->config.self].name);
	for (size_t i = 0; i < conf->group_count; i++)
		copy(facts.groups[i], conf->groups[i].name);
	if (is_of_group(keep, cause))
		snprintf(facts.cause, sizeof(facts.cause), "%s %s %s",
			 conf->groups[cause->group].name, hbd_role_text(cause->role),
			 hbd_reason_text(cause->reason));
	else
		copy(facts.cause, "the engine died");
	return facts;
}

static int open_folder(const char *state_dir)
{
	char path[PATH_MAX];
	int folder;

	snprintf(path, sizeof(path), "%s/" FOLDER, state_dir);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return folder < 0 ? -errno : folder;
}

/* The old file or the new one, never half of it. */
static int write_file(const struct flight_keep *keep, int folder)
{
	struct flight_facts facts = make_facts(keep);
	int fd = openat(folder, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			0600);
	int result;

	if (fd < 0)
		return -errno;
	result = flight_file_write(fd, &facts, keep->config.ring);
	if (result == 0 && fsync(fd) < 0)
		result = -errno;
	if (close(fd) < 0 && result == 0)
		result = -errno;
	if (result == 0 && renameat(folder, TEMPORARY, folder, keep->name) < 0)
		result = -errno;
	if (result < 0)
		unlinkat(folder, TEMPORARY, 0);
	return result;
}

/* Once for each name, and once that it fails. */
static void tell(struct flight_keep *keep, int result)
{
	if (result < 0 && !keep->failure_told)
		log_warning("flight: what happened cannot be recorded in %s/" FOLDER "/%s: %s; hbd goes "
			    "on, and tries again with what follows", keep->config.state_dir,
			    keep->name, log_strerror(result));
	if (result == 0 && strcmp(keep->written, keep->name) != 0)
		log_info("flight: recorded in %s/" FOLDER "/%s; hbd-replay reads it",
			 keep->config.state_dir, keep->name);
	keep->failure_told = result < 0;
}

/* It is there under its new name only. */
static void take_name(struct flight_keep *keep, int folder)
{
	if (keep->written[0] && strcmp(keep->written, keep->name) != 0)
		unlinkat(folder, keep->written, 0);
	memcpy(keep->written, keep->name, sizeof(keep->written));
}

static void save(struct flight_keep *keep)
{
	int folder = open_folder(keep->config.state_dir), result = folder;

	if (folder >= 0) {
		result = write_file(keep, folder);
		tell(keep, result);
		if (result == 0) {
			take_name(keep, folder);
			remove_old(folder);
		}
		close(folder);
	} else {
		tell(keep, result);
	}
}

/* ---- incidents ----------------------------------------------------------------------------------- */

static int weight(enum hbd_role role)
{
	switch (role) {
	case HBD_ROLE_CLAIMING:
	case HBD_ROLE_PRIMARY:
		return 3;
	case HBD_ROLE_FAULT:
	case HBD_ROLE_RELEASING:
	case HBD_ROLE_STOPPED:
	case HBD_ROLE_DRAINING:
		return 2;
	case HBD_ROLE_QUIET:
	case HBD_ROLE_SECONDARY:
	case HBD_ROLE_UNSET:
	case HBD_ROLE_COUNT:
		break;
	}
	return 1;
}

static void take_cause(struct flight_keep *keep, const struct record_flight *cause, int64_t now_ns)
{
	keep->cause = *cause;
	keep->first_due_ns = hbd_time_add(now_ns, FIRST_NS);
	make_name(keep);
}

void flight_keep_want(struct flight_keep *keep, const struct record_flight *cause, int64_t now_ns)
{
	if (!keep->config.ring)
		return;
	/* a death has a file of its own */
	if (keep->open && !is_of_group(keep, cause))
		flight_keep_finish(keep);
	if (!keep->open) {
		keep->open = true;
		keep->failure_told = false;
		keep->written[0] = '\0';
		keep->began_ns = now_ns;
		take_cause(keep, cause, now_ns);
	} else if (is_of_group(keep, &keep->cause) && weight(cause->role) > weight(keep->cause.role)) {
		take_cause(keep, cause, now_ns);
	}
	keep->last_due_ns = hbd_time_min(hbd_time_add(now_ns, QUIET_NS),
					 hbd_time_add(keep->began_ns, INCIDENT_NS_MAX));
}

int64_t flight_keep_run(struct flight_keep *keep, int64_t now_ns)
{
	if (!keep->open)
		return HBD_NEVER_NS;
	if (now_ns >= keep->last_due_ns) {
		flight_keep_finish(keep);
		return HBD_NEVER_NS;
	}
	if (now_ns >= keep->first_due_ns) {
		save(keep);
		keep->first_due_ns = HBD_NEVER_NS;
	}
	return hbd_time_min(keep->first_due_ns, keep->last_due_ns);
}

void flight_keep_finish(struct flight_keep *keep)
{
	if (keep->open)
		save(keep);
	keep->open = false;
}
