#include "maintenance.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/log.h"

#define FILE_NAME "maintenance"

/* For those who find the file; the program asks only whether it is there. */
static const char content[] = "This node is in maintenance: hbctl maintenance off ends it.\n";

static int sync_folder(const char *state_dir)
{
	int fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result;

	if (fd < 0)
		return -errno;
	result = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return result;
}

static int create(const char *path)
{
	/* the folder is an unprivileged user's: a link there is not followed */
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	ssize_t length = sizeof(content) - 1;
	ssize_t written;
	int result = 0;

	if (fd < 0)
		return -errno;
	written = write(fd, content, (size_t)length);
	if (written != length)
		result = written < 0 ? -errno : -ENOSPC;
	else if (fsync(fd) < 0)
		result = -errno;
	close(fd);
	return result;
}

static int delete(const char *path)
{
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

bool maintenance_noted(const char *state_dir)
{
	char path[PATH_MAX];
	struct stat status;

	snprintf(path, sizeof(path), "%s/" FILE_NAME, state_dir);
	if (lstat(path, &status) == 0)
		return true;
	if (errno != ENOENT)
		log_error("cannot look whether this node is in maintenance (%s): %s; going on as one "
			  "that is not", path, log_strerror(errno));
	return false;
}

int maintenance_note(const char *state_dir, bool on)
{
	char path[PATH_MAX];
	int result;

	snprintf(path, sizeof(path), "%s/" FILE_NAME, state_dir);
	result = on ? create(path) : delete(path);
	/* half of it must not take effect with the next start */
	if (result < 0 && on)
		unlink(path);
	return result < 0 ? result : sync_folder(state_dir);
}
