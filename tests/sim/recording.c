#include "recording.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct recording read_all(int fd)
{
	struct recording recording = { NULL, 0 };
	struct stat info;

	assert(fstat(fd, &info) == 0);
	recording.bytes = malloc((size_t)info.st_size + 1);
	assert(recording.bytes);
	assert(pread(fd, recording.bytes, (size_t)info.st_size, 0) == info.st_size);
	recording.length = (size_t)info.st_size;
	close(fd);
	return recording;
}

struct recording recording_take(const struct flight_ring *ring)
{
	const struct flight_facts facts = {
		.version = "simulated", .cluster = "sim", .node = "n", .peer = "m",
		.cause = "a test", .group_count = 1, .groups = { "www" },
	};
	int fd = memfd_create("recording", MFD_CLOEXEC);

	assert(fd >= 0);
	assert(flight_file_write(fd, &facts, ring) == 0);
	return read_all(fd);
}

struct recording recording_load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? (struct recording){ NULL, 0 } : read_all(fd);
}

static void note(struct replay *replay, const struct flight_player *player)
{
	const struct flight_step *step = flight_player_step(player);

	replay->steps += step->kind == FLIGHT_STEP_EVENT ? step->times : 0;
	replay->begun += step->kind == FLIGHT_STEP_BEGIN;
	if (step->kind != FLIGHT_STEP_BEGIN) {
		replay->last = step->event.type;
		replay->died = step->kind == FLIGHT_STEP_SURVIVED;
		replay->verdict = step->received.verdict;
		replay->wanted = step->replayed;
		replay->heard_ns = flight_player_node(player)->detector.last_rx_ns;
	}
	if (!step->differs)
		return;
	if (replay->differences++ > 0)
		return;
	replay->first = step->number;
	snprintf(replay->difference, sizeof(replay->difference), "%s", step->difference);
}

struct replay recording_replay(const struct recording *recording)
{
	struct replay replay = { 0 };
	struct flight_file *file = NULL;
	struct flight_player *player = NULL;

	if (flight_file_parse(recording->bytes, recording->length, replay.why, &file) < 0)
		return replay;
	assert(flight_player_new(file, &player) == 0);
	while (flight_player_next(player, replay.why) == 1)
		note(&replay, player);
	flight_player_free(player);
	flight_file_free(file);
	return replay;
}
