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

bool links_take_refusal(struct links *links, uint8_t link)
{
	bool refused = links->items[link].refused;

	links->items[link].refused = false;
	return refused;
}

/* True if it is time to log it: it is new, or of another kind, or was not told for long. */
static bool note_trouble(struct links_trouble *trouble, int error, int64_t now_ns)
{
	bool tell = trouble->error != error ||
		    now_ns >= hbd_time_add(trouble->logged_ns, REPEAT_LOG_NS);

	trouble->error = error;
	trouble->count = tell ? 0 : trouble->count + 1;
	if (tell)
		trouble->logged_ns = now_ns;
	return tell;
}

/* True if there was trouble until now. */
static bool end_trouble(struct links_trouble *trouble)
{
	bool was = trouble->error != 0;

	trouble->error = 0;
	trouble->count = 0;
	return was;
}

void links_note(struct links *links, uint8_t link, bool present, bool recreated, int64_t now_ns)
{
	struct link *item = &links->items[link];
	char name[LINKS_NAME_BYTES];

	links_name(links, link, name);
	if (present != item->present)
		log_line(present ? LOG_NOTICE : LOG_WARNING, NULL, "link %s: %s", name,
			 present ? "interface and address are there"
				 : "interface without carrier, missing, or without the address; "
				   "waiting for it");
	item->present = present;
	if (recreated) {
		log_notice("link %s: the interface is a new one; asking for a new socket", name);
		close_link(links, item);
		item->outdated = item->asked;
	}
	if (item->fd < 0)
		item->ask_ns = present ? now_ns : HBD_NEVER_NS;
}

void links_send(struct links *links, uint8_t link, const uint8_t *bytes, size_t length,
		int64_t now_ns)
{
	struct link *item = &links->items[link];
	char name[LINKS_NAME_BYTES];
	int r;

	if (item->fd < 0)
		return;
	r = udp_send(item->fd, bytes, length);
	if (r == -ECONNREFUSED)
		item->refused = true;
	if (r == 0 || r == -ECONNREFUSED) {
		if (end_trouble(&item->sending))
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
			    links_name(links, link, name), log_strerror(r), before);
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
	char name[LINKS_NAME_BYTES];

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
		end_trouble(&item->sending);
		end_trouble(&item->opening);
		log_notice("link %s: has a socket", name);
		return;
	}
	if (fd >= 0)
		close(fd);
	item->ask_ns = error == -ESTALE ? now_ns : hbd_time_add(now_ns, ASK_AGAIN_NS);
	if (error != -ESTALE && note_trouble(&item->opening, error != 0 ? error : -EIO, now_ns))
		log_warning("link %s: cannot open its socket: %s; trying again every second", name,
			    log_strerror(item->opening.error));
}

int64_t links_deadline_ns(const struct links *links, int64_t now_ns)
{
	int64_t deadline_ns = HBD_NEVER_NS;

	for (uint8_t i = 0; i < links->count; i++) {
		const struct link *item = &links->items[i];

		if (item->fd < 0 && !item->asked && item->present)
			deadline_ns = hbd_time_min(deadline_ns, item->ask_ns);
		if (item->resting)
			deadline_ns = hbd_time_min(deadline_ns, now_ns + FLOOD_REST_NS);
	}
	return deadline_ns;
}
