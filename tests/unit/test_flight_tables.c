/*
 * Every member of what a recording holds has a row in the tables, or is left out on purpose; no
 * secret has one. Whoever adds a member to one of these structs adds a row to hbd/flight/table_*.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../hbd/flight/tables.h"

/* A part of a struct that no recording holds. */
struct left_out {
	size_t offset, size;
};
#define OUT(what, member) { offsetof(struct what, member), sizeof(((struct what *)0)->member) }
/* Padding behind an array of byte arrays, which gcc 12 does not see. */
#define GAP(what, member, next)								\
	{ offsetof(struct what, member) + sizeof(((struct what *)0)->member),		\
	  offsetof(struct what, next) - offsetof(struct what, member) -			\
	  sizeof(((struct what *)0)->member) }
#define TAIL(what, member)								\
	{ offsetof(struct what, member) + sizeof(((struct what *)0)->member),		\
	  sizeof(struct what) - offsetof(struct what, member) -				\
	  sizeof(((struct what *)0)->member) }
#define OUT_MAX 16

#if defined(__GNUC__) && !defined(__clang__)
#define CLEAR_PADDING(object) __builtin_clear_padding(object)
#define CAN_TELL_PADDING 1
#else
#define CLEAR_PADDING(object) ((void)(object))
#define CAN_TELL_PADDING 0
#endif

static const struct flight_type *find(const char *name)
{
	for (size_t i = 0; flight_all_types[i]; i++)
		if (strcmp(flight_all_types[i]->name, name) == 0)
			return flight_all_types[i];
	fail_msg("there is no type %s", name);
	return NULL;
}

/* bytes: 0xff wherever a member is. */
static void check(const char *name, uint8_t *bytes, size_t size, const struct left_out *out)
{
	const struct flight_type *type = find(name);

	assert_int_equal(type->size, size);
	for (size_t i = 0; i < type->field_count; i++) {
		const struct flight_field *field = &type->fields[i];
		size_t length = field->size * (field->count ? field->count : 1u);

		for (size_t at = 0; at < length; at++)
			if (field->kind != FLIGHT_STRUCT && bytes[field->offset + at] != 0xff)
				fail_msg("%s: byte %zu has two rows, or a row and is left out", name,
					 field->offset + at);
		memset(bytes + field->offset, 0, length);
	}
	for (size_t i = 0; out[i].size; i++)
		memset(bytes + out[i].offset, 0, out[i].size);
	for (size_t at = 0; at < size && CAN_TELL_PADDING; at++)
		if (bytes[at] != 0)
			fail_msg("%s: the member at offset %zu has no row in hbd/flight/table_*.c",
				 name, at);
}

#define CHECK(name, what, ...)								\
	do {										\
		const struct left_out out[OUT_MAX] = { __VA_ARGS__ };			\
		struct what *object = malloc(sizeof(*object));				\
		memset(object, 0xff, sizeof(*object));					\
		CLEAR_PADDING(object);							\
		check(name, (uint8_t *)object, sizeof(*object), out);			\
		free(object);								\
	} while (0)

static void every_member_of_the_configuration_has_a_row(void **state)
{
	(void)state;
	CHECK("profile", hbd_profile, { 0, 0 });
	CHECK("step", hbd_step_config, { 0, 0 });
	CHECK("group_config", hbd_group_config, { 0, 0 });
	/* secret */
	CHECK("key", hbd_key, OUT(hbd_key, bytes));
	CHECK("config", hbd_node_config, OUT(hbd_node_config, seed),
	      GAP(hbd_node_config, keys, groups), TAIL(hbd_node_config, maintenance));
}

static void every_member_of_the_session_has_a_row(void **state)
{
	(void)state;
	/* secret; what keeps out replays */
	CHECK("channel", hbd_channel, OUT(hbd_channel, tx), OUT(hbd_channel, rx),
	      OUT(hbd_channel, rx_window));
	/* of the configuration; of handshakes */
	CHECK("session", hbd_session, OUT(hbd_session, self), OUT(hbd_session, link_count),
	      OUT(hbd_session, key_count), OUT(hbd_session, cluster_id), OUT(hbd_session, keys),
	      OUT(hbd_session, seed), OUT(hbd_session, nonce),
	      OUT(hbd_session, proven_nonce), OUT(hbd_session, offer_count),
	      OUT(hbd_session, version_max),
	      OUT(hbd_session, offers), OUT(hbd_session, confirm),
	      GAP(hbd_session, offers, confirm));
}

static void every_member_of_the_node_has_a_row(void **state)
{
	(void)state;
	CHECK("link", hbd_link_state, { 0, 0 });
	CHECK("detector", hbd_detector, OUT(hbd_detector, profile));
	CHECK("pace", hbd_pace, { 0, 0 });
	CHECK("sent", hbd_sent, { 0, 0 });
	CHECK("lease", hbd_lease, { 0, 0 });
	CHECK("handover", hbd_handover, { 0, 0 });
	CHECK("plan", hbd_takeover, OUT(hbd_takeover, step_count), OUT(hbd_takeover, steps));
	CHECK("peer_group", hbd_peer_group, { 0, 0 });
	CHECK("asking", hbd_asking, { 0, 0 });
	CHECK("conflict", hbd_conflict, { 0, 0 });
	CHECK("record", hbd_record, { 0, 0 });
	CHECK("witness", hbd_witness, { 0, 0 });
	CHECK("maintenance", hbd_maintenance, { 0, 0 });
	CHECK("hold", hbd_hold, { 0, 0 });
	CHECK("leave", hbd_leave, { 0, 0 });
	CHECK("damping", hbd_damping, { 0, 0 });
	CHECK("failback", hbd_failback, { 0, 0 });
	CHECK("group", hbd_group, { 0, 0 });
	CHECK("node", hbd_node, OUT(hbd_node, config));
	CHECK("verdict", hbd_verdict, { 0, 0 });
}

static void every_type_was_looked_at(void **state)
{
	size_t count = 0;

	(void)state;
	while (flight_all_types[count])
		count++;
	/* one more: add it above */
	assert_int_equal(count, 27);
}

static void every_event_and_action_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 1; i < HBD_EVENT_TYPE_COUNT; i++) {
		assert_non_null(flight_event_types[i].name);
		for (size_t other = 1; other < i; other++)
			assert_string_not_equal(flight_event_types[i].name,
						flight_event_types[other].name);
	}
	for (size_t i = 1; i < HBD_ACTION_TYPE_COUNT; i++)
		assert_non_null(flight_action_types[i].name);
}

static void every_word_of_every_enum_is_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; flight_all_words[i]; i++) {
		const struct flight_words *words = flight_all_words[i];

		for (unsigned value = 0; value < words->count; value++) {
			assert_non_null(words->text(value));
			for (unsigned other = 0; other < value; other++)
				assert_string_not_equal(words->text(value), words->text(other));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_of_the_configuration_has_a_row),
		cmocka_unit_test(every_member_of_the_session_has_a_row),
		cmocka_unit_test(every_member_of_the_node_has_a_row),
		cmocka_unit_test(every_type_was_looked_at),
		cmocka_unit_test(every_event_and_action_has_a_name_of_its_own),
		cmocka_unit_test(every_word_of_every_enum_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
