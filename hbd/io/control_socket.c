#include "control_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/log.h"

#define BACKLOG 32

static int make_path(const char *run_dir, const char *name, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (snprintf(address->sun_path, sizeof(address->sun_path), "%s/%s", run_dir, name) >=
	    (int)sizeof(address->sun_path))
		return -ENAMETOOLONG;
	return 0;
}

/* Nobody connects before mode and group are right: it gets its name last. */
static int publish(int fd, const struct sockaddr_un *fresh, gid_t gid, const char *path)
{
	struct stat info;

	if (lstat(path, &info) == 0 && !S_ISSOCK(info.st_mode))
		return -ENOTSOCK;
	if (chmod(fresh->sun_path, 0660) < 0)
		return -errno;
	if (gid != (gid_t)-1 && chown(fresh->sun_path, (uid_t)-1, gid) < 0)
		return -errno;
	if (listen(fd, BACKLOG) < 0 || rename(fresh->sun_path, path) < 0)
		return -errno;
	return 0;
}

int control_socket_open(const char *run_dir, gid_t gid, int *ret_fd)
{
	struct sockaddr_un fresh, final;
	int result = make_path(run_dir, CONTROL_SOCKET_NAME, &final);
	mode_t mask;
	int fd;

	if (result == 0)
		result = make_path(run_dir, CONTROL_SOCKET_NAME ".new", &fresh);
	if (result < 0)
		return result;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	unlink(fresh.sun_path);
	mask = umask(0177);
	result = bind(fd, (const struct sockaddr *)&fresh, sizeof(fresh)) < 0 ? -errno : 0;
	umask(mask);
	if (result == 0)
		result = publish(fd, &fresh, gid, final.sun_path);
	if (result < 0) {
		unlink(fresh.sun_path);
		close(fd);
		return result;
	}
	*ret_fd = fd;
	return 0;
}

void control_socket_remove(const char *run_dir)
{
	struct sockaddr_un address;

	if (make_path(run_dir, CONTROL_SOCKET_NAME, &address) == 0 &&
	    unlink(address.sun_path) < 0 && errno != ENOENT)
		log_warning("%s stays: %s", address.sun_path, log_strerror(errno));
}
