#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "status.h"
#include "text_parts.h"

#define LOSSY_PERMILLE 50	/* as in core/detector.c */
#define LINK_NAME_COLUMNS 31	/* an IPv4 address with its interface; longer ones take a line */
#define DETAIL_BYTES 512

/* The widest member name among the elements of array, at least minimum. */
static int widest(const json_t *array, const char *name, int minimum, int maximum)
{
	size_t i;
	json_t *item;
	int width = minimum;

	json_array_foreach(array, i, item) {
		int length = (int)strlen(status_string(item, name));

		if (length > width && length <= maximum)
			width = length;
	}
	return width;
}

static void date_text(int64_t seconds, char *text, size_t bytes)
{
	time_t instant = (time_t)seconds;
	struct tm local;

	if (!localtime_r(&instant, &local) ||
	    strftime(text, bytes, "%Y-%m-%d %H:%M:%S", &local) == 0)
		snprintf(text, bytes, "?");
}

/* "primary since 2026-11-23 05:05:01, epoch 12, because the peer fell silent". */
static void print_history(const json_t *group, const struct text_style *style, FILE *stream)
{
	char role[TEXT_CLEAN_BYTES], reason[TEXT_CLEAN_BYTES], preferred[TEXT_CLEAN_BYTES];
	char date[32], text[DETAIL_BYTES];

	date_text(style->now_s - status_number(group, "role_age_ms") / 1000, date, sizeof(date));
	snprintf(text, sizeof(text), "%.32s since %s: %s; epoch %" PRId64 "%s%.32s",
		 text_clean(group, "role", role), date,
		 text_clean(group, "reason_sentence", reason),
		 status_number(group, "epoch"),
		 status_has(group, "preferred") ? ", prefers " : "",
		 status_has(group, "preferred") ? text_clean(group, "preferred", preferred) : "");
	text_wrap(stream, "  ", 4, text);
}

static void print_addresses(const json_t *group, FILE *stream)
{
	const json_t *addresses = json_object_get(group, "addresses");
	const json_t *next = json_object_get(addresses, "next");
	int64_t left = status_number(addresses, "count") - 1 - (int64_t)json_array_size(next);
	char text[TEXT_CLEAN_BYTES];

	if (status_number(addresses, "count") == 0)
		return;
	text_wrap(stream, "  ", 4, text_clean(addresses, "first", text));
	for (size_t i = 0; i < json_array_size(next); i++) {
		const char *address = json_string_value(json_array_get(next, i));

		status_clean(address ? address : "?", text, sizeof(text));
		text_wrap(stream, "  ", 4, text);
	}
	if (left > 0)
		fprintf(stream, "  and %" PRId64 " more\n", left);
}

static void print_plan(const json_t *group, FILE *stream)
{
	const json_t *plan = json_object_get(group, "plan");
	char kind[TEXT_CLEAN_BYTES], plugin[TEXT_CLEAN_BYTES], left[STATUS_DURATION_BYTES];
	char text[DETAIL_BYTES];

	if (!json_is_object(plan))
		return;
	snprintf(text, sizeof(text), "%.16s under way: %.64s", text_clean(plan, "kind", kind),
		 status_has(plan, "plugin") ? text_clean(plan, "plugin", plugin) : "addresses");
	if (status_has(plan, "left_ms")) {
		size_t length = strlen(text);

		snprintf(text + length, sizeof(text) - length, ", at most %s more",
			 status_duration(status_number(plan, "left_ms"), left));
	}
	text_wrap(stream, "  ", 4, text);
}

static void print_handover(const json_t *group, FILE *stream)
{
	static const struct {
		const char *state;
		const char *text;
	} rows[] = {
		{ "offered", "switchover under way: the peer gets ready" },
		{ "preparing", "switchover under way: this node gets ready" },
		{ "ready", "switchover under way: this node is ready" },
		{ "refused", "switchover refused: this node could not get ready" },
	};
	const json_t *handover = json_object_get(group, "handover");
	char text[DETAIL_BYTES], left[STATUS_DURATION_BYTES], count[32] = "old connections";

	if (status_has(handover, "connections"))
		snprintf(count, sizeof(count), "%" PRId64 " connection%s",
			 status_number(handover, "connections"),
			 status_number(handover, "connections") == 1 ? "" : "s");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (status_is(handover, "state", rows[i].state))
			text_wrap(stream, "  ", 4, rows[i].text);
	}
	if (!status_is(handover, "state", "draining"))
		return;
	snprintf(text, sizeof(text), "handed over; %s may end here%s%s", count,
		 status_has(handover, "drain_left_ms") ? ", for at most " : "",
		 status_has(handover, "drain_left_ms") ?
			 status_duration(status_number(handover, "drain_left_ms"), left) : "");
	text_wrap(stream, "  ", 4, text);
}

/* Moves of the pair's own accord: which is next, and what damping does to it. */
static void print_moves(const json_t *group, FILE *stream)
{
	char text[DETAIL_BYTES], left[STATUS_DURATION_BYTES];

	if (status_has(group, "failback_left_ms")) {
		snprintf(text, sizeof(text), "goes back to its preferred node in %s, if that stays well",
			 status_duration(status_number(group, "failback_left_ms"), left));
		text_wrap(stream, "  ", 4, text);
	}
	if (status_has(group, "damping_left_ms")) {
		snprintf(text, sizeof(text), "moved too often: what nobody needs is held back by "
					     "damping for %s",
			 status_duration(status_number(group, "damping_left_ms"), left));
		text_wrap(stream, "  ", 4, text);
	}
}

/* Who grants what: this node's lease and the votes it lives by. */
static void print_votes(const json_t *status, const json_t *group, FILE *stream)
{
	const json_t *witness = json_object_get(group, "witness");
	const json_t *peer_view = json_object_get(group, "peer");
	char holder[TEXT_CLEAN_BYTES], left[STATUS_DURATION_BYTES], text[DETAIL_BYTES];
	bool granted = status_peer_is_heard(status) && status_flag(peer_view, "grants");

	if (!json_is_object(witness))
		return;
	if (status_has(group, "lease_left_ms"))
		snprintf(text, sizeof(text), "votes: its own%s%s%s%s",
			 granted ? ", the peer's" : "",
			 status_has(witness, "vote_left_ms") ? ", the witness's for another " : "",
			 status_has(witness, "vote_left_ms") ?
			 status_duration(status_number(witness, "vote_left_ms"), left) : "",
			 granted || status_has(witness, "vote_left_ms") ? "" : " ALONE");
	else if (status_has(witness, "holder"))
		snprintf(text, sizeof(text), "the witness's vote: %.32s",
			 text_clean(witness, "holder", holder));
	else
		return;
	text_wrap(stream, "  ", 4, text);
}

static void print_checks(const json_t *group, FILE *stream)
{
	size_t i;
	json_t *check;

	json_array_foreach(json_object_get(group, "checks"), i, check) {
		char name[TEXT_CLEAN_BYTES], detail[TEXT_CLEAN_BYTES], text[DETAIL_BYTES];
		const char *state = status_is(check, "state", "good")  ? "good"
				    : status_is(check, "state", "bad") ? "FAILS"
								       : "not yet run";

		snprintf(text, sizeof(text), "check %s: %s%s%s", text_clean(check, "name", name),
			 state, status_has(check, "detail") ? ": " : "",
			 status_has(check, "detail") ? text_clean(check, "detail", detail) : "");
		text_wrap(stream, "  ", 4, text);
	}
}

/* What the peer was when it was last heard is history, not its role. */
static const char *peer_role(const json_t *status, const json_t *group, char *text)
{
	const json_t *view = json_object_get(group, "peer");

	if (!status_peer_is_heard(status) || !json_is_object(view))
		return "?";
	return text_clean(view, "role", text);
}

/* "2", or "1/2" of those that are held if the kernel refuses one. */
static void count_text(const json_t *group, char *text, size_t bytes)
{
	const json_t *addresses = json_object_get(group, "addresses");
	int64_t count = status_number(addresses, "count");
	int64_t refused = status_number(json_object_get(group, "refusal"), "count");

	if (status_flag(addresses, "held") && refused > 0 && refused <= count)
		snprintf(text, bytes, "%" PRId64 "/%" PRId64, count - refused, count);
	else
		snprintf(text, bytes, "%" PRId64, count);
}

static const char *address_state(const json_t *group)
{
	const json_t *addresses = json_object_get(group, "addresses");

	if (status_flag(addresses, "held"))
		return "on";
	return status_flag(addresses, "staged") ? "mute" : "off";
}

void text_groups(const json_t *status, const struct text_style *style, FILE *stream)
{
	const json_t *groups = json_object_get(status, "groups");
	int width = widest(groups, "name", 5, 31);
	size_t i;
	json_t *group;

	fprintf(stream, "\n%-*s  %-10s  %-10s  %-12s %9s\n", width, "GROUP", "HERE", "PEER", "FOR",
		"ADDRESSES");
	json_array_foreach(groups, i, group) {
		char name[TEXT_CLEAN_BYTES], here[TEXT_CLEAN_BYTES], there[TEXT_CLEAN_BYTES];
		char age[STATUS_DURATION_BYTES], count[48];

		count_text(group, count, sizeof(count));
		fprintf(stream, "%-*.*s  %-10.10s  %-10.10s  %-12.12s %5s %s\n", width,
			width, text_clean(group, "name", name), text_clean(group, "role", here),
			peer_role(status, group, there),
			status_duration(status_number(group, "role_age_ms"), age), count,
			address_state(group));
		print_history(group, style, stream);
		print_addresses(group, stream);
		print_handover(group, stream);
		print_moves(group, stream);
		print_plan(group, stream);
		print_votes(status, group, stream);
		print_checks(group, stream);
	}
}

static const char *by_loss(int64_t permille)
{
	return permille > LOSSY_PERMILLE ? "lossy" : "up";
}

static const char *incoming(const json_t *link)
{
	if (status_is(link, "verdict", "unusable"))
		return "down";
	if (status_is(link, "verdict", "receive-dead"))
		return "dead";
	return by_loss(status_number(link, "receive_loss_permille"));
}

/* Whether we are heard, only the peer can say, and on this very link. */
static const char *outgoing(const json_t *link)
{
	if (status_is(link, "verdict", "unusable"))
		return "down";
	if (status_is(link, "verdict", "receive-dead"))
		return "?";
	if (status_is(link, "verdict", "transmit-dead"))
		return "dead";
	return by_loss(status_number(link, "transmit_loss_permille"));
}

static bool is_measured(const json_t *link)
{
	return !status_is(link, "verdict", "unusable") &&
	       !status_is(link, "verdict", "receive-dead");
}

static void loss_text(const json_t *link, const char *name, char *text, size_t bytes)
{
	int64_t permille = status_number(link, name);

	if (is_measured(link))
		snprintf(text, bytes, "%" PRId64 ".%" PRId64 " %%", permille / 10, permille % 10);
	else
		snprintf(text, bytes, "-");
}

/* "  not used: 3 seal, 1 replay". */
static void print_drops(const json_t *link, FILE *stream)
{
	json_t *drops = json_object_get(link, "dropped");
	const char *reason;
	json_t *count;
	char text[DETAIL_BYTES] = "packets not used:";

	if (json_object_size(drops) == 0)
		return;
	json_object_foreach(drops, reason, count) {
		char word[24];
		size_t length = strlen(text);

		status_clean(reason, word, sizeof(word));
		snprintf(text + length, sizeof(text) - length, " %" PRId64 " %s,",
			 (int64_t)json_integer_value(count), word);
	}
	text[strlen(text) - 1] = '\0';
	text_wrap(stream, "  ", 4, text);
}

void text_links(const json_t *status, FILE *stream)
{
	const json_t *links = json_object_get(status, "links");
	int width = widest(links, "local", 4, LINK_NAME_COLUMNS);
	size_t i;
	json_t *link;

	fprintf(stream, "\n%-*s  %-6s  %-6s  %10s  %8s  %8s\n", width, "LINK", "IN", "OUT",
		"ROUND TRIP", "LOST IN", "LOST OUT");
	json_array_foreach(links, i, link) {
		char name[TEXT_CLEAN_BYTES], remote[TEXT_CLEAN_BYTES], rtt[32] = "-", in[32],
			out[32];

		text_clean(link, "local", name);
		if (strlen(name) > (size_t)width)
			fprintf(stream, "%.78s\n", name);
		if (is_measured(link) && status_has(link, "rtt_us"))
			snprintf(rtt, sizeof(rtt), "%.3f ms",
				 (double)status_number(link, "rtt_us") / 1000.0);
		loss_text(link, "receive_loss_permille", in, sizeof(in));
		loss_text(link, "transmit_loss_permille", out, sizeof(out));
		fprintf(stream, "%-*s  %-6s  %-6s  %10s  %8s  %8s\n", width,
			strlen(name) > (size_t)width ? "" : name, incoming(link), outgoing(link),
			rtt, in, out);
		fprintf(stream, "  to %.76s\n", text_clean(link, "remote", remote));
		print_drops(link, stream);
	}
}
