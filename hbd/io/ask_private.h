/*
 * What the files of ask share; not for others. ask.c asks, ask_sockets.c opens what hears and filters
 * it, ask_hear.c reads it.
 */
#pragma once

#include <net/ethernet.h>

#include "ask.h"

#define ASK_NO_VIP SIZE_MAX

static_assert(HBD_STATION_BYTES == ETH_ALEN, "a station is an Ethernet address");

struct ask_group {
	bool failure_told;
	bool asks;	    /* about all addresses: */
	size_t next;	    /* the round stands at this one, */
	size_t turn;	    /* and when it is over it is this one's turn */
	int64_t due_ns;	    /* then */
	int64_t asked_ns;   /* ask_send() was called last; 0 = never */
	int64_t sighted_ns; /* a sight was told last; 0 = never */
	int64_t answered_ns; /* an answer was told last, */
	uint8_t answered_by[HBD_STATION_BYTES];	/* of this station */
	uint8_t own[HBD_STATION_BYTES]; /* of another interface of this machine that answered */
};

struct ask {
	const struct hbd_conf *conf;
	const struct vip *vip;
	int raw_fd;
	struct ask_sockets sockets;
	struct ask_group groups[HBD_GROUPS_MAX];
};

/* ask.c: the address that ask_send() asks for, and the interface for the gateway. */
size_t ask_choose_vip(const struct ask *ask, uint8_t group, int *ret_ifindex, uint8_t *ret_mac);
bool ask_has_gateway(const struct ask *ask, uint8_t group, int *ret_ifindex, uint8_t *ret_mac);

/* ask_sockets.c: lets in what is of conf and nothing else. */
void ask_filter(const struct ask_sockets *sockets, const struct hbd_conf *conf);
