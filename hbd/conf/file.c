#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Only a regular file of a sensible size: nothing here may block or fill the memory. */
static int open_regular(struct conf_loader *loader, const char *path, size_t *ret_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0) {
		int error = errno;

		conf_mistake(loader, 0, "cannot be read: %s", strerror(error));
		if (fd >= 0)
			close(fd);
		return -error;
	}
	if (S_ISREG(status.st_mode) && status.st_size <= CONF_FILE_BYTES_MAX) {
		*ret_bytes = (size_t)status.st_size;
		return fd;
	}
	close(fd);
	if (S_ISDIR(status.st_mode)) {
		conf_mistake(loader, 0, "is a directory; name the file in it");
		return -EISDIR;
	}
	if (!S_ISREG(status.st_mode)) {
		conf_mistake(loader, 0, "is not a regular file");
		return -EINVAL;
	}
	conf_mistake(loader, 0, "is %lld bytes long; the limit is %d", (long long)status.st_size,
		     CONF_FILE_BYTES_MAX);
	return -EFBIG;
}

int conf_read_file(struct conf_loader *loader, const char *path, char **ret_text,
		   size_t *ret_bytes)
{
	size_t bytes = 0, done = 0;
	int fd = open_regular(loader, path, &bytes), result = 0;
	char *text;

	if (fd < 0)
		return fd;
	text = malloc(bytes + 1);
	if (!text) {
		close(fd);
		return -ENOMEM;
	}
	while (done < bytes) {
		ssize_t got = read(fd, text + done, bytes - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			result = -errno;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	close(fd);
	if (result < 0) {
		conf_mistake(loader, 0, "cannot be read: %s", strerror(-result));
		free(text);
		return result;
	}
	text[done] = '\0';
	*ret_text = text;
	*ret_bytes = done;
	return 0;
}
