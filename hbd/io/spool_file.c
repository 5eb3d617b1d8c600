#include "spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alert_json.h"

#define FILE_BYTES_MAX (256 * 1024)
#define FILE_MODE 0600
#define DIRECTORY_MODE 0700

int spool_file_open_directory(const char *directory)
{
	int fd;

	if (mkdir(directory, DIRECTORY_MODE) < 0 && errno != EEXIST)
		return -errno;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int write_all(int fd, const char *text, size_t bytes)
{
	while (bytes > 0) {
		ssize_t written = write(fd, text, bytes);

		if (written < 0)
			return -errno;
		text += written;
		bytes -= (size_t)written;
	}
	return 0;
}

/* A full disk may be told only by close(). */
static int write_synced(int fd, const char *text)
{
	int result = write_all(fd, text, strlen(text));

	if (result == 0 && fsync(fd) < 0)
		result = -errno;
	if (close(fd) < 0 && result == 0)
		result = -errno;
	return result;
}

int spool_file_save(int directory_fd, const char *name, const char *text)
{
	char temporary[NAME_MAX + 1];
	int fd, result;

	if (snprintf(temporary, sizeof(temporary), "%s" SPOOL_TEMPORARY, name) >=
	    (int)sizeof(temporary))
		return -ENAMETOOLONG;
	fd = openat(directory_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    FILE_MODE);
	if (fd < 0)
		return -errno;
	result = write_synced(fd, text);
	if (result == 0 && renameat(directory_fd, temporary, directory_fd, name) < 0)
		result = -errno;
	if (result < 0) {
		unlinkat(directory_fd, temporary, 0);
		return result;
	}
	return fsync(directory_fd) < 0 ? -errno : 0;
}

int spool_file_append(int directory_fd, const char *name, const char *line)
{
	int fd = openat(directory_fd, name, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : write_synced(fd, line);
}

static int read_all(int fd, char **ret_text)
{
	char *text = malloc(FILE_BYTES_MAX + 1);
	ssize_t got = 1;
	size_t bytes = 0;

	if (!text)
		return -ENOMEM;
	while (got > 0 && bytes < FILE_BYTES_MAX) {
		got = read(fd, text + bytes, FILE_BYTES_MAX - bytes);
		if (got > 0)
			bytes += (size_t)got;
	}
	if (got != 0 || memchr(text, '\0', bytes)) {
		int error = got < 0 ? errno : EBADMSG;

		free(text);
		return -error;
	}
	text[bytes] = '\0';
	*ret_text = text;
	return 0;
}

int spool_file_load(int directory_fd, const char *name, char **ret_text)
{
	int fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int result;

	if (fd < 0)
		return errno == ELOOP ? -EBADMSG : -errno;
	result = read_all(fd, ret_text);
	close(fd);
	return result == -EISDIR ? -EBADMSG : result;
}

int spool_file_remove(int directory_fd, const char *name)
{
	if (unlinkat(directory_fd, name, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return fsync(directory_fd) < 0 ? -errno : 0;
}

int spool_file_set_aside(int directory_fd, const char *name)
{
	char aside[NAME_MAX + 1];

	if (snprintf(aside, sizeof(aside), "%s.damaged", name) >= (int)sizeof(aside))
		return -ENAMETOOLONG;
	return renameat(directory_fd, name, directory_fd, aside) < 0 ? -errno : 0;
}

static char *dump_line(json_t *object)
{
	char *text = object ? json_dumps(object, 0) : NULL;
	char *line = NULL;

	json_decref(object);
	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	return line;
}

char *spool_file_line(const char *key)
{
	return dump_line(json_pack("{s:s}", "delivered", key));
}

static char *join(char *a, char *b)
{
	char *joined = NULL;

	if (!a || !b || asprintf(&joined, "%s%s", a, b) < 0)
		joined = NULL;
	free(a);
	free(b);
	return joined;
}

char *spool_file_text(const struct spool_event *event, const struct spool_config *config)
{
	char *text = dump_line(json_pack("{s:i, s:s, s:o}", "spool", 1, "id", event->id, "alert",
					 alert_json_make(&event->alert)));

	for (size_t i = 0; i < config->key_count; i++)
		if (event->delivered & (UINT64_C(1) << i))
			text = join(text, spool_file_line(config->keys[i]));
	return text;
}

static int parse_head(const char *line, struct spool_event *event)
{
	json_t *object = json_loads(line, 0, NULL);
	int version, result = -EBADMSG;
	const char *id;
	json_t *alert;

	if (json_unpack(object, "{s:i, s:s, s:o}", "spool", &version, "id", &id, "alert",
			&alert) == 0 && version == 1 && strlen(id) < sizeof(event->id)) {
		strcpy(event->id, id);
		result = alert_json_read(alert, &event->alert);
	}
	json_decref(object);
	return result;
}

/* A target that is no longer configured needs no mark. */
static void parse_delivered(const char *line, const struct spool_config *config,
			    struct spool_event *event)
{
	json_t *object = json_loads(line, 0, NULL);
	const char *key = json_string_value(json_object_get(object, "delivered"));

	for (size_t i = 0; key && i < config->key_count; i++)
		if (!strcmp(key, config->keys[i]))
			event->delivered |= UINT64_C(1) << i;
	json_decref(object);
}

int spool_file_parse(char *text, const struct spool_config *config, struct spool_event *ret_event)
{
	struct spool_event event = { .durable = true };
	char *end = strchr(text, '\n');

	if (!end)
		return -EBADMSG;
	*end = '\0';
	if (parse_head(text, &event) < 0)
		return -EBADMSG;
	for (text = end + 1; (end = strchr(text, '\n')); text = end + 1) {
		*end = '\0';
		parse_delivered(text, config, &event);
	}
	*ret_event = event;
	return 0;
}
