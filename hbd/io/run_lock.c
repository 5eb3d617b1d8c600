#include "run_lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/log.h"
#include "clock.h"
#include "process.h"
#include "procfs.h"

#define FILE_NAME "hbd.lock"
#define MEMBERS_MAX 4
#define ROLE_BYTES 16
#define TEXT_BYTES 512
#define TRIES_MAX 10
#define LOOK_AGAIN_US 5000
#define KILLED_NS HBD_S_NS	/* to be gone after SIGKILL, sockets included */

struct member {
	char role[ROLE_BYTES];
	pid_t pid;
	uint64_t start;
};

struct members {
	size_t count;
	struct member items[MEMBERS_MAX];
};

struct run_lock {
	int fd;
	struct members own;
	struct members former;		/* of the instance that held the lock last */
	char path[PATH_MAX];
};

/* A file that was removed between our opening and our locking it locks nobody out. */
static bool is_still_there(int fd, const char *path)
{
	struct stat ours, theirs;

	return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}

/* 1: locked; 0: try again; -EBUSY or another negative errno. */
static int try_lock(const char *path, int *ret_fd, pid_t *ret_holder)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644), error;

	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETLK, &lock) == 0) {
		if (is_still_there(fd, path)) {
			*ret_fd = fd;
			return 1;
		}
		close(fd);
		return 0;
	}
	error = errno;
	if (error == EAGAIN || error == EACCES) {
		error = EBUSY;
		*ret_holder = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid
										       : 0;
	}
	close(fd);
	return -error;
}

static void read_members(int fd, struct members *members)
{
	char text[TEXT_BYTES];
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
	char *line, *rest = text;

	members->count = 0;
	text[length > 0 ? length : 0] = '\0';
	while ((line = strsep(&rest, "\n")) && members->count < MEMBERS_MAX) {
		struct member *member = &members->items[members->count];

		if (sscanf(line, "%15s %d %" SCNu64, member->role, &member->pid,
			   &member->start) == 3 && member->pid > 1)
			members->count++;
	}
}

static void write_members(const struct run_lock *lock)
{
	char text[TEXT_BYTES];
	size_t length = 0;

	for (size_t i = 0; i < lock->own.count; i++) {
		const struct member *member = &lock->own.items[i];

		length += (size_t)snprintf(text + length, sizeof(text) - length,
					   "%s %d %" PRIu64 "\n", member->role, (int)member->pid,
					   member->start);
	}
	if (ftruncate(lock->fd, 0) < 0 || pwrite(lock->fd, text, length, 0) != (ssize_t)length)
		log_warning("cannot note the processes of this instance in %s: %s; a start after a "
			    "kill -9 will not find them", lock->path, log_strerror(errno));
}

int run_lock_take(const char *run_dir, struct run_lock **ret_lock, pid_t *ret_holder)
{
	struct run_lock *lock = calloc(1, sizeof(*lock));
	int result = 0;

	if (!lock)
		return -ENOMEM;
	if (snprintf(lock->path, sizeof(lock->path), "%s/" FILE_NAME, run_dir) >= PATH_MAX)
		result = -ENAMETOOLONG;
	for (int i = 0; result == 0 && i < TRIES_MAX; i++)
		result = try_lock(lock->path, &lock->fd, ret_holder);
	if (result <= 0) {
		free(lock);
		return result < 0 ? result : -EAGAIN;
	}
	read_members(lock->fd, &lock->former);
	run_lock_note(lock, "guardian", getpid());
	*ret_lock = lock;
	return 0;
}

void run_lock_release(struct run_lock *lock)
{
	if (!lock)
		return;
	unlink(lock->path);
	close(lock->fd);
	free(lock);
}

void run_lock_note(struct run_lock *lock, const char *role, pid_t pid)
{
	size_t at = 0;

	while (at < lock->own.count && strcmp(lock->own.items[at].role, role) != 0)
		at++;
	if (at == MEMBERS_MAX)
		return;
	if (at == lock->own.count)
		lock->own.count++;
	snprintf(lock->own.items[at].role, ROLE_BYTES, "%s", role);
	lock->own.items[at].pid = pid;
	lock->own.items[at].start = procfs_start(pid);
	write_members(lock);
}

static bool lives(const struct member *member)
{
	return member->start != 0 && procfs_start(member->pid) == member->start;
}

/* The descriptor makes sure that who is killed is who was looked at. */
static bool kill_member(const struct member *member)
{
	int fd = pidfd_open(member->pid, 0);
	bool killed = false;

	if (fd < 0)
		return false;
	if (lives(member)) {
		killed = pidfd_send_signal(fd, SIGKILL, NULL, 0) == 0;
		log_warning("the %s (process %d) of an hbd that was killed did not end: %s",
			    member->role, (int)member->pid,
			    killed ? "killed it" : "and cannot be killed");
	}
	close(fd);
	return killed;
}

static bool is_of_run(const char *id, const struct members *members)
{
	for (size_t i = 0; i < members->count; i++) {
		char owner[64];

		snprintf(owner, sizeof(owner), PROCESS_ID_OWNER_FORMAT, (int)members->items[i].pid,
			 (unsigned long long)members->items[i].start);
		if (strstr(id, owner))
			return true;
	}
	return false;
}

/* Children of plugins, which carry the id of their run. */
static size_t kill_plugins(const struct members *former)
{
	DIR *proc = opendir("/proc");
	char id[PROCESS_ID_BYTES];
	struct dirent *entry;
	size_t killed = 0;

	while (proc && (entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);

		if (pid <= 1 || pid == getpid())
			continue;
		procfs_variable(pid, "HBD_RUN_ID=", id, sizeof(id));
		if (!id[0] || !is_of_run(id, former) || kill(pid, SIGKILL) < 0)
			continue;
		log_warning("process %d of plugin run %s outlived an hbd that was killed: killed",
			    (int)pid, id);
		killed++;
	}
	if (proc)
		closedir(proc);
	return killed;
}

static bool any_lives(const struct members *members)
{
	for (size_t i = 0; i < members->count; i++) {
		if (lives(&members->items[i]))
			return true;
	}
	return false;
}

static void wait_for_end(const struct members *members, int64_t wait_ns)
{
	int64_t until_ns = clock_now_ns() + wait_ns;

	while (any_lives(members) && clock_now_ns() < until_ns)
		usleep(LOOK_AGAIN_US);
}

size_t run_lock_settle(struct run_lock *lock, int wait_ms)
{
	size_t killed = kill_plugins(&lock->former);

	wait_for_end(&lock->former, wait_ms * HBD_MS_NS);
	for (size_t i = 0; i < lock->former.count; i++)
		killed += kill_member(&lock->former.items[i]);
	wait_for_end(&lock->former, KILLED_NS);
	/* A plugin that the former engine still had started meanwhile. */
	return killed + kill_plugins(&lock->former);
}
