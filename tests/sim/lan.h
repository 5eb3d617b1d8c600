/*
 * The clients' LAN: a switch, with a port for each machine and one for the clients. A machine asks
 * there who has an address; clients ask for it, hear announcements, and remember what they heard as
 * Linux does: an announcement makes an entry stale, a stale entry in use is verified by asking the
 * station that it names, and only one that fails to answer is looked for anew. That is how a wrong
 * entry is confirmed for as long as the wrong machine answers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel.h"

#define WORLD_CLIENTS 2		/* one with Linux's times, one that verifies often */
#define WORLD_NOBODY 0xff

struct world;

enum world_neighbor_state {
	NEIGHBOR_NONE = 0,
	NEIGHBOR_REACHABLE,
	NEIGHBOR_DELAY,		/* stale and in use */
	NEIGHBOR_PROBE,		/* asking the station that it names */
	NEIGHBOR_INCOMPLETE,	/* asking everybody */
};

/* What a client knows of a group's address. */
struct world_neighbor {
	enum world_neighbor_state state;
	uint8_t station;	/* index of a machine; WORLD_NOBODY = none */
	uint8_t tries;
};

struct world_lan {
	bool cut[HBD_NODES];	/* a machine's port carries nothing, and nobody notices */
	bool apart;		/* the machines do not see each other; the clients see both */
	int loss_permille;	/* of frames there */
	bool gateway;		/* there is one, with the clients, and all groups name it */
	bool gateway_dead;
	bool strayed[HBD_NODES];	/* a machine does not reach it, though its port carries */
	bool stranger[WORLD_GROUPS_MAX];	/* a third machine answers for the group's address */
	struct world_neighbor neighbors[WORLD_CLIENTS][WORLD_GROUPS_MAX];
};

/* The clients want to speak to the groups from now on. */
void lan_start(struct world *world);

/* A third machine takes the group's address, says so to all, and answers for it. */
void lan_intrude(struct world *world, uint8_t group);

/* The machine asks who answers for the group, and for its gateway; ANSWER and GATEWAY tell it. */
void lan_ask(struct world *world, uint8_t machine, uint8_t group);

/* True if questions of the machine get to the gateway and are answered, but for those that are lost. */
bool lan_reaches_gateway(const struct world *world, uint8_t machine);

/* An announcement of the machine's gets out. */
void lan_announce(struct world *world, uint8_t machine, uint8_t group);

/* JOB_CLIENT */
void lan_client_due(struct world *world, uint8_t client, uint8_t group);

/* True if what the client sends to the group reaches a machine that answers. */
bool world_reaches(const struct world *world, uint8_t client, uint8_t group);
