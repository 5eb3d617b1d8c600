/*
 * Asked to stop, is it for a restart? The service manager knows: its unit has a job of that type. It
 * is asked over the system's bus, and never waited for; without a bus or an answer in time it is for
 * good.
 */
#include "guardian_parts.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "../base/log.h"

#define ANSWER_US 200000	/* for each of three questions */
#define SERVICE "org.freedesktop.systemd1"
#define PLACE "/org/freedesktop/systemd1"

void guardian_job_close(struct guardian *guardian)
{
	sd_bus_slot_unref(guardian->job.slot);
	if (guardian->job.bus)
		sd_bus_detach_event(guardian->job.bus);
	sd_bus_close_unref(guardian->job.bus);
	guardian->job = (struct guardian_job){ 0 };
}

static int decide(struct guardian *guardian, bool restart)
{
	if (guardian->stop != STOP_ASKING)
		return 0;
	guardian->stop = STOP_UNSET;
	guardian_stop_decide(guardian, restart);
	return 0;
}

static int fail(struct guardian *guardian, const char *what, int error)
{
	log_debug("guardian: cannot ask the service manager for %s: %s; stopping for good", what,
		  log_strerror(error));
	return decide(guardian, false);
}

/* 0, or what the answer says that went wrong. */
static int check_answer(sd_bus_message *answer)
{
	return sd_bus_message_is_method_error(answer, NULL) ? -sd_bus_message_get_errno(answer) : 0;
}

static int ask_property(struct guardian *guardian, const char *path, const char *interface,
			const char *name, sd_bus_message_handler_t handler)
{
	sd_bus_message *call = NULL;
	int result = sd_bus_message_new_method_call(guardian->job.bus, &call, SERVICE, path,
						    "org.freedesktop.DBus.Properties", "Get");

	if (result >= 0)
		result = sd_bus_message_append(call, "ss", interface, name);
	guardian->job.slot = sd_bus_slot_unref(guardian->job.slot);
	if (result >= 0)
		result = sd_bus_call_async(guardian->job.bus, &guardian->job.slot, call, handler,
					   guardian, ANSWER_US);
	sd_bus_message_unref(call);
	return result;
}

static int on_type(sd_bus_message *answer, void *context, sd_bus_error *error)
{
	const char *type = "";
	int result = check_answer(answer);

	(void)error;
	if (result >= 0)
		result = sd_bus_message_read(answer, "v", "s", &type);
	if (result < 0)
		return fail(context, "its job's type", result);
	return decide(context, strcmp(type, "restart") == 0);
}

static int on_job(sd_bus_message *answer, void *context, sd_bus_error *error)
{
	const char *path = NULL;
	uint32_t id = 0;
	int result = check_answer(answer);

	(void)error;
	if (result >= 0)
		result = sd_bus_message_read(answer, "v", "(uo)", &id, &path);
	if (result >= 0 && id == 0)
		return decide(context, false);
	if (result >= 0)
		result = ask_property(context, path, SERVICE ".Job", "JobType", on_type);
	return result < 0 ? fail(context, "its job", result) : 0;
}

static int on_unit(sd_bus_message *answer, void *context, sd_bus_error *error)
{
	const char *path = NULL;
	int result = check_answer(answer);

	(void)error;
	if (result >= 0)
		result = sd_bus_message_read(answer, "o", &path);
	if (result >= 0)
		result = ask_property(context, path, SERVICE ".Unit", "Job", on_job);
	return result < 0 ? fail(context, "its unit", result) : 0;
}

int guardian_job_ask(struct guardian *guardian)
{
	sd_bus_message *call = NULL;
	int result;

	if (guardian->notify.fd < 0)
		return -ENOTCONN;
	result = sd_bus_open_system(&guardian->job.bus);
	if (result >= 0)
		result = sd_bus_attach_event(guardian->job.bus, guardian->loop,
					     GUARDIAN_PRIORITY_MESSAGES);
	if (result >= 0)
		result = sd_bus_message_new_method_call(guardian->job.bus, &call, SERVICE, PLACE,
							SERVICE ".Manager", "GetUnitByPID");
	if (result >= 0)
		result = sd_bus_message_append(call, "u", (uint32_t)getpid());
	if (result >= 0)
		result = sd_bus_call_async(guardian->job.bus, &guardian->job.slot, call, on_unit,
					   guardian, ANSWER_US);
	sd_bus_message_unref(call);
	if (result < 0) {
		guardian_job_close(guardian);
		return result;
	}
	guardian->stop = STOP_ASKING;
	return 0;
}
