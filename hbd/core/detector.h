/*
 * Is the peer alive, late or silent; and how good is each link, in each direction.
 *
 * Any authentic packet on any link is a sign of life, dated by the kernel's receive time. The
 * answer has three values: alive; suspicious (silent for suspect_ns, while probes are out: it
 * takes the loss of heartbeats and of every probe on every link to be wrong); silent (grant_ns).
 * A stall of this node is not evidence: it restarts the silence period.
 *
 * It measures and answers; what follows from silence is the arbiter's to say.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "limits.h"
#include "packet.h"
#include "profile.h"
#include "role.h"

/* One heartbeat path. */
struct hbd_link_state {
	int64_t last_rx_ns;		/* 0 = never */
	uint64_t rx_newest;		/* newest hb_seq of the peer seen here; 0 = none */
	uint32_t rx_bitmap;		/* bit i: rx_newest - i was seen here, or is not missed */
	bool rx_counts;			/* false: nothing before the next one here is missed */
	uint64_t peer_tx_time_us;	/* of the newest packet here */
	int64_t rtt_ns;			/* smoothed; 0 = not yet known */
	uint16_t rx_loss_permille;	/* of the last 32, as seen here */
	uint16_t tx_loss_permille;	/* of the last 32, as the peer reports */
	int64_t max_gap_ns;		/* longest silence since the session began */
	uint64_t packets;		/* authentic ones */
	uint64_t dropped[HBD_DROP_COUNT];
};

enum hbd_link_verdict {
	HBD_LINK_UNSET = 0,
	HBD_LINK_UP,
	HBD_LINK_LOSSY,		/* up, more than 5 % lost in a direction */
	HBD_LINK_RX_DEAD,	/* nothing arrives here */
	HBD_LINK_TX_DEAD,	/* arrives here, but the peer receives nothing of ours */
	HBD_LINK_UNUSABLE,	/* this side has no socket or carrier */
};

struct hbd_detector {
	const struct hbd_profile *profile;
	int64_t last_rx_ns;		/* newest sign of life on any link */
	int64_t evidence_from_ns;	/* silence before this instant does not count */
	bool heard;
	bool gone;			/* GOODBYE was received; until the next sign of life */
	bool died;			/* that GOODBYE was a last will */
	int64_t gone_ns;		/* when that was */
	int64_t max_gap_ns;		/* longest silence over all links since the session began */
	uint32_t stalls;		/* of this node */
	int64_t longest_stall_ns;
	uint64_t own_from;		/* own heartbeats up to this one the peer need not have seen */
	struct hbd_link_state links[HBD_LINKS_MAX];
};

void hbd_detector_init(struct hbd_detector *detector, const struct hbd_profile *profile,
		       int64_t now_ns);

/* The peer proved to be there at received_ns, by whatever it sent. */
void hbd_detector_alive(struct hbd_detector *detector, int64_t received_ns);

/*
 * An authentic heartbeat of the peer came in on link at received_ns, in the present session. It proves
 * that the peer is there if it is newer than what came in before, on any link.
 * own_hb_seq: of the newest heartbeat this node sent, to see what the peer does not receive.
 */
void hbd_detector_heard(struct hbd_detector *detector, uint8_t link,
			const struct hbd_heartbeat *heartbeat, uint64_t own_hb_seq,
			int64_t received_ns);

/*
 * A new peer process: link statistics start over. What either sent before the other listened is no
 * loss: own_hb_seq is of the newest heartbeat this node sent until now.
 */
void hbd_detector_new_session(struct hbd_detector *detector, uint64_t own_hb_seq);

/* A new process of this node goes on: what came in while none listened is no loss, either. */
void hbd_detector_resumed(struct hbd_detector *detector, uint64_t own_hb_seq);

/* The peer ended its session; died: by its guardian. */
void hbd_detector_gone(struct hbd_detector *detector, bool died, int64_t received_ns);

/* This node did not run for late_ns before now_ns. */
void hbd_detector_stalled(struct hbd_detector *detector, int64_t late_ns, int64_t now_ns);

enum hbd_peer_state hbd_detector_state(const struct hbd_detector *detector, int64_t now_ns);

/* Instants at which the answer changes if nothing is heard. */
int64_t hbd_detector_suspect_at_ns(const struct hbd_detector *detector);
int64_t hbd_detector_silent_at_ns(const struct hbd_detector *detector);

enum hbd_link_verdict hbd_detector_link(const struct hbd_detector *detector, uint8_t link,
					bool usable, int64_t now_ns);
const char *hbd_link_verdict_text(enum hbd_link_verdict verdict);
