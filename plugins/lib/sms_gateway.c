/* To an HTTP gateway: one request for each number, as the gateway's manual asks for it. */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sms.h"
#include "template.h"
#include "transfer.h"

#define ANSWER_BYTES 4096

struct sms_gateway {
	const struct plugin_input *input;
	CURL *curl;
	char error[CURL_ERROR_SIZE];
	char *token;			/* NULL = none */
	char *password;			/* NULL = none */
	bool has_match;
	regex_t match;			/* what an answer that means success has in it */
	char answer[ANSWER_BYTES];
	size_t answer_bytes;
};

static size_t on_answer(char *buffer, size_t size, size_t count, void *context)
{
	struct sms_gateway *gateway = context;
	size_t room = ANSWER_BYTES - 1 - gateway->answer_bytes;
	size_t bytes = size * count < room ? size * count : room;

	memcpy(gateway->answer + gateway->answer_bytes, buffer, bytes);
	gateway->answer_bytes += bytes;
	gateway->answer[gateway->answer_bytes] = '\0';
	return size * count;
}

static void compile_match(struct sms_gateway *gateway)
{
	const char *match = plugin_string(gateway->input, "match");
	char text[128];
	int error;

	if (!match)
		return;
	error = regcomp(&gateway->match, match, REG_EXTENDED | REG_NOSUB);
	if (error) {
		regerror(error, &gateway->match, text, sizeof(text));
		plugin_end(PLUGIN_FAILED, "match: %s", text);
	}
	gateway->has_match = true;
}

struct sms_gateway *sms_gateway_new(const struct plugin_input *input)
{
	struct sms_gateway *gateway = calloc(1, sizeof(*gateway));

	if (!gateway)
		plugin_end(PLUGIN_AGAIN, "out of memory");
	if (!plugin_string(input, "url"))
		plugin_end(PLUGIN_FAILED, "neither url nor handover is set");
	if (plugin_string(input, "form") && plugin_string(input, "json"))
		plugin_end(PLUGIN_FAILED, "form and json are both set: a request has one body");
	gateway->input = input;
	gateway->token = plugin_secret(input, "token_file");
	gateway->password = plugin_secret(input, "password_file");
	gateway->curl = transfer_new(input, gateway->error);
	compile_match(gateway);
	return gateway;
}

void sms_gateway_free(struct sms_gateway *gateway)
{
	if (!gateway)
		return;
	curl_easy_cleanup(gateway->curl);
	curl_global_cleanup();
	if (gateway->has_match)
		regfree(&gateway->match);
	free(gateway->password);
	free(gateway->token);
	free(gateway);
}

static struct curl_slist *add_header(struct curl_slist *list, const char *header)
{
	struct curl_slist *longer = curl_slist_append(list, header);

	if (!longer)
		plugin_end(PLUGIN_AGAIN, "out of memory");
	return longer;
}

static bool names_token(const struct plugin_input *input)
{
	static const char *const templates[] = { "url", "form", "json" };

	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
		const char *text = plugin_string(input, templates[i]);

		if (text && strstr(text, "{token}"))
			return true;
	}
	for (size_t i = 0; i < plugin_count(input, "headers"); i++)
		if (strstr(plugin_item(input, "headers", i), "{token}"))
			return true;
	return false;
}

/* The configured lines; a token that none of the templates asks for is a bearer token. */
static struct curl_slist *make_headers(const struct sms_gateway *gateway,
				       const struct template_value *values)
{
	const struct plugin_input *input = gateway->input;
	struct curl_slist *list = NULL;
	char *line;

	for (size_t i = 0; i < plugin_count(input, "headers"); i++) {
		line = template_fill("headers", plugin_item(input, "headers", i), TEMPLATE_LINE,
				     values);
		list = add_header(list, line);
		free(line);
	}
	if (gateway->token && !names_token(input)) {
		line = template_fill("token_file", "Authorization: Bearer {token}", TEMPLATE_LINE,
				     values);
		list = add_header(list, line);
		free(line);
	}
	return list;
}

static char *make_body(const struct sms_gateway *gateway, const struct template_value *values,
		       struct curl_slist **headers)
{
	const char *form = plugin_string(gateway->input, "form");
	const char *json = plugin_string(gateway->input, "json");

	if (form)
		return template_fill("form", form, TEMPLATE_URL, values);
	if (!json)
		return NULL;
	*headers = add_header(*headers, "Content-Type: application/json");
	return template_fill("json", json, TEMPLATE_JSON, values);
}

static const char *first_line(struct sms_gateway *gateway)
{
	char *text = gateway->answer + strspn(gateway->answer, " \r\n\t");

	text[strcspn(text, "\r\n")] = '\0';
	return text[0] ? text : "(no text)";
}

static bool is_temporary(long status)
{
	return status >= 500 || status == 408 || status == 425 || status == 429;
}

static int judge(struct sms_gateway *gateway, CURLcode code, const char *to)
{
	long status = 0;

	if (code != CURLE_OK) {
		plugin_say("%s: %s", to, transfer_text(code, gateway->error));
		return transfer_may_succeed_later(code) ? PLUGIN_AGAIN : PLUGIN_FAILED;
	}
	curl_easy_getinfo(gateway->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200 || status > 299) {
		plugin_say("%s: the gateway answers %ld: %s", to, status, first_line(gateway));
		return is_temporary(status) ? PLUGIN_AGAIN : PLUGIN_FAILED;
	}
	if (gateway->has_match && regexec(&gateway->match, gateway->answer, 0, NULL, 0) != 0) {
		plugin_say("%s: the gateway's answer does not match \"%s\": %s", to,
			   plugin_string(gateway->input, "match"), first_line(gateway));
		return PLUGIN_FAILED;
	}
	plugin_say("%s: the gateway answers %ld: %s", to, status, first_line(gateway));
	return 0;
}

static void prepare(struct sms_gateway *gateway, const char *url, const char *body,
		    struct curl_slist *headers)
{
	const char *user = plugin_string(gateway->input, "user");
	CURL *curl = gateway->curl;

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "hbd/" HBD_VERSION);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, gateway);
	if (body)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	else if (!strcmp(plugin_string(gateway->input, "method"), "POST"))
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
	else
		curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
	if (user) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD,
				 gateway->password ? gateway->password : "");
	}
}

int sms_gateway_send(struct sms_gateway *gateway, const char *to, const char *text)
{
	const struct template_value values[] = {
		{ "to", to }, { "text", text }, { "token", gateway->token },
		{ "id", plugin_fact(gateway->input, "id") }, { NULL, NULL },
	};
	struct curl_slist *headers = make_headers(gateway, values);
	char *url = template_fill("url", plugin_string(gateway->input, "url"), TEMPLATE_URL, values);
	char *body = make_body(gateway, values, &headers);
	int result;

	gateway->answer[0] = '\0';
	gateway->answer_bytes = 0;
	prepare(gateway, url, body, headers);
	result = judge(gateway, curl_easy_perform(gateway->curl), to);
	curl_easy_setopt(gateway->curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	free(body);
	free(url);
	return result;
}
