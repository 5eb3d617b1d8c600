/*
 * Two engines, each in a network namespace, and this test in the place of their guardians and
 * scribes. Node 0, "lb1", is in the test's own namespace, node 1, "lb2", in another. Links: 0 over
 * cable0, 1 over cable1 (IPv6). The group "web" has 10.77.0.100/24 on lan0, which each node has for
 * itself, and a plugin "service" of order "before" if asked for.
 */
#pragma once

#include <jansson.h>
#include <sys/types.h>

#include "../../hbd/io/engine.h"
#include "far_net.h"

#define BED_ALERTS 64
#define BED_RUNS 16

struct engine_side {
	pid_t pid;	      /* 0 = not running */
	int guardian, scribe; /* our ends; -1 = closed */
	struct shared *shared;
	bool ready, stopped; /* what it told */
	unsigned sockets_asked;
	char status[MESSAGE_TEXT_BYTES];
	size_t run_count;
	struct message runs[BED_RUNS];
	size_t alert_count;
	struct record_alert alerts[BED_ALERTS];
};

struct engine_bed {
	struct hbd_conf *conf;
	struct process_user user; /* that engines run as; root unless changed */
	int plugin_result;	  /* answer to every RUN; > 0 = none */
	int far;
	char folder[64];
	struct engine_side sides[HBD_NODES];
};

/* profile: "lan" ... */
struct engine_bed *engine_bed_make(const char *profile, bool with_plugin);
void engine_bed_free(struct engine_bed *bed);

void engine_start(struct engine_bed *bed, int node);
/* Both, and waits until one serves and the other stands by; returns which one serves. */
int engine_start_pair(struct engine_bed *bed);

/* Plays guardian and scribe of both for a while. */
void engine_pump(struct engine_bed *bed, int ms);

/* Waits for the process to end: its wait status. The test fails after 5 s. */
int engine_wait_end(struct engine_bed *bed, int node);
void engine_send(struct engine_bed *bed, int node, const struct message *message);

/* A request to the control socket; the answer is the caller's to json_decref(). */
json_t *engine_ask(struct engine_bed *bed, int node, const char *request);

/* Role of the group, "" if it cannot be asked. */
const char *engine_role(struct engine_bed *bed, int node);
/* Pumps until the node has the role; the test fails after ms. */
void engine_wait_role(struct engine_bed *bed, int node, const char *role, int ms);

/* True if the node's lan0 has the address. */
bool engine_has_vip(struct engine_bed *bed, int node);
/* Runs a shell command where the node is. */
void run_at(struct engine_bed *bed, int node, const char *command);

size_t engine_count_alerts(const struct engine_bed *bed, int node, enum hbd_alert kind);
