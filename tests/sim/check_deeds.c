/* S5, S9: what a node does with what it owns. */
#include "checker.h"

static void check_announcement(struct checker *checker, const struct world *world,
			       uint8_t machine, uint8_t group)
{
	const struct world_kernel *kernel = &world->machines[machine].kernel[group];

	if (world_clock(world, machine) >= kernel->until_ns)
		check_violated(checker, world, CHECK_S5, group, "announces without a lease");
}

static void check_plugin(struct checker *checker, const struct world *world, uint8_t machine,
			 const struct hbd_action *action)
{
	const struct world_machine *m = &world->machines[machine];
	uint8_t group = action->group;

	/* past its deadline, as after a leap of the clock, the guardian lets the next one wait */
	if (world->now_ns < m->plugin_ends_ns[group] &&
	    world_clock(world, machine) < m->plugin_due_ns[group])
		check_violated(checker, world, CHECK_S9, group, "two plugins at once");
	if (action->run.call == HBD_CALL_TAKEOVER &&
	    action->epoch != checker->groups[group].shares[machine].epoch)
		check_violated(checker, world, CHECK_S9, group, "a plugin of another claim");
}

void check_deeds(struct checker *checker, const struct world *world, uint8_t machine,
		 const struct hbd_action *action)
{
	if (action->type == HBD_ACTION_ANNOUNCE)
		check_announcement(checker, world, machine, action->group);
	else
		check_plugin(checker, world, machine, action);
}
