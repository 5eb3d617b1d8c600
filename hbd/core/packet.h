/*
 * Bytes <-> messages: the wire format of PROTOCOL.md, version 1, big-endian.
 *
 * Encoding and decoding only: nothing here authenticates (seal.h), judges age (replay.h) or knows
 * a session (session.h). Decoding reads exactly the bytes it is given: lengths must match to the
 * byte, reserved fields must be zero, and unknown non-critical TLVs are skipped.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "limits.h"

#define HBD_PACKET_MAGIC 0x48424431u /* "HBD1" */
#define HBD_VERSION_HANDSHAKE 1      /* of handshake packets, whatever else is spoken */
#define HBD_VERSION_MIN 1            /* major protocol versions this code speaks */
#ifndef HBD_VERSION_MAX              /* the tests build a program of the next one */
#define HBD_VERSION_MAX 1
#endif

enum hbd_packet_type {
	HBD_PACKET_UNSET = 0,
	HBD_PACKET_KNOCK,	/* node 1 asks node 0 for a handshake */
	HBD_PACKET_HELLO,	/* node 0 offers: its nonce, versions, keys */
	HBD_PACKET_HELLO_ACK,	/* node 1 answers: echo of that nonce, its own answer, the choice */
	HBD_PACKET_CONFIRM,	/* node 0 proves that it saw the answer; sealed by the session key */
	HBD_PACKET_HEARTBEAT,	/* state, renewal and grant in one */
	HBD_PACKET_GOODBYE,	/* ends the session: clean stop, or the guardian's last will */
	HBD_PACKET_TYPE_COUNT
};

/* struct hbd_header.flags */
#define HBD_FLAG_PROBE 0x01	/* heartbeat: answer at once */
#define HBD_FLAG_REPLY 0x02	/* heartbeat: answers one; never answered itself */
#define HBD_FLAG_WILL  0x04	/* goodbye: sent by the guardian for a dead engine */
#define HBD_FLAGS_KNOWN 0x07

struct hbd_header {
	uint8_t version;		/* major << 4 | minor */
	enum hbd_packet_type type;
	uint8_t key_id;			/* which pre-shared key, 1..255 */
	uint8_t flags;
	uint32_t cluster_id;
	uint8_t source;			/* node index of the sender, 0 or 1 */
	uint8_t destination;
	uint8_t link;			/* link index, the same on both nodes */
	size_t body_bytes;		/* multiple of 8; what follows the header, without the tag */
	uint64_t sender_session;	/* random per process, never 0 */
	uint64_t receiver_session;	/* 0 while unknown */
	uint64_t seq;			/* per link and session from 1; UINT64_MAX only in GOODBYE */
};

/* Body of KNOCK, HELLO, HELLO_ACK and CONFIRM. Fields a type does not use are zero. */
struct hbd_hello {
	uint8_t version_min;			/* major versions the sender speaks */
	uint8_t version_max;
	uint8_t version;			/* HELLO_ACK, CONFIRM: the chosen one; else 0 */
	uint8_t key_count;			/* of key_ids, 1..HBD_KEYS_MAX */
	uint32_t capabilities;			/* bits for later minor versions; unknown ones ignored */
	uint8_t key_ids[HBD_KEYS_MAX];		/* key ids the sender holds; rest zero */
	uint8_t nonce[HBD_NONCE_BYTES];		/* of the offer, fresh per attempt */
	uint8_t answer[HBD_NONCE_BYTES];	/* node 1's; zero in KNOCK and HELLO */
	uint64_t config_digest;
};

/* struct hbd_group_entry.flags */
#define HBD_GROUP_GRANTS   0x01	/* the sender promises this group to the receiver */
#define HBD_GROUP_RESIGNED 0x02	/* handed over: the receiver is to claim it */
#define HBD_GROUP_FAULT_HARD 0x04	/* the sender cannot serve it */
#define HBD_GROUP_FAULT_SOFT 0x08	/* a check failed, or some address is refused */
#define HBD_GROUP_HELD_BACK 0x10	/* the sender would claim it, did its address not answer */
#define HBD_GROUP_OFFERED 0x20	/* the sender would hand it over: the receiver may get ready */
#define HBD_GROUP_READY 0x40	/* the sender is ready to take it */
#define HBD_GROUP_REFUSED 0x80	/* the sender cannot get ready to take it */
#define HBD_GROUP_FLAGS_KNOWN 0xff

/* One group as its sender sees it. */
struct hbd_group_entry {
	uint32_t id;		/* from the group's name, see hbd_group_id() in node.h */
	uint8_t role;		/* enum hbd_role, checked to be a legal one */
	uint8_t flags;
	uint16_t priority;	/* 100, or 200 on the preferred node */
	uint16_t health;	/* 0 (worst) .. 1000 */
	uint8_t station[HBD_STATION_BYTES];	/* answers on the LAN if the sender owns it; 0 = none */
	uint64_t epoch;		/* of the sender's latest ownership, or the highest it has seen */
	uint32_t since_s;	/* seconds in this role, saturating */
};

/* Body of HEARTBEAT and GOODBYE. */
struct hbd_heartbeat {
	uint64_t hb_seq;		/* from 1, one number for all links; orders state */
	uint64_t granted_hb_seq;	/* newest renewal of the receiver's granted; 0 = none */
	uint64_t rx_newest;		/* newest hb_seq of the receiver's seen on this link; 0 = none */
	uint32_t rx_bitmap;		/* bit i: rx_newest - i was seen on this link */
	uint64_t tx_time_us;		/* sender's clock when it sent this */
	uint64_t echo_tx_time_us;	/* tx_time_us of the newest packet seen on this link */
	uint32_t echo_hold_us;		/* how long ago the sender received that, saturating */
	uint32_t interval_us;		/* sender's T */
	uint32_t lease_us;		/* term of the leases this renews, saturating; 0 = none */
	uint8_t node_state;		/* HBD_NODE_... */
	uint8_t fence;			/* 0 none, 1 address lifetime, 2 kernel deadline (eBPF) */
	uint32_t capabilities;
	uint64_t config_digest;
	uint16_t group_count;
	struct hbd_group_entry groups[HBD_GROUPS_MAX];
};

/* capabilities */
#define HBD_CAPABILITY_HOLD 0x1u	/* knows the state "holding", which it is not told else */
#define HBD_CAPABILITY_COVERED 0x2u	/* its leases last without the holding receiver's grants */
#define HBD_CAPABILITY_ORPHANED 0x4u	/* it stops because its guardian died */

#define HBD_FENCE_NONE 0
#define HBD_FENCE_LIFETIME 1
#define HBD_FENCE_KERNEL 2

#define HBD_NODE_QUIET 1	/* in restart silence */
#define HBD_NODE_RUNNING 2
#define HBD_NODE_STOPPING 3
#define HBD_NODE_HOLDING 4	/* about to pause, for the term told */
#define HBD_NODE_MAINTENANCE 5	/* claims nothing */

/* Why a datagram was not used; each is counted per link. Order of checking, cheapest first. */
enum hbd_drop {
	HBD_DROP_NONE = 0,
	HBD_DROP_HOPS,		/* TTL or hop limit below 255: not from this link (RFC 5082) */
	HBD_DROP_SHORT,		/* shorter than a header and a tag, or than its header says */
	HBD_DROP_LONG,		/* longer than HBD_PACKET_BYTES_MAX or than its header says */
	HBD_DROP_MAGIC,		/* not ours at all */
	HBD_DROP_VERSION,	/* not the handshake's major version, or not that of the session */
	HBD_DROP_TYPE,		/* unknown type or flags */
	HBD_DROP_CLUSTER,	/* another cluster's */
	HBD_DROP_REFLECTED,	/* our own packet came back, or our node index is used twice */
	HBD_DROP_NODE,		/* source, destination or link that does not exist */
	HBD_DROP_LINK,		/* sent on another link: cables are crossed */
	HBD_DROP_KEY,		/* a key id we do not hold */
	HBD_DROP_SESSION,	/* not of the running session */
	HBD_DROP_SEAL,		/* the tag does not match: wrong key or forged */
	HBD_DROP_REPLAY,	/* seen before or too old */
	HBD_DROP_BODY,		/* authentic but malformed */
	HBD_DROP_STALE,		/* a handshake packet of an attempt that is over */
	HBD_DROP_COUNT
};

/* "replay", "seal" ...; never NULL. */
const char *hbd_drop_text(enum hbd_drop drop);

/*
 * Writes header and body into bytes and returns their length (a multiple of 8, without the tag).
 * header->body_bytes is computed, not read. The struct must be valid (asserted): counts within
 * limits, known type. bytes holds HBD_PACKET_BYTES_MAX.
 */
size_t hbd_packet_encode_hello(const struct hbd_header *header, const struct hbd_hello *hello,
			       uint8_t *bytes);
size_t hbd_packet_encode_heartbeat(const struct hbd_header *header,
				   const struct hbd_heartbeat *heartbeat, uint8_t *bytes);

/*
 * Reads the header of a datagram of length bytes, tag included, and checks all that needs neither
 * key nor session: HBD_DROP_SHORT, LONG, MAGIC, VERSION, TYPE or NONE. ret_header is untouched
 * unless NONE.
 */
enum hbd_drop hbd_packet_decode_header(const uint8_t *bytes, size_t length,
				       struct hbd_header *ret_header);

/*
 * Read a body of body_bytes at body, after the seal was verified. 0, or -EBADMSG for a length,
 * count, role or reserved field that is wrong, or an unknown critical TLV. Untouched on failure.
 */
int hbd_packet_decode_hello(const uint8_t *body, size_t body_bytes, struct hbd_hello *ret_hello);
int hbd_packet_decode_heartbeat(const uint8_t *body, size_t body_bytes,
				struct hbd_heartbeat *ret_heartbeat);
