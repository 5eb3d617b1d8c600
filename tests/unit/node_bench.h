/*
 * One node on a bench: its clock is the test's, its actions are carried out at once or fail, and its
 * peer is a real session behind which a test says whatever it wants.
 *
 *	bench_new() -> change config -> bench_start() -> change word -> bench_let()
 */
#pragma once

#include "../../hbd/core/node.h"
#include "../../hbd/core/time.h"

#define BENCH_GROUP 0x11	/* the id of group 0; its next ones follow */
#define BENCH_QUEUE 64

struct bench_mail {
	struct hbd_event event;
	uint8_t bytes[HBD_PACKET_BYTES_MAX];
};

struct bench {
	struct hbd_node_config config;
	struct hbd_node node;
	struct hbd_session peer;
	uint8_t peer_seed[HBD_SEED_BYTES];
	struct hbd_actions actions;	/* of the last step */
	int64_t now_ns;
	bool talks;			/* the peer sends its word, every half interval */
	struct hbd_heartbeat word;	/* numbers and times are filled in, the rest is said as it is */
	int64_t talk_ns;
	uint64_t peer_hb_seq, heard_hb_seq;
	bool deaf;			/* it takes in none of the node's heartbeats */
	struct hbd_heartbeat said;	/* the node's last word to it */
	bool gateway;			/* the groups' gateway answers every question */
	uint8_t stranger[HBD_STATION_BYTES];	/* and who has this, if it is not 0 */
	bool hangs;			/* nobody reports how an action ended */
	int results[HBD_ACTION_TYPE_COUNT];	/* how actions end: 0 or a negative errno */
	unsigned counts[HBD_ACTION_TYPE_COUNT];
	unsigned alerts[HBD_ALERT_COUNT];
	size_t mail_count;
	struct bench_mail mails[BENCH_QUEUE];
};

/* A node of the profile lan with one link and one group without plugins; its peer stands by. */
struct bench *bench_new(uint8_t self);
void bench_free(struct bench *bench);

/* Starts the node; no word has been said. */
void bench_start(struct bench *bench);

/* Starts it, and lets it and its talking peer shake hands and the node's restart silence pass. */
void bench_meet(struct bench *bench);

/* The same, until the node serves group 0 as the one that was elected. */
void bench_serve(struct bench *bench);

/* Time passes: ticks when the node wants one, words when the peer has one to say. */
void bench_let(struct bench *bench, int64_t duration_ns);

/* One event now, and what follows from it at this instant. */
void bench_event(struct bench *bench, struct hbd_event event);

/* A packet of the peer's arrives. */
void bench_packet(struct bench *bench, const uint8_t *bytes, size_t length);

/* The peer says its word now. */
void bench_say(struct bench *bench);

/* The peer's good-bye or its last will. */
void bench_goodbye(struct bench *bench, bool will);

static inline struct hbd_group *bench_group(struct bench *bench)
{
	return &bench->node.groups[0];
}

/* How the peer is about group 0. */
static inline struct hbd_group_entry *bench_entry(struct bench *bench)
{
	return &bench->word.groups[0];
}
