#include "detector.h"

#include <assert.h>

#include "time.h"

#define BITMAP_BITS 32
#define SKIPPED (1u << 16)	/* so many are not lost but left out (PROTOCOL.md 6.6) */
#define LOSSY_PERMILLE 50	/* more than one lost of the last 32 */
#define IN_FLIGHT 4		/* own heartbeats the peer may not have answered yet */
#define RTT_WEIGHT 8		/* RFC 6298's smoothing: one eighth of each new sample */

void hbd_detector_init(struct hbd_detector *detector, const struct hbd_profile *profile,
		       int64_t now_ns)
{
	*detector = (struct hbd_detector){
		.profile = profile,
		.last_rx_ns = now_ns,
		.evidence_from_ns = now_ns,
	};
}

static uint16_t loss_permille(uint32_t bitmap, uint64_t newest)
{
	int expected = newest < BITMAP_BITS ? (int)newest : BITMAP_BITS;
	uint32_t sent = newest < BITMAP_BITS ? ((uint32_t)1 << newest) - 1 : UINT32_MAX;
	int seen = __builtin_popcount(bitmap & sent);

	/* the bitmap is the peer's word: it may claim more than was sent */
	if (seen >= expected)
		return 0;
	return (uint16_t)((expected - seen) * 1000 / expected);
}

/* What was sent before anybody listened, or was left out, is not lost. */
static void note_arrival(struct hbd_link_state *link, uint64_t hb_seq)
{
	if (hb_seq > link->rx_newest) {
		uint64_t ahead = hb_seq - link->rx_newest;
		bool follows = link->rx_counts && ahead < SKIPPED;

		link->rx_bitmap = ahead < BITMAP_BITS ? link->rx_bitmap << ahead : 0;
		link->rx_bitmap |= follows ? 1 : UINT32_MAX;
		link->rx_newest = hb_seq;
		link->rx_counts = true;
	} else if (link->rx_newest - hb_seq < BITMAP_BITS) {
		link->rx_bitmap |= (uint32_t)1 << (link->rx_newest - hb_seq);
	}
	link->rx_loss_permille = loss_permille(link->rx_bitmap, link->rx_newest);
}

/* The round trip is what lies between our sending and this reception, less the peer's hold. */
static void note_round_trip(struct hbd_link_state *link, const struct hbd_heartbeat *heartbeat,
			    int64_t received_ns)
{
	if (heartbeat->echo_tx_time_us == 0 || heartbeat->echo_hold_us == UINT32_MAX ||
	    heartbeat->echo_tx_time_us > (uint64_t)(received_ns / HBD_US_NS))
		return;

	int64_t sent_ns = (int64_t)heartbeat->echo_tx_time_us * HBD_US_NS;
	int64_t sample_ns = received_ns - sent_ns - (int64_t)heartbeat->echo_hold_us * HBD_US_NS;

	/* both clocks are rounded to microseconds, so a very short trip may come out negative */
	sample_ns = hbd_time_max(sample_ns, 1);
	if (link->rtt_ns == 0)
		link->rtt_ns = sample_ns;
	else
		link->rtt_ns += (sample_ns - link->rtt_ns) / RTT_WEIGHT;
}

static void note_gap(int64_t last_ns, int64_t received_ns, int64_t *max_gap_ns)
{
	if (last_ns > 0 && received_ns - last_ns > *max_gap_ns)
		*max_gap_ns = received_ns - last_ns;
}

/*
 * What the peer received of ours on this link. Its bitmap ends with the newest it saw; what we
 * sent since is lost too, less a few that may be on their way, and what nobody was there to receive.
 */
static uint16_t transmit_loss_permille(const struct hbd_detector *detector,
				       const struct hbd_heartbeat *heartbeat, uint64_t own_hb_seq)
{
	bool begins = heartbeat->rx_newest <= detector->own_from;
	uint64_t newest = begins ? detector->own_from : heartbeat->rx_newest;
	uint32_t bitmap = begins ? UINT32_MAX : heartbeat->rx_bitmap;

	if (own_hb_seq < IN_FLIGHT || newest > own_hb_seq)
		return 0;

	uint64_t behind = own_hb_seq - newest;

	if (behind >= BITMAP_BITS)
		return 1000;
	if (behind <= IN_FLIGHT)
		return loss_permille(bitmap, newest);
	return loss_permille(bitmap << (behind - IN_FLIGHT), own_hb_seq);
}

void hbd_detector_alive(struct hbd_detector *detector, int64_t received_ns)
{
	detector->last_rx_ns = hbd_time_max(detector->last_rx_ns, received_ns);
	detector->heard = true;
	detector->gone = false;
	detector->died = false;
}

/* Over all links; 0 = none. */
static uint64_t newest_heard(const struct hbd_detector *detector)
{
	uint64_t newest = 0;

	for (int i = 0; i < HBD_LINKS_MAX; i++)
		if (detector->links[i].rx_newest > newest)
			newest = detector->links[i].rx_newest;
	return newest;
}

void hbd_detector_heard(struct hbd_detector *detector, uint8_t link,
			const struct hbd_heartbeat *heartbeat, uint64_t own_hb_seq,
			int64_t received_ns)
{
	struct hbd_link_state *state = &detector->links[link];
	uint64_t newest = newest_heard(detector);
	/*
	 * What another link brought before, or is older than that, does not tell that the peer is there
	 * now: a slow link must not make it live longer.
	 */
	bool news = heartbeat->hb_seq > newest;

	/* another process of the peer goes on; the one before heard nothing in its last moments */
	if (news && heartbeat->hb_seq - newest >= SKIPPED)
		detector->own_from = own_hb_seq;
	if (news && detector->heard)
		note_gap(detector->last_rx_ns, received_ns, &detector->max_gap_ns);
	note_gap(state->last_rx_ns, received_ns, &state->max_gap_ns);
	note_arrival(state, heartbeat->hb_seq);
	note_round_trip(state, heartbeat, received_ns);
	state->tx_loss_permille = transmit_loss_permille(detector, heartbeat, own_hb_seq);
	if (received_ns >= state->last_rx_ns)
		state->peer_tx_time_us = heartbeat->tx_time_us;
	state->last_rx_ns = hbd_time_max(state->last_rx_ns, received_ns);
	state->packets++;
	if (news)
		hbd_detector_alive(detector, received_ns);
}

void hbd_detector_new_session(struct hbd_detector *detector, uint64_t own_hb_seq)
{
	for (int i = 0; i < HBD_LINKS_MAX; i++) {
		struct hbd_link_state *link = &detector->links[i];

		link->last_rx_ns = 0;
		link->rx_newest = 0;
		link->rx_bitmap = 0;
		link->rx_counts = false;
		link->rtt_ns = 0;
		link->rx_loss_permille = 0;
		link->tx_loss_permille = 0;
		link->max_gap_ns = 0;
	}
	detector->heard = false;
	detector->max_gap_ns = 0;
	detector->own_from = own_hb_seq;
}

void hbd_detector_resumed(struct hbd_detector *detector, uint64_t own_hb_seq)
{
	for (int i = 0; i < HBD_LINKS_MAX; i++) {
		detector->links[i].rx_counts = false;
		detector->links[i].rx_loss_permille = 0;
		detector->links[i].tx_loss_permille = 0;
	}
	detector->own_from = own_hb_seq;
}

void hbd_detector_gone(struct hbd_detector *detector, bool died, int64_t received_ns)
{
	detector->gone = true;
	detector->died = died;
	detector->gone_ns = received_ns;
}

/*
 * A short stall hides as much as it lasted, and a tick more for the probes that were not sent. A
 * long one hides everything: the silence period starts again.
 */
void hbd_detector_stalled(struct hbd_detector *detector, int64_t late_ns, int64_t now_ns)
{
	const struct hbd_profile *profile = detector->profile;

	assert(late_ns > 0);
	detector->stalls++;
	detector->longest_stall_ns = hbd_time_max(detector->longest_stall_ns, late_ns);

	int64_t silence_ns = now_ns - hbd_time_max(detector->last_rx_ns,
						     detector->evidence_from_ns);
	int64_t hidden_ns = late_ns + profile->interval_ns / 2;
	int64_t from_ns = late_ns >= profile->suspect_ns || hidden_ns > silence_ns ?
			  now_ns : now_ns - silence_ns + hidden_ns;

	detector->evidence_from_ns = hbd_time_max(detector->evidence_from_ns, from_ns);
}

/* The instant from which silence counts. */
static int64_t silent_since_ns(const struct hbd_detector *detector)
{
	return hbd_time_max(detector->last_rx_ns, detector->evidence_from_ns);
}

int64_t hbd_detector_suspect_at_ns(const struct hbd_detector *detector)
{
	return hbd_time_add(silent_since_ns(detector), detector->profile->suspect_ns);
}

int64_t hbd_detector_silent_at_ns(const struct hbd_detector *detector)
{
	return hbd_time_add(silent_since_ns(detector), detector->profile->grant_ns);
}

enum hbd_peer_state hbd_detector_state(const struct hbd_detector *detector, int64_t now_ns)
{
	if (detector->gone)
		return detector->died ? HBD_PEER_DIED : HBD_PEER_STOPPED;
	if (!detector->heard)
		return HBD_PEER_UNKNOWN;
	if (now_ns >= hbd_detector_silent_at_ns(detector))
		return HBD_PEER_SILENT;
	if (now_ns >= hbd_detector_suspect_at_ns(detector))
		return HBD_PEER_SUSPICIOUS;
	return HBD_PEER_ALIVE;
}

enum hbd_link_verdict hbd_detector_link(const struct hbd_detector *detector, uint8_t link,
					bool usable, int64_t now_ns)
{
	const struct hbd_link_state *state = &detector->links[link];
	int64_t since_ns = hbd_time_max(state->last_rx_ns, detector->evidence_from_ns);
	/* a lost packet or two is loss, not death; a dead link is one that misses many in a row */
	int64_t dead_ns = hbd_time_max(10 * detector->profile->interval_ns,
				       2 * detector->profile->grant_ns);

	if (!usable)
		return HBD_LINK_UNUSABLE;
	if (state->last_rx_ns == 0 || now_ns - since_ns >= dead_ns)
		return HBD_LINK_RX_DEAD;
	if (state->tx_loss_permille == 1000)
		return HBD_LINK_TX_DEAD;
	if (state->rx_loss_permille > LOSSY_PERMILLE || state->tx_loss_permille > LOSSY_PERMILLE)
		return HBD_LINK_LOSSY;
	return HBD_LINK_UP;
}

const char *hbd_link_verdict_text(enum hbd_link_verdict verdict)
{
	switch (verdict) {
	case HBD_LINK_UNSET:
		break;
	case HBD_LINK_UP:
		return "up";
	case HBD_LINK_LOSSY:
		return "lossy";
	case HBD_LINK_RX_DEAD:
		return "receive-dead";
	case HBD_LINK_TX_DEAD:
		return "transmit-dead";
	case HBD_LINK_UNUSABLE:
		return "unusable";
	}
	return "unknown";
}
