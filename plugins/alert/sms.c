/*
 * Sends an alert as a text message: to an HTTP gateway, or handed over to a daemon on this machine
 * that has a modem (smstools, gammu-smsd).
 *
 * The text is the message's "short", at most 160 characters. Each recipient is a request of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "../lib/sms.h"

static const struct plugin_parameter parameters[] = {
	{ "to", PLUGIN_STRINGS, true, NULL, NULL, "telephone numbers, \"+15550100\"" },
	{ "url", PLUGIN_STRING, false, NULL, NULL,
	  "of the gateway, http or https; {to} {text} {token} {id} are put in, URL-encoded" },
	{ "form", PLUGIN_STRING, false, NULL, NULL,
	  "body of a POST, \"to={to}&message={text}\"; what is put in is URL-encoded" },
	{ "json", PLUGIN_STRING, false, NULL, NULL,
	  "JSON body of a POST, with {to} {text} {token} {id} inside of strings, escaped for JSON" },
	{ "method", PLUGIN_WORD, false, "GET POST", "GET", "without form and json" },
	{ "headers", PLUGIN_STRINGS, false, NULL, NULL,
	  "more header lines, \"X-Key: {token}\"" },
	{ "token_file", PLUGIN_STRING, false, NULL, NULL,
	  "file whose first line is {token}; if nothing asks for it: Authorization: Bearer" },
	{ "user", PLUGIN_STRING, false, NULL, NULL, "name for HTTP basic authentication" },
	{ "password_file", PLUGIN_STRING, false, NULL, NULL, "file whose first line is its password" },
	{ "match", PLUGIN_STRING, false, NULL, NULL,
	  "extended regular expression that the text of a successful answer matches" },
	{ "ca_file", PLUGIN_STRING, false, NULL, NULL,
	  "PEM file of the authorities that may have signed the gateway's certificate" },
	{ "tls_verify", PLUGIN_BOOLEAN, false, NULL, "true", "verify the gateway's certificate" },
	{ "handover", PLUGIN_WORD, false, "smstools gammu", NULL,
	  "instead of url: to a daemon on this machine" },
	{ "directory", PLUGIN_STRING, false, NULL, "/var/spool/sms/outgoing",
	  "smstools: its outgoing directory; hbd's user must be in its group" },
	{ "config", PLUGIN_STRING, false, NULL, NULL, "gammu: file for gammu-smsd-inject -c" },
	{ "program", PLUGIN_STRING, false, NULL, "gammu-smsd-inject", "gammu: what is called" },
	{ .name = NULL },
};

static const struct plugin_about about = {
	.name = "sms",
	.summary = "sends alerts as text messages by a gateway or a modem's daemon",
	.parameters = parameters,
};

static int send_to(const struct plugin_input *input, struct sms_gateway *gateway, const char *to)
{
	const char *handover = plugin_string(input, "handover");
	const char *text = plugin_fact(input, "short");

	if (gateway)
		return sms_gateway_send(gateway, to, text);
	return !strcmp(handover, "smstools") ? sms_smstools_send(input, to, text)
					     : sms_gammu_send(input, to, text);
}

int main(int argc, char **argv)
{
	struct sms_gateway *gateway = NULL;
	struct plugin_input input;
	int status = EXIT_SUCCESS;

	plugin_begin(argc, argv, &about, &input);
	if (!plugin_string(&input, "handover"))
		gateway = sms_gateway_new(&input);
	else if (plugin_string(&input, "url"))
		plugin_end(PLUGIN_FAILED, "url and handover are both set");
	for (size_t i = 0; i < plugin_count(&input, "to"); i++)
		status = plugin_worse(status, send_to(&input, gateway,
						      plugin_item(&input, "to", i)));
	sms_gateway_free(gateway);
	json_decref(input.document);
	return status;
}
