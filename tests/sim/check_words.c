/*
 * S3, S6, S8: what the nodes say to each other and claim on the strength of it. Packets are read here
 * by PROTOCOL.md sections 2 and 5, not by hbd's own reader.
 */
#include "checker.h"

#include <string.h>

#define AT_TYPE 5
#define AT_SENDER_SESSION 16
#define AT_RECEIVER_SESSION 24
#define AT_HB_SEQ 40
#define AT_TERM_US 92
#define AT_GROUPS 112
#define GROUP_BYTES 32
#define AT_GROUP_ROLE 8
#define AT_GROUP_FLAGS 9
#define AT_GROUP_EPOCH 24
#define TAG_BYTES 16

static uint64_t number(const uint8_t *bytes, int count)
{
	uint64_t value = 0;

	for (int i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

static const uint8_t *group_at(const uint8_t *bytes, size_t length, uint8_t group)
{
	size_t at = AT_GROUPS + (size_t)group * GROUP_BYTES;

	return at + GROUP_BYTES + TAG_BYTES <= length ? bytes + at : NULL;
}

static bool occupies(unsigned role)
{
	return role == HBD_ROLE_CLAIMING || role == HBD_ROLE_PRIMARY ||
	       role == HBD_ROLE_RELEASING;
}

static void note_epoch(struct checker *checker, const struct world_flight *flight, uint8_t group)
{
	struct checker_share *share = &checker->groups[group].shares[flight->to];
	const uint8_t *entry = group_at(flight->bytes, flight->length, group);

	if (entry != NULL && number(entry + AT_GROUP_EPOCH, 8) > share->heard_epoch)
		share->heard_epoch = number(entry + AT_GROUP_EPOCH, 8);
}

/* What was taken in of an owner binds whoever took it in. */
static void note_promise(struct checker *checker, const struct world_flight *flight,
			 int64_t received_ns, uint8_t group)
{
	struct checker_share *share = &checker->groups[group].shares[flight->to];
	const uint8_t *entry = group_at(flight->bytes, flight->length, group);
	int64_t term_ns = (int64_t)number(flight->bytes + AT_TERM_US, 4) * HBD_US_NS;
	int64_t lasts_ns = hbd_time_max(checker->profile.grant_ns, hbd_profile_promise_ns(term_ns));

	if (entry == NULL)
		return;
	share->promised_until_ns = occupies(entry[AT_GROUP_ROLE]) ? received_ns + lasts_ns : 0;
	if (occupies(entry[AT_GROUP_ROLE]))
		share->resigned = false;
}

/* While a session follows another one, packets of both are on their way, and not all can be read. */
static bool is_readable(const struct hbd_session *session, const struct world_flight *flight)
{
	const struct hbd_channel *channels[] = { &session->running, &session->next,
						 &session->previous };

	for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++)
		if (channels[i]->open &&
		    hbd_seal_open(&channels[i]->rx, flight->bytes, flight->length))
			return true;
	return false;
}

void check_words_taken(struct checker *checker, const struct world *world,
		       const struct world_flight *flight, int64_t received_ns)
{
	const struct world_machine *m = &world->machines[flight->to];
	struct checker_node *node = &checker->nodes[flight->to];
	uint64_t seq;

	if (m->lives != node->lives ||
	    (flight->bytes[AT_TYPE] != HBD_PACKET_HEARTBEAT &&
	     flight->bytes[AT_TYPE] != HBD_PACKET_GOODBYE) ||
	    number(flight->bytes + AT_RECEIVER_SESSION, 8) != m->node.session.own_session ||
	    !is_readable(&m->node.session, flight))
		return;
	node->told_ns = hbd_time_max(node->told_ns, flight->sent_ns);
	/* another process: what the one before was promised is free */
	if (number(flight->bytes + AT_SENDER_SESSION, 8) != node->heard_session)
		node->heard_seq = 0;
	node->heard_session = number(flight->bytes + AT_SENDER_SESSION, 8);
	seq = number(flight->bytes + AT_HB_SEQ, 8);
	/* a copy by another link is no sign of life */
	if (seq > node->heard_seq)
		node->heard_ns = hbd_time_max(node->heard_ns,
					      world->now_ns - (world_clock(world, flight->to) -
							       received_ns));
	for (uint8_t i = 0; i < world->group_count; i++)
		note_epoch(checker, flight, i);
	if (flight->bytes[AT_TYPE] == HBD_PACKET_GOODBYE) {
		node->heard_seq = 0;
		for (uint8_t i = 0; i < world->group_count; i++)
			checker->groups[i].shares[flight->to].promised_until_ns = 0;
	} else if (seq > node->heard_seq) {
		node->heard_seq = seq;
		for (uint8_t i = 0; i < world->group_count; i++)
			note_promise(checker, flight, received_ns, i);
	}
}

void check_words_sent(struct checker *checker, const struct world *world, uint8_t machine,
		      const struct hbd_packet *packet)
{
	const struct hbd_node *node = &world->machines[machine].node;
	int64_t quiet_until_ns = node->started_ns + checker->profile.quiet_ns;

	if (packet->bytes[AT_TYPE] != HBD_PACKET_HEARTBEAT)
		return;
	for (uint8_t i = 0; i < world->group_count; i++) {
		const uint8_t *entry = group_at(packet->bytes, packet->length, i);

		if (entry != NULL && (entry[AT_GROUP_FLAGS] & HBD_GROUP_RESIGNED))
			checker->groups[i].shares[machine].resigned = true;
		if (entry == NULL || !(entry[AT_GROUP_FLAGS] & HBD_GROUP_GRANTS))
			continue;
		if (world_clock(world, machine) < quiet_until_ns)
			check_violated(checker, world, CHECK_S6, i, "a grant in restart silence");
		if (occupies(entry[AT_GROUP_ROLE]))
			check_violated(checker, world, CHECK_S6, i, "an owner grants");
	}
}

/* With a witness, which has seen every owner that the peer did not, a claim counts from its lease. */
void check_words_lease(struct checker *checker, const struct world *world, uint8_t machine,
		       const struct hbd_action *action)
{
	struct checker_group *group = &checker->groups[action->group];

	if (!check_is_strict(world) || group->was_paused || checker->nodes[machine].was_paused ||
	    action->lease.until_ns <= world_clock(world, machine))
		return;
	if (action->epoch < group->epoch ||
	    (action->epoch == group->epoch && group->holder != machine))
		check_violated(checker, world, CHECK_S3, action->group, "an epoch was used before");
	group->epoch = action->epoch;
	group->holder = machine;
}

/* Of what is handed over when nobody is there any more to hear it, no word is sent. */
void check_words_changed(struct checker *checker, uint8_t machine, const struct hbd_action *action)
{
	bool hands_over = action->changed.from == HBD_ROLE_PRIMARY &&
			  action->changed.to == HBD_ROLE_RELEASING &&
			  action->reason == HBD_REASON_FAULT;

	if (hands_over)
		checker->groups[action->group].shares[machine].resigned = true;
}

void check_words_claim(struct checker *checker, const struct world *world, uint8_t machine,
		       const struct hbd_action *action)
{
	struct checker_group *group = &checker->groups[action->group];
	struct checker_share *own = &group->shares[machine];
	struct checker_share *other = &group->shares[1 - machine];

	if (action->epoch <= own->epoch || action->epoch <= own->heard_epoch)
		check_violated(checker, world, CHECK_S3, action->group, "an epoch is not new");
	if (action->epoch == other->epoch)
		check_violated(checker, world, CHECK_S3, action->group, "two used one epoch");
	if (world->machines[machine].abstains && !own->resigned)
		check_violated(checker, world, CHECK_S8, action->group, "a claim in maintenance");
	own->epoch = action->epoch;
	group->was_paused = false;
	/* what was promised to a process that another one took the place of is void */
	if (action->reason == HBD_REASON_PEER_SILENT &&
	    world->machines[machine].node.session.running.peer_session ==
		    checker->nodes[machine].heard_session &&
	    world_clock(world, machine) < own->promised_until_ns)
		check_violated(checker, world, CHECK_S6, action->group, "a promise was broken");
}
