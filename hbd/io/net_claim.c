#include "net_claim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME "hbd-claim"
#define NAMES_PATH "/proc/self/net/unix"	/* of this network namespace */
#define NAMESPACE_PATH "/proc/self/ns/net"
#define LINE_BYTES 128
#define TURN_TRIES 100
#define TURN_TRY_US 10000

/* Lines of one daemon: first who it is, then what it uses, sorted. */
struct claims {
	size_t count;
	char (*lines)[LINE_BYTES];
};

struct net_claim {
	int socket;
	int list;
	bool neighbors;
};

/* ---- what is ours -------------------------------------------------------------------------------- */

static size_t count_claims(const struct hbd_conf *conf, uint8_t self)
{
	size_t count = conf->nodes[self].link_count;

	for (uint8_t i = 0; i < conf->group_count; i++)
		count += conf->groups[i].vip_count;
	return count;
}

static void add_group(struct claims *claims, const struct hbd_conf_group *group)
{
	char text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < group->vip_count; i++)
		snprintf(claims->lines[claims->count++], LINE_BYTES, "the address %s%%%s",
			 hbd_address_text(&group->vips[i].address, text), group->vips[i].interface);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int list_claims(const struct hbd_conf *conf, uint8_t self, struct claims *ret_claims)
{
	const struct hbd_conf_node *node = &conf->nodes[self];
	struct claims claims = { 0 };
	char text[INET6_ADDRSTRLEN];

	claims.lines = calloc(count_claims(conf, self), LINE_BYTES);
	if (!claims.lines)
		return -ENOMEM;
	for (uint8_t i = 0; i < node->link_count; i++)
		snprintf(claims.lines[claims.count++], LINE_BYTES, "the link %s%%%s, port %u",
			 hbd_address_text(&node->links[i].address, text), node->links[i].interface,
			 conf->port);
	for (uint8_t i = 0; i < conf->group_count; i++)
		add_group(&claims, &conf->groups[i]);
	qsort(claims.lines, claims.count, LINE_BYTES, compare_lines);
	*ret_claims = claims;
	return 0;
}

/* ---- what is others' ----------------------------------------------------------------------------- */

static bool is_trusted(pid_t pid)
{
	struct stat info;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return stat(path, &info) == 0 && (info.st_uid == 0 || info.st_uid == geteuid());
}

/* The list of that process, or NULL: it is none, or the process has ended. */
static FILE *open_list(pid_t pid, int number)
{
	char path[64], target[64];
	ssize_t length;

	if (!is_trusted(pid))
		return NULL;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, number);
	length = readlink(path, target, sizeof(target) - 1);
	target[length > 0 ? length : 0] = '\0';
	if (strncmp(target, "/memfd:" NAME, strlen("/memfd:" NAME)) != 0)
		return NULL;
	return fopen(path, "re");
}

static bool read_line(FILE *list, char line[LINE_BYTES])
{
	if (!fgets(line, LINE_BYTES, list))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return true;
}

/* True if it has anything that is ours. */
static bool find_common(FILE *list, const struct claims *own, struct net_claim_holder *holder)
{
	char line[LINE_BYTES];

	if (!read_line(list, holder->who))
		return false;
	while (read_line(list, line)) {
		if (bsearch(line, own->lines, own->count, LINE_BYTES, compare_lines)) {
			memcpy(holder->what, line, sizeof(holder->what));
			return true;
		}
	}
	return false;
}

static bool is_in_the_way(const char *name, const struct claims *own, bool *neighbors,
			  struct net_claim_holder *holder)
{
	bool common;
	FILE *list;
	int number;

	if (sscanf(name, "@" NAME "/%d/%d", &holder->pid, &number) != 2 || holder->pid == getpid())
		return false;
	list = open_list(holder->pid, number);
	if (!list)
		return false;
	*neighbors = true;
	common = find_common(list, own, holder);
	fclose(list);
	return common;
}

/* 0, -EEXIST, or that the names cannot be read. */
static int look_around(const struct claims *own, bool *neighbors, struct net_claim_holder *ret_holder)
{
	FILE *names = fopen(NAMES_PATH, "re");
	struct net_claim_holder holder;
	char line[256];
	int result = 0;

	if (!names)
		return -errno;
	while (result == 0 && fgets(line, sizeof(line), names)) {
		const char *name = strstr(line, "@" NAME "/");

		if (!name || !is_in_the_way(name, own, neighbors, &holder))
			continue;
		*ret_holder = holder;
		result = -EEXIST;
	}
	fclose(names);
	return result;
}

/* ---- making it known ----------------------------------------------------------------------------- */

static int write_list(const struct hbd_conf *conf, uint8_t self, const struct claims *own)
{
	int fd = memfd_create(NAME, MFD_CLOEXEC), copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	FILE *stream = copy < 0 ? NULL : fdopen(copy, "w");

	if (!stream)
		goto fail;
	fprintf(stream, "node %s of cluster %s\n", conf->nodes[self].name, conf->cluster);
	for (size_t i = 0; i < own->count; i++)
		fprintf(stream, "%s\n", own->lines[i]);
	if (fclose(stream) == 0)
		return fd;
	copy = -1;

fail:
	if (copy >= 0)
		close(copy);
	if (fd >= 0)
		close(fd);
	return -ENOMEM;
}

static int take_name(int list)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int length = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, NAME "/%d/%d",
			      (int)getpid(), list);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&name,
			    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1) +
				    (socklen_t)length) == 0)
		return fd;

	int error = errno;

	if (fd >= 0)
		close(fd);
	return -error;
}

static int make_known(const struct hbd_conf *conf, uint8_t self, const struct claims *own,
		      struct net_claim *claim)
{
	claim->list = write_list(conf, self, own);
	if (claim->list < 0)
		return claim->list;
	claim->socket = take_name(claim->list);
	if (claim->socket >= 0)
		return 0;
	close(claim->list);
	return claim->socket;
}

/* Of two that start at once the second one sees the first. Whoever keeps his turn for ever is not
 * waited for: it could be anybody. */
static int take_turn(int tries)
{
	int fd = open(NAMESPACE_PATH, O_RDONLY | O_CLOEXEC);

	for (int i = 0; fd >= 0 && i < tries && flock(fd, LOCK_EX | LOCK_NB) < 0; i++)
		usleep(TURN_TRY_US);
	return fd;
}

int net_claim_take(const struct hbd_conf *conf, uint8_t self, struct net_claim **ret_claim,
		   struct net_claim_holder *ret_holder)
{
	struct net_claim *claim = calloc(1, sizeof(*claim));
	struct claims own = { 0 };
	int turn = take_turn(TURN_TRIES), result = -ENOMEM;

	if (claim)
		result = list_claims(conf, self, &own);
	if (result == 0)
		result = look_around(&own, &claim->neighbors, ret_holder);
	if (result == 0)
		result = make_known(conf, self, &own, claim);
	free(own.lines);
	if (turn >= 0)
		close(turn);
	if (result == 0)
		*ret_claim = claim;
	else
		free(claim);
	return result;
}

int net_claim_change(struct net_claim *claim, const struct hbd_conf *conf, uint8_t self,
		     struct net_claim_holder *ret_holder)
{
	struct net_claim fresh = { 0 };
	struct claims own = { 0 };
	int turn, result;

	if (!claim)
		return 0;
	/* a daemon that runs waits for nobody */
	turn = take_turn(1);
	fresh.neighbors = claim->neighbors;
	result = list_claims(conf, self, &own);
	if (result == 0 && ret_holder)
		result = look_around(&own, &fresh.neighbors, ret_holder);
	if (result == 0)
		result = make_known(conf, self, &own, &fresh);
	free(own.lines);
	if (turn >= 0)
		close(turn);
	if (result < 0)
		return result;
	close(claim->socket);
	close(claim->list);
	*claim = fresh;
	return 0;
}

bool net_claim_has_neighbors(const struct net_claim *claim)
{
	return claim && claim->neighbors;
}

void net_claim_release(struct net_claim *claim)
{
	if (!claim)
		return;
	close(claim->socket);
	close(claim->list);
	free(claim);
}
