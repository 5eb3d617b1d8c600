/*
 * What the files of node share; not for others. node.c takes events, node_receive.c packets,
 * node_send.c builds packets and renews leases, node_ask.c asks the LAN, node_judge.c finds the
 * causes that the arbiter's table is asked about, node_group.c carries out transitions and plans,
 * node_watch.c tells about the peer and the links.
 */
#pragma once

#include "arbiter.h"
#include "node.h"
#include "time.h"

/* A new action, zeroed but for its type; group is "none". */
struct hbd_action *node_act(struct hbd_actions *actions, enum hbd_action_type type);

/* A new id for an action that reports back. */
uint64_t node_new_id(struct hbd_node *node);

struct hbd_action *node_alert(struct hbd_actions *actions, enum hbd_alert kind,
			      enum hbd_severity severity);

/* The role owns the addresses or has not yet let go of them: others keep away. */
static inline bool node_role_occupies(enum hbd_role role)
{
	return hbd_role_owns(role) || role == HBD_ROLE_RELEASING;
}

/* It said GOODBYE so recently that no process of it can have started since, and claimed unheard. */
bool node_just_left(const struct hbd_node *node);

/* The peer is heard now: what its newest heartbeat said still counts. */
bool node_peer_present(const struct hbd_node *node);

/* node_receive.c */
void node_receive(struct hbd_node *node, const struct hbd_event *event,
		  struct hbd_actions *actions);

/* node_send.c: what is due of heartbeats, probes, replies and offers. */
void node_send_due(struct hbd_node *node, struct hbd_actions *actions, bool ticking);
void node_send_answer(struct hbd_node *node, uint8_t link, const struct hbd_received *received,
		      struct hbd_actions *actions);
void node_send_confirm(struct hbd_node *node, struct hbd_actions *actions);
void node_send_goodbye(struct hbd_node *node, struct hbd_actions *actions);
void node_store_wills(struct hbd_node *node, struct hbd_actions *actions);
int64_t node_send_deadline_ns(const struct hbd_node *node);

/* deadline_ns, or never if the last TICK has seen it: then it waits for a packet, not for time. */
static inline int64_t node_pending(const struct hbd_node *node, int64_t deadline_ns)
{
	return deadline_ns > node->ticked_ns ? deadline_ns : HBD_NEVER_NS;
}

/* The term of the leases this node takes now: long while nobody could take over. */
int64_t node_term_ns(const struct hbd_node *node);

/* Tells the fence how long the group may answer. */
void node_set_lease(struct hbd_node *node, uint8_t group, struct hbd_actions *actions);

/* node_ask.c */
void node_ask_due(struct hbd_node *node, struct hbd_actions *actions);
void node_take_answer(struct hbd_node *node, uint8_t group, const uint8_t *station,
		      struct hbd_actions *actions);
int64_t node_ask_deadline_ns(const struct hbd_node *node, uint8_t group);
/* True for a claim on silence whose addresses are not on yet. */
bool node_claims_on_silence(const struct hbd_group *group);
/* True while the addresses of such a claim have to wait for another round of questions. */
bool node_asks_again(struct hbd_node *node, uint8_t group, struct hbd_actions *actions);
/* Nobody has answered for long enough to claim on silence. */
bool node_has_asked(const struct hbd_node *node, uint8_t group);

/* node_judge.c; when a claim on silence is due, if nothing is heard and nobody answers. */
int64_t node_silence_claim_ns(const struct hbd_node *node, uint8_t group);
void node_judge_groups(struct hbd_node *node, struct hbd_actions *actions, bool ticking);
int64_t node_group_deadline_ns(const struct hbd_node *node, uint8_t group);

/* node_group.c */
void node_check_leases(struct hbd_node *node, struct hbd_actions *actions);
void node_run_plans(struct hbd_node *node, struct hbd_actions *actions);
void node_done(struct hbd_node *node, uint64_t id, int result, struct hbd_actions *actions);
void node_cause(struct hbd_node *node, uint8_t group, enum hbd_cause cause,
		enum hbd_reason reason, struct hbd_actions *actions);

/* From now on the peer has some time to take what was handed to it. */
void node_await_taking(struct hbd_node *node, struct hbd_group *group);

/* No claim on the evidence of silence until this node has listened for a whole Lg. */
void node_hold_claims(struct hbd_node *node, struct hbd_group *group);

/* node_watch.c */
void node_watch_peer(struct hbd_node *node, struct hbd_actions *actions);
void node_watch_links(struct hbd_node *node, struct hbd_actions *actions);
void node_set_fault(struct hbd_node *node, uint8_t group, enum hbd_fault fault, bool present,
		    struct hbd_actions *actions);
