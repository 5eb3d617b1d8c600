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
	int64_t count = status_number(addresses, "count");
	char first[TEXT_CLEAN_BYTES], text[DETAIL_BYTES];

	if (count == 0)
		return;
	text_clean(addresses, "first", first);
	if (count == 1)
		snprintf(text, sizeof(text), "%s", first);
	else
		snprintf(text, sizeof(text), "%s and %" PRId64 " more", first, count - 1);
	text_wrap(stream, "  ", 4, text);
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
		char age[STATUS_DURATION_BYTES];
		const json_t *addresses = json_object_get(group, "addresses");

		fprintf(stream, "%-*.*s  %-10.10s  %-10.10s  %-12.12s %5" PRId64 " %s\n", width,
			width, text_clean(group, "name", name), text_clean(group, "role", here),
			peer_role(status, group, there),
			status_duration(status_number(group, "role_age_ms"), age),
			status_number(addresses, "count"),
			status_flag(addresses, "held") ? "on" : "off");
		print_history(group, style, stream);
		print_addresses(group, stream);
		print_plan(group, stream);
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
