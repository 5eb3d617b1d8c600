#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../base/log.h"
#include "reply.h"
#include "status.h"

#define TRY_AGAIN_USEC (50 * 1000)
#define CHUNK_BYTES ((size_t)65536)

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * HBD_S_NS + now.tv_nsec;
}

/* Waits until fd is ready for events. 0, -ETIMEDOUT. */
static int wait_for(int fd, short events, int64_t deadline_ns)
{
	struct pollfd item = {.fd = fd, .events = events};
	int64_t left_ns;

	while ((left_ns = deadline_ns - now_ns()) > 0) {
		int n = poll(&item, 1, (int)(left_ns / HBD_MS_NS) + 1);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
	return -ETIMEDOUT;
}

/* connect() waits while the daemon's queue is full; the socket's send time-out bounds that. */
static int open_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = CLIENT_TIMEOUT_NS / HBD_S_NS};

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int r = errno == EAGAIN ? -ETIMEDOUT : -errno;

		close(fd);
		return r;
	}
	return fd;
}

static int send_all(int fd, const char *text, size_t length, int64_t deadline_ns)
{
	while (length > 0) {
		int r = wait_for(fd, POLLOUT, deadline_ns);
		ssize_t n;

		if (r < 0)
			return r;
		n = send(fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL);
		/* a daemon that turns clients away answers before it is asked */
		if (n < 0 && errno == EPIPE)
			return 0;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			length -= (size_t)n;
		}
	}
	return 0;
}

/* Reads to the end of file. 0 with text that the caller frees. */
static int receive_all(int fd, int64_t deadline_ns, char **ret_text, size_t *ret_length)
{
	size_t length = 0;
	char *text = NULL;
	int r;

	while ((r = wait_for(fd, POLLIN, deadline_ns)) == 0) {
		char *larger = realloc(text, length + CHUNK_BYTES);

		if (!larger || length > CLIENT_REPLY_BYTES_MAX) {
			r = -ENOMEM;
			text = larger ? larger : text;
			break;
		}
		text = larger;
		ssize_t n = recv(fd, text + length, CHUNK_BYTES, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno == ECONNRESET && length > 0)) {
			*ret_text = text;
			*ret_length = length;
			return 0;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			r = -errno;
			break;
		}
		length += n > 0 ? (size_t)n : 0;
	}
	free(text);
	return r;
}

static int ask_once(const char *path, const char *line, int64_t deadline_ns, json_t **ret_reply)
{
	char *text = NULL;
	size_t length = 0;
	int fd = open_socket(path);
	int r;

	if (fd < 0)
		return fd;
	r = send_all(fd, line, strlen(line), deadline_ns);
	if (r == 0)
		r = send_all(fd, "\n", 1, deadline_ns);
	if (r == 0)
		r = receive_all(fd, deadline_ns, &text, &length);
	close(fd);
	if (r < 0)
		return r;
	json_t *reply = json_loadb(text, length, 0, NULL);
	free(text);
	if (!json_is_object(reply)) {
		json_decref(reply);
		return -EBADMSG;
	}
	*ret_reply = reply;
	return 0;
}

static bool is_turned_away(const json_t *reply)
{
	return status_is(json_object_get(reply, "error"), "code", REPLY_TOO_MANY);
}

int client_ask(const char *path, json_t *request, json_t **ret_reply)
{
	int64_t deadline_ns = now_ns() + CLIENT_TIMEOUT_NS;
	char *line = json_dumps(request, JSON_COMPACT);
	json_t *reply = NULL;
	int r;

	json_decref(request);
	if (!line)
		return -ENOMEM;
	while ((r = ask_once(path, line, deadline_ns, &reply)) == 0 && is_turned_away(reply) &&
	       now_ns() < deadline_ns) {
		json_decref(reply);
		reply = NULL;
		usleep(TRY_AGAIN_USEC);
	}
	free(line);
	if (r == 0)
		*ret_reply = reply;
	return r;
}

void client_explain(int error, const char *path, char *ret_sentence, char *ret_advice)
{
	const char *advice = "'systemctl status hbd' and 'journalctl -u hbd' say what it does.";

	if (error == -ENOENT || error == -ECONNREFUSED) {
		snprintf(ret_sentence, CLIENT_WORDS_BYTES, "hbd does not run here: %s %.180s.",
			 error == -ENOENT ? "there is no" : "nobody listens on", path);
		advice = "'systemctl start hbd'. If it runs with another --run-dir, give its "
			 "socket with --socket.";
	} else if (error == -EACCES) {
		snprintf(ret_sentence, CLIENT_WORDS_BYTES, "You may not connect to %.180s.", path);
		advice = "Run hbctl as root, or join the group hbd.";
	} else if (error == -ETIMEDOUT) {
		snprintf(ret_sentence, CLIENT_WORDS_BYTES, "hbd does not answer on %.180s.", path);
	} else if (error == -EBADMSG) {
		snprintf(ret_sentence, CLIENT_WORDS_BYTES,
			 "What answers on %.180s is not hbd: it does not speak JSON.", path);
		advice = "Give the right socket with --socket.";
	} else {
		snprintf(ret_sentence, CLIENT_WORDS_BYTES, "hbd cannot be asked on %.160s: %s.",
			 path, log_strerror(error));
	}
	snprintf(ret_advice, CLIENT_WORDS_BYTES, "%s", advice);
}

const char *client_error_message(const json_t *reply)
{
	const json_t *error = json_object_get(reply, "error");

	return json_is_object(error) ? status_string(error, "message") : NULL;
}
