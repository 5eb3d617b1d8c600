#include "describe.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "../core/time.h"
#include "tables.h"

/* A text of limited room that grows; what does not fit is cut. */
struct text {
	char *bytes;
	size_t room, length;
};

static __attribute__((format(printf, 2, 3))) void say(struct text *text, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(text->bytes + text->length, text->room - text->length, format, arguments);
	va_end(arguments);
	if (n > 0)
		text->length += (size_t)n;
	if (text->length >= text->room)
		text->length = text->room - 1;
}

const char *flight_group_name(const struct flight_scene *scene, unsigned group, char buffer[16])
{
	if (group < scene->facts->group_count)
		return scene->facts->groups[group];
	snprintf(buffer, 16, "group %u", group);
	return buffer;
}

/* "stalled.late_ns" is late_ns to a reader. */
static const char *plain_name(const struct flight_field *field)
{
	const char *dot = strrchr(field->name, '.');

	return dot ? dot + 1 : field->name;
}

static bool is_number(const struct flight_field *field)
{
	return field->kind != FLIGHT_BYTES && field->kind != FLIGHT_STRUCT;
}

static bool is_group(const struct flight_field *field)
{
	return strcmp(field->name, "group") == 0;
}

/* ---- JSON ---------------------------------------------------------------------------------------- */

static json_t *make_hex(const uint8_t *bytes, size_t count)
{
	char hex[2 * 32 + 1] = "";

	for (size_t i = 0; i < count && i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	return json_string(hex);
}

static json_t *make_value(const struct flight_scene *scene, const struct flight_field *field,
			  const uint8_t *element)
{
	uint64_t value = is_number(field) ? flight_load(field, element) : 0;
	char buffer[16];
	json_t *object;

	switch (field->kind) {
	case FLIGHT_UNSIGNED:
		if (is_group(field))
			return value == HBD_GROUPS_MAX
				       ? json_null()
				       : json_string(flight_group_name(scene, (unsigned)value, buffer));
		if (field->limit == 2)
			return json_boolean(value);
		return json_integer((json_int_t)value);
	case FLIGHT_SIGNED:
		return json_integer((json_int_t)value);
	case FLIGHT_INSTANT:
		if (value == HBD_NEVER_NS)
			return json_null();
		return json_real((double)((int64_t)value - scene->end_ns) / (double)HBD_S_NS);
	case FLIGHT_WORD:
		return json_string(field->words->text((unsigned)value));
	case FLIGHT_BYTES:
		return make_hex(element, field->size);
	case FLIGHT_STRUCT:
		object = json_object();
		flight_describe_json(scene, field->type, element, object);
		return object;
	case FLIGHT_KIND_UNSET:
		break;
	}
	return NULL;
}

void flight_describe_json(const struct flight_scene *scene, const struct flight_type *type,
			  const void *object, json_t *into)
{
	for (size_t i = 0; i < type->field_count; i++) {
		const struct flight_field *field = &type->fields[i];

		const char *name = plain_name(field);
		size_t length = strlen(name);

		/* seconds */
		if (field->kind == FLIGHT_INSTANT && length > 3)
			length -= 3;
		json_object_setn_new(into, name, length,
				     make_value(scene, field,
						(const uint8_t *)object + field->offset));
	}
}

/* ---- text ---------------------------------------------------------------------------------------- */

static void say_hex(struct text *text, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		say(text, "%s%02x", i > 0 ? ":" : "", bytes[i]);
}

static void say_instant(struct text *text, const struct flight_scene *scene, int64_t instant_ns)
{
	if (instant_ns == HBD_NEVER_NS)
		say(text, "never");
	else
		say(text, "%+.6f s", (double)(instant_ns - scene->end_ns) / (double)HBD_S_NS);
}

/* A name without its unit, which the value has. */
static void say_name(struct text *text, const struct flight_field *field)
{
	const char *name = plain_name(field);
	size_t length = strlen(name);

	if (length > 3 && strcmp(name + length - 3, "_ns") == 0)
		length -= 3;
	say(text, "%s%.*s ", text->length > 0 ? ", " : "", (int)length, name);
}

static void say_value(struct text *text, const struct flight_scene *scene,
		      const struct flight_field *field, const uint8_t *element)
{
	uint64_t value = is_number(field) ? flight_load(field, element) : 0;
	char buffer[16], inner[160];

	switch (field->kind) {
	case FLIGHT_UNSIGNED:
		if (is_group(field))
			say(text, "%s", flight_group_name(scene, (unsigned)value, buffer));
		else if (field->limit == 2)
			say(text, "%s", value ? "yes" : "no");
		else
			say(text, "%llu", (unsigned long long)value);
		break;
	case FLIGHT_SIGNED:
		if (field->limit == FLIGHT_SPAN_NS_MAX)
			say(text, "%.6f s", (double)(int64_t)value / (double)HBD_S_NS);
		else
			say(text, "%lld", (long long)value);
		break;
	case FLIGHT_INSTANT:
		say_instant(text, scene, (int64_t)value);
		break;
	case FLIGHT_WORD:
		say(text, "%s", field->words->text((unsigned)value));
		break;
	case FLIGHT_BYTES:
		say_hex(text, element, field->size);
		break;
	case FLIGHT_STRUCT:
		flight_describe_text(scene, field->type, element, inner, sizeof(inner));
		say(text, "(%s)", inner);
		break;
	case FLIGHT_KIND_UNSET:
		break;
	}
}

/* What a table begins with says something even if it is 0: the link of a packet. */
static bool is_nothing(const struct flight_field *field, const uint8_t *element, bool first)
{
	if (is_group(field))
		return flight_load(field, element) == HBD_GROUPS_MAX;
	if (field->limit == 2 || first)
		return false;
	for (size_t i = 0; i < field->size; i++)
		if (element[i] != 0)
			return false;
	return true;
}

void flight_describe_text(const struct flight_scene *scene, const struct flight_type *type,
			  const void *object, char *text, size_t room)
{
	struct text words = { .bytes = text, .room = room };

	text[0] = '\0';
	for (size_t i = 0; i < type->field_count; i++) {
		const struct flight_field *field = &type->fields[i];
		const uint8_t *element = (const uint8_t *)object + field->offset;

		if (is_nothing(field, element, i == 0))
			continue;
		say_name(&words, field);
		say_value(&words, scene, field, element);
	}
}

/* ---- packets ------------------------------------------------------------------------------------- */

static const char *group_of_id(const struct flight_scene *scene, uint32_t id, char buffer[16])
{
	for (uint8_t i = 0; i < scene->facts->group_count; i++)
		if (hbd_group_id(scene->facts->groups[i]) == id)
			return scene->facts->groups[i];
	snprintf(buffer, 16, "%08x", id);
	return buffer;
}

static void say_entry(struct text *text, const struct flight_scene *scene,
		      const struct hbd_group_entry *entry)
{
	char buffer[16];

	say(text, "; %s %s epoch %llu%s%s%s%s%s", group_of_id(scene, entry->id, buffer),
	    hbd_role_text((enum hbd_role)entry->role), (unsigned long long)entry->epoch,
	    entry->flags & HBD_GROUP_GRANTS ? ", grants" : "",
	    entry->flags & HBD_GROUP_RESIGNED ? ", resigned" : "",
	    entry->flags & HBD_GROUP_FAULT_HARD ? ", fault" : "",
	    entry->flags & HBD_GROUP_FAULT_SOFT ? ", a check failed or an address is refused" : "",
	    entry->flags & HBD_GROUP_HELD_BACK ? ", held back" : "");
}

static void say_heartbeat(struct text *text, const struct flight_scene *scene,
			  const struct hbd_received *received)
{
	const struct hbd_heartbeat *heartbeat = &received->heartbeat;

	if (received->header.type == HBD_PACKET_GOODBYE)
		say(text, "good-bye%s",
		    received->header.flags & HBD_FLAG_WILL ? ", the last will of a dead engine" : "");
	else
		say(text, "heartbeat %llu, grants %llu%s%s", (unsigned long long)heartbeat->hb_seq,
		    (unsigned long long)heartbeat->granted_hb_seq,
		    received->header.flags & HBD_FLAG_PROBE ? ", a probe" : "",
		    received->header.flags & HBD_FLAG_REPLY ? ", a reply" : "");
	for (uint16_t i = 0; i < heartbeat->group_count; i++)
		say_entry(text, scene, &heartbeat->groups[i]);
}

void flight_describe_packet(const struct flight_scene *scene, const struct flight_step *step,
			    char *text, size_t room)
{
	struct text words = { .bytes = text, .room = room };
	const struct hbd_verdict *verdict = &step->received.verdict;

	text[0] = '\0';
	say(&words, "link %u: ", step->event.link);
	if (verdict->receipt == HBD_RECEIPT_DROPPED)
		say(&words, "dropped: %s", hbd_drop_text(verdict->drop));
	else if (verdict->receipt == HBD_RECEIPT_HEARTBEAT)
		say_heartbeat(&words, scene, &step->received);
	else
		say(&words, "handshake: %s",
		    flight_verdict_type.fields[0].words->text(verdict->receipt));
	if (verdict->proven)
		say(&words, "; a session begins%s",
		    verdict->new_process ? " with a new process of the peer" : "");
	if (step->times > 1)
		say(&words, "; %llu times", (unsigned long long)step->times);
}
