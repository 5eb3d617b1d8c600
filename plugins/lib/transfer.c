#include "transfer.h"

#include <unistd.h>

/* An option that this libcurl refuses must not be passed over: it may be the verification. */
#define SET(option, value) \
	do { \
		CURLcode set_code = curl_easy_setopt(curl, option, value); \
		if (set_code != CURLE_OK) \
			plugin_end(PLUGIN_FAILED, #option ": %s", curl_easy_strerror(set_code)); \
	} while (0)

static void set_tls(CURL *curl, const struct plugin_input *input)
{
	const char *ca_file = plugin_string(input, "ca_file");
	long verify = plugin_boolean(input, "tls_verify", true);

	if (ca_file && access(ca_file, R_OK) < 0)
		plugin_end(PLUGIN_FAILED, "ca_file: %s cannot be read by this user", ca_file);
	if (ca_file)
		SET(CURLOPT_CAINFO, ca_file);
	if (!verify)
		plugin_say("tls_verify is false: whoever sits in between can read and change this");
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, verify);
	SET(CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
}

CURL *transfer_new(const struct plugin_input *input, char *error)
{
	CURL *curl = NULL;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		curl = curl_easy_init();
	if (!curl)
		plugin_end(PLUGIN_AGAIN, "libcurl cannot be started");
	error[0] = '\0';
	SET(CURLOPT_ERRORBUFFER, error);
	SET(CURLOPT_TIMEOUT_MS, plugin_timeout_ms());
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	set_tls(curl, input);
	return curl;
}

bool transfer_may_succeed_later(CURLcode code)
{
	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_OUT_OF_MEMORY:
	case CURLE_PARTIAL_FILE:
	case CURLE_AGAIN:
		return true;
	default:
		return false;
	}
}

const char *transfer_text(CURLcode code, const char *error)
{
	return error[0] ? error : curl_easy_strerror(code);
}
