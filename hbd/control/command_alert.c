#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../core/time.h"
#include "commands.h"
#include "status.h"

#define LOOK_USEC (50 * 1000)
#define WAIT_NS (30 * HBD_S_NS)

enum delivery {
	DELIVERY_UNSET = 0,
	DELIVERY_WAITING,	/* in the spool */
	DELIVERY_FAILING,	/* in the spool, and a try failed */
	DELIVERY_DONE,		/* the spool took it and is empty */
};

/* taken_before: what the spool had taken before the test alert. */
static enum delivery look(const json_t *status, int64_t taken_before)
{
	const json_t *alerts = json_object_get(status, "alerts");

	/* what is told of a failure is not of this alert's try until the spool has taken it */
	if (status_number(alerts, "taken") == taken_before)
		return DELIVERY_WAITING;
	if (status_number(alerts, "pending") > 0)
		return status_has(alerts, "detail") ? DELIVERY_FAILING : DELIVERY_WAITING;
	/* a restarted scribe counts from 0 again */
	return DELIVERY_DONE;
}

static int tell(enum delivery delivery, const json_t *alerts, int64_t took_ms)
{
	char detail[512];

	switch (delivery) {
	case DELIVERY_DONE:
		printf("The test alert was delivered after %" PRId64 " ms. Look whether it "
		       "arrived.\n", took_ms);
		return EXIT_DONE;
	case DELIVERY_FAILING:
		status_clean(status_string(alerts, "detail"), detail, sizeof(detail));
		printf("The test alert is in the spool, but delivery fails: %s.\n"
		       "hbd tries again until it is delivered; 'hbctl status' shows the state.\n",
		       detail);
		return EXIT_REFUSED;
	case DELIVERY_UNSET:
	case DELIVERY_WAITING:
		break;
	}
	if (status_number(alerts, "pending") > 0)
		printf("The test alert waits in the spool; 'hbctl status' shows the state.\n");
	else
		printf("Nothing was heard of the test alert: 'journalctl -u hbd' may know more.\n");
	return EXIT_REFUSED;
}

/* The whole reply of the daemon is the caller's; NULL after a complaint. */
static json_t *ask_status(const struct command_options *options, int *ret_exit)
{
	return command_ask(options->socket, json_pack("{s:s}", "command", "status"), ret_exit);
}

static int watch(const struct command_options *options, int64_t taken_before)
{
	int64_t begin_ns = command_now_ns();
	enum delivery delivery = DELIVERY_WAITING;
	int exit_status = EXIT_REFUSED;
	json_t *status = NULL;

	while (delivery == DELIVERY_WAITING && command_now_ns() - begin_ns < WAIT_NS) {
		json_decref(status);
		usleep(LOOK_USEC);
		status = ask_status(options, &exit_status);
		if (!status)
			return exit_status;
		delivery = look(status, taken_before);
	}
	const json_t *alerts = json_object_get(status, "alerts");
	if (options->json) {
		command_print_json(json_deep_copy(alerts));
		exit_status = delivery == DELIVERY_DONE ? EXIT_DONE : EXIT_REFUSED;
	} else {
		exit_status = tell(delivery, alerts, (command_now_ns() - begin_ns) / HBD_MS_NS);
	}
	json_decref(status);
	return exit_status;
}

static int send_test(const struct command_options *options, int64_t taken_before)
{
	int exit_status = EXIT_DONE;
	json_t *reply = command_ask(options->socket, json_pack("{s:s}", "command", "alert-test"),
				    &exit_status);

	if (!reply)
		return exit_status;
	json_decref(reply);
	return watch(options, taken_before);
}

int command_alert(const struct command_options *options, const char *what)
{
	static const char *const words[] = {"test"};
	int exit_status = EXIT_DONE;

	if (strcmp(what, "test") != 0) {
		command_complain_unknown("alert command", what, words, 1);
		return EXIT_CANNOT_ASK;
	}
	json_t *status = ask_status(options, &exit_status);
	if (!status)
		return exit_status;
	const json_t *alerts = json_object_get(status, "alerts");
	int64_t configured = status_number(alerts, "configured");
	int64_t taken = status_number(alerts, "taken");
	json_decref(status);
	if (configured == 0) {
		fprintf(stderr, "hbctl: no alert is configured, so nobody would get it. See "
				"\"alerts\" in hbd.conf(5).\n");
		return EXIT_REFUSED;
	}
	return send_test(options, taken);
}
