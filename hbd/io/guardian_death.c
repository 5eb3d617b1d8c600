/*
 * The engine is dead: make sure that its addresses are, too, and only then let the peer know.
 *
 * The order is what keeps an address from being on both nodes; the speed is what the client sees.
 */
#include "guardian_parts.h"

#include <string.h>
#include <unistd.h>

#include "../base/log.h"
#include "clock.h"
#include "udp.h"
#include "vip.h"

#define WILL_TIMES 3
#define WILL_GAP_US 2000
#define TIMER_ACCURACY_US 100

static void close_wills(struct wills *wills)
{
	for (uint8_t i = 0; i < HBD_LINKS_MAX; i++) {
		if (wills->lengths[i] > 0)
			close(wills->fds[i]);
		wills->lengths[i] = 0;
	}
	wills->timer = sd_event_source_disable_unref(wills->timer);
}

/* The will of a link, if there is a whole one and a socket to send it by. */
static bool take_will(struct guardian *guardian, uint8_t link)
{
	const struct shared_will *will = &guardian->shared->wills[link];
	uint32_t length = atomic_load_explicit(&will->length, memory_order_acquire);
	const char *what = "";
	int result;

	if (length == 0 || length > HBD_PACKET_BYTES_MAX)
		return false;
	result = udp_open(guardian->conf, guardian->self, link, &guardian->wills.fds[link], &what);
	if (result < 0) {
		log_warning("guardian: link %u: cannot send the last will: cannot %s: %s", link, what,
			    log_strerror(result));
		return false;
	}
	memcpy(guardian->wills.bytes[link], will->bytes, length);
	guardian->wills.lengths[link] = (uint16_t)length;
	return true;
}

static void send_wills(struct wills *wills)
{
	for (uint8_t i = 0; i < HBD_LINKS_MAX; i++) {
		if (wills->lengths[i] > 0)
			udp_send(wills->fds[i], wills->bytes[i], wills->lengths[i]);
	}
	wills->sent++;
}

/* A packet can be lost, and this one is worth more than others. */
static int on_will_timer(sd_event_source *source, uint64_t when_us, void *context)
{
	struct guardian *guardian = context;

	(void)when_us;
	send_wills(&guardian->wills);
	if (guardian->wills.sent >= WILL_TIMES) {
		close_wills(&guardian->wills);
		return 0;
	}
	sd_event_source_set_time_relative(source, WILL_GAP_US);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

/* How many links it went out on. */
static unsigned send_last_will(struct guardian *guardian)
{
	struct wills *wills = &guardian->wills;
	unsigned count = 0;

	close_wills(wills);
	for (uint8_t i = 0; i < guardian->conf->nodes[guardian->self].link_count; i++)
		count += take_will(guardian, i);
	if (count == 0)
		return 0;
	wills->sent = 0;
	send_wills(wills);
	if (sd_event_add_time_relative(guardian->loop, &wills->timer, CLOCK_MONOTONIC, WILL_GAP_US,
				       TIMER_ACCURACY_US, on_will_timer, guardian) < 0)
		close_wills(wills);
	else
		sd_event_source_set_priority(wills->timer, GUARDIAN_PRIORITY_DEATH);
	return count;
}

void guardian_engine_bury(struct guardian *guardian, const char *how)
{
	int64_t start_ns = clock_now_ns();
	unsigned links = 0;
	int removed;

	guardian_fence_mute(guardian);
	removed = vip_sweep(guardian->conf, false);
	guardian->engine.swept = true;
	if (removed >= 0)
		links = send_last_will(guardian);
	guardian_runs_abandon(guardian);
	guardian_drain_end(guardian);
	if (removed < 0)
		log_error("the engine died: %s; its addresses could not be removed: %s; they vanish "
			  "with their lifetime, and the peer takes over by itself", how,
			  log_strerror(removed));
	else
		log_error("the engine died: %s; removed %d addresses and told the peer on %u links, "
			  "%.1f ms later", how, removed, links,
			  (double)(clock_now_ns() - start_ns) / (double)HBD_MS_NS);
	guardian_alert(guardian, HBD_ALERT_ENGINE_DIED, HBD_SEVERITY_CRITICAL, how);
	guardian_record_flight(guardian);
}
