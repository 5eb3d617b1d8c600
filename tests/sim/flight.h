/* The heartbeat links: what is under way on them, and what they do to it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../hbd/core/action.h"
#include "../../hbd/core/limits.h"

#define WORLD_LINKS 2
#define WORLD_FLIGHTS_MAX 1024
#define WORLD_RECORDS_MAX 256

struct world;

/* One direction of one link. */
struct world_path {
	bool cut;
	int loss_permille;		/* of single packets */
	int burst_begin_permille;	/* Gilbert-Elliott: a burst, in which all is lost, begins ... */
	int burst_end_permille;		/* ... and ends, with each packet */
	bool in_burst;
	int duplicate_permille;
	int corrupt_permille;		/* one to three bits flipped, or cut short */
	int reorder_permille;		/* held back for up to some T */
	int64_t delay_ns;
	int64_t jitter_ns;
};

/* A packet under way. */
struct world_flight {
	int64_t arrives_ns;	/* world time; in an inbox: the receiver's clock */
	int64_t sent_ns;	/* world time */
	uint8_t to;
	uint8_t link;
	bool forged;		/* not what the sender sent, or sent again */
	uint16_t length;
	uint8_t bytes[HBD_PACKET_BYTES_MAX];
};

/* A heap by time of arrival; of two that arrive at once the first sent comes first. */
struct world_flights {
	size_t count;
	uint64_t sent;			/* numbers them */
	struct world_entry {
		int64_t arrives_ns;
		uint64_t number;
		uint16_t slot;
	} heap[WORLD_FLIGHTS_MAX];
	uint16_t free[WORLD_FLIGHTS_MAX];
	struct world_flight *slots;	/* WORLD_FLIGHTS_MAX */
	/* a sample of all packets that engines ever took in, for replay; if there is one */
	uint64_t delivered;
	size_t record_count;
	struct world_flight *records;	/* WORLD_RECORDS_MAX, or NULL */
};

void flights_init(struct world_flights *flights);
void flights_free(struct world_flights *flights);

/* When the next one arrives; HBD_NEVER_NS if none is under way. */
int64_t flights_next_ns(const struct world_flights *flights);

/* Sends what a node sent. */
void flight_transmit(struct world *world, uint8_t from, uint8_t link,
		     const struct hbd_packet *packet);

/* Delivers the next one. */
void flight_arrive(struct world *world);

/* From now on delivered packets are sampled. */
void flights_record(struct world_flights *flights);

/* Puts a datagram on the wire now. */
void world_inject(struct world *world, uint8_t to, uint8_t link, const uint8_t *bytes,
		  size_t length, bool forged, int64_t delay_ns);
