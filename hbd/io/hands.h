/*
 * The engine's hands: a thread that adds, removes, renews and announces addresses, and asks for
 * them.
 *
 * The kernel has one lock for all configuration of the network, which any program may hold for as
 * long as it likes, and a thousand IPv6 addresses take a second. None of it may delay a heartbeat:
 * so the loop asks here and goes on, and a report comes when it is done. The thread runs in real
 * time if the loop does, one priority below it.
 *
 * Releases go before all else. What was asked for and not yet begun is dropped when its group is
 * released: an acquisition is then never reported.
 *
 * A staged group's addresses are there all the time, though this node does not serve: a release leaves
 * them, and an acquisition finds them. What mutes them is the fence, which is the caller's.
 *
 * While a group's addresses are there they are asked for now and then, since another may use one.
 *
 * Lifetimes. The kernel removes an address by itself when its lifetime is over. It is renewed at
 * half of it for as long as the group's lease is in force, or the group is staged, without being asked.
 * It is as long as the lease, but not shorter than vip_lifetime_min_ns().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "announce.h"
#include "ask.h"
#include "vip.h"

struct hands;

enum hands_report_type {
	HANDS_UNSET = 0,
	HANDS_DONE, /* an acquisition or a release ended */
	HANDS_NEWS, /* something happened to interfaces or addresses */
	HANDS_STATION, /* the Ethernet address that answers for a group here is another now */
	HANDS_ANSWER,  /* somebody answered for a group on the LAN, or used an address that is held */
	HANDS_GATEWAY, /* the group's gateway answered */
	HANDS_RESTORED, /* what was missing of a group's addresses is back */
	HANDS_REFUSAL, /* which of a group's addresses the kernel refuses changed, and stays so */
};

struct hands_report {
	enum hands_report_type type;
	struct vip_news news; /* NEWS */
	uint8_t station[HBD_STATION_BYTES]; /* STATION: zeros = none; ANSWER: who */
	uint16_t address;     /* ANSWER: index of the group's */
	struct vip_refusal refusal; /* REFUSAL; its count 0: none any more */
	uint8_t group;	      /* all but NEWS; DONE: those below as well */
	uint64_t id;	      /* as it was asked for */
	int result;	      /* 0 or a negative errno, which was logged */
	size_t failed_vip;    /* index of the first address that failed, if one did */
};

/* What the thread works with: its own until hands_close() returns; outlives it. */
struct hands_tools {
	struct vip *vip;
	struct announce *announce;
	struct ask *ask;
};

/* Starts the thread. realtime: the loop runs in real time. 0 or a negative errno. */
int hands_open(const struct hbd_conf *conf, const struct hands_tools *tools, bool realtime,
	       struct hands **ret_hands);

/* Ends the thread after what it is doing now; the rest is dropped. hands may be NULL. */
void hands_close(struct hands *hands);

/* Readable when there are reports. False if there is none. */
int hands_fd(const struct hands *hands);
bool hands_take(struct hands *hands, struct hands_report *ret_report);

/* The group's addresses may be there until then; a store, nothing more. */
void hands_lease(struct hands *hands, uint8_t group, int64_t until_ns);

/* As vip.h has it; reported under id, which is not 0. */
void hands_acquire(struct hands *hands, uint8_t group, uint64_t id);
void hands_release(struct hands *hands, uint8_t group, uint64_t id);

/* From now on the group is staged, or is not: then its addresses go, unless they are acquired. What
 * cannot be added is tried again. */
void hands_stage(struct hands *hands, uint8_t group, bool staged);

/* Puts back what is missing of a held group's addresses, until it succeeds: RESTORED then, and
 * REFUSAL if that takes longer than a moment. */
void hands_restore(struct hands *hands, uint8_t group);

/* (Re)starts the group's announcements. A release ends them. */
void hands_announce(struct hands *hands, uint8_t group);

/* Ends them, though the addresses stay: another node has them now. */
void hands_hush(struct hands *hands, uint8_t group);

/* Announces one address of the group once, and asks who else answers for it; ANSWER tells. */
void hands_defend(struct hands *hands, uint8_t group, size_t vip_index);

/* Asks the LAN once who answers for the group, and for its gateway; ANSWER and GATEWAY tell. */
void hands_ask(struct hands *hands, uint8_t group);
