#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#include "own_net.h"

static void give_up(const char *what)
{
	printf("skipped: %s: %s\n", what, strerror(errno));
	exit(77);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		give_up(path);
	close(fd);
}

void own_net_enter(void)
{
	char map[64];
	unsigned user = geteuid(), group = getegid();

	if (user == 0) {
		if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0)
			give_up("no network namespace");
	} else {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) != 0)
			give_up("neither root nor user namespaces");
		write_file("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "0 %u 1", user);
		write_file("/proc/self/uid_map", map);
		snprintf(map, sizeof(map), "0 %u 1", group);
		write_file("/proc/self/gid_map", map);
	}
	/* So that `ip netns` leaves nothing behind, whatever happens. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", "/run", "tmpfs", 0, NULL) != 0)
		give_up("no mount namespace");
	if (!holds("ip link set lo up && ip link add own0 type veth peer name own1 && "
		   "ip link del own0"))
		give_up("ip cannot make interfaces here");
}

static int shell(const char *format, va_list arguments)
{
	char command[1024];

	vsnprintf(command, sizeof(command), format, arguments);
	return system(command);
}

void run(const char *format, ...)
{
	va_list arguments;
	int status;

	va_start(arguments, format);
	status = shell(format, arguments);
	va_end(arguments);
	if (status != 0)
		fail_msg("command failed: %s", format);
}

bool holds(const char *format, ...)
{
	va_list arguments;
	int status;

	va_start(arguments, format);
	status = shell(format, arguments);
	va_end(arguments);
	return status == 0;
}

bool has(const char *interface, const char *address)
{
	return holds("ip -o addr show dev %s | grep -qF ' %s '", interface, address);
}

void make_pair(const char *name)
{
	run("ip link add %s type veth peer name far-%s", name, name);
	run("sysctl -qw net.ipv6.conf.%s.accept_dad=0 net.ipv6.conf.far-%s.disable_ipv6=1", name,
	    name);
	run("ip link set %s up && ip link set far-%s up", name, name);
	run("for i in $(seq 100); do ip -o link show %s | grep -q 'state UP' && exit 0; sleep 0.02; "
	    "done; exit 1",
	    name);
}

struct own_net *own_net_make(void)
{
	struct own_net *net = calloc(1, sizeof(*net));
	struct hbd_conf *conf;

	assert_non_null(net);
	make_pair("eth0");
	make_pair("eth1");
	run("ip addr add 10.77.0.1/24 dev eth0 && ip addr add fd77::1/64 dev eth0 nodad && "
	    "ip addr add 10.78.0.1/24 dev eth1");
	conf = &net->conf;
	strcpy(conf->groups[0].name, "web");
	strcpy(conf->groups[1].name, "mail");
	conf->group_count = 2;
	conf->groups[0].vips = net->vips[0];
	conf->groups[1].vips = net->vips[1];
	conf->nodes[0].link_count = 1;
	conf->nodes[0].links[0].address.family = AF_INET;
	inet_pton(AF_INET, "10.78.0.1", &conf->nodes[0].links[0].address.v4);
	strcpy(conf->nodes[0].links[0].interface, "eth1");
	return net;
}

void own_net_free(struct own_net *net)
{
	vip_close(net->vip);
	free(net);
	holds("ip -o link | sed -E 's/^[0-9]+: ([^:@]+).*/\\1/' | grep -vx lo | "
	      "while read i; do ip link del $i 2>/dev/null; done");
}

void add_vip(struct own_net *net, uint8_t group, const char *text, const char *interface)
{
	struct hbd_conf_group *conf = &net->conf.groups[group];
	struct hbd_conf_vip *vip = &conf->vips[conf->vip_count++];
	char address[64];
	char *slash;

	assert_true(conf->vip_count <= OWN_NET_VIPS);
	snprintf(address, sizeof(address), "%s", text);
	slash = strchr(address, '/');
	vip->prefix = (uint8_t)atoi(slash + 1);
	*slash = '\0';
	vip->address.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(vip->address.family, address, &vip->address.v6), 1);
	snprintf(vip->interface, sizeof(vip->interface), "%s", interface);
}

void open_vip(struct own_net *net)
{
	assert_int_equal(vip_open(&net->conf, 0, &net->vip), 0);
}

static void keep_news(void *context, const struct vip_news *news)
{
	struct own_net *net = context;

	assert_true(net->news_count < OWN_NET_NEWS);
	net->news[net->news_count++] = *news;
}

static bool dispatch_within(struct own_net *net, int ms)
{
	struct pollfd wait = { .fd = vip_fd(net->vip), .events = POLLIN };

	if (poll(&wait, 1, ms) <= 0)
		return false;
	vip_dispatch(net->vip, keep_news, net);
	return true;
}

void settle(struct own_net *net)
{
	while (dispatch_within(net, 60))
		;
}

size_t count_news(const struct own_net *net, enum vip_news_type type)
{
	size_t count = 0;

	for (size_t i = 0; i < net->news_count; i++)
		count += net->news[i].type == type;
	return count;
}

void forget_news(struct own_net *net)
{
	net->news_count = 0;
}

struct vip_news wait_news(struct own_net *net, enum vip_news_type type)
{
	for (int tries = 0; tries < 60 && count_news(net, type) == 0; tries++)
		dispatch_within(net, 50);
	for (size_t i = net->news_count; i-- > 0;) {
		if (net->news[i].type == type)
			return net->news[i];
	}
	fail_msg("news %d did not come", type);
	return net->news[0];
}
