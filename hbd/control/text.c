#include "text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "status.h"
#include "text_parts.h"

#define FACT_INDENT 12
#define SENTENCE_BYTES (4 * TEXT_CLEAN_BYTES + 128)

bool text_wants_color(FILE *stream)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(fileno(stream)) && !(no_color && no_color[0]) &&
	       !(term && strcmp(term, "dumb") == 0);
}

const char *text_clean(const json_t *object, const char *name, char *text)
{
	status_clean(status_string(object, name), text, TEXT_CLEAN_BYTES);
	return text[0] ? text : "?";
}

void text_wrap(FILE *stream, const char *prefix, int indent, const char *text)
{
	int column = (int)strlen(prefix);
	bool fresh = true;	/* nothing of text stands on this line yet */

	fputs(prefix, stream);
	while (*text) {
		int length = (int)strcspn(text, " ");

		if (length > TEXT_COLUMNS - indent) /* a word longer than a line is cut */
			length = TEXT_COLUMNS - indent;
		if (column + !fresh + length > TEXT_COLUMNS && column > indent) {
			fprintf(stream, "\n%*s", indent, "");
			column = indent;
			fresh = true;
		}
		fprintf(stream, "%s%.*s", fresh ? "" : " ", length, text);
		column += length + (fresh ? 0 : 1);
		fresh = false;
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', stream);
}

static const char *level_word(enum judge_level level)
{
	switch (level) {
	case JUDGE_GOOD:
		return "GOOD";
	case JUDGE_WARNING:
		return "WARNING";
	case JUDGE_CRITICAL:
		return "CRITICAL";
	case JUDGE_UNSET:
	case JUDGE_UNKNOWN:
		break;
	}
	return "UNKNOWN";
}

static const char *level_color(enum judge_level level)
{
	switch (level) {
	case JUDGE_GOOD:
		return "\033[1;32m";
	case JUDGE_WARNING:
		return "\033[1;33m";
	case JUDGE_CRITICAL:
		return "\033[1;31m";
	case JUDGE_UNSET:
	case JUDGE_UNKNOWN:
		break;
	}
	return "\033[1;35m";
}

/* "LEVEL: sentence", the level in its color; the color takes no columns. */
static void print_headline(enum judge_level level, const char *sentence,
			   const struct text_style *style, FILE *stream)
{
	char line[JUDGE_SENTENCE_BYTES + 16];

	if (!style->color) {
		snprintf(line, sizeof(line), "%s: %s", level_word(level), sentence);
		text_wrap(stream, "", 2, line);
		return;
	}
	char *wrapped = NULL;
	size_t length = 0;
	FILE *memory = open_memstream(&wrapped, &length);
	size_t word = strlen(level_word(level));

	if (!memory)
		return;
	snprintf(line, sizeof(line), "%s: %s", level_word(level), sentence);
	text_wrap(memory, "", 2, line);
	fclose(memory);
	fprintf(stream, "%s%.*s\033[0m%s", level_color(level), (int)word, wrapped, wrapped + word);
	free(wrapped);
}

void text_print_judgement(const struct judgement *judgement, const json_t *status,
			  const struct text_style *style, FILE *stream)
{
	char sentence[JUDGE_SENTENCE_BYTES], name[TEXT_CLEAN_BYTES], peer[TEXT_CLEAN_BYTES];

	if (judgement->count == 0) {
		snprintf(sentence, sizeof(sentence),
			 "All is well: every group is served, and %.31s and %.31s can each take "
			 "over.",
			 text_clean(status, "node", name),
			 text_clean(json_object_get(status, "peer"), "name", peer));
		print_headline(JUDGE_GOOD, sentence, style, stream);
	}
	for (size_t i = 0; i < judgement->count; i++) {
		const struct judge_finding *finding = &judgement->findings[i];

		print_headline(finding->level, finding->sentence, style, stream);
		if (finding->advice[0])
			text_wrap(stream, "  To do: ", 9, finding->advice);
	}
	if (judgement->left_off > 0)
		fprintf(stream, "and %zu more.\n", judgement->left_off);
}

static void fact(FILE *stream, const char *name, const char *text)
{
	char prefix[FACT_INDENT + 1];

	snprintf(prefix, sizeof(prefix), "%-*s", FACT_INDENT, name);
	text_wrap(stream, prefix, FACT_INDENT, text);
}

static const char *peer_words(const json_t *peer)
{
	static const struct {
		const char *state;
		const char *words;
	} words[] = {
		{"alive", "is alive"},	   {"suspicious", "is late"}, {"silent", "is silent"},
		{"stopped", "was stopped"}, {"died", "died"}, {"orphaned", "lost its guardian"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (status_is(peer, "state", words[i].state))
			return words[i].words;
	}
	return "is in an unknown state";
}

static void print_nodes(const json_t *status, FILE *stream)
{
	const json_t *peer = json_object_get(status, "peer");
	const json_t *profile = json_object_get(status, "profile");
	char a[TEXT_CLEAN_BYTES], b[TEXT_CLEAN_BYTES], c[TEXT_CLEAN_BYTES], d[TEXT_CLEAN_BYTES];
	char age[STATUS_DURATION_BYTES], silence[STATUS_DURATION_BYTES];
	char text[SENTENCE_BYTES];

	snprintf(text, sizeof(text),
		 "%s of cluster %s, up for %s, hbd %.32s, profile %s (takeover after %" PRId64
		 " ms)",
		 text_clean(status, "node", a), text_clean(status, "cluster", b),
		 status_duration(status_number(status, "uptime_ms"), age),
		 text_clean(status, "version", d), text_clean(profile, "name", c),
		 status_number(profile, "grant_us") / 1000);
	fact(stream, "Here", text);
	status_duration(status_number(peer, "heard_age_ms"), age);
	status_duration(status_number(peer, "longest_silence_ms"), silence);
	if (status_has(peer, "heard_age_ms"))
		snprintf(text, sizeof(text), "%s %s, heard %s ago, longest silence %s",
			 text_clean(peer, "name", a), peer_words(peer), age, silence);
	else
		snprintf(text, sizeof(text), "%s has not been heard since the start here",
			 text_clean(peer, "name", a));
	fact(stream, "Peer", text);
}

static void print_agreement(const json_t *status, FILE *stream)
{
	const json_t *peer = json_object_get(status, "peer");
	const json_t *key = json_object_get(peer, "key_id");
	char same[96];

	if (json_is_integer(key))
		snprintf(same, sizeof(same), "same key (number %" JSON_INTEGER_FORMAT
			 "), protocol version and configuration", json_integer_value(key));
	else
		snprintf(same, sizeof(same), "same key, protocol version and configuration");
	fact(stream, "Agreement",
	     status_lists(peer, "mismatches", "key")		 ? "KEYS DIFFER"
	     : status_lists(peer, "mismatches", "version")	 ? "PROTOCOL VERSIONS DIFFER"
	     : status_lists(peer, "mismatches", "configuration") ? "CONFIGURATIONS DIFFER"
	     : status_peer_is_heard(status) ? same
					    : "not known while the peer is away");
}

static void print_alerts(const json_t *status, FILE *stream)
{
	const json_t *alerts = json_object_get(status, "alerts");
	int64_t pending = status_number(alerts, "pending");
	char age[STATUS_DURATION_BYTES], detail[TEXT_CLEAN_BYTES], text[SENTENCE_BYTES];

	if (status_number(alerts, "configured") == 0)
		snprintf(text, sizeof(text), "none configured: nobody is told of a takeover");
	else if (pending == 0)
		snprintf(text, sizeof(text), "%" PRId64 " configured, all delivered",
			 status_number(alerts, "configured"));
	else
		snprintf(text, sizeof(text),
			 "%" PRId64 " configured, %" PRId64 " waiting, the oldest for %s%s%s",
			 status_number(alerts, "configured"), pending,
			 status_duration(status_number(alerts, "oldest_age_ms"), age),
			 status_has(alerts, "detail") ? ": " : "",
			 status_has(alerts, "detail") ? text_clean(alerts, "detail", detail) : "");
	fact(stream, "Alerts", text);
}

static void print_witness(const json_t *status, FILE *stream)
{
	const json_t *witness = json_object_get(status, "witness");
	char name[TEXT_CLEAN_BYTES], age[STATUS_DURATION_BYTES], text[SENTENCE_BYTES];

	if (!json_is_object(witness))
		return;
	snprintf(text, sizeof(text), "%s, %s %s ago; without it a lone node %s",
		 text_clean(witness, "name", name),
		 status_is(witness, "state", "well") ? "answered" : "DOES NOT ANSWER, last heard",
		 status_duration(status_number(witness, "answered_age_ms"), age),
		 status_is(witness, "without", "serve") ? "serves" : "stops");
	fact(stream, "Witness", text);
}

static void print_process(const json_t *status, FILE *stream)
{
	const json_t *loop = json_object_get(status, "loop");
	char fence[TEXT_CLEAN_BYTES], text[SENTENCE_BYTES];

	fact(stream, "Fence", text_clean(status, "fence", fence));
	snprintf(text, sizeof(text), "%s, memory %s",
		 status_flag(status, "realtime") ? "real-time" : "ORDINARY (not real-time)",
		 status_flag(status, "memory_locked") ? "locked" : "NOT LOCKED");
	fact(stream, "Scheduling", text);
	snprintf(text, sizeof(text),
		 "%" PRId64 " of %" PRId64 " turns late, the worst by %.1f ms; %" PRId64 " stalls",
		 status_number(loop, "late_turns"), status_number(loop, "turns"),
		 (double)status_number(loop, "longest_late_us") / 1000.0,
		 status_number(loop, "stalls"));
	fact(stream, "Loop", text);
}

void text_print(const json_t *status, const struct judgement *judgement,
		const struct text_style *style, FILE *stream)
{
	text_print_judgement(judgement, status, style, stream);
	if (!status_is_known(status))
		return;
	fputc('\n', stream);
	print_nodes(status, stream);
	print_agreement(status, stream);
	text_groups(status, style, stream);
	text_links(status, stream);
	fputc('\n', stream);
	print_witness(status, stream);
	print_process(status, stream);
	print_alerts(status, stream);
}
