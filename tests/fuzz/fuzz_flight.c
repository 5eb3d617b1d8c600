/*
 * Any recording: refused or replayed, never a crash. A failed assertion of the core is an answer too
 * (a recording made by hand can hold a state that no node was ever in); a wrong access is not.
 *
 * First byte: 0 a file as it is; 1 a file with its checksum set right; 2 and above: bytes to change in
 * the segments of a fresh recording.
 */
#include <assert.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../hbd/core/time.h"
#include "../../hbd/flight/timeline.h"

#define FILE_BYTES_MAX (1024 * 1024)

enum form { FORM_FILE, FORM_SEALED, FORM_DAMAGED };

/* What the core's assertions lead to. */
static jmp_buf asserted;

__attribute__((noreturn)) void __assert_fail(const char *assertion, const char *file, unsigned line,
					     const char *function)
{
	(void)assertion;
	(void)file;
	(void)line;
	(void)function;
	longjmp(asserted, 1);
}

struct fuzzed {
	uint8_t *bytes;
	struct flight_file *file;
	struct flight_player *players[2];
	FILE *stream;
};

/* ---- a recording to damage ----------------------------------------------------------------------- */

struct pair {
	struct hbd_node_config config[HBD_NODES];
	struct hbd_node nodes[HBD_NODES];
	struct hbd_actions actions;
	struct flight_recorder recorder;	/* of node 0 */
	int64_t now_ns;
};

static void configure(struct hbd_node_config *config, uint8_t self)
{
	*config = (struct hbd_node_config){
		.self = self,
		.cluster_id = 7,
		.profile = hbd_profile_get(HBD_PROFILE_LAN),
		.link_count = 2,
		.group_count = 2,
		.key_count = 1,
		.keys = { { .id = 1 } },
		.seed = { (uint8_t)(self + 1) },
		.witness = true,
	};
	for (uint8_t i = 0; i < 2; i++) {
		config->groups[i].id = 100u + i;
		config->groups[i].retry_ns = HBD_S_NS;
		config->groups[i].step_count = 1;
		config->groups[i].steps[0] = (struct hbd_step_config){
			HBD_ORDER_AFTER, HBD_ON_FAILURE_CONTINUE, HBD_S_NS };
	}
}

/* An event, and what follows from it at once. */
static void happen(struct pair *pair, uint8_t node, const struct hbd_event *event, int depth)
{
	struct hbd_actions done;

	hbd_node_step(&pair->nodes[node], event, pair->now_ns, &pair->actions);
	if (node == 0)
		flight_recorder_note(&pair->recorder, &pair->nodes[0], event, pair->now_ns,
				     &pair->actions);
	done = pair->actions;
	for (size_t i = 0; depth > 0 && i < done.count; i++) {
		const struct hbd_action *action = &done.items[i];
		const struct hbd_packet *packet = &done.packets[action->packet % HBD_PACKETS_MAX];
		const struct hbd_event arrival = {
			.type = HBD_EVENT_PACKET,
			.link = action->link,
			.packet = { packet->bytes, packet->length, pair->now_ns },
		};
		const struct hbd_event end = { .type = HBD_EVENT_DONE, .done = { action->id, 0 } };

		if (action->type == HBD_ACTION_SEND)
			happen(pair, (uint8_t)(1 - node), &arrival, depth - 1);
		else if (action->id != 0)
			happen(pair, node, &end, depth - 1);
	}
}

/* Node 1 falls silent half way. */
static void live(struct pair *pair)
{
	const struct hbd_event tick = { .type = HBD_EVENT_TICK };

	pair->now_ns = HBD_S_NS;
	for (uint8_t i = 0; i < HBD_NODES; i++) {
		configure(&pair->config[i], i);
		hbd_node_init(&pair->nodes[i], &pair->config[i], pair->now_ns);
	}
	pair->recorder.segment_bytes = FLIGHT_RECORD_BYTES_MAX + 4000;
	flight_recorder_start(&pair->recorder, flight_ring_new(), &pair->nodes[0]);
	for (int round = 0; round < 120; round++) {
		pair->now_ns += 100 * HBD_MS_NS;
		happen(pair, 0, &tick, 4);
		if (round < 60)
			happen(pair, 1, &tick, 4);
	}
}

/* In a step that a packet of the peer brought. */
static void die(struct pair *pair)
{
	const struct hbd_event tick = { .type = HBD_EVENT_TICK };
	struct hbd_event event = { .type = HBD_EVENT_PACKET };

	pair->now_ns += HBD_S_NS;
	hbd_node_step(&pair->nodes[1], &tick, pair->now_ns, &pair->actions);
	if (pair->actions.packet_count == 0)
		abort();
	event.packet.bytes = pair->actions.packets[0].bytes;
	event.packet.length = pair->actions.packets[0].length;
	flight_recorder_expect(&pair->recorder, &event, pair->now_ns);
	flight_ring_bury(pair->recorder.ring);
}

static size_t record(uint8_t bytes[FILE_BYTES_MAX])
{
	static const struct flight_facts facts = {
		.version = "fuzz", .group_count = 2, .groups = { "a", "b" }, .boot_ns = HBD_S_NS,
	};
	static struct pair pair;
	int fd = memfd_create("recording", 0);
	ssize_t length;

	live(&pair);
	die(&pair);
	if (fd < 0 || flight_file_write(fd, &facts, pair.recorder.ring) < 0)
		abort();
	length = pread(fd, bytes, FILE_BYTES_MAX, 0);
	close(fd);
	return (size_t)length;
}

/* ---- what is done with it ------------------------------------------------------------------------- */

static void replay(struct fuzzed *fuzzed, const struct flight_file *file)
{
	struct flight_timeline timeline = { .all = true, .from_ns = -HBD_NEVER_NS };
	struct flight_summary summary;

	for (int i = 0; i < 2; i++)
		if (flight_player_new(file, &fuzzed->players[i]) < 0)
			abort();
	flight_timeline_measure(fuzzed->players[0], &summary);
	timeline.json = summary.steps % 2;
	flight_timeline_print(file, fuzzed->players[1], &timeline, &summary, fuzzed->stream);
}

static void replay_file(struct fuzzed *fuzzed, enum form form, const uint8_t *data, size_t size)
{
	char why[FLIGHT_WHY_BYTES] = "";

	memcpy(fuzzed->bytes, data, size);
	if (form == FORM_SEALED)
		flight_file_seal(fuzzed->bytes, size);
	if (flight_file_parse(fuzzed->bytes, size, why, &fuzzed->file) == 0)
		replay(fuzzed, fuzzed->file);
	else if (!why[0])
		abort();
}

static struct flight_file *make_fresh(void)
{
	static uint8_t bytes[FILE_BYTES_MAX];
	char why[FLIGHT_WHY_BYTES] = "";
	struct flight_file *file = NULL;

	if (flight_file_parse(bytes, record(bytes), why, &file) < 0)
		abort();
	return file;
}

/* Three bytes of data change one of the segments. */
static void replay_damaged(struct fuzzed *fuzzed, const uint8_t *data, size_t size)
{
	static struct flight_file *fresh;
	struct flight_file file;
	size_t length = 0;

	if (!fresh)
		fresh = make_fresh();
	file = *fresh;
	for (size_t i = 0; i < file.segment_count; i++) {
		memcpy(fuzzed->bytes + length, file.segments[i].bytes, file.segments[i].length);
		file.segments[i].bytes = fuzzed->bytes + length;
		length += file.segments[i].length;
	}
	for (size_t at = 0; at + 3 <= size; at += 3) {
		size_t offset = (size_t)data[at] << 8 | data[at + 1];

		fuzzed->bytes[offset % length] ^= data[at + 2];
	}
	replay(fuzzed, &file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzzed fuzzed;
	enum form form;

	if (sodium_init() < 0)
		abort();
	if (!fuzzed.bytes) {
		fuzzed.bytes = malloc(2 * FILE_BYTES_MAX);
		fuzzed.stream = fopen("/dev/null", "w");
	}
	if (size < 1 || size > FILE_BYTES_MAX / 2)
		return 0;
	form = data[0] > FORM_DAMAGED ? FORM_DAMAGED : (enum form)data[0];
	if (setjmp(asserted) == 0) {
		if (form == FORM_DAMAGED)
			replay_damaged(&fuzzed, data + 1, size - 1);
		else
			replay_file(&fuzzed, form, data + 1, size - 1);
	}
	for (int i = 0; i < 2; i++) {
		flight_player_free(fuzzed.players[i]);
		fuzzed.players[i] = NULL;
	}
	flight_file_free(fuzzed.file);
	fuzzed.file = NULL;
	return 0;
}
