/* The ways of plugins/alert/sms to send one text message to one number. */
#pragma once

#include "plugin.h"

/* To an HTTP gateway, by the parameters url, form, json, headers ... */
struct sms_gateway;

/* Reads and checks the parameters. Ends the program if they make no sense. */
struct sms_gateway *sms_gateway_new(const struct plugin_input *input);
void sms_gateway_free(struct sms_gateway *gateway);

/* 0, PLUGIN_AGAIN or PLUGIN_FAILED; the reason was said. */
int sms_gateway_send(struct sms_gateway *gateway, const char *to, const char *text);

/* Puts a file into smstools' outgoing directory. */
int sms_smstools_send(const struct plugin_input *input, const char *to, const char *text);

/* Calls gammu-smsd-inject. */
int sms_gammu_send(const struct plugin_input *input, const char *to, const char *text);
