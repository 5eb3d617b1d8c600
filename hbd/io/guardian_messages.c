/* What the engine, the less privileged side, asks of the guardian; every word of it is checked. */
#include "guardian_parts.h"

#include <errno.h>
#include <unistd.h>

#include "../base/log.h"
#include "udp.h"

static void take_ready(struct guardian *guardian)
{
	if (guardian->engine.state != ENGINE_STARTING)
		return;
	guardian->engine.state = ENGINE_RUNNING;
	if (guardian->ready_told)
		return;
	guardian->ready_told = true;
	notify_send(&guardian->notify, "READY=1");
}

static void open_link(struct guardian *guardian, uint8_t link)
{
	struct message answer = { .type = MESSAGE_LINK_SOCKET, .link = link };
	const char *what = "";
	int fd = -1;

	if (link >= guardian->conf->nodes[guardian->self].link_count) {
		log_warning("guardian: the engine asks for link %u, which does not exist", link);
		return;
	}
	answer.error = udp_open(guardian->conf, guardian->self, link, &fd, &what);
	if (answer.error < 0)
		log_debug("guardian: link %u: cannot %s: %s", link, what,
			  log_strerror(answer.error));
	guardian_engine_tell(guardian, &answer, fd);
	if (fd >= 0)
		close(fd);
}

static void take_message(struct guardian *guardian, struct message *message)
{
	switch (message->type) {
	case MESSAGE_READY:
		take_ready(guardian);
		break;
	case MESSAGE_STATUS:
		message->text[MESSAGE_TEXT_BYTES - 1] = '\0';
		notify_status(&guardian->notify, message->text);
		break;
	case MESSAGE_RUN:
		guardian_run_start(guardian, message);
		break;
	case MESSAGE_CANCEL:
		guardian_run_cancel(guardian, message->run.id);
		break;
	case MESSAGE_LINK_OPEN:
		open_link(guardian, message->link);
		break;
	case MESSAGE_DRAIN:
		guardian_drain_take(guardian, message);
		break;
	case MESSAGE_WITNESS_STUCK:
		guardian_witness_end(guardian);
		break;
	case MESSAGE_LEFT:
		guardian_leave_over(guardian);
		break;
	case MESSAGE_STOPPED:
		guardian_stop_engine_released(guardian);
		break;
	case MESSAGE_PAUSED:
		if (!guardian_swap_take(guardian, message))
			guardian_hold_taken(guardian, message);
		break;
	case MESSAGE_UNSET:
	case MESSAGE_DONE:
	case MESSAGE_CHECK:
	case MESSAGE_LINK_SOCKET:
	case MESSAGE_WARM:
	case MESSAGE_LEAVE:
	case MESSAGE_STOP:
	case MESSAGE_PAUSE:
	case MESSAGE_RESUME:
	case MESSAGE_SPOOL:
	case MESSAGE_WITNESS:
	case MESSAGE_DRAINING:
	case MESSAGE_DIGEST:
	case MESSAGE_MAINTENANCE:
	case MESSAGE_FENCE:
		log_warning("guardian: ignoring a message of type %d from the engine",
			    (int)message->type);
		break;
	}
}

int guardian_on_message(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct guardian *guardian = context;
	struct message message;
	int attached, result;

	(void)events;
	result = message_receive(fd, &message, &attached);
	if (result == -EAGAIN)
		return 0;
	if (result == -EBADMSG) {
		log_warning("guardian: ignoring a malformed message from the engine");
		return 0;
	}
	if (result <= 0) {
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
		guardian_engine_hung_up(guardian);
		return 0;
	}
	if (message.type == MESSAGE_LINK_SOCKET) {
		guardian_swap_keep(guardian, message.link, attached);
		return 0;
	}
	if (attached >= 0)
		close(attached);
	take_message(guardian, &message);
	return 0;
}

void guardian_brief_engine(struct guardian *guardian)
{
	if (guardian->checks)
		check_set_repeat(guardian->checks);
	guardian_fence_tell(guardian);
	guardian_leave_repeat(guardian);
	guardian_witness_start(guardian);
	if (guardian->scribe.spool.type == MESSAGE_SPOOL)
		guardian_engine_tell(guardian, &guardian->scribe.spool, -1);
}
