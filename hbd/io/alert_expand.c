#include "alert_parts.h"

#include <stdio.h>
#include <string.h>

/* The core's reasons with the nodes' names: a mail is read on neither of them. */
static const struct {
	const char *because;	/* "lb2 took over web because ..." */
	const char *peer_is;	/* "lb1 is offline", where it is about the peer */
} reasons[HBD_REASON_COUNT] = {
	[HBD_REASON_UNSET] = { "of a reason that was not recorded", NULL },
	[HBD_REASON_START] = { "hbd started on {node}", NULL },
	[HBD_REASON_QUIET_OVER] = { "the silence after the start of hbd on {node} is over", NULL },
	[HBD_REASON_ALONE] = { "{peer} was not heard since hbd started on {node}",
			       "{peer} has not been heard yet" },
	[HBD_REASON_ELECTED] = { "nobody served and {node} ranks first", NULL },
	[HBD_REASON_UNCLAIMED] = { "nobody served and {peer} did not claim", NULL },
	[HBD_REASON_PEER_SILENT] = { "{peer} fell silent on every link", "{peer} is offline" },
	[HBD_REASON_PEER_STOPPED] = { "hbd was stopped on {peer}", "hbd on {peer} was stopped" },
	[HBD_REASON_PEER_DIED] = { "hbd died on {peer}", "hbd on {peer} died" },
	[HBD_REASON_PEER_RESTARTED] = { "hbd on {peer} started anew", "hbd on {peer} started anew" },
	[HBD_REASON_PEER_RESIGNED] = { "{peer} handed over", NULL },
	[HBD_REASON_PEER_FAULT] = { "{peer} can no longer serve", "{peer} has a fault" },
	[HBD_REASON_PEER_MAINTAINED] = { "nobody served and {peer} is in maintenance", NULL },
	[HBD_REASON_ANSWERED] = { "somebody on the LAN answers for it", NULL },
	[HBD_REASON_ISOLATED] = { "the gateway does not answer {node}", NULL },
	[HBD_REASON_PEER_OUTRANKS] = { "both nodes served and the claim of {peer} ranks higher",
				       NULL },
	[HBD_REASON_LEASE_LOST] = { "the lease of {node} ran out", NULL },
	[HBD_REASON_NO_VOTE] = { "{peer} did not agree to the claim", NULL },
	[HBD_REASON_SWITCHOVER] = { "an operator asked for it", NULL },
	[HBD_REASON_MAINTENANCE] = { "{node} is in maintenance", NULL },
	[HBD_REASON_FAILBACK] = { "{peer} is preferred for it, and well again", NULL },
	[HBD_REASON_NOT_READY] = { "{peer} did not get ready to take it", NULL },
	[HBD_REASON_DRAINED] = { "the old connections on {node} are over, or their time is", NULL },
	[HBD_REASON_NOT_TAKEN] = { "{peer} did not take it over", NULL },
	[HBD_REASON_FAULT] = { "{node} has a fault", NULL },
	[HBD_REASON_HEALED] = { "the fault on {node} is gone", NULL },
	[HBD_REASON_TAKEOVER_FAILED] = { "the takeover on {node} failed", NULL },
	[HBD_REASON_ADDRESSES_ON] = { "all addresses are on", NULL },
	[HBD_REASON_ADDRESSES_OFF] = { "all addresses are off", NULL },
	[HBD_REASON_STOP] = { "hbd is being stopped on {node}", NULL },
	[HBD_REASON_ORPHANED] = { "hbd's guardian died on {node}", NULL },
	[HBD_REASON_PEER_ORPHANED] = { "hbd's guardian died on {peer}",
				       "hbd's guardian on {peer} died" },
};

struct expansion {
	const struct alert_fact *fact;
	size_t names_max;	/* of groups; the rest is counted */
	char *text;
	size_t bytes;
	size_t length;		/* needed; what is past bytes is not written */
};

static void put(struct expansion *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (out->length + 1 < out->bytes)
			out->text[out->length] = text[i];
		out->length++;
	}
}

static void put_text(struct expansion *out, const char *text)
{
	put(out, text, strlen(text));
}

/* "web", "web and db", "web, db and 3 more" */
static void put_groups(struct expansion *out)
{
	const struct alert_fact *fact = out->fact;
	size_t named = fact->group_count < out->names_max ? fact->group_count : out->names_max;
	char more[32];

	if (fact->group_count == 0)
		put_text(out, "its addresses");
	for (size_t i = 0; i < named; i++) {
		if (i > 0)
			put_text(out, i + 1 == fact->group_count ? " and " : ", ");
		put_text(out, fact->groups[i]);
	}
	if (named < fact->group_count) {
		snprintf(more, sizeof(more), " and %zu more", fact->group_count - named);
		put_text(out, more);
	}
}

static void put_template(struct expansion *out, const char *template);

static void put_peer_is(struct expansion *out)
{
	const char *text = reasons[out->fact->first->reason].peer_is;

	put_template(out, text ? text : "{peer} is not heard");
}

static bool is(const char *name, size_t length, const char *wanted)
{
	return strlen(wanted) == length && !memcmp(name, wanted, length);
}

static void put_named(struct expansion *out, const char *name, size_t length)
{
	const struct alert_fact *fact = out->fact;
	const struct record_alert *alert = fact->first;

	if (is(name, length, "node"))
		put_text(out, alert->node[0] ? alert->node : "this node");
	else if (is(name, length, "peer"))
		put_text(out, alert->peer[0] ? alert->peer : "the peer");
	else if (is(name, length, "groups"))
		put_groups(out);
	else if (is(name, length, "group"))
		put_text(out, fact->group_count == 1 ? fact->groups[0] : "GROUP");
	else if (is(name, length, "detail"))
		put_text(out, alert->detail[0] ? alert->detail : "see hbctl status");
	else if (is(name, length, "why"))
		put_template(out, reasons[alert->reason].because);
	else if (is(name, length, "peer is"))
		put_peer_is(out);
}

static void put_template(struct expansion *out, const char *template)
{
	while (*template) {
		size_t plain = strcspn(template, "{");
		const char *end;

		put(out, template, plain);
		template += plain;
		end = strchr(template, '}');
		if (!end)
			break;
		put_named(out, template + 1, (size_t)(end - template - 1));
		template = end + 1;
	}
}

/* Cuts at a character's start, not inside of one, and shows it. */
static void cut(struct expansion *out)
{
	size_t at = out->bytes - 1 - strlen("...");

	while (at > 0 && ((unsigned char)out->text[at] & 0xc0) == 0x80)
		at--;
	memcpy(out->text + at, "...", sizeof("..."));
}

char *alert_expand(const struct alert_fact *fact, const char *template, char *text, size_t bytes)
{
	static const size_t names_max[] = { HBD_GROUPS_MAX, 3, 1 };
	struct expansion out = { .fact = fact, .text = text, .bytes = bytes };

	for (size_t i = 0; i < sizeof(names_max) / sizeof(names_max[0]); i++) {
		out.names_max = names_max[i];
		out.length = 0;
		put_template(&out, template);
		if (out.length < bytes) {
			text[out.length] = '\0';
			return text;
		}
	}
	cut(&out);
	return text;
}
