/*
 * Any stream of events into one core, whose peer holds the key and says anything, whose witness
 * answers or not, and whose plugins end when and how they like: no assertion fails, it asks for
 * nothing that it may not (oracle.h), and it always lets go when it is told to stop.
 *
 * A byte for the kind of pair, then rows of ten: what happens, how long after the row before (mantissa,
 * exponent, a bit for not at all), and details. In most rows the node and its peer live on for a while.
 * As in the loop (PROTOCOL.md 9) a turn ends with a TICK, and one that comes late begins with saying so.
 */
#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "../../hbd/core/time.h"
#include "insider.h"
#include "keeper.h"
#include "oracle.h"
#include "rows.h"
#include "states.h"

#define HEAD_BYTES 1
#define ROW_BYTES 10
#define TICKS 1024		/* of a row's times, to an interval */
#define TOLERANCE 4		/* a turn is late by more than such a part of an interval */
#define EXPONENTS 18
#define ROWS_MAX 100
#define IDS_MAX 64
#define MAIL_MAX 8
#define LIVES_MAX 64		/* turns in a row */
#define STOP_ROUNDS 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

ROWS_MUTATOR(HEAD_BYTES, ROW_BYTES)

enum deed {
	LIVE,				/* turns, in which all answer that are not told to be silent */
	STALLED, LINK, UNREACHABLE, FAULT, HEALTH, MISSING, STATION, ANSWER, GATEWAY, FENCE, DRAINED,
	SWITCHOVER, DONE,
	WITNESS, WITNESS_TAKEN,		/* it answers; somebody else writes */
	SAY, LATE, LEAVE, OFFER, RESTART,	/* the peer */
	DEEDS
};

/* Who does not answer in a turn. */
#define MUTE_PEER 0x01
#define MUTE_PLUGINS 0x02
#define MUTE_WITNESS 0x04
#define PEER_GRANTS 0x08	/* it answers with a grant, whatever it was told to say */
#define PEER_DEAF 0x10		/* nothing that the node sends arrives */

struct mail {
	uint8_t link;
	size_t length;
	uint8_t bytes[HBD_PACKET_BYTES_MAX];
};

struct fuzzed {
	struct hbd_node_config config;
	struct hbd_node node;
	struct hbd_actions actions;
	struct oracle oracle;
	struct insider insider;
	int64_t now_ns;
	uint64_t ids[IDS_MAX];		/* of what was asked for, newest last; slots go round */
	size_t id_count;
	size_t done_count;
	struct keeper keeper;
	bool deaf;
	struct mail mail[MAIL_MAX];	/* what the peer said and nobody has delivered */
	size_t mail_count;
};

static bool is_over(const struct fuzzed *fuzzed)
{
	return fuzzed->oracle.stopped || fuzzed->oracle.reborn;
}

static void configure(struct hbd_node_config *config, uint8_t kind)
{
	config->self = kind & 1;
	config->cluster_id = 7;
	config->config_digest = 1;
	config->profile = hbd_profile_get(kind & 2 ? HBD_PROFILE_FAST : HBD_PROFILE_LAN);
	config->link_count = 2;
	config->group_count = INSIDER_GROUPS;
	config->key_count = 1;
	config->keys[0].id = 1;
	config->seed[0] = 1;
	config->epoch_floor = 1000;
	config->fence = HBD_FENCE_KERNEL;
	config->witness = kind & 4;
	config->serve_without = kind & 8;
	for (uint8_t i = 0; i < INSIDER_GROUPS; i++) {
		config->groups[i].id = 100u + i;
		config->groups[i].prefer = i;
		config->groups[i].retry_ns = HBD_S_NS;
		config->groups[i].gateway = i == 0 && (kind & 16);
		config->groups[i].drain_ns = kind & 32 ? HBD_S_NS : 0;
		config->groups[i].failback_ns = i == 1 ? HBD_S_NS : 0;
		config->groups[i].step_count = 2;
		config->groups[i].steps[0] = (struct hbd_step_config){
			HBD_ORDER_BEFORE, HBD_ON_FAILURE_ABORT, HBD_S_NS, kind & 64 };
		config->groups[i].steps[1] = (struct hbd_step_config){
			HBD_ORDER_AFTER, HBD_ON_FAILURE_CONTINUE, HBD_S_NS, false };
	}
}

/* ---- steps ------------------------------------------------------------------------------------- */

static void step(struct fuzzed *fuzzed, const struct hbd_event *event);

static void deliver(struct fuzzed *fuzzed, uint8_t link, const uint8_t *bytes, size_t length)
{
	struct hbd_event event = {
		.type = HBD_EVENT_PACKET,
		.link = link,
		.packet = { bytes, length, fuzzed->now_ns },
	};

	if (length > 0)
		step(fuzzed, &event);
}

static void note(struct fuzzed *fuzzed, const struct hbd_action *action)
{
	if (action->type == HBD_ACTION_WITNESS) {
		keeper_ask(&fuzzed->keeper, action, fuzzed->now_ns);
	} else if (action->id != 0 && action->type != HBD_ACTION_CANCEL) {
		fuzzed->ids[fuzzed->id_count++ % IDS_MAX] = action->id;
	}
}

/* What the peer answers is its part of the handshake only, so this ends. */
static void step(struct fuzzed *fuzzed, const struct hbd_event *event)
{
	struct hbd_actions actions;

	if (is_over(fuzzed))
		return;
	oracle_told(&fuzzed->oracle, event, fuzzed->now_ns);
	hbd_node_step(&fuzzed->node, event, fuzzed->now_ns, &fuzzed->actions);
	if (event->type == HBD_EVENT_PACKET)
		oracle_heard(&fuzzed->oracle, &fuzzed->actions.verdict, event);
	oracle_look(&fuzzed->oracle, &fuzzed->node, event, &fuzzed->actions, fuzzed->now_ns);
	for (uint8_t i = 0; i < INSIDER_GROUPS; i++)
		states_note(states_mix_group(STATES_BEGIN, &fuzzed->node, i));
	actions = fuzzed->actions;
	for (size_t i = 0; i < actions.count; i++) {
		const struct hbd_action *action = &actions.items[i];
		uint8_t bytes[HBD_PACKET_BYTES_MAX];

		note(fuzzed, action);
		if (action->type == HBD_ACTION_SEND && !fuzzed->deaf)
			deliver(fuzzed, action->link, bytes,
				insider_hear(&fuzzed->insider, action->link,
					     &actions.packets[action->packet], bytes));
	}
}

static void tick(struct fuzzed *fuzzed)
{
	step(fuzzed, &(struct hbd_event){ .type = HBD_EVENT_TICK });
}

/* The turn is over; the next one begins then. */
static void wait(struct fuzzed *fuzzed, int64_t until_ns)
{
	struct hbd_event event = { .type = HBD_EVENT_STALLED };

	if (until_ns <= fuzzed->now_ns)
		return;
	if (fuzzed->node.ticked_ns < fuzzed->now_ns)
		tick(fuzzed);
	fuzzed->now_ns = until_ns;
	event.stalled.late_ns = until_ns - hbd_node_deadline_ns(&fuzzed->node);
	if (event.stalled.late_ns > fuzzed->config.profile.interval_ns / TOLERANCE)
		step(fuzzed, &event);
}

static void finish(struct fuzzed *fuzzed, uint64_t id, int result)
{
	step(fuzzed, &(struct hbd_event){ .type = HBD_EVENT_DONE, .done = { id, result } });
}

static void finish_all(struct fuzzed *fuzzed)
{
	size_t until = fuzzed->id_count;	/* what they bring about comes later */

	if (fuzzed->done_count + IDS_MAX < until)
		fuzzed->done_count = until - IDS_MAX;
	while (fuzzed->done_count < until)
		finish(fuzzed, fuzzed->ids[fuzzed->done_count++ % IDS_MAX], 0);
}

/* ---- the witness ------------------------------------------------------------------------------- */

/* Answered or not, written or not, in any combination. */
static void answer(struct fuzzed *fuzzed, uint8_t group, uint8_t how)
{
	struct keeper *keeper = &fuzzed->keeper;
	bool written = (how & KEEPER_WRITES) && keeper_write(keeper, group);
	struct hbd_event event;

	if (written)
		oracle_written(&fuzzed->oracle, &keeper->requests[group],
			       keeper->request_ns[group]);
	if ((how & KEEPER_ANSWERS) &&
	    keeper_answer(keeper, group, written, how & KEEPER_TELLS, &event))
		step(fuzzed, &event);
}

/* The peer has the record now, or nobody. */
static void seize(struct fuzzed *fuzzed, uint8_t group, uint8_t how)
{
	keeper_seize(&fuzzed->keeper, group, how & 1 ? fuzzed->insider.self : HBD_NO_HOLDER,
		     fuzzed->node.groups[group].epoch + (how >> 1 & 3));
}

/* ---- the peer ---------------------------------------------------------------------------------- */

static void keep_mail(struct fuzzed *fuzzed, uint8_t link, uint8_t flags)
{
	struct mail *mail = &fuzzed->mail[fuzzed->mail_count % MAIL_MAX];

	mail->link = link;
	mail->length = insider_say(&fuzzed->insider, link, flags, fuzzed->now_ns, mail->bytes);
	fuzzed->mail_count++;
}

static void say(struct fuzzed *fuzzed, uint8_t flags)
{
	uint8_t bytes[HBD_PACKET_BYTES_MAX];

	deliver(fuzzed, 0, bytes,
		insider_say(&fuzzed->insider, 0, flags, fuzzed->now_ns, bytes));
}

static void leave(struct fuzzed *fuzzed, bool will)
{
	uint8_t bytes[HBD_PACKET_BYTES_MAX];

	deliver(fuzzed, 0, bytes, insider_leave(&fuzzed->insider, 0, will, bytes));
}

static void offer(struct fuzzed *fuzzed)
{
	uint8_t bytes[HBD_PACKET_BYTES_MAX];

	deliver(fuzzed, 0, bytes, insider_offer(&fuzzed->insider, 0, bytes));
}

/* ---- rows -------------------------------------------------------------------------------------- */

static void live(struct fuzzed *fuzzed, uint8_t mute)
{
	int64_t latest_ns = fuzzed->now_ns + fuzzed->config.profile.interval_ns;
	struct insider_word *word = &fuzzed->insider.word;

	fuzzed->deaf = mute & PEER_DEAF;
	wait(fuzzed, hbd_time_min(latest_ns, hbd_node_deadline_ns(&fuzzed->node)));
	if (mute & PEER_GRANTS)
		word->flags |= HBD_GROUP_GRANTS;
	if (!(mute & MUTE_PEER))
		say(fuzzed, HBD_FLAG_REPLY);
	tick(fuzzed);
	if (!(mute & MUTE_PLUGINS))
		finish_all(fuzzed);
	for (uint8_t i = 0; i < INSIDER_GROUPS && !(mute & MUTE_WITNESS); i++)
		answer(fuzzed, i, KEEPER_WORKS);
}

static void happen(struct fuzzed *fuzzed, enum hbd_event_type type, const uint8_t *detail)
{
	struct hbd_event event = {
		.type = type,
		.link = detail[0] & 1,
		.group = detail[0] >> 1 & 1,
	};

	if (type == HBD_EVENT_MISSING && (detail[1] & 1))
		event.type = HBD_EVENT_RESTORED;
	else if (type == HBD_EVENT_STALLED)
		event.stalled.late_ns = 1 + (((int64_t)detail[1] << detail[2] % 24) * HBD_US_NS);
	else if (type == HBD_EVENT_LINK)
		event.link_state.usable = detail[1] & 1;
	else if (type == HBD_EVENT_HEALTH)
		event.health.health = (uint16_t)(detail[1] * 3);
	else if (type == HBD_EVENT_FENCE)
		event.fence = (uint8_t)(detail[1] % 3);
	else if (type == HBD_EVENT_STATION || type == HBD_EVENT_ANSWER)
		memcpy(event.station, (uint8_t[]){ 2, 0, 0, 0, 0, detail[1] % 3 },
		       HBD_STATION_BYTES);
	if (type == HBD_EVENT_FAULT) {
		static const enum hbd_fault told[] = {
			HBD_FAULT_CHECK, HBD_FAULT_INTERFACE, HBD_FAULT_PARTLY, HBD_FAULT_REFUSED,
		};

		event.fault.fault = told[(detail[1] & 1) | (detail[1] >> 1 & 2)];
		event.fault.present = detail[1] & 2;
	}
	/* of what an operator may ask for this has no row kind of its own: seeds stay what they are */
	if (type == HBD_EVENT_SWITCHOVER && (detail[1] & 0x80)) {
		event.type = HBD_EVENT_MAINTENANCE;
		event.maintenance = detail[1] & 0x40;
	}
	step(fuzzed, &event);
}

static void act(struct fuzzed *fuzzed, enum deed deed, const uint8_t *detail)
{
	static const enum hbd_event_type types[] = {
		[STALLED] = HBD_EVENT_STALLED, [LINK] = HBD_EVENT_LINK,
		[UNREACHABLE] = HBD_EVENT_UNREACHABLE, [FAULT] = HBD_EVENT_FAULT,
		[HEALTH] = HBD_EVENT_HEALTH, [MISSING] = HBD_EVENT_MISSING,
		[STATION] = HBD_EVENT_STATION, [ANSWER] = HBD_EVENT_ANSWER,
		[GATEWAY] = HBD_EVENT_GATEWAY, [FENCE] = HBD_EVENT_FENCE,
		[DRAINED] = HBD_EVENT_DRAINED, [SWITCHOVER] = HBD_EVENT_SWITCHOVER,
	};
	const struct mail *mail = &fuzzed->mail[detail[0] % MAIL_MAX];

	switch (deed) {
	case LIVE:
		for (int i = detail[0] % LIVES_MAX; i >= 0 && !is_over(fuzzed); i--)
			live(fuzzed, detail[1]);
		break;
	case DONE:
		finish(fuzzed, fuzzed->ids[detail[0] % IDS_MAX],
		       detail[1] & 1 ? -EIO : detail[1] & 2 ? -EAGAIN : 0);
		break;
	case WITNESS:
		answer(fuzzed, detail[0] & 1, detail[1]);
		break;
	case WITNESS_TAKEN:
		seize(fuzzed, detail[0] & 1, detail[1]);
		break;
	case SAY:
		insider_choose(&fuzzed->insider, &fuzzed->node, detail);
		if (detail[3] & 0x10)
			keep_mail(fuzzed, detail[3] >> 3 & 1, 0);
		else
			say(fuzzed, detail[3] & 0x08 ? HBD_FLAG_PROBE : 0);
		break;
	case LATE:
		deliver(fuzzed, mail->link, mail->bytes, mail->length);
		break;
	case LEAVE:
		leave(fuzzed, detail[0] & 1);
		break;
	case OFFER:
		offer(fuzzed);
		break;
	case RESTART:
		insider_start(&fuzzed->insider, &fuzzed->config);
		break;
	case STALLED: case LINK: case UNREACHABLE: case FAULT: case HEALTH: case MISSING:
	case STATION: case ANSWER: case GATEWAY: case FENCE: case DRAINED: case SWITCHOVER:
		happen(fuzzed, types[deed], detail);
		break;
	case DEEDS:
		break;
	}
}

static void play(struct fuzzed *fuzzed, const uint8_t *row)
{
	int64_t tick_ns = fuzzed->config.profile.interval_ns / TICKS;

	if (row[3] & 1)
		wait(fuzzed, fuzzed->now_ns + (tick_ns * row[1] << row[2] % EXPONENTS));
	act(fuzzed, (enum deed)(row[0] % DEEDS), row + 4);
}

/* Every result comes in time, and it stops. */
static void stop(struct fuzzed *fuzzed)
{
	step(fuzzed, &(struct hbd_event){ .type = HBD_EVENT_STOP });
	for (int round = 0; round < STOP_ROUNDS && !is_over(fuzzed); round++)
		live(fuzzed, MUTE_PEER);
	assert(is_over(fuzzed));
	if (fuzzed->oracle.stopped)
		oracle_stopped(&fuzzed->oracle);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzzed fuzzed;

	assert(sodium_init() >= 0);
	if (size < HEAD_BYTES || size > HEAD_BYTES + ROWS_MAX * ROW_BYTES)
		return -1;
	memset(&fuzzed, 0, sizeof(fuzzed));
	fuzzed.now_ns = HBD_S_NS;
	configure(&fuzzed.config, data[0]);
	oracle_start(&fuzzed.oracle, &fuzzed.config, fuzzed.now_ns);
	insider_start(&fuzzed.insider, &fuzzed.config);
	hbd_node_init(&fuzzed.node, &fuzzed.config, fuzzed.now_ns);
	insider_choose(&fuzzed.insider, &fuzzed.node,
		       (uint8_t[INSIDER_CHOICE_BYTES]){ 0x11, 0, 1, HBD_FENCE_KERNEL, 0, 0 });
	for (size_t at = HEAD_BYTES; at + ROW_BYTES <= size && !is_over(&fuzzed); at += ROW_BYTES)
		play(&fuzzed, data + at);
	if (!is_over(&fuzzed))
		stop(&fuzzed);
	return 0;
}
