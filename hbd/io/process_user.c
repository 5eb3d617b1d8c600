#include "process.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <unistd.h>

#define RECORD_BYTES 16384

int process_user_find(const char *name, struct process_user *ret_user)
{
	struct process_user user = { 0 };
	char buffer[RECORD_BYTES];
	struct passwd entry, *found;
	int count = PROCESS_GROUPS_MAX;
	int error = getpwnam_r(name, &entry, buffer, sizeof(buffer), &found);

	if (error != 0)
		return -error;
	if (!found)
		return -ENOENT;
	if (getgrouplist(name, entry.pw_gid, user.groups, &count) < 0)
		return -E2BIG;
	user.uid = entry.pw_uid;
	user.gid = entry.pw_gid;
	user.group_count = (size_t)count;
	*ret_user = user;
	return 0;
}

int process_user_become(const struct process_user *user)
{
	bool is_user = getuid() == user->uid && geteuid() == user->uid &&
		       getgid() == user->gid && getegid() == user->gid;

	if (setgroups(user->group_count, user->groups) < 0 && !(is_user && errno == EPERM))
		return -errno;
	if (setresgid(user->gid, user->gid, user->gid) < 0 ||
	    setresuid(user->uid, user->uid, user->uid) < 0)
		return -errno;
	return 0;
}
