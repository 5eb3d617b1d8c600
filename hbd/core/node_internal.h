/*
 * What the files of node share; not for others. node.c takes events, node_receive.c packets,
 * node_send.c builds packets and renews leases, node_ask.c asks the LAN, node_conflict.c deals with
 * strangers there, node_judge.c finds the causes that the arbiter's table is asked about,
 * node_hold.c pauses for another process and node_resume.c is that one,
 * node_maintenance.c keeps a node out of service, node_leave.c hands over before a stop,
 * node_witness.c wins and gives up the witness's vote, node_group.c carries out transitions and
 * plans, node_watch.c tells about the peer and the links.
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

/* The role owns nothing and waits for a reason to claim. */
static inline bool node_role_stands_by(enum hbd_role role)
{
	return role == HBD_ROLE_SECONDARY || role == HBD_ROLE_DRAINING;
}

/* It said GOODBYE so recently that no process of it can have started since, and claimed unheard. */
bool node_just_left(const struct hbd_node *node);

/* Of a peer that said good-bye, or is about to: was it asked to stop? */
enum hbd_reason node_stop_reason(const struct hbd_node *node);

/* The peer is heard now: what its newest heartbeat said still counts. */
bool node_peer_present(const struct hbd_node *node);
/* This node slept, and the newest word that waited for it, if any did, does not tell what is now. */
bool node_knows_old_news(const struct hbd_node *node);
/*
 * The peer has said nothing since this node woke up: what it handed over before that it may have taken
 * back, because it did not hear this node.
 */
bool node_awaits_news(const struct hbd_node *node);

/* node.c: nothing that seemed to have happened during late_ns before now is evidence. */
void node_take_stall(struct hbd_node *node, int64_t late_ns);

/* node_receive.c */
void node_receive(struct hbd_node *node, const struct hbd_event *event,
		  struct hbd_actions *actions);

/* node_send.c: what is due of heartbeats, probes, replies and offers. */
void node_send_due(struct hbd_node *node, struct hbd_actions *actions, bool ticking);
void node_send_answer(struct hbd_node *node, const struct hbd_received *received,
		      struct hbd_actions *actions);
void node_send_confirm(struct hbd_node *node, struct hbd_actions *actions);
/* True while this node offers handshakes. */
bool node_wants_offer(const struct hbd_node *node);
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
void node_take_answer(struct hbd_node *node, const struct hbd_event *event,
		      struct hbd_actions *actions);
void node_take_station(struct hbd_node *node, uint8_t group, const uint8_t *station);
void node_take_gateway(struct hbd_node *node, uint8_t group);
/* It has done so in the last Lg. */
bool node_gateway_answers(const struct hbd_node *node, uint8_t group);
/* False while a claim for reason has to wait for a gateway, or to listen after its first answer. */
bool node_gateway_agrees(const struct hbd_node *node, uint8_t group, enum hbd_reason reason);
int64_t node_ask_deadline_ns(const struct hbd_node *node, uint8_t group);
/* True for a claim on silence, whose addresses are not on yet. */
bool node_claims_on_silence(const struct hbd_group *group);
/* True while the addresses of such a claim have to wait for another round of questions. */
bool node_asks_again(struct hbd_node *node, uint8_t group, struct hbd_actions *actions);
/* Every question that counts was asked, and there was time for an answer. */
/* True if a claim on silence has to ask once more first, which it does now. */
bool node_asks_anew(struct hbd_node *node, uint8_t group);

bool node_has_asked(const struct hbd_node *node, uint8_t group);
/* True while it asks, or would, whether the address is free to be used for the first time. */
bool node_asks_before_use(const struct hbd_node *node, uint8_t group);

/* node_conflict.c: somebody who is neither this node nor its peer used an address of the group. */
void node_take_stranger(struct hbd_node *node, const struct hbd_event *event,
			struct hbd_actions *actions);
void node_conflict_due(struct hbd_node *node, struct hbd_actions *actions);
int64_t node_conflict_deadline_ns(const struct hbd_node *node, uint8_t group);
/* Neither node is known to have used the group's addresses: they may be another's. */
bool node_is_unused(const struct hbd_group *group);
/* So long a stranger keeps this node from claiming, by what was seen of it yet; and while it does. */
int64_t node_stranger_until_ns(const struct hbd_node *node, uint8_t group);
bool node_stranger_holds(const struct hbd_node *node, uint8_t group);
/* False while a first use has to wait for the LAN's answer, or because of it. */
bool node_may_use(const struct hbd_node *node, uint8_t group);

/* node_witness.c */
void node_take_witness(struct hbd_node *node, const struct hbd_event *event,
		       struct hbd_actions *actions);
void node_witness_due(struct hbd_node *node, struct hbd_actions *actions);
int64_t node_witness_deadline_ns(const struct hbd_node *node);
/* True while an owner needs the peer's vote or the witness's, and may not extend its lease itself. */
bool node_needs_votes(const struct hbd_node *node);

/* Whose vote a claim has besides its own. */
enum node_ballot {
	NODE_BALLOT_NONE,	/* none is needed */
	NODE_BALLOT_GIVEN,	/* the peer's: it let go and cannot claim meanwhile */
	NODE_BALLOT_ASKED,	/* the peer's, which it gives when it hears of the claim */
	NODE_BALLOT_WITNESS,
};
enum node_ballot node_ballot(const struct hbd_node *node, uint8_t group, enum hbd_reason reason);
/* True while a claim for reason has to wait for a vote. */
bool node_lacks_vote(const struct hbd_node *node, uint8_t group, enum hbd_reason reason);
/* The lease of a claim with these votes; without one that is asked for. */
void node_take_lease(struct hbd_node *node, uint8_t group, enum node_ballot ballot);

/* node_group.c: somebody told this epoch of the group; and that of its next claim here. */
void node_see_epoch(struct hbd_group *group, uint64_t epoch);
uint64_t node_next_epoch(const struct hbd_node *node, uint8_t group);

/* node_hold.c: a pause that is about to begin, and one of the peer's */
void node_take_hold(struct hbd_node *node, int64_t term_ns, struct hbd_actions *actions);
void node_judge_hold(struct hbd_node *node, struct hbd_actions *actions, bool ticking);
void node_finish_hold(struct hbd_node *node, struct hbd_actions *actions);
int64_t node_hold_deadline_ns(const struct hbd_node *node);
/* It is told, so nothing new is begun; and the peer has not yet taken it in. */
bool node_is_holding(const struct hbd_node *node);
bool node_awaits_hold(const struct hbd_node *node);
void node_take_peer_hold(struct hbd_node *node, const struct hbd_heartbeat *heartbeat,
			 int64_t received_ns);
void node_forget_peer_hold(struct hbd_node *node);

/* node.c: a group as at a start. */
void node_init_group(struct hbd_node *node, uint8_t group, int64_t now_ns);

/* node_maintenance.c */
void node_begin_in_maintenance(struct hbd_node *node);
/* The operator's word may have changed between two processes: the configuration has it. */
void node_resume_maintenance(struct hbd_node *node);
void node_take_maintenance(struct hbd_node *node, bool on, struct hbd_actions *actions);
/* Hands the group over if that is due. */
void node_judge_maintenance(struct hbd_node *node, uint8_t group);
void node_watch_maintenance(struct hbd_node *node, struct hbd_actions *actions);
/* True while this node would claim no group: the peer may rely on it (PROTOCOL.md 6.5). */
bool node_tells_maintenance(const struct hbd_node *node);

/* node_maintenance.c: handed over by this node, and nobody was seen to take it since. */
bool node_is_handing_over(const struct hbd_group *group);

/* node_leave.c */
void node_take_leave(struct hbd_node *node, bool on, int64_t patience_ns,
		     struct hbd_actions *actions);
/* Hands the group over if that is due. */
void node_judge_leave(struct hbd_node *node, uint8_t group);
/* After all else. */
void node_finish_leave(struct hbd_node *node, struct hbd_actions *actions, bool ticking);
int64_t node_leave_deadline_ns(const struct hbd_node *node);

/* node_failback.c */
void node_judge_failback(struct hbd_node *node, uint8_t group, struct hbd_actions *actions);
/* A move that nobody needs is held back; the first one is told. */
bool node_is_damped(struct hbd_node *node, uint8_t group, struct hbd_actions *actions);

/* node_handover.c */
void node_offer(struct hbd_node *node, uint8_t group, enum hbd_reason reason);
/* So long the peer may take to get ready. */
int64_t node_offer_ns(const struct hbd_node *node, uint8_t group);
/* This node does not take what it was offered: what it prepared for that is undone. */
void node_refuse_offer(struct hbd_node *node, uint8_t group, struct hbd_actions *actions);
void node_judge_handover(struct hbd_node *node, uint8_t group, struct hbd_actions *actions,
			 bool ticking);
int64_t node_handover_deadline_ns(const struct hbd_node *node, uint8_t group);
/* The group's role changes to next: what was under way is over. True if a release is owed for it. */
bool node_end_handover(struct hbd_node *node, uint8_t group, enum hbd_role next);
/* node_group.c: what the group's plan did is undone: "release" for each plugin that was called. */
void node_undo(struct hbd_group *group, uint8_t index, struct hbd_actions *actions);
/* "prepare" plugins have done what they could: all of it, or not. */
void node_take_prepared(struct hbd_node *node, uint8_t group, bool good);

/* FORWARD ended, under this id. False if it is another action's. */
bool node_take_forwarding(struct hbd_node *node, uint8_t group, uint64_t id);

/* node_judge.c; when a claim on silence is due, if nothing is heard and nobody answers. */
int64_t node_silence_claim_ns(const struct hbd_node *node, uint8_t group);
/*
 * Two that do not hear each other, and neither of which served, would claim at the same instant: so
 * much later the second choice does, which is time to find the first one on the LAN.
 */
int64_t node_courtesy_ns(const struct hbd_node *node, uint8_t group);
/* Nobody owns the group, and before this node can the peer has to take in what it says now. */
bool node_awaits_word(const struct hbd_node *node, uint8_t group);
/* Somebody owned since this node chose the epoch of its claim: another claim needs another epoch. */
bool node_is_outrun(const struct hbd_group *group);
/* True if this node would serve the group better than its peer, by faults and health. */
bool node_is_fitter(const struct hbd_node *node, uint8_t group);
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
/* Likewise where the peer, which was not heard, may have taken a long lease: until it is heard, or said
 * good-bye, only the end of the longest one makes a claim on silence safe. */
void node_doubt_silence(struct hbd_node *node, struct hbd_group *group);

/* node_watch.c */
void node_watch_peer(struct hbd_node *node, struct hbd_actions *actions);
void node_watch_links(struct hbd_node *node, struct hbd_actions *actions);
void node_tell_rank(struct hbd_node *node, uint8_t group);
void node_set_fault(struct hbd_node *node, uint8_t group, enum hbd_fault fault, bool present,
		    struct hbd_actions *actions);
