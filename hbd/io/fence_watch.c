#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "../base/log.h"
#include "../core/time.h"
#include "clock.h"
#include "fence_state.h"

/* What failed is not tried again by an event for so long, and one that puts itself before us again
 * within it has won: two that insist would keep each other busy. */
#define PATIENCE_NS HBD_S_NS
#define REPEAT_LOG_NS (60 * HBD_S_NS)

static void tell(fence_news_handler handler, void *context, enum fence_news_type type,
		 const struct fence_interface *interface, const char *why)
{
	const struct fence_news news = { .type = type, .interface = interface->name, .why = why };

	if (handler)
		handler(context, &news);
}

static void forget(struct fence_interface *interface)
{
	interface->ifindex = 0;
	interface->attached = interface->lost_told = false;
	interface->failed_ns = interface->displaced_ns = 0;
	interface->why[0] = '\0';
}

/* Under another name it keeps its programs: an address may still be on it. */
static void note_gone(struct fence_interface *interface, fence_news_handler handler, void *context)
{
	log_notice("fence: there is no interface %s any more; its addresses are fenced when it comes "
		   "back", interface->name);
	forget(interface);
	tell(handler, context, FENCE_NEWS_GONE, interface, "");
}

static void note_failed(struct fence_interface *interface, const char *why,
			fence_news_handler handler, void *context)
{
	bool same = interface->lost_told && strcmp(interface->why, why) == 0;

	interface->attached = false;
	interface->failed_ns = clock_now_ns();
	if (same)
		return;
	interface->lost_told = true;
	snprintf(interface->why, sizeof(interface->why), "%s", why);
	log_error("fence: cannot fence %s: %s; trying again", interface->name, why);
	tell(handler, context, FENCE_NEWS_LOST, interface, interface->why);
}

static void note_attached(struct fence_interface *interface, fence_news_handler handler,
			  void *context)
{
	log_info("fence: %s is fenced%s", interface->name, interface->lost_told ? " again" : "");
	interface->attached = true;
	interface->lost_told = false;
	interface->failed_ns = 0;
	interface->why[0] = '\0';
	tell(handler, context, FENCE_NEWS_ATTACHED, interface, "");
}

static void note_repaired(struct fence_interface *interface, const char *why,
			  fence_news_handler handler, void *context)
{
	int64_t now_ns = clock_now_ns();
	bool again = now_ns - interface->repair_told_ns >= REPEAT_LOG_NS;

	/* who does it in a loop is not to fill the log with it */
	if (interface->repair_told_ns == 0 || again) {
		log_warning("fence: somebody had removed it from %s (%s); put it back (%" PRIu64
			    " more since the last line)", interface->name, why, interface->repairs);
		interface->repair_told_ns = now_ns;
		interface->repairs = 0;
	} else {
		interface->repairs++;
	}
	tell(handler, context, FENCE_NEWS_REPAIRED, interface, why);
}

/* tcx programs come before all that we can attach. */
static unsigned count_before(int ifindex)
{
	unsigned count = 0;

	for (enum fence_side side = FENCE_IN; side < FENCE_SIDES; side++)
		count += fence_program_count_before(ifindex, side);
	return count;
}

static bool is_recent(int64_t instant_ns)
{
	return instant_ns != 0 && clock_now_ns() - instant_ns < PATIENCE_NS;
}

static void attach(struct fence *fence, struct fence_interface *interface,
		   fence_news_handler handler, void *context)
{
	int result = fence_tc_ensure(fence->tc, interface->ifindex, &fence->program.attach,
				     !is_recent(interface->displaced_ns));
	unsigned before = result >= 0 ? count_before(interface->ifindex) : 0;
	char words[64];

	if (result == FENCE_TC_DISPLACED)
		interface->displaced_ns = clock_now_ns();
	if (before > 0) {
		snprintf(words, sizeof(words), "%u tcx program%s a frame first", before,
			 before == 1 ? " sees" : "s see");
		note_failed(interface, words, handler, context);
	} else if (result < 0) {
		note_failed(interface, fence_tc_why(fence->tc), handler, context);
	} else if (!interface->attached) {
		note_attached(interface, handler, context);
	} else if (result != FENCE_TC_INTACT) {
		note_repaired(interface, fence_tc_why(fence->tc), handler, context);
	}
}

/* Who could not ask (no descriptor is free) does not know that it is gone. */
static int find_index(const struct fence_interface *interface)
{
	int ifindex = (int)if_nametoindex(interface->name);

	return ifindex == 0 && errno != ENODEV ? interface->ifindex : ifindex;
}

void fence_watch_look(struct fence *fence, struct fence_interface *interface, bool by_event,
		      fence_news_handler handler, void *context)
{
	int ifindex = find_index(interface);

	if (interface->ifindex != 0 && ifindex != interface->ifindex)
		note_gone(interface, handler, context);
	interface->ifindex = ifindex;
	if (ifindex != 0 && !(by_event && is_recent(interface->failed_ns)))
		attach(fence, interface, handler, context);
}

static bool keeps(const struct fence_table *keep, int ifindex)
{
	for (size_t i = 0; keep && i < keep->interface_count; i++) {
		if (keep->interfaces[i].ifindex == ifindex)
			return true;
	}
	return false;
}

int fence_watch_sweep(struct fence_tc *tc, const struct fence_table *keep)
{
	struct if_nameindex *all = if_nameindex();
	int removed = 0, error = 0;

	if (!all) {
		error = -errno;
		log_error("fence: cannot list the interfaces: %s; programs may be left attached",
			  log_strerror(error));
		return error;
	}
	for (struct if_nameindex *one = all; one->if_index != 0; one++) {
		int result = keeps(keep, (int)one->if_index)
				     ? 0
				     : fence_tc_remove(tc, (int)one->if_index);

		if (result >= 0) {
			removed += result;
			continue;
		}
		log_error("fence: %s stays fenced: %s; 'tc filter show dev %s ingress' and 'egress' "
			  "tell what is there", one->if_name, fence_tc_why(tc), one->if_name);
		error = error == 0 ? result : error;
	}
	if_freenameindex(all);
	return error != 0 ? error : removed;
}

void fence_check(struct fence *fence, fence_news_handler handler, void *context)
{
	for (size_t i = 0; i < fence->table.interface_count; i++)
		fence_watch_look(fence, &fence->table.interfaces[i], false, handler, context);
}

int fence_fd(const struct fence *fence)
{
	return fence_tc_events_fd(fence->events);
}

void fence_dispatch(struct fence *fence, fence_news_handler handler, void *context)
{
	if (!fence_tc_events_read(fence->events))
		return;
	for (size_t i = 0; i < fence->table.interface_count; i++)
		fence_watch_look(fence, &fence->table.interfaces[i], true, handler, context);
}
