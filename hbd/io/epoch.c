#include "epoch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/log.h"

#define FILE_NAME "epoch"
#define TEXT_BYTES 32
#define YEAR_2026_S 1767225600

/* A range for every second since 2026: as many starts as that nobody had. */
static uint64_t epoch_by_clock(void)
{
	int64_t seconds = (int64_t)time(NULL) - YEAR_2026_S;

	return (uint64_t)(seconds > 1 ? seconds : 1) * EPOCH_RESERVE;
}

static int parse(const char *text, uint64_t *ret_epoch)
{
	char *end;
	unsigned long long value;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || strcmp(end, "\n") != 0 || value > EPOCH_MAX)
		return -EINVAL;
	*ret_epoch = value;
	return 0;
}

/* 0, -ENOENT, -EINVAL if it holds anything but a number and a newline, or another negative errno. */
static int read_file(const char *path, uint64_t *ret_epoch)
{
	/* Not blocked by a pipe, not led astray by a link: the folder is an unprivileged user's. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char text[TEXT_BYTES];
	ssize_t length;
	int error;

	if (fd < 0)
		return -errno;
	length = read(fd, text, sizeof(text) - 1);
	error = errno;
	close(fd);
	if (length < 0)
		return -error;
	text[length] = '\0';
	return strlen(text) == (size_t)length ? parse(text, ret_epoch) : -EINVAL;
}

static int write_durably(int fd, uint64_t epoch)
{
	char text[TEXT_BYTES];
	int length = snprintf(text, sizeof(text), "%" PRIu64 "\n", epoch);
	ssize_t written = write(fd, text, (size_t)length);

	if (written != length)
		return written < 0 ? -errno : -ENOSPC;
	return fsync(fd) < 0 ? -errno : 0;
}

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

/* The old file or the new one, never half of it. */
static int write_file(const char *state_dir, const char *path, uint64_t epoch)
{
	char fresh[PATH_MAX + 8];
	int fd, result;

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	result = write_durably(fd, epoch);
	close(fd);
	if (result == 0 && rename(fresh, path) < 0)
		result = -errno;
	if (result < 0) {
		unlink(fresh);
		return result;
	}
	return sync_folder(state_dir);
}

uint64_t epoch_reserve(const char *state_dir)
{
	uint64_t base = 0;
	char path[PATH_MAX];
	int result;

	snprintf(path, sizeof(path), "%s/" FILE_NAME, state_dir);
	result = read_file(path, &base);
	if (result < 0 && result != -ENOENT) {
		base = epoch_by_clock();
		log_error("the last epoch cannot be read from %s: %s; going on at %" PRIu64
			  ", by the clock, which is above all that were used", path,
			  result == -EINVAL ? "it is damaged" : log_strerror(result), base);
	}
	result = write_file(state_dir, path, base + EPOCH_RESERVE);
	if (result < 0)
		log_error("the epochs of this start cannot be noted in %s: %s; starting all the same, "
			  "but after a restart of both nodes plugins could see an epoch twice",
			  path, log_strerror(result));
	return base;
}

void epoch_raise(const char *state_dir, uint64_t epoch)
{
	uint64_t noted = 0;
	char path[PATH_MAX];
	int result;

	snprintf(path, sizeof(path), "%s/" FILE_NAME, state_dir);
	result = read_file(path, &noted);
	/* a damaged file is replaced by the next start, by the clock */
	if (result < 0 || epoch < noted)
		return;
	result = write_file(state_dir, path, epoch + EPOCH_LIFE);
	if (result < 0)
		log_error("the peer's epoch %" PRIu64 " cannot be noted in %s: %s; after a restart of "
			  "this node alone plugins could see an epoch twice", epoch, path,
			  log_strerror(result));
}
