/*
 * For test programs of the fence: this network namespace is a machine with two virtual addresses of
 * each of two groups, another is the LAN that asks it.
 *
 *	here	eth0  10.77.0.1/24  fd77::1/64		group 0: 10.77.0.100, fd77::100
 *						group 1: 10.77.0.200, fd77::200
 *	there	eth0  10.77.0.9/24  fd77::9/64
 */
#pragma once

#include <sys/types.h>

#include "../../hbd/core/time.h"
#include "../../hbd/io/fence.h"
#include "far_net.h"
#include "../lib/fence_frames.h"

#define BED_VIP4 "10.77.0.100"
#define BED_VIP6 "fd77::100"
#define BED_OTHER_VIP4 "10.77.0.200"
#define BED_OTHER_VIP6 "fd77::200"
#define BED_FIX4 "10.77.0.1" /* no virtual addresses */
#define BED_FIX6 "fd77::1"
#define BED_CLIENT4 "10.77.0.9"
#define BED_CLIENT6 "fd77::9"

#define BED_INSTANCE "the test bed"
#define BED_ADDRESSES 4096
#define BED_NEWS 32

struct bed_news {
	enum fence_news_type type;
	char interface[IF_NAMESIZE];
	char why[FENCE_WHY_BYTES];
};

struct fence_bed {
	struct own_net *net; /* its configuration only */
	struct fence *fence; /* open, set, and closed for both groups */
	int far;	     /* the LAN's namespace */
	int lan;	     /* a packet socket in it */
	size_t news_count;
	struct bed_news news[BED_NEWS];
};

/* Ends the program as skipped (77) if there can be no fence here, as failed if there should. */
void fence_bed_need(void);

struct fence_bed *fence_bed_make(void);
void fence_bed_free(struct fence_bed *bed);

/* Another life of the same instance; bed_start() also sets the addresses. */
void bed_open(struct fence_bed *bed);
void bed_start(struct fence_bed *bed);
void bed_stop(struct fence_bed *bed);

/* fork(), but the child does not outlive a test that is killed. */
pid_t bed_fork(void);

/* Opens bed->lan anew: its interface was exchanged. */
void bed_listen(struct fence_bed *bed);

/* Sends a frame to everyone on the LAN, from there. */
void lan_says(struct fence_bed *bed, const struct frame_shape *shape);
/* And true if someone here speaks for address soon. */
bool lan_hears(struct fence_bed *bed, const char *address);
/* Both: is address answered for? Asked by ARP or neighbor solicitation. */
bool is_resolved(struct fence_bed *bed, const char *address);
/* By an echo request. */
bool is_reached(struct fence_bed *bed, const char *address);
void lan_forgets(struct fence_bed *bed);

/* Sends a frame from here. */
void node_says(const char *interface, const struct frame_shape *shape);

/* Reads events and gives news until nothing came for a while. */
void bed_settle(struct fence_bed *bed);
/* fence_check(), with its news. */
void bed_check(struct fence_bed *bed);
/* The test fails unless this is the only news since the last call. */
void expect_news(struct fence_bed *bed, enum fence_news_type type, const char *interface);
void expect_no_news(struct fence_bed *bed);

/* How many of our programs are attached to the interface, of 2. */
int count_attached(const char *interface);

struct fence_tally tally_of(struct fence_bed *bed, uint8_t group);
