/*
 * For test programs of vip and announce: a network namespace of one's own, commands in it, a small
 * configuration, and what vip_dispatch() tells.
 */
#pragma once

#include "../../hbd/conf/conf.h"
#include "../../hbd/io/vip.h"

#define OWN_NET_VIPS 1100 /* room, in each of two groups */
#define OWN_NET_NEWS 64

/* Moves this process into a network and a mount namespace of its own (and a user namespace if it is
 * not root), or ends it as skipped (77), saying why. */
void own_net_enter(void);

/* Runs a shell command; the test fails if it does. */
void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* True if the shell command succeeds. */
bool holds(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* True if the interface has the address, "10.77.0.100/24". */
bool has(const char *interface, const char *address);

/* A veth pair, up; name's peer is "far-" name. */
void make_pair(const char *name);

struct own_net {
	struct hbd_conf conf;
	struct hbd_conf_vip vips[2][OWN_NET_VIPS];
	struct vip *vip;
	size_t news_count;
	struct vip_news news[OWN_NET_NEWS];
};

/* The pairs eth0 (10.77.0.1/24, fd77::1/64), eth1 (10.78.0.1/24); link 0 is 10.78.0.1%eth1. No VIPs. */
struct own_net *own_net_make(void);
void own_net_free(struct own_net *net);

/* Adds a VIP, "10.77.0.100/24", to a group's configuration. */
void add_vip(struct own_net *net, uint8_t group, const char *text, const char *interface);
/* And opens vip. */
void open_vip(struct own_net *net);

/* Dispatches until nothing came for a while. */
void settle(struct own_net *net);
/* How many news of the type came since the last forget_news(). */
size_t count_news(const struct own_net *net, enum vip_news_type type);
void forget_news(struct own_net *net);
/* Dispatches until news of the type comes, and returns the last; the test fails after 3 s. */
struct vip_news wait_news(struct own_net *net, enum vip_news_type type);
