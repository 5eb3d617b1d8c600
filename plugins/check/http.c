/*
 * Health check { http = "URL"; }: good if a GET is answered with a 2xx or 3xx status. Redirects are
 * an answer and not followed; of an https server the certificate is verified.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "../lib/plugin.h"

/* Before hbd's own deadline, to have the last word. */
#define MARGIN_MS 20
#define BODY_BYTES_MAX (1024 * 1024)

/* The status has come by then: more of the body than this is not waited for. */
static size_t drop(char *bytes, size_t size, size_t count, void *context)
{
	size_t *total = context;

	(void)bytes;
	*total += size * count;
	return *total > BODY_BYTES_MAX ? 0 : size * count;
}

static long timeout_ms(void)
{
	const char *text = getenv("HBD_TIMEOUT_MS");
	long value = text ? atol(text) : 1000;

	return value > 2 * MARGIN_MS ? value - MARGIN_MS : value;
}

static CURLcode get(CURL *curl, const char *url, char *error)
{
	size_t total = 0;
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "hbd/" HBD_VERSION);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms());
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &total);
	code = curl_easy_perform(curl);
	/* The answer was there; that we had enough of it is no failure. */
	return code == CURLE_WRITE_ERROR && total > BODY_BYTES_MAX ? CURLE_OK : code;
}

static const struct plugin_about about = {
	.kind = "check",
	.action = "check",
	.name = "http",
	.summary = "health check",
	.parameters = (const struct plugin_parameter[]){
		{ "http", PLUGIN_STRING, true, NULL, NULL,
		  "an http or https URL that must answer well" },
		{ 0 },
	},
};

int main(int argc, char **argv)
{
	const char *url = getenv("HBD_PARAMETER_HTTP");
	char error[CURL_ERROR_SIZE] = "";
	int status = EXIT_FAILURE;
	long response = 0;
	CURLcode code;
	CURL *curl;

	if (plugin_describes(argc, argv, &about))
		return EXIT_SUCCESS;
	curl = curl_easy_init();
	if (!url || !curl) {
		printf("%s\n", url ? "libcurl does not start" : "http is not set");
		curl_easy_cleanup(curl);
		return EXIT_FAILURE;
	}
	code = get(curl, url, error);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response);
	if (code != CURLE_OK) {
		printf("%s: %s\n", url, error[0] ? error : curl_easy_strerror(code));
	} else {
		printf("%s: status %ld\n", url, response);
		status = response >= 200 && response < 400 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	curl_easy_cleanup(curl);
	return status;
}
