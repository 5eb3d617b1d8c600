#include "links.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/log.h"
#include "../core/time.h"

#define REPEAT_LOG_NS (60 * HBD_S_NS)
#define ASK_AGAIN_NS HBD_S_NS
#define CALM_NS (10 * HBD_S_NS)
#define PRESENCE_LINES 6 /* within REPEAT_LOG_NS at once; then each CALM_NS */

/* More than that many datagrams in one turn are a flood. Resting bounds what reading it costs, and
 * is so short that the receive buffer holds what comes meanwhile. */
#define FLOOD_DATAGRAMS 64
#define FLOOD_REST_NS (250 * HBD_US_NS)

int links_open(struct links *links, const struct hbd_conf *conf, uint8_t self, const int *fds,
	       struct loop *loop)
{
	int r = 0;

	memset(links, 0, sizeof(*links));
	links->conf = conf;
	links->self = self;
	links->count = conf->nodes[self].link_count;
	links->loop = loop;
	for (uint8_t i = 0; i < links->count; i++) {
		links->items[i].fd = fds[i];
		links->items[i].ask_ns = fds[i] < 0 ? 0 : HBD_NEVER_NS;
		if (fds[i] >= 0 && r == 0)
			r = loop_watch(loop, i, fds[i]);
	}
	return r;
}

static void close_link(struct links *links, struct link *link)
{
	if (link->fd < 0)
		return;
	loop_unwatch(links->loop, link->fd);
	close(link->fd);
	link->fd = -1;
	link->resting = false;
	link->overflow = 0;
}

void links_close(struct links *links)
{
	for (uint8_t i = 0; i < links->count; i++)
		close_link(links, &links->items[i]);
}

int links_leave(struct links *links, uint8_t link)
{
	int fd = links->items[link].fd;

	if (fd >= 0)
		loop_unwatch(links->loop, fd);
	links->items[link].fd = -1;
	return fd;
}

const char *links_name(const struct links *links, uint8_t link, char *text)
{
	const struct hbd_conf_link *conf = &links->conf->nodes[links->self].links[link];
	char address[INET6_ADDRSTRLEN];

	snprintf(text, LINKS_NAME_BYTES, "%s%%%s", hbd_address_text(&conf->address, address),
		 conf->interface);
	return text;
}

bool links_usable(const struct links *links, uint8_t link)
{
	const struct link *item = &links->items[link];

	return item->fd >= 0 && item->present && item->sending.error == 0;
}

bool links_closed(const struct links *links, uint8_t link)
{
	return links->items[link].fd < 0;
}

/* Why there is no socket, so that it is known what to do. */
static const char *opening_text(const struct links *links, int error, char *text, size_t bytes)
{
	if (error == -EADDRINUSE)
		snprintf(text, bytes, "its UDP port %u is in use by another program ('ss -lunp' shows "
			 "which)", links->conf->port);
	else if (error == -EADDRNOTAVAIL)
		snprintf(text, bytes, "its address is not on this host");
	else
		snprintf(text, bytes, "%s", log_strerror(error));
	return text;
}

/* Likewise why it cannot send. */
static const char *sending_text(const struct links *links, uint8_t link, int error, char *text,
				size_t bytes)
{
	const char *interface = links->conf->nodes[links->self].links[link].interface;

	if (error == -EMSGSIZE)
		snprintf(text, bytes, "the MTU of %s is too small for heartbeats ('ip link set dev %s "
			 "mtu 1500' ends that)", interface, interface);
	else if (error == -EAGAIN)
		snprintf(text, bytes, "the peer's address does not answer there (ARP, neighbor "
			 "discovery), or %s is jammed", interface);
	else
		snprintf(text, bytes, "%s", log_strerror(error));
	return text;
}

const char *links_trouble(const struct links *links, uint8_t link, char *text)
{
	const struct link *item = &links->items[link];
	char why[LINKS_TROUBLE_BYTES];

	if (links_usable(links, link))
		return NULL;
	if (item->lacks)
		snprintf(text, LINKS_TROUBLE_BYTES, "%s", item->lacks);
	else if (item->fd >= 0 && item->sending.error != 0)
		snprintf(text, LINKS_TROUBLE_BYTES, "it cannot send: %.*s",
			 LINKS_TROUBLE_BYTES - (int)sizeof("it cannot send: "),
			 sending_text(links, link, item->sending.error, why, sizeof(why)));
	else if (item->fd < 0 && item->opening.error != 0)
		opening_text(links, item->opening.error, text, LINKS_TROUBLE_BYTES);
	else
		snprintf(text, LINKS_TROUBLE_BYTES, "it is being opened");
	return text;
}

bool links_take_refusal(struct links *links, uint8_t link)
{
	bool refused = links->items[link].refused;

	links->items[link].refused = false;
	return refused;
}

/* True if it is time to log it: it is new, or of another kind, or was not told for long. That
 * nobody is there to send to is told once: it may last for days. */
static bool note_trouble(struct links_trouble *trouble, int error, int64_t now_ns)
{
	bool again = error != -EAGAIN &&
		     now_ns >= hbd_time_add(trouble->logged_ns, REPEAT_LOG_NS);
	bool tell = trouble->told != error || again;

	trouble->error = error;
	trouble->noted_ns = now_ns;
	trouble->count = tell ? 0 : trouble->count + 1;
	if (!tell)
		return false;
	trouble->told = error;
	trouble->logged_ns = now_ns;
	return true;
}

/* True if it is time to log that it is over. With a peer that is away sending works and fails by
 * turns, since the kernel drops what waits for the answer to each of its questions. */
static bool end_trouble(struct links_trouble *trouble, int64_t now_ns)
{
	trouble->error = 0;
	if (trouble->told == 0 || now_ns < hbd_time_add(trouble->noted_ns, CALM_NS))
		return false;
	*trouble = (struct links_trouble){ 0 };
	return true;
}

/* When it may be logged; now, unless it was too often. */
static int64_t presence_ns(const struct links_presence *presence, int64_t now_ns)
{
	bool often = presence->lines >= PRESENCE_LINES &&
		     now_ns < hbd_time_add(presence->since_ns, REPEAT_LOG_NS);

	return often ? hbd_time_add(presence->told_ns, CALM_NS) : now_ns;
}

/* True if it may be logged now; then it counts as done. */
static bool take_line(struct links_presence *presence, int64_t now_ns)
{
	if (now_ns < presence_ns(presence, now_ns)) {
		presence->changes++;
		return false;
	}
	if (now_ns >= hbd_time_add(presence->since_ns, REPEAT_LOG_NS)) {
		presence->since_ns = now_ns;
		presence->lines = 0;
	}
	presence->lines++;
	presence->told_ns = now_ns;
	return true;
}

static void tell_presence(struct links *links, uint8_t link)
{
	struct link *item = &links->items[link];
	char name[LINKS_NAME_BYTES], more[80] = "";

	if (item->presence.changes > 0)
		snprintf(more, sizeof(more), " (it came and went: %" PRIu64
			 " changes since the last line)", item->presence.changes);
	item->presence.changes = 0;
	item->presence.told = item->lacks;
	if (item->lacks)
		log_warning("link %s: %s; waiting for it%s", links_name(links, link, name),
			    item->lacks, more);
	else
		log_notice("link %s: interface and address are there%s",
			   links_name(links, link, name), more);
}

void links_tell(struct links *links, int64_t now_ns)
{
	for (uint8_t i = 0; i < links->count; i++) {
		struct link *item = &links->items[i];

		if (item->presence.changes > 0 &&
		    now_ns >= presence_ns(&item->presence, now_ns) &&
		    take_line(&item->presence, now_ns))
			tell_presence(links, i);
	}
}

void links_note(struct links *links, uint8_t link, const char *lacks, bool recreated, int64_t now_ns)
{
	struct link *item = &links->items[link];
	char name[LINKS_NAME_BYTES];
	bool changed = lacks != item->lacks;

	item->lacks = lacks;
	item->present = lacks == NULL;
	if (changed && take_line(&item->presence, now_ns))
		tell_presence(links, link);
	if (recreated) {
		if (take_line(&item->presence, now_ns))
			log_notice("link %s: the interface is a new one; asking for a new socket",
				   links_name(links, link, name));
		close_link(links, item);
		item->outdated = item->asked;
	}
	if (item->fd < 0)
		item->ask_ns = item->present ? now_ns : HBD_NEVER_NS;
}

void links_send(struct links *links, uint8_t link, const uint8_t *bytes, size_t length,
		int64_t now_ns)
{
	struct link *item = &links->items[link];
	char name[LINKS_NAME_BYTES], why[LINKS_TROUBLE_BYTES];
	int r;

	if (item->fd < 0)
		return;
	r = udp_send(item->fd, bytes, length);
	if (r == -ECONNREFUSED)
		item->refused = true;
	if (r == 0 || r == -ECONNREFUSED) {
		if (end_trouble(&item->sending, now_ns))
			log_notice("link %s: sending works again", links_name(links, link, name));
		return;
	}
	/* while the interface is away this is no news */
	if (!item->present)
		return;

	uint64_t before = item->sending.count;

	if (note_trouble(&item->sending, r, now_ns))
		log_warning("link %s: cannot send: %s (%" PRIu64
			    " more since the last line); going "
			    "on with the other links and trying again with every heartbeat",
			    links_name(links, link, name),
			    sending_text(links, link, r, why, sizeof(why)), before);
}

static void tell_overflow(struct links *links, uint8_t link, uint32_t before, int64_t now_ns)
{
	struct link *item = &links->items[link];
	char name[LINKS_NAME_BYTES];

	if (item->overflow != before && note_trouble(&item->overflowing, -ENOBUFS, now_ns))
		log_warning("link %s: flooded: the kernel dropped %" PRIu32 " datagrams that hbd "
			    "could not read in time since the socket was opened",
			    links_name(links, link, name), item->overflow);
}

int links_receive(struct links *links, uint8_t link, const struct loop_turn *turn,
		  struct udp_datagram *datagrams)
{
	struct link *item = &links->items[link];
	uint32_t before = item->overflow;
	int count;

	if (item->fd < 0 || !(loop_is_ready(turn, link) || item->resting))
		return 0;
	count = udp_receive(item->fd, &turn->clock, turn->previous_ns, datagrams, &item->overflow);
	if (count == -ECONNREFUSED) {
		/* that came in place of what waits */
		item->refused = true;
		count = udp_receive(item->fd, &turn->clock, turn->previous_ns, datagrams,
				    &item->overflow);
	}
	tell_overflow(links, link, before, turn->clock.boot_ns);
	/* what else goes wrong goes wrong when sending, too, and is told there */
	return count < 0 ? 0 : count;
}

void links_pace(struct links *links, uint8_t link, size_t count)
{
	struct link *item = &links->items[link];
	bool rest = count > FLOOD_DATAGRAMS;

	if (item->fd < 0 || rest == item->resting)
		return;
	item->resting = rest;
	loop_rest(links->loop, link, item->fd, rest);
}

int links_due(struct links *links, int64_t now_ns)
{
	for (uint8_t i = 0; i < links->count; i++) {
		struct link *item = &links->items[i];

		if (item->fd >= 0 || item->asked || !item->present || now_ns < item->ask_ns)
			continue;
		item->asked = true;
		return i;
	}
	return -1;
}

void links_take(struct links *links, uint8_t link, int fd, int error, int64_t now_ns)
{
	struct link *item = &links->items[link];
	char name[LINKS_NAME_BYTES], why[LINKS_TROUBLE_BYTES];

	links_name(links, link, name);
	item->asked = false;
	close_link(links, item);
	if (fd >= 0 && item->outdated)
		error = -ESTALE;
	else if (fd >= 0)
		error = loop_watch(links->loop, link, fd);
	item->outdated = false;
	if (fd >= 0 && error == 0) {
		item->fd = fd;
		item->ask_ns = HBD_NEVER_NS;
		item->sending = (struct links_trouble){ 0 };
		item->opening = (struct links_trouble){ 0 };
		/* of an interface that is made anew in a loop the summary tells */
		if (item->presence.changes == 0)
			log_notice("link %s: has a socket", name);
		return;
	}
	if (fd >= 0)
		close(fd);
	item->ask_ns = error == -ESTALE ? now_ns : hbd_time_add(now_ns, ASK_AGAIN_NS);
	if (error != -ESTALE && note_trouble(&item->opening, error != 0 ? error : -EIO, now_ns))
		log_warning("link %s: cannot open its socket: %s; trying again every second", name,
			    opening_text(links, item->opening.error, why, sizeof(why)));
}

int64_t links_deadline_ns(const struct links *links, int64_t now_ns)
{
	int64_t deadline_ns = HBD_NEVER_NS;

	for (uint8_t i = 0; i < links->count; i++) {
		const struct link *item = &links->items[i];

		if (item->fd < 0 && !item->asked && item->present)
			deadline_ns = hbd_time_min(deadline_ns, item->ask_ns);
		if (item->presence.changes > 0)
			deadline_ns = hbd_time_min(deadline_ns,
						   presence_ns(&item->presence, now_ns));
		if (item->resting)
			deadline_ns = hbd_time_min(deadline_ns, now_ns + FLOOD_REST_NS);
	}
	return deadline_ns;
}
