#include "world.h"

#include <errno.h>
#include <string.h>

#define QUICK_NS_MIN (60 * HBD_US_NS)	/* a request to a kernel that has nothing else to do */
#define QUICK_NS_MAX (200 * HBD_US_NS)
#define RESTORE_AGAIN_NS HBD_S_NS
#define NEWS_NS_MAX (200 * HBD_US_NS)

static const int64_t schedule_ns[] = {
	0, 10 * HBD_MS_NS, 50 * HBD_MS_NS, 200 * HBD_MS_NS, HBD_S_NS, 2 * HBD_S_NS, 5 * HBD_S_NS,
	10 * HBD_S_NS,
};
#define ROUNDS (sizeof(schedule_ns) / sizeof(schedule_ns[0]))

static struct world_hands *hands_of(struct world *world, uint8_t machine)
{
	return &world->machines[machine].hands;
}

static int64_t request_ns(struct world *world, uint8_t machine)
{
	int64_t slowest_ns = hands_of(world, machine)->slowest_ns;

	return slowest_ns > 0 ? world_between(&world->random, QUICK_NS_MIN, slowest_ns)
			      : world_between(&world->random, QUICK_NS_MIN, QUICK_NS_MAX);
}

static void report(struct world *world, uint8_t machine, uint64_t id, int result)
{
	world_event(world, machine,
		    (struct hbd_event){ .type = HBD_EVENT_DONE,
					.done = { .id = id, .result = result } });
}

/* ---- announcements ----------------------------------------------------------------------------- */

/* What the fence does not let out nobody hears. */
static void send_announcement(struct world *world, uint8_t machine, uint8_t group)
{
	struct world_kernel *kernel = &world->machines[machine].kernel[group];

	if (!world_answers(world, machine, group))
		return;
	kernel->announced_ns = world->now_ns;
	kernel->announced_epoch = world->machines[machine].node.groups[group].epoch;
	lan_announce(world, machine, group);
}

void kernel_announce_once(struct world *world, uint8_t machine, uint8_t group)
{
	send_announcement(world, machine, group);
}

void kernel_announce_round(struct world *world, uint8_t machine, uint8_t group, uint32_t round)
{
	send_announcement(world, machine, group);
	if (round + 1 == ROUNDS)
		return;
	job_add(world, (struct world_job){
		.kind = JOB_ANNOUNCE,
		.ends_ns = world->now_ns + schedule_ns[round + 1] - schedule_ns[round],
		.machine = machine,
		.group = group,
		.round = round + 1,
	});
}

static void start_announcing(struct world *world, uint8_t machine, uint8_t group)
{
	const struct world_kernel *kernel = &world->machines[machine].kernel[group];

	if (world->mutant.deaf_to_announcements_after_first && kernel->announced_ns != 0 &&
	    kernel->announced_epoch == world->machines[machine].node.groups[group].epoch)
		return;
	job_drop(world, machine, JOB_ANNOUNCE, group);
	kernel_announce_round(world, machine, group, 0);
}

/* ---- the hands --------------------------------------------------------------------------------- */

static bool is_empty(const struct world_orders *orders)
{
	return orders->release_id == 0 && orders->acquire_id == 0 && !orders->restore &&
	       !orders->announce;
}

/* Releases go before all else. */
static int choose_group(const struct world *world, const struct world_hands *hands)
{
	int chosen = -1;

	for (uint8_t i = 0; i < world->group_count; i++) {
		if (hands->orders[i].release_id != 0)
			return i;
		if (chosen < 0 && !is_empty(&hands->orders[i]))
			chosen = i;
	}
	return chosen;
}

/* What takes no time is done; what does is begun. */
static void work(struct world *world, uint8_t machine)
{
	struct world_hands *hands = hands_of(world, machine);

	for (;;) {
		struct world_orders *current = &hands->current;

		if (current->release_id != 0 || current->acquire_id != 0 || current->restore) {
			hands->busy = true;
			job_add(world, (struct world_job){
				.kind = JOB_HANDS,
				.ends_ns = world->now_ns + request_ns(world, machine),
				.machine = machine,
			});
			return;
		}
		if (current->announce) {
			current->announce = false;
			start_announcing(world, machine, hands->group);
		}

		int group = choose_group(world, hands);

		hands->busy = false;
		if (group < 0)
			return;
		hands->group = (uint8_t)group;
		*current = hands->orders[group];
		memset(&hands->orders[group], 0, sizeof(hands->orders[group]));
	}
}

static void order(struct world *world, uint8_t machine)
{
	if (!hands_of(world, machine)->busy)
		work(world, machine);
}

static void finish_release(struct world *world, uint8_t machine, uint64_t id, bool failed)
{
	struct world_hands *hands = hands_of(world, machine);
	struct world_kernel *kernel = &world->machines[machine].kernel[hands->group];

	hands->current.release_id = 0;
	job_drop(world, machine, JOB_ANNOUNCE, hands->group);
	kernel->present = kernel->present && failed;
	report(world, machine, id, failed ? -EBUSY : 0);
}

static void finish_acquire(struct world *world, uint8_t machine, uint64_t id, bool failed)
{
	struct world_hands *hands = hands_of(world, machine);
	struct world_kernel *kernel = &world->machines[machine].kernel[hands->group];
	bool late = world_clock(world, machine) >= kernel->until_ns;

	hands->current.acquire_id = 0;
	if (!failed && !late)
		kernel->present = true;
	report(world, machine, id, late ? -ETIME : failed ? -EADDRNOTAVAIL : 0);
}

void kernel_finish(struct world *world, uint8_t machine)
{
	struct world_hands *hands = hands_of(world, machine);
	struct world_orders *current = &hands->current;
	bool failed = world_chance(&world->random, hands->failure_permille);

	if (current->release_id != 0) {
		finish_release(world, machine, current->release_id, failed);
	} else if (current->acquire_id != 0) {
		finish_acquire(world, machine, current->acquire_id, failed);
	} else if (current->restore && !failed) {
		current->restore = false;
		world->machines[machine].kernel[hands->group].present = true;
		world_event(world, machine,
			    (struct hbd_event){ .type = HBD_EVENT_RESTORED,
						.group = hands->group });
	}
	/* what the report brought about may have ended the engine */
	if (hands->busy)
		work(world, machine);
}

void kernel_lease(struct world *world, uint8_t machine, uint8_t group, int64_t until_ns,
		  int64_t accept_ns)
{
	struct world_kernel *kernel = &world->machines[machine].kernel[group];

	kernel->until_ns = until_ns + world->mutant.overtime_ns;
	kernel->accept_ns = accept_ns;
}

void kernel_acquire(struct world *world, uint8_t machine, uint8_t group, uint64_t id)
{
	hands_of(world, machine)->orders[group].acquire_id = id;
	order(world, machine);
}

void kernel_release(struct world *world, uint8_t machine, uint8_t group, uint64_t id)
{
	struct world_kernel *kernel = &world->machines[machine].kernel[group];

	kernel->until_ns = hbd_time_min(kernel->until_ns,
					world_clock(world, machine) + world->mutant.overtime_ns);
	kernel->accept_ns = 0;
	hands_of(world, machine)->orders[group] = (struct world_orders){ .release_id = id };
	order(world, machine);
}

void kernel_restore(struct world *world, uint8_t machine, uint8_t group)
{
	hands_of(world, machine)->orders[group].restore = true;
	order(world, machine);
}

void kernel_announce(struct world *world, uint8_t machine, uint8_t group)
{
	hands_of(world, machine)->orders[group].announce = true;
	order(world, machine);
}

void kernel_drop_hands(struct world *world, uint8_t machine)
{
	struct world_hands *hands = hands_of(world, machine);
	struct world_kernel *kernel = &world->machines[machine].kernel[hands->group];

	/* a system call that was begun is done before its thread ends */
	if (hands->busy && world_chance(&world->random, 500)) {
		if (hands->current.release_id != 0)
			kernel->present = false;
		else if (hands->current.acquire_id != 0 || hands->current.restore)
			kernel->present = true;
	}
	hands->busy = false;
	memset(&hands->current, 0, sizeof(hands->current));
	memset(hands->orders, 0, sizeof(hands->orders));
}

void kernel_sweep(struct world *world, uint8_t machine)
{
	for (uint8_t i = 0; i < WORLD_GROUPS_MAX; i++) {
		struct world_kernel *kernel = &world->machines[machine].kernel[i];

		kernel->present = false;
		kernel->until_ns = 0;
		kernel->accept_ns = 0;
		kernel->announced_ns = 0;
	}
}

/* ---- others ------------------------------------------------------------------------------------ */

void world_delete(struct world *world, uint8_t machine, uint8_t group)
{
	struct world_kernel *kernel = &world->machines[machine].kernel[group];

	if (!kernel->present)
		return;
	kernel->present = false;
	if (world->machines[machine].life == WORLD_DEAD)
		return;
	job_add(world, (struct world_job){
		.kind = JOB_EVENT,
		.ends_ns = world->now_ns + world_between(&world->random, 0, NEWS_NS_MAX),
		.machine = machine,
		.event = { .type = HBD_EVENT_MISSING, .group = group },
	});
}

void world_add(struct world *world, uint8_t machine, uint8_t group)
{
	if (world->machines[machine].power != WORLD_OFF)
		world->machines[machine].kernel[group].present = true;
}
