/* Where plugins are, and which of them are not to be trusted. */
#include "plugin.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/log.h"

#define DIR_COUNT 3
#define UNKNOWN_UID 65534	/* the kernel's default for who has no number here */

/* False in a user namespace that does not know all users: the files of those it does not know, the
 * machine's root among them, all seem to belong to the same nobody. */
static bool knows_all_users(void)
{
	unsigned long inside, outside, count;
	FILE *file = fopen("/proc/self/uid_map", "re");
	bool all = true;

	if (!file)
		return true;
	if (fscanf(file, "%lu %lu %lu", &inside, &outside, &count) == 3)
		all = count >= UINT32_MAX;
	fclose(file);
	return all;
}

/* Root, we ourselves, or who called us by sudo. What an unknown owner could do to us in a user
 * namespace he can do without it. */
static bool is_trusted(uid_t owner)
{
	const char *caller = getuid() == 0 ? getenv("SUDO_UID") : NULL;

	if (owner == 0 || owner == geteuid())
		return true;
	if (caller && strtoul(caller, NULL, 10) == owner)
		return true;
	return owner == UNKNOWN_UID && !knows_all_users();
}

/* Only someone we trust may have made it, and nobody else may change it. */
static int check_owner(const char *path, const struct stat *info, bool allow_sticky, char *ret_why)
{
	if (!is_trusted(info->st_uid)) {
		snprintf(ret_why, PROCESS_TEXT_BYTES, "%.120s belongs to user %u; chown it to root",
			 path, (unsigned)info->st_uid);
		return -EPERM;
	}
	if ((info->st_mode & (S_IWGRP | S_IWOTH)) && !(allow_sticky && (info->st_mode & S_ISVTX))) {
		snprintf(ret_why, PROCESS_TEXT_BYTES,
			 "%.120s is writable for %s; chmod go-w it", path,
			 info->st_mode & S_IWOTH ? "everybody" : "its group");
		return -EPERM;
	}
	return 0;
}

/* Every directory above: who can rename one can put another program in this one's place. In the
 * nearest not even a sticky one (/tmp) will do. */
static int check_directories(const char *path, char *ret_why)
{
	char directory[PATH_MAX];
	bool nearest = true;
	struct stat info;
	int result;

	snprintf(directory, sizeof(directory), "%s", path);
	do {
		char *slash = strrchr(directory, '/');

		slash[slash == directory] = '\0';
		if (stat(directory, &info) < 0) {
			snprintf(ret_why, PROCESS_TEXT_BYTES, "%.120s: %s", directory,
				 log_strerror(errno));
			return -EPERM;
		}
		result = check_owner(directory, &info, !nearest, ret_why);
		nearest = false;
	} while (result == 0 && directory[1]);
	return result;
}

static int check_file(const char *path, char *ret_why)
{
	struct stat info;
	int result;

	if (stat(path, &info) < 0) {
		snprintf(ret_why, PROCESS_TEXT_BYTES, "%.120s: %s", path, log_strerror(errno));
		return -errno;
	}
	if (!S_ISREG(info.st_mode)) {
		snprintf(ret_why, PROCESS_TEXT_BYTES, "%.120s is not a regular file", path);
		return -EACCES;
	}
	result = check_owner(path, &info, false, ret_why);
	if (result == 0 && !(info.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH))) {
		snprintf(ret_why, PROCESS_TEXT_BYTES, "%.120s is not executable; chmod +x it", path);
		return -EACCES;
	}
	return result;
}

/* 1 if there is something at path, which is then ret_path, links followed; 0 if not. */
static int look(const char *path, char *ret_path, char *ret_why)
{
	if (realpath(path, ret_path))
		return 1;
	if ((errno == ENOENT || errno == ENOTDIR) && access(path, F_OK) < 0) {
		struct stat info;

		if (lstat(path, &info) < 0)
			return 0;
	}
	snprintf(ret_why, PROCESS_TEXT_BYTES, "%.120s: %s", path, log_strerror(errno));
	return -EACCES;
}

const char *plugin_dir_at(size_t index)
{
	static const char *const dirs[] = { HBD_CONF_DIR "/plugins", HBD_PLUGIN_DIR };

	return index < sizeof(dirs) / sizeof(dirs[0]) ? dirs[index] : NULL;
}

int plugin_find(const char *extra_dir, enum plugin_kind kind, const char *name, char *ret_path,
		char *ret_why)
{
	const char *dirs[DIR_COUNT] = { extra_dir, plugin_dir_at(0), plugin_dir_at(1) };
	char path[PATH_MAX], found[PATH_MAX];
	int result;

	for (size_t i = 0; i < DIR_COUNT; i++) {
		if (!dirs[i])
			continue;
		if (snprintf(path, sizeof(path), "%s/%s/%s", dirs[i], plugin_kind_text(kind), name) >=
		    (int)sizeof(path))
			continue;
		result = look(path, found, ret_why);
		if (result == 0)
			continue;
		if (result == 1)
			result = check_file(found, ret_why);
		if (result == 0)
			result = check_directories(found, ret_why);
		if (result == 0)
			snprintf(ret_path, PATH_MAX, "%s", found);
		return result;
	}
	snprintf(ret_why, PROCESS_TEXT_BYTES, "there is no %s/%.60s in %s%s" HBD_CONF_DIR
		 "/plugins or " HBD_PLUGIN_DIR, plugin_kind_text(kind), name,
		 extra_dir ? extra_dir : "", extra_dir ? ", " : "");
	return -ENOENT;
}
