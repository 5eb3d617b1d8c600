/* What the hands say of addresses: refused, or added by somebody else. */
#include <stdio.h>
#include <string.h>

#include "../base/log.h"
#include "executor.h"
#include "executor_tell.h"

static void tell_refusal(const struct executor *executor, uint8_t group,
			 const struct vip_refusal *refusal)
{
	const struct hbd_conf_group *conf = &executor->conf->groups[group];
	const struct log_fields fields = { .group = conf->name };
	char text[INET6_ADDRSTRLEN];

	if (refusal->count == 0) {
		log_line(LOG_NOTICE, &fields, "%s: the kernel refuses none of its addresses any more",
			 conf->name);
		return;
	}
	log_line(LOG_ERR, &fields, "%s: the kernel refuses %zu of %zu addresses here, %s on %s: %s; "
		 "trying again by itself%s%s", conf->name, refusal->count, conf->vip_count,
		 hbd_address_text(&conf->vips[refusal->vip_index].address, text),
		 conf->vips[refusal->vip_index].interface, refusal->why,
		 refusal->remedy[0] ? "; what ends that: " : "", refusal->remedy);
}

static void report_fault(struct executor *executor, uint8_t group, enum hbd_fault fault, bool present)
{
	const struct hbd_event event = {
		.type = HBD_EVENT_FAULT,
		.group = group,
		.fault = { .fault = fault, .present = present },
	};

	event_queue_put(executor->events, &event);
}

/* The worse one first: no fault is healed by another. */
void executor_take_refusal(struct executor *executor, const struct hands_report *report)
{
	size_t total = executor->conf->groups[report->group].vip_count;
	size_t count = report->refusal.count;
	struct vip_refusal *refusal = &executor->groups[report->group].refusal;

	tell_refusal(executor, report->group, &report->refusal);
	if (count == 0)
		refusal->count = 0;
	else
		*refusal = report->refusal;
	if (count > 0 && count < total)
		report_fault(executor, report->group, HBD_FAULT_PARTLY, true);
	report_fault(executor, report->group, HBD_FAULT_REFUSED, count == total);
	if (count == 0 || count == total)
		report_fault(executor, report->group, HBD_FAULT_PARTLY, false);
}

static void tell_stray(const struct executor *executor, const struct vip_news *news)
{
	const struct hbd_conf_group *group = &executor->conf->groups[news->group];
	const struct log_fields fields = { .group = group->name };
	char text[INET6_ADDRSTRLEN], more[64] = "";

	hbd_address_text(&group->vips[news->vip_index].address, text);
	if (news->untold > 1)
		snprintf(more, sizeof(more), " (%zu times since the last such line)", news->untold);
	if (news->type == VIP_NEWS_ELSEWHERE)
		log_line(LOG_WARNING, &fields, "%s: %s is on %s, where hbd has not added it; it is left "
			 "there", group->name, text, news->interface);
	else if (news->error == 0)
		log_line(LOG_WARNING, &fields, "%s: removed %s from %s, where somebody else had added "
			 "it, since this node does not own it%s", group->name, text,
			 news->interface, more);
	else
		log_line(LOG_ERR, &fields, "%s: cannot remove %s from %s, where somebody else had added "
			 "it: %s; trying again", group->name, text, news->interface,
			 log_strerror(news->error));
}

static void fill_stray_record(const struct executor *executor, const struct vip_news *news,
			      struct record_alert *ret_alert)
{
	const struct hbd_conf_group *group = &executor->conf->groups[news->group];
	char text[INET6_ADDRSTRLEN];

	executor_blank_record(executor, ret_alert);
	ret_alert->kind = news->type == VIP_NEWS_STRAY ? HBD_ALERT_STRAY : HBD_ALERT_ELSEWHERE;
	ret_alert->severity = HBD_SEVERITY_WARNING;
	ret_alert->role = executor->node->groups[news->group].role;
	memcpy(ret_alert->group, group->name, HBD_NAME_BYTES);
	snprintf(ret_alert->detail, sizeof(ret_alert->detail), "%s on %s",
		 hbd_address_text(&group->vips[news->vip_index].address, text), news->interface);
}

void executor_take_stray(struct executor *executor, const struct vip_news *news)
{
	struct record_alert record;

	tell_stray(executor, news);
	fill_stray_record(executor, news, &record);
	outbox_alert(executor->outbox, &record);
}
