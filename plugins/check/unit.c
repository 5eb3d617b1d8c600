/*
 * Health check { unit = "NAME.service"; }: good while systemd says that the unit is active. A unit
 * that reloads its configuration serves meanwhile and is good, too.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "../lib/plugin.h"

static int fail(const char *what, int error)
{
	printf("%s: %s\n", what, strerror(-error));
	return EXIT_FAILURE;
}

static int look(sd_bus *bus, const char *unit, const char *path)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char *state = NULL;
	bool good;
	int result = sd_bus_get_property_string(bus, "org.freedesktop.systemd1", path,
						"org.freedesktop.systemd1.Unit", "ActiveState",
						&error, &state);

	if (result < 0)
		printf("%s: %s\n", unit, error.message ? error.message : strerror(-result));
	else
		printf("%s is %s\n", unit, state);
	good = result >= 0 && (strcmp(state, "active") == 0 || strcmp(state, "reloading") == 0);
	sd_bus_error_free(&error);
	free(state);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const struct plugin_about about = {
	.kind = "check",
	.action = "check",
	.name = "unit",
	.summary = "health check",
	.parameters = (const struct plugin_parameter[]){
		{ "unit", PLUGIN_STRING, true, NULL, NULL, "a systemd unit that must be active" },
		{ 0 },
	},
};

int main(int argc, char **argv)
{
	const char *unit = getenv("HBD_PARAMETER_UNIT");
	sd_bus *bus = NULL;
	char *path = NULL;
	int result;

	if (plugin_describes(argc, argv, &about))
		return EXIT_SUCCESS;
	if (!unit)
		return fail("unit is not set", -EINVAL);
	result = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path);
	if (result < 0)
		return fail(unit, result);
	result = sd_bus_open_system(&bus);
	if (result < 0)
		result = fail("systemd cannot be asked, there is no system bus", result);
	else
		result = look(bus, unit, path);
	sd_bus_unref(bus);
	free(path);
	return result;
}
