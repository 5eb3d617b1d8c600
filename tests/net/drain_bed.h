/*
 * For test programs of the drain: two machines, a client and the switch between them, each a network
 * namespace; services on both machines that answer with the machine's name; and a client with open
 * connections that asks on each of them every 10 ms.
 *
 *	here	br0 with a0, b0, c0
 *	nodes	a0  10.77.0.1  fd77::1	and b0  10.77.0.2  fd77::2
 *	client	c0  10.77.0.9  fd77::9
 *
 * Services listen on the virtual addresses, for both versions on all addresses, and by UDP.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "../../hbd/core/time.h"
#include "../../hbd/io/drain.h"
#include "../../hbd/io/fence.h"
#include "far_net.h"

#define BED_VIP4 "10.77.0.100"
#define BED_VIP6 "fd77::100"
#define BED_INSTANCE "the test bed"
#define BED_LONG 64    /* connections that stay open */
#define BED_SHORT 4096 /* that were made one after another */
#define BED_FILES 8192
#define BED_WAYS 4     /* IPv4, IPv6; service on the address, on all addresses */

struct bed_node {
	int net;
	char interface[8];
	uint8_t mac[6];
	int ifindex;
};

/* A connection of the client. */
struct bed_asker {
	int file;	  /* -1 = none */
	char node;	  /* who answered first; 0 = nobody yet */
	bool once;	  /* ends with the answer */
	bool asked;
	int64_t asked_ns;
};

struct drain_bed {
	struct bed_node nodes[2], client;
	struct hbd_address addresses[2];
	struct fence *fences[2]; /* NULL = that machine has none */
	int poll;
	char file_node[BED_FILES]; /* of a service's file: the machine's name; 0 = no service's */
	bool file_listens[BED_FILES];
	struct bed_asker askers[BED_LONG + BED_SHORT];
	size_t asker_count;
	int udp;
	size_t udp_asked, udp_answered;
	size_t broken, refused, changed; /* connections that failed, that never were, that moved */
	size_t answered[2];		 /* of the ones that end with the answer, by whom */
	int64_t worst_ns;
};

/* Ends the program as skipped (77) if programs cannot be loaded here. */
void drain_bed_need(void);

struct drain_bed *drain_bed_make(void);
void drain_bed_free(struct drain_bed *bed);

/* The machine has the addresses, or has not; and says so. */
void bed_take(struct drain_bed *bed, int node);
void bed_drop(struct drain_bed *bed, int node);
void bed_announce(struct drain_bed *bed, int node);

/* Puts a fence on both machines: open on that one, closed on the other. */
void bed_fence(struct drain_bed *bed, int owner);

/* Begins there, for both addresses; the test fails if that does. until_ns of the first. */
struct drain *bed_forward(struct drain_bed *bed, int node, int64_t until_ns);
struct drain *bed_hold(struct drain_bed *bed, int node);
void bed_end(struct drain_bed *bed, int node, struct drain *drain);
int bed_count(struct drain_bed *bed, int node);

/* The client sends that machine a segment of a connection that nobody knows. */
void bed_send_stray(struct drain_bed *bed, int node);

/* Opens that many connections, to each service in turn, and waits for their first answers. */
void bed_connect(struct drain_bed *bed, size_t count);
/* Lets services and client go on for so long; short_lived: and connect anew every 10 ms. */
void bed_run(struct drain_bed *bed, int64_t for_ns, bool short_lived);
/* Ends the client's connections and waits until nobody has any. */
void bed_disconnect(struct drain_bed *bed);

/* True if every neighbor of the client knows the addresses as that machine's. */
bool bed_client_knows(struct drain_bed *bed, int node);
