/*
 * Every limit of the core in one place, related to each other by static_assert.
 *
 * All storage of the core is sized by these numbers, so that nothing is allocated after start-up
 * and a packet never needs IP fragmentation.
 */
#pragma once

#include <assert.h>

#define HBD_NODES 2           /* a pair; never more */
#define HBD_LINKS_MAX 8       /* heartbeat paths */
#define HBD_GROUPS_MAX 32     /* groups in one heartbeat */
#define HBD_STEPS_MAX 16      /* takeover plugins of one group */
#define HBD_KEYS_MAX 8        /* keys held at once, for rotation */
#define HBD_KEY_BYTES 32
#define HBD_SEED_BYTES 32
#define HBD_NONCE_BYTES 16
#define HBD_TAG_BYTES 16
#define HBD_STATION_BYTES 6   /* an Ethernet address; the core only compares them */
#define HBD_NAME_BYTES 32     /* a cluster's, node's or group's name with its final NUL */

/* On the wire (PROTOCOL.md). 1200 bytes fit the smallest IPv6 MTU, 1280, with IP and UDP headers. */
#define HBD_HEADER_BYTES 40
#define HBD_HEARTBEAT_BYTES 72
#define HBD_GROUP_BYTES 32
#define HBD_HELLO_BYTES 64
#define HBD_PACKET_BYTES_MAX 1200

/* The highest epoch that is taken over from others. No hbd counts so far: who says more is damaged or
 * forged, and the next number would not fit a disk, a JSON integer, or its 64 bits. */
#define HBD_EPOCH_MAX (1ull << 51)

/* Sent heartbeats whose send time is remembered, to date the grants that come back. */
#define HBD_SENT_MAX 128

/* What one step may ask for. On every link: heartbeat, offer, answer, confirm, will, good-byes. */
#define HBD_PACKETS_MAX (HBD_LINKS_MAX * 8)
#define HBD_ACTIONS_MAX (HBD_PACKETS_MAX + HBD_GROUPS_MAX * 12 + 32)

static_assert(HBD_HEADER_BYTES + HBD_HEARTBEAT_BYTES + HBD_GROUPS_MAX * HBD_GROUP_BYTES +
	      HBD_TAG_BYTES <= HBD_PACKET_BYTES_MAX, "a full heartbeat fits one packet");
static_assert(HBD_HEADER_BYTES + HBD_HELLO_BYTES + HBD_TAG_BYTES <= HBD_PACKET_BYTES_MAX,
	      "a handshake packet fits one packet");
