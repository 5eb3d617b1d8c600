/*
 * control_server SOCKET BEFORE.json [AFTER.json [ERRNO]]: the daemon's control socket with an
 * engine played from files: the status is BEFORE, and AFTER once a command was accepted; ERRNO, a
 * number, is what a switchover is refused with. Says "ready", ends when its standard input does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../hbd/control/server.h"

struct engine {
	json_t *before;
	json_t *after;
	bool commanded;
	int refusal;
};

static json_t *snapshot(void *context)
{
	struct engine *engine = context;

	return json_incref(engine->commanded ? engine->after : engine->before);
}

static int switchover(void *context, uint8_t group)
{
	struct engine *engine = context;

	(void)group;
	engine->commanded = engine->refusal == 0;
	return -engine->refusal;
}

static int maintenance(void *context, bool on, bool force)
{
	struct engine *engine = context;

	engine->commanded = force || !on || engine->refusal == 0;
	return engine->commanded ? 0 : -engine->refusal;
}

static uint64_t alert_test(void *context)
{
	struct engine *engine = context;

	engine->commanded = true;
	return 1;
}

static int on_input(sd_event_source *source, int fd, uint32_t events, void *context)
{
	char byte;

	(void)events;
	(void)context;
	return read(fd, &byte, 1) > 0 ? 0 : sd_event_exit(sd_event_source_get_event(source), 0);
}

static int listen_on(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0)
		return -1;
	return fd;
}

/* The names that requests are checked against are those of the document. */
static void name_groups(const json_t *status, struct hbd_conf *conf)
{
	size_t i;
	json_t *group;

	json_array_foreach(json_object_get(status, "groups"), i, group) {
		const char *name = json_string_value(json_object_get(group, "name"));

		snprintf(conf->groups[i].name, HBD_NAME_BYTES, "%s", name ? name : "");
		conf->group_count = (uint8_t)(i + 1);
	}
	snprintf(conf->nodes[0].name, HBD_NAME_BYTES, "lb1");
	snprintf(conf->nodes[1].name, HBD_NAME_BYTES, "lb2");
}

static int serve(const char *path, struct engine *engine)
{
	const struct server_callbacks callbacks = {engine, snapshot, switchover, maintenance,
						   alert_test};
	static struct hbd_conf conf;
	const struct server_config config = {.conf = &conf, .owner = getuid()};
	struct server *server = NULL;
	sd_event *loop = NULL;
	int fd = listen_on(path);
	int r = fd < 0 ? -errno : sd_event_new(&loop);

	name_groups(engine->before, &conf);
	if (r >= 0)
		r = server_open(loop, fd, &config, &callbacks, &server);
	if (r >= 0)
		r = sd_event_add_io(loop, NULL, STDIN_FILENO, EPOLLIN, on_input, NULL);
	if (r >= 0) {
		puts("ready");
		fflush(stdout);
		r = sd_event_loop(loop);
	}
	server_close(server);
	sd_event_unref(loop);
	unlink(path);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct engine engine = {0};

	if (argc < 3)
		return 64;
	engine.before = json_load_file(argv[2], 0, NULL);
	engine.after = json_load_file(argc > 3 ? argv[3] : argv[2], 0, NULL);
	engine.refusal = argc > 4 ? atoi(argv[4]) : 0;
	if (!engine.before || !engine.after)
		return 65;
	int exit_status = serve(argv[1], &engine);
	json_decref(engine.before);
	json_decref(engine.after);
	return exit_status;
}
