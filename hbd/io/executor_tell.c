#include "executor_tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../base/log.h"
#include "../base/log_ids.h"

/* A text of limited room that grows; what does not fit is cut. */
struct words {
	char *text;
	size_t room, length;
};

static __attribute__((format(printf, 2, 3))) void say(struct words *words, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(words->text + words->length, words->room - words->length, format, arguments);
	va_end(arguments);
	if (n > 0)
		words->length += (size_t)n;
	if (words->length >= words->room)
		words->length = words->room - 1;
}

static int change_priority(const struct hbd_action *action)
{
	if (action->changed.to == HBD_ROLE_FAULT || action->reason == HBD_REASON_LEASE_LOST ||
	    action->reason == HBD_REASON_PEER_OUTRANKS)
		return LOG_WARNING;
	return LOG_NOTICE;
}

void executor_tell_change(const struct executor *executor, const struct hbd_action *action)
{
	const char *group = executor->conf->groups[action->group].name;
	const struct log_fields fields = {
		.message_id = LOG_ID_ROLE_CHANGED,
		.group = group,
		.reason = hbd_reason_text(action->reason),
		.epoch = action->epoch,
	};

	log_line(change_priority(action), &fields, "%s: %s is %s now, was %s: %s", group,
		 executor->conf->nodes[executor->self].name, hbd_role_text(action->changed.to),
		 hbd_role_text(action->changed.from), hbd_reason_sentence(action->reason));
}

static void name_interfaces(struct words *words, const struct hbd_conf_group *group)
{
	const char *last = "";

	say(words, "interface ");
	for (size_t i = 0; i < group->vip_count; i++) {
		if (strcmp(group->vips[i].interface, last) == 0)
			continue;
		say(words, "%s%s", last[0] ? " or " : "", group->vips[i].interface);
		last = group->vips[i].interface;
	}
}

static void name_address(struct words *words, const struct executor *executor, uint8_t index)
{
	const struct executor_group *state = &executor->groups[index];
	const struct hbd_conf_group *group = &executor->conf->groups[index];
	char text[INET6_ADDRSTRLEN];

	if (state->failure == 0 || state->failed_step != HBD_STEPS_MAX ||
	    state->failed_vip >= group->vip_count) {
		say(words, "an address");
		return;
	}
	say(words, "address %s on %s: %s",
	    hbd_address_text(&group->vips[state->failed_vip].address, text),
	    group->vips[state->failed_vip].interface, log_strerror(state->failure));
}

/* "address fd77::100 on eth0 and 2 more (Permission denied: ...; 'sysctl ...' ends it)". */
static void name_refusal(struct words *words, const struct executor *executor, uint8_t index)
{
	const struct vip_refusal *refusal = &executor->groups[index].refusal;
	const struct hbd_conf_vip *vip = &executor->conf->groups[index].vips[refusal->vip_index];
	char text[INET6_ADDRSTRLEN];

	say(words, "address %s on %s", hbd_address_text(&vip->address, text), vip->interface);
	if (refusal->count > 1)
		say(words, " and %zu more", refusal->count - 1);
	if (refusal->count > 0)
		say(words, " refused by the kernel (%s)%s%s%s", refusal->why,
		    refusal->remedy[0] ? "; '" : "", refusal->remedy,
		    refusal->remedy[0] ? "' ends that" : "");
}

static void name_checks(struct words *words, const struct executor *executor, uint8_t index)
{
	const struct executor_check *checks = executor->groups[index].checks;
	const struct hbd_conf_group *group = &executor->conf->groups[index];
	const char *separator = "";

	say(words, "check ");
	for (uint8_t i = 0; i < group->check_count; i++) {
		if (!checks[i].known || checks[i].good)
			continue;
		say(words, "%s%s%s%s", separator, group->checks[i].name,
		    checks[i].detail[0] ? ": " : "", checks[i].detail);
		separator = ", ";
	}
	/* by the time a fault is healed none is bad any more */
	if (!separator[0])
		say(words, "good again");
}

static void name_faults(struct words *words, const struct executor *executor,
			const struct hbd_action *action)
{
	bool healed = action->alert.kind == HBD_ALERT_HEALED;

	if (action->alert.faults & HBD_FAULT_INTERFACE) {
		name_interfaces(words, &executor->conf->groups[action->group]);
		say(words, "%s", healed ? "; " : " missing, down or without carrier; ");
	}
	if (action->alert.faults & HBD_FAULT_ADDRESS) {
		name_address(words, executor, action->group);
		say(words, "; ");
	}
	if (action->alert.faults & (HBD_FAULT_REFUSED | HBD_FAULT_PARTLY)) {
		name_refusal(words, executor, action->group);
		say(words, "; ");
	}
	if (action->alert.faults & HBD_FAULT_TAKEOVER)
		say(words, "a takeover plugin failed; ");
	if (action->alert.faults & HBD_FAULT_CHECK) {
		name_checks(words, executor, action->group);
		say(words, "; ");
	}
	/* what was cut off ends without it */
	if (words->length >= 2 && words->text[words->length - 2] == ';')
		words->text[words->length - 2] = '\0';
}

static void name_direction(struct words *words, const struct executor *executor, uint8_t link)
{
	const char *node = executor->conf->nodes[executor->self].name;
	const char *peer = executor->conf->nodes[1 - executor->self].name;
	char text[LINKS_TROUBLE_BYTES];
	const char *trouble;

	switch (hbd_detector_link(&executor->node->detector, link,
				  links_usable(executor->links, link), executor->node->now_ns)) {
	case HBD_LINK_RX_DEAD:
		say(words, " (%s receives nothing there)", node);
		break;
	case HBD_LINK_TX_DEAD:
		say(words, " (%s receives nothing that %s sends there)", peer, node);
		break;
	case HBD_LINK_UNUSABLE:
		trouble = links_trouble(executor->links, link, text);
		say(words, " (on %s: %s)", node, trouble ? trouble : "it was not usable");
		break;
	case HBD_LINK_UNSET:
	case HBD_LINK_UP:
	case HBD_LINK_LOSSY:
		break;
	}
}

/* The groups that the peer still answers for. */
static void name_answered(struct words *words, const struct executor *executor)
{
	const char *separator = "";

	for (uint8_t i = 0; i < executor->conf->group_count; i++) {
		if (!hbd_node_is_held_back(executor->node, i))
			continue;
		say(words, "%s%s", separator, executor->conf->groups[i].name);
		separator = ", ";
	}
}

/* The groups that this node, in maintenance, does not claim. */
static void name_unserved(struct words *words, const struct executor *executor)
{
	const char *separator = "";

	for (uint8_t i = 0; i < executor->conf->group_count; i++) {
		if (!hbd_node_leaves_unserved(executor->node, i))
			continue;
		say(words, "%s%s", separator, executor->conf->groups[i].name);
		separator = ", ";
	}
}

static void name_conflict(struct words *words, const struct hbd_conf_group *group,
			  const struct hbd_action *action)
{
	const uint8_t *mac = action->alert.station;
	char text[INET6_ADDRSTRLEN];

	if (action->address < group->vip_count)
		say(words, "%s on %s (%02x:%02x:%02x:%02x:%02x:%02x)",
		    hbd_address_text(&group->vips[action->address].address, text),
		    group->vips[action->address].interface, mac[0], mac[1], mac[2], mac[3], mac[4],
		    mac[5]);
}

static void name_detail(struct words *words, const struct executor *executor,
			const struct hbd_action *action)
{
	const struct hbd_conf_group *group =
		&executor->conf->groups[action->group % HBD_GROUPS_MAX];
	char name[LINKS_NAME_BYTES], address[INET6_ADDRSTRLEN];

	switch (action->alert.kind) {
	case HBD_ALERT_FAULT:
	case HBD_ALERT_HEALED:
		name_faults(words, executor, action);
		break;
	case HBD_ALERT_LINK_LOST:
		say(words, "%s", links_name(executor->links, action->link, name));
		name_direction(words, executor, action->link);
		break;
	case HBD_ALERT_LINK_BACK:
		say(words, "%s", links_name(executor->links, action->link, name));
		break;
	case HBD_ALERT_STOOD_STILL:
		say(words, "%lld ms", (long long)(action->alert.duration_ns / HBD_MS_NS));
		break;
	case HBD_ALERT_DAMPED:
		say(words, "%lld s", (long long)(action->alert.duration_ns / HBD_S_NS));
		break;
	case HBD_ALERT_UNHEARD:
		name_answered(words, executor);
		break;
	case HBD_ALERT_UNSERVED:
		name_unserved(words, executor);
		break;
	case HBD_ALERT_CONFLICT:
	case HBD_ALERT_CONTESTED:
	case HBD_ALERT_UNCONTESTED:
		name_conflict(words, group, action);
		break;
	case HBD_ALERT_ISOLATED:
		say(words, "%s", hbd_address_text(&group->gateway, address));
		break;
	case HBD_ALERT_PLUGIN_FAILED:
		say(words, "%s (%s)", group->takeover[action->alert.step].name,
		    executor->groups[action->group % HBD_GROUPS_MAX].failed_why);
		break;
	case HBD_ALERT_UNSET:
	case HBD_ALERT_TAKEOVER:
	case HBD_ALERT_RELEASED:
	case HBD_ALERT_PEER_LOST:
	case HBD_ALERT_PEER_BACK:
	case HBD_ALERT_TWO_OWNERS:
	case HBD_ALERT_CONFIG_DIFFERS:
	case HBD_ALERT_CONFIG_AGREES:
	case HBD_ALERT_KEY_MISMATCH:
	case HBD_ALERT_VERSION_MISMATCH:
	case HBD_ALERT_ADDRESS_RESTORED:
	case HBD_ALERT_REFUSED:
	case HBD_ALERT_NO_VOTE:
	case HBD_ALERT_WITNESS_LOST:
	case HBD_ALERT_WITNESS_BACK:
	case HBD_ALERT_NOT_TAKEN:
	case HBD_ALERT_MAINTENANCE:
	case HBD_ALERT_MAINTAINED:
	case HBD_ALERT_MAINTENANCE_OVER:
	case HBD_ALERT_ENGINE_DIED:
	case HBD_ALERT_UNFENCED:
	case HBD_ALERT_FENCED:
	case HBD_ALERT_STRAY:
	case HBD_ALERT_ELSEWHERE:
	case HBD_ALERT_COUNT:
		break;
	}
}

void executor_blank_record(const struct executor *executor, struct record_alert *ret_alert)
{
	enum hbd_peer_state state = hbd_node_peer_state(executor->node);

	memset(ret_alert, 0, sizeof(*ret_alert));
	ret_alert->realtime_ns = clock_read_pair().real_ns;
	memcpy(ret_alert->node, executor->conf->nodes[executor->self].name, HBD_NAME_BYTES);
	memcpy(ret_alert->peer, executor->conf->nodes[1 - executor->self].name, HBD_NAME_BYTES);
	ret_alert->peer_alive = state == HBD_PEER_ALIVE || state == HBD_PEER_SUSPICIOUS;
	ret_alert->peer_maintained = ret_alert->peer_alive && executor->node->peer_maintained;
}

void executor_alert_record(const struct executor *executor, const struct hbd_action *action,
			   struct record_alert *ret_alert)
{
	struct words words = { .text = ret_alert->detail, .room = sizeof(ret_alert->detail) };

	executor_blank_record(executor, ret_alert);
	ret_alert->kind = action->alert.kind;
	ret_alert->severity = action->alert.severity;
	ret_alert->reason = action->reason;
	ret_alert->epoch = action->epoch;
	if (action->group < executor->conf->group_count) {
		const struct hbd_group *group = &executor->node->groups[action->group];

		memcpy(ret_alert->group, executor->conf->groups[action->group].name,
		       HBD_NAME_BYTES);
		ret_alert->role = action->alert.kind == HBD_ALERT_FAULT ? action->alert.role
									 : group->role;
		if (group->peer.known && ret_alert->peer_alive) {
			ret_alert->peer_role = group->peer.role;
			ret_alert->peer_faulty = group->peer.flags &
						 (HBD_GROUP_FAULT_HARD | HBD_GROUP_FAULT_SOFT);
		}
	}
	name_detail(&words, executor, action);
}

static void say_clock(struct words *words, int64_t real_ns)
{
	time_t seconds = (time_t)(real_ns / HBD_S_NS);
	struct tm fields;
	char text[sizeof("2026-01-02 03:04:05")];

	/* the time zone was read at the start; this reads no file */
	if (localtime_r(&seconds, &fields) && strftime(text, sizeof(text), "%F %T", &fields) > 0)
		say(words, "%s", text);
}

static const char *peer_phrase(enum hbd_peer_state state, bool orphaned)
{
	switch (state) {
	case HBD_PEER_UNKNOWN:
		return "was not heard yet: no standby";
	case HBD_PEER_ALIVE:
	case HBD_PEER_SUSPICIOUS:
		return "is alive";
	case HBD_PEER_SILENT:
		return "is silent: no standby";
	case HBD_PEER_STOPPED:
		return orphaned ? "lost its guardian and ended: no standby" :
				  "was stopped: no standby";
	case HBD_PEER_DIED:
		return "died: no standby";
	case HBD_PEER_UNSET:
	case HBD_PEER_COUNT:
		break;
	}
	return "is in an unknown state";
}

void executor_tell_peer(const struct executor *executor, enum hbd_peer_state from,
			enum hbd_peer_state to)
{
	const struct log_fields fields = { .message_id = LOG_ID_PEER_CHANGED };
	bool orphaned = executor->node->peer_orphaned;

	if (peer_phrase(from, orphaned) != peer_phrase(to, orphaned))
		log_line(LOG_NOTICE, &fields, "peer: %s %s",
			 executor->conf->nodes[1 - executor->self].name, peer_phrase(to, orphaned));
}

static void say_stop(struct words *words, const struct executor *executor)
{
	const char *before = ": handing ";

	say(words, "stopping");
	for (uint8_t i = 0; i < executor->conf->group_count; i++) {
		if (!hbd_node_hands_over(executor->node, i))
			continue;
		say(words, "%s%s", before, executor->conf->groups[i].name);
		before = ", ";
	}
	if (*before == ',')
		say(words, " over to %s", executor->conf->nodes[1 - executor->self].name);
	say(words, "; ");
}

void executor_status_text(const struct executor *executor, int64_t now_ns, char *text)
{
	struct words words = { .text = text, .room = MESSAGE_TEXT_BYTES };
	int64_t real_ns = clock_read_pair().real_ns;

	text[0] = '\0';
	if (executor->node->stopping || executor->node->leave.on)
		say_stop(&words, executor);
	if (executor->node->maintenance.on)
		say(&words, "IN MAINTENANCE; ");
	say(&words, "%s %s; ", executor->conf->nodes[1 - executor->self].name,
	    executor->peer_maintained ? "is in maintenance: no standby" :
					peer_phrase(executor->peer_state,
						    executor->node->peer_orphaned));
	for (uint8_t i = 0; i < executor->conf->group_count; i++) {
		const struct hbd_group *group = &executor->node->groups[i];

		say(&words, "%s%s: %s since ", i > 0 ? ", " : "", executor->conf->groups[i].name,
		    hbd_role_text(group->role));
		say_clock(&words, real_ns - (now_ns - group->since_ns));
	}
}
