/*
 * Every sequence of up to four events, at a few distances: nothing is drawn here, so what two or
 * three things at a bad time can do is not left to luck.
 *
 *	test_sequences [-l LENGTH [-p PROFILE] [-w]] [-k EVENT,... [-p PROFILE] [-w]]
 *
 * From a pair that serves, an event happens, then after a short or a long gap the next, and so on.
 * After each sequence everything is mended, and the pair must settle. Sequences share their
 * beginnings: the world is saved before an event and restored for the next one. Without arguments
 * all of four events without a witness, and all of three with one, or one less with sanitizers;
 * -w: with a witness; -k runs one sequence and shows it.
 */
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checker.h"
#include "run.h"
#include "save.h"

#define LENGTH_MAX 6
#define LENGTH (RUN_IS_SLOW ? 3 : 4)
#define LENGTH_WITNESS (LENGTH - 1)
#define SETTLED_NS (40 * HBD_S_NS)	/* at the latest; looked at every so often */
#define LOOK_NS (3 * HBD_S_NS)

enum event {
	EVENT_NONE,
	EVENT_POWER_OFF_OWNER,
	EVENT_KILL_OWNER,
	EVENT_KILL_STANDBY,
	EVENT_FREEZE_OWNER,
	EVENT_PART,		/* links and LAN, for good */
	EVENT_PART_LINKS,
	EVENT_DEAFEN_OWNER,
	EVENT_MEND,
	EVENT_SWITCH_OVER,
	EVENT_COUNT
};

static const char *const texts[EVENT_COUNT] = {
	[EVENT_NONE] = "nothing",
	[EVENT_POWER_OFF_OWNER] = "the owner loses power, or the dead one gets it back",
	[EVENT_KILL_OWNER] = "the owner's engine and guardian are killed",
	[EVENT_KILL_STANDBY] = "the standby's engine is killed",
	[EVENT_FREEZE_OWNER] = "the owner's engine and guardian freeze for 3 Lg",
	[EVENT_PART] = "links and LAN are cut",
	[EVENT_PART_LINKS] = "links are cut",
	[EVENT_DEAFEN_OWNER] = "nothing reaches the owner",
	[EVENT_MEND] = "links and LAN are mended",
	[EVENT_SWITCH_OVER] = "the operator moves the group",
};

struct walk {
	struct world *world;
	struct checker *checker;
	int64_t gaps_ns[2];
	size_t length;
	size_t depth;
	unsigned path[LENGTH_MAX];	/* event * 2 + gap */
	unsigned long count, failed;
	struct save *saves[LENGTH_MAX + 1];
};

static bool run_until(struct walk *walk, int64_t until_ns)
{
	while (walk->checker->violation == NULL && world_advance(walk->world, until_ns))
		checker_look(walk->checker, walk->world);
	return walk->checker->violation == NULL;
}

static void set_links(struct world *world, uint8_t from, bool cut)
{
	for (uint8_t link = 0; link < WORLD_LINKS; link++)
		world->paths[from][link].cut = cut;
}

/* Who answers, or else who did not lose power. */
static uint8_t owner_of(const struct world *world)
{
	return world_answers(world, 1, 0) ||
	       (!world_answers(world, 0, 0) && world->machines[0].power == WORLD_OFF);
}

static void do_power(struct world *world, uint8_t owner)
{
	uint8_t other = (uint8_t)(1 - owner);

	if (world->machines[other].power == WORLD_OFF)
		world_start(world, other);
	else
		world_power_off(world, owner);
}

static void mend(struct world *world)
{
	set_links(world, 0, false);
	set_links(world, 1, false);
	world->lan.apart = false;
}

static void happen(struct walk *walk, enum event event)
{
	struct world *world = walk->world;
	uint8_t owner = owner_of(world);
	int64_t span_ns = 3 * walk->checker->profile.grant_ns;

	world->faults_begun++;
	switch (event) {
	case EVENT_POWER_OFF_OWNER:
		do_power(world, owner);
		break;
	case EVENT_KILL_OWNER:
		world_kill(world, owner, true);
		break;
	case EVENT_KILL_STANDBY:
		world_kill(world, (uint8_t)(1 - owner), false);
		break;
	case EVENT_FREEZE_OWNER:
		world_freeze(world, owner, span_ns);
		world_freeze_guardian(world, owner, span_ns);
		break;
	case EVENT_PART:
	case EVENT_PART_LINKS:
		set_links(world, 0, true);
		set_links(world, 1, true);
		world->lan.apart = event == EVENT_PART;
		break;
	case EVENT_DEAFEN_OWNER:
		set_links(world, (uint8_t)(1 - owner), true);
		break;
	case EVENT_MEND:
		mend(world);
		break;
	case EVENT_SWITCH_OVER:
		world_event(world, owner, (struct hbd_event){ .type = HBD_EVENT_SWITCHOVER });
		break;
	case EVENT_NONE:
	case EVENT_COUNT:
		break;
	}
	checker_look(walk->checker, world);
}

static bool is_settled(const struct world *world)
{
	bool reached = world_answers(world, 0, 0) != world_answers(world, 1, 0);

	for (uint8_t i = 0; i < HBD_NODES; i++)
		reached = reached && hbd_node_peer_state(&world->machines[i].node) == HBD_PEER_ALIVE;
	for (uint8_t i = 0; i < WORLD_CLIENTS; i++)
		reached = reached && world_reaches(world, i, 0);
	return reached;
}

/* All is mended; the pair must settle, and stay so. */
static bool settle(struct walk *walk)
{
	struct world *world = walk->world;
	int64_t limit_ns = world->now_ns + SETTLED_NS;

	mend(world);
	for (uint8_t i = 0; i < HBD_NODES; i++)
		world_start(world, i);
	world->faults_over = world->faults_begun;
	do {
		if (!run_until(walk, world->now_ns + LOOK_NS))
			return false;
	} while (!is_settled(world) && world->now_ns < limit_ns);
	checker_finish(walk->checker, world);
	return walk->checker->violation == NULL;
}

static void tell(const struct walk *walk)
{
	printf("not ok %s: %s, at %.3f ms; show it: -k ", check_text(walk->checker->violated),
	       walk->checker->violation, (double)walk->checker->violated_ns / 1e6);
	for (size_t i = 0; i < walk->depth; i++)
		printf("%s%u", i > 0 ? "," : "", walk->path[i]);
	printf("\n");
}

static void try_step(struct walk *walk, unsigned step);

static void try_all(struct walk *walk)
{
	if (walk->depth == walk->length)
		return;
	walk->saves[walk->depth] = save_world(walk->world, walk->checker);
	for (unsigned step = 2; step < 2 * EVENT_COUNT; step++)
		/* before the first event any gap is the same */
		if (walk->depth > 0 || step % 2 == 0)
			try_step(walk, step);
	save_free(walk->saves[walk->depth]);
}

/* The gap, the event, then the end of this sequence, then all that are longer. */
static void try_step(struct walk *walk, unsigned step)
{
	struct save *before;

	walk->path[walk->depth++] = step;
	walk->count++;
	if (run_until(walk, walk->world->now_ns + walk->gaps_ns[step % 2]))
		happen(walk, (enum event)(step / 2));
	before = save_world(walk->world, walk->checker);
	if (walk->checker->violation != NULL || !settle(walk)) {
		walk->failed++;
		tell(walk);
		restore_world(before, walk->world, walk->checker);
	} else {
		restore_world(before, walk->world, walk->checker);
		try_all(walk);
	}
	save_free(before);
	walk->depth--;
	restore_world(walk->saves[walk->depth], walk->world, walk->checker);
}

static void begin(struct walk *walk, struct world *world, struct checker *checker)
{
	const struct hbd_profile *profile = &world->machines[0].config.profile;

	walk->world = world;
	walk->checker = checker;
	walk->gaps_ns[0] = profile->grant_ns * 3 / 5;
	walk->gaps_ns[1] = profile->alone_ns + 7 * profile->grant_ns;
	checker_init(checker, world);
	world_start(world, 0);
	world_start(world, 1);
	if (!run_until(walk, 3 * profile->quiet_ns + 3 * HBD_S_NS))
		tell(walk);
}

/* One sequence, with all that it brings about. */
static void show(struct walk *walk, char *text)
{
	walk->world->trace = true;
	for (char *word = strtok(text, ","); word != NULL; word = strtok(NULL, ",")) {
		unsigned step = (unsigned)strtoul(word, NULL, 10);

		assert(step / 2 < EVENT_COUNT);
		run_until(walk, walk->world->now_ns + walk->gaps_ns[step % 2]);
		printf("%12.3f ms  * %s\n", (double)walk->world->now_ns / 1e6, texts[step / 2]);
		happen(walk, (enum event)(step / 2));
	}
	printf("%12.3f ms  * all is mended\n", (double)walk->world->now_ns / 1e6);
	if (!settle(walk))
		tell(walk);
}

struct options {
	enum hbd_profile_name profile;
	size_t length;		/* 0 = the usual ones */
	bool witness;
	char *shown;
};

/* True if nothing was violated. */
static bool run(const struct options *options, size_t length, bool witness)
{
	struct world *world = world_new(1, options->profile, 1);
	struct walk walk = { .length = length };
	struct checker checker;
	bool good;

	world->witness.present = witness;
	begin(&walk, world, &checker);
	if (options->shown)
		show(&walk, options->shown);
	else
		try_all(&walk);
	good = walk.failed == 0 && checker.violation == NULL;
	if (good && !options->shown)
		printf("ok %lu sequences of up to %zu events%s\n", walk.count, walk.length,
		       witness ? ", with a witness" : "");
	world_free(world);
	return good;
}

static bool parse(struct options *options, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "l:p:wk:")) != -1) {
		if (option == 'l')
			options->length = strtoul(optarg, NULL, 10);
		else if (option == 'p')
			options->profile = hbd_profile_parse(optarg);
		else if (option == 'w')
			options->witness = true;
		else if (option == 'k')
			options->shown = optarg;
		else
			return false;
	}
	return options->length <= LENGTH_MAX && options->profile != HBD_PROFILE_UNSET;
}

int main(int argc, char **argv)
{
	struct options options = { .profile = HBD_PROFILE_LAN };

	if (!parse(&options, argc, argv)) {
		fprintf(stderr, "usage: test_sequences [-l LENGTH] [-p wan|lan|fast|turbo] [-w] "
				"[-k EVENT,...]\n");
		return 2;
	}
	if (sodium_init() < 0)
		return 1;
	if (options.shown || options.length > 0)
		return !run(&options, options.length, options.witness);

	bool good = run(&options, LENGTH, false);

	return !run(&options, LENGTH_WITNESS, true) || !good;
}
