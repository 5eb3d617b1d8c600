/* What only this machine can say of a configuration. */
#include "machine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "process.h"

#define INTERFACE_ADDRESSES_MAX 4096

static bool take_address(const struct sockaddr *from, struct hbd_address *address)
{
	if (!from)
		return false;
	address->family = from->sa_family;
	if (from->sa_family == AF_INET)
		address->v4 = ((const struct sockaddr_in *)(const void *)from)->sin_addr;
	else if (from->sa_family == AF_INET6)
		address->v6 = ((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
	else
		return false;
	return true;
}

static size_t read_addresses(struct hbd_address *addresses, size_t count_max)
{
	struct ifaddrs *list;
	size_t count = 0;

	if (getifaddrs(&list) < 0)
		return 0;
	for (const struct ifaddrs *at = list; at && count < count_max; at = at->ifa_next)
		count += take_address(at->ifa_addr, &addresses[count]);
	freeifaddrs(list);
	return count;
}

int machine_find_self(const struct hbd_conf *conf, const char *node)
{
	static struct hbd_address addresses[INTERFACE_ADDRESSES_MAX];
	size_t count = read_addresses(addresses, INTERFACE_ADDRESSES_MAX);
	const char *first = conf->nodes[0].name, *second = conf->nodes[1].name;
	struct utsname host;
	int self;

	if (uname(&host) < 0)
		strcpy(host.nodename, "?");
	self = conf_self(conf, node, host.nodename, addresses, count);
	if (self < 0 && node)
		fprintf(stderr, "hbd: there is no node \"%s\" in %s; the nodes are \"%s\" and \"%s\"\n",
			node, conf->path, first, second);
	else if (self < 0)
		fprintf(stderr, "hbd: which node is this? The host name \"%s\" is neither \"%s\" nor "
			"\"%s\", and the addresses on its interfaces are not all the links of one "
			"of them; say it with -n NODE\n", host.nodename, first, second);
	return self;
}

static bool user_exists(const struct hbd_conf *conf, const char *setting, const char *name,
			unsigned line)
{
	struct process_user user;

	if (process_user_find(name, &user) != -ENOENT)
		return true;
	if (line != 0)
		fprintf(stderr, "hbd: no such user '%s' on this host; '%s' in %s:%u names it. Make it "
			"('useradd --system %s') or name another\n", name, setting, conf->path, line,
			name);
	else
		fprintf(stderr, "hbd: no such user '%s' on this host; it is the default of '%s', which "
			"%s does not set. Make it ('useradd --system %s') or name another\n", name,
			setting, conf->path, name);
	return false;
}

bool machine_has_users(const struct hbd_conf *conf)
{
	return user_exists(conf, "user", conf->user, conf->user_line) &&
	       user_exists(conf, "plugin_user", conf->plugin_user, conf->plugin_user_line);
}
