#include "carry.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#define STORE_NAME "hbd-state"

int carry_origin(const struct hbd_conf *conf, uint8_t self, const char *run_dir,
		 char ret_origin[CARRY_ORIGIN_BYTES])
{
	sd_id128_t boot;
	int result = sd_id128_get_boot(&boot);

	if (result < 0)
		return result;
	snprintf(ret_origin, CARRY_ORIGIN_BYTES, "boot " SD_ID128_FORMAT_STR ", cluster %s, node %s, %s",
		 SD_ID128_FORMAT_VAL(boot), conf->cluster, conf->nodes[self].name, run_dir);
	return 0;
}

int carry_open(int *ret_fd)
{
	int fd = memfd_create(STORE_NAME, MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static int write_all(int fd, const uint8_t *bytes, size_t length)
{
	for (size_t at = 0; at < length;) {
		ssize_t n = pwrite(fd, bytes + at, length - at, (off_t)at);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			at += (size_t)n;
	}
	return 0;
}

int carry_write(int fd, const char *origin, const struct hbd_node *node)
{
	uint8_t *bytes = NULL;
	size_t length = 0;
	int result = flight_state_write(origin, node, &bytes, &length);

	if (result < 0)
		return result;
	result = write_all(fd, bytes, length);
	sodium_memzero(bytes, length);
	free(bytes);
	return result;
}

int carry_store(const struct notify *notify, int fd)
{
	return notify_send_fd(notify, "FDSTORE=1\nFDNAME=" STORE_NAME, fd);
}

/* ---- taking -------------------------------------------------------------------------------------- */

/* The first descriptor of that name; all that came are taken out of the way. -1: none. */
static int find(void)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(1, &names), found = -1;

	for (int i = 0; i < count; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (found < 0 && names && strcmp(names[i], STORE_NAME) == 0)
			found = fd;
		else
			close(fd);
	}
	for (int i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
	return found;
}

static int read_all(int fd, uint8_t **ret_bytes, size_t *ret_length)
{
	struct stat info;
	size_t length, at = 0;
	uint8_t *bytes;

	if (fstat(fd, &info) < 0)
		return -errno;
	if (!S_ISREG(info.st_mode) || info.st_size <= 0 || info.st_size > FLIGHT_STATE_BYTES_MAX)
		return -EBADMSG;
	length = (size_t)info.st_size;
	bytes = malloc(length);
	if (!bytes)
		return -ENOMEM;
	while (at < length) {
		ssize_t n = pread(fd, bytes + at, length - at, (off_t)at);

		if (n == 0 || (n < 0 && errno != EINTR)) {
			free(bytes);
			return n == 0 ? -EBADMSG : -errno;
		}
		if (n > 0)
			at += (size_t)n;
	}
	*ret_bytes = bytes;
	*ret_length = length;
	return 0;
}

/* What was not emptied might be used again by a start after this one. */
static int take_bytes(int fd, uint8_t **ret_bytes, size_t *ret_length, char *why)
{
	int result = read_all(fd, ret_bytes, ret_length);

	if (result == -EBADMSG)
		snprintf(why, FLIGHT_WHY_BYTES, "it is empty or too long");
	if (result == 0 && ftruncate(fd, 0) < 0) {
		result = -errno;
		sodium_memzero(*ret_bytes, *ret_length);
		free(*ret_bytes);
	}
	return result;
}

int carry_read(int fd, const char *origin, struct flight_state **ret_state,
	       char why[FLIGHT_WHY_BYTES])
{
	struct flight_state *state = calloc(1, sizeof(*state));
	uint8_t *bytes = NULL;
	size_t length = 0;
	int result = state ? take_bytes(fd, &bytes, &length, why) : -ENOMEM;

	if (result == 0) {
		result = flight_state_read(bytes, length, origin, state, why);
		sodium_memzero(bytes, length);
		free(bytes);
	}
	if (result == 0)
		*ret_state = state;
	else
		free(state);
	return result;
}

int carry_take(const struct notify *notify, const char *origin, struct flight_state **ret_state,
	       char why[FLIGHT_WHY_BYTES])
{
	int fd = find(), result;

	why[0] = '\0';
	if (fd < 0)
		return -ENOENT;
	notify_send(notify, "FDSTOREREMOVE=1\nFDNAME=" STORE_NAME);
	result = carry_read(fd, origin, ret_state, why);
	close(fd);
	return result;
}
